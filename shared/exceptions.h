/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the two catalogs do not fit: SKUs made in a till's Backoffice, SKUs that the tills lack, near-duplicates,
 * barcodes, prices, tax. Found by comparing both catalogs as a whole; each with what it may cost, who is to look, and
 * one safe next step. Pure, but for the last part.
 */
#ifndef ONEPOOL_EXCEPTIONS_H
#define ONEPOOL_EXCEPTIONS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "err.h"
#include "product_shops.h"
#include "redis.h"

enum exception_kind {
    EXCEPTION_ONLY_IN_SITOO,   /* "only_in_sitoo": made outside of the flow, active in the POS */
    EXCEPTION_ONLY_IN_WEB,     /* "only_in_bigcommerce": wanted, and Sitoo does not have it */
    EXCEPTION_NEAR_DUPLICATE,  /* "near_duplicate": differs by case, spaces or look-alike dashes */
    EXCEPTION_BARCODE_TWICE,   /* "barcode_duplicate" */
    EXCEPTION_BARCODE_MISSING, /* "barcode_missing" */
    EXCEPTION_PRICE,           /* "price_differs" */
    EXCEPTION_PRICE_UNDERCUT,  /* "price_undercut": another active list of Sitoo sells it for less */
    EXCEPTION_VAT,             /* "vat_differs" */
    EXCEPTION_NO_SKU,          /* "variant_without_sku" */
    EXCEPTION_REFUSED,         /* "product_problem": another problem of product_want.h; text says which */
    EXCEPTION_KINDS
};
const char *exception_name(enum exception_kind k);
bool exception_kind_read(const char *name, enum exception_kind *out);

struct exception {
    enum exception_kind kind;
    char *sku;                     /* "" = none */
    char *other;                   /* the other SKU of a pair, or "" */
    int64_t product_id;            /* of BigCommerce, 0 = none */
    int64_t variant_id;            /* of BigCommerce, 0 = none */
    int64_t till_id;               /* of Sitoo, 0 = none */
    int64_t web_price, till_price; /* hundredths, -1 = does not matter */
    int64_t units_sold;            /* thousandths sold at a till in the time that is looked at; -1 = does not matter */
    int64_t stake; /* hundredths: units sold x difference (price, undercut), units sold x price (only in Sitoo, VAT: x
                      the tax's difference); -1 = not known */
    char text[300], step[200];
    const char *owner; /* from the mapping */
};

struct exceptions {
    struct exception *list; /* largest stake first, then kind, then SKU */
    size_t n, cap;
    int64_t by_kind[EXCEPTION_KINDS];
};

/* Units sold at tills, by SKU, ascending by SKU. */
struct sold {
    struct {
        char *sku;
        int64_t thousandths;
    } * list;
    size_t n, cap;
};

/* sold: of the days before; may be empty. Inactive SKUs of Sitoo are no exceptions of kind only_in_sitoo. */
void exceptions_find(const struct shops *s, const struct mapping *m, const struct sold *sold, struct exceptions *out);
void exceptions_free(struct exceptions *e);
void sold_free(struct sold *s);

/* ---- table and CSV; pure ---- */
/* {"currency":"SEK","counts":{"only_in_sitoo":1,...},"exceptions":[...]}; one of the list, with null for what is 0 or
 * -1:
 *   {"kind":"price_differs","sku":"A","other":"","product":192,"variant":382,"sitoo_product":21,"web_price":"59.00",
 *    "till_price":"49.00","units_sold":"3.000","stake":"30.00","text":"...","step":"...","owner":"finance"} */
cJSON *exceptions_json(const struct exceptions *e, const char *currency);

/* ---- with Redis ---- */

/* Sales of the last days from the ledger, at most 90. */
enum next sold_read(struct app *app, int64_t days, struct sold *out, struct reason *why) NODISCARD;
/* Keeps them as the result of the sweep at now, in place of the former one, and raises and closes its cases (those
 * of the flow of products stay as they are): one per kind and SKU for the EXCEPTION_CASES_MAX of a kind with the
 * largest stakes, and one per kind that counts the rest. */
#define EXCEPTION_CASES_MAX 50
enum next exceptions_store(struct app *app, const struct exceptions *e, const char *currency,
                           struct reason *why) NODISCARD;
/* The kept result: {"at_ms":..,"currency":"SEK","counts":{..},"exceptions":[...]}; *json NULL: there was no sweep yet.
 * The caller deletes. */
enum next exceptions_load(struct app *app, cJSON **json, struct reason *why) NODISCARD;

#endif
