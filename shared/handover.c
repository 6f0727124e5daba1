/* SPDX-License-Identifier: Apache-2.0 */
#include "handover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "faultpoint.h"
#include "handover_look.h"
#include "handover_stock.h"
#include "json.h"
#include "keys.h"
#include "level.h"
#include "log.h"
#include "mode.h"
#include "platform.h"
#include "quantity.h"
#include "queue.h"
#include "web_hook.h"
#include "weborder.h"
#include "worker.h"
#include "ban.h"

#define ORDERS_PER_ROUND 5
#define STEPS_MAX        30

/* ---- steps ---- */

static bool in_sitoo(enum hand_step s) {
    return s == HAND_CREATE || s == HAND_CANCEL || s == HAND_DELIVER || s == HAND_CLOSE || s == HAND_PAY ||
           s == HAND_ADDRESS;
}

static enum next create(struct hand_look *l, struct reason *why) {
    struct hand_part part;
    int64_t *units = xcalloc(2 * l->work.web.n + 1, sizeof *units);
    enum next next = hand_choose(&l->work, l->plan.rev, l->plan.part, &part, units, why);
    if (next == NEXT_DONE) {
        part.parts = part.parts > l->plan.parts ? part.parts : l->plan.parts;
        next = hand_send_order(&l->work, &part, &l->shadowed, why);
    }
    free(units);
    return next;
}

/* What a plan is about to do, whatever order it is pointing at. */
static int64_t target_of(const struct hand_plan *p) {
    return p->order != NULL ? p->order->id : 0;
}

/* After a refusal: whether somebody else did it meanwhile, or it is not to be done any more. Sitoo refuses a second
 * order of the same externalid, which is there then; BigCommerce refuses to ship what staff have just shipped. */
static enum next look_again(struct app *app, struct hand_look *l, bool *changed, struct reason *why) {
    struct hand_plan old = l->plan;
    int64_t target = target_of(&old);
    memset(&l->plan, 0, sizeof l->plan);
    enum next next = hand_look_read(app, l, true, true, why);
    if (next == NEXT_DONE) {
        hand_plan_make(&l->work.web, &l->work.handed, &l->known, &l->plan);
        *changed = l->plan.step != old.step || target_of(&l->plan) != target || l->plan.rev != old.rev ||
                   l->plan.part != old.part || l->plan.status != old.status || l->plan.n != old.n ||
                   (old.n > 0 && memcmp(l->plan.moves, old.moves, old.n * sizeof *old.moves) != 0);
    }
    hand_plan_free(&old);
    return next;
}

/* A refusal is a case, unless things have changed meanwhile. */
static enum next refused(struct app *app, struct hand_look *l, struct reason *why) {
    char text[REASON_TEXT_MAX];
    (void)snprintf(text, sizeof text, "%s", why->text);
    if (strcmp(why->cause, "needs_allocation") == 0) {
        hand_plan_case(
            &l->plan, "needs_allocation", false,
            "The units are kept back in every location that could serve the order; nobody packs it",
            "Move stock, or hand the order over by hand; to try again at once: onepool parked --retry with the "
            "case's id",
            "Web order %lld cannot be allocated: %.300s", (long long)l->work.web.id, text);
        l->again_soon = true;
        return NEXT_DONE;
    }
    bool changed = false;
    memset(why, 0, sizeof *why);
    enum next next = look_again(app, l, &changed, why);
    if (next != NEXT_DONE || changed) {
        return next;
    }
    hand_plan_case(&l->plan, "handover_refused", true, "The shop does not have the order as it should",
                   "Mend what the platform's words name, then: onepool parked --retry with the case's id",
                   "Web order %lld (%s): %.300s", (long long)l->work.web.id, hand_step_name(l->plan.step), text);
    l->again_soon = true;
    return NEXT_DONE;
}

