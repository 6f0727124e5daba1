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

#define PAGE              250 /* what v2 collections are known to give; a larger limit is not documented */
#define PAGE_SMALLEST     50  /* the documented default: were the limit capped silently, a page might be this short */
#define LINES_MAX         2000
#define SKU_MAX           255
#define QUANTITY_LINE_MAX INT64_C(1000000000)
#define PRODUCT_PAGES_MAX 40

/* Statuses of the Orders page (bigcommerce.md 9): 1 Pending, 2 Shipped, 3 Partially Shipped, 7 Awaiting Payment, 8
 * Awaiting Pickup, 9 Awaiting Shipment, 10 Completed, 11 Awaiting Fulfillment, 12 Manual Verification, 13 Disputed, 14
 * Partially Refunded. */
bool weborder_holds(int64_t status_id, bool created_since_start, bool already_pending) {
    switch (status_id) {
    case 1:
    case 3:
    case 7:
    case 8:
    case 9:
    case 11:
    case 12:
    case 13:
    case 14:
        return true;
    case 2:
    case 10:
        /* Gone, but not yet delivered in Sitoo. What was done before our first start is in Sitoo's numbers already. */
        return created_since_start || already_pending;
    default:
        return false;
    }
}

void weborder_free(struct weborder *o) {
    args_free(&o->args);
    memset(o, 0, sizeof *o);
}

static bool is_parent(const cJSON *lines, int64_t id) {
    const cJSON *line = NULL;
    int64_t parent = 0;
    cJSON_ArrayForEach(line, lines) {
        if (json_id(line, "parent_order_product_id", &parent) && parent == id && id != 0) {
            return true;
        }
    }
    return false;
}

/* A line that holds stock: physical, with a SKU, not refunded, and no parent of component lines. */
static bool line_counts(const cJSON *line, const cJSON *lines, int64_t left) {
    const char *sku = json_str(line, "sku"), *type = json_str(line, "type");
    int64_t id = 0;
    bool physical = type == NULL || strcmp(type, "physical") == 0;
    return physical && sku != NULL && sku[0] != '\0' && strlen(sku) <= SKU_MAX && left > 0 &&
           !(json_id(line, "id", &id) && is_parent(lines, id));
}

enum next weborder_lines(const cJSON *lines, int64_t target, struct weborder *out, struct reason *why) {
    const cJSON *line = NULL;
    if (!cJSON_IsArray(lines)) {
        out->incomplete = true;
        return NEXT_DONE;
    }
    cJSON_ArrayForEach(line, lines) {
        int64_t quantity = 0, refunded = 0;
        if (json_get(line, "__warning__") != NULL ||
            (json_get(line, "quantity") == NULL && json_str(line, "resource") != NULL)) {
            out->incomplete = true; /* cut off, or a link instead of the line */
            return NEXT_DONE;
        }
        if (!json_id(line, "quantity", &quantity) || quantity < 0 || quantity > QUANTITY_LINE_MAX) {
            return reason_set(why, NEXT_PARK, "bad_web_order",
                              "BigCommerce order %lld: a line has no readable quantity", (long long)out->id);
        }
        (void)json_id(line, "quantity_refunded", &refunded);
        if (!line_counts(line, lines, quantity - refunded)) {
            continue;
        }
        if (++out->rows > LINES_MAX) {
            return reason_set(why, NEXT_PARK, "bad_web_order", "BigCommerce order %lld has more than %d lines",
                              (long long)out->id, LINES_MAX);
        }
        args_addf(&out->args, "%lld|%s", (long long)target, json_str(line, "sku"));
        args_add_int(&out->args, (quantity - refunded) * QUANTITY_ONE);
    }
    return NEXT_DONE;
}

static int64_t pickup_warehouse(const struct mapping *m, const cJSON *pickup) {
    int64_t location = 0, method = 0;
    (void)json_id(json_get(pickup, "location"), "id", &location);
    (void)json_id(pickup, "pickup_method_id", &method);
    const struct mapping_location *l = mapping_pickup(m, location, method);
    return l != NULL && l->warehouse_count == 1 ? l->warehouse_ids[0] : 0;
}

static enum next read_group(const cJSON *group, const struct mapping *m, bool pickup, struct weborder *out,
                            struct reason *why) {
    const cJSON *one = NULL;
    cJSON_ArrayForEach(one, group) {
        if (json_get(one, "__warning__") != NULL) {
            out->incomplete = true; /* cut at 50 lines */
        }
        enum next next = weborder_lines(json_array(one, "line_items"), pickup ? pickup_warehouse(m, one) : 0, out, why);
        if (next != NEXT_DONE) {
            return next;
        }
    }
    return NEXT_DONE;
}

static bool read_date(const cJSON *json, const char *key, int64_t *ms) {
    const char *text = json_str(json, key);
    return text != NULL && clock_parse_rfc2822(text, ms);
}

