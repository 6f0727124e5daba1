/* SPDX-License-Identifier: Apache-2.0 */
#include "watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "keys.h"
#include "log.h"
#include "quantity.h"
#include "queue.h"
#include "web_hook.h"
#include "worker.h"
#include "ban.h"

#define ORDERS_PER_ROUND 20
#define DAY_MS           (INT64_C(86400) * 1000)
#define TICK_MIN_MS      INT64_C(1000)

/* What one look at an order brought together. */
struct look {
    struct watch watch;
    struct refund_list refunds;
    struct goods goods;
    struct args effects;
    int64_t next_ms; /* WATCH_SETTLED, or until the next look */
};

static void look_free(struct look *l) {
    refund_list_free(&l->refunds);
    goods_free(&l->goods);
    args_free(&l->effects);
}

/* Reads and plans; free with look_free in every case. */
static enum next look_at(struct app *app, int64_t order_id, bool again, struct look *l, struct reason *why) {
    memset(l, 0, sizeof *l);
    l->watch = (struct watch){.mapping = app->set->mapping,
                              .refunds = &l->refunds,
                              .order_id = order_id,
                              .now_ms = clock_wall_ms(),
                              .again = again};
    enum next next = refunds_read(app, order_id, &l->refunds, NULL, why);
    next = next == NEXT_DONE ? goods_since(app, &l->watch.since_ms, why) : next;
    const struct goods_question q = {.order_id = order_id,
                                     .since_ms = l->watch.since_ms,
                                     .due_ms = l->watch.now_ms - app->set->mapping->returns.goods_back_days * DAY_MS,
                                     .refunds = &l->refunds};
    bool wanted = false;
    for (size_t i = 0; i < l->refunds.n; i++) {
        wanted = wanted || goods_wanted(&q, &l->refunds.list[i]);
    }
    if (next == NEXT_DONE && wanted) {
        next = goods_read(app, &q, &l->goods, why);
        l->watch.goods = &l->goods;
    }
    if (next == NEXT_DONE) {
        l->next_ms = watch_plan(&l->watch, &l->effects);
    }
    return next;
}

/* True if the operation was done before. */
static enum next known(struct app *app, const char *op, bool *yes, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    char key[64];
    (void)snprintf(key, sizeof key, KEY_OP, op);
    args_add(&a, "EXISTS");
    args_add_key(&a, app->redis, key);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        *yes = reply_int(reply) > 0;
        freeReplyObject(reply);
    }
    return next;
}

/* A customer who was not paid: said aloud, the first time. */
static enum next alarm(struct app *app, const struct look *l, struct reason *why) {
    enum next next = NEXT_DONE;
    for (size_t i = 0; next == NEXT_DONE && i < l->refunds.n; i++) {
        const struct refund *r = &l->refunds.list[i];
        char op[40];
        bool before = true;
        if (r->reference[0] == '\0' || !r->declined) {
            continue;
        }
        watch_op(r, op);
        next = known(app, op, &before, why);
        if (!before) {
            LOG(LOG_ALARM, "a refund was declined: the customer was not paid", {"outcome", "parked"},
                {"order", log_int(l->watch.order_id)}, {"refund", log_int(r->id)}, {"cause", "refund_declined"});
        }
    }
    return next;
}

/* Effects first: each happens once, or says the same again. */
static enum next end_look(struct app *app, const struct claim *c, const struct look *l, struct reason *why) {
    size_t fenced = 0;
    enum next next = NEXT_DONE;
    if (l->next_ms == WATCH_SETTLED) {
        next = queue_complete(app->redis, QUEUE_REFUND, c, 1, &l->effects, &fenced, why);
    } else {
        int64_t delay = l->next_ms > TICK_MIN_MS ? l->next_ms : TICK_MIN_MS;
        next = l->effects.n > 0 ? effects_apply(app->redis, &l->effects, why) : NEXT_DONE;
        next = next == NEXT_DONE ? queue_tick(app->redis, QUEUE_REFUND, c, delay, why) : next;
    }
    if (next == NEXT_DONE) {
        LOG(LOG_INFO, "refunds looked at",
            {"outcome", fenced > 0                    ? "fenced"
                        : l->next_ms == WATCH_SETTLED ? "settled"
                                                      : "deferred"},
            {"order", c->entity}, {"refunds", log_int((long long)l->refunds.n)},
            {"again_in_ms", log_int(l->next_ms == WATCH_SETTLED ? 0 : l->next_ms)});
    }
    return next;
}

static bool asked_again(const char *hint) {
    return strcmp(hint, "f") == 0 || strncmp(hint, "f ", 2) == 0 || strstr(hint, " f") != NULL;
}

static enum next one(struct app *app, const struct claim *c, struct reason *why) {
    struct look look;
    int64_t id = 0;
    if (!int_parse(c->entity, 1, JSON_INT_MAX, &id)) {
        return reason_set(why, NEXT_BUG, "bad_entity", "%.80s is no id of a BigCommerce order", c->entity);
    }
    enum next next = look_at(app, id, asked_again(c->hint), &look, why);
    next = next == NEXT_DONE ? alarm(app, &look, why) : next;
    next = next == NEXT_DONE ? end_look(app, c, &look, why) : next;
    look_free(&look);
    return next;
}

enum next watch_work(struct app *app, int64_t *wait_ms, struct reason *why) {
    struct claims claims = {0};
    struct worker_hold hold;
    const char *owner = app->set->mapping->owner_money;
    enum next next = queue_claim(app->redis, QUEUE_REFUND, ORDERS_PER_ROUND, app->holder, owner, &claims, why);
    worker_hold_begin(&hold, app, QUEUE_REFUND, &claims);
    for (size_t i = 0; next == NEXT_DONE && i < claims.n; i++) {
        struct reason cause = {0};
        enum next result = one(app, &claims.list[i], &cause);
        if (result != NEXT_DONE) {
            worker_unsettled(app, QUEUE_REFUND, &claims.list[i], 1, result, &cause, owner);
        }
    }
    worker_hold_end(&hold);
    if (next == NEXT_DONE && claims.n > 0) {
        *wait_ms = 0;
    } else if (next == NEXT_DONE && claims.wait_ms >= 0 && claims.wait_ms < *wait_ms) {
        *wait_ms = claims.wait_ms;
    }
    claims_free(&claims);
    return next;
}

/* ---- invoke ---- */

int watch_invoke(struct app *app, const char *payload, size_t len, bool dry_run) {
    struct reason why = {0};
    struct look look = {0};
    char text[160] = "";
    int64_t id = web_hook_payload(payload, len, text, sizeof text);
    if (id <= 0) {
        (void)fprintf(stderr, "%s\n", text);
        return 1;
    }
    (void)snprintf(text, sizeof text, "{\"queue\":\"" QUEUE_REFUND "\",\"order\":%lld}", (long long)id);
    app->trace("plan", text);
    if (dry_run) {
        return 0;
    }
    enum next next = look_at(app, id, false, &look, &why);
    if (next == NEXT_DONE && look.effects.n > 0) {
        next = effects_apply(app->redis, &look.effects, &why);
    }
    if (next == NEXT_DONE) {
        (void)snprintf(text, sizeof text, "{\"refunds\":%zu,\"again_in_ms\":%lld}", look.refunds.n,
                       (long long)(look.next_ms == WATCH_SETTLED ? 0 : look.next_ms));
        app->trace("outcome", text);
    } else {
        (void)fprintf(stderr, "%s\n", why.text);
    }
    look_free(&look);
    return next == NEXT_DONE ? 0 : 1;
}
