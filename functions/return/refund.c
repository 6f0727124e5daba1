/* SPDX-License-Identifier: Apache-2.0 */
#include "refund.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "keys.h"
#include "log.h"
#include "quantity.h"
#include "queue.h"
#include "worker.h"
#include "ban.h"

#define RETURNS_PER_ROUND 100

static void plan_case(const struct order *o, const char *owner, const char *data, struct args *effects) {
    char entity[40], text[REASON_TEXT_MAX];
    (void)snprintf(entity, sizeof entity, "order %lld", (long long)o->id);
    (void)snprintf(
        text, sizeof text,
        "Sitoo order %lld takes %zu row(s) back; returns are not enabled yet, so nothing was refunded or restocked",
        (long long)o->id, o->row_count);
    const struct parked p = {
        .cause = "returns_not_enabled",
        .owner = owner,
        .entity = entity,
        .text = text,
        .effect = "The returned units are not offered; if it was a web order, its refund is not shown in BigCommerce",
        .step = "Refund in BigCommerce by hand if the web order needs it; then run: onepool parked --close",
        .queue = "",
        .job = "",
        .bytes = data,
        .bytes_len = strlen(data)};
    effect_case(effects, &p);
}

void refund_plan(const struct order *o, const char *owner, const char *data, struct args *effects) {
    for (size_t i = 0; i < o->row_count; i++) {
        const struct order_row *row = &o->rows[i];
        char op[64], hint[32];
        if (row->thousandths >= 0) {
            continue;
        }
        /* The same operation id as in sitoo-events: whoever comes first withholds, the other changes nothing. */
        (void)snprintf(op, sizeof op, "hold:r:%lld:%lld", (long long)o->id, (long long)row->item_id);
        effect_hold(effects, op, 'r', row->warehouse_id, row->sku, -row->thousandths);
        order_row_hint(row, ORDER_SOLD, hint);
        effect_mark(effects, QUEUE_SKU, row->sku, 0, hint, "");
    }
    plan_case(o, owner, data, effects);
}

static void settle(struct app *app, const struct claim *c) {
    struct order *o = NULL;
    struct args effects = {0};
    struct reason why = {0};
    size_t fenced = 0;
    enum next next = order_rows_read(c->data, &o, &why);
    if (next == NEXT_DONE) {
        refund_plan(o, app->set->mapping->owner_money, c->data, &effects);
        next = queue_complete(app->redis, QUEUE_RETURN, c, 1, &effects, &fenced, &why);
    }
    if (next != NEXT_DONE) {
        worker_unsettled(app, QUEUE_RETURN, c, 1, next, &why, app->set->mapping->owner_money);
    } else {
        LOG(LOG_INFO, "return parked", {"outcome", fenced > 0 ? "fenced" : "parked"}, {"order", c->entity},
            {"cause", "returns_not_enabled"}, {"rows", log_int((long long)o->row_count)});
    }
    args_free(&effects);
    order_free(o);
}

enum next refund_work(struct app *app, int64_t *wait_ms, struct reason *why) {
    struct claims claims = {0};
    enum next next = queue_claim(app->redis, QUEUE_RETURN, RETURNS_PER_ROUND, app->holder,
                                 app->set->mapping->owner_money, &claims, why);
    for (size_t i = 0; next == NEXT_DONE && i < claims.n; i++) {
        settle(app, &claims.list[i]);
    }
    *wait_ms = claims.n > 0 ? 0 : claims.wait_ms >= 0 ? claims.wait_ms : *wait_ms;
    claims_free(&claims);
    return next;
}

/* ---- invoke ---- */

static enum next read_payload(const struct app *app, const char *payload, size_t len, char **data, struct order **o,
                              struct reason *why) {
    char error[120];
    struct order *whole = NULL;
    cJSON *json = json_read(payload, len, error, sizeof error);
    if (json == NULL) {
        return reason_set(why, NEXT_PARK, "payload", "the payload is not JSON: %s", error);
    }
    enum next next = NEXT_DONE;
    if (json_get(json, "orderitems") == NULL) {
        next = order_rows_read(payload, &whole, why);
        *data = next == NEXT_DONE ? order_rows_json(whole, -1) : NULL;
    } else {
        next = order_read(json, app->set->mapping != NULL ? app->set->mapping->sitoo_order_prefix : "BC-", &whole, why);
        *data = next == NEXT_DONE && order_kind(whole) == ORDER_SOLD ? order_rows_json(whole, -1) : NULL;
    }
    order_free(whole);
    cJSON_Delete(json);
    if (next == NEXT_DONE && *data == NULL) {
        return reason_set(why, NEXT_PARK, "payload",
                          "the payload is no return: it is not a closed order of a till with returned rows");
    }
    return next == NEXT_DONE ? order_rows_read(*data, o, why) : next;
}

int refund_invoke(struct app *app, const char *payload, size_t len, bool dry_run) {
    struct order *o = NULL;
    struct args effects = {0};
    struct reason why = {0};
    char *data = NULL;
    enum next next = read_payload(app, payload, len, &data, &o, &why);
    if (next == NEXT_DONE && o != NULL && data != NULL) {
        app->trace("plan", data);
        if (!dry_run) {
            refund_plan(o, app->set->mapping->owner_money, data, &effects);
            next = effects_apply(app->redis, &effects, &why);
            app->trace("outcome", next == NEXT_DONE ? "{\"parked\":\"returns_not_enabled\"}" : "{\"settled\":false}");
        }
    }
    if (next != NEXT_DONE) {
        (void)fprintf(stderr, "%s\n", why.text);
    }
    args_free(&effects);
    order_free(o);
    free(data);
    return next == NEXT_DONE ? 0 : 1;
}
