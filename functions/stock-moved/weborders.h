/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pending: web orders that hold stock, read from BigCommerce by modification date with overlap before each write (an
 * order gets its id at the payment page and is paid minutes later, so an id cursor would miss it).
 *
 *   GET
 * /v2/orders?min_date_modified=...&min_id=...&limit=250&include=consignments.line_items&consignment_structure=object
 *
 * Pages go by ascending id, which no change can shift; the next read starts at the server's own time of the first page,
 * less the overlap. Source: reference/orders.v2.oas2.yml (2026-04-01), bigcommerce.md 3, 7.3, 9. No customer data is
 * kept.
 */
#ifndef ONEPOOL_WEBORDERS_H
#define ONEPOOL_WEBORDERS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "app.h"
#include "redis.h"

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

/* Brings pending up to date. NEXT_DONE: everything modified up to the start of this call is in. */
enum next weborders_refresh(struct app *app, struct reason *why) NODISCARD;

#endif
