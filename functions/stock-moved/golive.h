/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the writer does once when a baseline was accepted, before it writes anything: pending is completed by the orders
 * that the baseline read (also those older than bigcommerce.orders_days), whatever it classed as in_sitoo is taken out,
 * everything modified since is read again, and the SKUs that differ are due. Each step may be repeated, so a crash in
 * the middle only means that the next writer does it again.
 */
#ifndef ONEPOOL_GOLIVE_H
#define ONEPOOL_GOLIVE_H

#include "app.h"
#include "write.h"

/* Under the writer lease, while app->go_live is set. NEXT_DONE: done for good. */
enum next golive_begin(struct app *app, struct reason *why) NODISCARD;

/*
 * Sets allowed of those items whose change, from which level to which, is exactly one that was accepted: the brake does
 * not count them. Only looks if anything is left of an accepted baseline.
 */
enum next golive_allow(struct app *app, struct level_item *items, size_t n, struct reason *why) NODISCARD;

#endif
