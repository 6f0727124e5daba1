/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prices of the SKUs that differ, so that a difference can be given in money. Of variants, by their product:
 *
 *   GET /v3/catalog/variants?product_id:in=1,2&include_fields=product_id,price,calculated_price
 *   GET /v2/store -> currency
 *
 * Source: products_catalog.v3.yml, store_information.v2.yml (2026-04-01); bigcommerce.md 8: a variant's price is null
 * if it is the product's, calculated_price includes sale prices.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "baseline.h"
#include "json.h"
#include "keys.h"
#include "quantity.h"
#include "ban.h"

#define PRODUCTS_MAX  2000 /* more than that would cost too many calls for a column */
#define PRODUCTS_CALL 50
#define VARIANTS_PAGE 250
#define PAGES_MAX     200 /* 600 variants of 50 products are 120 */
#define PRICE_SCALE   10000

struct prices {
    struct price {
        int64_t variant, price;
    } * list;
    size_t n, cap;
};

static void add(struct prices *p, int64_t variant, int64_t price) {
    if (p->n == p->cap) {
        p->cap = p->cap > 0 ? 2 * p->cap : 256;
        p->list = xrealloc(p->list, p->cap, sizeof *p->list);
    }
    p->list[p->n++] = (struct price){.variant = variant, .price = price};
}

static void take_known(void *arg, const char *field, const char *value) {
    int64_t variant = 0, price = 0;
    if (int_parse(field, 1, JSON_INT_MAX, &variant) && int_parse(value, -1, INT64_MAX, &price)) {
        add(arg, variant, price);
    }
}

static int by_variant(const void *a, const void *b) {
    const struct price *x = a, *y = b;
    return x->variant < y->variant ? -1 : x->variant > y->variant;
}

static const struct price *find(const struct prices *p, int64_t variant) {
    const struct price key = {.variant = variant};
    return p->n > 0 ? bsearch(&key, p->list, p->n, sizeof key, by_variant) : NULL;
}

static void sort(struct prices *p) {
    if (p->n > 0) {
        qsort(p->list, p->n, sizeof *p->list, by_variant);
    }
}

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* The products whose variants' prices are not known, each once. */
static size_t wanted(const struct comparison *c, const struct prices *p, int64_t *ids) {
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < c->diff_count; i++) {
        if (!c->diffs[i].by_product && find(p, c->diffs[i].variant_id) == NULL) {
            ids[n++] = c->diffs[i].product_id;
        }
    }
    qsort(ids, n, sizeof *ids, by_value);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || ids[kept - 1] != ids[i]) {
            ids[kept++] = ids[i];
        }
    }
    return kept;
}

static int64_t price_of(const cJSON *o) {
    const cJSON *price = json_get(o, "calculated_price");
    price = cJSON_IsNumber(price) ? price : json_get(o, "price");
    double value = cJSON_IsNumber(price) ? price->valuedouble : -1.0;
    return value >= 0.0 && value < 1e11 ? (int64_t)(value * PRICE_SCALE + 0.5) : -1;
}

static enum next read_some(struct baseline *b, const int64_t *ids, size_t n, struct prices *p, struct reason *why) {
    enum next next = NEXT_DONE;
    int count = 1;
    for (int page = 1; next == NEXT_DONE && count > 0 && page <= PAGES_MAX; page++) {
        struct answer answer;
        struct args rows = {0};
        struct buf path;
        const cJSON *variant = NULL;
        buf_init(&path, 4000);
        buf_addf(&path,
                 "/v3/catalog/variants?limit=%d&page=%d&include_fields=product_id,price,calculated_price"
                 "&product_id:in=",
                 VARIANTS_PAGE, page);
        for (size_t i = 0; i < n; i++) {
            buf_addf(&path, "%s%lld", i > 0 ? "," : "", (long long)ids[i]);
        }
        next = baseline_bigcommerce(b, buf_str(&path), &answer, why);
        buf_free(&path);
        if (next != NEXT_DONE) {
            return next;
        }
        count = cJSON_GetArraySize(json_array(answer.json, "data"));
        cJSON_ArrayForEach(variant, json_array(answer.json, "data")) {
            int64_t id = 0;
            if (json_id(variant, "id", &id)) {
                add(p, id, price_of(variant));
                args_add_int(&rows, id);
                args_add_int(&rows, price_of(variant));
            }
        }
        int64_t total = INT64_MAX;
        (void)json_int(json_get(json_get(answer.json, "meta"), "pagination"), "total_pages", &total);
        count = page >= total ? 0 : count;
        answer_free(&answer);
        next = baseline_put(b, "price", &rows, &(struct args){0}, why);
        args_free(&rows);
    }
    return next;
}

static enum next read_currency(struct baseline *b, struct reason *why) {
    char text[16];
    struct answer answer;
    struct args progress = {0};
    enum next next = baseline_get(b, "currency", text, sizeof text, why);
    if (next != NEXT_DONE || text[0] != '\0') {
        return next;
    }
    next = baseline_bigcommerce(b, "/v2/store", &answer, why);
    if (next != NEXT_DONE) {
        return next;
    }
    const char *currency = json_str(answer.json, "currency");
    args_add(&progress, "currency");
    args_add(&progress, currency != NULL && strlen(currency) == 3 ? currency : "?");
    args_add(&progress, "with_tax");
    args_add(&progress, json_bool(answer.json, "is_price_entered_with_tax", false) ? "1" : "0");
    answer_free(&answer);
    next = baseline_put(b, "none", &(struct args){0}, &progress, why);
    args_free(&progress);
    return next;
}

static void fill(struct comparison *c, const struct prices *p) {
    for (size_t i = 0; i < c->diff_count; i++) {
        struct difference *d = &c->diffs[i];
        const struct price *own = d->by_product ? NULL : find(p, d->variant_id);
        if (own != NULL && own->price >= 0) {
            d->price = own->price;
        }
    }
}

enum next baseline_prices(struct baseline *b, struct comparison *c, struct reason *why) {
    struct prices p = {0};
    if (c->diff_count == 0) {
        return NEXT_DONE;
    }
    enum next next = read_currency(b, why);
    next = next == NEXT_DONE ? baseline_each(b, KEY_BASELINE_PRICE, take_known, &p, why) : next;
    sort(&p);
    int64_t *ids = xcalloc(c->diff_count + 1, sizeof *ids);
    size_t n = wanted(c, &p, ids);
    if (n > PRODUCTS_MAX) {
        for (size_t i = 0; i < c->diff_count; i++) {
            c->diffs[i].price = -1; /* a product's price need not be its variant's */
        }
        n = 0;
    }
    for (size_t i = 0; next == NEXT_DONE && i < n; i += PRODUCTS_CALL) {
        next = read_some(b, ids + i, n - i < PRODUCTS_CALL ? n - i : PRODUCTS_CALL, &p, why);
    }
    sort(&p);
    fill(c, &p);
    free(ids);
    free(p.list);
    return next;
}
