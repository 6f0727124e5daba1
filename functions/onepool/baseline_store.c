/* SPDX-License-Identifier: Apache-2.0 */
/* What the baseline keeps in Redis, and the lease that lets only one run at a time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "baseline.h"
#include "clock.h"
#include "gate.h"
#include "keys.h"
#include "quantity.h"
#include "queue.h"
#include "ban.h"

#define SCAN_COUNT 1000

static enum next call(struct baseline *b, const char *function, struct args *a, redisReply **reply,
                      struct reason *why) {
    enum next next = redis_fcall(b->app->redis, function, a, true, reply, why);
    args_free(a);
    return next;
}

static enum next command(struct baseline *b, struct args *a, redisReply **reply, struct reason *why) {
    enum next next = redis_command(b->app->redis, a, true, reply, why);
    args_free(a);
    return next;
}

/* ---- lease ---- */

static void give(struct baseline *b, const char *token) {
    struct args a = {0};
    struct reason ignored = {0};
    redisReply *reply = NULL;
    args_add(&a, BASELINE_LEASE);
    args_add(&a, token);
    if (call(b, "unlease", &a, &reply, &ignored) == NEXT_DONE) {
        freeReplyObject(reply);
    }
}

static enum next take(struct baseline *b, int64_t *wait_ms, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, BASELINE_LEASE);
    args_add(&a, b->holder);
    args_add_int(&a, BASELINE_LEASE_MS);
    enum next next = call(b, "lease", &a, &reply, why);
    if (next != NEXT_DONE) {
        return next;
    }
    bool ours = reply_int_at(reply, 0) == 1;
    char token[24];
    (void)snprintf(token, sizeof token, "%lld", (long long)reply_int_at(reply, 1));
    *wait_ms = ours ? 0 : reply_int_at(reply, 1);
    freeReplyObject(reply);
    if (ours && b->token[0] != '\0' && strcmp(b->token, token) != 0) {
        /* Ours had ended, and somebody else may have stored pages in between: the old token stays, and is refused. */
        b->lost = true;
        give(b, token);
    } else if (ours) {
        (void)str_copy(b->token, sizeof b->token, token);
        b->taken_ms = clock_mono_ms();
    }
    return NEXT_DONE;
}

static bool keep(void *arg) {
    struct baseline *b = arg;
    struct reason why = {0};
    int64_t wait = 0;
    if (!b->lost && clock_mono_ms() - b->taken_ms > BASELINE_LEASE_MS / 5 && take(b, &wait, &why) == NEXT_DONE) {
        b->lost = b->lost || wait > 0;
    }
    return !b->lost;
}

/* Calls are made under one name, so that the next run gives back at once what a killed one held of Sitoo's keys. */
static enum next take_place(struct baseline *b, struct reason *why) {
    static const char *const queues[] = {NULL};
    int64_t ended = 0;
    app_place(b->app, 0, 0);
    return queue_recover(b->app->redis, b->app->holder, queues, &ended, why);
}

enum next baseline_lock(struct baseline *b, struct reason *why) {
    (void)str_copy(b->holder, sizeof b->holder, b->app->holder);
    int64_t end = clock_mono_ms() + 2 * BASELINE_LEASE_MS, wait = 0;
    enum next next = take(b, &wait, why);
    while (next == NEXT_DONE && wait > 0) {
        /* The lease of a run that was killed ends within BASELINE_LEASE_MS; a living one prolongs it. */
        if (clock_mono_ms() > end || !app_sleep(b->app, wait < 500 ? wait : 500)) {
            return reason_set(why, NEXT_DEFER, "busy", "another onepool baseline is running; let it end");
        }
        next = take(b, &wait, why);
    }
    if (next == NEXT_DONE) {
        b->app->keep = keep;
        b->app->keep_arg = b;
        next = take_place(b, why);
    }
    return next;
}

void baseline_unlock(struct baseline *b) {
    b->app->keep = NULL;
    if (b->token[0] != '\0') {
        give(b, b->token);
    }
}

/* The answer of a fenced function. */
static enum next fenced(enum next next, redisReply *reply, struct reason *why) {
    if (next != NEXT_DONE) {
        return next;
    }
    bool lost = reply_int(reply) < 0;
    freeReplyObject(reply);
    return lost ? reason_set(why, NEXT_STOP, "fenced",
                             "another onepool baseline has taken over; look at its output, or run this again")
                : NEXT_DONE;
}

/* ---- fields ---- */

