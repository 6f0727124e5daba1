/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events are thin: they name orders and items, seldom a SKU. Which orders hold a SKU is known from the ledger (rows
 * that were sold or came back) and from the web orders that are open; which item it is, from its identity.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "identity.h"
#include "json.h"
#include "keys.h"
#include "replay_choice.h"
#include "stream.h"
#include "ban.h"

#define LEDGER_PAGE 1000

static int compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Each once, sorted. */
static void settle(struct args *list) {
    size_t kept = 0;
    if (list->n > 1) {
        qsort(list->argv, list->n, sizeof *list->argv, compare);
    }
    for (size_t i = 0; i < list->n; i++) {
        if (kept > 0 && strcmp(list->argv[kept - 1], list->argv[i]) == 0) {
            free(list->argv[i]);
        } else {
            list->argv[kept++] = list->argv[i];
        }
    }
    list->n = kept;
}

static bool holds(const struct args *list, const char *text) {
    return list->n > 0 && bsearch(&text, list->argv, list->n, sizeof *list->argv, compare) != NULL;
}

/* ---- reading ---- */

static enum next read_item(struct app *app, struct replay_filter *f, struct reason *why) {
    struct identity item = {0};
    bool known = false;
    enum next next = identity_recall(app, &f->sku, 1, &item, &known, why);
    if (next == NEXT_DONE && known && item.product_id > 0) {
        (void)snprintf(f->item, sizeof f->item, "%lld:", (long long)item.product_id);
        (void)snprintf(f->product, sizeof f->product, "%lld", (long long)item.product_id);
        (void)snprintf(f->variant, sizeof f->variant, "v%lld", (long long)item.variant_id);
    }
    return next;
}

/* A row of the ledger that names an order of the tills and the SKU. */
static void take_row(struct replay_filter *f, const char *row) {
    char error[80];
    int64_t order = 0;
    if (strstr(row, "\"order\"") == NULL && strstr(row, "\"return\"") == NULL) {
        return;
    }
    cJSON *json = json_read(row, strlen(row), error, sizeof error);
    const char *sku = json_str(json, "sku");
    if (sku != NULL && strcmp(sku, f->sku) == 0 &&
        (json_id(json, "order", &order) || json_id(json, "return", &order))) {
        args_addf(&f->till_orders, "%lld", (long long)order);
    }
    cJSON_Delete(json);
}

static enum next read_ledger(struct replay_walk *w, struct replay_filter *f, struct reason *why) {
    char from[64];
    int64_t seen = 0;
    enum next next = NEXT_DONE;
    bool more = true;
    (void)snprintf(from, sizeof from, "%lld", (long long)w->begins_ms);
    while (next == NEXT_DONE && more) {
        redisReply *reply = NULL;
        next = stream_page(w->app, KEY_LEDGER, from, "+", LEDGER_PAGE, &reply, why);
        for (size_t i = 0; next == NEXT_DONE && i < reply->elements; i++) {
            const redisReply *row = stream_field(reply->element[i], "row");
            if (row != NULL && row->str != NULL) {
                take_row(f, row->str);
            }
            (void)snprintf(from, sizeof from, "(%s", reply_str_at(reply->element[i], 0));
        }
        if (next == NEXT_DONE) {
            more = reply->elements == LEDGER_PAGE;
            seen += (int64_t)reply->elements;
            w->progress(w->progress_arg, "rows of the ledger looked at", seen, 0);
            freeReplyObject(reply);
        }
    }
    return next;
}

struct web_orders {
    struct replay_filter *filter;
    const char *pattern; /* |SKU" */
};

static enum next take_web_order(void *arg, const char *order, const char *json, struct reason *why) {
    const struct web_orders *w = arg;
    (void)why;
    if (strstr(json, w->pattern) != NULL) {
        args_add(&w->filter->web_orders, order);
    }
    return NEXT_DONE;
}

