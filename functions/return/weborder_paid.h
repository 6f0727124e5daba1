/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A web order as a refund needs it: status, what was paid, lines with what was refunded. Source: GET /v2/orders/{id}
 * and /products (bigcommerce.md 9): refunded_amount and refund_amount are always 0 there, so quantity_refunded and the
 * v3 refunds are what counts; the currency paid in is default_currency_code.
 */
#ifndef ONEPOOL_RETURN_WEBORDER_PAID_H
#define ONEPOOL_RETURN_WEBORDER_PAID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "err.h"

#define PAID_LINES_MAX 2000

struct paid_line {
    int64_t id; /* order product id */
    char *sku;
    int64_t quantity, refunded; /* whole units */
};

struct paid_order {
    bool found; /* false: BigCommerce has no such order */
    int64_t id, status_id;
    int64_t total; /* total_inc_tax of the order */
    char currency[8];
    char *staff_notes; /* passed on, never stored */
    struct paid_line *lines;
    size_t n;
};

/* Two calls or more. NEXT_DEFER "bad_web_order": a figure is missing, so nothing may be concluded. */
enum next paid_order_read(struct app *app, int64_t order_id, struct paid_order *out, struct reason *why) NODISCARD;
void paid_order_free(struct paid_order *o);

const struct paid_line *paid_line_by_id(const struct paid_order *o, int64_t id);

#endif
