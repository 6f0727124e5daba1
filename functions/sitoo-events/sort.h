/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sorting: what a Sitoo order that was announced means for the other functions.
 *
 *   rows sold      -> queue "sale"           rows returned -> queue "return", withheld at once
 *   every row      -> queue "sku": its stock may have moved; bookings, open, cancelled and our own orders move
 *                     reservations without a ledger row, so they mark their SKUs as well
 */
#ifndef ONEPOOL_SORT_H
#define ONEPOOL_SORT_H

#include "app.h"
#include "order.h"
#include "redis.h"

/* Appends the effects of one order; pure. Returns what kind of order it was taken for. */
enum order_kind sort_plan(const struct order *o, struct args *effects);

/* One round: claims due orders, reads them in one call, settles each. See function.h. */
enum next sort_work(struct app *app, int64_t *wait_ms, struct reason *why);

/* Frees what the process keeps between rounds. */
void sort_leave(struct app *app);

/* --invoke: payload is an event batch, or one Sitoo order as GET /orders answers it. */
int sort_invoke(struct app *app, const char *payload, size_t len, bool dry_run);

#endif