/* Web orders whose JSON has a row "target|sku". */
static enum next read_web_orders(struct app *app, const char *key, struct replay_filter *f, struct reason *why) {
    cJSON *text = cJSON_CreateString(f->sku);
    char *quoted = json_print(text); /* "SKU" with its quotes */
    struct buf pattern;
    buf_init(&pattern, (size_t)4 * KEY_MAX);
    buf_addf(&pattern, "|%s", quoted + 1);
    struct web_orders w = {.filter = f, .pattern = buf_str(&pattern)};
    enum next next = stream_hash(app, key, take_web_order, &w, why);
    buf_free(&pattern);
    free(quoted);
    cJSON_Delete(text);
    return next;
}

enum next replay_filter_read(struct replay_walk *w, struct replay_filter *f, struct reason *why) {
    memset(f, 0, sizeof *f);
    f->sku = w->choice->sku;
    f->order = w->choice->order;
    if (f->sku == NULL) {
        return NEXT_DONE;
    }
    enum next next = read_item(w->app, f, why);
    next = next == NEXT_DONE ? read_ledger(w, f, why) : next;
    next = next == NEXT_DONE ? read_web_orders(w->app, KEY_PENDING_ORDERS, f, why) : next;
    next = next == NEXT_DONE ? read_web_orders(w->app, KEY_HANDED, f, why) : next;
    settle(&f->till_orders);
    settle(&f->web_orders);
    return next;
}

void replay_filter_free(struct replay_filter *f) {
    args_free(&f->till_orders);
    args_free(&f->web_orders);
}

/* ---- deciding ---- */

static bool is_till_queue(const char *queue) {
    return strcmp(queue, QUEUE_ORDER) == 0 || strcmp(queue, QUEUE_SALE) == 0 || strcmp(queue, QUEUE_RETURN) == 0;
}

static bool is_web_queue(const char *queue) {
    return strcmp(queue, QUEUE_HANDOVER) == 0 || strcmp(queue, QUEUE_WEBORDER) == 0 ||
           strcmp(queue, QUEUE_PICKUP) == 0 || strcmp(queue, QUEUE_REFUND) == 0;
}

static bool of_sku(const struct replay_filter *f, const char *queue, const char *entity) {
    if (is_till_queue(queue)) {
        return holds(&f->till_orders, entity);
    }
    if (is_web_queue(queue)) {
        return holds(&f->web_orders, entity);
    }
    if (strcmp(queue, QUEUE_SKU) == 0) {
        return strcmp(entity, f->sku) == 0;
    }
    if (strcmp(queue, QUEUE_ITEM) == 0) {
        size_t len = strlen(f->item);
        return len > 0 && strncmp(entity, f->item, len) == 0 &&
               (strcmp(entity + len, f->variant + 1) == 0 || strcmp(entity + len, "0") == 0);
    }
    return (strcmp(queue, QUEUE_PRODUCT) == 0 || strcmp(queue, QUEUE_IMAGE) == 0) && f->product[0] != '\0' &&
           (strcmp(entity, f->product) == 0 || strcmp(entity, f->variant) == 0);
}

static bool of_order(const struct replay_filter *f, const char *queue, const char *entity) {
    return (is_till_queue(queue) || is_web_queue(queue)) && strcmp(entity, f->order) == 0;
}

bool replay_filter_takes(const struct replay_filter *f, const struct args *marks) {
    const char *queue = NULL, *entity = NULL;
    size_t at = 0;
    bool sku = f->sku == NULL, order = f->order == NULL;
    while (!(sku && order) && replay_mark(marks, &at, &queue, &entity)) {
        sku = sku || of_sku(f, queue, entity);
        order = order || of_order(f, queue, entity);
    }
    return sku && order;
}

/* "order 11513", "web order 250": the entity of a case that is about it. */
static bool names_order(const char *entity, const char *order) {
    const char *last = strrchr(entity, ' ');
    return last != NULL && strcmp(last + 1, order) == 0 && strstr(entity, "order ") != NULL;
}

bool replay_filter_takes_case(const struct replay_filter *f, const char *entity, const char *queue, const char *job) {
    const char *bar = strrchr(entity, '|');
    bool sku = f->sku == NULL || strcmp(entity, f->sku) == 0 || (bar != NULL && strcmp(bar + 1, f->sku) == 0) ||
               of_sku(f, queue, job);
    bool order = f->order == NULL || of_order(f, queue, job) || names_order(entity, f->order);
    return sku && order;
}
