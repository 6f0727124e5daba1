/* SPDX-License-Identifier: Apache-2.0 */
/*
 * facts_stock: available per SKU and warehouse. What no event touched since it was last read is taken from the
 * cache (at most an hour old); the rest is read, many SKUs in a call, all warehouses in one go.
 *
 *   GET
 * /sites/{site}/warehouses/{w}/warehouseitems.json?sku=A,B&num=1000&fields=sku,decimaltotal,decimalreserved,decimalavailable
 *
 * Source: developer.sitoo.com/api-reference/warehouses (sitoo.md 7.2).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "facts.h"
#include "json.h"
#include "keys.h"
#include "platform.h"
#include "quantity.h"
#include "ban.h"

#define CACHE_MAX_AGE_MS (INT64_C(3600) * 1000)
#define CACHE_KEEP_S     (2 * 86400)
#define ODD_ANSWER_WAIT_MS \
    INT64_C(5000) /* it may be a moment's inconsistency; or the mapping is wrong, which the log says */
#define CHUNK_SKUS  ((size_t)200)
#define CHUNK_BYTES ((size_t)4000)
#define ITEM_FIELDS "sku,decimaltotal,decimalreserved,decimalavailable"

/* One call: some SKUs of one warehouse. */
struct chunk {
    size_t warehouse;    /* index */
    size_t first, count; /* into the index list */
};

struct plan {
    struct chunk *chunks;
    size_t n;
    size_t *facts; /* fact indices, chunk by chunk */
    size_t used;
};

static void plan_free(struct plan *p) {
    free(p->chunks);
    free(p->facts);
    memset(p, 0, sizeof *p);
}

static void plan_add(struct plan *p, size_t warehouse, size_t fact, size_t sku_bytes, size_t *bytes) {
    struct chunk *last = p->n > 0 ? &p->chunks[p->n - 1] : NULL;
    if (last == NULL || last->warehouse != warehouse || last->count == CHUNK_SKUS || *bytes + sku_bytes > CHUNK_BYTES) {
        p->chunks = xrealloc(p->chunks, p->n + 1, sizeof *p->chunks);
        last = &p->chunks[p->n++];
        *last = (struct chunk){.warehouse = warehouse, .first = p->used};
        *bytes = 0;
    }
    p->facts[p->used++] = fact;
    last->count++;
    *bytes += sku_bytes;
}

/* Every SKU and warehouse in the given state. */
static struct plan plan_make(const struct facts *f, enum fact_have state) {
    struct plan p = {0};
    size_t bytes = 0;
    p.facts = xcalloc(f->n * f->mapping->warehouse_count + 1, sizeof *p.facts);
    for (size_t w = 0; w < f->mapping->warehouse_count; w++) {
        for (size_t i = 0; i < f->n; i++) {
            if (!f->list[i].settled && f->list[i].have[w] == state) {
                plan_add(&p, w, i, strlen(f->list[i].sku) * 3 + 1, &bytes);
            }
        }
    }
    return p;
}

/* ---- cache ---- */

static void take_cached(struct facts *f, size_t w, const redisReply *r, int64_t now) {
    char word[32];
    (void)snprintf(word, sizeof word, "w%lld", (long long)f->mapping->warehouses[w]);
    for (size_t i = 0; i < f->n; i++) {
        char text[64];
        int64_t available = 0, read_ms = 0;
        const char *value = reply_str_at(r, i);
        if (value == NULL || !str_copy(text, sizeof text, value) || hint_has(f->list[i].claim->hint, word) ||
            f->list[i].force) {
            continue;
        }
        char *space = strchr(text, ' ');
        if (space == NULL) {
            continue;
        }
        *space = '\0';
        if (int_parse(text, -QUANTITY_MAX, QUANTITY_MAX, &available) && int_parse(space + 1, 0, INT64_MAX, &read_ms) &&
            now - read_ms < CACHE_MAX_AGE_MS) {
            f->list[i].stock[w].available = available;
            f->list[i].have[w] = HAVE_STOCK;
        }
    }
}