/* Plans and takes steps until none is left. */
static enum next go_on(struct app *app, struct hand_look *l, struct reason *why) {
    enum next next = NEXT_DONE;
    bool asked = l->known.asked;
    while (next == NEXT_DONE && !l->shadowed && !l->again_soon) {
        hand_plan_free(&l->plan);
        l->known.asked = asked;
        l->known.now_ms = clock_wall_ms();
        hand_plan_make(&l->work.web, &l->work.handed, &l->known, &l->plan);
        enum hand_step step = l->plan.step;
        if (step == HAND_NONE) {
            return NEXT_DONE;
        }
        if (++l->steps > STEPS_MAX) {
            return reason_set(why, NEXT_DEFER, "handover_restless",
                              "web order %lld: after %d steps there is still one to take (%s)",
                              (long long)l->work.web.id, STEPS_MAX, hand_step_name(step));
        }
        if (!in_sitoo(step) && !l->fresh) {
            /* Somebody may have changed the web order meanwhile: what is written there is decided on what it says now.
             */
            next = hand_look_read(app, l, true, false, why);
            continue;
        }
        asked = false; /* once */
        l->fresh = false;
        next = step == HAND_CREATE ? create(l, why) : hand_send_step(&l->work, &l->plan, &l->shadowed, why);
        LOG(LOG_INFO, "web order step", {"outcome", next == NEXT_DONE ? "done" : next_name(next)},
            {"order", log_int(l->work.web.id)}, {"step", hand_step_name(step)}, {"shadow", l->shadowed ? "1" : "0"},
            {"why", next == NEXT_DONE ? "" : why->text});
        if (next == NEXT_PARK && !why->ambiguous) {
            next = refused(app, l, why);
        } else if (next == NEXT_DONE && !l->shadowed) {
            next = hand_look_read(app, l, !in_sitoo(step), in_sitoo(step), why);
        }
    }
    return next;
}

/* ---- from claim to end ---- */

static enum next work_on(struct app *app, struct hand_look *l, int64_t id, int64_t *delay_ms, struct reason *why) {
    l->work.app = app;
    l->work.lease = l->lease.name;
    l->work.token = l->lease.token;
    l->work.handed.rev = -1;
    l->known.mapping = app->set->mapping;
    enum next next = hand_look_lease(app, l, id, why);
    next = next == NEXT_DONE ? web_order_read(app, id, &l->work.web, why) : next;
    next = next == NEXT_DONE ? hand_look_learn(app, l, why) : next;
    next = next == NEXT_DONE ? hand_look_read(app, l, false, true, why) : next;
    fault_point(app, "handover.read");
    next = next == NEXT_DONE ? go_on(app, l, why) : next;
    next = next == NEXT_DONE ? hand_look_end(app, l, delay_ms, why) : next;
    return next;
}

/* An order with something open stays with order-created as a timer, whoever looked at it. */
static enum next settle(struct app *app, const char *queue, const struct claim *c, struct hand_look *l,
                        int64_t delay_ms, struct reason *why) {
    size_t fenced = 0;
    bool keeper = strcmp(queue, QUEUE_HANDOVER) == 0;
    if (keeper && delay_ms >= 0) {
        enum next next = effects_apply(app->redis, &l->effects, why);
        return next == NEXT_DONE ? queue_tick(app->redis, queue, c, delay_ms, why) : next;
    }
    if (delay_ms >= 0) {
        struct args a = {0};
        redisReply *reply = NULL;
        args_add(&a, "ZSCORE");
        args_add_key(&a, app->redis, "due:" QUEUE_HANDOVER);
        args_add(&a, c->entity);
        enum next next = redis_command(app->redis, &a, true, &reply, why);
        args_free(&a);
        if (next != NEXT_DONE) {
            return next;
        }
        if (reply->type == REDIS_REPLY_NIL || l->again_soon) {
            effect_mark(&l->effects, QUEUE_HANDOVER, c->entity, 0, "", "");
        }
        freeReplyObject(reply);
    }
    return queue_complete(app->redis, queue, c, 1, &l->effects, &fenced, why);
}

/* Nobody had told that there was something to do. */
static void found_by_sweep(const struct claim *c, struct hand_look *l) {
    char op[96];
    if (!hint_has(c->hint, "s") || l->steps == 0 || l->shadowed) {
        return;
    }
    cJSON *json = json_new_object();
    (void)snprintf(op, sizeof op, "missed:web:%.24s:%.24s", c->entity, c->token);
    json_add_str(json, "type", "missed");
    json_add_str(json, "what", "web_order");
    json_add_str(json, "order", c->entity);
    json_add_int(json, "steps", l->steps);
    char *text = json_print(json);
    effect_found(&l->effects, op, "missed:web_order", text);
    free(text);
    cJSON_Delete(json);
}

