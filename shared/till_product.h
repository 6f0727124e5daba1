/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Products as Sitoo has them, and its price lists.
 *
 *   GET /sites/{site}/products.json?sku=A,B&includeinactive=true&num=..&fields=...
 *   {"productid":21,"sku":"54051-1","title":"Blanket Red","moneyprice":"59.00","moneypriceorg":"59.00",
 *    "moneypricein":"8.00","moneyofferprice":"0.00","vatid":2,"barcode":null,"activepos":true,"active":true,
 *    "deliverystatus":"","friendly":"blanket-red","unitlabel":"",
 *    "manufacturerid":null,"categories":[19],"variantparentid":21,"variant":[{"name":"Color","value":"Red"}]}
 *
 * Without includeinactive=true a hidden product looks missing and would be made twice. Sources: sitoo.md 2, 6.
 */
#ifndef ONEPOOL_TILL_PRODUCT_H
#define ONEPOOL_TILL_PRODUCT_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "err.h"

#define TILL_NAMES_MAX    20
#define TILL_DEFAULT_LIST INT64_C(1) /* the price list that moneyprice writes */

struct till_product {
    int64_t id;
    int64_t parent_id;                                /* 0 = single; its own id = the main one of a family */
    char *sku, *title, *barcode, *unit, *description; /* never NULL */
    int64_t price;                                    /* hundredths; -1 = none */
    int64_t retail_price;                             /* moneypriceorg, hundredths; -1 = none */
    /* moneypricein and moneyofferprice, hundredths; -1 = none. Not ours: a row of a family must hand them back. */
    int64_t purchase_price, offer_price;
    int64_t vat_id;
    bool active; /* activepos */
    /* Not ours either: "active", "deliverystatus", "friendly", for a product that joins a family. */
    bool web_active;
    char *delivery_status, *friendly; /* NULL or "" = none */
    int64_t manufacturer_id;          /* 0 = none */
    int64_t *categories;
    size_t category_count;
    struct till_attribute {
        char *name, *value;
    } * attributes; /* of "variant" */
    size_t attribute_count;
};

struct till_products {
    struct till_product *list; /* ascending by SKU, byte by byte, after till_sort */
    size_t n, cap;
};

/* The fields that a read asks for. */
extern const char till_product_fields[];

/* One product; NEXT_PARK ("bad_product") if it cannot be read. Pure. */
enum next till_add(struct till_products *t, const cJSON *json, struct reason *why) NODISCARD;
void till_sort(struct till_products *t);
/* By exact SKU (letter case counts); NULL if there is none. */
struct till_product *till_find(const struct till_products *t, const char *sku);
void till_free(struct till_products *t);

/* Reads by SKU, in as few calls as the length of an address allows. NEXT_DEFER for an incomplete answer. */
enum next till_read(struct app *app, const char *const *skus, size_t n, struct till_products *out,
                    struct reason *why) NODISCARD;
/* One page of all products by position: appends; *total is the announced total. */
enum next till_read_page(struct app *app, int64_t start, struct till_products *out, int64_t *total,
                         struct reason *why) NODISCARD;
/* How many products there are, hidden ones included. */
enum next till_count(struct app *app, int64_t *n, struct reason *why) NODISCARD;
/* Those of a family, by productvariants: raw JSON {"groups":[...],"variants":[...]}; the caller deletes. *json NULL:
 * 404. */
enum next till_read_family(struct app *app, int64_t parent_id, cJSON **json, struct reason *why) NODISCARD;

/* ---- price lists ---- */

struct till_list {
    int64_t id;
    char *name;
    bool active, tagged; /* tagged: it applies only where its tag does */
    char currency[4];
};
struct till_lists {
    struct till_list *list;
    size_t n;
};
enum next till_read_lists(struct app *app, struct till_lists *out, struct reason *why) NODISCARD;
const struct till_list *till_list(const struct till_lists *l, int64_t id);
void till_lists_free(struct till_lists *l);

/* All prices of a list: sku -> hundredths. volume: it has prices by quantity, which a write must hand back. */
struct till_price {
    char *sku;
    int64_t price;
    bool volume;
};
struct till_prices {
    struct till_price *list; /* ascending by SKU */
    size_t n, cap;
};
enum next till_read_prices(struct app *app, int64_t list_id, struct till_prices *out, struct reason *why) NODISCARD;
const struct till_price *till_price_find(const struct till_prices *p, const char *sku);
void till_prices_free(struct till_prices *p);

/* [-+]?digits.dd as hundredths. False for anything else, or beyond what is sane. */
bool till_money_parse(const char *s, int64_t *hundredths);
#define TILL_MONEY_SIZE 24
void till_money_format(int64_t hundredths, char out[TILL_MONEY_SIZE]);

#endif
