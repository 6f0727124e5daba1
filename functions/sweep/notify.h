/* SPDX-License-Identifier: Apache-2.0 */
/* Urgent cases are told to people: one outgoing webhook, and e-mail. */
#ifndef ONEPOOL_SWEEP_NOTIFY_H
#define ONEPOOL_SWEEP_NOTIFY_H

#include <stdint.h>

#include "app.h"

enum next notify_work(struct app *app, int64_t *wait_ms, struct reason *why) NODISCARD;

#endif
