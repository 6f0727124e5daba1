/* SPDX-License-Identifier: Apache-2.0 */
#include "handover_stock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allocation.h"
#include "buf.h"
#include "json.h"
#include "keys.h"
#include "order.h"
#include "platform.h"
#include "quantity.h"
#include "sku.h"
#include "ban.h"

#define SKUS_PER_CALL 60
#define URL_MAX       ((size_t)100000)

/* Of one SKU in one warehouse, thousandths. */
struct level {
    bool known;
    int64_t reserved, available;
};

static bool number(const cJSON *item, const char *key, int64_t *out) {
    const char *text = json_str(item, key);
    return text != NULL && quantity_parse(text, out);
}

/* A SKU without a row has never been there: nothing on hand, nothing reserved. */
static enum next take(const struct answer *answer, int64_t warehouse, const char *const *skus, size_t n,
                      struct level *out, struct reason *why) {
    const cJSON *list = json_array(answer->json, "items"), *item = NULL;
    int64_t total = 0;
    if (answer->status == 404 || list == NULL ||
        (json_int(answer->json, "totalcount", &total) && total > cJSON_GetArraySize(list))) {
        return reason_set(why, NEXT_DEFER, "incomplete_read",
                          "Sitoo's stock of warehouse %lld is not whole (status %d)", (long long)warehouse,
                          answer->status);
    }
    for (size_t i = 0; i < n; i++) {
        out[i] = (struct level){.known = true};
    }
    cJSON_ArrayForEach(item, list) {
        const char *sku = json_str(item, "sku");
        for (size_t i = 0; sku != NULL && i < n; i++) {
            if (strcmp(sku, skus[i]) == 0 && (!number(item, "decimalreserved", &out[i].reserved) ||
                                              !number(item, "decimalavailable", &out[i].available))) {
                return reason_set(why, NEXT_DEFER, "incomplete_read", "Sitoo's stock of SKU %.80s cannot be read", sku);
            }
        }
    }
    return NEXT_DONE;
}

static enum next read_stock(struct app *app, int64_t warehouse, const char *const *skus, size_t n, struct level *out,
                            struct reason *why) {
    enum next next = NEXT_DONE;
    for (size_t from = 0; next == NEXT_DONE && from < n; from += SKUS_PER_CALL) {
        size_t count = n - from < SKUS_PER_CALL ? n - from : SKUS_PER_CALL;
        struct answer answer;
        struct buf path;
        buf_init(&path, URL_MAX);
        buf_addf(&path,
                 "/sites/%lld/warehouses/%lld/warehouseitems.json?num=%zu&fields=sku,decimaltotal,decimalreserved,"
                 "decimalavailable&sku=",
                 (long long)app->set->sitoo_site_id, (long long)warehouse, count);
        for (size_t i = 0; i < count; i++) {
            buf_add_str(&path, i > 0 ? "," : "");
            buf_add_url(&path, skus[from + i]);
        }
        const char *paths[] = {buf_str(&path)};
        next = sitoo_get(app, paths, &answer, 1, why);
        buf_free(&path);
        if (next == NEXT_DONE) {
            next = take(&answer, warehouse, skus + from, count, out + from, why);
            answer_free(&answer);
        }
    }
    return next;
}

static const char **skus_of(const struct web_order *web) {
    const char **skus = xcalloc(web->n + 1, sizeof *skus);
    for (size_t i = 0; i < web->n; i++) {
        skus[i] = web->rows[i].sku;
    }
    return skus;
}

/* ---- choosing ---- */

size_t hand_candidates(const struct mapping *m, const int64_t **ids) {
    *ids = m->allocate_from;
    if (m->allocate_from_count > 0) {
        return m->allocate_from_count;
    }
    for (size_t i = 0; i < m->location_count; i++) {
        if (m->shipping_location_id > 0 && m->locations[i].location_id == m->shipping_location_id) {
            *ids = m->locations[i].warehouse_ids;
            return m->locations[i].warehouse_count;
        }
    }
    return 0;
}

/* Units of each row that the revision has already, or that somebody delivered; and those still wanted. */
static void missing_units(const struct hand_work *w, int64_t rev, int64_t *units, int64_t *before) {
    for (size_t i = 0; i < w->web.n; i++) {
        int64_t id = w->web.rows[i].id;
        before[i] = handed_units(&w->handed, rev, id) + handed_delivered_else(&w->handed, rev, id);
        int64_t n = web_row_wanted(&w->web.rows[i]) - before[i];
        units[i] = n > 0 ? n : 0;
    }
}

