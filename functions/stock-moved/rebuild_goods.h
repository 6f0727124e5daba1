/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a rebuild (rebuild.h) that derives withheld units anew. */
#ifndef ONEPOOL_REBUILD_GOODS_H
#define ONEPOOL_REBUILD_GOODS_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "app.h"
#include "epoch.h"
#include "redis.h"

/* From when on rows of the ledger and returns are looked at: the loss, or if everything may be lost returns.days back
 * (or bigcommerce.orders_days, if that is longer; 365 at most), never before our first start. */
int64_t rebuild_goods_from_ms(const struct app *app, const struct epoch *e);

/* Rows of the ledger are read newest first, but units have to be withheld before they leave again. */
struct rebuild_rows {
    struct args *list; /* effects of one row each, newest first */
    size_t n;
};
/* Takes a row of the ledger. */
void rebuild_rows_add(struct rebuild_rows *rows, const cJSON *row);
/* Applies all, oldest first, and empties it. */
enum next rebuild_rows_apply(struct app *app, struct rebuild_rows *rows, struct reason *why) NODISCARD;
void rebuild_rows_free(struct rebuild_rows *rows);

/*
 * Makes every order with returned rows due again that was rung up from from_ms on and before to_ms, so that it is
 * judged anew. *done gets their number.
 *
 *   GET /orders.json?eshopid=1&orderdatefrom=S&orderdateto=S&orderidfrom=N&sort=orderid&num=1000
 *       &fields=orderid,orderitems
 *
 * Source: sitoo.md 4.5, 4.6.
 */
enum next rebuild_returns(struct app *app, int64_t from_ms, int64_t to_ms, int64_t *done, struct reason *why) NODISCARD;

#endif
