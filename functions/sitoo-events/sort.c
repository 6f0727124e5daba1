/* SPDX-License-Identifier: Apache-2.0 */
#include "sort.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "feed.h"
#include "handed.h"
#include "json.h"
#include "keys.h"
#include "log.h"
#include "platform.h"
#include "queue.h"
#include "sku.h"
#include "withheld.h"
#include "worker.h"
#include "ban.h"

#define ORDERS_PER_CALL ((size_t)300) /* ids of some 10 digits: the URL stays near 3 kB */
#define HEAD_START_MS   INT64_C(25)
#define GATHER_MAX_MS   INT64_C(1500)
#define GATHER_PER_ONE  INT64_C(10) /* ms: few orders are followed at once, many by a pause to gather more */

static void plan_row(const struct order *o, const struct order_row *row, enum order_kind kind, struct args *effects) {
    char hint[32], op[64];
    bool sold = kind == ORDER_SOLD;
    order_row_hint(row, kind, hint);
    effect_mark(effects, QUEUE_SKU, row->sku, sold && row->thousandths > 0 ? o->date_ms : 0, hint, "");
    if (sold && row->thousandths < 0) {
        /* Withheld before anybody can count the unit as available; a verdict releases it. */
        (void)snprintf(op, sizeof op, "hold:r:%lld:%lld", (long long)o->id, (long long)row->item_id);
        effect_hold_return(effects, op, row->warehouse_id, row->sku, -row->thousandths, o->date_ms);
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
        plan_row(o, &o->rows[i], kind, effects);
    }
    if (kind == ORDER_SOLD) {
        hand_on(o, 1, QUEUE_SALE, effects);
        hand_on(o, -1, QUEUE_RETURN, effects);
    }
    return kind;
}

/* Rows that are left out because no product of the web shop can have their SKU; the others go their way. */
static void plan_too_long(const struct app *app, const struct order *o, struct args *effects) {
    char entity[40], job[24], text[REASON_TEXT_MAX], shown[SKU_SHOWN_SIZE];
    if (o->too_long == 0) {
        return;
    }
    (void)snprintf(job, sizeof job, "%lld", (long long)o->id);
    (void)snprintf(entity, sizeof entity, "order %s", job);
    (void)snprintf(text, sizeof text, "Sitoo order %s: a SKU is longer than %d characters (rows: %zu), %s", job,
                   SKU_CHARS_MAX, o->too_long, sku_shown(o->too_long_sku, shown));
    const struct parked p = {.cause = "sku_too_long",
                             .owner = app->set->mapping != NULL ? app->set->mapping->owner_mapping : "",
                             .entity = entity,
                             .text = text,
                             .effect =
                                 "The row is not recorded, and the web shop cannot offer such a SKU; the order's other "
                                 "rows are handled",
                             .step = "Shorten the SKU in Sitoo, then: onepool parked --close with the case's id",
                             .queue = QUEUE_ORDER,
                             .job = job};
    effect_notice(effects, &p);
}

/* An order that we made for a web order: whoever keeps that one looks at it. */
static void plan_ours(const char *prefix, const struct order *o, struct args *effects) {
    char id[24];
    int64_t web_order = o->ours ? handed_web_order(prefix, o->external_id) : 0;
    if (web_order > 0) {
        (void)snprintf(id, sizeof id, "%lld", (long long)web_order);
        effect_mark(effects, QUEUE_PICKUP, id, 0, "", "");
    }
}

static const char *owner(const struct app *app) {
    return app->set->mapping->owner_stock;
}

static void settle(struct app *app, const struct claim *c, const cJSON *json) {
    struct order *o = NULL;
    struct args effects = {0};
    struct reason why = {0};
    char digest[ORDER_DIGEST_SIZE];
    size_t fenced = 0;
    enum next next = order_read(json, app->set->mapping->sitoo_order_prefix, &o, &why);
    if (next == NEXT_DONE) {
        enum order_kind kind = sort_plan(o, &effects);
        plan_too_long(app, o, &effects);
        plan_ours(app->set->mapping->sitoo_order_prefix, o, &effects);
        order_digest(o, digest);
        effect_order_read(&effects, c->entity, digest);
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

/* What the process keeps between rounds: app->state. */
struct sorter {
    int64_t read_ms;   /* monotonic: orders were last asked for */
    int64_t gather_ms; /* how long orders gather before they are asked for again */
};

static struct sorter *sorter_of(struct app *app) {
    if (app->state == NULL) {
        app->state = xcalloc(1, sizeof(struct sorter));
        ((struct sorter *)app->state)->read_ms = INT64_MIN / 2;
    }
    return app->state;
}

void sort_leave(struct app *app) {
    free(app->state);
    app->state = NULL;
}

/* True if the orders may be read now. Levels follow from the stock ledger, which the writer reads on the same events:
 * it goes first where one API key allows one call at a time, and in a rush many orders are read in one call. */
static bool may_read(struct app *app, size_t due, int64_t *wait_ms) {
    struct sorter *s = sorter_of(app);
    int64_t quiet_ms = clock_mono_ms() - s->read_ms;
    if (due < mapping_per_call(app->set->mapping, ORDERS_PER_CALL) && quiet_ms < s->gather_ms) {
        *wait_ms = s->gather_ms - quiet_ms;
        return false;
    }
    if (!app_sleep(app, HEAD_START_MS)) {
        return false;
    }
    int64_t gather = (int64_t)due * GATHER_PER_ONE;
    s->gather_ms = gather < GATHER_MAX_MS ? gather : GATHER_MAX_MS;
    s->read_ms = clock_mono_ms();
    return true;
}

enum next sort_work(struct app *app, int64_t *wait_ms, struct reason *why) {
    struct claims claims = {0};
    struct answer answer = {0};
    struct worker_hold hold;
    size_t due = 0, most = mapping_per_call(app->set->mapping, ORDERS_PER_CALL);
    enum next next = queue_due(app->redis, QUEUE_ORDER, &due, wait_ms, why);
    if (next != NEXT_DONE || due == 0 || !may_read(app, due, wait_ms)) {
        return next;
    }
    next = queue_claim(app->redis, QUEUE_ORDER, most, app->holder, owner(app), &claims, why);
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
    const char *prefix = app->set->mapping != NULL ? app->set->mapping->sitoo_order_prefix : "BC-";
    enum next next = order_read(json, prefix, &o, &why);
    if (next == NEXT_DONE) {
        enum order_kind kind = sort_plan(o, &effects);
        plan_too_long(app, o, &effects);
        plan_ours(prefix, o, &effects);
        (void)snprintf(line, sizeof line, "{\"order\":%lld,\"kind\":\"%s\",\"rows\":%zu,\"left_out\":%zu}",
                       (long long)o->id, order_kind_name(kind), o->row_count, o->too_long);
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
    sort_leave(app);
    cJSON_Delete(json);
    return status;
}
