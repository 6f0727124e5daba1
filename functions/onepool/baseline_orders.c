/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open web orders: status by status, of any age, pages by rising id; then everything modified since the first of these
 * reads, so that an order that changed its status in between is neither missed nor kept.
 *
 * Source: reference/orders.v2.oas2.yml (2026-04-01): status_id takes one value; bigcommerce.md 9.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "baseline.h"
#include "clock.h"
#include "json.h"
#include "keys.h"
#include "quantity.h"
#include "ban.h"

#define INCLUDE "include=consignments.line_items&consignment_structure=object&sort=id:asc"

/* ---- reading ---- */

static char *order_text(const struct weborder *o) {
    cJSON *json = json_new_object();
    json_add_int(json, "status", o->status_id);
    json_add_int(json, "created", o->created_ms == INT64_MAX ? 0 : o->created_ms);
    json_add_int(json, "modified", o->modified_ms);
    cJSON *rows = json_add_array(json, "rows");
    for (size_t i = 0; i + 1 < o->args.n; i += 2) {
        cJSON *row = cJSON_CreateArray();
        (void)cJSON_AddItemToArray(row, cJSON_CreateString(o->args.argv[i]));
        (void)cJSON_AddItemToArray(row, cJSON_CreateString(o->args.argv[i + 1]));
        (void)cJSON_AddItemToArray(rows, row);
    }
    char *text = json_print(json);
    cJSON_Delete(json);
    return text;
}

static enum next forget_order(struct baseline *b, int64_t id, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "HDEL");
    args_add_key(&a, b->app->redis, KEY_BASELINE_ROWS);
    args_add_int(&a, id);
    enum next next = redis_command(b->app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}

/* since_ms: our first start; orders that were shipped or completed before it are in Sitoo's numbers. */
static enum next take_order(struct baseline *b, const cJSON *json, int64_t since_ms, int64_t *last_id,
                            struct args *rows, struct reason *why) {
    const struct mapping *m = b->app->set->mapping;
    struct weborder o;
    enum next next = weborder_read(json, m, &o, why);
    *last_id = o.id > *last_id ? o.id : *last_id;
    bool holds = weborder_holds(o.status_id, o.created_ms >= since_ms, false);
    if (next == NEXT_DONE && holds && o.incomplete) {
        next = weborder_products(b->app, &o, weborder_target(json, m), why);
    }
    if (next == NEXT_DONE && holds) {
        char *text = order_text(&o);
        args_add_int(rows, o.id);
        args_add(rows, text);
        free(text);
    } else if (next == NEXT_DONE) {
        next = forget_order(b, o.id, why);
    }
    weborder_free(&o);
    return next;
}

struct page {
    int64_t last_id, date_ms;
    int count;
};

/* One page of `path`, stored with `at` = the id up to which this part is read. */
static enum next read_page(struct baseline *b, const char *path, const char *at, int64_t since_ms, struct page *p,
                           struct reason *why) {
    struct answer answer;
    struct args rows = {0}, progress = {0};
    const cJSON *order = NULL;
    enum next next = baseline_bigcommerce(b, path, &answer, why);
    if (next != NEXT_DONE) {
        return next;
    }
    p->count = cJSON_GetArraySize(answer.json); /* 204, an empty list, has no JSON */
    p->date_ms = answer.date_ms;
    if (answer.status == 404 || (answer.json != NULL && !cJSON_IsArray(answer.json))) {
        next = reason_set(why, NEXT_PARK, "bad_web_order", "BigCommerce's order list is not a list (status %d)",
                          answer.status);
    }
    cJSON_ArrayForEach(order, answer.json) {
        next = next == NEXT_DONE ? take_order(b, order, since_ms, &p->last_id, &rows, why) : next;
    }
    answer_free(&answer);
    if (next == NEXT_DONE) {
        b->progress.total += p->count;
        progress_step(&b->progress, "open web orders", p->count);
        args_add(&progress, at);
        args_add_int(&progress, p->last_id);
        args_add(&progress, "total");
        args_add_int(&progress, b->progress.total);
        args_add(&progress, "done");
        args_add_int(&progress, b->progress.done);
        next = baseline_put(b, "rows", &rows, &progress, why);
    }
    args_free(&rows);
    args_free(&progress);
    return next;
}

