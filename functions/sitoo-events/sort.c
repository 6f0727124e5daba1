/* SPDX-License-Identifier: Apache-2.0 */
#include "sort.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "feed.h"
#include "json.h"
#include "keys.h"
#include "log.h"
#include "platform.h"
#include "queue.h"
#include "worker.h"
#include "ban.h"

#define ORDERS_PER_CALL 100 /* ids of some 10 digits: the URL stays near 1 kB */

static void plan_row(const struct order *o, const struct order_row *row, bool sold, struct args *effects) {
    char hint[32], op[64];
    order_row_hint(row, hint);
    effect_mark(effects, QUEUE_SKU, row->sku, sold && row->thousandths > 0 ? o->date_ms : 0, hint, "");
    if (sold && row->thousandths < 0) {
        /* Withheld before anybody can count the unit as available; a verdict releases it. */
        (void)snprintf(op, sizeof op, "hold:r:%lld:%lld", (long long)o->id, (long long)row->item_id);
        effect_hold(effects, op, 'r', row->warehouse_id, row->sku, -row->thousandths);
    }
}

static void hand_on(const struct order *o, int sign, const char *queue, struct args *effects) {
    char id[24];
    char *rows = order_rows_json(o, sign);
    if (rows != NULL) {
        (void)snprintf(id, sizeof id, "%lld", (long long)o->id);
        effect_mark(effects, queue, id, 0, "", rows);
        free(rows);
    }
}

enum order_kind sort_plan(const struct order *o, struct args *effects) {
    enum order_kind kind = order_kind(o);
    for (size_t i = 0; i < o->row_count; i++) {
        plan_row(o, &o->rows[i], kind == ORDER_SOLD, effects);
    }
    if (kind == ORDER_SOLD) {
        hand_on(o, 1, QUEUE_SALE, effects);
        hand_on(o, -1, QUEUE_RETURN, effects);
    }
    return kind;
}

static const char *owner(const struct app *app) {
    return app->set->mapping->owner_stock;
}

static void settle(struct app *app, const struct claim *c, const cJSON *json) {
    struct order *o = NULL;
    struct args effects = {0};
    struct reason why = {0};
    size_t fenced = 0;
    enum next next = order_read(json, app->set->mapping->sitoo_order_prefix, &o, &why);
    if (next == NEXT_DONE) {
        enum order_kind kind = sort_plan(o, &effects);
        next = queue_complete(app->redis, QUEUE_ORDER, c, 1, &effects, &fenced, &why);
        if (next == NEXT_DONE) {
            LOG(LOG_INFO, "order sorted", {"outcome", fenced > 0 ? "fenced" : "settled"}, {"order", c->entity},
                {"kind", order_kind_name(kind)}, {"rows", log_int((long long)o->row_count)});
        }
    }
    if (next != NEXT_DONE) {
        worker_unsettled(app, QUEUE_ORDER, c, 1, next, &why, owner(app));
    }
    args_free(&effects);
    order_free(o);
}

static const cJSON *find_order(const cJSON *items, const char *entity) {
    const cJSON *item = NULL;
    char id[24];
    int64_t n = 0;
    cJSON_ArrayForEach(item, items) {
        if (json_int(item, "orderid", &n)) {
            (void)snprintf(id, sizeof id, "%lld", (long long)n);
            if (strcmp(id, entity) == 0) {
                return item;
            }
        }
    }
    return NULL;
}

static enum next read_orders(struct app *app, const struct claims *c, struct answer *answer, struct reason *why) {
    struct buf path;
    buf_init(&path, 8000);
    buf_addf(&path, "/orders.json?eshopid=%lld&num=%zu&fields=%s&orderid=", (long long)app->set->sitoo_site_id, c->n,
             ORDER_FIELDS);
    for (size_t i = 0; i < c->n; i++) {
        buf_addf(&path, "%s%s", i > 0 ? "," : "", c->list[i].entity);
    }
    const char *paths[] = {buf_str(&path)};
    enum next next = sitoo_get(app, paths, answer, 1, why);
    buf_free(&path);
    return next;
}

