/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refunds of a BigCommerce order, as read back. Source: GET /v3/orders/{id}/payment_actions/refunds (orders.v3,
 * bigcommerce.md 10): an item's reason is where our reference stands; payments run on after the 201 and may be declined
 * later.
 */
#ifndef ONEPOOL_REFUNDS_H
#define ONEPOOL_REFUNDS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "err.h"

#define REFUND_REASON_MAX     1000       /* of one item, BigCommerce's limit */
#define REFUNDS_MAX           1000       /* of one order */
#define REFUND_REFERENCE      "onepool:" /* a reason of ours begins with it */
#define REFUND_REFERENCE_SIZE 48

struct refund_item {
    bool product;     /* item_type PRODUCT; others (SHIPPING, ORDER, ...) have no quantity */
    int64_t item_id;  /* PRODUCT: order product id */
    int64_t quantity; /* whole units */
};

struct refund {
    int64_t id, order_id;
    int64_t created_ms;                    /* 0 if unreadable */
    int64_t total;                         /* money.h */
    char reference[REFUND_REFERENCE_SIZE]; /* "R11555-100301" of ours, see refund_reference; "" = made by somebody else
                                            */
    bool offline;                          /* every payment is offline: no money moved through BigCommerce */
    bool declined;                         /* a payment was declined */
    char declined_message[160];
    struct refund_item *items;
    size_t item_count;
};

struct refund_list {
    struct refund *list;
    size_t n;
};

/* Reference of what the return `return_id` (Sitoo order) gives back of a web order: "R11555-100301". */
void refund_reference(int64_t return_id, int64_t order_id, char out[REFUND_REFERENCE_SIZE]);

/*
 * Every refund of the order, one call per page. NEXT_DEFER "bad_refunds": the answer is not what is documented, or a
 * refund is unreadable: nothing may then be concluded about what was paid. An order that is not there has none (status
 * 404 in *status if not NULL).
 */
enum next refunds_read(struct app *app, int64_t order_id, struct refund_list *out, int *status,
                       struct reason *why) NODISCARD;
/* One refund from its JSON; false if it lacks what every refund has. The caller frees by refund_list_free. */
bool refund_parse(const cJSON *json, struct refund *out);
void refund_list_free(struct refund_list *l);

/* How many carry no whole reference of a return of this web order: somebody else's, or ours without its reason. */
size_t refunds_of_others(const struct refund_list *l, int64_t order_id);
/* The refund that carries the reference, or NULL. */
const struct refund *refund_find(const struct refund_list *l, const char *reference);
/* Units of an order product that were refunded, by all refunds together; declined ones count as well. */
int64_t refund_units(const struct refund_list *l, int64_t order_product_id);

#endif
