/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What onepool remembers of the products it brought to Sitoo. All of it can be lost: it is read from both shops again.
 *
 * - products, hash: product id -> {"d":"<digest>","at":<ms>,"v":{"382":"SMIT"}} as last sent. While it is being written
 *   d is "" and "w":["SMIT-2"] names what may be made, "m" what Sitoo has not; otherwise "w" names SKUs that Sitoo has
 *   of it and that cannot be wanted at present.
 * - product:skus, hash: SKU -> "product:variant" that wanted it last
 * - product:variants, hash: variant id -> product id
 * - product:barcodes, hash: code -> "variant product SKU" that has it
 * - product:folded, hash: folded SKU (sku_fold) -> SKU as Sitoo has it
 * - product:images, hash: SKU -> name of the image that was brought (resourceid in Sitoo), or "-" and the name of one
 *   that could not be
 * - catalog, hash: loaded, halt, released, sales_at, and how far the first load is (load_*)
 * - catalog:off, set: SKUs that were to be hidden in this window of 24 hours
 */
#ifndef ONEPOOL_PRODUCT_KNOWN_H
#define ONEPOOL_PRODUCT_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "err.h"
#include "product_want.h"
#include "queue.h"
#include "till_product.h"

struct known_variant {
    int64_t id; /* 0 = of none that is known */
    char *sku;
};

/* As last sent. */
struct known_product {
    char digest[17]; /* "" = never */
    int64_t at_ms;
    struct known_variant *variants;
    size_t n;
    char **making; /* SKUs that were being made when it was last begun; none once all was sent */
    size_t making_count;
};
/* Texts that are no record are as if nothing was known. */
void known_product_parse(const char *text, struct known_product *out);
void known_product_free(struct known_product *k);
/* The record of w, as it is stored; k: what was known (NULL: nothing); kept: SKUs that left and are not hidden yet.
 * The caller frees. */
char *known_product_text(const struct known_product *k, const struct product_want *w, const char *const *kept,
                         size_t kept_count, int64_t now_ms);
/* The record while w is being written: what was known (NULL: nothing), "w", the SKUs that may be made now, and "m",
 * those of them that Sitoo does not have. Without it nobody would know of one that was made by a process that died, if
 * BigCommerce lets it go before the next try, nor that its first sale price is no change. */
char *known_product_begun(const struct known_product *k, const struct product_want *w, const char *const *making,
                          size_t making_count);
bool known_making(const struct known_product *k, const char *sku);
/* Is there a SKU that was brought to Sitoo and that BigCommerce's product has no more? */
bool known_left_behind(const struct known_product *k, const struct product_want *w);
const char *known_sku(const struct known_product *k, int64_t variant_id);

/* Records of n products: texts[i] is NULL if there is none; the caller frees each. */
enum next known_read(struct app *app, const int64_t *ids, size_t n, char **texts, struct reason *why) NODISCARD;
/* A whole hash: field, value, field ... Free with freeReplyObject. */
enum next known_all(struct app *app, const char *key, redisReply **reply, struct reason *why) NODISCARD;
/* Values of n fields of one of the hashes above; NULL if there is none; the caller frees each. */
enum next known_fields(struct app *app, const char *key, const char *const *fields, size_t n, char **values,
                       struct reason *why) NODISCARD;
/* One field of "catalog" as a number; 0 if there is none. */
enum next known_number(struct app *app, const char *field, int64_t *out, struct reason *why) NODISCARD;
enum next known_set(struct app *app, const char *field, const char *value, struct reason *why) NODISCARD;

/* Effects: value "" forgets. */
void effect_keep_product(struct args *a, int64_t product_id, const char *record);
void effect_keep_sku(struct args *a, const char *sku, const char *value);
void effect_keep_variant(struct args *a, int64_t variant_id, int64_t product_id);
void effect_keep_barcode(struct args *a, const char *code, const char *value);
void effect_keep_image(struct args *a, const char *sku, const char *name);
void effect_keep_folded(struct args *a, const char *folded, const char *sku);

/* How Sitoo writes each of its SKUs, so that a near-duplicate is noticed before it is made. */
enum next known_keep_till(struct app *app, const struct till_products *till, struct reason *why) NODISCARD;

/* Counts n SKUs that are to be hidden against brake.max_deactivated_skus of 24 hours, each once. *passes: they may be;
 * else nothing was counted. */
enum next known_count_off(struct app *app, const char *const *skus, size_t n, bool *passes,
                          struct reason *why) NODISCARD;

#endif
