/* SPDX-License-Identifier: Apache-2.0 */
#include "handover_look.h"

#include <stdio.h>
#include <string.h>

#include "json.h"
#include "keys.h"
#include "order.h"
#include "platform.h"
#include "quantity.h"
#include "weborder.h"
#include "ban.h"

#define LEASE_MS    INT64_C(120000) /* longer than the calls made under it */
#define LEASE_WAITS INT64_C(500)

void hand_look_free(struct hand_look *l) {
    web_order_free(&l->work.web);
    handed_free(&l->work.handed);
    hand_plan_free(&l->plan);
    args_free(&l->effects);
}

/* ---- lease ---- */

enum next hand_look_lease(struct app *app, struct hand_look *l, int64_t id, struct reason *why) {
    char name[sizeof l->lease.name];
    int64_t busy_ms = 0;
    (void)snprintf(name, sizeof name, "weborder:%lld", (long long)id);
    enum next next = lease_take(app, name, LEASE_MS, &l->lease, &busy_ms, why);
    if (next == NEXT_DONE && busy_ms > 0) {
        why->not_its_fault = true;
        why->wait_ms = LEASE_WAITS;
        return reason_set(why, NEXT_DEFER, "order_busy", "web order %lld is being worked on by another process",
                          (long long)id);
    }
    return next;
}

/* ---- what the plan goes by ---- */

static enum next learn_ended(struct app *app, struct hand_look *l, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "HGET");
    args_add_key(&a, app->redis, KEY_HANDED);
    args_add_int(&a, l->work.web.id);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    const char *text = reply_str(reply);
    cJSON *handed = text != NULL ? cJSON_Parse(text) : NULL;
    l->known.ended = json_str(handed, "ended") != NULL;
    cJSON_Delete(handed);
    freeReplyObject(reply);
    return NEXT_DONE;
}

/* An order is ours to hand over if it was placed since onepool's first start, or accepted so at the baseline. */
enum next hand_look_learn(struct app *app, struct hand_look *l, struct reason *why) {
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
    return learn_ended(app, l, why);
}

/* The order's pickup record in BigCommerce. A shop without BigCommerce's own pickup has none. */
static enum next read_record(struct app *app, struct hand_look *l, struct reason *why) {
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
    if (!w->web.own_pickup) {
        w->pickup_method_id = 0; /* BigCommerce knows of no pickup: it was shipped, to the name of a shop */
    }
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

static bool wants_record(const struct hand_look *l) {
    bool wants = false;
    for (size_t i = 0; i < l->work.handed.n; i++) {
        const struct handed_order *o = &l->work.handed.list[i];
        wants = wants || o->ready_ms > 0 || (o->rev == l->work.handed.rev && o->state == 10);
    }
    return l->work.web.kind == WEB_PICKUP && wants;
}

enum next hand_look_read(struct app *app, struct hand_look *l, bool web, bool sitoo, struct reason *why) {
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