enum next weborder_read(const cJSON *json, const struct mapping *m, struct weborder *out, struct reason *why) {
    memset(out, 0, sizeof *out);
    if (!json_id(json, "id", &out->id) || out->id <= 0 || !json_id(json, "status_id", &out->status_id)) {
        return reason_set(why, NEXT_PARK, "bad_web_order", "a BigCommerce order came without id or status_id");
    }
    if (!read_date(json, "date_modified", &out->modified_ms)) {
        out->modified_ms = 0;
    }
    if (!read_date(json, "date_created", &out->created_ms)) {
        out->created_ms = INT64_MAX; /* unknown: counts as new, which can only lower levels */
    }
    if (!weborder_holds(out->status_id, true, true)) {
        return NEXT_DONE; /* whatever its lines say */
    }
    const cJSON *consignments = json_get(json, "consignments");
    const cJSON *pickups = json_array(consignments, "pickups"), *shipping = json_array(consignments, "shipping");
    if (pickups == NULL || shipping == NULL || json_get(consignments, "__warning__") != NULL) {
        out->incomplete = true;
        return NEXT_DONE;
    }
    enum next next = read_group(pickups, m, true, out, why);
    return next == NEXT_DONE ? read_group(shipping, m, false, out, why) : next;
}

/* The lines of one order from /products: all of them, whatever the list cut off. */
static enum next read_products(struct app *app, struct weborder *o, int64_t target, struct reason *why) {
    enum next next = NEXT_DONE;
    int count = PAGE;
    args_free(&o->args);
    o->rows = 0;
    for (int page = 1; next == NEXT_DONE && count >= PAGE_SMALLEST && page <= PRODUCT_PAGES_MAX; page++) {
        char path[96];
        struct answer answer;
        (void)snprintf(path, sizeof path, "/v2/orders/%lld/products?limit=%d&page=%d", (long long)o->id, PAGE, page);
        next = bigcommerce_get(app, path, &answer, why);
        if (next == NEXT_DONE) {
            count = cJSON_GetArraySize(answer.json);
            next = weborder_lines(answer.json, target, o, why);
            answer_free(&answer);
        }
    }
    o->incomplete = false;
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
            LOG(LOG_INFO, "web order read", {"outcome", holds ? "pending" : "not_pending"}, {"order", log_int(o->id)},
                {"status", log_int(o->status_id)}, {"rows", log_int((long long)o->rows)});
        }
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

/* The pickup warehouse of an order whose lines have to be read apart (one pickup location per order,
 * bigcommerce.md 7.2). */
static int64_t only_target(const cJSON *json, const struct mapping *m) {
    const cJSON *pickups = json_array(json_get(json, "consignments"), "pickups");
    return cJSON_GetArraySize(pickups) == 1 &&
                   cJSON_GetArraySize(json_array(json_get(json, "consignments"), "shipping")) == 0
               ? pickup_warehouse(m, cJSON_GetArrayItem(pickups, 0))
               : 0;
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
    if (next == NEXT_DONE && holds && o.incomplete) {
        next = read_products(app, &o, only_target(json, app->set->mapping), why);
    }
    if (next == NEXT_DONE) {
        next = put(app, &o, holds, why);
    } else if (next == NEXT_PARK) {
        next = hold_unreadable(app, o.id, why);
    }
    weborder_free(&o);
    return next;
}

/* ---- cursor ---- */

struct cursor {
    int64_t from_ms, since_ms; /* read from; our first start */
};

static enum next cursor_read(struct app *app, struct cursor *c, struct reason *why) {
    struct args cmds[2] = {{0}, {0}};
    redisReply *replies[2] = {NULL, NULL};
    int64_t now = clock_wall_ms();
    args_add(&cmds[0], "HSETNX");
    args_add_key(&cmds[0], app->redis, KEY_CURSOR);
    args_add(&cmds[0], "since");
    args_add_int(&cmds[0], now);
    args_add(&cmds[1], "HMGET");
    args_add_key(&cmds[1], app->redis, KEY_CURSOR);
    args_add(&cmds[1], "orders");
    args_add(&cmds[1], "since");
    enum next next = redis_pipeline(app->redis, cmds, 2, true, replies, why);
    if (next == NEXT_DONE) {
        const char *orders = reply_str_at(replies[1], 0), *since = reply_str_at(replies[1], 1);
        if (orders == NULL || !int_parse(orders, 0, INT64_MAX, &c->from_ms)) {
            c->from_ms = now - app->set->mapping->orders_days * 86400 * 1000;
        } else {
            c->from_ms -= app->set->mapping->orders_overlap_s * 1000;
        }
        if (since == NULL || !int_parse(since, 0, INT64_MAX, &c->since_ms)) {
            c->since_ms = now;
        }
        freeReplyObject(replies[0]);
        freeReplyObject(replies[1]);
    }
    args_free(&cmds[0]);
    args_free(&cmds[1]);
    return next;
}

static enum next cursor_write(struct app *app, int64_t orders_ms, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "HSET");
    args_add_key(&a, app->redis, KEY_CURSOR);
    args_add(&a, "orders");
    args_add_int(&a, orders_ms);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
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
    buf_addf(&b, "&min_id=%lld&limit=%d&sort=id:asc", (long long)min_id, PAGE);
    return buf_take(&b);
}

static enum next read_page(struct app *app, const struct cursor *c, int64_t *last_id, int *count, int64_t *date_ms,
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
    cJSON_ArrayForEach(order, answer.json) {
        next = next == NEXT_DONE ? take_order(app, order, c->since_ms, last_id, why) : next;
    }
    answer_free(&answer);
    return next;
}

enum next weborders_refresh(struct app *app, struct reason *why) {
    struct cursor c = {0};
    int64_t last_id = 0, started_ms = HTTP_ABSENT;
    int count = PAGE;
    enum next next = cursor_read(app, &c, why);
    while (next == NEXT_DONE && count >= PAGE_SMALLEST) {
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
    return cursor_write(app, started_ms != HTTP_ABSENT ? started_ms : clock_wall_ms(), why);
}
