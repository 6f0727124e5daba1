/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of each order that was open before: in Sitoo already, to be subtracted, or to be subtracted and handed
 * over. A person's word comes first, then what Sitoo says, then the rules of the mapping file.
 *
 *   GET /orders.json?eshopid=1&externalid=BC-101,WEB-101&num=1000&fields=orderid,externalid,...
 *
 * Source: sitoo.md 4.1 (states, types), 4.4 (delivery-ignore-stock), 4.5 (externalid is a list filter). An order counts
 * as in Sitoo only if its rows hold what the web order holds: the number alone may be another shop's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "baseline.h"
#include "json.h"
#include "keys.h"
#include "quantity.h"
#include "ban.h"

#define ORDERS_PER_CALL ((size_t)100) /* by one reference each; fewer by several */
#define NUM             1000
#define FIELDS          "orderid,eshopid,externalid,orderstateid,ordertypeid,additionaldata,orderitems"
#define STATE_OPEN      0
#define STATE_CLOSED    10
#define TYPE_PARKED     110
#define EXTERNAL_SIZE   (MAPPING_PATTERN_SIZE + 24)
#define PATH_MAX_BYTES  ((size_t)15000)

/* ---- the look-up ---- */

static size_t pattern_count(const struct mapping *m) {
    return m->baseline.pattern_count + 1;
}

/* Pattern 0 is our own prefix. */
static void external_id(const struct mapping *m, size_t pattern, int64_t order, char out[EXTERNAL_SIZE]) {
    if (pattern == 0) {
        (void)snprintf(out, EXTERNAL_SIZE, "%s%lld", m->sitoo_order_prefix, (long long)order);
        return;
    }
    const char *text = m->baseline.patterns[pattern - 1], *mark = strstr(text, MAPPING_ORDER_MARK);
    (void)snprintf(out, EXTERNAL_SIZE, "%.*s%lld%s", (int)(mark - text), text, (long long)order,
                   mark + strlen(MAPPING_ORDER_MARK));
}

/* Thousandths of a SKU in the rows of Sitoo's order. */
static int64_t units_in_sitoo(const cJSON *items, const char *sku) {
    const cJSON *item = NULL;
    int64_t sum = 0, n = 0, q = 0;
    cJSON_ArrayForEach(item, items) {
        const char *name = json_str(item, "sku"), *total = json_str(item, "decimalquantitytotal");
        if (name == NULL || strcmp(name, sku) != 0) {
            continue;
        }
        if (total != NULL && quantity_parse(total, &q)) {
            sum += q;
        } else if (json_int(item, "quantity", &n)) {
            sum += n * QUANTITY_ONE;
        }
    }
    return sum;
}

static int64_t units_in_web(const cJSON *rows, const char *sku) {
    const cJSON *row = NULL;
    int64_t sum = 0, q = 0;
    cJSON_ArrayForEach(row, rows) {
        const cJSON *field = cJSON_GetArrayItem(row, 0), *text = cJSON_GetArrayItem(row, 1);
        const char *bar = cJSON_IsString(field) ? strchr(field->valuestring, '|') : NULL;
        if (bar != NULL && strcmp(bar + 1, sku) == 0 && cJSON_IsString(text) &&
            int_parse(text->valuestring, 0, QUANTITY_MAX, &q)) {
            sum += q;
        }
    }
    return sum;
}

/* The SKU that Sitoo's order holds too little of, or NULL. */
static const char *lacking(const struct open_order *o, const cJSON *items) {
    const cJSON *row = NULL;
    cJSON_ArrayForEach(row, o->rows) {
        const cJSON *field = cJSON_GetArrayItem(row, 0);
        const char *bar = cJSON_IsString(field) ? strchr(field->valuestring, '|') : NULL;
        if (bar != NULL && units_in_sitoo(items, bar + 1) < units_in_web(o->rows, bar + 1)) {
            return bar + 1;
        }
    }
    return NULL;
}

/* Classes the order by one of Sitoo's that carries its reference, or notes why a person has to. */
static void judge(struct open_order *o, const cJSON *found, const char *external) {
    int64_t id = 0, state = -1, type = 0;
    (void)json_int(found, "orderid", &id);
    (void)json_int(found, "orderstateid", &state);
    (void)json_int(found, "ordertypeid", &type);
    const char *ignored = json_str(json_get(found, "additionaldata"), "delivery-ignore-stock");
    const char *missing = lacking(o, json_array(found, "orderitems"));
    if (type == TYPE_PARKED || (state != STATE_OPEN && state != STATE_CLOSED)) {
        (void)snprintf(o->note, sizeof o->note, "order %lld in Sitoo (%.40s) is cancelled, abandoned or parked",
                       (long long)id, external);
    } else if (ignored != NULL && strcmp(ignored, "true") == 0) {
        (void)snprintf(o->note, sizeof o->note, "order %lld in Sitoo (%.40s) moves no stock", (long long)id, external);
    } else if (missing != NULL) {
        (void)snprintf(o->note, sizeof o->note, "order %lld in Sitoo (%.30s) lacks %.40s", (long long)id, external,
                       missing);
    } else {
        o->class = WEBORDER_IN_SITOO;
        (void)str_copy(o->by, sizeof o->by, "sitoo");
        (void)snprintf(o->note, sizeof o->note, "order %lld in Sitoo (%.40s)", (long long)id, external);
    }
}