static enum next read_part(struct baseline *b, const char *filter, const char *part, int64_t since_ms, int64_t *date_ms,
                           struct reason *why) {
    char at[BASELINE_WORD_MAX], end[BASELINE_WORD_MAX], path[400];
    struct page p = {.count = WEBORDER_PAGE, .date_ms = HTTP_ABSENT};
    int64_t done = 0;
    (void)snprintf(at, sizeof at, "at:orders:%s", part);
    (void)snprintf(end, sizeof end, "end:orders:%s", part);
    enum next next = baseline_get_int(b, end, &done, why);
    next = next == NEXT_DONE ? baseline_get_int(b, at, &p.last_id, why) : next;
    while (next == NEXT_DONE && done == 0 && p.count >= WEBORDER_PAGE_SMALLEST) {
        (void)snprintf(path, sizeof path, "/v2/orders?" INCLUDE "&%s&min_id=%lld&limit=%d", filter,
                       (long long)p.last_id + 1, WEBORDER_PAGE);
        next = read_page(b, path, at, since_ms, &p, why);
        if (date_ms != NULL && *date_ms == HTTP_ABSENT) {
            *date_ms = p.date_ms;
        }
    }
    return next == NEXT_DONE && done == 0 ? baseline_set_int(b, end, 1, why) : next;
}

/* From when on changes have to be looked for again: before the first order is read, by BigCommerce's clock. */
static enum next remember_begin(struct baseline *b, struct reason *why) {
    struct answer answer;
    char text[32];
    enum next next = baseline_get(b, "orders_ms", text, sizeof text, why);
    if (next != NEXT_DONE || text[0] != '\0') {
        return next;
    }
    next = baseline_bigcommerce(b, "/v2/time", &answer, why);
    if (next != NEXT_DONE) {
        return next;
    }
    int64_t time_s = 0, at_ms = json_int(answer.json, "time", &time_s) ? time_s * 1000 : clock_wall_ms();
    answer_free(&answer);
    return baseline_set_int(b, "orders_ms", at_ms - b->app->set->mapping->orders_overlap_s * 1000, why);
}

static enum next read_changes(struct baseline *b, int64_t since_ms, struct reason *why) {
    char date[CLOCK_TEXT_SIZE];
    struct buf filter;
    int64_t from = 0;
    enum next next = baseline_get_int(b, "orders_ms", &from, why);
    clock_format_iso_s(from, date);
    buf_init(&filter, 200);
    buf_add_str(&filter, "min_date_modified=");
    buf_add_url(&filter, date);
    next = next == NEXT_DONE ? read_part(b, buf_str(&filter), "changed", since_ms, NULL, why) : next;
    buf_free(&filter);
    return next;
}

static enum next since_start(struct baseline *b, int64_t *ms, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "HGET");
    args_add_key(&a, b->app->redis, KEY_CURSOR);
    args_add(&a, "since");
    enum next next = redis_command(b->app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        *ms = reply_int(reply);
        freeReplyObject(reply);
    }
    return next;
}

enum next baseline_read_orders(struct baseline *b, struct reason *why) {
    int64_t since = 0;
    char filter[40], part[40];
    enum next next = remember_begin(b, why);
    next = next == NEXT_DONE ? since_start(b, &since, why) : next;
    for (int64_t status = 1; next == NEXT_DONE && status < MAPPING_STATUSES; status++) {
        if (!weborder_holds(status, true, false)) {
            continue;
        }
        /* Shipped and completed ones hold stock only if they are younger than our first start. */
        bool always = weborder_holds(status, false, false);
        char date[CLOCK_TEXT_SIZE];
        struct buf text;
        clock_format_iso_s(since, date);
        buf_init(&text, 200);
        (void)snprintf(filter, sizeof filter, "status_id=%lld", (long long)status);
        (void)snprintf(part, sizeof part, "%lld", (long long)status);
        buf_add_str(&text, filter);
        if (!always) {
            buf_add_str(&text, "&min_date_created=");
            buf_add_url(&text, date);
        }
        next = read_part(b, buf_str(&text), part, since, NULL, why);
        buf_free(&text);
    }
    return next == NEXT_DONE ? read_changes(b, since, why) : next;
}

