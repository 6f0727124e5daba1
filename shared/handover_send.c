/* SPDX-License-Identifier: Apache-2.0 */
#include "handover_send.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "faultpoint.h"
#include "json.h"
#include "keys.h"
#include "money.h"
#include "order.h"
#include "platform.h"
#include "queue.h"
#include "redact.h"
#include "webaddress.h"
#include "ban.h"

#define PAYMENT_PENDING 10
#define PAYMENT_DONE    20
#define PATH_SIZE       160
#define DAY_S           INT64_C(86400)
#define WEB_PAYMENT     "Web"

/* ---- the order ---- */

/* Sitoo's amounts have two decimals, whatever the currency. */
static int64_t to_cents(int64_t amount) {
    return (amount + 50) / 100;
}

static void add_cents(cJSON *json, const char *name, int64_t cents) {
    char text[MONEY_TEXT_SIZE];
    (void)snprintf(text, sizeof text, "%lld.%02lld", (long long)(cents / 100), (long long)(cents % 100));
    json_add_str(json, name, text);
}

/* Cents of `units` of the row after `before` of them: however it is split, the parts add up to the whole. */
static int64_t share_of(const struct web_row *r, int64_t amount, int64_t before, int64_t units) {
    return to_cents(web_row_share(r, amount, before + units)) -
           (before > 0 ? to_cents(web_row_share(r, amount, before)) : 0);
}

/* Gross totals of the row (sitoo.md 4.2). */
static int64_t add_row(cJSON *list, const struct web_row *r, int64_t before, int64_t units) {
    char id[24], vat[24];
    cJSON *item = json_new_object();
    int64_t total = share_of(r, r->total, before, units), paid = share_of(r, r->paid, before, units);
    paid = paid < total ? paid : total;
    json_add_str(item, "productname", r->name);
    json_add_str(item, "sku", r->sku);
    json_add_int(item, "quantity", units);
    add_cents(item, "moneyrowprice", total);
    if (total > paid) {
        add_cents(item, "moneyrowdiscount", total - paid);
    }
    (void)snprintf(vat, sizeof vat, r->vat % 100 == 0 ? "%lld" : "%lld.%02lld", (long long)(r->vat / 100),
                   (long long)(r->vat % 100));
    (void)cJSON_AddItemToObject(item, "vatvalue", cJSON_CreateRaw(vat));
    (void)snprintf(id, sizeof id, "%lld", (long long)r->id);
    json_add_str(json_add_object(item, "additionaldata"), "web-itemid", id);
    (void)cJSON_AddItemToArray(list, item);
    return paid;
}

static void add_tags(cJSON *json, const struct web_order *web, const struct mapping_web *m, int64_t count) {
    char parts[24], address[WEB_ADDRESS_SIZE];
    cJSON *tags = json_add_object(json, "additionaldata");
    (void)snprintf(parts, sizeof parts, "%lld", (long long)count);
    json_add_str(tags, "weborder", "true");
    if (web->kind == WEB_PICKUP) {
        json_add_str(tags, "weborder-bopis", "true");
    }
    if (web->kind == WEB_RETURN_ONLY) {
        json_add_str(tags, "delivery-ignore-stock", "true");
    }
    if (web->kind == WEB_SHIP && m->address) {
        web_address_digest(web, address);
        json_add_str(tags, "onepool-address", address);
    }
    json_add_str(tags, "onepool-parts", parts);
}

char *hand_order_body(const struct web_order *web, const struct mapping *m, const struct hand_part *part,
                      int64_t now_ms) {
    char name[HANDED_NAME_SIZE];
    bool returns = web->kind == WEB_RETURN_ONLY;
    cJSON *json = json_new_object();
    int64_t sum = 0;
    handed_name(m->sitoo_order_prefix, web->id, part->part, part->rev, name);
    json_add_int(json, "ordertypeid", ORDER_TYPE_ORDER);
    json_add_str(json, "externalid", name);
    json_add_int(json, "orderstateid", returns ? m->web.return_order_state : ORDER_STATE_OPEN);
    json_add_int(json, "paymentstateid", hand_paid(web->status_id) ? PAYMENT_DONE : PAYMENT_PENDING);
    if (part->warehouse_id > 0) {
        json_add_int(json, "warehouseid", part->warehouse_id);
    }
    json_add_str(json, "currencycode", web->currency);
    if (m->sitoo_reserve_days > 0 && !returns) {
        json_add_int(json, "datereserved", now_ms / 1000 + m->sitoo_reserve_days * DAY_S);
    }
    web_customer_add(web, &m->web, json);
    if (web->kind == WEB_SHIP && m->web.address) {
        web_address_add(web, json);
    }
    add_tags(json, web, &m->web, part->parts);
    cJSON *items = json_add_array(json, "orderitems");
    for (size_t i = 0; i < web->n; i++) {
        int64_t before = part->before != NULL ? part->before[i] : 0;
        sum += part->units[i] > 0 ? add_row(items, &web->rows[i], before, part->units[i]) : 0;
    }
    if (returns) {
        cJSON *payment = json_new_object();
        json_add_str(payment, "name", WEB_PAYMENT);
        add_cents(payment, "moneyamount", sum);
        (void)cJSON_AddItemToArray(json_add_array(json, "payments"), payment);
    }
    char *body = json_print(json);
    cJSON_Delete(json);
    return body;
}

