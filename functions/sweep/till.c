/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compare_sitoo: the stock of the SKUs in every mapped warehouse, many in a call. Complete reads only: the answer must
 * hold all rows that it announces, and "no row" is 0 only if the SKU exists with stock counting on, and the warehouse
 * has rows at all; of any other SKU nothing is known here.
 *
 *   GET /sites/{site}/warehouses/{w}/warehouseitems.json?sku=A,B&num=1000&fields=...
 *   GET /sites/{site}/products.json?includeinactive=true&num=1000&fields=sku,stockcountenable&sku=A,B
 *
 * Source: sitoo.md 6.1, 7.2.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "compare.h"
#include "json.h"
#include "platform.h"
#include "quantity.h"
#include "ban.h"

#define FILTER_BYTES ((size_t)4000) /* percent-encoded */
#define SKUS_MAX     ((size_t)100)  /* per call, or a page of Sitoo's if that is smaller */
#define ODD_WAIT_MS  INT64_C(5000)

struct reading {
    struct compare *c;
    bool *has; /* per SKU and warehouse: a row was seen */
};

static bool *has_at(const struct reading *r, size_t sku, size_t warehouse) {
    return &r->has[sku * r->c->app->set->mapping->warehouse_count + warehouse];
}

/* Appends SKUs from `first` on; returns how many. */
static size_t add_skus(struct buf *path, const struct compare *c, const size_t *which, size_t n) {
    size_t begin = path->len, i = 0, most = mapping_per_call(c->app->set->mapping, SKUS_MAX);
    for (; i < n && i < most && (i == 0 || path->len - begin < FILTER_BYTES); i++) {
        buf_add_str(path, i > 0 ? "," : "");
        buf_add_url(path, c->list[which[i]].sku);
    }
    return i;
}

static bool read_item(const cJSON *item, struct stock *stock, struct drift_place *place) {
    const char *available = json_str(item, "decimalavailable"), *total = json_str(item, "decimaltotal"),
               *reserved = json_str(item, "decimalreserved");
    int64_t on_hand = 0, free_now = 0, held = 0;
    if (total == NULL || !quantity_parse(total, &on_hand)) {
        return false;
    }
    if (available != NULL ? !quantity_parse(available, &free_now)
                          : reserved == NULL || !quantity_parse(reserved, &held)) {
        return false;
    }
    stock->available = available != NULL ? free_now : on_hand - held;
    place->available = stock->available;
    place->on_hand = on_hand;
    return true;
}

static void take_item(const struct reading *r, const size_t *which, size_t n, size_t w, const cJSON *item) {
    const char *sku = json_str(item, "sku");
    for (size_t i = 0; sku != NULL && i < n; i++) {
        struct compare_sku *s = &r->c->list[which[i]];
        if (strcmp(s->sku, sku) == 0) {
            *has_at(r, which[i], w) = true;
            s->proven = read_item(item, &s->stock[w], &s->places[w]) && s->proven;
        }
    }
}

static enum next read_rows(const struct reading *r, const size_t *which, size_t n, size_t w, bool *filled,
                           struct reason *why) {
    const struct mapping *m = r->c->app->set->mapping;
    struct buf path;
    struct answer answer;
    const cJSON *item = NULL;
    int64_t total = -1;
    buf_init(&path, FILTER_BYTES * 4);
    buf_addf(&path,
             "/sites/%lld/warehouses/%lld/warehouseitems.json?num=%lld"
             "&fields=sku,decimaltotal,decimalreserved,decimalavailable&sku=",
             (long long)r->c->app->set->sitoo_site_id, (long long)m->warehouses[w], (long long)m->sitoo_page_size);
    (void)add_skus(&path, r->c, which, n);
    const char *paths[] = {buf_str(&path)};
    enum next next = sitoo_get(r->c->app, paths, &answer, 1, why);
    buf_free(&path);
    if (next != NEXT_DONE) {
        return next;
    }
    const cJSON *items = json_array(answer.json, "items");
    if (items == NULL || !json_int(answer.json, "totalcount", &total) || total != cJSON_GetArraySize(items)) {
        why->not_its_fault = true;
        why->wait_ms = ODD_WAIT_MS;
        next =
            reason_set(why, NEXT_DEFER, "incomplete_read",
                       "Sitoo gave %d of %lld stock rows of warehouse %lld (status %d); nothing is concluded from it",
                       cJSON_GetArraySize(items), (long long)total, (long long)m->warehouses[w], answer.status);
    }
    cJSON_ArrayForEach(item, items) {
        if (next == NEXT_DONE) {
            take_item(r, which, n, w, item);
            *filled = true;
        }
    }
    answer_free(&answer);
    return next;
}

