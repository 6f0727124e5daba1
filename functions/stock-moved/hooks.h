/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BigCommerce says that the stock of an item changed at a location (control panel, another app, an order, or our own
 * write).
 *
 *   POST /hooks/bigcommerce/stock-changed
 *   {"scope":"store/channel/ *
 * /inventory/product/stock_changed","producer":"stores/{hash}","hash":"996e...","created_at":1682624640,
 *    "store_id":"1234567890","data":{"variant_id":127,"product_id":113,"location_id":2}}
 *
 * Authentic if the header X-Onepool-Secret is right (set when the hook is made). Answers: 200 stored, 401 not
 * authentic, 503 not stored. One batched read of the levels follows; only a level that differs from ours is written.
 * Source: bigcommerce.md 5.
 */
#ifndef ONEPOOL_HOOKS_H
#define ONEPOOL_HOOKS_H

#include "app.h"
#include "fcgi.h"

void hooks_accept(struct app *app, const struct fcgi_call *call, struct fcgi_reply *reply);

/* Turns due items into levels to read back. */
enum next hooks_work(struct app *app, size_t *done, struct reason *why) NODISCARD;

#endif
