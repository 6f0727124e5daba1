/* SPDX-License-Identifier: Apache-2.0 */
#include "works.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "keys.h"
#include "level.h"
#include "log.h"
#include "mode.h"
#include "quantity.h"
#include "worker.h"
#include "ban.h"

#define MINUTE_MS    (INT64_C(60) * 1000)
#define AGAIN_MS     MINUTE_MS /* after a failure */
#define NOT_WHOLE_MS INT64_C(5000)
#define QUOTA_KEPT   2 /* half of the window's calls are left to others by what can wait */

static const struct work {
    const char *name;
    enum next (*turn)(struct turn *, struct reason *);
    bool levels;  /* only where levels are written: live, and nothing is held */
    bool by_mark; /* runs only when somebody marks it */
} works[] = {
    {SWEEP_ORDERS, orders_turn, false, false},
    {SWEEP_OPEN, open_turn, false, false},
    {SWEEP_BIGCOMMERCE, bigcommerce_turn, false, false},
    {SWEEP_REFUNDS, refunds_turn, false, false},
    {SWEEP_WEB_ORDERS, web_orders_turn, false, false},
    {SWEEP_STOCK, stock_turn, true, false},
    {SWEEP_LEVELS, levels_turn, true, false},
    {SWEEP_MOVED, moved_turn, true, false},
    {SWEEP_SUSPECTS, suspects_turn, true, true},
    {SWEEP_TIMERS, timers_turn, false, false},
};
#define WORKS (sizeof works / sizeof works[0])

/* ---- the hash ---- */

static enum next run(struct app *app, struct args *a, redisReply **reply, struct reason *why) {
    redisReply *own = NULL;
    enum next next = redis_command(app->redis, a, true, &own, why);
    args_free(a);
    if (next == NEXT_DONE && reply != NULL) {
        *reply = own;
    } else if (next == NEXT_DONE) {
        freeReplyObject(own);
    }
    return next;
}

enum next sweep_get(struct app *app, const char *field, int64_t *n, bool *known, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    *n = 0;
    args_add(&a, "HGET");
    args_add_key(&a, app->redis, KEY_SWEEP);
    args_add(&a, field);
    enum next next = run(app, &a, &reply, why);
    if (next == NEXT_DONE) {
        const char *text = reply_str(reply);
        bool there = text != NULL && int_parse(text, 0, INT64_MAX, n);
        if (known != NULL) {
            *known = there;
        }
        freeReplyObject(reply);
    }
    return next;
}

enum next sweep_put(struct app *app, const char *field, int64_t n, struct reason *why) {
    struct args a = {0};
    args_add(&a, "HSET");
    args_add_key(&a, app->redis, KEY_SWEEP);
    args_add(&a, field);
    args_add_int(&a, n);
    return run(app, &a, NULL, why);
}

enum next sweep_quota_low(struct app *app, bool *low, int64_t *wait_ms, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    int64_t quota = 0, left = 0, reset = 0, now = clock_wall_ms();
    *low = false;
    *wait_ms = 0;
    args_add(&a, "HMGET");
    args_add_key(&a, app->redis, KEY_RATE_BIGCOMMERCE);
    args_add(&a, "quota");
    args_add(&a, "left");
    args_add(&a, "reset");
    enum next next = run(app, &a, &reply, why);
    if (next != NEXT_DONE) {
        return next;
    }
    const char *texts[] = {reply_str_at(reply, 0), reply_str_at(reply, 1), reply_str_at(reply, 2)};
    if (texts[0] != NULL && texts[1] != NULL && texts[2] != NULL && int_parse(texts[0], 1, INT64_MAX, &quota) &&
        int_parse(texts[1], INT64_MIN, INT64_MAX, &left) && int_parse(texts[2], 0, INT64_MAX, &reset) && reset > now) {
        *low = left < quota / QUOTA_KEPT;
        *wait_ms = reset - now;
    }
    freeReplyObject(reply);
    return NEXT_DONE;
}

/* ---- the timers ---- */

static enum next those_there(struct app *app, redisReply **scores, struct reason *why) {
    struct args a = {0};
    args_add(&a, "ZMSCORE");
    args_add_key(&a, app->redis, "due:" QUEUE_SWEEP);
    for (size_t i = 0; i < WORKS; i++) {
        args_add(&a, works[i].name);
    }
    return run(app, &a, scores, why);
}

/* Those that are missing: all at the first start; some after Redis lost its last part, or with a new release. */
static enum next make_timers(struct app *app, struct reason *why) {
    struct args timers = {0};
    redisReply *scores = NULL;
    enum next next = those_there(app, &scores, why);
    for (size_t i = 0; next == NEXT_DONE && i < WORKS; i++) {
        if (!works[i].by_mark && reply_str_at(scores, i) == NULL) {
            effect_mark_in(&timers, QUEUE_SWEEP, works[i].name, works[i].levels ? AGAIN_MS : 0, "");
        }
    }
    next = next == NEXT_DONE && timers.n > 0 ? effects_apply(app->redis, &timers, why) : next;
    if (scores != NULL) {
        freeReplyObject(scores);
    }
    args_free(&timers);
    return next;
}

/* ---- one turn ---- */