/* Which of these SKUs Sitoo knows, with stock counting on. */
static enum next ask_products(struct compare *c, const size_t *which, size_t n, struct reason *why) {
    struct buf path;
    struct answer answer;
    const cJSON *item = NULL;
    bool counted[SKUS_MAX] = {false};
    buf_init(&path, FILTER_BYTES * 4);
    buf_addf(&path,
             "/sites/%lld/products.json?includeinactive=true&num=%lld&fields=productid,sku,stockcountenable&sku=",
             (long long)c->app->set->sitoo_site_id, (long long)c->app->set->mapping->sitoo_page_size);
    (void)add_skus(&path, c, which, n);
    const char *paths[] = {buf_str(&path)};
    enum next next = sitoo_get(c->app, paths, &answer, 1, why);
    buf_free(&path);
    if (next != NEXT_DONE) {
        return next;
    }
    cJSON_ArrayForEach(item, json_array(answer.json, "items")) {
        const char *sku = json_str(item, "sku");
        for (size_t i = 0; sku != NULL && i < n; i++) {
            counted[i] =
                counted[i] || (strcmp(c->list[which[i]].sku, sku) == 0 && json_bool(item, "stockcountenable", true));
        }
    }
    for (size_t i = 0; i < n; i++) {
        c->list[which[i]].proven = c->list[which[i]].proven && counted[i];
    }
    answer_free(&answer);
    return NEXT_DONE;
}

/* Has the warehouse rows at all? Its id or the site may be wrong, which would answer nothing, and 200. */
static enum next ask_warehouse(const struct reading *r, size_t w, bool *filled, struct reason *why) {
    char path[160];
    const char *paths[] = {path};
    struct answer answer;
    int64_t total = 0;
    (void)snprintf(path, sizeof path, "/sites/%lld/warehouses/%lld/warehouseitems.json?num=1&fields=sku",
                   (long long)r->c->app->set->sitoo_site_id, (long long)r->c->app->set->mapping->warehouses[w]);
    enum next next = sitoo_get(r->c->app, paths, &answer, 1, why);
    if (next == NEXT_DONE) {
        *filled = json_int(answer.json, "totalcount", &total) && total > 0;
        answer_free(&answer);
    }
    return next;
}

static enum next prove_warehouses(const struct reading *r, bool *filled, struct reason *why) {
    enum next next = NEXT_DONE;
    for (size_t w = 0; next == NEXT_DONE && w < r->c->app->set->mapping->warehouse_count; w++) {
        next = filled[w] ? next : ask_warehouse(r, w, &filled[w], why);
    }
    return next;
}

/* A SKU without a row somewhere: 0 there, if the warehouse has rows and the SKU is known. */
static enum next prove(const struct reading *r, const bool *filled, struct reason *why) {
    struct compare *c = r->c;
    size_t *which = xcalloc(c->n + 1, sizeof *which), n = 0;
    enum next next = NEXT_DONE;
    for (size_t i = 0; i < c->n; i++) {
        bool absent = false;
        for (size_t w = 0; w < c->app->set->mapping->warehouse_count; w++) {
            if (!*has_at(r, i, w)) {
                absent = true;
                c->list[i].proven = c->list[i].proven && filled[w];
                c->list[i].stock[w].available = 0;
                c->list[i].places[w].available = c->list[i].places[w].on_hand = 0;
            }
        }
        if (absent && c->list[i].proven) {
            which[n++] = i;
        }
    }
    for (size_t at = 0; next == NEXT_DONE && at < n;) {
        struct buf count;
        buf_init(&count, FILTER_BYTES * 4);
        size_t some = add_skus(&count, c, which + at, n - at);
        buf_free(&count);
        next = ask_products(c, which + at, some, why);
        at += some;
    }
    free(which);
    return next;
}

enum next compare_sitoo(struct compare *c, struct reason *why) {
    size_t warehouses = c->app->set->mapping->warehouse_count, *which = xcalloc(c->n + 1, sizeof *which);
    struct reading r = {.c = c, .has = xcalloc(c->n * warehouses + 1, sizeof *r.has)};
    bool *filled = xcalloc(warehouses + 1, sizeof *filled);
    enum next next = NEXT_DONE;
    for (size_t i = 0; i < c->n; i++) {
        which[i] = i;
        c->list[i].proven = true;
    }
    for (size_t at = 0; next == NEXT_DONE && at < c->n;) {
        struct buf count;
        buf_init(&count, FILTER_BYTES * 4);
        size_t some = add_skus(&count, c, which + at, c->n - at);
        buf_free(&count);
        for (size_t w = 0; next == NEXT_DONE && w < warehouses; w++) {
            next = read_rows(&r, which + at, some, w, &filled[w], why);
        }
        at += some;
    }
    next = next == NEXT_DONE ? prove_warehouses(&r, filled, why) : next;
    next = next == NEXT_DONE ? prove(&r, filled, why) : next;
    free(filled);
    free(r.has);
    free(which);
    return next;
}
