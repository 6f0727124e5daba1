/* SPDX-License-Identifier: Apache-2.0 */
/* Units sold at tills, from our ledger: {"type":"sale","order":7,"item":8,"sku":"A","quantity":"1.000", ...}. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "exceptions.h"
#include "json.h"
#include "keys.h"
#include "quantity.h"
#include "ban.h"

#define DAYS_MAX   90 /* so long the ledger is kept */
#define PAGE       1000
#define MERGE_FROM ((size_t)100000) /* sales; then those of one SKU are put together */
#define ID_SIZE    48

static int by_sku(const void *a, const void *b) {
    char *const *x = a, *const *y = b; /* the first member of either */
    return strcmp(*x, *y);
}

static void merge(struct sold *s) {
    size_t n = 0;
    if (s->n > 0) {
        qsort(s->list, s->n, sizeof *s->list, by_sku);
    }
    for (size_t i = 0; i < s->n; i++) {
        if (n > 0 && strcmp(s->list[n - 1].sku, s->list[i].sku) == 0) {
            s->list[n - 1].thousandths += s->list[i].thousandths;
            free(s->list[i].sku);
        } else {
            s->list[n++] = s->list[i];
        }
    }
    s->n = n;
}

static void add(struct sold *s, const char *sku, int64_t thousandths) {
    if (s->n == s->cap) {
        if (s->n >= MERGE_FROM) {
            merge(s);
        }
        s->cap = 2 * s->n > s->cap ? 2 * s->n : s->cap;
        s->cap = s->cap > 0 ? s->cap : 1024;
        s->list = xrealloc(s->list, s->cap, sizeof *s->list);
    }
    s->list[s->n].sku = xstrdup(sku);
    s->list[s->n++].thousandths = thousandths;
}

static void take_row(struct sold *s, const char *row) {
    char error[80];
    int64_t thousandths = 0;
    /* Most rows are none of sales; only those that may be one are read. */
    if (row == NULL || strstr(row, "\"sale\"") == NULL) {
        return;
    }
    cJSON *json = json_read(row, strlen(row), error, sizeof error);
    const char *type = json_str(json, "type"), *sku = json_str(json, "sku"), *quantity = json_str(json, "quantity");
    if (type != NULL && strcmp(type, "sale") == 0 && sku != NULL && quantity != NULL &&
        quantity_parse(quantity, &thousandths) && thousandths > 0) {
        add(s, sku, thousandths);
    }
    cJSON_Delete(json);
}

static enum next read_page(struct app *app, char from[ID_SIZE], size_t *n, struct sold *out, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "XRANGE");
    args_add_key(&a, app->redis, KEY_LEDGER);
    args_add(&a, from);
    args_add(&a, "+");
    args_add(&a, "COUNT");
    args_add_int(&a, PAGE);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    *n = reply->elements;
    for (size_t i = 0; i < reply->elements; i++) {
        const redisReply *entry = reply->element[i];
        const redisReply *fields = entry->elements > 1 ? entry->element[1] : NULL;
        for (size_t k = 0; fields != NULL && k + 1 < fields->elements; k += 2) {
            if (strcmp(reply_str_at(fields, k) != NULL ? reply_str_at(fields, k) : "", "row") == 0) {
                take_row(out, reply_str_at(fields, k + 1));
            }
        }
        (void)snprintf(from, ID_SIZE, "(%.40s", reply_str_at(entry, 0) != NULL ? reply_str_at(entry, 0) : "+");
    }
    freeReplyObject(reply);
    return NEXT_DONE;
}

enum next sold_read(struct app *app, int64_t days, struct sold *out, struct reason *why) {
    char from[ID_SIZE];
    size_t n = PAGE;
    enum next next = NEXT_DONE;
    int64_t looked = days < DAYS_MAX ? days : DAYS_MAX;
    *out = (struct sold){0};
    (void)snprintf(from, sizeof from, "%lld", (long long)(clock_wall_ms() - looked * 86400 * 1000));
    while (next == NEXT_DONE && n == PAGE) {
        if (!app_keep(app)) {
            why->not_its_fault = true;
            return reason_set(why, NEXT_DEFER, "stopping", "the process was told to stop");
        }
        next = read_page(app, from, &n, out, why);
    }
    merge(out);
    return next;
}