enum next sort_work(struct app *app, int64_t *wait_ms, struct reason *why) {
    struct claims claims = {0};
    struct answer answer = {0};
    struct worker_hold hold;
    enum next next = queue_claim(app->redis, QUEUE_ORDER, ORDERS_PER_CALL, app->holder, owner(app), &claims, why);
    if (next != NEXT_DONE || claims.n == 0) {
        *wait_ms = claims.wait_ms >= 0 ? claims.wait_ms : *wait_ms;
        claims_free(&claims);
        return next;
    }
    worker_hold_begin(&hold, app, QUEUE_ORDER, &claims);
    next = read_orders(app, &claims, &answer, why);
    worker_hold_end(&hold);
    if (next != NEXT_DONE) {
        worker_unsettled(app, QUEUE_ORDER, claims.list, claims.n, next, why, owner(app));
    }
    for (size_t i = 0; next == NEXT_DONE && i < claims.n; i++) {
        const cJSON *json = find_order(json_array(answer.json, "items"), claims.list[i].entity);
        if (json != NULL) {
            settle(app, &claims.list[i], json);
        } else {
            /* The event may be faster than the order list; the same for an order of another site. */
            struct reason missing = {0};
            (void)reason_set(&missing, NEXT_DEFER, "order_not_found",
                             "Sitoo announced order %s but does not list it for site %lld", claims.list[i].entity,
                             (long long)app->set->sitoo_site_id);
            worker_unsettled(app, QUEUE_ORDER, &claims.list[i], 1, NEXT_DEFER, &missing, owner(app));
        }
    }
    answer_free(&answer);
    claims_free(&claims);
    *wait_ms = 0;
    return NEXT_DONE;
}

/* ---- invoke ---- */

static int invoke_batch(struct app *app, const char *payload, size_t len, bool dry_run) {
    struct args events = {0}, command = {0};
    struct reason why = {0};
    redisReply *reply = NULL;
    size_t n = feed_events(app, payload, len, &events); /* prints the plan */
    enum next next = NEXT_DONE;
    if (!dry_run) {
        args_add(&command, FEED_SOURCE);
        args_add_int(&command, (int64_t)n);
        args_append(&command, &events);
        next = redis_fcall(app->redis, "accept", &command, true, &reply, &why);
        char line[120];
        (void)snprintf(line, sizeof line, "{\"accepted\":%lld,\"duplicates\":%lld}", (long long)reply_int_at(reply, 0),
                       (long long)reply_int_at(reply, 1));
        app->trace("outcome", next == NEXT_DONE ? line : "{\"stored\":false}");
        int64_t wait = 0;
        if (next == NEXT_DONE) {
            freeReplyObject(reply);
            next = sort_work(app, &wait, &why);
        }
    }
    args_free(&command);
    args_free(&events);
    return next == NEXT_DONE ? 0 : 1;
}

static int invoke_order(struct app *app, const cJSON *json, bool dry_run) {
    struct order *o = NULL;
    struct args effects = {0};
    struct reason why = {0};
    char line[120];
    enum next next =
        order_read(json, app->set->mapping != NULL ? app->set->mapping->sitoo_order_prefix : "BC-", &o, &why);
    if (next == NEXT_DONE) {
        enum order_kind kind = sort_plan(o, &effects);
        (void)snprintf(line, sizeof line, "{\"order\":%lld,\"kind\":\"%s\",\"rows\":%zu}", (long long)o->id,
                       order_kind_name(kind), o->row_count);
        app->trace("plan", line);
        if (!dry_run) {
            next = effects_apply(app->redis, &effects, &why);
            app->trace("outcome", next == NEXT_DONE ? "{\"settled\":true}" : "{\"settled\":false}");
        }
    }
    if (next != NEXT_DONE) {
        (void)fprintf(stderr, "%s\n", why.text);
    }
    args_free(&effects);
    order_free(o);
    return next == NEXT_DONE ? 0 : 1;
}

int sort_invoke(struct app *app, const char *payload, size_t len, bool dry_run) {
    char error[120];
    cJSON *json = json_read(payload, len, error, sizeof error);
    int status = json_get(json, "orderitems") != NULL ? invoke_order(app, json, dry_run)
                                                      : invoke_batch(app, payload, len, dry_run);
    cJSON_Delete(json);
    return status;
}
