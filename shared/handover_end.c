/* SPDX-License-Identifier: Apache-2.0 */
#include "handover_look.h"

#include <stdio.h>
#include <string.h>

#include "faultpoint.h"
#include "keys.h"
#include "log.h"
#include "mode.h"
#include "queue.h"
#include "weborder.h"
#include "ban.h"

#define HOUR_MS        INT64_C(3600000)
#define CASE_AGAIN_MS  INT64_C(900000)
#define RESERVED_TRIES 6
#define RESERVED_WAITS INT64_C(1000)

static void put_cases(struct app *app, struct hand_look *l) {
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
static void mark_rows(struct hand_look *l) {
    const struct web_order *web = &l->work.web;
    if (!web->found || l->work.handed.n > 0 || weborder_holds(web->status_id, l->known.since_start, false)) {
        return;
    }
    for (size_t i = 0; i < web->n; i++) {
        effect_mark(&l->effects, QUEUE_SKU, web->rows[i].sku, 0, "b", "");
    }
}

static bool anything_open(const struct hand_look *l) {
    for (size_t i = 0; i < l->work.handed.n; i++) {
        if (handed_open(&l->work.handed.list[i]) && !l->work.handed.list[i].ignores_stock) {
            return true;
        }
    }
    return false;
}

/* Orders that were sent and are not there: of the latest revision, or of the next. */
static void add_creations(const struct app *app, const struct hand_look *l, struct args *a) {
    int64_t rev = l->work.handed.rev;
    for (int64_t i = rev < 0 ? 0 : rev; i <= rev + 1 && i <= HANDED_REVS_MAX; i++) {
        for (int64_t part = 1; part <= HANDED_PARTS_MAX; part++) {
            char name[HANDED_NAME_SIZE];
            handed_name(app->set->mapping->sitoo_order_prefix, l->work.web.id, part, i, name);
            args_addf(a, "web:create:%.40s", name);
        }
    }
}

/* Both platforms were read since whatever was sent without an answer: what is there now is known. */
static enum next close_intents(struct app *app, const struct hand_look *l, struct reason *why) {
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
    add_creations(app, l, &a);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}

enum next hand_look_end(struct app *app, struct hand_look *l, int64_t *delay_ms, struct reason *why) {
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
