/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Products as BigCommerce has them, as far as the till needs them. BigCommerce is the master; nothing here writes.
 *
 *   GET /v3/catalog/products?id:in=1,2&include_fields=...   name, sku, type, prices, tax class, visibility, barcode
 *   GET /v3/catalog/variants?product_id:in=1,2&...          every variant, paged to its announced total
 *   GET /v3/pricelists/{id}/records?product_id:in=1,2       if prices come from a price list
 *
 *   {"id":192,"name":"Jar","type":"physical","sku":"","price":7.95,"sale_price":0,"retail_price":10,"tax_class_id":0,
 *    "brand_id":36,"categories":[23],"is_visible":true,"availability":"available","base_variant_id":null,"upc":"","gtin":""}
 *   {"id":382,"product_id":192,"sku":"SMIT","price":null,"sale_price":null,"retail_price":null,"upc":"","gtin":"",
 *    "purchasing_disabled":false,"option_values":[{"label":"Beige","option_display_name":"Color"}]}
 *
 * With the mapping's "images" also &include=images, an empty list for none, and image_url of variants:
 *   "images":[{"is_thumbnail":true,"sort_order":0,
 *              "url_standard":"https://cdn11.bigcommerce.com/s-x/products/86/images/286/a__94.386.513.jpg?c=1"}]
 *
 * Sources: bigcommerce.md 8 (products_catalog.v3.yml, product-variants_catalog.v3.yml, price_lists.v3.yml, 2026-04-01).
 * include=variants is not used: whether it gives all of them, and how it cuts pages, is not documented.
 */
#ifndef ONEPOOL_CATALOG_H
#define ONEPOOL_CATALOG_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "err.h"

#define CATALOG_NO_PRICE     INT64_C(-1) /* null, absent, or a sale price of 0 */
#define CATALOG_OPTIONS_MAX  20
#define CATALOG_VARIANTS_MAX 600 /* per product, BigCommerce's own limit; one with more is bad */
#define CATALOG_READ_MAX     250 /* products in one reading */

struct catalog_option {
    char *name, *label; /* "Color", "Red" */
};

/* A price list's record of one variant. */
struct catalog_record {
    bool found; /* in the store's currency */
    bool other; /* there is one, but in other currencies only */
    int64_t price, sale_price;
    char currency[4]; /* of found, or one of the others */
};

/* Prices are ten-thousandths (money.h), of one unit, as BigCommerce holds them: with or without tax. */
struct catalog_variant {
    int64_t id;
    char *sku; /* "" = none */
    char *upc, *gtin;
    char *image;                             /* address of its own image, "" = none; NULL = not told */
    int64_t price, sale_price, retail_price; /* CATALOG_NO_PRICE = that of the product */
    bool purchasing_disabled;
    struct catalog_option *options; /* none for a base variant */
    size_t option_count;
    struct catalog_record record;
};

struct catalog_product {
    int64_t id;
    bool bad;          /* it, or one of its variants, cannot be read: nothing else of it may be relied on */
    char problem[160]; /* of a bad one: "its price is no amount of money" */
    char *name, *sku, *upc, *gtin, *description;
    char *image; /* address of its first image (images[].url_standard), "" = none; NULL = not told */
    bool physical, visible, available; /* available: availability is not "disabled" */
    int64_t tax_class_id, brand_id;
    int64_t *categories;
    size_t category_count;
    int64_t price, sale_price, retail_price;
    int64_t base_variant_id;          /* 0 = it has variants with options */
    struct catalog_variant *variants; /* ascending by id */
    size_t variant_count;
};

struct catalog {
    struct catalog_product *products; /* ascending by id */
    size_t n, cap;
    struct catalog_variant **by_variant; /* every variant, ascending by id; made by catalog_sort */
    size_t variant_count;
};

/* ---- parsing; pure ---- */

/* One element of each list. NEXT_PARK ("bad_product"): it cannot be read; why names product and field, and the product
 * stands in the catalog, marked as bad, so that it spoils no other. NEXT_DEFER ("incomplete_read"): not even its id can
 * be read. A variant whose product, and a record whose variant, is not in the catalog is left out. */
enum next catalog_add_product(struct catalog *c, const cJSON *json, struct reason *why) NODISCARD;
enum next catalog_add_variant(struct catalog *c, const cJSON *json, struct reason *why) NODISCARD;
/* A price list's record; currency: the store's. */
enum next catalog_add_record(struct catalog *c, const cJSON *json, const char *currency, struct reason *why) NODISCARD;
/* Sorts, so that catalog_find and catalog_add_record work. Call between products and variants, and after variants. */
void catalog_sort(struct catalog *c);
/* After the last variant was sorted in: marks products as bad whose variants cannot be all of them. NEXT_DEFER
 * ("incomplete_read"): a product or a variant stands twice, so that pages moved while they were read. */
enum next catalog_check(struct catalog *c, struct reason *why) NODISCARD;
struct catalog_product *catalog_find(const struct catalog *c, int64_t product_id);
void catalog_free(struct catalog *c);

/* ---- reading ---- */

/* Products by id, at most CATALOG_READ_MAX of them; ids that do not exist any more are simply not there. price_list_id
 * 0: no price list. NEXT_DEFER also for an incomplete read ("incomplete_read"). NEXT_PARK ("price_list_missing"): there
 * is no such price list. A product that cannot be read is marked as bad and fails nothing. Free in every case. */
enum next catalog_read(struct app *app, const int64_t *ids, size_t n, int64_t price_list_id, const char *currency,
                       struct catalog *out, struct reason *why) NODISCARD;
/* The next products whose id is above after, ascending, at most limit (1 to CATALOG_READ_MAX), or fewer; *more: whether
 * there are further ones. */
enum next catalog_read_after(struct app *app, int64_t after, size_t limit, int64_t price_list_id, const char *currency,
                             struct catalog *out, bool *more, struct reason *why) NODISCARD;
/* The product of a variant, 0 if there is none any more. */
enum next catalog_product_of(struct app *app, int64_t variant_id, int64_t *product_id, struct reason *why) NODISCARD;

#endif
