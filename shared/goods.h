/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Are the goods of refunds that were made in BigCommerce back in Sitoo? Per SKU:
 *
 *   back    = max(0, returned in Sitoo - refunded by us) + booked in on a person's word
 *   missing = max(0, refunded by hand - back)
 *
 * Refunded by hand: PRODUCT items of refunds without our reference that were not declined; never more units of a line
 * than were bought. Returned in Sitoo: rows below zero of closed orders that credit the Sitoo order of the web order.
 * Refunded by us: each of these is the money of such a return. Digital lines and lines without SKU need no goods.
 *
 *   GET /v2/orders/{id}/products                                  which SKU an order product is
 *   GET /orders.json?externalid=BC-{id},...&fields=...            the Sitoo order, if there is one: by our reference,
 * or by one of an older connector (mapping baseline) GET /orders.json?creditorderid={id}&fields=...                what
 * was given back of it
 *
 * A return that names the purchase only by pos-originalsales-orderid is not found so: Sitoo has no filter for that.
 * Sources: bigcommerce.md 9, 10; sitoo.md 4.4, 4.5, 4.6.
 */
#ifndef ONEPOOL_GOODS_H
#define ONEPOOL_GOODS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "err.h"
#include "refunds.h"

/* All quantities are thousandths. */
struct goods_row {
    char *sku;
    int64_t by_hand, due; /* refunded by hand; part of it whose goods should be back by now */
    int64_t ours;
    int64_t returned, booked;
};

/* One line of the web order. */
struct goods_line {
    int64_t id; /* order product id */
    char *sku;  /* "" if it has none */
};

struct goods {
    int64_t order_id;       /* of BigCommerce */
    int64_t sitoo_order_id; /* 0 = Sitoo has none */
    bool never_left;        /* the Sitoo order is cancelled or abandoned: its goods never left the stock */
    struct goods_row *rows;
    size_t row_count;
    struct goods_line *lines;
    size_t line_count;
};

/* Which refunds count: those created since since_ms (our first start; 0 = all); their goods are due if the refund was
 * created at due_ms or before. */
struct goods_question {
    int64_t order_id, since_ms, due_ms;
    const struct refund_list *refunds;
};

/* A refund by hand whose goods have to come back. */
bool goods_wanted(const struct goods_question *q, const struct refund *r);

/*
 * Reads everything. NEXT_DEFER: a platform or Redis is away, or an answer is incomplete ("incomplete_read").
 * NEXT_PARK: a line or an order cannot be read (why names it). Free with goods_free in every case.
 */
enum next goods_read(struct app *app, const struct goods_question *q, struct goods *out, struct reason *why) NODISCARD;
void goods_free(struct goods *g);

/* Our first start, wall clock in ms; 0 = not known (yet). */
enum next goods_since(struct app *app, int64_t *since_ms, struct reason *why) NODISCARD;

/* Thousandths of the row that are not back: of what is due, or of all. */
int64_t goods_missing(const struct goods_row *row, bool due_only);
/* True if anything is missing; never if the goods never left. */
bool goods_any_missing(const struct goods *g, bool due_only);
/* "SKU-1 x 2, SKU-2 x 1": what is missing, cut at size with " ..." behind. */
void goods_text(const struct goods *g, bool due_only, char *out, size_t size);
/* The row of a SKU, or NULL. SKUs of the two platforms may differ in case. */
struct goods_row *goods_row(const struct goods *g, const char *sku);
/* The SKU of an order product, or "". */
const char *goods_sku(const struct goods *g, int64_t order_product_id);
/* "2" or "0.500". */
void goods_quantity(int64_t thousandths, char out[24]);

/* Parts of goods_read, for tests: a page of lines; an order that credits the Sitoo order; "thousandths sku". */
enum next goods_add_lines(struct goods *g, const struct goods_question *q, const cJSON *lines,
                          struct reason *why) NODISCARD;
enum next goods_add_return(struct goods *g, const cJSON *order, const char *our_prefix, struct reason *why) NODISCARD;
bool goods_add_booked(struct goods *g, const char *text);

#endif
