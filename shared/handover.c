/* SPDX-License-Identifier: Apache-2.0 */
#include "handover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "faultpoint.h"
#include "handover_stock.h"
#include "json.h"
#include "keys.h"
#include "level.h"
#include "log.h"
#include "mode.h"
#include "platform.h"
#include "quantity.h"
#include "queue.h"
#include "weborder.h"
#include "worker.h"
#include "ban.h"

#define ORDERS_PER_ROUND 5
#define LEASE_MS         INT64_C(120000) /* longer than the calls made under it */
#define LEASE_WAITS      INT64_C(500)
#define STEPS_MAX        30
#define HOUR_MS          INT64_C(3600000)
#define CASE_AGAIN_MS    INT64_C(900000)
#define RESERVED_TRIES   6
#define RESERVED_WAITS   INT64_C(1000)

/* One look at an order, from claim to end. */
struct look {
    struct hand_work work;
    struct hand_plan plan;
    struct hand_known known;
    struct args effects;
    char lease[48], token[24];
    int64_t tries;
    int steps;
    bool fresh; /* the web order was read after the last step */
    bool shadowed;
    bool again_soon; /* a person's case: looked at again before the next hours */
};

static void look_free(struct look *l) {
    web_order_free(&l->work.web);
    handed_free(&l->work.handed);
    hand_plan_free(&l->plan);
    args_free(&l->effects);
}

/* ---- lease ---- */

