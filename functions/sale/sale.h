/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows sold at a till: recorded once per order row (till time, shop's warehouse, SKU, quantity), and their SKUs are
 * due. A SKU that BigCommerce does not know, does not track, or tracks the other way becomes one mapping case per SKU
 * with a counter; everything else goes on.
 */
#ifndef ONEPOOL_SALE_H
#define ONEPOOL_SALE_H

#include "app.h"
#include "order.h"
#include "redis.h"

/* Appends the effects of one order's sold rows; pure. */
void sale_plan(const struct order *rows, struct args *effects);

/* One round of work, see function.h. */
enum next sale_work(struct app *app, int64_t *wait_ms, struct reason *why);

/* --invoke: payload is a Sitoo order (as GET answers it) or the rows that sitoo-events hands on. */
int sale_invoke(struct app *app, const char *payload, size_t len, bool dry_run);

#endif
