/* SPDX-License-Identifier: Apache-2.0 */
/* What goods.c sums up, read from BigCommerce, Sitoo and Redis. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "goods.h"
#include "json.h"
#include "keys.h"
#include "order.h"
#include "platform.h"
#include "quantity.h"
#include "redis.h"
#include "weborder.h"
#include "ban.h"

#define PAGES_MAX     20   /* of lines; 5,000 at most are taken */
#define RETURNS_MAX   1000 /* credited to one order; one page */
#define EXTERNAL_SIZE (MAPPING_PATTERN_SIZE + 40)

static enum next read_lines(struct app *app, const struct goods_question *q, struct goods *g, struct reason *why) {
    enum next next = NEXT_DONE;
    int count = WEBORDER_PAGE;
    for (int page = 1; next == NEXT_DONE && count >= WEBORDER_PAGE_SMALLEST && page <= PAGES_MAX; page++) {
        char path[96];
        struct answer answer;
        (void)snprintf(path, sizeof path, "/v2/orders/%lld/products?limit=%d&page=%d", (long long)q->order_id,
                       WEBORDER_PAGE, page);
        next = bigcommerce_get(app, path, &answer, why);
        if (next != NEXT_DONE) {
            break;
        }
        count = cJSON_GetArraySize(answer.json); /* 204, an empty list, has no JSON */
        if (answer.status == 404 || (answer.json != NULL && !cJSON_IsArray(answer.json))) {
            next = reason_set(why, NEXT_DEFER, "incomplete_read",
                              "BigCommerce's lines of order %lld are not a list (status %d)", (long long)q->order_id,
                              answer.status);
        } else {
            next = goods_add_lines(g, q, answer.json, why);
        }
        answer_free(&answer);
    }
    return next;
}

/* One list of Sitoo, whole. */
static enum next read_list(struct app *app, const char *path, struct answer *answer, const cJSON **items,
                           struct reason *why) {
    const char *paths[] = {path};
    int64_t total = -1;
    *items = NULL;
    enum next next = sitoo_get(app, paths, answer, 1, why);
    if (next != NEXT_DONE) {
        return next;
    }
    *items = json_array(answer->json, "items");
    if (*items == NULL || !json_int(answer->json, "totalcount", &total) || total != cJSON_GetArraySize(*items)) {
        next = reason_set(why, NEXT_DEFER, "incomplete_read", "Sitoo gave %d of %lld orders of %.120s",
                          cJSON_GetArraySize(*items), (long long)total, path);
        answer_free(answer);
    }
    return next;
}

/* Sitoo drops a parameter that it does not know without a word. */
static enum next not_heeded(const char *filter, struct reason *why) {
    return reason_set(why, NEXT_DEFER, "incomplete_read",
                      "Sitoo listed orders with another %s than asked for: it does not heed the filter", filter);
}

/* Reference number `pattern` of the web order in Sitoo: ours, then those of an older connector (mapping.h, baseline).
 */
static void external_id(const struct mapping *m, size_t pattern, int64_t order, char out[EXTERNAL_SIZE]) {
    const char *text = pattern > 0 ? m->baseline.patterns[pattern - 1] : MAPPING_ORDER_MARK;
    const char *mark = strstr(text, MAPPING_ORDER_MARK);
    int before = mark != NULL ? (int)(mark - text) : 0;
    (void)snprintf(out, EXTERNAL_SIZE, "%s%.*s%lld%s", pattern > 0 ? "" : m->sitoo_order_prefix, before, text,
                   (long long)order, mark != NULL ? mark + strlen(MAPPING_ORDER_MARK) : "");
}

/* Takes the order if it carries a reference that comes before *best. */
static enum next take_order(const struct mapping *m, struct goods *g, const cJSON *json, size_t *best,
                            struct reason *why) {
    const char *carries = json_str(json, "externalid");
    char external[EXTERNAL_SIZE] = "";
    int64_t id = 0, state = 0;
    size_t pattern = 0;
    for (; pattern <= m->baseline.pattern_count; pattern++) {
        external_id(m, pattern, g->order_id, external);
        if (carries != NULL && strcmp(carries, external) == 0) {
            break;
        }
    }
    if (pattern > m->baseline.pattern_count) {
        return not_heeded("externalid", why);
    }
    if (!json_id(json, "orderid", &id) || id <= 0 || !json_int(json, "orderstateid", &state)) {
        return reason_set(why, NEXT_PARK, "bad_order", "Sitoo's order %s lacks orderid or orderstateid", external);
    }
    if (pattern < *best) {
        *best = pattern;
        g->sitoo_order_id = id;
        g->never_left = state == ORDER_STATE_CANCELLED || state == ORDER_STATE_ABANDONED;
    }
    return NEXT_DONE;
}

