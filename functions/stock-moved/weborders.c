/* SPDX-License-Identifier: Apache-2.0 */
#include "weborders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "json.h"
#include "keys.h"
#include "log.h"
#include "platform.h"
#include "queue.h"
#include "quantity.h"
#include "ban.h"

#define DAY_MS         (INT64_C(86400) * 1000)
#define PLACED_KEEP_MS (14 * DAY_MS)
#define SKUS_KEEP_S    (15 * 86400)
#define PLACED_MAX     200000

/* The SKUs of its rows ("target|sku", thousandths). The caller frees. */
static char *skus_of(const struct weborder *o) {
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i + 1 < o->args.n; i += 2) {
        const char *bar = strchr(o->args.argv[i], '|');
        if (bar != NULL) {
            (void)cJSON_AddItemToArray(list, cJSON_CreateString(bar + 1));
        }
    }
    char *text = json_print(list);
    cJSON_Delete(list);
    return text;
}

/* When it was placed, for the windows that it may fall into, and what it held then: it may be cancelled later. */
static enum next note_placed(struct app *app, const struct weborder *o, struct reason *why) {
    struct args cmds[5] = {{0}};
    redisReply *replies[5] = {NULL};
    char key[64];
    int64_t oldest = clock_wall_ms() - PLACED_KEEP_MS;
    if (o->created_ms <= oldest) {
        return NEXT_DONE;
    }
    args_add(&cmds[0], "ZADD");
    args_add_key(&cmds[0], app->redis, KEY_PLACED);
    args_add_int(&cmds[0], o->created_ms);
    args_add_int(&cmds[0], o->id);
    args_add(&cmds[1], "ZREMRANGEBYSCORE");
    args_add_key(&cmds[1], app->redis, KEY_PLACED);
    args_add(&cmds[1], "-inf");
    args_add_int(&cmds[1], oldest);
    args_add(&cmds[2], "ZREMRANGEBYRANK");
    args_add_key(&cmds[2], app->redis, KEY_PLACED);
    args_add_int(&cmds[2], 0);
    args_add_int(&cmds[2], -PLACED_MAX - 1);
    char *skus = skus_of(o);
    (void)snprintf(key, sizeof key, KEY_PLACED_SKUS, (long long)(o->created_ms / DAY_MS));
    args_add(&cmds[3], "HSET");
    args_add_key(&cmds[3], app->redis, key);
    args_add_int(&cmds[3], o->id);
    args_add(&cmds[3], skus);
    args_add(&cmds[4], "EXPIRE");
    args_add_key(&cmds[4], app->redis, key);
    args_add_int(&cmds[4], SKUS_KEEP_S);
    enum next next = redis_pipeline(app->redis, cmds, 5, true, replies, why);
    redis_pipeline_free(cmds, replies, 5);
    free(skus);
    return next;
}

static enum next put(struct app *app, const struct weborder *o, bool holds, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add_int(&a, o->id);
    args_add_int(&a, o->status_id);
    args_add_int(&a, o->modified_ms);
    args_add_int(&a, holds ? (int64_t)o->rows : 0);
    if (holds) {
        args_append(&a, &o->args);
    }
    enum next next = redis_fcall(app->redis, "pending_put", &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        if (reply_int(reply) == 1) {
            next = holds ? note_placed(app, o, why) : NEXT_DONE;
            LOG(LOG_INFO, "web order read", {"outcome", holds ? "pending" : "not_pending"}, {"order", log_int(o->id)},
                {"status", log_int(o->status_id)}, {"rows", log_int((long long)o->rows)});
        }
        freeReplyObject(reply);
    }
    return next;
}