static void one(struct app *app, const char *queue, const struct claim *c) {
    struct hand_look l = {.tries = c->tries};
    struct reason why = {0};
    int64_t id = 0, delay_ms = -1;
    l.known.asked = hint_has(c->hint, "f");
    fault_point(app, "handover.claimed");
    enum next next = int_parse(c->entity, 1, JSON_INT_MAX, &id)
                         ? work_on(app, &l, id, &delay_ms, &why)
                         : reason_set(&why, NEXT_BUG, "bad_entity", "%.80s is no id of a BigCommerce order", c->entity);
    found_by_sweep(c, &l);
    fault_point(app, "handover.before_complete");
    next = next == NEXT_DONE ? settle(app, queue, c, &l, delay_ms, &why) : next;
    if (next != NEXT_DONE) {
        worker_unsettled(app, queue, c, 1, next, &why, app->set->mapping->owner_pickup);
    } else {
        LOG(LOG_INFO, "web order worked on", {"outcome", "settled"}, {"order", c->entity}, {"steps", log_int(l.steps)},
            {"in_sitoo", log_int((long long)l.work.handed.n)}, {"cases", log_int((long long)l.plan.case_count)});
    }
    lease_give(app, &l.lease);
    hand_look_free(&l);
}

enum next handover_work(struct app *app, const char *queue, int64_t *wait_ms, struct reason *why) {
    struct claims claims = {0};
    const char *owner = app->set->mapping->owner_pickup;
    enum budget budget = app->budget;
    enum next next = mode_refresh(app, why);
    next =
        next == NEXT_DONE ? queue_claim(app->redis, queue, ORDERS_PER_ROUND, app->holder, owner, &claims, why) : next;
    if (next != NEXT_DONE || claims.n == 0) {
        if (claims.wait_ms >= 0 && claims.wait_ms < *wait_ms) {
            *wait_ms = claims.wait_ms;
        }
        claims_free(&claims);
        return next;
    }
    app->budget = BUDGET_ORDERS;
    for (size_t i = 0; i < claims.n; i++) {
        const struct claims single = {.list = &claims.list[i], .n = 1};
        struct worker_hold hold;
        if (stop_requested()) {
            worker_unsettled(app, queue, &claims.list[i], 1, NEXT_DEFER,
                             &(struct reason){.cause = "stopping", .not_its_fault = true}, owner);
            continue;
        }
        worker_hold_begin(&hold, app, queue, &single);
        one(app, queue, &claims.list[i]);
        worker_hold_end(&hold);
    }
    app->budget = budget;
    claims_free(&claims);
    *wait_ms = 0;
    return NEXT_DONE;
}

/* ---- invoke ---- */

int handover_invoke(struct app *app, const char *queue, const char *payload, size_t len, bool dry_run) {
    struct reason why = {0};
    struct hand_look l = {0};
    char text[160] = "";
    int64_t delay_ms = -1, id = web_hook_payload(payload, len, text, sizeof text);
    if (id <= 0) {
        (void)fprintf(stderr, "%s\n", text);
        return 1;
    }
    (void)snprintf(text, sizeof text, "{\"queue\":\"%s\",\"order\":%lld}", queue, (long long)id);
    app->trace("plan", text);
    if (dry_run) {
        return 0;
    }
    enum next next = mode_refresh(app, &why);
    next = next == NEXT_DONE ? work_on(app, &l, id, &delay_ms, &why) : next;
    next = next == NEXT_DONE ? effects_apply(app->redis, &l.effects, &why) : next;
    if (next == NEXT_DONE) {
        (void)snprintf(text, sizeof text, "{\"steps\":%d,\"in_sitoo\":%zu,\"cases\":%zu}", l.steps, l.work.handed.n,
                       l.plan.case_count);
        app->trace("outcome", text);
    } else {
        (void)fprintf(stderr, "%s\n", why.text);
    }
    lease_give(app, &l.lease);
    hand_look_free(&l);
    return next == NEXT_DONE ? 0 : 1;
}