/* Ids and digest only: the body holds what the shop needs to know of the customer. */
static char *intent_of(const struct hand_work *w, const char *step, const char *name, const char *body) {
    char digest[17];
    cJSON *json = json_new_object();
    gate_digest(body, digest);
    json_add_int(json, "web_order", w->web.id);
    json_add_str(json, "step", step);
    json_add_str(json, "name", name);
    json_add_str(json, "digest", digest);
    json_add_int(json, "at_ms", clock_wall_ms());
    char *text = json_print(json);
    cJSON_Delete(json);
    return text;
}

struct call {
    enum gate_platform platform;
    const char *method, *path, *step, *name;
    char *body; /* freed by perform */
};

/* Of the words of a refusal, what repeats nothing that was sent of the customer. */
static void tell_refusal(const struct call *c, const struct answer *answer, struct reason *why) {
    if (answer->text != NULL && strcmp(why->cause, "refused") == 0) {
        char *words = redact(answer->text, c->body);
        (void)reason_set(why, NEXT_PARK, "refused", "%s answered %d to %.80s: %.200s",
                         c->platform == GATE_SITOO ? "Sitoo" : "BigCommerce", answer->status, c->path, words);
        free(words);
    }
}

static enum next perform(struct hand_work *w, const struct call *c, bool *shadowed, struct reason *why) {
    char id[GATE_INTENT_SIZE];
    struct gate_outcome sent;
    char *intent = intent_of(w, c->step, c->name, c->body);
    (void)snprintf(id, sizeof id, "web:%.10s:%.40s", c->step, c->name);
    const struct gate_write write = {.platform = c->platform,
                                     .kind = "web_order",
                                     .method = c->method,
                                     .path = c->path,
                                     .body = c->body,
                                     .id = id,
                                     .intent = intent,
                                     .lease = w->lease,
                                     .lease_token = w->token};
    fault_point_of("handover.before_", c->step);
    enum next next = gate_send(w->app, &write, &sent, why);
    fault_point_of("handover.after_", c->step);
    *shadowed = sent.shadowed;
    if (next == NEXT_DONE || !why->ambiguous) {
        gate_close(w->app, &sent); /* known; the others are found by reading both platforms again */
    }
    if (next == NEXT_PARK) {
        tell_refusal(c, &sent.answer, why);
    }
    answer_free(&sent.answer);
    free(intent);
    free(c->body);
    return next == NEXT_STOP ? NEXT_DEFER : next;
}

enum next hand_send_order(struct hand_work *w, const struct hand_part *part, bool *shadowed, struct reason *why) {
    char path[PATH_SIZE], name[HANDED_NAME_SIZE];
    const struct mapping *m = w->app->set->mapping;
    handed_name(m->sitoo_order_prefix, w->web.id, part->part, part->rev, name);
    (void)snprintf(path, sizeof path, "/sites/%lld/orders.json", (long long)w->app->set->sitoo_site_id);
    const struct call c = {.platform = GATE_SITOO,
                           .method = "POST",
                           .path = path,
                           .step = "create",
                           .name = name,
                           .body = hand_order_body(&w->web, m, part, clock_wall_ms())};
    return perform(w, &c, shadowed, why);
}

/* ---- what may be sent once only ---- */

