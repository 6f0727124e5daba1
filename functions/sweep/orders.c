/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders of Sitoo that no event told of, by rising id:
 *
 *   GET /orders.json?eshopid=1&orderidfrom=11400&sort=orderid&num=1000&fields=orderid
 *
 * and those that were open when they were last read, asked for by id, since Sitoo has no filter on when an order
 * changed (sitoo.md 4.5, 4.6). What is unknown is given time for its event; then it becomes due as an event would make
 * it (shared/lua/89_sweep.lua).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "keys.h"
#include "log.h"
#include "order.h"
#include "platform.h"
#include "quantity.h"
#include "works.h"
#include "ban.h"

#define PAGES_PER_TURN   10
#define OPEN_PER_CALL    ((size_t)100)
#define OPEN_PER_TURN    ((size_t)1000)
#define CLOSED           "closed" /* stands for the digest of an order that is not open any more */
#define SPARE_MS         INT64_C(500)
#define SETTLES_PER_PAGE 20 /* calls, each of some of those that are late */

/* One call: what was listed, and where the work is now. Redis settles some of those whose time is over; *more: others
 * are left. */
static enum next judge_some(struct turn *t, const struct args *list, const char *field, int64_t value, bool *more,
                            struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    int64_t grace_ms = t->app->set->mapping->sweep.grace_s * 1000;
    args_add_int(&a, grace_ms);
    args_add(&a, field);
    args_add_int(&a, value);
    args_add_int(&a, (int64_t)(list->n / 2));
    args_append(&a, list);
    enum next next = redis_fcall(t->app->redis, "sweep_orders", &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    int64_t missed = reply_int_at(reply, 0), waiting = reply_int_at(reply, 1);
    *more = reply_int_at(reply, 2) > 0;
    freeReplyObject(reply);
    if (waiting > 0 && t->delay_ms > grace_ms + SPARE_MS) {
        t->delay_ms = grace_ms + SPARE_MS;
    }
    if (missed > 0) {
        LOG(LOG_WARN, "orders of Sitoo that no event told of", {"outcome", "due"}, {"orders", log_int(missed)});
    }
    return NEXT_DONE;
}

/* Hands what was listed to Redis together with where the work is now. list: pairs of order and digest. */
static enum next judge(struct turn *t, const struct args *list, const char *field, int64_t value, struct reason *why) {
    const struct args none = {0};
    bool more = true;
    enum next next = judge_some(t, list, field, value, &more, why);
    for (int i = 1; next == NEXT_DONE && more && i < SETTLES_PER_PAGE; i++) {
        next = judge_some(t, &none, "", 0, &more, why);
    }
    if (next == NEXT_DONE && more) {
        t->delay_ms = 0;
        t->ended = false;
    }
    return next;
}

/* ---- by id ---- */

static enum next list(struct app *app, const char *filter, struct answer *answer, struct reason *why) {
    char path[300];
    const char *paths[] = {path};
    (void)snprintf(path, sizeof path, "/orders.json?eshopid=%lld&%s", (long long)app->set->sitoo_site_id, filter);
    enum next next = sitoo_get(app, paths, answer, 1, why);
    if (next == NEXT_DONE && json_array(answer->json, "items") == NULL) {
        next = reason_set(why, NEXT_DEFER, "bad_orders", "Sitoo's orders are not a list (status %d)", answer->status);
        answer_free(answer);
    }
    return next;
}

/* After a loss of Redis's data the last orders are looked at as well: which of them were known is not. */
static enum next was_lossy(struct app *app, bool *lossy, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "HEXISTS");
    args_add_key(&a, app->redis, KEY_EPOCH);
    args_add(&a, "lossy_ms");
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        *lossy = reply_int(reply) == 1;
        freeReplyObject(reply);
    }
    return next;
}

/* What was there before the first look is history. */
static enum next begin(struct app *app, struct reason *why) {
    struct answer answer;
    int64_t id = 0;
    bool lossy = false;
    enum next next = was_lossy(app, &lossy, why);
    next = next == NEXT_DONE ? list(app, "sort=-orderid&num=1&fields=orderid", &answer, why) : next;
    if (next != NEXT_DONE) {
        return next;
    }
    const cJSON *items = json_array(answer.json, "items");
    bool good = cJSON_GetArraySize(items) == 0 || json_int(cJSON_GetArrayItem(items, 0), "orderid", &id);
    answer_free(&answer);
    if (!good) {
        return reason_set(why, NEXT_DEFER, "bad_orders", "an order of Sitoo came without orderid");
    }
    if (lossy) {
        id = id > app->set->mapping->sweep.orders_overlap ? id - app->set->mapping->sweep.orders_overlap : 0;
    }
    next = sweep_put(app, "orders_begin", id, why);
    return next == NEXT_DONE ? sweep_put(app, "orders_id", id, why) : next;
}

/* One page from *from on, which is set to where the next begins. Sitoo ignores a filter that it does not know, and
 * answers 200. */