/* Available less what is withheld or pending there, in units of each row; rows of the same SKU share it. */
static enum next available_at(struct hand_work *w, int64_t warehouse, const int64_t *wanted, int64_t *out,
                              struct reason *why) {
    struct app *app = w->app;
    size_t n = w->web.n;
    const char **skus = skus_of(&w->web);
    struct level *levels = xcalloc(n + 1, sizeof *levels);
    static const char *const keys[] = {KEY_PENDING_QTY, KEY_WITHHELD_LEDGER, KEY_WITHHELD_RETURN};
    int64_t(*kept)[3] = xcalloc(n + 1, sizeof *kept);
    enum next next = read_stock(app, warehouse, skus, n, levels, why);
    for (size_t k = 0; next == NEXT_DONE && k < 3; k++) {
        struct args a = {0};
        redisReply *reply = NULL;
        args_add(&a, "HMGET");
        args_add_key(&a, app->redis, keys[k]);
        for (size_t i = 0; i < n; i++) {
            args_addf(&a, "%lld|%s", (long long)warehouse, skus[i]);
        }
        next = redis_command(app->redis, &a, true, &reply, why);
        args_free(&a);
        for (size_t i = 0; next == NEXT_DONE && i < n; i++) {
            const char *text = reply_str_at(reply, i);
            kept[i][k] = text != NULL && int_parse(text, -QUANTITY_MAX, QUANTITY_MAX, &kept[i][k]) ? kept[i][k] : 0;
        }
        if (next == NEXT_DONE) {
            freeReplyObject(reply);
        }
    }
    for (size_t i = 0; next == NEXT_DONE && i < n; i++) {
        int64_t withheld = kept[i][1] > kept[i][2] ? kept[i][1] : kept[i][2];
        int64_t units = quantity_whole_units(levels[i].available - kept[i][0] - (withheld > 0 ? withheld : 0));
        for (size_t r = 0; r < i; r++) {
            units -= strcmp(skus[r], skus[i]) == 0 ? wanted[r] : 0;
        }
        out[i] = units > 0 ? units : 0;
    }
    free(kept);
    free(levels);
    free(skus);
    return next;
}

/* "warehouse 1: A 3 of 5, B 0 of 1; warehouse 2: ..." */
static void tell(const struct hand_work *w, const int64_t *ids, size_t count, const int64_t *wanted,
                 const int64_t *available, char *out, size_t size) {
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < count && used < size; i++) {
        int n = snprintf(out + used, size - used, "%swarehouse %lld has", i > 0 ? "; " : "", (long long)ids[i]);
        used += n > 0 ? (size_t)n : 0;
        for (size_t r = 0; r < w->web.n && used < size; r++) {
            if (wanted[r] > 0) {
                n = snprintf(out + used, size - used, " %lld of %lld %.40s", (long long)available[i * w->web.n + r],
                             (long long)wanted[r], w->web.rows[r].sku);
                used += n > 0 ? (size_t)n : 0;
            }
        }
    }
}

static enum next choose_warehouse(struct hand_work *w, const int64_t *wanted, struct hand_part *part, int64_t *units,
                                  struct reason *why) {
    const struct mapping *m = w->app->set->mapping;
    const int64_t *ids = NULL;
    size_t count = hand_candidates(m, &ids), n = w->web.n;
    int64_t *available = xcalloc(count * n + 1, sizeof *available), *out = xcalloc(count * n + 1, sizeof *out);
    enum next next = count > 0 ? NEXT_DONE
                               : reason_set(why, NEXT_PARK, "needs_allocation",
                                            "the mapping file does not say where shipped orders are taken from "
                                            "(shipping.allocate_from)");
    bool found = false;
    for (size_t i = 0; next == NEXT_DONE && i < count && !found; i++) {
        next = available_at(w, ids[i], wanted, &available[i * n], why);
        found = next == NEXT_DONE && hand_allocate(wanted, n, &available[i * n], 1, false, &out[0]);
        if (found) {
            part->warehouse_id = ids[i];
            memcpy(units, out, n * sizeof *units);
        }
    }
    if (next == NEXT_DONE && !found && hand_allocate(wanted, n, available, count, m->allow_split, out)) {
        int64_t parts = 0;
        for (size_t i = 0; i < count; i++) {
            bool used = false;
            for (size_t r = 0; r < n; r++) {
                used = used || out[i * n + r] > 0;
            }
            if (used && parts++ == 0) {
                part->warehouse_id = ids[i];
                memcpy(units, &out[i * n], n * sizeof *units);
            }
        }
        part->parts = part->part - 1 + parts;
        found = true;
    }
    if (next == NEXT_DONE && !found) {
        char text[400];
        tell(w, ids, count, wanted, available, text, sizeof text);
        next = reason_set(why, NEXT_PARK, "needs_allocation", "no warehouse can fill it%s: %s",
                          m->allow_split ? ", nor can all of them together" : "", text);
    }
    free(out);
    free(available);
    return next;
}

