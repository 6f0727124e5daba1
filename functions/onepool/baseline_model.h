/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that was read, by SKU: for baseline_load.c and baseline_model.c alone. */
#ifndef ONEPOOL_BASELINE_MODEL_H
#define ONEPOOL_BASELINE_MODEL_H

#include "baseline.h"
#include "level.h"

struct product {
    int64_t id, price;
    char *name;
    char tracking[12];
    bool several;
};

/* One SKU of either side. The arrays follow the mapping's order. */
struct sku_row {
    char *sku;
    int64_t product_id, variant_id;
    bool has_item, in_sitoo, counted, bad_stock;
    size_t subtracted, in_sitoo_orders; /* open orders that hold it */
    int64_t unallocated;
    struct stock *stock;
    bool *has_row;   /* per warehouse */
    int64_t *levels; /* per location, as read */
};

struct model {
    const struct mapping *mapping;
    struct sku_row *rows;
    size_t n, cap;
    size_t *slots; /* hash table of row numbers */
    size_t slot_count;
    struct product *products; /* by id */
    size_t product_count, product_cap;
    int64_t other_units[MAPPING_LOCATIONS_MAX]; /* by position in other_ids */
    int64_t other_ids[MAPPING_LOCATIONS_MAX];
    size_t other_count, no_sku;
    size_t warehouse; /* that is being loaded */
    int side;         /* of the withheld units that are being loaded */
};

/* A product of BigCommerce, or NULL. */
const struct product *model_product(const struct model *m, int64_t id);

#endif