static enum next is_whole(struct app *app, bool *whole, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "HGET");
    args_add_key(&a, app->redis, KEY_EPOCH);
    args_add(&a, "state");
    enum next next = run(app, &a, &reply, why);
    if (next == NEXT_DONE) {
        *whole = reply_str(reply) != NULL && strcmp(reply_str(reply), "whole") == 0;
        freeReplyObject(reply);
    }
    return next;
}

/* How it went, for /status. A failure here costs a line there. */
static void note(struct app *app, const char *name, bool ended, int64_t took_ms, const char *problem) {
    struct args cmds[2] = {{0}, {0}};
    redisReply *replies[2] = {NULL, NULL};
    struct reason ignored = {0};
    size_t n = 1;
    args_add(&cmds[0], problem[0] != '\0' ? "HSET" : "HDEL");
    args_add_key(&cmds[0], app->redis, KEY_SWEEP);
    args_addf(&cmds[0], "%s_problem", name);
    if (problem[0] != '\0') {
        args_add(&cmds[0], problem);
    } else if (ended) {
        args_add(&cmds[1], "HSET");
        args_add_key(&cmds[1], app->redis, KEY_SWEEP);
        args_addf(&cmds[1], "%s_last", name);
        args_add_int(&cmds[1], clock_wall_ms());
        args_addf(&cmds[1], "%s_took", name);
        args_add_int(&cmds[1], took_ms);
        n = 2;
    }
    if (redis_pipeline(app->redis, cmds, n, true, replies, &ignored) == NEXT_DONE) {
        for (size_t i = 0; i < n; i++) {
            freeReplyObject(replies[i]);
        }
    }
    args_free(&cmds[0]);
    args_free(&cmds[1]);
}

static enum next end_turn(struct app *app, const struct work *w, const struct claim *c, struct turn *t,
                          enum next result, const struct reason *cause, int64_t began_ms, struct reason *why) {
    size_t fenced = 0;
    note(app, w->name, t->ended, clock_mono_ms() - began_ms, result != NEXT_DONE ? cause->text : "");
    if (result != NEXT_DONE) {
        LOG(LOG_WARN, "reading failed; trying again", {"outcome", "deferred"}, {"what", w->name},
            {"cause", cause->cause}, {"why", cause->text});
        /* What a person asked for is not forgotten. */
        const struct reason kept = {.not_its_fault = true, .wait_ms = cause->wait_ms};
        int64_t delay = stop_requested() ? 0 : cause->wait_ms > 0 ? cause->wait_ms : AGAIN_MS;
        return queue_defer(app->redis, QUEUE_SWEEP, c, 1, delay, &kept, why);
    }
    return t->over ? queue_complete(app->redis, QUEUE_SWEEP, c, 1, NULL, &fenced, why)
                   : queue_tick(app->redis, QUEUE_SWEEP, c, t->delay_ms, why);
}

static enum next one_turn(struct app *app, const struct claims *claims, struct reason *why) {
    const struct claim *c = &claims->list[0];
    const struct work *w = NULL;
    struct worker_hold hold;
    struct reason cause = {0};
    bool whole = false;
    size_t fenced = 0;
    for (size_t i = 0; i < WORKS; i++) {
        w = strcmp(works[i].name, c->entity) == 0 ? &works[i] : w;
    }
    if (w == NULL) {
        LOG(LOG_WARN, "the sweep has no such work", {"outcome", "settled"}, {"what", c->entity});
        return queue_complete(app->redis, QUEUE_SWEEP, c, 1, NULL, &fenced, why);
    }
    struct turn t = {.app = app,
                     .asked = hint_has(c->hint, "f"),
                     .delay_ms = mapping_sweep_every(&app->set->mapping->sweep, w->name),
                     .ended = true};
    int64_t began_ms = clock_mono_ms();
    worker_hold_begin(&hold, app, QUEUE_SWEEP, claims);
    enum next next = mode_refresh(app, &cause);
    next = next == NEXT_DONE ? is_whole(app, &whole, &cause) : next;
    if (next == NEXT_DONE && !whole) {
        next = reason_set(&cause, NEXT_DEFER, "not_whole", "waiting until Redis's data are rebuilt from the platforms");
        cause.wait_ms = NOT_WHOLE_MS;
    } else if (next == NEXT_DONE && w->levels && app->mode != MODE_LIVE) {
        next = reason_set(&cause, NEXT_DEFER, "shadow", "in shadow mode no level is written, so none can be compared");
        cause.wait_ms = AGAIN_MS;
    }
    next = next == NEXT_DONE ? w->turn(&t, &cause) : next;
    next = next == NEXT_DONE && !w->levels ? make_timers(app, &cause) : next;
    worker_hold_end(&hold);
    return end_turn(app, w, c, &t, next, &cause, began_ms, why);
}

enum next works_work(struct app *app, int64_t *wait_ms, struct reason *why) {
    struct claims claims = {0};
    enum next next = queue_claim(app->redis, QUEUE_SWEEP, 1, app->holder, app->set->mapping->owner_stock, &claims, why);
    if (next == NEXT_DONE && claims.n > 0) {
        *wait_ms = 0;
        next = one_turn(app, &claims, why);
    } else if (next == NEXT_DONE && claims.wait_ms < 0) {
        next = make_timers(app, why);
        *wait_ms = 0;
    } else if (next == NEXT_DONE && claims.wait_ms < *wait_ms) {
        *wait_ms = claims.wait_ms;
    }
    claims_free(&claims);
    return next;
}