enum next hand_choose(struct hand_work *w, int64_t rev, int64_t number, struct hand_part *part, int64_t *units,
                      struct reason *why) {
    int64_t *before = units + w->web.n;
    *part = (struct hand_part){.part = number, .rev = rev, .parts = number, .units = units, .before = before};
    missing_units(w, rev, units, before);
    if (w->web.kind == WEB_PICKUP) {
        part->warehouse_id = w->web.warehouse_id;
        return NEXT_DONE;
    }
    if (w->web.kind == WEB_RETURN_ONLY) {
        part->warehouse_id = w->app->set->mapping->web.return_warehouse_id;
        return NEXT_DONE;
    }
    int64_t *wanted = xcalloc(w->web.n + 1, sizeof *wanted);
    memcpy(wanted, units, w->web.n * sizeof *wanted);
    enum next next = choose_warehouse(w, wanted, part, units, why);
    free(wanted);
    return next;
}

/* ---- seen ---- */

struct seen_row {
    const char *sku;
    int64_t warehouse, open, delivered; /* units */
};

static void add_seen(struct seen_row *rows, size_t *n, const char *sku, int64_t warehouse, int64_t open,
                     int64_t delivered) {
    for (size_t i = 0; i < *n; i++) {
        if (rows[i].warehouse == warehouse && strcmp(rows[i].sku, sku) == 0) {
            rows[i].open += open;
            rows[i].delivered += delivered;
            return;
        }
    }
    rows[(*n)++] = (struct seen_row){.sku = sku, .warehouse = warehouse, .open = open, .delivered = delivered};
}

static size_t collect(const struct handed *h, struct seen_row *rows) {
    size_t n = 0;
    for (size_t i = 0; i < h->n; i++) {
        const struct handed_order *o = &h->list[i];
        bool stands = handed_open(o) || o->state == ORDER_STATE_CLOSED;
        for (size_t k = 0; k < o->n; k++) {
            int64_t left = o->rows[k].quantity - o->rows[k].delivered;
            if (!stands && (o->ignores_stock || o->rows[k].delivered == 0)) {
                continue; /* what left before an order was cancelled has left all the same */
            }
            if (o->ignores_stock) {
                add_seen(rows, &n, o->rows[k].sku, o->warehouse_id, 0, o->rows[k].quantity);
            } else {
                add_seen(rows, &n, o->rows[k].sku, o->warehouse_id, handed_open(o) && left > 0 ? left : 0,
                         o->rows[k].delivered);
            }
        }
    }
    return n;
}

/* Which other warehouses have the SKU. */
static void who_has(struct hand_work *w, const char *sku, int64_t but, char *out, size_t size) {
    const struct mapping *m = w->app->set->mapping;
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < m->warehouse_count && used < size; i++) {
        struct level level = {0};
        struct reason ignored = {0};
        if (m->warehouses[i] == but || read_stock(w->app, m->warehouses[i], &sku, 1, &level, &ignored) != NEXT_DONE ||
            level.available < QUANTITY_ONE) {
            continue;
        }
        int n = snprintf(out + used, size - used, "%swarehouse %lld has %lld", used > 0 ? ", " : "",
                         (long long)m->warehouses[i], (long long)quantity_whole_units(level.available));
        used += n > 0 ? (size_t)n : 0;
    }
}

