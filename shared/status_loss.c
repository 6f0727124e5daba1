/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the status about what may be lost, who is told, and windows (shared/lua/11_windows.lua to 13_shops.lua,
 * 87_notify.lua). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "keys.h"
#include "quantity.h"
#include "status.h"
#include "ban.h"

#define DAY_MS (INT64_C(86400) * 1000)

static int64_t number(const redisReply *r, size_t i) {
    int64_t n = 0;
    const char *text = reply_str_at(r, i);
    return text != NULL ? (int_parse(text, INT64_MIN, INT64_MAX, &n) ? n : 0) : reply_int_at(r, i);
}

/* none: the value that stands for null. */
static void add_or_null(cJSON *o, const char *name, int64_t n, int64_t none) {
    if (n == none) {
        json_add_str(o, name, NULL);
    } else {
        json_add_int(o, name, n);
    }
}

static enum next call(struct app *app, const char *function, const struct args *a, redisReply **reply,
                      struct reason *why) {
    return redis_fcall(app->redis, function, a, true, reply, why);
}

static size_t elements(const redisReply *r, size_t i) {
    return i < r->elements ? r->element[i]->elements : 0;
}

static enum next add_loss(struct app *app, cJSON *status, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    enum next next = call(app, "loss", &a, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    cJSON *loss = json_add_object(status, "loss"), *routes = json_add_array(loss, "routes"),
          *hooks = json_add_array(loss, "hooks");
    for (size_t i = 0; i < elements(reply, 0); i++) {
        const redisReply *r = reply->element[0]->element[i];
        cJSON *o = json_new_object();
        json_add_str(o, "route", reply_str_at(r, 0));
        add_or_null(o, "left_ms", number(r, 1), -1);
        json_add_int(o, "refused", number(r, 2));
        json_add_int(o, "first_ms", number(r, 3));
        json_add_int(o, "last_ms", number(r, 4));
        json_add_str(o, "why", reply_str_at(r, 5));
        add_or_null(o, "idle_left_ms", number(r, 6), -1);
        (void)cJSON_AddItemToArray(routes, o);
    }
    for (size_t i = 0; i < elements(reply, 1); i++) {
        const redisReply *r = reply->element[1]->element[i];
        cJSON *o = json_new_object();
        json_add_str(o, "entity", reply_str_at(r, 0));
        json_add_int(o, "left_ms", number(r, 1));
        (void)cJSON_AddItemToArray(hooks, o);
    }
    freeReplyObject(reply);
    return NEXT_DONE;
}

static enum next add_shops(struct app *app, cJSON *status, struct reason *why) {
    const struct mapping *m = app->set->mapping;
    struct args a = {0};
    redisReply *reply = NULL;
    cJSON *shops = json_add_array(status, "shops");
    for (size_t i = 0; m != NULL && i < m->warehouse_count; i++) {
        args_add_int(&a, m->warehouses[i]);
    }
    enum next next = a.n > 0 ? call(app, "shops", &a, &reply, why) : NEXT_DONE;
    args_free(&a);
    for (size_t i = 0; reply != NULL && i < reply->elements; i++) {
        const redisReply *r = reply->element[i];
        cJSON *o = json_new_object();
        json_add_int(o, "warehouse", number(r, 0));
        json_add_int(o, "last_ms", number(r, 1));
        json_add_int(o, "missed", number(r, 2) / 1000);
        (void)cJSON_AddItemToArray(shops, o);
    }
    if (reply != NULL) {
        freeReplyObject(reply);
    }
    return next;
}

static enum next add_notify(struct app *app, cJSON *status, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "webhook");
    args_add(&a, "email");
    enum next next = call(app, "notify_state", &a, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    cJSON *list = json_add_array(status, "notify");
    for (size_t i = 0; i < reply->elements; i++) {
        const redisReply *r = reply->element[i];
        cJSON *o = json_new_object();
        json_add_str(o, "channel", reply_str_at(r, 0));
        json_add_int(o, "waiting", number(r, 1));
        add_or_null(o, "ok_ms", number(r, 2), 0);
        add_or_null(o, "failing_since_ms", number(r, 3), 0);
        json_add_str(o, "why", reply_str_at(r, 4));
        (void)cJSON_AddItemToArray(list, o);
    }
    freeReplyObject(reply);
    return NEXT_DONE;
}

/* ---- windows and lags ---- */

static int64_t field(const redisReply *hash, const char *name) {
    for (size_t i = 0; i + 1 < hash->elements; i += 2) {
        if (strcmp(reply_str_at(hash, i), name) == 0) {
            return number(hash, i + 1);
        }
    }
    return 0;
}

/* Prometheus wants each bucket to hold all below it, which is easier here than in Redis. */
static void add_buckets(cJSON *all, const char *name, const redisReply *hash) {
    static const int64_t bounds[] = {250, 500, 1000, 2000, 5000, 10000, 30000, 60000, 300000, 600000};
    char text[48];
    int64_t sum = 0;
    cJSON *list = json_add_array(all, name);
    for (size_t i = 0; i <= sizeof bounds / sizeof bounds[0]; i++) {
        bool last = i == sizeof bounds / sizeof bounds[0];
        cJSON *o = json_new_object();
        if (last) {
            (void)snprintf(text, sizeof text, "%s:inf", name);
        } else {
            (void)snprintf(text, sizeof text, "%s:%" PRId64, name, bounds[i]);
        }
        sum += field(hash, text);
        add_or_null(o, "le_ms", last ? -1 : bounds[i], -1);
        json_add_int(o, "n", sum);
        (void)cJSON_AddItemToArray(list, o);
    }
    (void)snprintf(text, sizeof text, "%s:sum", name);
    int64_t total = field(hash, text);
    (void)snprintf(text, sizeof text, "%s_sum_ms", name);
    json_add_int(all, text, total);
}

static enum next add_windows(struct app *app, cJSON *status, struct reason *why) {
    struct args cmds[2] = {{0}};
    redisReply *replies[2] = {NULL};
    char key[64];
    (void)snprintf(key, sizeof key, KEY_WINDOWS_SUM, (long long)(clock_wall_ms() / DAY_MS));
    args_add(&cmds[0], "HGETALL");
    args_add_key(&cmds[0], app->redis, key);
    args_add(&cmds[1], "HGETALL");
    args_add_key(&cmds[1], app->redis, KEY_LAG_BUCKETS);
    enum next next = redis_pipeline(app->redis, cmds, 2, true, replies, why);
    if (next == NEXT_DONE) {
        cJSON *o = json_add_object(status, "windows"), *lags = json_add_object(status, "lag_buckets");
        json_add_int(o, "today", field(replies[0], "n"));
        json_add_int(o, "today_ms", field(replies[0], "ms"));
        json_add_int(o, "worst_ms", field(replies[0], "worst"));
        json_add_int(o, "offline", field(replies[0], "offline"));
        add_buckets(lags, "accepted", replies[1]);
        add_buckets(lags, "confirmed", replies[1]);
    }
    redis_pipeline_free(cmds, replies, 2);
    return next;
}

enum next status_loss(struct app *app, cJSON *status, struct reason *why) {
    enum next next = add_loss(app, status, why);
    next = next == NEXT_DONE ? add_shops(app, status, why) : next;
    next = next == NEXT_DONE ? add_notify(app, status, why) : next;
    return next == NEXT_DONE ? add_windows(app, status, why) : next;
}
