/* SPDX-License-Identifier: Apache-2.0 */
/* Compares what BigCommerce shows with what the formula says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "baseline_model.h"
#include "json.h"
#include "quantity.h"
#include "ban.h"

static int64_t level_at(const struct model *m, const struct sku_row *row, const struct mapping_location *l) {
    const struct stock *stock[MAPPING_WAREHOUSES_MAX];
    for (size_t i = 0; i < l->warehouse_count; i++) {
        stock[i] = &row->stock[mapping_warehouse_index(m->mapping, l->warehouse_ids[i])];
    }
    return level_compute(stock, l->warehouse_count, l->serves_shipping ? row->unallocated : 0);
}

/* The same conditions under which the writer leaves a SKU alone (facts.h); NULL if it has levels. */
static const char *cause_of(const struct model *m, const struct sku_row *row) {
    const struct product *p = model_product(m, row->product_id);
    bool every_row = true;
    if (!row->has_item) {
        return "not in BigCommerce";
    }
    for (size_t w = 0; w < m->mapping->warehouse_count; w++) {
        every_row = every_row && row->has_row[w];
    }
    switch (
        identity_decide(row->product_id, row->variant_id, p != NULL ? p->tracking : NULL, p != NULL && p->several)) {
    case IDENTITY_NOT_TRACKED:
        return "stock not tracked in BigCommerce";
    case IDENTITY_WRONG_TRACKING:
        return "tracked the other way in BigCommerce";
    case IDENTITY_UNKNOWN_SKU:
        return "not in BigCommerce";
    case IDENTITY_BY_PRODUCT:
    case IDENTITY_BY_VARIANT:
        break;
    }
    if (row->bad_stock) {
        return "stock unreadable in Sitoo";
    }
    /* A missing row is a stock of 0 only for a product that Sitoo knows and counts. */
    return every_row || (row->in_sitoo && row->counted) ? NULL
           : row->in_sitoo                              ? "stock not counted in Sitoo"
                                                        : "not in Sitoo";
}

static int64_t units_of(const struct model *m, const struct sku_row *row) {
    int64_t sum = 0;
    for (size_t w = 0; !row->has_item && w < m->mapping->warehouse_count; w++) {
        sum += row->stock[w].available;
    }
    for (size_t l = 0; row->has_item && l < m->mapping->location_count; l++) {
        sum += row->levels[l] * QUANTITY_ONE;
    }
    return quantity_whole_units(sum);
}

static void add_unmapped(struct comparison *c, const struct model *m, const struct sku_row *row, const char *cause) {
    bool anywhere = row->has_item;
    for (size_t w = 0; w < m->mapping->warehouse_count; w++) {
        anywhere = anywhere || row->has_row[w];
    }
    if (anywhere) {
        c->unmapped[c->unmapped_count++] =
            (struct unmapped){.sku = row->sku, .cause = cause, .units = units_of(m, row)};
    }
}

static void add_difference(struct comparison *c, const struct model *m, size_t i, size_t l, int64_t level) {
    const struct sku_row *row = &m->rows[i];
    const struct product *p = model_product(m, row->product_id);
    int64_t was = row->levels[l];
    bool by_product = identity_decide(row->product_id, row->variant_id, p != NULL ? p->tracking : NULL,
                                      p != NULL && p->several) == IDENTITY_BY_PRODUCT;
    if (was > level) {
        c->too_high += was - level;
    } else {
        c->too_low += level - was;
    }
    c->diffs[c->diff_count++] = (struct difference){.sku = row->sku,
                                                    .name = p != NULL ? p->name : "",
                                                    .sku_index = i,
                                                    .location_id = m->mapping->locations[l].location_id,
                                                    .was = was,
                                                    .level = level,
                                                    .product_id = row->product_id,
                                                    .variant_id = row->variant_id,
                                                    .by_product = by_product,
                                                    .price = p != NULL ? p->price : -1};
}

static int64_t size_of(const struct difference *d) {
    return d->was > d->level ? d->was - d->level : d->level - d->was;
}

static int worst_first(const void *a, const void *b) {
    const struct difference *x = a, *y = b;
    if (size_of(x) != size_of(y)) {
        return size_of(x) > size_of(y) ? -1 : 1;
    }
    int order = strcmp(x->sku, y->sku);
    return order != 0 ? order : x->location_id < y->location_id ? -1 : x->location_id > y->location_id;
}

static int most_units_first(const void *a, const void *b) {
    const struct unmapped *x = a, *y = b;
    return x->units != y->units ? (x->units > y->units ? -1 : 1) : strcmp(x->sku, y->sku);
}

void model_compare(struct model *m, struct comparison *c) {
    size_t locations = m->mapping->location_count;
    memset(c, 0, sizeof *c);
    c->diffs = xcalloc(m->n * locations + 1, sizeof *c->diffs);
    c->unmapped = xcalloc(m->n + 1, sizeof *c->unmapped);
    for (size_t i = 0; i < m->n; i++) {
        const char *cause = cause_of(m, &m->rows[i]);
        if (cause != NULL) {
            add_unmapped(c, m, &m->rows[i], cause);
            continue;
        }
        c->skus++;
        for (size_t l = 0; l < locations; l++) {
            int64_t level = level_at(m, &m->rows[i], &m->mapping->locations[l]);
            c->levels++;
            if (m->rows[i].levels[l] != level) {
                add_difference(c, m, i, l, level);
            }
        }
    }
    if (c->diff_count > 0) {
        qsort(c->diffs, c->diff_count, sizeof *c->diffs, worst_first);
    }
    if (c->unmapped_count > 0) {
        qsort(c->unmapped, c->unmapped_count, sizeof *c->unmapped, most_units_first);
    }
}

void comparison_free(struct comparison *c) {
    free(c->diffs);
    free(c->unmapped);
    memset(c, 0, sizeof *c);
}

void model_hints(const struct model *m, size_t sku_index, struct buf *out) {
    const struct sku_row *row = &m->rows[sku_index];
    int64_t withheld = 0;
    for (size_t w = 0; w < m->mapping->warehouse_count; w++) {
        const struct stock *s = &row->stock[w];
        int64_t units = s->withheld_ledger > s->withheld_return ? s->withheld_ledger : s->withheld_return;
        withheld += units > 0 ? units : 0;
    }
    if (row->subtracted > 0) {
        buf_addf(out, "%zu open %s subtracted", row->subtracted, row->subtracted == 1 ? "order" : "orders");
    }
    if (row->in_sitoo_orders > 0) {
        buf_addf(out, "%s%zu in Sitoo already", out->len > 0 ? "; " : "", row->in_sitoo_orders);
    }
    if (withheld > 0) {
        char text[QUANTITY_TEXT_SIZE];
        quantity_format(withheld, text);
        buf_addf(out, "%s%s withheld", out->len > 0 ? "; " : "", text);
    }
}

void model_others(const struct model *m, cJSON *notes) {
    for (size_t i = 0; i < m->other_count; i++) {
        char text[120];
        if (m->other_units[i] > 0) {
            (void)snprintf(text, sizeof text, "BigCommerce location %lld is not mapped and shows %lld units",
                           (long long)m->other_ids[i], (long long)m->other_units[i]);
            (void)cJSON_AddItemToArray(notes, cJSON_CreateString(text));
        }
    }
    if (m->no_sku > 0) {
        char text[120];
        (void)snprintf(text, sizeof text, "%zu inventory items of BigCommerce have no usable SKU and were left out",
                       m->no_sku);
        (void)cJSON_AddItemToArray(notes, cJSON_CreateString(text));
    }
}