enum next baseline_get(struct baseline *b, const char *field, char *out, size_t size, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    out[0] = '\0';
    args_add(&a, "HGET");
    args_add_key(&a, b->app->redis, KEY_BASELINE);
    args_add(&a, field);
    enum next next = command(b, &a, &reply, why);
    if (next == NEXT_DONE) {
        (void)str_copy(out, size, reply_str(reply) != NULL ? reply_str(reply) : "");
        freeReplyObject(reply);
    }
    return next;
}

enum next baseline_get_int(struct baseline *b, const char *field, int64_t *out, struct reason *why) {
    char text[32];
    enum next next = baseline_get(b, field, text, sizeof text, why);
    if (!int_parse(text, INT64_MIN, INT64_MAX, out)) {
        *out = 0;
    }
    return next;
}

enum next baseline_set_int(struct baseline *b, const char *field, int64_t n, struct reason *why) {
    struct args progress = {0};
    args_add(&progress, field);
    args_add_int(&progress, n);
    enum next next = baseline_put(b, "none", &(struct args){0}, &progress, why);
    args_free(&progress);
    return next;
}

enum next baseline_put(struct baseline *b, const char *name, const struct args *rows, const struct args *progress,
                       struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    (void)app_keep(b->app); /* calls that are answered at once never tick */
    args_add(&a, b->token);
    args_add(&a, name);
    args_add_int(&a, (int64_t)(rows->n / 2));
    args_append(&a, rows);
    args_append(&a, progress);
    enum next next = call(b, "baseline_put", &a, &reply, why);
    return fenced(next, reply, why);
}

enum next baseline_drop(struct baseline *b, const char *const *names, const char *const *fields, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    size_t n = 0;
    while (names[n] != NULL) {
        n++;
    }
    args_add(&a, b->token);
    args_add_int(&a, (int64_t)n);
    for (size_t i = 0; i < n; i++) {
        args_add(&a, names[i]);
    }
    for (size_t i = 0; fields[i] != NULL; i++) {
        args_add(&a, fields[i]);
    }
    enum next next = call(b, "baseline_drop", &a, &reply, why);
    return fenced(next, reply, why);
}

/* ---- what was read ---- */

enum next baseline_count(struct baseline *b, const char *name, int64_t *n, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    char key[BASELINE_WORD_MAX];
    (void)snprintf(key, sizeof key, KEY_BASELINE ":%s", name);
    args_add(&a, "HLEN");
    args_add_key(&a, b->app->redis, key);
    enum next next = command(b, &a, &reply, why);
    if (next == NEXT_DONE) {
        *n = reply_int(reply);
        freeReplyObject(reply);
    }
    return next;
}

/* HSCAN may give a field twice while a hash grows; nobody else writes these, and takers bear it. */
enum next baseline_each(struct baseline *b, const char *key,
                        void (*take_field)(void *arg, const char *field, const char *value), void *arg,
                        struct reason *why) {
    char cursor[REDIS_CURSOR_SIZE] = "";
    do {
        redisReply *reply = NULL;
        enum next next = redis_hash_page(b->app->redis, key, SCAN_COUNT, cursor, &reply, why);
        if (next != NEXT_DONE) {
            return next;
        }
        const redisReply *list = reply->element[1];
        for (size_t i = 0; i + 1 < list->elements; i += 2) {
            take_field(arg, reply_str_at(list, i), reply_str_at(list, i + 1));
        }
        freeReplyObject(reply);
        (void)app_keep(b->app);
    } while (!redis_hash_ended(cursor));
    return NEXT_DONE;
}

static void add_ids(struct buf *text, const int64_t *ids, size_t n) {
    for (size_t i = 0; i < n; i++) {
        buf_addf(text, " %lld", (long long)ids[i]);
    }
}

void baseline_mapping_digest(const struct mapping *m, char out[17]) {
    struct buf text;
    buf_init(&text, MAPPING_FILE_MAX);
    for (size_t i = 0; i < m->location_count; i++) {
        const struct mapping_location *l = &m->locations[i];
        buf_addf(&text, "%lld%s%s", (long long)l->location_id, l->is_pickup ? " pickup" : "",
                 l->serves_shipping ? " ships" : "");
        add_ids(&text, l->warehouse_ids, l->warehouse_count);
        buf_add_str(&text, " by");
        add_ids(&text, l->pickup_method_ids, l->pickup_method_count);
        buf_add_str(&text, "\n");
    }
    gate_digest(buf_str(&text), out);
    buf_free(&text);
}
