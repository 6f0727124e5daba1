/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows returned at a till. In this release a return moves no money and puts nothing back on sale: the units are
 * withheld, their SKUs are due, and the return is parked with the words "returns not enabled yet". (return is a C
 * keyword, hence refund_.)
 */
#ifndef ONEPOOL_REFUND_H
#define ONEPOOL_REFUND_H

#include "app.h"
#include "order.h"
#include "redis.h"

/* Appends the effects of one order's returned rows; pure. owner: who gets the case. data: the rows as handed on. */
void refund_plan(const struct order *rows, const char *owner, const char *data, struct args *effects);

/* One round of work, see function.h. */
enum next refund_work(struct app *app, int64_t *wait_ms, struct reason *why);

/* --invoke: payload is a Sitoo order with returned rows, or rows handed on. */
int refund_invoke(struct app *app, const char *payload, size_t len, bool dry_run);

#endif