/* ---- what was read ---- */

struct loading {
    struct open_orders *o;
    size_t cap;
};

static void take_rows(void *arg, const char *field, const char *value) {
    struct loading *l = arg;
    char error[80];
    struct open_order one = {0};
    const cJSON *row = NULL;
    int64_t quantity = 0;
    cJSON *json = json_read(value, strlen(value), error, sizeof error);
    if (json == NULL || !int_parse(field, 1, JSON_INT_MAX, &one.id)) {
        cJSON_Delete(json);
        return;
    }
    (void)json_int(json, "status", &one.status);
    (void)json_int(json, "created", &one.created_ms);
    one.rows = cJSON_DetachItemFromObjectCaseSensitive(json, "rows");
    cJSON_Delete(json);
    cJSON_ArrayForEach(row, one.rows) {
        const cJSON *text = cJSON_GetArrayItem(row, 1);
        one.units += cJSON_IsString(text) && int_parse(text->valuestring, 0, QUANTITY_MAX, &quantity) ? quantity : 0;
    }
    if (l->o->n == l->cap) {
        l->cap = l->cap > 0 ? 2 * l->cap : 256;
        l->o->list = xrealloc(l->o->list, l->cap, sizeof *l->o->list);
    }
    l->o->list[l->o->n++] = one;
}

static int by_id(const void *a, const void *b) {
    const struct open_order *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

struct open_order *open_orders_find(const struct open_orders *o, int64_t id) {
    const struct open_order key = {.id = id};
    return o->n > 0 ? bsearch(&key, o->list, o->n, sizeof key, by_id) : NULL;
}

/* A hash scan may give a field twice. */
static void drop_doubles(struct open_orders *o) {
    size_t kept = 0;
    for (size_t i = 0; i < o->n; i++) {
        if (kept > 0 && o->list[kept - 1].id == o->list[i].id) {
            cJSON_Delete(o->list[i].rows);
        } else {
            o->list[kept++] = o->list[i];
        }
    }
    o->n = kept;
}

static void take_class(void *arg, const char *field, const char *value) {
    struct open_orders *o = arg;
    int64_t id = 0;
    struct open_order *one = int_parse(field, 1, JSON_INT_MAX, &id) ? open_orders_find(o, id) : NULL;
    const char *space = strchr(value, ' ');
    if (one != NULL && weborder_class_read(value, &one->class)) {
        (void)str_copy(one->by, sizeof one->by, space != NULL ? space + 1 : "");
    }
}

static void take_note(void *arg, const char *field, const char *value) {
    struct open_orders *o = arg;
    int64_t id = 0;
    struct open_order *one = int_parse(field, 1, JSON_INT_MAX, &id) ? open_orders_find(o, id) : NULL;
    if (one != NULL) {
        (void)str_copy(one->note, sizeof one->note, value);
    }
}

enum next open_orders_load(struct baseline *b, struct open_orders *o, struct reason *why) {
    struct loading l = {.o = o};
    memset(o, 0, sizeof *o);
    enum next next = baseline_each(b, KEY_BASELINE_ROWS, take_rows, &l, why);
    if (o->n > 0) {
        qsort(o->list, o->n, sizeof *o->list, by_id);
        drop_doubles(o);
    }
    next = next == NEXT_DONE ? baseline_each(b, KEY_BASELINE_ORDERS, take_class, o, why) : next;
    return next == NEXT_DONE ? baseline_each(b, KEY_BASELINE_NOTES, take_note, o, why) : next;
}

void open_orders_free(struct open_orders *o) {
    for (size_t i = 0; i < o->n; i++) {
        cJSON_Delete(o->list[i].rows);
    }
    free(o->list);
    memset(o, 0, sizeof *o);
}
