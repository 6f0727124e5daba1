/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "json.h"
#include "keys.h"
#include "quantity.h"
#include "ban.h"

#define ENTITIES_MAX 5000 /* looked at per queue */
#define CASES_MAX    10000
#define QUEUES       5

/* Which function works on which queue; the ledger's timer is always due and left out. */
static const struct {
    const char *queue, *function;
} places[QUEUES] = {{QUEUE_ORDER, "sitoo-events"},
                    {QUEUE_SALE, "sale"},
                    {QUEUE_RETURN, "return"},
                    {QUEUE_SKU, "stock-moved"},
                    {QUEUE_ITEM, "stock-moved"}};

static int compare(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

int64_t status_percentile(int64_t *values, size_t n, int percent) {
    if (n == 0) {
        return 0;
    }
    qsort(values, n, sizeof *values, compare);
    size_t rank = (n * (size_t)percent + 99) / 100;
    return values[rank > 0 ? rank - 1 : 0];
}

/* One command; the reply is the caller's. */
static enum next ask(struct app *app, redisReply **reply, struct reason *why, const char *command, const char *key,
                     const char *a, const char *b) {
    struct args args = {0};
    args_add(&args, command);
    args_add_key(&args, app->redis, key);
    if (a != NULL) {
        args_add(&args, a);
    }
    if (b != NULL) {
        args_add(&args, b);
    }
    enum next next = redis_command(app->redis, &args, true, reply, why);
    args_free(&args);
    return next;
}

static enum next add_count(struct app *app, cJSON *o, const char *name, const char *command, const char *key,
                           struct reason *why) {
    redisReply *reply = NULL;
    enum next next = ask(app, &reply, why, command, key, NULL, NULL);
    if (next == NEXT_DONE) {
        json_add_int(o, name, reply_int(reply));
        freeReplyObject(reply);
    }
    return next;
}

/* ---- functions ---- */

struct load {
    int64_t due, claimed, deferred, oldest;
};

static void add_function(cJSON *functions, const char *name, const struct load *l) {
    const cJSON *old = json_get(functions, name);
    int64_t due = 0, claimed = 0, deferred = 0, oldest = 0;
    (void)json_int(old, "due", &due);
    (void)json_int(old, "claimed", &claimed);
    (void)json_int(old, "deferred", &deferred);
    (void)json_int(old, "oldest_age_ms", &oldest);
    cJSON_DeleteItemFromObjectCaseSensitive(functions, name);
    cJSON *o = cJSON_CreateObject();
    (void)cJSON_AddNumberToObject(o, "due", (double)(due + l->due));
    (void)cJSON_AddNumberToObject(o, "claimed", (double)(claimed + l->claimed));
    (void)cJSON_AddNumberToObject(o, "deferred", (double)(deferred + l->deferred));
    (void)cJSON_AddNumberToObject(o, "parked", 0);
    (void)cJSON_AddNumberToObject(o, "oldest_age_ms", (double)(l->oldest > oldest ? l->oldest : oldest));
    (void)cJSON_AddItemToObject(functions, name, o);
}

static enum next add_functions(struct app *app, cJSON *status, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add_int(&a, ENTITIES_MAX);
    for (size_t i = 0; i < QUEUES; i++) {
        args_add(&a, places[i].queue);
    }
    enum next next = redis_fcall(app->redis, "status", &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    cJSON *functions = json_add_object(status, "functions");
    for (size_t i = 0; i < QUEUES && i < reply->elements; i++) {
        const redisReply *r = reply->element[i];
        const struct load l = {.due = reply_int_at(r, 1),
                               .claimed = reply_int_at(r, 2),
                               .deferred = reply_int_at(r, 3),
                               .oldest = reply_int_at(r, 4)};
        add_function(functions, places[i].function, &l);
    }
    freeReplyObject(reply);
    return NEXT_DONE;
}

/* ---- parked ---- */

static void count_up(cJSON *o, const char *name) {
    cJSON *n = cJSON_GetObjectItemCaseSensitive(o, name);
    if (n != NULL) {
        cJSON_SetNumberValue(n, n->valuedouble + 1);
    } else {
        (void)cJSON_AddNumberToObject(o, name, 1);
    }
}

static void count_case(cJSON *functions, cJSON *by_cause, const redisReply *r) {
    const char *cause = reply_str_at(r, 0), *queue = reply_str_at(r, 1), *function = "sitoo-events";
    count_up(by_cause, cause != NULL ? cause : "unknown");
    for (size_t i = 0; i < QUEUES && queue != NULL; i++) {
        function = strcmp(places[i].queue, queue) == 0 ? places[i].function : function;
    }
    cJSON *o = cJSON_GetObjectItemCaseSensitive(functions, function);
    if (o != NULL) {
        count_up(o, "parked");
    }
}

static enum next count_cases(struct app *app, const redisReply *ids, cJSON *functions, cJSON *by_cause,
                             struct reason *why) {
    struct args *cmds = xcalloc(ids->elements + 1, sizeof *cmds);
    redisReply **replies = xcalloc(ids->elements + 1, sizeof *replies);
    for (size_t i = 0; i < ids->elements; i++) {
        char name[KEY_MAX + 64];
        (void)snprintf(name, sizeof name, KEY_CASE, reply_str_at(ids, i));
        args_add(&cmds[i], "HMGET");
        args_add_key(&cmds[i], app->redis, name);
        args_add(&cmds[i], "cause");
        args_add(&cmds[i], "queue");
    }
    enum next next =
        ids->elements > 0 ? redis_pipeline(app->redis, cmds, ids->elements, true, replies, why) : NEXT_DONE;
    for (size_t i = 0; i < ids->elements; i++) {
        if (next == NEXT_DONE) {
            count_case(functions, by_cause, replies[i]);
            freeReplyObject(replies[i]);
        }
        args_free(&cmds[i]);
    }
    free(replies);
    free(cmds);
    return next;
}

static enum next add_parked(struct app *app, cJSON *status, struct reason *why) {
    redisReply *ids = NULL;
    char last[24];
    cJSON *parked = json_add_object(status, "parked");
    (void)snprintf(last, sizeof last, "%d", CASES_MAX - 1);
    enum next next = add_count(app, parked, "total", "ZCARD", KEY_PARKED, why);
    next = next == NEXT_DONE ? ask(app, &ids, why, "ZRANGE", KEY_PARKED, "0", last) : next;
    if (next == NEXT_DONE) {
        cJSON *by_cause = json_add_object(parked, "by_cause");
        next = count_cases(app, ids, cJSON_GetObjectItemCaseSensitive(status, "functions"), by_cause, why);
        freeReplyObject(ids);
    }
    return next;
}

/* ---- the rest ---- */

static enum next add_lag(struct app *app, cJSON *lags, const char *name, const char *key, struct reason *why) {
    redisReply *reply = NULL;
    enum next next = ask(app, &reply, why, "LRANGE", key, "0", "-1");
    if (next != NEXT_DONE) {
        return next;
    }
    size_t n = 0;
    int64_t *values = xcalloc(reply->elements + 1, sizeof *values);
    for (size_t i = 0; i < reply->elements; i++) {
        n += int_parse(reply_str_at(reply, i), 0, INT64_MAX, &values[n]) ? 1 : 0;
    }
    cJSON *o = json_add_object(lags, name);
    json_add_int(o, "n", (int64_t)n);
    json_add_int(o, "median", status_percentile(values, n, 50));
    json_add_int(o, "p95", status_percentile(values, n, 95));
    json_add_int(o, "worst", status_percentile(values, n, 100));
    free(values);
    freeReplyObject(reply);
    return NEXT_DONE;
}

static enum next add_writer(struct app *app, cJSON *status, struct reason *why) {
    redisReply *holder = NULL, *left = NULL;
    enum next next = ask(app, &holder, why, "HGET", KEY_WRITER, "holder", NULL);
    next = next == NEXT_DONE ? ask(app, &left, why, "PTTL", KEY_WRITER, NULL, NULL) : next;
    if (next == NEXT_DONE && reply_str(holder) != NULL) {
        cJSON *o = json_add_object(status, "writer");
        json_add_str(o, "holder", reply_str(holder));
        json_add_int(o, "lease_ms", reply_int(left) > 0 ? reply_int(left) : 0);
    } else if (next == NEXT_DONE) {
        json_add_str(status, "writer", NULL);
    }
    if (left != NULL) {
        freeReplyObject(left);
    }
    if (holder != NULL) {
        freeReplyObject(holder);
    }
    return next;
}

static int64_t hash_int(const redisReply *r, const char *field) {
    int64_t n = 0;
    for (size_t i = 0; i + 1 < r->elements; i += 2) {
        const char *name = reply_str_at(r, i), *value = reply_str_at(r, i + 1);
        if (name != NULL && strcmp(name, field) == 0 && !int_parse(value, INT64_MIN, INT64_MAX, &n)) {
            n = 0;
        }
    }
    return n;
}

static int64_t from_now(int64_t ms) {
    int64_t now = clock_wall_ms();
    return ms > now ? ms - now : 0;
}

static enum next add_budget(struct app *app, cJSON *status, struct reason *why) {
    redisReply *reply = NULL;
    enum next next = ask(app, &reply, why, "HGETALL", KEY_RATE_BIGCOMMERCE, NULL, NULL);
    if (next == NEXT_DONE) {
        cJSON *o = json_add_object(json_add_object(status, "budget"), "bigcommerce");
        json_add_int(o, "quota", hash_int(reply, "quota"));
        json_add_int(o, "left", hash_int(reply, "left"));
        json_add_int(o, "reset_in_ms", from_now(hash_int(reply, "reset")));
        json_add_int(o, "paused_ms", from_now(hash_int(reply, "until")));
        freeReplyObject(reply);
    }
    return next;
}

static enum next add_counts(struct app *app, cJSON *status, struct reason *why) {
    redisReply *reply = NULL;
    enum next next = ask(app, &reply, why, "HGETALL", KEY_COUNT, NULL, NULL);
    if (next == NEXT_DONE) {
        cJSON *counts = json_add_object(status, "counts");
        for (size_t i = 0; i + 1 < reply->elements; i += 2) {
            int64_t n = 0;
            if (int_parse(reply_str_at(reply, i + 1), INT64_MIN, INT64_MAX, &n)) {
                json_add_int(counts, reply_str_at(reply, i), n);
            }
        }
        freeReplyObject(reply);
    }
    return next;
}

static enum next add_all(struct app *app, cJSON *status, struct reason *why) {
    enum next next = add_functions(app, status, why);
    next = next == NEXT_DONE ? add_count(app, status, "unconfirmed_levels", "ZCARD", KEY_UNCONFIRMED, why) : next;
    next = next == NEXT_DONE ? add_count(app, status, "pending_orders", "HLEN", KEY_PENDING_ORDERS, why) : next;
    next = next == NEXT_DONE ? add_count(app, status, "open_intents", "HLEN", KEY_INTENTS, why) : next;
    next = next == NEXT_DONE ? add_writer(app, status, why) : next;
    next = next == NEXT_DONE ? add_parked(app, status, why) : next;
    cJSON *lags = json_add_object(status, "lag_ms");
    next = next == NEXT_DONE ? add_lag(app, lags, "accepted", KEY_LAG_ACCEPTED, why) : next;
    next = next == NEXT_DONE ? add_lag(app, lags, "confirmed", KEY_LAG_CONFIRMED, why) : next;
    next = next == NEXT_DONE ? add_budget(app, status, why) : next;
    return next == NEXT_DONE ? add_counts(app, status, why) : next;
}

enum next status_read(struct app *app, cJSON **out, struct reason *why) {
    cJSON *status = json_new_object();
    json_add_str(status, "mode", app->set->mode == MODE_LIVE ? "live" : "shadow");
    json_add_str(status, "tenant", app->set->tenant);
    enum next next = add_all(app, status, why);
    if (next != NEXT_DONE) {
        cJSON_Delete(status);
        return next;
    }
    /* Numbers were added as raw text; read back once, so that callers get ordinary numbers. */
    char *text = json_print(status), error[80];
    cJSON_Delete(status);
    *out = json_read(text, strlen(text), error, sizeof error);
    free(text);
    return *out != NULL ? NEXT_DONE : reason_set(why, NEXT_BUG, "status", "the status is not JSON: %s", error);
}
