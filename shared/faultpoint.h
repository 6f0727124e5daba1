/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Named places at which a test kills the process: ONEPOOL_FAULT_POINT=<name>:<file> kills it (SIGKILL) where the name
 * is passed, if the file is there; the file is removed first, so that it happens once. Only with ONEPOOL_DEV=1.
 */
#ifndef ONEPOOL_FAULTPOINT_H
#define ONEPOOL_FAULTPOINT_H

#include "app.h"

void fault_point(const struct app *app, const char *name);

#endif