static enum next recall_stock(struct app *app, struct facts *f, struct reason *why) {
    size_t n = f->mapping->warehouse_count;
    char name[64];
    struct args *cmds = xcalloc(n + 1, sizeof *cmds);
    redisReply **replies = xcalloc(n + 1, sizeof *replies);
    for (size_t w = 0; w < n; w++) {
        (void)snprintf(name, sizeof name, KEY_STOCK, (long long)f->mapping->warehouses[w]);
        args_add(&cmds[w], "HMGET");
        args_add_key(&cmds[w], app->redis, name);
        for (size_t i = 0; i < f->n; i++) {
            args_add(&cmds[w], f->list[i].sku);
        }
    }
    enum next next = redis_pipeline(app->redis, cmds, n, true, replies, why);
    for (size_t w = 0; w < n; w++) {
        if (next == NEXT_DONE) {
            take_cached(f, w, replies[w], clock_wall_ms());
            freeReplyObject(replies[w]);
        }
        args_free(&cmds[w]);
    }
    free(replies);
    free(cmds);
    return next;
}

/* Sends HSET stock:<warehouse> with its fields, and lets the key live on. */
static enum next store(struct app *app, int64_t warehouse_id, const struct args *fields, struct reason *why) {
    struct args cmds[2] = {{0}, {0}};
    redisReply *replies[2] = {NULL, NULL};
    char name[64];
    (void)snprintf(name, sizeof name, KEY_STOCK, (long long)warehouse_id);
    args_add(&cmds[0], "HSET");
    args_add_key(&cmds[0], app->redis, name);
    args_append(&cmds[0], fields);
    args_add(&cmds[1], "EXPIRE");
    args_add_key(&cmds[1], app->redis, name);
    args_add_int(&cmds[1], CACHE_KEEP_S);
    enum next next = fields->n > 0 ? redis_pipeline(app->redis, cmds, 2, true, replies, why) : NEXT_DONE;
    for (size_t k = 0; k < 2; k++) {
        args_free(&cmds[k]);
        if (replies[k] != NULL) {
            freeReplyObject(replies[k]);
        }
    }
    return next;
}

enum next facts_remember(struct app *app, int64_t warehouse_id, const char *sku, int64_t available,
                         struct reason *why) {
    struct args fields = {0};
    args_add(&fields, sku);
    args_addf(&fields, "%lld %lld", (long long)available, (long long)clock_wall_ms());
    enum next next = store(app, warehouse_id, &fields, why);
    args_free(&fields);
    return next;
}

static enum next store_chunk(struct app *app, const struct facts *f, const struct plan *p, const struct chunk *c,
                             int64_t read_ms, struct reason *why) {
    struct args fields = {0};
    for (size_t i = c->first; i < c->first + c->count; i++) {
        const struct fact *fact = &f->list[p->facts[i]];
        if (fact->have[c->warehouse] == HAVE_STOCK) {
            args_add(&fields, fact->sku);
            args_addf(&fields, "%lld %lld", (long long)fact->stock[c->warehouse].available, (long long)read_ms);
        }
    }
    enum next next = store(app, f->mapping->warehouses[c->warehouse], &fields, why);
    args_free(&fields);
    return next;
}

/* ---- Sitoo ---- */

static char *chunk_path(const struct app *app, const struct facts *f, const struct plan *p, const struct chunk *c) {
    struct buf b;
    buf_init(&b, CHUNK_BYTES * 4);
    buf_addf(&b, "/sites/%lld/warehouses/%lld/warehouseitems.json?num=%lld&fields=" ITEM_FIELDS "&sku=",
             (long long)app->set->sitoo_site_id, (long long)f->mapping->warehouses[c->warehouse],
             (long long)f->mapping->sitoo_page_size);
    for (size_t i = c->first; i < c->first + c->count; i++) {
        buf_add_str(&b, i > c->first ? "," : "");
        buf_add_url(&b, f->list[p->facts[i]].sku);
    }
    return buf_take(&b);
}