/* Whether it was sent a moment ago with no answer. NEXT_DEFER: wait. */
static enum next once(struct hand_work *w, const char *step, char key[96], struct reason *why) {
    struct app *app = w->app;
    struct args a = {0};
    redisReply *reply = NULL;
    char name[80];
    int64_t repeat = app->set->mapping->web.repeat_after_s * 1000;
    args_add_int(&a, repeat);
    enum next next = redis_fcall(app->redis, "money_wait", &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    int64_t wait = app->mode == MODE_LIVE ? reply_int(reply) : 0; /* Redis lost something a moment ago */
    freeReplyObject(reply);
    (void)snprintf(name, sizeof name, "web-%s-%lld", step, (long long)w->web.id);
    (void)snprintf(key, 96, KEY_SETTLE, name);
    if (wait <= 0) {
        args_add(&a, "PTTL");
        args_add_key(&a, app->redis, key);
        next = redis_command(app->redis, &a, true, &reply, why);
        args_free(&a);
        if (next != NEXT_DONE) {
            return next;
        }
        wait = reply_int(reply);
        freeReplyObject(reply);
    }
    if (wait > 0) {
        why->not_its_fault = true;
        why->wait_ms = wait;
        return reason_set(
            why, NEXT_DEFER, "unknown_outcome",
            "web order %lld: %s was sent and its answer was lost; both platforms are read again in %lld ms",
            (long long)w->web.id, step, (long long)wait);
    }
    return NEXT_DONE;
}

static enum next mark_sent(struct hand_work *w, const char *key, bool sent, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, sent ? "SET" : "DEL");
    args_add_key(&a, w->app->redis, key);
    if (sent) {
        args_add(&a, "1");
        args_add(&a, "PX");
        args_add_int(&a, w->app->set->mapping->web.repeat_after_s * 1000);
    }
    enum next next = redis_command(w->app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}

static enum next perform_once(struct hand_work *w, const struct call *c, bool *shadowed, struct reason *why) {
    char key[96];
    struct reason ignored = {0};
    enum next next = once(w, c->step, key, why);
    next = next == NEXT_DONE ? mark_sent(w, key, true, why) : next;
    if (next != NEXT_DONE) {
        free(c->body);
        return next;
    }
    next = perform(w, c, shadowed, why);
    if ((next == NEXT_DONE || !why->ambiguous) && mark_sent(w, key, false, &ignored) != NEXT_DONE) {
        return next; /* it is waited for in vain, and that is all */
    }
    return next;
}

/* ---- Sitoo ---- */

static enum next put_order(struct hand_work *w, const struct hand_plan *p, const char *key, int64_t value,
                           bool *shadowed, struct reason *why) {
    char path[PATH_SIZE];
    cJSON *json = json_new_object();
    if (key != NULL) {
        json_add_int(json, key, value);
    } else {
        web_address_add(&w->web, json);
        add_tags(json, &w->web, &w->app->set->mapping->web, p->order->parts);
    }
    (void)snprintf(path, sizeof path, "/sites/%lld/orders/%lld.json", (long long)w->app->set->sitoo_site_id,
                   (long long)p->order->id);
    const struct call c = {.platform = GATE_SITOO,
                           .method = "PUT",
                           .path = path,
                           .step = hand_step_name(p->step),
                           .name = p->order->name,
                           .body = json_print(json)};
    cJSON_Delete(json);
    return perform(w, &c, shadowed, why);
}

static enum next deliver(struct hand_work *w, const struct hand_plan *p, bool *shadowed, struct reason *why) {
    char path[PATH_SIZE];
    cJSON *json = json_new_object();
    json_add_int(json, "warehouseid",
                 p->order->warehouse_id > 0 ? p->order->warehouse_id : w->app->set->mapping->web.return_warehouse_id);
    json_add_str(json, "orderdeliveryref", p->order->name);
    cJSON *items = json_add_array(json, "orderdeliveryitems");
    for (size_t i = 0; i < p->n; i++) {
        cJSON *item = json_new_object();
        json_add_int(item, "orderitemid", p->moves[i].item_id);
        json_add_int(item, "quantity", p->moves[i].quantity);
        (void)cJSON_AddItemToArray(items, item);
    }
    (void)snprintf(path, sizeof path, "/sites/%lld/orders/%lld/orderdeliveries.json%s",
                   (long long)w->app->set->sitoo_site_id, (long long)p->order->id,
                   p->order->ignores_stock ? "?ignorestock=true" : "");
    const struct call c = {.platform = GATE_SITOO,
                           .method = "POST",
                           .path = path,
                           .step = "deliver",
                           .name = p->order->name,
                           .body = json_print(json)};
    cJSON_Delete(json);
    return perform_once(w, &c, shadowed, why);
}

/* ---- BigCommerce ---- */

static enum next put_status(struct hand_work *w, const struct hand_plan *p, bool *shadowed, struct reason *why) {
    char path[PATH_SIZE], name[24], body[40];
    (void)snprintf(path, sizeof path, "/v2/orders/%lld", (long long)w->web.id);
    (void)snprintf(name, sizeof name, "%lld", (long long)w->web.id);
    (void)snprintf(body, sizeof body, "{\"status_id\":%lld}", (long long)p->status);
    const struct call c = {.platform = GATE_BIGCOMMERCE,
                           .method = "PUT",
                           .path = path,
                           .step = "status",
                           .name = name,
                           .body = xstrdup(body)};
    return perform(w, &c, shadowed, why);
}

static void add_items(cJSON *json, const char *key, const struct hand_plan *p) {
    cJSON *items = json_add_array(json, key);
    for (size_t i = 0; i < p->n; i++) {
        cJSON *item = json_new_object();
        json_add_int(item, "order_product_id", p->moves[i].web_item);
        json_add_int(item, "quantity", p->moves[i].quantity);
        (void)cJSON_AddItemToArray(items, item);
    }
}

static enum next ship(struct hand_work *w, const struct hand_plan *p, bool *shadowed, struct reason *why) {
    char path[PATH_SIZE], name[24];
    cJSON *json = json_new_object();
    json_add_int(json, "order_address_id", p->moves[0].address_id);
    add_items(json, "items", p);
    (void)snprintf(path, sizeof path, "/v2/orders/%lld/shipments", (long long)w->web.id);
    (void)snprintf(name, sizeof name, "%lld", (long long)w->web.id);
    const struct call c = {.platform = GATE_BIGCOMMERCE,
                           .method = "POST",
                           .path = path,
                           .step = "shipment",
                           .name = name,
                           .body = json_print(json)};
    cJSON_Delete(json);
    return perform_once(w, &c, shadowed, why);
}

static void add_rows(cJSON *json, const struct web_order *web) {
    cJSON *items = json_add_array(json, "pickup_items");
    for (size_t i = 0; i < web->n; i++) {
        if (web_row_wanted(&web->rows[i]) > 0) {
            cJSON *item = json_new_object();
            json_add_int(item, "order_product_id", web->rows[i].id);
            json_add_int(item, "quantity", web_row_wanted(&web->rows[i]));
            (void)cJSON_AddItemToArray(items, item);
        }
    }
}

static enum next record(struct hand_work *w, const struct hand_plan *p, bool *shadowed, struct reason *why) {
    char name[24], ready[CLOCK_TEXT_SIZE], now[CLOCK_TEXT_SIZE];
    int64_t ready_ms = clock_wall_ms();
    for (size_t i = 0; i < w->handed.n; i++) {
        ready_ms = w->handed.list[i].ready_ms > 1 ? w->handed.list[i].ready_ms : ready_ms;
    }
    clock_format_iso_s(ready_ms, ready);
    clock_format_iso_s(clock_wall_ms(), now);
    cJSON *list = cJSON_CreateArray(), *one = json_new_object();
    if (w->record_id > 0) {
        json_add_int(one, "id", w->record_id);
        json_add_int(one, "pickup_id", w->record_id);
    } else {
        json_add_int(one, "pickup_method_id", w->pickup_method_id);
        json_add_int(one, "order_id", w->web.id);
        add_rows(one, &w->web);
    }
    json_add_str(one, "ready_at", ready);
    if (p->step == HAND_COLLECTED) {
        json_add_str(one, "collected_at", now);
    }
    (void)cJSON_AddItemToArray(list, one);
    (void)snprintf(name, sizeof name, "%lld", (long long)w->web.id);
    const struct call c = {.platform = GATE_BIGCOMMERCE,
                           .method = w->record_id > 0 ? "PUT" : "POST",
                           .path = "/v3/orders/pickups",
                           .step = hand_step_name(p->step),
                           .name = name,
                           .body = json_print(list)};
    cJSON_Delete(list);
    return w->record_id > 0 ? perform(w, &c, shadowed, why) : perform_once(w, &c, shadowed, why);
}

enum next hand_send_step(struct hand_work *w, const struct hand_plan *p, bool *shadowed, struct reason *why) {
    switch (p->step) {
    case HAND_CANCEL:
        return put_order(w, p, "orderstateid", ORDER_STATE_CANCELLED, shadowed, why);
    case HAND_CLOSE:
        return put_order(w, p, "orderstateid", ORDER_STATE_CLOSED, shadowed, why);
    case HAND_PAY:
        return put_order(w, p, "paymentstateid", PAYMENT_DONE, shadowed, why);
    case HAND_ADDRESS:
        return put_order(w, p, NULL, 0, shadowed, why);
    case HAND_DELIVER:
        return deliver(w, p, shadowed, why);
    case HAND_STATUS:
        return put_status(w, p, shadowed, why);
    case HAND_SHIPMENT:
        return ship(w, p, shadowed, why);
    case HAND_READY:
    case HAND_COLLECTED:
        return record(w, p, shadowed, why);
    case HAND_NONE:
    case HAND_CREATE:
        break;
    }
    return reason_set(why, NEXT_BUG, "bad_step", "step %d cannot be sent", (int)p->step);
}
