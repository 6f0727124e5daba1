/* SPDX-License-Identifier: Apache-2.0 */
/* The result of the last sweep in Redis, and its cases. What is kept lies in shared/lua/86_exceptions.lua. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "exceptions.h"
#include "json.h"
#include "keys.h"
#include "quantity.h"
#include "random.h"
#include "ban.h"

#define PAGE       500
#define PART_S     3600 /* a sweep that was ended half-way leaves nothing behind for longer */
#define LOAD_TRIES 3
#define ENTITY_MAX 1100

/* ---- JSON ---- */

static void add_money(cJSON *o, const char *key, int64_t hundredths) {
    char text[TILL_MONEY_SIZE];
    till_money_format(hundredths < 0 ? 0 : hundredths, text);
    json_add_str(o, key, hundredths < 0 ? NULL : text);
}

static void add_id(cJSON *o, const char *key, int64_t id) {
    if (id != 0) {
        json_add_int(o, key, id);
    } else {
        json_add_str(o, key, NULL);
    }
}

static cJSON *row_json(const struct exception *x) {
    char units[QUANTITY_TEXT_SIZE];
    cJSON *o = json_new_object();
    quantity_format(x->units_sold < 0 ? 0 : x->units_sold, units);
    json_add_str(o, "kind", exception_name(x->kind));
    json_add_str(o, "sku", x->sku);
    json_add_str(o, "other", x->other);
    add_id(o, "product", x->product_id);
    add_id(o, "variant", x->variant_id);
    add_id(o, "sitoo_product", x->till_id);
    add_money(o, "web_price", x->web_price);
    add_money(o, "till_price", x->till_price);
    json_add_str(o, "units_sold", x->units_sold < 0 ? NULL : units);
    add_money(o, "stake", x->stake);
    json_add_str(o, "text", x->text);
    json_add_str(o, "step", x->step);
    json_add_str(o, "owner", x->owner);
    return o;
}

cJSON *exceptions_json(const struct exceptions *e, const char *currency) {
    cJSON *o = json_new_object();
    json_add_str(o, "currency", currency);
    cJSON *counts = json_add_object(o, "counts"), *list = json_add_array(o, "exceptions");
    for (int k = 0; k < EXCEPTION_KINDS; k++) {
        json_add_int(counts, exception_name((enum exception_kind)k), e->by_kind[k]);
    }
    for (size_t i = 0; i < e->n; i++) {
        (void)cJSON_AddItemToArray(list, row_json(&e->list[i]));
    }
    return o;
}

/* ---- writing ---- */

static enum next tell(struct app *app, struct args *a, struct reason *why) {
    redisReply *reply = NULL;
    /* Not repeatable: rows would be there twice. The sweep is made again instead. */
    enum next next = redis_command(app->redis, a, false, &reply, why);
    args_free(a);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}

static enum next push_page(struct app *app, const char *part, const struct exceptions *e, size_t from,
                           struct reason *why) {
    struct args a = {0};
    args_add(&a, "RPUSH");
    args_add_key(&a, app->redis, part);
    for (size_t i = from; i < e->n && i < from + PAGE; i++) {
        cJSON *o = row_json(&e->list[i]);
        char *text = json_print(o);
        args_add(&a, text);
        free(text);
        cJSON_Delete(o);
    }
    enum next next = tell(app, &a, why);
    if (next == NEXT_DONE) {
        args_add(&a, "EXPIRE");
        args_add_key(&a, app->redis, part);
        args_add_int(&a, PART_S);
        next = tell(app, &a, why);
    }
    return next;
}

