/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A web order as it is handed to Sitoo: where its goods are wanted, and its rows with what was paid for them. Read with
 *
 *   GET /v2/orders/{id}?include=consignments.line_items&consignment_structure=object
 *   GET /v2/orders/{id}/products?limit=250&page=n          when the order does not hold all its lines
 *
 * Source: reference/orders.v2.oas2.yml (2026-04-01); bigcommerce.md 7.3, 9. What the order says of the customer stays
 * in `json`, which lives as long as the order is worked on and is written nowhere.
 */
#ifndef ONEPOOL_WEBSHOP_H
#define ONEPOOL_WEBSHOP_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "err.h"
#include "mapping.h"

#define WEBSHOP_ROWS_MAX 2000

/* What is to happen with the goods. */
enum web_kind {
    WEB_NO_GOODS,    /* downloads and gift certificates only */
    WEB_PICKUP,      /* collected in the shop of `warehouse_id` */
    WEB_SHIP,        /* sent; a warehouse is chosen */
    WEB_RETURN_ONLY, /* sent from a location that onepool does not keep: shops only take it back */
    WEB_UNCLEAR      /* `problem` says why: never a default shop */
};

struct web_row {
    int64_t id; /* order product id */
    int64_t quantity, refunded, shipped;
    int64_t address_id; /* for shipments */
    int64_t total;      /* of the row, with tax, before discounts (money.h) */
    int64_t paid;       /* the same after discounts */
    int64_t vat;        /* percent x 100 */
    char *sku, *name;   /* name with options */
};

struct web_order {
    bool found; /* false: BigCommerce has no such order */
    int64_t id, status_id, created_ms;
    int64_t modified_ms; /* 0 if it cannot be read */
    bool archived;
    enum web_kind kind;
    bool own_pickup; /* collected by BigCommerce's own pickup, not by the name of a shipping method */
    int64_t location_id, pickup_method_id; /* of a pickup, as the order has them; 0 = none */
    int64_t warehouse_id;                  /* WEB_PICKUP */
    char problem[200];                     /* WEB_UNCLEAR */
    char currency[8];                      /* the one paid in */
    struct web_row *rows;
    size_t n;
    cJSON *json; /* the order as it came */
};

/* NEXT_DEFER "bad_web_order": something is missing or not whole, so nothing may be concluded. Free in every case. */
enum next web_order_read(struct app *app, int64_t id, struct web_order *out, struct reason *why) NODISCARD;
void web_order_free(struct web_order *o);

/* The parts of web_order_read; pure. */
enum next web_order_take(const cJSON *json, int64_t id, const struct mapping *m, struct web_order *out,
                         bool *lines_whole, struct reason *why) NODISCARD;
enum next web_order_lines(const cJSON *lines, struct web_order *out, struct reason *why) NODISCARD;
/* Once all lines are there: drops those that are no goods of a shop, and parents of bundles. */
void web_order_goods(struct web_order *o);

/* Units that the order still wants of a row: ordered less refunded. */
int64_t web_row_wanted(const struct web_row *r);
/* total of n of the row's units, each unit's part by quantity, the last one takes the rest. */
int64_t web_row_share(const struct web_row *r, int64_t amount, int64_t n);

#endif