/* For the report of shadow mode: what was sold online, and when. */
static enum next keep_sold(struct app *app, const struct weborder *o, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add_int(&a, o->id);
    args_add_int(&a, o->created_ms);
    args_add_int(&a, (int64_t)o->rows);
    args_append(&a, &o->args);
    enum next next = redis_fcall(app->redis, "shadow_order", &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}

static enum next is_pending(struct app *app, int64_t id, bool *pending, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "HEXISTS");
    args_add_key(&a, app->redis, KEY_PENDING_ORDERS);
    args_add_int(&a, id);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        *pending = reply_int(reply) == 1;
        freeReplyObject(reply);
    }
    return next;
}

/* What an unreadable order holds is not known, so no level may be written until it is; a person is told. */
static enum next hold_unreadable(struct app *app, int64_t id, struct reason *why) {
    char entity[40];
    struct args effects = {0};
    struct reason ignored = {0};
    (void)snprintf(entity, sizeof entity, "web order %lld", (long long)id);
    const struct parked p = {.cause = "bad_web_order",
                             .owner = app->set->mapping->owner_stock,
                             .entity = entity,
                             .text = why->text,
                             .effect = "No level is written until the order can be read: what it holds is not known",
                             .step = "Open the order in BigCommerce and mend or archive it",
                             .queue = "",
                             .job = ""};
    effect_notice(&effects, &p);
    if (effects_apply(app->redis, &effects, &ignored) != NEXT_DONE) {
        LOG(LOG_WARN, "case not stored", {"why", ignored.text});
    }
    args_free(&effects);
    why->not_its_fault = true;
    why->wait_ms = 5000;
    return NEXT_DEFER;
}

/* An order that an older connector handed over holds nothing here: its reservation is in Sitoo's available. Rows that
 * an edit adds to it later are not in Sitoo, and not seen here. A class ends when the order's status holds no stock. */
static enum next heed_baseline(struct app *app, int64_t id, bool *holds, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    enum weborder_class class = WEBORDER_UNCLASSED;
    args_add(&a, *holds ? "HGET" : "HDEL");
    args_add_key(&a, app->redis, KEY_BASELINE_ORDERS);
    args_add_int(&a, id);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        *holds = *holds && !(weborder_class_read(reply_str(reply), &class) && class == WEBORDER_IN_SITOO);
        freeReplyObject(reply);
    }
    return next;
}

static enum next take_order(struct app *app, const cJSON *json, int64_t since_ms, int64_t *last_id,
                            struct reason *why) {
    struct weborder o;
    bool pending = false;
    enum next next = weborder_read(json, app->set->mapping, &o, why);
    if (o.id > *last_id) {
        *last_id = o.id;
    }
    if (next == NEXT_DONE && (o.status_id == 2 || o.status_id == 10)) {
        next = is_pending(app, o.id, &pending, why);
    }
    bool holds = weborder_holds(o.status_id, o.created_ms >= since_ms, pending);
    if (next == NEXT_DONE) {
        next = heed_baseline(app, o.id, &holds, why);
    }
    if (next == NEXT_DONE && holds && o.incomplete) {
        next = weborder_products(app, &o, weborder_target(json, app->set->mapping), why);
    }
    if (next == NEXT_DONE) {
        next = put(app, &o, holds, why);
        if (next == NEXT_DONE && holds && app->mode != MODE_LIVE && o.created_ms >= since_ms) {
            next = keep_sold(app, &o, why);
        }
    } else if (next == NEXT_PARK) {
        next = hold_unreadable(app, o.id, why);
    }
    weborder_free(&o);
    return next;
}

/* ---- cursor ---- */

struct cursor {
    int64_t from_ms, since_ms; /* read from; our first start, 0 = this is it */
    char orders[24];           /* as it stood, "" = not yet */
};