static const char *effect_of(enum exception_kind k) {
    static const char *const effects[EXCEPTION_KINDS] = {
        [EXCEPTION_ONLY_IN_SITOO] = "Its sales and stock are unknown to the web shop",
        [EXCEPTION_ONLY_IN_WEB] = "Shops cannot sell it, nor take it back by its SKU",
        [EXCEPTION_NEAR_DUPLICATE] = "Stock and sales of one product are split over two, or the web shop misses them",
        [EXCEPTION_BARCODE_TWICE] = "A till that scans it sells the wrong SKU, or none",
        [EXCEPTION_BARCODE_MISSING] = "It cannot be scanned in the shops",
        [EXCEPTION_PRICE] = "Customers pay another price in the shops than on the web",
        [EXCEPTION_PRICE_UNDERCUT] = "Customers pay less in the shops than on the web",
        [EXCEPTION_VAT] = "Receipts and accounting show the wrong tax",
        [EXCEPTION_NO_SKU] = "Shops do not get it",
        [EXCEPTION_REFUSED] = "Shops do not get this SKU, or keep it as it was"};
    return effects[k];
}

/* The same words as of the flow of products, so that both speak of one case. */
static void entity_of(const struct exception *x, char out[ENTITY_MAX]) {
    if (x->sku[0] != '\0') {
        (void)str_copy(out, ENTITY_MAX, x->sku);
    } else if (x->variant_id != 0) {
        (void)snprintf(out, ENTITY_MAX, "product %lld variant %lld", (long long)x->product_id,
                       (long long)x->variant_id);
    } else {
        (void)snprintf(out, ENTITY_MAX, "product %lld", (long long)x->product_id);
    }
}

static void add_case(struct args *a, const char *cause, const char *owner, const char *entity, const char *text,
                     const char *effect, const char *step) {
    const char *const words[] = {cause, owner, entity, text, effect, step};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        args_add(a, words[i]);
    }
}

static void add_rest(struct args *a, const struct mapping *m, enum exception_kind k, int64_t rest) {
    char cause[64], text[200];
    (void)snprintf(cause, sizeof cause, "%s_more", exception_name(k));
    (void)snprintf(text, sizeof text, "%lld more exceptions of kind %s than there are cases of", (long long)rest,
                   exception_name(k));
    bool money = k == EXCEPTION_PRICE || k == EXCEPTION_PRICE_UNDERCUT || k == EXCEPTION_VAT;
    add_case(a, cause, money ? m->owner_money : m->owner_mapping, "catalog", text, effect_of(k),
             "See them all with: onepool exceptions --csv FILE");
}

/* The list is sorted by stake, so the first of a kind are its dearest. */
static void add_cases(struct args *a, const struct exceptions *e, const struct mapping *m) {
    int64_t told[EXCEPTION_KINDS] = {0};
    char entity[ENTITY_MAX];
    for (size_t i = 0; i < e->n; i++) {
        const struct exception *x = &e->list[i];
        if (told[x->kind]++ < EXCEPTION_CASES_MAX) {
            entity_of(x, entity);
            add_case(a, exception_name(x->kind), x->owner, entity, x->text, effect_of(x->kind), x->step);
        }
    }
    for (int k = 0; k < EXCEPTION_KINDS; k++) {
        if (e->by_kind[k] > EXCEPTION_CASES_MAX) {
            add_rest(a, m, (enum exception_kind)k, e->by_kind[k] - EXCEPTION_CASES_MAX);
        }
    }
}

static enum next keep(struct app *app, const char *sweep, const struct exceptions *e, const char *currency,
                      struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, sweep);
    args_add_int(&a, (int64_t)e->n);
    args_add(&a, currency);
    args_add_int(&a, EXCEPTION_KINDS);
    for (int k = 0; k < EXCEPTION_KINDS; k++) {
        args_add(&a, exception_name((enum exception_kind)k));
        args_add_int(&a, e->by_kind[k]);
    }
    add_cases(&a, e, app->set->mapping);
    enum next next = redis_fcall(app->redis, "exceptions_keep", &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        if (reply_int(reply) != 1) {
            next = reason_set(why, NEXT_DEFER, "sweep_lost",
                              "Redis lost a part of the exceptions before they were stored whole; sweep again");
        }
        freeReplyObject(reply);
    }
    return next;
}

