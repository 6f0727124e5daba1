/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first look at levels. Three lists of SKUs are compared: all that BigCommerce has, page by page, with Sitoo
 * (stock) and with what was written (levels), and those that moved a while ago (moved). What differs and is not under
 * way is looked at a second time (suspects.c).
 *
 *   GET /v3/inventory/items?limit=250&page=1&location_id:in=1,5       source: bigcommerce.md 6.3
 *
 * Pages are numbered, so an item that is removed while a round is on its way may keep another one out of it: that one
 * is compared in the next round.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "keys.h"
#include "platform.h"
#include "quantity.h"
#include "suspects.h"
#include "works.h"
#include "ban.h"

#define STOCK_PAGE  250
#define LEVELS_PAGE ((int)COMPARE_MAX)
#define TURN_MIN_MS INT64_C(1000)
#define ODD_WAIT_MS INT64_C(5000)
#define MOVED_MAX   1000 /* rows of the ledger in one turn */
#define MINUTE_MS   INT64_C(60000)

/* ---- a page of BigCommerce's levels ---- */

static size_t location_index(const struct mapping *m, int64_t id) {
    for (size_t l = 0; l < m->location_count; l++) {
        if (m->locations[l].location_id == id) {
            return l;
        }
    }
    return m->location_count;
}

static void take_item(struct compare *c, const cJSON *item) {
    const struct mapping *m = c->app->set->mapping;
    struct compare_sku *s = compare_add(c, json_str(json_get(item, "identity"), "sku"));
    const cJSON *l = NULL;
    int64_t id = 0, level = 0;
    cJSON_ArrayForEach(l, json_array(item, "locations")) {
        if (s != NULL && json_id(l, "location_id", &id) && json_int(l, "total_inventory_onhand", &level) &&
            location_index(m, id) < m->location_count) {
            s->shown[location_index(m, id)] = level;
        }
    }
}

static enum next incomplete(int got, int64_t page, int64_t total, struct reason *why) {
    why->not_its_fault = true;
    why->wait_ms = ODD_WAIT_MS;
    return reason_set(why, NEXT_DEFER, "incomplete_read",
                      "page %lld of BigCommerce's inventory has %d items of %lld in all; nothing is concluded from it",
                      (long long)page, got, (long long)total);
}

/* *total: items in all. */
static enum next read_page(struct compare *c, int64_t page, int size, int64_t *total, struct reason *why) {
    const struct mapping *m = c->app->set->mapping;
    struct buf path;
    struct answer answer;
    const cJSON *item = NULL;
    buf_init(&path, 8000);
    buf_addf(&path, "/v3/inventory/items?limit=%d&page=%lld&location_id:in=", size, (long long)page);
    for (size_t l = 0; l < m->location_count; l++) {
        buf_addf(&path, "%s%lld", l > 0 ? "," : "", (long long)m->locations[l].location_id);
    }
    enum next next = bigcommerce_get(c->app, buf_str(&path), &answer, why);
    buf_free(&path);
    if (next != NEXT_DONE) {
        return next;
    }
    const cJSON *data = json_array(answer.json, "data");
    int got = cJSON_GetArraySize(data);
    int64_t before = (page - 1) * size;
    if (data == NULL || !json_int(json_get(json_get(answer.json, "meta"), "pagination"), "total", total)) {
        next = reason_set(why, NEXT_DEFER, "bad_levels",
                          "BigCommerce's inventory list has no data or total (status %d)", answer.status);
    } else if (got != (*total - before < size ? (*total > before ? *total - before : 0) : size)) {
        next = incomplete(got, page, *total, why);
    }
    cJSON_ArrayForEach(item, data) {
        if (next == NEXT_DONE) {
            take_item(c, item);
        }
    }
    answer_free(&answer);
    return next;
}

/* ---- what differs ---- */

/* With Sitoo. */
static enum next suspect_by_formula(struct compare *c, struct reason *why) {
    struct suspects found = {.app = c->app};
    for (size_t i = 0; i < c->n; i++) {
        const struct compare_sku *s = &c->list[i];
        for (size_t l = 0; s->usable && s->proven && l < c->app->set->mapping->location_count; l++) {
            int64_t expected = compare_expected(c, s, l);
            if (expected != s->shown[l]) {
                suspects_add(&found, c->app->set->mapping->locations[l].location_id, s->sku, c->now_ms, expected,
                             s->shown[l], s->busy ? SUSPECT_BUSY : s->stored[l]);
            }
        }
    }
    return suspects_store(&found, why);
}

