/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every web order that holds stock, or has something open in Sitoo, is looked at once in web_orders_hours by whoever
 * keeps it (order-created), whatever events and timers there were. The round's list is made at its beginning and kept
 * in Redis, so that a killed sweep goes on with it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "keys.h"
#include "works.h"
#include "ban.h"

#define LIST            "sweep:web_orders"
#define ORDERS_PER_TURN INT64_C(20)
#define BATCH           ((size_t)500)
#define TURN_MIN_MS     INT64_C(1000)
#define DONE            "handed:done"

static enum next run(struct app *app, struct args *a, redisReply **reply, struct reason *why) {
    enum next next = redis_command(app->redis, a, true, reply, why);
    args_free(a);
    return next;
}

/* Appends those of the orders that are not done to the round's list. Twice does no harm. */
static enum next push(struct app *app, const redisReply *orders, size_t step, struct reason *why) {
    enum next next = NEXT_DONE;
    for (size_t at = 0; next == NEXT_DONE && at < orders->elements; at += BATCH * step) {
        struct args ask = {0}, add = {0};
        redisReply *scores = NULL, *pushed = NULL;
        size_t end = at + BATCH * step < orders->elements ? at + BATCH * step : orders->elements, n = 0;
        args_add(&ask, "ZMSCORE");
        args_add_key(&ask, app->redis, DONE);
        for (size_t i = at; i < end; i += step) {
            args_add(&ask, reply_str_at(orders, i));
        }
        next = run(app, &ask, &scores, why);
        args_add(&add, "RPUSH");
        args_add_key(&add, app->redis, LIST);
        for (size_t i = at; next == NEXT_DONE && i < end; i += step) {
            if (reply_str_at(scores, (i - at) / step) == NULL) {
                args_add(&add, reply_str_at(orders, i));
                n++;
            }
        }
        if (next == NEXT_DONE && n > 0) {
            next = run(app, &add, &pushed, why);
        }
        args_free(&add);
        if (scores != NULL) {
            freeReplyObject(scores);
        }
        if (pushed != NULL) {
            freeReplyObject(pushed);
        }
    }
    return next;
}

static enum next list_keys(struct app *app, const char *key, struct reason *why) {
    enum next next = NEXT_DONE;
    char cursor[REDIS_CURSOR_SIZE] = "";
    do {
        redisReply *reply = NULL;
        next = redis_hash_page(app->redis, key, (int64_t)BATCH, cursor, &reply, why);
        if (next == NEXT_DONE) {
            next = push(app, reply->element[1], 2, why);
            freeReplyObject(reply);
        }
    } while (next == NEXT_DONE && !redis_hash_ended(cursor));
    return next;
}

static enum next length(struct app *app, int64_t *n, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "LLEN");
    args_add_key(&a, app->redis, LIST);
    enum next next = run(app, &a, &reply, why);
    if (next == NEXT_DONE) {
        *n = reply_int(reply);
        freeReplyObject(reply);
    }
    return next;
}

static enum next begin(struct app *app, int64_t *total, struct reason *why) {
    enum next next = list_keys(app, KEY_PENDING_ORDERS, why);
    next = next == NEXT_DONE ? list_keys(app, KEY_HANDED, why) : next;
    next = next == NEXT_DONE ? length(app, total, why) : next;
    return next == NEXT_DONE ? sweep_put(app, "web_orders_total", *total, why) : next;
}

/* Marks the first n of the list, then takes them off it. */
static enum next mark_first(struct app *app, int64_t n, struct reason *why) {
    struct args a = {0}, effects = {0};
    redisReply *reply = NULL;
    args_add(&a, "LRANGE");
    args_add_key(&a, app->redis, LIST);
    args_add_int(&a, 0);
    args_add_int(&a, n - 1);
    enum next next = run(app, &a, &reply, why);
    for (size_t i = 0; next == NEXT_DONE && i < reply->elements; i++) {
        effect_mark(&effects, QUEUE_HANDOVER, reply_str_at(reply, i), 0, "s", "");
    }
    next = next == NEXT_DONE && effects.n > 0 ? effects_apply(app->redis, &effects, why) : next;
    args_free(&effects);
    if (reply != NULL) {
        freeReplyObject(reply);
        reply = NULL;
    }
    args_add(&a, "LTRIM");
    args_add_key(&a, app->redis, LIST);
    args_add_int(&a, n);
    args_add_int(&a, -1);
    next = next == NEXT_DONE ? run(app, &a, &reply, why) : next;
    args_free(&a);
    if (reply != NULL) {
        freeReplyObject(reply);
    }
    return next;
}

enum next web_orders_turn(struct turn *t, struct reason *why) {
    int64_t left = 0, total = 0, interval = t->delay_ms, fast = 0;
    enum next next = length(t->app, &left, why);
    next = next == NEXT_DONE ? sweep_get(t->app, "web_orders_total", &total, NULL, why) : next;
    next = next == NEXT_DONE ? sweep_get(t->app, "web_orders_fast", &fast, NULL, why) : next;
    if (next == NEXT_DONE && left == 0) {
        next = begin(t->app, &total, why);
        left = total;
    }
    if (next == NEXT_DONE && t->asked && fast == 0) {
        fast = 1;
        next = sweep_put(t->app, "web_orders_fast", fast, why);
    }
    if (next == NEXT_DONE && left > 0) {
        next = mark_first(t->app, ORDERS_PER_TURN, why);
        left = left > ORDERS_PER_TURN ? left - ORDERS_PER_TURN : 0;
    }
    next = next == NEXT_DONE ? sweep_put(t->app, "web_orders_done", total > left ? total - left : 0, why) : next;
    t->ended = left == 0;
    if (next == NEXT_DONE && !t->ended) {
        /* Spread over the time that a round may take. */
        int64_t turns = total / ORDERS_PER_TURN + 1;
        t->delay_ms = fast != 0 || interval / turns < TURN_MIN_MS ? TURN_MIN_MS : interval / turns;
    } else if (next == NEXT_DONE) {
        next = sweep_put(t->app, "web_orders_fast", 0, why);
    }
    return next;
}
