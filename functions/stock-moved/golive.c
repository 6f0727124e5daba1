/* SPDX-License-Identifier: Apache-2.0 */
#include "golive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "keys.h"
#include "log.h"
#include "quantity.h"
#include "weborder.h"
#include "ban.h"

#define SCAN_COUNT 500

/* What a scan brings together. A field may come twice, and must bear it. */
struct taken {
    int64_t n;
    struct args marks; /* effects, applied page by page */
};
typedef enum next take_field(struct app *app, const char *field, const char *value, struct taken *t,
                             struct reason *why);

static enum next scan(struct app *app, const char *key, take_field *take, struct taken *t, struct reason *why) {
    char cursor[REDIS_CURSOR_SIZE] = "";
    enum next next = NEXT_DONE;
    do {
        redisReply *reply = NULL;
        next = redis_hash_page(app->redis, key, SCAN_COUNT, cursor, &reply, why);
        if (next != NEXT_DONE) {
            return next;
        }
        const redisReply *list = reply->element[1];
        for (size_t i = 0; next == NEXT_DONE && i + 1 < list->elements; i += 2) {
            next = take(app, reply_str_at(list, i), reply_str_at(list, i + 1), t, why);
        }
        freeReplyObject(reply);
        if (next == NEXT_DONE && t->marks.n > 0) {
            next = effects_apply(app->redis, &t->marks, why);
        }
        args_free(&t->marks);
        if (next == NEXT_DONE && (stop_requested() || !app_keep(app))) {
            why->not_its_fault = true;
            next = reason_set(why, NEXT_DEFER, "stopping", "the process was told to stop");
        }
    } while (next == NEXT_DONE && !redis_hash_ended(cursor));
    return next;
}

static enum next one_command(struct app *app, struct args *a, redisReply **reply, struct reason *why) {
    enum next next = redis_command(app->redis, a, true, reply, why);
    args_free(a);
    return next;
}

/* ---- pending ---- */

static enum next class_of(struct app *app, const char *order, enum weborder_class *class, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    *class = WEBORDER_UNCLASSED;
    args_add(&a, "HGET");
    args_add_key(&a, app->redis, KEY_BASELINE_ORDERS);
    args_add(&a, order);
    enum next next = one_command(app, &a, &reply, why);
    if (next == NEXT_DONE) {
        (void)weborder_class_read(reply_str(reply), class);
        freeReplyObject(reply);
    }
    return next;
}

static void put_rows(struct args *a, const cJSON *rows, bool holds) {
    const cJSON *row = NULL;
    args_add_int(a, holds ? cJSON_GetArraySize(rows) : 0);
    cJSON_ArrayForEach(row, rows) {
        const cJSON *field = cJSON_GetArrayItem(row, 0), *quantity = cJSON_GetArrayItem(row, 1);
        if (holds) {
            args_add(a, cJSON_IsString(field) ? field->valuestring : "");
            args_add(a, cJSON_IsString(quantity) ? quantity->valuestring : "0");
        }
    }
}

static enum next put_order(struct app *app, const char *order, const char *text, struct taken *t, struct reason *why) {
    char error[80];
    enum weborder_class class = WEBORDER_UNCLASSED;
    int64_t status = 0, modified = 0;
    cJSON *json = json_read(text, strlen(text), error, sizeof error);
    if (json == NULL) {
        return reason_set(why, NEXT_BUG, "baseline", "order %.20s of the baseline cannot be read: %s", order, error);
    }
    enum next next = class_of(app, order, &class, why);
    if (next == NEXT_DONE) {
        struct args a = {0};
        redisReply *reply = NULL;
        (void)json_int(json, "status", &status);
        (void)json_int(json, "modified", &modified);
        args_add(&a, order);
        args_add_int(&a, status);
        args_add_int(&a, modified);
        put_rows(&a, json_array(json, "rows"), class != WEBORDER_IN_SITOO);
        next = redis_fcall(app->redis, "pending_put", &a, true, &reply, why);
        args_free(&a);
        if (next == NEXT_DONE) {
            t->n++;
            freeReplyObject(reply);
        }
    }
    cJSON_Delete(json);
    return next;
}