/* The order of the batch that Sitoo may know by this reference, or NULL. */
static struct open_order *order_of(const struct mapping *m, struct open_order *const *batch, size_t n,
                                   const char *carries) {
    char external[EXTERNAL_SIZE];
    for (size_t i = 0; i < n; i++) {
        for (size_t p = 0; p < pattern_count(m); p++) {
            external_id(m, p, batch[i]->id, external);
            if (strcmp(external, carries) == 0) {
                return batch[i];
            }
        }
    }
    return NULL;
}

/* False if Sitoo listed an order that was not asked for. */
static bool judge_all(const struct mapping *m, struct open_order *const *batch, size_t n, const cJSON *items) {
    const cJSON *found = NULL;
    cJSON_ArrayForEach(found, items) {
        const char *carries = json_str(found, "externalid");
        struct open_order *order = carries != NULL ? order_of(m, batch, n, carries) : NULL;
        if (order == NULL) {
            return false;
        }
        if (order->class == WEBORDER_UNCLASSED) {
            judge(order, found, carries);
        }
    }
    return true;
}

static char *look_up_path(const struct baseline *b, struct open_order *const *batch, size_t n) {
    const struct mapping *m = b->app->set->mapping;
    struct buf path;
    char external[EXTERNAL_SIZE];
    buf_init(&path, PATH_MAX_BYTES);
    buf_addf(&path, "/orders.json?eshopid=%lld&sort=orderid&num=%d&fields=" FIELDS "&externalid=",
             (long long)b->app->set->sitoo_site_id, NUM);
    for (size_t i = 0; i < n; i++) {
        for (size_t p = 0; p < pattern_count(m); p++) {
            external_id(m, p, batch[i]->id, external);
            buf_add_str(&path, i + p > 0 ? "," : "");
            buf_add_url(&path, external);
        }
    }
    return buf_take(&path);
}

static enum next look_up_batch(struct baseline *b, struct open_order *const *batch, size_t n, struct reason *why) {
    struct answer answer;
    int64_t total = -1;
    char *path = look_up_path(b, batch, n);
    enum next next = baseline_sitoo(b, path, &answer, why);
    free(path);
    if (next != NEXT_DONE) {
        return next;
    }
    const cJSON *items = json_array(answer.json, "items");
    if (items == NULL || !json_int(answer.json, "totalcount", &total) || total != cJSON_GetArraySize(items)) {
        next = reason_set(why, NEXT_PARK, "incomplete_read", "Sitoo gave %d of %lld orders that were asked for",
                          cJSON_GetArraySize(items), (long long)total);
    } else if (!judge_all(b->app->set->mapping, batch, n, items)) {
        next = reason_set(why, NEXT_PARK, "incomplete_read",
                          "Sitoo listed orders with another externalid than asked for: it does not heed the filter");
    }
    answer_free(&answer);
    return next;
}