static enum next page(struct turn *t, int64_t *from, int64_t *last, bool *full, struct reason *why) {
    char filter[160];
    struct answer answer;
    struct args orders = {0};
    const cJSON *item = NULL;
    int64_t size = t->app->set->mapping->sitoo_page_size, before = *from - 1;
    (void)snprintf(filter, sizeof filter, "sort=orderid&num=%lld&orderidfrom=%lld&fields=orderid", (long long)size,
                   (long long)*from);
    enum next next = list(t->app, filter, &answer, why);
    if (next != NEXT_DONE) {
        return next;
    }
    const cJSON *items = json_array(answer.json, "items");
    *full = cJSON_GetArraySize(items) >= size;
    cJSON_ArrayForEach(item, items) {
        int64_t id = 0;
        if (next == NEXT_DONE && (!json_int(item, "orderid", &id) || id <= before)) {
            why->not_its_fault = true;
            next = reason_set(why, NEXT_DEFER, "bad_orders",
                              "Sitoo's orders from %lld on are not sorted by orderid, or the filter was ignored",
                              (long long)*from);
        }
        before = id;
        args_add_int(&orders, id);
        args_add(&orders, "-");
    }
    answer_free(&answer);
    *from = before + 1;
    *last = before > *last ? before : *last;
    next = next == NEXT_DONE ? judge(t, &orders, "orders_id", *last, why) : next;
    args_free(&orders);
    return next;
}

enum next orders_turn(struct turn *t, struct reason *why) {
    const struct mapping *m = t->app->set->mapping;
    int64_t last = 0, first = 0;
    bool known = false, full = true;
    enum next next = sweep_get(t->app, "orders_id", &last, &known, why);
    if (next == NEXT_DONE && !known) {
        next = begin(t->app, why);
        next = next == NEXT_DONE ? sweep_get(t->app, "orders_id", &last, &known, why) : next;
    }
    next = next == NEXT_DONE ? sweep_get(t->app, "orders_begin", &first, NULL, why) : next;
    int64_t from = last + 1 - m->sweep.orders_overlap;
    from = from > first + 1 ? from : first + 1;
    int64_t pages = PAGES_PER_TURN + m->sweep.orders_overlap / m->sitoo_page_size; /* a turn gets beyond the overlap */
    for (int64_t i = 0; next == NEXT_DONE && full && i < pages; i++) {
        next = page(t, &from, &last, &full, why);
    }
    if (next == NEXT_DONE && full) {
        t->delay_ms = 0;
        t->ended = false;
    }
    return next;
}

/* ---- those that are open ---- */

struct ids {
    int64_t *list;
    size_t n;
};

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static enum next open_ids(struct app *app, struct ids *out, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "HKEYS");
    args_add_key(&a, app->redis, KEY_ORDERS_OPEN);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    out->list = xcalloc(reply->elements + 1, sizeof *out->list);
    for (size_t i = 0; i < reply->elements; i++) {
        out->n += int_parse(reply_str_at(reply, i), 1, JSON_INT_MAX, &out->list[out->n]) ? 1 : 0;
    }
    freeReplyObject(reply);
    qsort(out->list, out->n, sizeof *out->list, by_value);
    return NEXT_DONE;
}

static void take_open(const struct app *app, const cJSON *item, const struct ids *asked, struct args *orders) {
    struct order *o = NULL;
    struct reason unreadable = {0};
    char digest[ORDER_DIGEST_SIZE];
    if (order_read(item, app->set->mapping->sitoo_order_prefix, &o, &unreadable) != NEXT_DONE) {
        return; /* whoever was told of it has parked it */
    }
    if (bsearch(&o->id, asked->list, asked->n, sizeof *asked->list, by_value) != NULL) {
        order_digest(o, digest);
        args_add_int(orders, o->id);
        args_add(orders, digest[0] != '\0' ? digest : CLOSED);
    }
    order_free(o);
}

static enum next read_open(struct turn *t, const struct ids *asked, struct reason *why) {
    struct buf path;
    struct answer answer;
    struct args orders = {0};
    const cJSON *item = NULL;
    buf_init(&path, 8000);
    buf_addf(&path, "/orders.json?eshopid=%lld&num=%zu&fields=%s&orderid=", (long long)t->app->set->sitoo_site_id,
             asked->n, ORDER_FIELDS);
    for (size_t i = 0; i < asked->n; i++) {
        buf_addf(&path, "%s%lld", i > 0 ? "," : "", (long long)asked->list[i]);
    }
    const char *paths[] = {buf_str(&path)};
    enum next next = sitoo_get(t->app, paths, &answer, 1, why);
    buf_free(&path);
    if (next != NEXT_DONE) {
        return next;
    }
    cJSON_ArrayForEach(item, json_array(answer.json, "items")) {
        take_open(t->app, item, asked, &orders);
    }
    answer_free(&answer);
    next = judge(t, &orders, "open_at", asked->list[asked->n - 1], why);
    args_free(&orders);
    return next;
}

enum next open_turn(struct turn *t, struct reason *why) {
    struct ids all = {0};
    int64_t at = 0;
    size_t first = 0, done = 0, most = mapping_per_call(t->app->set->mapping, OPEN_PER_CALL);
    enum next next = sweep_get(t->app, "open_at", &at, NULL, why);
    next = next == NEXT_DONE ? open_ids(t->app, &all, why) : next;
    while (first < all.n && all.list[first] <= at) {
        first++;
    }
    while (next == NEXT_DONE && first < all.n && done < OPEN_PER_TURN) {
        struct ids some = {.list = all.list + first};
        some.n = all.n - first < most ? all.n - first : most;
        next = read_open(t, &some, why);
        first += some.n;
        done += some.n;
    }
    if (next == NEXT_DONE && first < all.n) {
        t->delay_ms = 0;
        t->ended = false;
    } else if (next == NEXT_DONE) {
        next = sweep_put(t->app, "open_at", 0, why);
        next = next == NEXT_DONE ? sweep_put(t->app, "open_total", (int64_t)all.n, why) : next;
    }
    free(all.list);
    return next;
}
