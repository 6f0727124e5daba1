/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings of the BigCommerce store that would undo what onepool writes:
 *
 *   refund_order_stock_adjustment  must be off: a refund or a cancellation would put units back that nobody has looked
 * at update_stock_behavior          must be order_placed: else sold units stay on offer until the order is shipped
 *
 * Global values rule orders made by hand, a channel's values rule its own orders; null at a channel = inherited. The
 * store's default channel is looked at beside the global values; others are not. Sources: reference/settings.v3.yml
 * (GET /v3/settings/inventory?channel_id=), reference/store_information.v2.yml (default_channel_id), 2026-04-01;
 * bigcommerce.md 6.4, 10, 12.
 */
#ifndef ONEPOOL_SHOP_H
#define ONEPOOL_SHOP_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "err.h"

#define SHOP_FINDINGS_MAX 4 /* two settings, global and of one channel */

struct shop_finding {
    char entity[64]; /* names the case: "refund_order_stock_adjustment", "update_stock_behavior channel 1" */
    bool right;
    char text[200];     /* what was found */
    const char *effect; /* what the shop notices; "" if right */
    const char *todo;   /* "" if right */
};

struct shop {
    struct shop_finding list[SHOP_FINDINGS_MAX];
    size_t n;
};

/* Appends what the member "data" of an answer says about the two settings. channel_id: 0 = global values. */
void shop_judge(struct shop *shop, const cJSON *data, int64_t channel_id);

/* Reads the store's settings: three calls. shop is emptied first. Errors as bigcommerce_get. */
enum next shop_read(struct app *app, struct shop *shop, struct reason *why) NODISCARD;

#endif