static enum next take_lease(struct app *app, struct look *l, int64_t id, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    (void)snprintf(l->lease, sizeof l->lease, "weborder:%lld", (long long)id);
    args_add(&a, l->lease);
    args_add(&a, app->holder);
    args_add_int(&a, LEASE_MS);
    enum next next = redis_fcall(app->redis, "lease", &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    bool ours = reply_int_at(reply, 0) == 1;
    (void)snprintf(l->token, sizeof l->token, "%lld", (long long)reply_int_at(reply, 1));
    freeReplyObject(reply);
    if (!ours) {
        l->token[0] = '\0';
        why->not_its_fault = true;
        why->wait_ms = LEASE_WAITS;
        return reason_set(why, NEXT_DEFER, "order_busy", "web order %lld is being worked on by another process",
                          (long long)id);
    }
    return NEXT_DONE;
}

static void give_lease(struct app *app, const struct look *l) {
    struct args a = {0};
    struct reason ignored = {0};
    redisReply *reply = NULL;
    if (l->token[0] == '\0') {
        return;
    }
    args_add(&a, l->lease);
    args_add(&a, l->token);
    if (redis_fcall(app->redis, "unlease", &a, true, &reply, &ignored) == NEXT_DONE) {
        freeReplyObject(reply);
    }
    args_free(&a);
}

/* ---- what the plan goes by ---- */

/* An order is ours to hand over if it was placed since onepool's first start, or accepted so at the baseline. */
static enum next learn(struct app *app, struct look *l, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    enum weborder_class class = WEBORDER_UNCLASSED;
    int64_t since = 0;
    args_add(&a, "HGET");
    args_add_key(&a, app->redis, KEY_CURSOR);
    args_add(&a, "since");
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    bool known = int_parse(reply_str(reply) != NULL ? reply_str(reply) : "", 1, INT64_MAX, &since);
    freeReplyObject(reply);
    if (!known) {
        why->not_its_fault = true;
        why->wait_ms = 1000;
        return reason_set(why, NEXT_DEFER, "first_start", "stock-moved has not read the web orders yet");
    }
    args_add(&a, "HGET");
    args_add_key(&a, app->redis, KEY_BASELINE_ORDERS);
    args_add_int(&a, l->work.web.id);
    next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    bool classed = weborder_class_read(reply_str(reply), &class);
    freeReplyObject(reply);
    l->known.since_start = l->work.web.created_ms >= since;
    l->known.mine = classed ? class == WEBORDER_HAND_OVER : l->known.since_start;
    return NEXT_DONE;
}

/* The order's pickup record in BigCommerce. A shop without BigCommerce's own pickup has none. */
static enum next read_record(struct app *app, struct look *l, struct reason *why) {
    struct hand_work *w = &l->work;
    const struct mapping_location *place =
        mapping_pickup(app->set->mapping, w->web.location_id, w->web.pickup_method_id);
    const cJSON *record = NULL, *item = NULL;
    struct answer answer;
    char path[80];
    int64_t id = 0;
    w->pickup_method_id = w->web.pickup_method_id > 0 || place == NULL || place->pickup_method_count == 0
                              ? w->web.pickup_method_id
                              : place->pickup_method_ids[0];
    l->known.recorded = l->known.collected = w->pickup_method_id <= 0;
    if (l->known.recorded) {
        return NEXT_DONE;
    }
    (void)snprintf(path, sizeof path, "/v3/orders/pickups?order_id:in=%lld", (long long)w->web.id);
    enum next next = bigcommerce_get(app, path, &answer, why);
    if (next != NEXT_DONE) {
        return next;
    }
    if (answer.status != 404 && answer.status != 204 && json_array(answer.json, "data") == NULL) {
        next = reason_set(why, NEXT_DEFER, "bad_pickups", "BigCommerce's pickup records are not a list (status %d)",
                          answer.status);
    }
    cJSON_ArrayForEach(record, json_array(answer.json, "data")) {
        if (json_id(record, "order_id", &id) && id == w->web.id && json_id(record, "id", &w->record_id)) {
            l->known.recorded = true;
            cJSON_ArrayForEach(item, json_array(record, "pickup_items")) {
                l->known.collected = l->known.collected || json_str(item, "collected_at") != NULL;
            }
            l->known.collected = l->known.collected || json_str(record, "collected_at") != NULL;
        }
    }
    answer_free(&answer);
    return next;
}

static bool wants_record(const struct look *l) {
    bool wants = false;
    for (size_t i = 0; i < l->work.handed.n; i++) {
        const struct handed_order *o = &l->work.handed.list[i];
        wants = wants || o->ready_ms > 0 || (o->rev == l->work.handed.rev && o->state == 10);
    }
    return l->work.web.kind == WEB_PICKUP && wants;
}

/* ---- steps ---- */

static enum next read_again(struct app *app, struct look *l, bool web, bool sitoo, struct reason *why) {
    enum next next = NEXT_DONE;
    int64_t id = l->work.web.id;
    if (web) {
        web_order_free(&l->work.web);
        next = web_order_read(app, id, &l->work.web, why);
        l->fresh = true;
    }
    if (next == NEXT_DONE && sitoo) {
        handed_free(&l->work.handed);
        next = handed_read(app, id, &l->work.handed, why);
    }
    if (next == NEXT_DONE && wants_record(l)) {
        next = read_record(app, l, why);
    }
    return next;
}

static bool in_sitoo(enum hand_step s) {
    return s == HAND_CREATE || s == HAND_CANCEL || s == HAND_DELIVER || s == HAND_CLOSE || s == HAND_PAY ||
           s == HAND_ADDRESS;
}

static enum next create(struct look *l, struct reason *why) {
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
static enum next look_again(struct app *app, struct look *l, bool *changed, struct reason *why) {
    struct hand_plan old = l->plan;
    int64_t target = target_of(&old);
    memset(&l->plan, 0, sizeof l->plan);
    enum next next = read_again(app, l, true, true, why);
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
static enum next refused(struct app *app, struct look *l, struct reason *why) {
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
static enum next go_on(struct app *app, struct look *l, struct reason *why) {
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
            next = read_again(app, l, true, false, why);
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
            next = read_again(app, l, !in_sitoo(step), in_sitoo(step), why);
        }
    }
    return next;
}

/* ---- the end of a look ---- */

static void put_cases(struct app *app, struct look *l) {
    char entity[40], job[24];
    const struct mapping *m = app->set->mapping;
    (void)snprintf(entity, sizeof entity, "web order %lld", (long long)l->work.web.id);
    (void)snprintf(job, sizeof job, "%lld", (long long)l->work.web.id);
    for (size_t i = 0; hand_causes[i] != NULL; i++) {
        const struct hand_case *c = NULL;
        for (size_t k = 0; k < l->plan.case_count; k++) {
            c = strcmp(l->plan.cases[k].cause, hand_causes[i]) == 0 ? &l->plan.cases[k] : c;
        }
        if (c == NULL) {
            effect_close(&l->effects, hand_causes[i], entity);
            continue;
        }
        char text[480];
        (void)snprintf(text, sizeof text, "%s%s", c->urgent ? "URGENT. " : "", c->text);
        const struct parked p = {.cause = c->cause,
                                 .owner = strcmp(c->cause, "needs_allocation") == 0 ? m->owner_stock : m->owner_pickup,
                                 .entity = entity,
                                 .text = text,
                                 .effect = c->effect,
                                 .step = c->step,
                                 .queue = QUEUE_HANDOVER,
                                 .job = job};
        effect_notice(&l->effects, &p);
        if (c->urgent) {
            LOG(LOG_ALARM, "a web order needs a person", {"outcome", "parked"}, {"order", job}, {"cause", c->cause});
        }
    }
}

/* BigCommerce lowers its stock when an order is placed, and nobody may have seen that it was: what it shows is read
 * back. */
static void mark_rows(struct look *l) {
    const struct web_order *web = &l->work.web;
    if (!web->found || l->work.handed.n > 0 || weborder_holds(web->status_id, l->known.since_start, false)) {
        return;
    }
    for (size_t i = 0; i < web->n; i++) {
        effect_mark(&l->effects, QUEUE_SKU, web->rows[i].sku, 0, "b", "");
    }
}

static bool anything_open(const struct look *l) {
    for (size_t i = 0; i < l->work.handed.n; i++) {
        if (handed_open(&l->work.handed.list[i]) && !l->work.handed.list[i].ignores_stock) {
            return true;
        }
    }
    return false;
}

/* Both platforms were read since whatever was sent without an answer: what is there now is known. */
static enum next close_intents(struct app *app, const struct look *l, struct reason *why) {
    static const char *const sitoo[] = {"create", "cancel", "deliver", "close", "pay", "address"};
    static const char *const bigcommerce[] = {"shipment", "ready", "collected", "status"};
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "HDEL");
    args_add_key(&a, app->redis, KEY_INTENTS);
    for (size_t i = 0; i < sizeof bigcommerce / sizeof bigcommerce[0]; i++) {
        args_addf(&a, "web:%s:%lld", bigcommerce[i], (long long)l->work.web.id);
    }
    for (size_t i = 0; i < l->work.handed.n; i++) {
        for (size_t k = 0; k < sizeof sitoo / sizeof sitoo[0]; k++) {
            args_addf(&a, "web:%s:%s", sitoo[k], l->work.handed.list[i].name);
        }
    }
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}

/* Reservations, cases. *delay_ms: until the next look; -1 = none. */
static enum next end_look(struct app *app, struct look *l, int64_t *delay_ms, struct reason *why) {
    bool open = anything_open(l), missing = false;
    enum next next = NEXT_DONE;
    if (app->mode == MODE_LIVE && (l->work.handed.n > 0 || l->known.mine)) {
        l->work.holds =
            l->work.web.found && weborder_holds(l->work.web.status_id, l->known.since_start, l->work.handed.n > 0);
        next = hand_seen(&l->work, !open, &l->plan, &missing, why);
        fault_point(app, "handover.seen");
    }
    if (next == NEXT_DONE && missing) {
        if (l->tries > 0 && l->tries < RESERVED_TRIES) {
            why->wait_ms = RESERVED_WAITS;
            return reason_set(why, NEXT_DEFER, "reservation_missing",
                              "web order %lld: Sitoo does not show its reservation yet", (long long)l->work.web.id);
        }
        hand_plan_case(
            &l->plan, "reservation_missing", false,
            "The units may be sold to somebody else; they stay kept back in the web shop",
            "Look at the order in Sitoo: was its reservation let go, or has it run out? It is looked at again "
            "every 15 minutes",
            "Web order %lld: Sitoo does not hold its units (reserved is less than our open orders need)",
            (long long)l->work.web.id);
        l->again_soon = true;
    }
    next = next == NEXT_DONE ? close_intents(app, l, why) : next;
    if (next == NEXT_DONE) {
        put_cases(app, l);
        mark_rows(l);
        *delay_ms = l->again_soon          ? CASE_AGAIN_MS
                    : open || l->plan.open ? app->set->mapping->web.look_again_hours * HOUR_MS
                                           : -1;
    }
    return next;
}

static enum next work_on(struct app *app, struct look *l, int64_t id, int64_t *delay_ms, struct reason *why) {
    l->work.app = app;
    l->work.lease = l->lease;
    l->work.token = l->token;
    l->work.handed.rev = -1;
    l->known.mapping = app->set->mapping;
    enum next next = take_lease(app, l, id, why);
    next = next == NEXT_DONE ? web_order_read(app, id, &l->work.web, why) : next;
    next = next == NEXT_DONE ? learn(app, l, why) : next;
    next = next == NEXT_DONE ? read_again(app, l, false, true, why) : next;
    fault_point(app, "handover.read");
    next = next == NEXT_DONE ? go_on(app, l, why) : next;
    next = next == NEXT_DONE ? end_look(app, l, delay_ms, why) : next;
    return next;
}

/* An order with something open stays with order-created as a timer, whoever looked at it. */
static enum next settle(struct app *app, const char *queue, const struct claim *c, struct look *l, int64_t delay_ms,
                        struct reason *why) {
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

static void one(struct app *app, const char *queue, const struct claim *c) {
    struct look l = {.tries = c->tries};
    struct reason why = {0};
    int64_t id = 0, delay_ms = -1;
    l.known.asked = hint_has(c->hint, "f");
    fault_point(app, "handover.claimed");
    enum next next = int_parse(c->entity, 1, JSON_INT_MAX, &id)
                         ? work_on(app, &l, id, &delay_ms, &why)
                         : reason_set(&why, NEXT_BUG, "bad_entity", "%.80s is no id of a BigCommerce order", c->entity);
    fault_point(app, "handover.before_complete");
    next = next == NEXT_DONE ? settle(app, queue, c, &l, delay_ms, &why) : next;
    if (next != NEXT_DONE) {
        worker_unsettled(app, queue, c, 1, next, &why, app->set->mapping->owner_pickup);
    } else {
        LOG(LOG_INFO, "web order worked on", {"outcome", "settled"}, {"order", c->entity}, {"steps", log_int(l.steps)},
            {"in_sitoo", log_int((long long)l.work.handed.n)}, {"cases", log_int((long long)l.plan.case_count)});
    }
    give_lease(app, &l);
    look_free(&l);
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

static int64_t payload_order(const char *payload, size_t len, char *error, size_t size) {
    cJSON *json = json_read(payload, len, error, size);
    int64_t id = 0;
    if (json != NULL && !json_id(json, "order", &id) && !json_id(json_get(json, "data"), "id", &id)) {
        (void)snprintf(error, size, "the payload names no order: give a hook, or {\"order\":100301}");
    }
    cJSON_Delete(json);
    return id;
}

int handover_invoke(struct app *app, const char *queue, const char *payload, size_t len, bool dry_run) {
    struct reason why = {0};
    struct look l = {0};
    char text[160] = "";
    int64_t delay_ms = -1, id = payload_order(payload, len, text, sizeof text);
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
    give_lease(app, &l);
    look_free(&l);
    return next == NEXT_DONE ? 0 : 1;
}