static enum next cursor_read(struct app *app, struct cursor *c, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "HMGET");
    args_add_key(&a, app->redis, KEY_CURSOR);
    args_add(&a, "orders");
    args_add(&a, "since");
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    const char *orders = reply_str_at(reply, 0);
    (void)str_copy(c->orders, sizeof c->orders, orders != NULL ? orders : "");
    if (int_parse(orders, 0, INT64_MAX, &c->from_ms)) {
        c->from_ms -= app->set->mapping->orders_overlap_s * 1000;
    } else {
        c->from_ms = clock_wall_ms() - app->set->mapping->orders_days * 86400 * 1000;
    }
    if (!int_parse(reply_str_at(reply, 1), 0, INT64_MAX, &c->since_ms)) {
        c->since_ms = 0;
    }
    freeReplyObject(reply);
    return NEXT_DONE;
}

/* Our first start by BigCommerce's clock, which dates its orders; this machine's may be off. */
static enum next cursor_since(struct app *app, struct cursor *c, int64_t date_ms, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    c->since_ms = date_ms != HTTP_ABSENT ? date_ms : clock_wall_ms();
    args_add(&a, "HSETNX");
    args_add_key(&a, app->redis, KEY_CURSOR);
    args_add(&a, "since");
    args_add_int(&a, c->since_ms);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}

/* Not if the cursor was set back meanwhile (82_hooks.lua): the next reading then begins there. */
static enum next cursor_write(struct app *app, const struct cursor *c, int64_t orders_ms, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, c->orders);
    args_add_int(&a, orders_ms);
    enum next next = redis_fcall(app->redis, "orders_read", &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}

static char *page_path(const struct cursor *c, int64_t min_id) {
    char date[CLOCK_TEXT_SIZE];
    struct buf b;
    buf_init(&b, 400);
    clock_format_iso_s(c->from_ms, date);
    buf_add_str(&b, "/v2/orders?include=consignments.line_items&consignment_structure=object&min_date_modified=");
    buf_add_url(&b, date);
    buf_addf(&b, "&min_id=%lld&limit=%d&sort=id:asc", (long long)min_id, WEBORDER_PAGE);
    return buf_take(&b);
}

static enum next read_page(struct app *app, struct cursor *c, int64_t *last_id, int *count, int64_t *date_ms,
                           struct reason *why) {
    struct answer answer;
    const cJSON *order = NULL;
    char *path = page_path(c, *last_id + 1);
    enum next next = bigcommerce_get(app, path, &answer, why);
    free(path);
    if (next != NEXT_DONE) {
        return next;
    }
    *count = cJSON_GetArraySize(answer.json); /* 204, an empty list, has no JSON */
    *date_ms = answer.date_ms;
    if (answer.status == 404 || (answer.json != NULL && !cJSON_IsArray(answer.json))) {
        next = reason_set(why, NEXT_DEFER, "bad_web_order", "BigCommerce's order list is not a list (status %d)",
                          answer.status);
    }
    if (next == NEXT_DONE && c->since_ms == 0) {
        next = cursor_since(app, c, answer.date_ms, why);
    }
    cJSON_ArrayForEach(order, answer.json) {
        next = next == NEXT_DONE ? take_order(app, order, c->since_ms, last_id, why) : next;
    }
    answer_free(&answer);
    return next;
}

enum next weborders_refresh(struct app *app, struct reason *why) {
    struct cursor c = {0};
    int64_t last_id = 0, started_ms = HTTP_ABSENT;
    int count = WEBORDER_PAGE;
    enum next next = cursor_read(app, &c, why);
    while (next == NEXT_DONE && count >= WEBORDER_PAGE_SMALLEST) {
        int64_t date_ms = HTTP_ABSENT;
        next = read_page(app, &c, &last_id, &count, &date_ms, why);
        started_ms = started_ms == HTTP_ABSENT ? date_ms : started_ms;
        if (!app_keep(app)) {
            why->not_its_fault = true;
            return reason_set(why, NEXT_DEFER, "stopping", "the process was told to stop");
        }
    }
    if (next != NEXT_DONE) {
        return next;
    }
    return cursor_write(app, &c, started_ms != HTTP_ABSENT ? started_ms : clock_wall_ms(), why);
}