/* With what was written. */
static enum next suspect_by_store(struct compare *c, struct reason *why) {
    struct suspects found = {.app = c->app};
    for (size_t i = 0; i < c->n; i++) {
        const struct compare_sku *s = &c->list[i];
        for (size_t l = 0; l < c->app->set->mapping->location_count; l++) {
            struct level_stored stored;
            if (level_stored_read(s->stored[l], &stored) && stored.level != s->shown[l]) {
                suspects_add(&found, c->app->set->mapping->locations[l].location_id, s->sku, c->now_ms, stored.level,
                             s->shown[l], s->busy ? SUSPECT_BUSY : s->stored[l]);
            }
        }
    }
    return suspects_store(&found, why);
}

/* ---- stock and levels, page by page ---- */

struct round {
    const char *page, *total, *done, *fast; /* fields of the hash sweep */
    int size;
    bool sitoo; /* compared with Sitoo; else with what was written */
};

static enum next compare_page(struct turn *t, const struct round *r, int64_t page, int64_t *total, struct reason *why) {
    struct compare c;
    compare_init(&c, t->app, COMPARE_MAX);
    enum next next = read_page(&c, page, r->size, total, why);
    if (next == NEXT_DONE && r->sitoo) {
        next = compare_all(&c, false, why);
        next = next == NEXT_DONE ? suspect_by_formula(&c, why) : next;
    } else if (next == NEXT_DONE) {
        next = compare_redis(&c, false, why);
        next = next == NEXT_DONE ? suspect_by_store(&c, why) : next;
    }
    compare_free(&c);
    return next;
}

/* One page; the next one after a pause that spreads the round over its interval. */
static enum next round_turn(struct turn *t, const struct round *r, bool spread, struct reason *why) {
    int64_t page = 0, total = 0, fast = 0;
    enum next next = sweep_get(t->app, r->page, &page, NULL, why);
    next = next == NEXT_DONE ? sweep_get(t->app, r->fast, &fast, NULL, why) : next;
    page = page > 0 ? page : 1;
    if (next == NEXT_DONE && t->asked && fast == 0) {
        fast = 1;
        next = sweep_put(t->app, r->fast, fast, why);
    }
    next = next == NEXT_DONE ? compare_page(t, r, page, &total, why) : next;
    if (next != NEXT_DONE) {
        return next;
    }
    int64_t pages = (total + r->size - 1) / r->size, interval = t->delay_ms;
    t->ended = page >= pages;
    if (!t->ended) {
        bool slow = spread && fast == 0 && interval / pages > TURN_MIN_MS;
        t->delay_ms = slow ? interval / pages : TURN_MIN_MS;
    }
    next = sweep_put(t->app, r->total, total, why);
    next = next == NEXT_DONE ? sweep_put(t->app, r->done, t->ended ? total : page * r->size, why) : next;
    next = next == NEXT_DONE && t->ended ? sweep_put(t->app, r->fast, 0, why) : next;
    return next == NEXT_DONE ? sweep_put(t->app, r->page, t->ended ? 0 : page + 1, why) : next;
}

enum next stock_turn(struct turn *t, struct reason *why) {
    static const struct round r = {"stock_page", "stock_total", "stock_done", "stock_fast", STOCK_PAGE, true};
    return round_turn(t, &r, true, why);
}

enum next levels_turn(struct turn *t, struct reason *why) {
    static const struct round r = {"levels_page", "levels_total", "levels_done", "levels_fast", LEVELS_PAGE, false};
    bool low = false;
    int64_t wait_ms = 0;
    enum next next = sweep_quota_low(t->app, &low, &wait_ms, why);
    if (next == NEXT_DONE && low && !t->asked) {
        why->not_its_fault = true;
        why->wait_ms = wait_ms > TURN_MIN_MS ? wait_ms : TURN_MIN_MS;
        return reason_set(why, NEXT_DEFER, "quota_low",
                          "more than half of BigCommerce's calls of this window are used; levels are read later");
    }
    return next == NEXT_DONE ? round_turn(t, &r, false, why) : next;
}

/* ---- what moved a while ago ---- */

