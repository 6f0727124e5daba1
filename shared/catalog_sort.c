/* SPDX-License-Identifier: Apache-2.0 */
/* A catalog as a whole: its order, and whether it can be all of it. */
#include <stdlib.h>

#include "catalog.h"
#include "catalog_in.h"
#include "ban.h"

int catalog_order(int64_t a, int64_t b) {
    return a < b ? -1 : a > b;
}

static int by_product_id(const void *a, const void *b) {
    return catalog_order(((const struct catalog_product *)a)->id, ((const struct catalog_product *)b)->id);
}

static int by_variant_id(const void *a, const void *b) {
    return catalog_order(((const struct catalog_variant *)a)->id, ((const struct catalog_variant *)b)->id);
}

static int by_pointed_id(const void *a, const void *b) {
    const struct catalog_variant *const *x = a, *const *y = b;
    return catalog_order((*x)->id, (*y)->id);
}

void catalog_sort(struct catalog *c) {
    size_t total = 0, k = 0;
    if (c->n > 0) {
        qsort(c->products, c->n, sizeof *c->products, by_product_id);
    }
    for (size_t i = 0; i < c->n; i++) {
        total += c->products[i].variant_count;
        if (c->products[i].variant_count > 0) {
            qsort(c->products[i].variants, c->products[i].variant_count, sizeof *c->products[i].variants,
                  by_variant_id);
        }
    }
    free(c->by_variant);
    c->by_variant = xcalloc(total + 1, sizeof(struct catalog_variant *));
    c->variant_count = total;
    for (size_t i = 0; i < c->n; i++) {
        for (size_t v = 0; v < c->products[i].variant_count; v++) {
            c->by_variant[k++] = &c->products[i].variants[v];
        }
    }
    qsort(c->by_variant, total, sizeof(struct catalog_variant *), by_pointed_id);
}

struct catalog_product *catalog_find(const struct catalog *c, int64_t product_id) {
    const struct catalog_product key = {.id = product_id};
    return c->n > 0 ? bsearch(&key, c->products, c->n, sizeof key, by_product_id) : NULL;
}

static bool has_variant(const struct catalog_product *p, int64_t id) {
    for (size_t i = 0; i < p->variant_count; i++) {
        if (p->variants[i].id == id) {
            return true;
        }
    }
    return false;
}

enum next catalog_check(struct catalog *c, struct reason *why) {
    struct reason ignored;
    for (size_t i = 1; i < c->n; i++) {
        if (c->products[i - 1].id == c->products[i].id) {
            return reason_set(why, NEXT_DEFER, "incomplete_read", "BigCommerce listed product %lld twice",
                              (long long)c->products[i].id);
        }
    }
    for (size_t i = 1; i < c->variant_count; i++) {
        if (c->by_variant[i - 1]->id == c->by_variant[i]->id) {
            return reason_set(why, NEXT_DEFER, "incomplete_read", "BigCommerce listed variant %lld twice",
                              (long long)c->by_variant[i]->id);
        }
    }
    for (size_t i = 0; i < c->n; i++) {
        struct catalog_product *p = &c->products[i];
        if (p->variant_count > CATALOG_VARIANTS_MAX) {
            (void)catalog_bad(p, &ignored, "it has %zu variants, more than BigCommerce allows", p->variant_count);
        } else if (p->base_variant_id > 0 && !has_variant(p, p->base_variant_id)) {
            (void)catalog_bad(p, &ignored, "BigCommerce did not list its variant %lld", (long long)p->base_variant_id);
        }
    }
    return NEXT_DONE;
}

static void free_variant(struct catalog_variant *v) {
    for (size_t i = 0; i < v->option_count; i++) {
        free(v->options[i].name);
        free(v->options[i].label);
    }
    free(v->options);
    free(v->sku);
    free(v->upc);
    free(v->gtin);
    free(v->image);
}

void catalog_free(struct catalog *c) {
    for (size_t i = 0; i < c->n; i++) {
        struct catalog_product *p = &c->products[i];
        for (size_t k = 0; k < p->variant_count; k++) {
            free_variant(&p->variants[k]);
        }
        free(p->variants);
        free(p->categories);
        free(p->name);
        free(p->sku);
        free(p->upc);
        free(p->gtin);
        free(p->description);
        free(p->image);
    }
    free(c->products);
    free(c->by_variant);
    *c = (struct catalog){0};
}
