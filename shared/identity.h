/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which BigCommerce inventory item a SKU is: found by inventory items, the tracking mode by the catalog, remembered for
 * a day (a SKU without a usable item for ten minutes).
 *
 *   GET /v3/inventory/items?sku:in=A,B -> data[].identity {sku, variant_id, product_id}
 *   GET /v3/catalog/products?id:in=1,2&include_fields=inventory_tracking,base_variant_id
 *
 * Inventory items carry a variant_id for product-tracked products too, hence the second call (bigcommerce.md 6.1, 8).
 * Source: reference/inventory.v3.yml, reference/catalog/products_catalog.v3.yml (2026-04-01).
 */
#ifndef ONEPOOL_IDENTITY_H
#define ONEPOOL_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "queue.h"

enum identity_state {
    IDENTITY_BY_VARIANT,    /* write with variant_id */
    IDENTITY_BY_PRODUCT,    /* write with product_id */
    IDENTITY_UNKNOWN_SKU,   /* BigCommerce has no such SKU */
    IDENTITY_NOT_TRACKED,   /* the product's stock is not tracked: always sellable */
    IDENTITY_WRONG_TRACKING /* tracked by product, but the SKU is one of several variants; or the other way round */
};

struct identity {
    enum identity_state state;
    int64_t product_id, variant_id; /* 0 = none */
};

bool identity_usable(const struct identity *i);

/* Decides from what the two calls say. Pure. tracking: "none", "product", "variant" or NULL; several_variants: the
 * product has no base variant, i.e. it has variants. */
enum identity_state identity_decide(int64_t product_id, int64_t variant_id, const char *tracking,
                                    bool several_variants);

/*
 * Resolves n SKUs. out[i] belongs to skus[i]. NEXT_DEFER if BigCommerce or Redis is away (nothing is known then).
 */
enum next identity_resolve(struct app *app, const char *const *skus, size_t n, struct identity *out,
                           struct reason *why) NODISCARD;

/* The same from memory only, without a call; known[i] says whether anything is remembered of skus[i]. */
enum next identity_recall(struct app *app, const char *const *skus, size_t n, struct identity *out, bool *known,
                          struct reason *why) NODISCARD;

/* Appends the mapping case of an unusable SKU (one per SKU and cause, with a counter), or closes its cases if usable.
 */
enum identity_event {
    IDENTITY_SOLD,    /* a sale was rung up: counts one */
    IDENTITY_RESOLVED /* it was looked up: counts the sales rung up before anybody knew (effect_sold) */
};
void identity_case(const struct app *app, const char *sku, const struct identity *i, enum identity_event event,
                   struct args *effects);

/* The SKU behind a BigCommerce item, as remembered or read now; *sku NULL if it has none. The caller frees. */
enum next identity_sku(struct app *app, int64_t product_id, int64_t variant_id, char **sku,
                       struct reason *why) NODISCARD;

#endif