/* Orders may have changed since they were read: the next refresh reads all that was modified from then on. */
static enum next wind_back(struct app *app, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    int64_t from = 0, now = 0;
    args_add(&a, "HGET");
    args_add_key(&a, app->redis, KEY_BASELINE);
    args_add(&a, "orders_ms");
    enum next next = one_command(app, &a, &reply, why);
    if (next != NEXT_DONE) {
        return next;
    }
    bool known = int_parse(reply_str(reply) != NULL ? reply_str(reply) : "", 1, INT64_MAX, &from);
    freeReplyObject(reply);
    args_add(&a, "HGET");
    args_add_key(&a, app->redis, KEY_CURSOR);
    args_add(&a, "orders");
    next = one_command(app, &a, &reply, why);
    if (next != NEXT_DONE) {
        return next;
    }
    bool later = !int_parse(reply_str(reply) != NULL ? reply_str(reply) : "", 0, INT64_MAX, &now) || now > from;
    freeReplyObject(reply);
    if (!known || !later) {
        return NEXT_DONE;
    }
    args_add(&a, "HSET");
    args_add_key(&a, app->redis, KEY_CURSOR);
    args_add(&a, "orders");
    args_add_int(&a, from);
    next = one_command(app, &a, &reply, why);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}

/* ---- due ---- */

/* "location|sku": the SKU is due. b: what BigCommerce shows is read back, too. */
static enum next mark_field(struct app *app, const char *field, const char *value, struct taken *t,
                            struct reason *why) {
    const char *bar = strchr(field, '|');
    (void)app;
    (void)value;
    (void)why;
    if (bar != NULL) {
        effect_mark(&t->marks, QUEUE_SKU, bar + 1, 0, "b", "");
        t->n++;
    }
    return NEXT_DONE;
}

/* Available as remembered may be an hour old; what decides now is read anew. */
static enum next forget_stock(struct app *app, struct reason *why) {
    const struct mapping *m = app->set->mapping;
    struct args a = {0};
    redisReply *reply = NULL;
    char name[64];
    args_add(&a, "UNLINK");
    for (size_t w = 0; w < m->warehouse_count; w++) {
        (void)snprintf(name, sizeof name, KEY_STOCK, (long long)m->warehouses[w]);
        args_add_key(&a, app->redis, name);
    }
    enum next next = one_command(app, &a, &reply, why);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}

static enum next begun(struct app *app, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "HGET");
    args_add_key(&a, app->redis, KEY_BASELINE);
    args_add(&a, "accepted");
    enum next next = one_command(app, &a, &reply, why);
    if (next != NEXT_DONE) {
        return next;
    }
    args_add(&a, reply_str(reply) != NULL ? reply_str(reply) : "");
    freeReplyObject(reply);
    next = redis_fcall(app->redis, "baseline_begun", &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}

enum next golive_begin(struct app *app, struct reason *why) {
    struct taken orders = {0}, differing = {0}, touched = {0};
    enum next next = scan(app, KEY_BASELINE_ROWS, put_order, &orders, why);
    next = next == NEXT_DONE ? wind_back(app, why) : next;
    next = next == NEXT_DONE ? forget_stock(app, why) : next;
    next = next == NEXT_DONE ? scan(app, KEY_BASELINE_ALLOW, mark_field, &differing, why) : next;
    /* What shadow mode computed was not written. */
    next = next == NEXT_DONE ? scan(app, KEY_LEVEL_SHADOW, mark_field, &touched, why) : next;
    next = next == NEXT_DONE ? begun(app, why) : next;
    if (next == NEXT_DONE) {
        app->go_live = false;
        LOG(LOG_INFO, "the accepted baseline is taken over", {"orders", log_int(orders.n)},
            {"differences", log_int(differing.n)}, {"touched_in_shadow", log_int(touched.n)});
    }
    return next;
}

/* ---- the brake ---- */

/* "was level" of the accepted difference. */
static bool same_change(const char *text, const struct level_item *item) {
    char expected[64];
    (void)snprintf(expected, sizeof expected, "%lld %lld", (long long)item->was, (long long)item->level);
    return text != NULL && strcmp(text, expected) == 0;
}

enum next golive_allow(struct app *app, struct level_item *items, size_t n, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "EXISTS");
    args_add_key(&a, app->redis, KEY_BASELINE_ALLOW);
    enum next next = one_command(app, &a, &reply, why);
    if (next != NEXT_DONE) {
        return next;
    }
    bool any = reply_int(reply) == 1;
    freeReplyObject(reply);
    if (!any || n == 0) {
        return NEXT_DONE;
    }
    args_add(&a, "HMGET");
    args_add_key(&a, app->redis, KEY_BASELINE_ALLOW);
    for (size_t i = 0; i < n; i++) {
        args_addf(&a, "%lld|%s", (long long)items[i].location_id, items[i].fact->sku);
    }
    next = one_command(app, &a, &reply, why);
    for (size_t i = 0; next == NEXT_DONE && i < n; i++) {
        items[i].allowed = same_change(reply_str_at(reply, i), &items[i]);
    }
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}
