/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One web order of BigCommerce as far as stock goes: does it hold stock, and which units. Read from the list
 *
 *   GET /v2/orders?...&include=consignments.line_items&consignment_structure=object
 *
 * or line by line from /v2/orders/{id}/products. Source: reference/orders.v2.oas2.yml (2026-04-01), bigcommerce.md 7.3,
 * 9. No customer data is kept.
 */
#ifndef ONEPOOL_WEBORDER_H
#define ONEPOOL_WEBORDER_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "app.h"
#include "redis.h"

#define WEBORDER_PAGE 250 /* what v2 collections are known to give; a larger limit is not documented */
#define WEBORDER_PAGE_SMALLEST \
    50 /* the documented default: were the limit capped silently, a page might be this short */

/* Does an order of this status hold stock? created_since_start: it was placed after our first start. */
bool weborder_holds(int64_t status_id, bool created_since_start, bool already_pending);

struct weborder {
    int64_t id, status_id, created_ms, modified_ms;
    size_t rows;
    struct args args; /* rows as pending_put takes them: "target|sku", thousandths */
    bool incomplete;  /* the lines in the list are cut off or missing: read /products */
};

/* Reads an order of the list; its lines only if its status may hold stock, so that no other order can hold up the
 * writes. Pure. NEXT_PARK if it lacks what every order has. Free with weborder_free. */
enum next weborder_read(const cJSON *json, const struct mapping *m, struct weborder *out, struct reason *why) NODISCARD;
/* Adds the rows of a list of lines; target 0 = not allocated. Lines that are parents of others are left out. */
enum next weborder_lines(const cJSON *lines, int64_t target, struct weborder *out, struct reason *why) NODISCARD;
void weborder_free(struct weborder *o);

/* One page of /products (status and body of the answer; no body is an empty list) as weborder_lines takes it. Pure.
 * NEXT_DEFER if the order has no such list, NEXT_PARK if the page is not whole: either way its units stay held. */
enum next weborder_products_page(int status, const cJSON *lines, int64_t target, struct weborder *out,
                                 struct reason *why) NODISCARD;
/* The lines of one order from /products: all of them, whatever the list cut off. */
enum next weborder_products(struct app *app, struct weborder *o, int64_t target, struct reason *why) NODISCARD;
/* The pickup warehouse of an order whose lines have to be read apart, or 0 (one pickup location per order,
 * bigcommerce.md 7.2). */
int64_t weborder_target(const cJSON *json, const struct mapping *m);

/* What becomes of an order that was open when onepool came to the shop (the baseline decides). */
enum weborder_class {
    WEBORDER_UNCLASSED,
    WEBORDER_IN_SITOO,  /* handed over by an older connector: Sitoo's available has it, so nothing is subtracted */
    WEBORDER_SUBTRACT,  /* subtracted, never handed over */
    WEBORDER_HAND_OVER, /* handed over as if it were placed now */
    WEBORDER_CLASSES
};
/* "in_sitoo" ...; "" for WEBORDER_UNCLASSED. */
const char *weborder_class_name(enum weborder_class c);
/* True if the first word of text is a class. */
bool weborder_class_read(const char *text, enum weborder_class *out);

#endif
