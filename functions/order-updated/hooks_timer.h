/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every 15 minutes, and at once when BigCommerce says that it switched one off: are our webhooks as they should be?
 * One that BigCommerce switched off, or that is gone although it was right before, is put right by itself (in live
 * mode, if ONEPOOL_PUBLIC_URL is set), and what may have been lost is read again. What somebody may have done on
 * purpose is only told. Cases close by themselves at the next look that finds nothing.
 */
#ifndef ONEPOOL_HOOKS_TIMER_H
#define ONEPOOL_HOOKS_TIMER_H

#include "hooks_repair.h"
#include "redis.h"

/* One round: the timer of queue `hooks`. *wait_ms becomes at most the time until it is due. */
enum next hooks_timer_work(struct app *app, int64_t *wait_ms, struct reason *why) NODISCARD;

/* The cases that a look opens and closes; pure. view: as found before a repair. */
void hooks_timer_plan(const struct settings *set, const struct hooks_view *view, const struct hooks_work *work,
                      struct args *effects);

#endif
