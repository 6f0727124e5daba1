/* SPDX-License-Identifier: Apache-2.0 */
#include "compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "levels.h"
#include "quantity.h"
#include "sku.h"
#include "ban.h"

#define SKUS_PER_LOOK  ((size_t)50)  /* with few places; Redis serves nobody else for a millisecond or two */
#define READS_PER_LOOK ((size_t)500) /* with many: about so many of locations, and twice of warehouses */
#define BEHIND_MS      INT64_C(10000)
#define BEHIND_WAIT    INT64_C(15000)
#define PER_WAREHOUSE  5

/* ---- memory ---- */

void compare_init(struct compare *c, struct app *app, size_t max) {
    *c = (struct compare){.app = app, .list = xcalloc(max + 1, sizeof *c->list)};
}

void compare_free(struct compare *c) {
    for (size_t i = 0; i < c->n; i++) {
        struct compare_sku *s = &c->list[i];
        for (size_t l = 0; l < c->app->set->mapping->location_count; l++) {
            free(s->stored[l]);
        }
        free(s->stored);
        free(s->shown);
        free(s->stock);
        free(s->places);
        free(s->sku);
    }
    free(c->list);
    memset(c, 0, sizeof *c);
}

struct compare_sku *compare_add(struct compare *c, const char *sku) {
    const struct mapping *m = c->app->set->mapping;
    /* Sitoo's filter takes a comma for the end of a SKU (facts.c of stock-moved has a case for it). */
    if (sku == NULL || sku[0] == '\0' || !sku_fits(sku) || strchr(sku, ',') != NULL) {
        return NULL;
    }
    for (size_t i = 0; i < c->n; i++) {
        if (strcmp(c->list[i].sku, sku) == 0) {
            return &c->list[i];
        }
    }
    if (c->n == COMPARE_MAX) {
        return NULL;
    }
    struct compare_sku *s = &c->list[c->n++];
    *s = (struct compare_sku){.sku = xstrdup(sku),
                              .usable = true,
                              .shown = xcalloc(m->location_count + 1, sizeof *s->shown),
                              .stored = xcalloc(m->location_count + 1, sizeof *s->stored),
                              .stock = xcalloc(m->warehouse_count + 1, sizeof *s->stock),
                              .places = xcalloc(m->warehouse_count + 1, sizeof *s->places)};
    return s;
}

/* ---- Redis ---- */

static int64_t thousandths(const redisReply *r, size_t i) {
    int64_t n = 0;
    return int_parse(reply_str_at(r, i), -QUANTITY_MAX, QUANTITY_MAX, &n) ? n : 0;
}

/* Takes a number over; true if it is another one than at the first look. */
static bool take(int64_t *to, int64_t now, bool again) {
    bool differs = again && *to != now;
    *to = now;
    return differs;
}

static void take_row(struct compare *c, struct compare_sku *s, const redisReply *r, bool again) {
    const struct mapping *m = c->app->set->mapping;
    size_t at = 2;
    bool differs = reply_int_at(r, 0) != 0;
    differs = take(&s->unallocated, thousandths(r, 1), again) || differs;
    for (size_t l = 0; l < m->location_count; l++) {
        const char *text = reply_str_at(r, at++);
        text = text != NULL ? text : "";
        differs = differs || (again && strcmp(s->stored[l], text) != 0);
        free(s->stored[l]);
        s->stored[l] = xstrdup(text);
    }
    for (size_t w = 0; w < m->warehouse_count; w++, at += PER_WAREHOUSE) {
        struct stock *k = &s->stock[w];
        differs = take(&k->pending, thousandths(r, at), again) || differs;
        differs = take(&k->withheld_ledger, thousandths(r, at + 1), again) || differs;
        differs = take(&k->withheld_return, thousandths(r, at + 2), again) || differs;
        drift_remember(reply_str_at(r, at + 3), reply_str_at(r, at + 4), &s->places[w]);
    }
    s->busy = s->busy || differs;
}

