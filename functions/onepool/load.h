/* SPDX-License-Identifier: Apache-2.0 */
/*
 * onepool load: the first load of products into Sitoo. Without --apply it only looks: both catalogs are read, and what
 * would be made and changed is shown as a table and, with --csv, as a file; the look gets an id. --apply ID does it.
 *
 * The writes are those of shared/product_sync.h: each is derived from what Sitoo shows, so that a load that was killed
 * goes on where it was, without making anything twice. Until a load was applied, product-updated writes nothing.
 */
#ifndef ONEPOOL_LOAD_H
#define ONEPOOL_LOAD_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "buf.h"
#include "product_shops.h"

struct load_options {
    const char *apply; /* the id of a look, or NULL */
    const char *csv;   /* a file for all differences, or NULL */
    int64_t rows;      /* of the table */
};

/* One thing that a load would do. */
struct load_row {
    const char *sku, *field; /* field: "" for a SKU that is made */
    const char *what;        /* "make", "change", "family", "near_duplicate", or the name of a problem */
    int64_t product_id;
    char *before, *after; /* in Sitoo, in BigCommerce */
    bool braked;          /* it hides, or is a large change of price: brakes would hold it */
};

struct load_plan {
    struct load_row *rows;
    size_t n, cap;
    int64_t products, variants, make, change, families, hide, held,
        problems; /* hide: part of change; held: large prices */
};

/* Pure. max_price_percent: of the brake. */
void load_compare(const struct shops *s, int64_t max_price_percent, struct load_plan *out);
void load_plan_free(struct load_plan *p);
/* Rows of products with a higher id than after that brakes would hold. */
int64_t load_braked(const struct load_plan *p, int64_t after);
/* 16 hex digits: the same differences have the same id. */
void load_plan_id(const struct load_plan *p, char id[17]);
void load_csv(const struct load_plan *p, struct buf *out);
cJSON *load_json(const struct load_plan *p, const char *id, int64_t rows);
void load_text(const struct load_plan *p, const char *id, int64_t rows, struct buf *out);

#endif