enum next exceptions_store(struct app *app, const struct exceptions *e, const char *currency, struct reason *why) {
    char sweep[32], part[64];
    enum next next = NEXT_DONE;
    (void)snprintf(sweep, sizeof sweep, "%lld-%08lx", (long long)clock_wall_ms(), (unsigned long)random_bits());
    (void)snprintf(part, sizeof part, KEY_EXCEPTIONS_PART, sweep);
    for (size_t i = 0; next == NEXT_DONE && i < e->n; i += PAGE) {
        next = push_page(app, part, e, i, why);
    }
    return next == NEXT_DONE ? keep(app, sweep, e, currency, why) : next;
}

/* ---- reading ---- */

static enum next read_meta(struct app *app, redisReply **reply, struct reason *why) {
    struct args a = {0};
    args_add(&a, "HGETALL");
    args_add_key(&a, app->redis, KEY_EXCEPTIONS_META);
    enum next next = redis_command(app->redis, &a, true, reply, why);
    args_free(&a);
    return next;
}

static const char *meta_of(const redisReply *meta, const char *field) {
    for (size_t i = 0; i + 1 < meta->elements; i += 2) {
        if (strcmp(reply_str_at(meta, i), field) == 0) {
            return reply_str_at(meta, i + 1);
        }
    }
    return "";
}

static enum next read_rows(struct app *app, cJSON *list, struct reason *why) {
    char error[80];
    for (int64_t at = 0;; at += PAGE) {
        struct args a = {0};
        redisReply *reply = NULL;
        args_add(&a, "LRANGE");
        args_add_key(&a, app->redis, KEY_EXCEPTIONS);
        args_add_int(&a, at);
        args_add_int(&a, at + PAGE - 1);
        enum next next = redis_command(app->redis, &a, true, &reply, why);
        args_free(&a);
        if (next != NEXT_DONE) {
            return next;
        }
        size_t n = reply->elements;
        for (size_t i = 0; i < n; i++) {
            cJSON *row = json_read(reply->element[i]->str, reply->element[i]->len, error, sizeof error);
            if (row != NULL) {
                (void)cJSON_AddItemToArray(list, row);
            }
        }
        freeReplyObject(reply);
        if (n < PAGE) {
            return NEXT_DONE;
        }
    }
}

static cJSON *begin_json(const redisReply *meta) {
    int64_t n = 0;
    cJSON *o = json_new_object();
    (void)int_parse(meta_of(meta, "at_ms"), 0, INT64_MAX, &n);
    json_add_int(o, "at_ms", n);
    json_add_str(o, "currency", meta_of(meta, "currency"));
    cJSON *counts = json_add_object(o, "counts");
    for (int k = 0; k < EXCEPTION_KINDS; k++) {
        n = 0;
        (void)int_parse(meta_of(meta, exception_name((enum exception_kind)k)), 0, INT64_MAX, &n);
        json_add_int(counts, exception_name((enum exception_kind)k), n);
    }
    return o;
}

/* *whole: no other sweep was stored meanwhile. */
static enum next load_once(struct app *app, cJSON **json, bool *whole, struct reason *why) {
    redisReply *meta = NULL, *again = NULL;
    enum next next = read_meta(app, &meta, why);
    if (next != NEXT_DONE) {
        return next;
    }
    *whole = true;
    if (meta->elements > 0) {
        *json = begin_json(meta);
        next = read_rows(app, json_add_array(*json, "exceptions"), why);
        next = next == NEXT_DONE ? read_meta(app, &again, why) : next;
        *whole = next == NEXT_DONE && strcmp(meta_of(meta, "sweep"), meta_of(again, "sweep")) == 0;
    }
    freeReplyObject(meta);
    if (again != NULL) {
        freeReplyObject(again);
    }
    return next;
}

enum next exceptions_load(struct app *app, cJSON **json, struct reason *why) {
    for (int i = 0; i < LOAD_TRIES; i++) {
        bool whole = false;
        *json = NULL;
        enum next next = load_once(app, json, &whole, why);
        if (next == NEXT_DONE && whole) {
            return NEXT_DONE;
        }
        cJSON_Delete(*json);
        *json = NULL;
        if (next != NEXT_DONE) {
            return next;
        }
    }
    return reason_set(why, NEXT_DEFER, "sweep_lost",
                      "The exceptions were replaced each time that they were read; try again");
}