static enum next look(struct compare *c, size_t first, size_t n, bool again, struct reason *why) {
    const struct mapping *m = c->app->set->mapping;
    struct args a = {0};
    redisReply *reply = NULL;
    args_add_int(&a, (int64_t)m->location_count);
    for (size_t l = 0; l < m->location_count; l++) {
        args_add_int(&a, m->locations[l].location_id);
    }
    args_add_int(&a, (int64_t)m->warehouse_count);
    for (size_t w = 0; w < m->warehouse_count; w++) {
        args_add_int(&a, m->warehouses[w]);
    }
    for (size_t i = first; i < first + n; i++) {
        args_add(&a, c->list[i].sku);
    }
    enum next next = redis_fcall(c->app->redis, "sweep_look", &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    c->now_ms = reply_int_at(reply, 1);
    if (reply_int_at(reply, 0) > BEHIND_MS) {
        why->not_its_fault = true;
        why->wait_ms = BEHIND_WAIT;
        next = reason_set(why, NEXT_DEFER, "writer_behind",
                          "stock-moved is behind with Sitoo's ledger by %lld s, or does not run; levels are compared "
                          "when it has caught up",
                          (long long)(reply_int_at(reply, 0) / 1000));
    }
    for (size_t i = 0; next == NEXT_DONE && i < n && i + 2 < reply->elements; i++) {
        take_row(c, &c->list[first + i], reply->element[i + 2], again);
    }
    freeReplyObject(reply);
    return next;
}

size_t compare_per_look(const struct mapping *m) {
    size_t places = m->location_count + 2 * m->warehouse_count, n = READS_PER_LOOK / (places > 0 ? places : 1);
    return n < 1 ? 1 : n > SKUS_PER_LOOK ? SKUS_PER_LOOK : n;
}

enum next compare_redis(struct compare *c, bool again, struct reason *why) {
    enum next next = NEXT_DONE;
    size_t most = compare_per_look(c->app->set->mapping);
    for (size_t at = 0; next == NEXT_DONE && at < c->n; at += most) {
        next = look(c, at, c->n - at < most ? c->n - at : most, again, why);
    }
    return next;
}

/* ---- BigCommerce ---- */

static enum next identify(struct compare *c, struct reason *why) {
    const char **skus = xcalloc(c->n + 1, sizeof *skus);
    struct identity *found = xcalloc(c->n + 1, sizeof *found);
    for (size_t i = 0; i < c->n; i++) {
        skus[i] = c->list[i].sku;
    }
    enum next next = identity_resolve(c->app, skus, c->n, found, why);
    for (size_t i = 0; next == NEXT_DONE && i < c->n; i++) {
        c->list[i].item = found[i];
        c->list[i].usable = identity_usable(&found[i]);
    }
    free(found);
    free(skus);
    return next;
}

enum next compare_levels(struct compare *c, struct reason *why) {
    const struct mapping *m = c->app->set->mapping;
    struct level_query *q = xcalloc(c->n * m->location_count + 1, sizeof *q);
    int64_t **to = xcalloc(c->n * m->location_count + 1, sizeof *to);
    size_t n = 0;
    enum next next = identify(c, why);
    for (size_t i = 0; next == NEXT_DONE && i < c->n; i++) {
        for (size_t l = 0; c->list[i].usable && l < m->location_count; l++) {
            q[n] = (struct level_query){.location_id = m->locations[l].location_id, .item = &c->list[i].item};
            to[n++] = &c->list[i].shown[l];
        }
    }
    next = next == NEXT_DONE && n > 0 ? levels_query(c->app, q, n, why) : next;
    for (size_t k = 0; next == NEXT_DONE && k < n; k++) {
        *to[k] = q[k].found ? q[k].level : 0; /* no row: the level is null and shown as 0 */
    }
    free(to);
    free(q);
    return next;
}

/* ---- all of it ---- */

enum next compare_all(struct compare *c, bool levels, struct reason *why) {
    enum next next = c->n > 0 ? compare_redis(c, false, why) : NEXT_DONE;
    next = next == NEXT_DONE && levels && c->n > 0 ? compare_levels(c, why) : next;
    next = next == NEXT_DONE && c->n > 0 ? compare_sitoo(c, why) : next;
    return next == NEXT_DONE && c->n > 0 ? compare_redis(c, true, why) : next;
}

int64_t compare_expected(const struct compare *c, const struct compare_sku *s, size_t l) {
    const struct stock *stock[MAPPING_WAREHOUSES_MAX];
    const struct mapping *m = c->app->set->mapping;
    const struct mapping_location *at = &m->locations[l];
    for (size_t i = 0; i < at->warehouse_count; i++) {
        stock[i] = &s->stock[mapping_warehouse_index(m, at->warehouse_ids[i])];
    }
    return level_compute(stock, at->warehouse_count, at->serves_shipping ? s->unallocated : 0);
}

enum drift compare_why(const struct compare *c, const struct compare_sku *s, size_t l) {
    struct drift_place places[MAPPING_WAREHOUSES_MAX];
    struct level_stored stored;
    const struct mapping *m = c->app->set->mapping;
    const struct mapping_location *at = &m->locations[l];
    (void)level_stored_read(s->stored[l], &stored);
    for (size_t i = 0; i < at->warehouse_count; i++) {
        places[i] = s->places[mapping_warehouse_index(m, at->warehouse_ids[i])];
    }
    return drift_of(&stored, compare_expected(c, s, l), places, at->warehouse_count);
}