static void short_case(struct hand_work *w, struct hand_plan *p, const struct seen_row *row, int64_t available) {
    char others[160];
    who_has(w, row->sku, row->warehouse, others, sizeof others);
    hand_plan_case(p, "reservation_short", w->web.kind == WEB_PICKUP,
                   "The shop cannot hand over what the customer bought",
                   "Bring units to the shop, or call the customer; then: onepool parked --close with the case's id",
                   "Web order %lld: warehouse %lld is short of %lld of SKU %.80s; %s", (long long)w->web.id,
                   (long long)row->warehouse, (long long)quantity_whole_units(-available + QUANTITY_ONE - 1), row->sku,
                   others[0] != '\0' ? others : "no other mapped warehouse has it");
}

/* Reads the stock of every warehouse in rows; reserved[i] in thousandths, -1 = not asked. */
static enum next read_reserved(struct hand_work *w, struct hand_plan *p, const struct seen_row *rows, size_t n,
                               int64_t *reserved, struct reason *why) {
    enum next next = NEXT_DONE;
    bool told = false;
    const char **skus = xcalloc(n + 1, sizeof *skus);
    size_t *at = xcalloc(n + 1, sizeof *at);
    struct level *levels = xcalloc(n + 1, sizeof *levels);
    for (size_t i = 0; i < n; i++) {
        reserved[i] = -1;
    }
    for (size_t i = 0; next == NEXT_DONE && i < n; i++) {
        size_t count = 0;
        if (reserved[i] >= 0 || rows[i].open == 0) {
            continue;
        }
        for (size_t k = i; k < n; k++) {
            if (rows[k].warehouse == rows[i].warehouse && rows[k].open > 0) {
                at[count] = k;
                skus[count++] = rows[k].sku;
            }
        }
        next = read_stock(w->app, rows[i].warehouse, skus, count, levels, why);
        for (size_t k = 0; next == NEXT_DONE && k < count; k++) {
            reserved[at[k]] = levels[k].reserved > 0 ? levels[k].reserved : 0;
            if (levels[k].available < 0 && !told) {
                told = true;
                short_case(w, p, &rows[at[k]], levels[k].available);
            }
        }
    }
    free(levels);
    free(at);
    free(skus);
    return next;
}

/* As pending_put counts it. */
static int64_t held(const struct web_order *web) {
    int64_t sum = 0;
    for (size_t i = 0; i < web->n; i++) {
        sum += web_row_wanted(&web->rows[i]) * QUANTITY_ONE;
    }
    return sum;
}

enum next hand_seen(struct hand_work *w, bool done, struct hand_plan *p, bool *missing, struct reason *why) {
    size_t total = 0;
    *missing = false;
    for (size_t i = 0; i < w->handed.n; i++) {
        total += w->handed.list[i].n;
    }
    struct seen_row *rows = xcalloc(total + 1, sizeof *rows);
    int64_t *reserved = xcalloc(total + 1, sizeof *reserved);
    size_t n = collect(&w->handed, rows);
    enum next next = read_reserved(w, p, rows, n, reserved, why);
    if (next == NEXT_DONE) {
        struct args a = {0};
        redisReply *reply = NULL;
        args_add_int(&a, w->web.id);
        args_add_int(&a, done ? 1 : 0);
        if (w->web.found) {
            args_addf(&a, "%lld %lld %lld", (long long)w->web.status_id, (long long)w->web.modified_ms,
                      (long long)(w->holds ? held(&w->web) : 0));
        } else {
            args_add(&a, "");
        }
        args_add_int(&a, (int64_t)n);
        for (size_t i = 0; i < n; i++) {
            args_add(&a, rows[i].sku);
            args_add_int(&a, rows[i].warehouse);
            args_add_int(&a, rows[i].open * QUANTITY_ONE);
            args_add_int(&a, rows[i].delivered * QUANTITY_ONE);
            if (reserved[i] >= 0) {
                args_add_int(&a, reserved[i]);
            } else {
                args_add(&a, "");
            }
        }
        next = redis_fcall(w->app->redis, "handed_put", &a, true, &reply, why);
        args_free(&a);
        for (size_t i = 0; next == NEXT_DONE && i < n; i++) {
            *missing = *missing || reply_int_at(reply, i) == 0;
        }
        if (next == NEXT_DONE) {
            freeReplyObject(reply);
        }
    }
    free(reserved);
    free(rows);
    return next;
}
