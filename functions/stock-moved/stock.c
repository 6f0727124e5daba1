/* SPDX-License-Identifier: Apache-2.0 */
/*
 * facts_stock: available per SKU and warehouse. What was read within a day is kept; a ledger row that came since tells
 * the stock on hand, so that available = on hand - the reserved last read, and a true read follows when there is time
 * (verify.c). Where an order may have moved reservations, and where nothing is known, the warehouse is read at once,
 * many SKUs in a call, all warehouses in one go.
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
#include "ledger.h"
#include "platform.h"
#include "quantity.h"
#include "sku.h"
#include "ban.h"

#define CACHE_MAX_AGE_MS (INT64_C(86400) * 1000)
#define PER_WAREHOUSE    3 /* commands, see take_known */
#define VERIFY_AFTER_MS  INT64_C(3000)
#define CACHE_KEEP_S     (2 * 86400)
#define ODD_ANSWER_WAIT_MS \
    INT64_C(5000) /* it may be a moment's inconsistency; or the mapping is wrong, which the log says */
#define CHUNK_SKUS  ((size_t)400)
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
    size_t chunk_skus; /* at most so many in a call */
};

static void plan_free(struct plan *p) {
    free(p->chunks);
    free(p->facts);
    memset(p, 0, sizeof *p);
}

static void plan_add(struct plan *p, size_t warehouse, size_t fact, size_t sku_bytes, size_t *bytes) {
    struct chunk *last = p->n > 0 ? &p->chunks[p->n - 1] : NULL;
    if (last == NULL || last->warehouse != warehouse || last->count == p->chunk_skus ||
        *bytes + sku_bytes > CHUNK_BYTES) {
        p->chunks = xrealloc(p->chunks, p->n + 1, sizeof *p->chunks);
        last = &p->chunks[p->n++];
        *last = (struct chunk){.warehouse = warehouse, .first = p->used};
        *bytes = 0;
    }
    p->facts[p->used++] = fact;
    last->count++;
    *bytes += sku_bytes;
}

static size_t url_len(const char *sku) {
    struct buf b;
    buf_init(&b, CHUNK_BYTES);
    buf_add_url(&b, sku);
    size_t len = b.len;
    buf_free(&b);
    return len;
}

/* Every SKU and warehouse in the given state. */
static struct plan plan_make(const struct facts *f, enum fact_have state) {
    struct plan p = {.chunk_skus = mapping_per_call(f->mapping, CHUNK_SKUS)};
    size_t bytes = 0;
    p.facts = xcalloc(f->n * f->mapping->warehouse_count + 1, sizeof *p.facts);
    for (size_t w = 0; w < f->mapping->warehouse_count; w++) {
        for (size_t i = 0; i < f->n; i++) {
            if (!f->list[i].settled && f->list[i].have[w] == state) {
                plan_add(&p, w, i, url_len(f->list[i].sku) + 3, &bytes);
            }
        }
    }
    return p;
}

/* ---- what is known ---- */

bool stock_known_read(const char *text, struct stock_known *k) {
    int64_t numbers[3] = {0};
    memset(k, 0, sizeof *k);
    if (ints_parse(text, numbers, 3)) {
        *k =
            (struct stock_known){.known = true, .available = numbers[0], .reserved = numbers[1], .read_ms = numbers[2]};
    }
    return k->known;
}

enum stock_use stock_use(const struct stock_known *k, const struct chain *c, enum stock_touch touch, int64_t now) {
    bool newer = c->known && c->seen_ms > k->read_ms;
    if (!k->known || touch == TOUCH_RESERVED || now - k->read_ms > CACHE_MAX_AGE_MS) {
        return USE_READ;
    }
    if (touch == TOUCH_MOVED && (k->reserved != 0 || !c->kept)) {
        return USE_READ; /* it may have been a reserved unit; or nobody keeps a ledger of this warehouse */
    }
    return newer ? USE_LEDGER : touch == TOUCH_MOVED ? USE_UNTIL_LEDGER : USE_KNOWN;
}

static enum stock_touch touch_of(const struct fact *fact, int64_t warehouse) {
    char read[32], moved[32];
    (void)snprintf(read, sizeof read, "w%lld", (long long)warehouse);
    (void)snprintf(moved, sizeof moved, "v%lld", (long long)warehouse);
    if (fact->force || hint_has(fact->claim->hint, read)) {
        return TOUCH_RESERVED;
    }
    return hint_has(fact->claim->hint, moved) ? TOUCH_MOVED : TOUCH_NONE;
}

/* One warehouse: what was read (HMGET), what the ledger says since (HMGET), how many rows it brought at all (HLEN).
 * computed gets the fields to be read later. */
