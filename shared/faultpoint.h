/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Named places at which a test ends or stops the process (tests/faults/README.md). Only builds with ONEPOOL_FAULTS have
 * them (VARIANT=asan and faults); a release holds neither the code nor a name.
 *
 *   ONEPOOL_FAULT_POINT=<name>:<file>  kills the process (SIGKILL) where the name is passed, if the file is there
 *   ONEPOOL_FAULT_FOLDER=<folder>      the same for every file <folder>/<name>, whenever it is made; it says
 *                                      "<n> <signal>": at the n-th passing of all processes together, with that
 *                                      signal. What was passed becomes files of <folder>/passed
 *   ONEPOOL_PLANT=<name>               what the code gets wrong on purpose, so that a test proves that it is found
 *
 * A file is removed before its signal is sent, so that each happens once.
 */
#ifndef ONEPOOL_FAULTPOINT_H
#define ONEPOOL_FAULTPOINT_H

#ifdef ONEPOOL_FAULTS

#include <stdbool.h>

void fault_point_passed(const char *name, const char *of);
bool fault_planted(const char *name);

#define fault_point(app, name)    fault_point_passed((name), "")
#define fault_point_of(first, of) fault_point_passed((first), (of)) /* a name in two parts, joined */

#else

#define fault_point(app, name)    ((void)0)
#define fault_point_of(first, of) ((void)0)
#define fault_planted(name)       false

#endif
#endif
