/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the status about the sweep: each work, what was missed, which levels were not as they should be. */
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "keys.h"
#include "quantity.h"
#include "status.h"
#include "ban.h"

static const char *const works[] = {"orders", "open",   "bigcommerce", "refunds",  "web_orders",
                                    "stock",  "levels", "moved",       "suspects", "timers"};
#define WORKS (sizeof works / sizeof works[0])

enum asked { ASK_TIME, ASK_HASH, ASK_COUNTS, ASK_SUSPECTS, ASK_LATE, ASK_DUE, ASKED };

static const char *field_of(const redisReply *hash, const char *work, const char *what) {
    char name[64];
    (void)snprintf(name, sizeof name, "%s_%s", work, what);
    for (size_t i = 0; i + 1 < hash->elements; i += 2) {
        const char *field = reply_str_at(hash, i);
        if (field != NULL && strcmp(field, name) == 0) {
            return reply_str_at(hash, i + 1);
        }
    }
    return NULL;
}

static void add_number(cJSON *o, const char *name, const char *text) {
    int64_t n = 0;
    if (text != NULL && int_parse(text, 0, INT64_MAX, &n)) {
        json_add_int(o, name, n);
    } else {
        json_add_str(o, name, NULL);
    }
}

/* When it is due again: its score; null if it has no timer. */
static const char *due_of(const redisReply *due, const char *work) {
    for (size_t i = 0; i + 1 < due->elements; i += 2) {
        const char *name = reply_str_at(due, i);
        if (name != NULL && strcmp(name, work) == 0) {
            return reply_str_at(due, i + 1);
        }
    }
    return NULL;
}

/* In shadow mode no level is written, so none is compared; suspects are looked at only when there are any. */
static bool is_regular(const struct app *app, const char *work) {
    bool levels = strcmp(work, "stock") == 0 || strcmp(work, "levels") == 0 || strcmp(work, "moved") == 0;
    return strcmp(work, "suspects") != 0 && (!levels || app->mode == MODE_LIVE);
}

static void add_work(const struct app *app, cJSON *sweep, const char *work, redisReply *const r[ASKED]) {
    cJSON *o = json_add_object(sweep, work);
    if (app->set->mapping != NULL && is_regular(app, work)) {
        json_add_int(o, "every_ms", mapping_sweep_every(&app->set->mapping->sweep, work));
    } else {
        json_add_str(o, "every_ms", NULL);
    }
    add_number(o, "last_ms", field_of(r[ASK_HASH], work, "last"));
    add_number(o, "took_ms", field_of(r[ASK_HASH], work, "took"));
    add_number(o, "next_ms", due_of(r[ASK_DUE], work));
    add_number(o, "position", field_of(r[ASK_HASH], work, "done"));
    add_number(o, "total", field_of(r[ASK_HASH], work, "total"));
    json_add_str(o, "problem", field_of(r[ASK_HASH], work, "problem"));
}

/* Counters whose names begin so, without the beginning. */
static void add_counts(cJSON *sweep, const char *name, const char *prefix, const redisReply *counts) {
    cJSON *o = json_add_object(sweep, name);
    for (size_t i = 0; i + 1 < counts->elements; i += 2) {
        const char *counter = reply_str_at(counts, i), *text = reply_str_at(counts, i + 1);
        int64_t n = 0;
        if (counter != NULL && strncmp(counter, prefix, strlen(prefix)) == 0 && int_parse(text, 0, INT64_MAX, &n)) {
            json_add_int(o, counter + strlen(prefix), n);
        }
    }
}

static void add_answers(const struct app *app, cJSON *status, redisReply *const r[ASKED]) {
    int64_t seconds = 0;
    cJSON *sweep = json_add_object(status, "sweep"), *list = json_add_object(sweep, "works");
    (void)int_parse(reply_str_at(r[ASK_TIME], 0), 0, INT64_MAX, &seconds);
    json_add_int(sweep, "now_ms", seconds * 1000);
    for (size_t i = 0; i < WORKS; i++) {
        add_work(app, list, works[i], r);
    }
    add_counts(sweep, "missed", "missed:", r[ASK_COUNTS]);
    add_counts(sweep, "drift", "drift:", r[ASK_COUNTS]);
    json_add_int(sweep, "suspects", reply_int(r[ASK_SUSPECTS]));
    json_add_int(sweep, "waiting", reply_int(r[ASK_LATE]));
}

enum next status_sweep(struct app *app, cJSON *status, struct reason *why) {
    static const struct {
        const char *command, *key;
    } questions[ASKED] = {[ASK_TIME] = {"TIME", NULL},           [ASK_HASH] = {"HGETALL", KEY_SWEEP},
                          [ASK_COUNTS] = {"HGETALL", KEY_COUNT}, [ASK_SUSPECTS] = {"HLEN", KEY_SWEEP_SUSPECTS},
                          [ASK_LATE] = {"HLEN", KEY_SWEEP_LATE}, [ASK_DUE] = {"ZRANGE", "due:" QUEUE_SWEEP}};
    struct args cmds[ASKED] = {{0}};
    redisReply *replies[ASKED] = {NULL};
    for (size_t i = 0; i < ASKED; i++) {
        args_add(&cmds[i], questions[i].command);
        if (questions[i].key != NULL) {
            args_add_key(&cmds[i], app->redis, questions[i].key);
        }
    }
    args_add(&cmds[ASK_DUE], "0");
    args_add(&cmds[ASK_DUE], "-1");
    args_add(&cmds[ASK_DUE], "WITHSCORES");
    enum next next = redis_pipeline(app->redis, cmds, ASKED, true, replies, why);
    if (next == NEXT_DONE) {
        add_answers(app, status, replies);
    }
    redis_pipeline_free(cmds, replies, ASKED);
    return next;
}