static void take_known(struct facts *f, size_t w, redisReply *const replies[PER_WAREHOUSE], int64_t now,
                       struct args *computed) {
    bool kept = f->mapping->sitoo_ledger_levels && reply_int(replies[2]) > 0;
    for (size_t i = 0; i < f->n; i++) {
        struct stock_known known;
        struct chain chain;
        struct fact *fact = &f->list[i];
        (void)stock_known_read(reply_str_at(replies[0], i), &known);
        chain_read(kept ? reply_str_at(replies[1], i) : NULL, &chain);
        chain.kept = kept;
        enum stock_use use = stock_use(&known, &chain, touch_of(fact, f->mapping->warehouses[w]), now);
        if (use == USE_READ) {
            continue;
        }
        fact->stock[w].available = use == USE_LEDGER ? chain.total - known.reserved : known.available;
        fact->have[w] = HAVE_STOCK;
        if (use != USE_KNOWN) {
            args_add_int(computed, now + VERIFY_AFTER_MS);
            args_addf(computed, "%lld|%s", (long long)f->mapping->warehouses[w], fact->sku);
        }
    }
}

/* What was computed is read after all, when there is time for it (verify.c). */
static enum next verify_later(struct app *app, const struct args *computed, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    if (computed->n == 0) {
        return NEXT_DONE;
    }
    args_add(&a, "ZADD");
    args_add_key(&a, app->redis, KEY_VERIFY);
    args_add(&a, "NX");
    args_append(&a, computed);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}

static enum next recall_stock(struct app *app, struct facts *f, struct reason *why) {
    size_t n = f->mapping->warehouse_count;
    char name[64];
    size_t count = f->n > 0 ? PER_WAREHOUSE * n : 0;
    struct args *cmds = xcalloc(count + 1, sizeof *cmds), computed = {0};
    redisReply **replies = xcalloc(count + 1, sizeof *replies);
    for (size_t c = 0; c < count; c++) {
        long long warehouse = (long long)f->mapping->warehouses[c / PER_WAREHOUSE];
        (void)(c % PER_WAREHOUSE == 0 ? snprintf(name, sizeof name, KEY_STOCK, warehouse)
                                      : snprintf(name, sizeof name, KEY_CHAIN, warehouse));
        args_add(&cmds[c], c % PER_WAREHOUSE == 2 ? "HLEN" : "HMGET");
        args_add_key(&cmds[c], app->redis, name);
        for (size_t i = 0; c % PER_WAREHOUSE < 2 && i < f->n; i++) {
            args_add(&cmds[c], f->list[i].sku);
        }
    }
    enum next next = count > 0 ? redis_pipeline(app->redis, cmds, count, true, replies, why) : NEXT_DONE;
    for (size_t c = 0; next == NEXT_DONE && c < count; c += PER_WAREHOUSE) {
        take_known(f, c / PER_WAREHOUSE, replies + c, clock_wall_ms(), &computed);
    }
    redis_pipeline_free(cmds, replies, count);
    next = next == NEXT_DONE ? verify_later(app, &computed, why) : next;
    args_free(&computed);
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
    redis_pipeline_free(cmds, replies, 2);
    return next;
}

enum next facts_remember(struct app *app, int64_t warehouse_id, const char *sku, struct reason *why) {
    struct args fields = {0};
    args_add(&fields, sku);
    args_addf(&fields, "0 0 %lld", (long long)clock_wall_ms());
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
            args_addf(&fields, "%lld %lld %lld", (long long)fact->stock[c->warehouse].available,
                      (long long)fact->stock[c->warehouse].reserved, (long long)read_ms);
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

/* available and reserved; the difference to decimaltotal where one of them is missing. */
static bool item_stock(const cJSON *item, struct stock *out) {
    int64_t total = 0;
    const char *available = json_str(item, "decimalavailable"), *on_hand = json_str(item, "decimaltotal"),
               *reserved = json_str(item, "decimalreserved");
    if (available != NULL ? !quantity_parse(available, &out->available) : on_hand == NULL || reserved == NULL) {
        return false;
    }
    if (reserved != NULL && !quantity_parse(reserved, &out->reserved)) {
        return false;
    }
    if (on_hand == NULL) {
        return reserved != NULL;
    }
    if (!quantity_parse(on_hand, &total)) {
        return false;
    }
    if (available == NULL) {
        out->available = total - out->reserved;
    }
    out->reserved = total - out->available; /* whatever else may count, what is not available counts here */
    return true;
}

static void take_item(const struct app *app, struct facts *f, const struct plan *p, const struct chunk *c,
                      const cJSON *item) {
    const char *sku = json_str(item, "sku");
    struct stock read = {0};
    char shown[SKU_SHOWN_SIZE];
    for (size_t i = c->first; sku != NULL && i < c->first + c->count; i++) {
        struct fact *fact = &f->list[p->facts[i]];
        if (strcmp(fact->sku, sku) != 0) {
            continue;
        }
        if (!item_stock(item, &read)) {
            facts_case(app, f, fact, "bad_stock", "Sitoo's stock of SKU %s in warehouse %lld cannot be read",
                       sku_shown(sku, shown), (long long)f->mapping->warehouses[c->warehouse]);
            continue;
        }
        fact->stock[c->warehouse].available = read.available;
        fact->stock[c->warehouse].reserved = read.reserved;
        fact->reads += fact->have[c->warehouse] != HAVE_STOCK ? 1 : 0;
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