static enum next find_order(struct app *app, struct goods *g, struct reason *why) {
    const struct mapping *m = app->set->mapping;
    struct answer answer;
    const cJSON *items = NULL, *item = NULL;
    struct buf path;
    size_t best = SIZE_MAX;
    buf_init(&path, 2000);
    buf_addf(&path, "/orders.json?eshopid=%lld&num=%d&fields=orderid,externalid,orderstateid&externalid=",
             (long long)app->set->sitoo_site_id, RETURNS_MAX);
    for (size_t p = 0; p <= m->baseline.pattern_count; p++) {
        char external[EXTERNAL_SIZE];
        external_id(m, p, g->order_id, external);
        buf_add_str(&path, p > 0 ? "," : "");
        buf_add_url(&path, external);
    }
    enum next next = read_list(app, buf_str(&path), &answer, &items, why);
    buf_free(&path);
    if (next != NEXT_DONE) {
        return next;
    }
    cJSON_ArrayForEach(item, items) {
        next = next == NEXT_DONE ? take_order(m, g, item, &best, why) : next;
    }
    answer_free(&answer);
    return next;
}

static enum next read_returns(struct app *app, struct goods *g, struct reason *why) {
    struct answer answer;
    const cJSON *items = NULL, *item = NULL;
    struct buf path;
    if (g->sitoo_order_id == 0) {
        return NEXT_DONE;
    }
    buf_init(&path, 400);
    buf_addf(&path, "/orders.json?eshopid=%lld&sort=orderid&num=%d&fields=%s&creditorderid=%lld",
             (long long)app->set->sitoo_site_id, RETURNS_MAX, ORDER_FIELDS, (long long)g->sitoo_order_id);
    enum next next = read_list(app, buf_str(&path), &answer, &items, why);
    buf_free(&path);
    if (next != NEXT_DONE) {
        return next;
    }
    cJSON_ArrayForEach(item, items) {
        int64_t credits = 0;
        if (next == NEXT_DONE && (!json_id(item, "creditorderid", &credits) || credits != g->sitoo_order_id)) {
            next = not_heeded("creditorderid", why);
        }
        next = next == NEXT_DONE ? goods_add_return(g, item, app->set->mapping->sitoo_order_prefix, why) : next;
    }
    answer_free(&answer);
    return next;
}

static enum next read_booked(struct app *app, struct goods *g, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    char key[48];
    (void)snprintf(key, sizeof key, KEY_GOODS, (long long)g->order_id);
    args_add(&a, "HVALS");
    args_add_key(&a, app->redis, key);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    for (size_t i = 0; i < reply->elements; i++) {
        const char *text = reply_str_at(reply, i);
        if (text == NULL || !goods_add_booked(g, text)) {
            next = reason_set(why, NEXT_BUG, "bad_entity", "goods booked in for order %lld cannot be read: %.80s",
                              (long long)g->order_id, text != NULL ? text : "");
        }
    }
    freeReplyObject(reply);
    return next;
}

enum next goods_read(struct app *app, const struct goods_question *q, struct goods *out, struct reason *why) {
    *out = (struct goods){.order_id = q->order_id};
    enum next next = read_lines(app, q, out, why);
    next = next == NEXT_DONE ? find_order(app, out, why) : next;
    next = next == NEXT_DONE ? read_returns(app, out, why) : next;
    return next == NEXT_DONE ? read_booked(app, out, why) : next;
}

enum next goods_since(struct app *app, int64_t *since_ms, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "HGET");
    args_add_key(&a, app->redis, KEY_CURSOR);
    args_add(&a, "since");
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        const char *text = reply_str(reply);
        if (text == NULL || !int_parse(text, 0, INT64_MAX, since_ms)) {
            *since_ms = 0;
        }
        freeReplyObject(reply);
    }
    return next;
}