static bool item_available(const cJSON *item, int64_t *available) {
    int64_t total = 0, reserved = 0;
    const char *text = json_str(item, "decimalavailable");
    if (text != NULL) {
        return quantity_parse(text, available);
    }
    const char *a = json_str(item, "decimaltotal"), *b = json_str(item, "decimalreserved");
    if (a == NULL || b == NULL || !quantity_parse(a, &total) || !quantity_parse(b, &reserved)) {
        return false;
    }
    *available = total - reserved;
    return true;
}

static void take_item(const struct app *app, struct facts *f, const struct plan *p, const struct chunk *c,
                      const cJSON *item) {
    const char *sku = json_str(item, "sku");
    int64_t available = 0;
    for (size_t i = c->first; sku != NULL && i < c->first + c->count; i++) {
        struct fact *fact = &f->list[p->facts[i]];
        if (strcmp(fact->sku, sku) != 0) {
            continue;
        }
        if (!item_available(item, &available)) {
            facts_case(app, f, fact, "bad_stock", "Sitoo's stock of SKU %s in warehouse %lld cannot be read", sku,
                       (long long)f->mapping->warehouses[c->warehouse]);
            continue;
        }
        fact->stock[c->warehouse].available = available;
        fact->have[c->warehouse] = HAVE_STOCK;
    }
}

static enum next take_chunk(const struct app *app, struct facts *f, const struct plan *p, const struct chunk *c,
                            const struct answer *answer, struct reason *why) {
    const cJSON *items = json_array(answer->json, "items"), *item = NULL;
    int64_t total = -1;
    why->not_its_fault = true;
    why->wait_ms = ODD_ANSWER_WAIT_MS;
    if (answer->status == 404) {
        return reason_set(why, NEXT_DEFER, "warehouse_missing",
                          "Sitoo does not know warehouse %lld of the mapping file",
                          (long long)f->mapping->warehouses[c->warehouse]);
    }
    if (items == NULL || !json_int(answer->json, "totalcount", &total) || total != cJSON_GetArraySize(items)) {
        return reason_set(why, NEXT_DEFER, "incomplete_read",
                          "Sitoo gave %d of %lld stock rows of warehouse %lld; an incomplete read changes no level",
                          cJSON_GetArraySize(items), (long long)total, (long long)f->mapping->warehouses[c->warehouse]);
    }
    cJSON_ArrayForEach(item, items) {
        take_item(app, f, p, c, item);
    }
    for (size_t i = c->first; i < c->first + c->count; i++) {
        unsigned char *have = &f->list[p->facts[i]].have[c->warehouse];
        *have = *have == HAVE_NOT ? HAVE_ABSENT : *have;
    }
    *why = (struct reason){0};
    return NEXT_DONE;
}

static enum next read_chunks(struct app *app, struct facts *f, const struct plan *p, struct reason *why) {
    int64_t read_ms = clock_wall_ms();
    char **paths = xcalloc(p->n + 1, sizeof *paths);
    struct answer *answers = xcalloc(p->n + 1, sizeof *answers);
    for (size_t k = 0; k < p->n; k++) {
        paths[k] = chunk_path(app, f, p, &p->chunks[k]);
    }
    enum next next = sitoo_get(app, (const char *const *)paths, answers, p->n, why);
    for (size_t k = 0; k < p->n; k++) {
        if (next == NEXT_DONE) {
            next = take_chunk(app, f, p, &p->chunks[k], &answers[k], why);
        }
        if (next == NEXT_DONE) {
            next = store_chunk(app, f, p, &p->chunks[k], read_ms, why);
        }
        answer_free(&answers[k]);
        free(paths[k]);
    }
    free(answers);
    free(paths);
    return next;
}

enum next facts_stock(struct app *app, struct facts *f, struct reason *why) {
    enum next next = recall_stock(app, f, why);
    if (next != NEXT_DONE) {
        return next;
    }
    struct plan missing = plan_make(f, HAVE_NOT);
    if (missing.n > 0) {
        next = read_chunks(app, f, &missing, why);
    }
    plan_free(&missing);
    return next == NEXT_DONE ? facts_absent(app, f, why) : next;
}
