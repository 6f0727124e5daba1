/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queue `refund`, entity: a BigCommerce order whose refunds are looked at.
 *
 * - A refund of ours (it carries a reference) that was declined: the case refund_declined, once. Its payment runs after
 *   the answer, so a young one that is not offline is looked at again 1, 10 and 60 minutes after it was made.
 * - A refund that somebody made in BigCommerce: recorded once as
 *
 *     {"type":"refund_made_in_bigcommerce","order":100301,"refund":7,"amount":"35.00","declined":false,
 *      "rows":[{"order_product":12,"sku":"SKU-1","quantity":1}]}
 *
 *   and its goods are waited for (goods.h): returns.goods_back_days later the case refunded_not_back is made, once per
 *   latest refund. It closes by itself when they are back: it is looked at daily for 60 days.
 */
#ifndef ONEPOOL_WATCH_H
#define ONEPOOL_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "goods.h"
#include "refunds.h"

#define WATCH_SETTLED INT64_C(-1)
/* Beyond this age nothing is recorded nor raised: what makes it happen once is kept for 90 days (00_common.lua). */
#define WATCH_AGE_MAX_MS (INT64_C(80) * 86400 * 1000)

struct watch {
    const struct mapping *mapping;
    const struct refund_list *refunds;
    const struct goods *goods; /* NULL: no goods are waited for */
    int64_t order_id, now_ms, since_ms;
    bool again; /* a person's retry: cases are made anew */
};

/* Appends the effects; returns after how many ms the order is to be looked at again, or WATCH_SETTLED. Pure. */
int64_t watch_plan(const struct watch *w, struct args *effects);

/* Operation ids of what happens once: "refund_bc:7" and "refund_declined:7". */
void watch_op(const struct refund *r, char out[40]);
/* True for a refund of ours that may still be declined. */
bool watch_young(const struct refund *r, int64_t now_ms);

/* One round of work, see function.h. */
enum next watch_work(struct app *app, int64_t *wait_ms, struct reason *why);

/* --invoke: payload is a hook, or {"order":100301}. */
int watch_invoke(struct app *app, const char *payload, size_t len, bool dry_run);

#endif