static enum next drop_classes(struct baseline *b, const struct args *orders, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    if (orders->n == 0) {
        return NEXT_DONE;
    }
    args_add(&a, "HDEL");
    args_add_key(&a, b->app->redis, KEY_BASELINE_ORDERS);
    args_append(&a, orders);
    enum next next = redis_command(b->app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}

/* What one batch found is stored before the next is asked for. */
static enum next store_batch(struct baseline *b, struct open_order *const *batch, size_t n, struct reason *why) {
    struct args classes = {0}, progress = {0}, gone = {0};
    for (size_t i = 0; i < n; i++) {
        if (batch[i]->was_found && batch[i]->class == WEBORDER_UNCLASSED) {
            args_add_int(&gone, batch[i]->id);
        }
        if (batch[i]->class != WEBORDER_UNCLASSED) {
            args_addf(&classes, "%lld", (long long)batch[i]->id);
            args_addf(&classes, "%s %s", weborder_class_name(batch[i]->class), batch[i]->by);
        }
    }
    args_add(&progress, "at:look_up");
    args_add_int(&progress, n > 0 ? batch[n - 1]->id : 0);
    enum next next = baseline_put(b, "orders", &classes, &progress, why);
    args_free(&classes);
    args_free(&progress);
    classes = (struct args){0};
    for (size_t i = 0; next == NEXT_DONE && i < n; i++) {
        if (batch[i]->note[0] != '\0') {
            args_add_int(&classes, batch[i]->id);
            args_add(&classes, batch[i]->note);
        }
    }
    next = next == NEXT_DONE ? drop_classes(b, &gone, why) : next;
    args_free(&gone);
    next = next == NEXT_DONE ? baseline_put(b, "notes", &classes, &(struct args){0}, why) : next;
    args_free(&classes);
    return next;
}

enum next baseline_look_up(struct baseline *b, struct reason *why) {
    struct open_orders o;
    struct open_order *batch[ORDERS_PER_CALL];
    size_t n = 0;
    int64_t done = 0, at = 0;
    enum next next = baseline_get_int(b, "end:look_up", &done, why);
    next = next == NEXT_DONE ? baseline_get_int(b, "at:look_up", &at, why) : next;
    if (next != NEXT_DONE || done != 0) {
        return next;
    }
    next = open_orders_load(b, &o, why);
    size_t per_call = ORDERS_PER_CALL / pattern_count(b->app->set->mapping); /* 100 to 11 */
    for (size_t i = 0; next == NEXT_DONE && i < o.n; i++) {
        bool person = strcmp(o.list[i].by, "person") == 0;
        if (o.list[i].id > at && !person) {
            o.list[i].was_found = strcmp(o.list[i].by, "sitoo") == 0;
            o.list[i].class = WEBORDER_UNCLASSED;
            batch[n++] = &o.list[i];
        }
        if (n == per_call || (i + 1 == o.n && n > 0)) {
            next = look_up_batch(b, batch, n, why);
            next = next == NEXT_DONE ? store_batch(b, batch, n, why) : next;
            b->progress.total += (int64_t)n;
            progress_step(&b->progress, "orders looked up in Sitoo", (int64_t)n);
            n = 0;
        }
    }
    open_orders_free(&o);
    return next == NEXT_DONE ? baseline_set_int(b, "end:look_up", 1, why) : next;
}

/* ---- rules ---- */

static void set_class(struct open_order *o, const char *class, const char *by) {
    if (o->class == WEBORDER_UNCLASSED && weborder_class_read(class, &o->class)) {
        (void)str_copy(o->by, sizeof o->by, by);
    }
}

void open_orders_rules(struct open_orders *o, const struct mapping *m, int64_t now_ms) {
    const struct mapping_baseline *rules = &m->baseline;
    for (size_t i = 0; i < o->n; i++) {
        struct open_order *one = &o->list[i];
        int64_t age_ms = now_ms - one->created_ms;
        if (strcmp(one->by, "person") != 0 && strcmp(one->by, "sitoo") != 0) {
            one->class = WEBORDER_UNCLASSED; /* what a rule said before may have changed */
            one->by[0] = '\0';
        }
        if (one->note[0] != '\0') {
            continue; /* found in Sitoo, and odd: not for a rule */
        }
        if (one->status > 0 && one->status < MAPPING_STATUSES) {
            set_class(one, rules->status_class[one->status], "status");
        }
        if (rules->older_than_days > 0 && one->created_ms > 0 && age_ms > rules->older_than_days * 86400 * 1000) {
            set_class(one, rules->older_than_class, "age");
        }
        set_class(one, rules->default_class, "default");
    }
}

size_t open_orders_unclassed(const struct open_orders *o) {
    size_t n = 0;
    for (size_t i = 0; i < o->n; i++) {
        n += o->list[i].class == WEBORDER_UNCLASSED ? 1 : 0;
    }
    return n;
}

/* ---- storing ---- */

struct leaving {
    const struct open_orders *o;
    struct args gone;
};

static void find_leaving(void *arg, const char *field, const char *value) {
    struct leaving *l = arg;
    int64_t id = 0;
    const struct open_order *one = int_parse(field, 1, JSON_INT_MAX, &id) ? open_orders_find(l->o, id) : NULL;
    (void)value;
    if (one == NULL || one->class == WEBORDER_UNCLASSED) {
        args_add(&l->gone, field);
    }
}

enum next open_orders_store(struct baseline *b, const struct open_orders *o, struct reason *why) {
    struct args rows = {0};
    struct leaving l = {.o = o};
    for (size_t i = 0; i < o->n; i++) {
        if (o->list[i].class != WEBORDER_UNCLASSED) {
            args_add_int(&rows, o->list[i].id);
            args_addf(&rows, "%s %s", weborder_class_name(o->list[i].class), o->list[i].by);
        }
    }
    enum next next = baseline_put(b, "orders", &rows, &(struct args){0}, why);
    args_free(&rows);
    next = next == NEXT_DONE ? baseline_each(b, KEY_BASELINE_ORDERS, find_leaving, &l, why) : next;
    next = next == NEXT_DONE ? drop_classes(b, &l.gone, why) : next;
    args_free(&l.gone);
    return next;
}