/* The SKU of a row of our ledger about stock; NULL if it is about anything else. The caller frees the row. */
static const char *row_sku(const redisReply *entry, cJSON **row) {
    const redisReply *fields = entry->elements > 1 ? entry->element[1] : NULL;
    char error[80];
    *row = NULL;
    for (size_t i = 0; fields != NULL && i + 1 < fields->elements; i += 2) {
        const char *name = reply_str_at(fields, i), *text = reply_str_at(fields, i + 1);
        if (name != NULL && text != NULL && strcmp(name, "row") == 0) {
            *row = json_read(text, strlen(text), error, sizeof error);
        }
    }
    const char *type = json_str(*row, "type");
    bool about_stock = type != NULL && (strcmp(type, "movement") == 0 || strcmp(type, "level") == 0);
    return about_stock ? json_str(*row, "sku") : NULL;
}

#define ROW_ID_SIZE 48

static enum next read_moves(struct app *app, const char *after, int64_t until_ms, redisReply **reply,
                            struct reason *why) {
    struct args a = {0};
    args_add(&a, "XRANGE");
    args_add_key(&a, app->redis, KEY_LEDGER);
    args_addf(&a, "(%s", after);
    args_addf(&a, "%lld", (long long)until_ms);
    args_add(&a, "COUNT");
    args_add_int(&a, MOVED_MAX);
    enum next next = redis_command(app->redis, &a, true, reply, why);
    args_free(&a);
    return next;
}

/* Redis's time, and the row up to which moves were taken; "" = this is the first look. */
static enum next moved_begin(struct app *app, int64_t *now_ms, char after[ROW_ID_SIZE], struct reason *why) {
    struct args cmds[2] = {{0}, {0}};
    redisReply *replies[2] = {NULL, NULL};
    int64_t s = 0;
    args_add(&cmds[0], "TIME");
    args_add(&cmds[1], "HGET");
    args_add_key(&cmds[1], app->redis, KEY_SWEEP);
    args_add(&cmds[1], "moved_id");
    enum next next = redis_pipeline(app->redis, cmds, 2, true, replies, why);
    if (next == NEXT_DONE) {
        const char *id = reply_str(replies[1]);
        (void)int_parse(reply_str_at(replies[0], 0), 0, INT64_MAX, &s);
        *now_ms = s * 1000;
        (void)str_copy(after, ROW_ID_SIZE, id != NULL ? id : "");
    }
    redis_pipeline_free(cmds, replies, 2);
    return next;
}

static enum next moved_end(struct app *app, const char *id, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "HSET");
    args_add_key(&a, app->redis, KEY_SWEEP);
    args_add(&a, "moved_id");
    args_add(&a, id);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}

/* Adds the SKUs of the rows as far as there is room; last gets the id of the last row taken. */
static void take_moves(struct compare *c, const redisReply *rows, char last[ROW_ID_SIZE], bool *more) {
    *more = rows->elements == MOVED_MAX;
    for (size_t i = 0; i < rows->elements; i++) {
        cJSON *row = NULL;
        const char *id = reply_str_at(rows->element[i], 0), *sku = row_sku(rows->element[i], &row);
        if (sku != NULL && c->n == COMPARE_MAX) {
            *more = true;
            cJSON_Delete(row);
            return;
        }
        if (sku != NULL) {
            (void)compare_add(c, sku);
        }
        (void)str_copy(last, ROW_ID_SIZE, id != NULL ? id : last);
        cJSON_Delete(row);
    }
}

enum next moved_turn(struct turn *t, struct reason *why) {
    struct compare c;
    redisReply *rows = NULL;
    char after[ROW_ID_SIZE] = "", last[ROW_ID_SIZE] = "";
    int64_t now = 0;
    bool more = false;
    enum next next = moved_begin(t->app, &now, after, why);
    int64_t until = t->asked ? now : now - t->app->set->mapping->sweep.moved_minutes * MINUTE_MS;
    if (next == NEXT_DONE && after[0] == '\0') {
        (void)snprintf(last, sizeof last, "%lld-0", (long long)until); /* the first look begins here */
        return moved_end(t->app, last, why);
    }
    compare_init(&c, t->app, COMPARE_MAX);
    next = next == NEXT_DONE ? read_moves(t->app, after, until, &rows, why) : next;
    if (next == NEXT_DONE) {
        take_moves(&c, rows, last, &more);
        next = compare_all(&c, true, why);
        next = next == NEXT_DONE ? suspect_by_formula(&c, why) : next;
    }
    next = next == NEXT_DONE && last[0] != '\0' ? moved_end(t->app, last, why) : next;
    if (next == NEXT_DONE && more) {
        t->delay_ms = TURN_MIN_MS;
        t->ended = false;
    }
    compare_free(&c);
    if (rows != NULL) {
        freeReplyObject(rows);
    }
    return next;
}
