/* SPDX-License-Identifier: Apache-2.0 */
#include "settle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "faultpoint.h"
#include "gate.h"
#include "json.h"
#include "keys.h"
#include "lease.h"
#include "log.h"
#include "money.h"
#include "platform.h"
#include "queue.h"
#include "record.h"
#include "ban.h"

#define LEASE_MS    INT64_C(120000) /* longer than the calls made under it */
#define QUOTES_MAX  2               /* methods may change between quote and refund: asked once more */
#define LEASE_WAITS INT64_C(2000)
/* What BigCommerce answers while another refund of the order is under way is not documented: 422, 409 or 423 may mean
 * that, or that the refund is refused for good. A refusal changed nothing, so it is asked again before it is a case. */
#define REFUSALS_MAX  3
#define REFUSAL_WAITS INT64_C(5000)

/* What is in hand while one part is settled. */
struct work {
    struct part *p;
    struct paid_order order;
    struct refund_list refunds;
    char reference[REFUND_REFERENCE_SIZE];
    struct lease lease;
    char intent_id[GATE_INTENT_SIZE];
    bool sent_before;      /* an intent is open: a refund was sent, and its answer is not known */
    int64_t others_before; /* refunds of others that the order had when it was sent */
    bool maybe_busy;       /* the last refusal may mean that another refund is under way */
};

/* ---- lease ---- */

static enum next take_lease(struct app *app, struct work *w, struct reason *why) {
    char name[sizeof w->lease.name];
    int64_t busy_ms = 0;
    (void)snprintf(name, sizeof name, "refund:%lld", (long long)w->p->web_order);
    enum next next = lease_take(app, name, LEASE_MS, &w->lease, &busy_ms, why);
    if (next == NEXT_DONE && busy_ms > 0) {
        why->not_its_fault = true;
        why->wait_ms = LEASE_WAITS;
        return reason_set(why, NEXT_DEFER, "order_busy", "web order %lld is being refunded by another process",
                          (long long)w->p->web_order);
    }
    return next;
}

/* ---- what was sent before ---- */

static enum next wait_key(struct app *app, struct work *w, const char *command, int64_t ms, redisReply **reply,
                          struct reason *why) {
    struct args a = {0};
    char name[REFUND_REFERENCE_SIZE + 16];
    (void)snprintf(name, sizeof name, KEY_SETTLE, w->reference);
    args_add(&a, command);
    args_add_key(&a, app->redis, name);
    if (ms > 0) {
        args_add(&a, "1");
        args_add(&a, "PX");
        args_add_int(&a, ms);
    }
    enum next next = redis_command(app->redis, &a, true, reply, why);
    args_free(&a);
    return next;
}

/* An open intent says that a refund left and nobody knows what became of it. */
static enum next look_for_intent(struct app *app, struct work *w, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    char error[120];
    (void)snprintf(w->intent_id, sizeof w->intent_id, "refund:%s", w->reference);
    args_add(&a, "HGET");
    args_add_key(&a, app->redis, KEY_INTENTS);
    args_add(&a, w->intent_id);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    const char *text = reply_str(reply);
    w->sent_before = text != NULL;
    cJSON *json = text != NULL ? json_read(text, strlen(text), error, sizeof error) : NULL;
    if (!json_int(json, "others_before", &w->others_before)) {
        w->others_before = -1;
    }
    cJSON_Delete(json);
    freeReplyObject(reply);
    return NEXT_DONE;
}

static void close_intent(struct app *app, const struct work *w) {
    struct gate_outcome out = {0};
    if (w->sent_before) {
        (void)str_copy(out.intent_id, sizeof out.intent_id, w->intent_id);
        gate_close(app, &out);
    }
}

/* The platform may still apply what was sent; it is not sent again before its time is over. */
static enum next wait_for_the_last(struct app *app, struct work *w, struct reason *why) {
    redisReply *reply = NULL;
    enum next next = wait_key(app, w, "PTTL", 0, &reply, why);
    if (next != NEXT_DONE) {
        return next;
    }
    int64_t left = reply_int(reply);
    freeReplyObject(reply);
    if (left > 0) {
        why->not_its_fault = true;
        why->wait_ms = left;
        return reason_set(why, NEXT_DEFER, "refund_sent",
                          "a refund of web order %lld was sent and is not to be seen yet; looking again in %lld ms",
                          (long long)w->p->web_order, (long long)left);
    }
    return NEXT_DONE;
}

/* ---- decisions ---- */

static void parked(struct settled *out, const struct decision *d) {
    out->kind = SETTLED_PARKED;
    out->parked = *d;
}

static void parked_with(struct settled *out, const char *cause, bool urgent, const char *text) {
    struct decision d = {.kind = DECISION_PARK, .cause = cause, .urgent = urgent};
    (void)snprintf(d.text, sizeof d.text, "%s", text);
    parked(out, &d);
}

static void found(struct work *w, const struct refund *r, struct settled *out) {
    out->kind = SETTLED_REFUNDED;
    out->refund_id = r->id;
    out->amount = r->total;
    out->offline = r->offline;
    out->declined = r->declined;
    (void)str_copy(out->currency, sizeof out->currency, w->order.currency);
}

/* Something was sent, its answer was lost, and what is there now is not, or may not be, what was there then. */
static void unclear(const struct work *w, const struct decision *d, struct settled *out) {
    char text[600];
    (void)snprintf(
        text, sizeof text,
        "A refund was sent and its answer was lost; no refund of the order carries our reference %s, and what "
        "else there is may have changed since. %.300s",
        w->reference, d->text);
    parked_with(out, "return_unclear", true, text);
}

/* ---- calls ---- */

static void add_items(cJSON *json, const struct work *w, bool with_reason) {
    const struct credit *c = w->p->credit;
    cJSON *items = json_add_array(json, "items");
    for (size_t i = 0; i < w->p->n; i++) {
        char reason[300];
        cJSON *item = json_new_object();
        json_add_str(item, "item_type", "PRODUCT");
        json_add_int(item, "item_id", w->p->items[i].product);
        json_add_int(item, "quantity", w->p->items[i].units);
        if (with_reason) {
            (void)snprintf(reason, sizeof reason, REFUND_REFERENCE "%s Sitoo return %lld, receipt %s, reason %s",
                           w->reference, (long long)c->order->id, c->receipt[0] != '\0' ? c->receipt : "unknown",
                           w->p->items[i].reason[0] != '\0' ? w->p->items[i].reason : "none");
            json_add_str(item, "reason", reason);
        }
        (void)cJSON_AddItemToArray(items, item);
    }
}

/* NEXT_PARK: refused, why tells. A quote changes nothing, so no gate and no intent. */
static enum next ask_quote(struct app *app, const struct work *w, struct answer *answer, struct reason *why) {
    char path[96];
    cJSON *json = json_new_object();
    add_items(json, w, false);
    char *body = json_print(json);
    (void)snprintf(path, sizeof path, "/v3/orders/%lld/payment_actions/refund_quotes", (long long)w->p->web_order);
    enum next next = bigcommerce_write(app, "POST", path, body, answer, why);
    why->ambiguous = false;
    free(body);
    cJSON_Delete(json);
    return next;
}

/* The payments exactly as the quote has them. */
static char *refund_body(const struct work *w, const cJSON *method) {
    static const char *const names[] = {"provider_id", "amount", "offline"};
    const cJSON *payment = NULL;
    cJSON *json = json_new_object();
    add_items(json, w, true);
    cJSON *payments = json_add_array(json, "payments");
    cJSON_ArrayForEach(payment, method) {
        cJSON *one = json_new_object();
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            (void)cJSON_AddItemToObject(one, names[i], cJSON_Duplicate(json_get(payment, names[i]), true));
        }
        (void)cJSON_AddItemToArray(payments, one);
    }
    char *body = json_print(json);
    cJSON_Delete(json);
    return body;
}

static char *intent_json(const struct work *w, const struct decision *d, const char *body) {
    char amount[MONEY_TEXT_SIZE], digest[17];
    cJSON *json = json_new_object();
    money_format(d->amount, w->order.currency, amount);
    gate_digest(body, digest);
    json_add_int(json, "return", w->p->credit->order->id);
    json_add_int(json, "order", w->p->web_order);
    json_add_str(json, "amount", amount);
    json_add_str(json, "currency", w->order.currency);
    json_add_int(json, "others_before", (int64_t)refunds_of_others(&w->refunds, w->p->web_order));
    json_add_str(json, "digest", digest);
    char *text = json_print(json);
    cJSON_Delete(json);
    return text;
}

/* Reads the 201. What cannot be read is not believed: the order's refunds are looked at again. */
static enum next take_refund(struct work *w, const struct answer *answer, struct settled *out, struct reason *why) {
    struct refund r;
    if (!refund_parse(json_get(answer->json, "data"), &r)) {
        why->not_its_fault = true;
        return reason_set(why, NEXT_DEFER, "bad_refunds",
                          "BigCommerce answered %d to a refund of order %lld without a readable refund", answer->status,
                          (long long)w->p->web_order);
    }
    found(w, &r, out);
    out->now = true;
    free(r.items);
    return NEXT_DONE;
}

/* *again: BigCommerce refused the payments; the methods may have changed since the quote. */
static enum next send_refund(struct app *app, struct work *w, const struct decision *d, struct settled *out,
                             bool *again, struct reason *why) {
    char path[96];
    struct gate_outcome sent;
    redisReply *reply = NULL;
    char *body = refund_body(w, d->method), *intent = intent_json(w, d, body);
    (void)snprintf(path, sizeof path, "/v3/orders/%lld/payment_actions/refunds", (long long)w->p->web_order);
    const struct gate_write write = {.kind = "refund",
                                     .method = "POST",
                                     .path = path,
                                     .body = body,
                                     .id = w->intent_id,
                                     .intent = intent,
                                     .lease = w->lease.name,
                                     .lease_token = w->lease.token};
    fault_point(app, "refund.decided");
    enum next next = wait_key(app, w, "SET", app->set->mapping->returns.repeat_after_s * 1000, &reply, why);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
        fault_point(app, "refund.before_intent");
        next = gate_send(app, &write, &sent, why);
        fault_point(app, "refund.sent");
        if (next == NEXT_DONE) {
            next = take_refund(w, &sent.answer, out, why);
            w->sent_before = true;
        } else if (next == NEXT_PARK && !why->ambiguous) {
            *again = sent.answer.status == 422;
            w->maybe_busy = sent.answer.status == 422 || sent.answer.status == 409 || sent.answer.status == 423;
            gate_close(app, &sent);
        } else if (next == NEXT_STOP) {
            next = NEXT_DEFER; /* another process has the order now */
        } else if (!why->ambiguous && sent.intent_id[0] != '\0') {
            gate_close(app, &sent); /* it never left, or was refused for now */
        }
        bool nothing = next != NEXT_DONE && !why->ambiguous && sent.answer.status != 200 && sent.answer.status != 201;
        answer_free(&sent.answer);
        if (nothing && wait_key(app, w, "DEL", 0, &reply, &(struct reason){0}) == NEXT_DONE) {
            freeReplyObject(reply);
        }
    }
    free(body);
    free(intent);
    return next;
}

static enum next refused(const struct work *w, struct settled *out, struct reason *why) {
    char text[600];
    if (w->p->tries > 0 && w->p->tries < REFUSALS_MAX && w->maybe_busy) {
        why->wait_ms = REFUSAL_WAITS;
        (void)snprintf(text, sizeof text, "%s", why->text);
        return reason_set(why, NEXT_DEFER, "refund_refused_for_now", "%s", text);
    }
    (void)snprintf(text, sizeof text, "BigCommerce refuses the refund: %.400s", why->text);
    parked_with(out, "return_refused", false, text);
    return NEXT_DONE;
}

/* Quote, decide, refund. */
static enum next quote_and_refund(struct app *app, struct work *w, struct settled *out, struct reason *why) {
    for (int i = 0; i < QUOTES_MAX; i++) {
        struct answer quote = {0};
        struct decision d;
        bool again = false;
        enum next next = ask_quote(app, w, &quote, why);
        if (next == NEXT_PARK) {
            char text[600];
            (void)snprintf(text, sizeof text, "BigCommerce refuses to quote the refund: %.400s", why->text);
            parked_with(out, "return_quote_refused", false, text);
            next = NEXT_DONE;
        } else if (next == NEXT_DONE) {
            decide_quote(w->p, &w->order, &w->refunds, &app->set->mapping->returns, json_get(quote.json, "data"), &d);
            if (d.kind == DECISION_PARK) {
                parked(out, &d);
            } else {
                next = send_refund(app, w, &d, out, &again, why);
            }
        }
        answer_free(&quote);
        if (next != NEXT_PARK) {
            return next;
        }
        if (!again || i + 1 == QUOTES_MAX) {
            return refused(w, out, why);
        }
        memset(why, 0, sizeof *why);
    }
    return NEXT_DONE;
}

/* Shadow mode: what would be refunded is recorded; no quote is asked for, since that is a POST. */
static enum next shadow(struct app *app, struct work *w, struct settled *out, struct reason *why) {
    struct gate_outcome sent;
    char amount[MONEY_TEXT_SIZE], path[96], intent[200];
    money_format(w->p->gross, w->order.currency, amount);
    (void)snprintf(path, sizeof path, "/v3/orders/%lld/payment_actions/refunds", (long long)w->p->web_order);
    (void)snprintf(intent, sizeof intent, "{\"return\":%lld,\"order\":%lld,\"amount\":\"%s\"}",
                   (long long)w->p->credit->order->id, (long long)w->p->web_order, amount);
    const struct gate_write write = {
        .kind = "refund", .method = "POST", .path = path, .body = "", .intent = intent, .lease = "", .lease_token = ""};
    enum next next = gate_send(app, &write, &sent, why);
    out->kind = SETTLED_SHADOW;
    out->amount = w->p->gross;
    (void)str_copy(out->currency, sizeof out->currency, w->order.currency);
    return next;
}

static enum next decide_and_do(struct app *app, struct work *w, struct settled *out, struct reason *why) {
    const struct refund_list none = {0};
    struct decision d;
    bool blindly = fault_planted("refund");
    w->sent_before = w->sent_before && !blindly;
    decide_refund(w->p, &w->order, blindly ? &none : &w->refunds, &d);
    if (d.kind == DECISION_SETTLED) {
        found(w, d.refund, out);
        return NEXT_DONE;
    }
    if (w->sent_before) {
        enum next next = wait_for_the_last(app, w, why);
        if (next != NEXT_DONE) {
            return next;
        }
        /* A refund of another return carries that one's reference, so it cannot be what was sent. */
        if (d.kind == DECISION_PARK || (int64_t)refunds_of_others(&w->refunds, w->p->web_order) != w->others_before) {
            unclear(w, &d, out);
            return NEXT_DONE;
        }
        LOG(LOG_WARN, "a refund that was sent never came to be; it is sent again", {"order", log_int(w->p->web_order)},
            {"reference", w->reference});
    }
    if (d.kind == DECISION_PARK) {
        parked(out, &d);
        return NEXT_DONE;
    }
    return app->mode == MODE_LIVE ? quote_and_refund(app, w, out, why) : shadow(app, w, out, why);
}

static enum next finish(struct app *app, struct work *w, struct settled *out, struct reason *why) {
    enum next next = NEXT_DONE;
    if (out->kind == SETTLED_REFUNDED) {
        fault_point(app, "refund.before_record");
        next = record_part(app, w->p, &w->order, out, why);
        fault_point(app, "refund.recorded");
    }
    if (next == NEXT_DONE && out->kind != SETTLED_SHADOW) {
        close_intent(app, w);
    }
    return next;
}

enum next settle_part(struct app *app, struct part *p, struct settled *out, struct reason *why) {
    struct work w = {.p = p};
    memset(out, 0, sizeof *out);
    refund_reference(p->credit->order->id, p->web_order, w.reference);
    enum next next = take_lease(app, &w, why);
    fault_point(app, "refund.leased");
    next = next == NEXT_DONE ? look_for_intent(app, &w, why) : next;
    next = next == NEXT_DONE ? paid_order_read(app, p->web_order, &w.order, why) : next;
    next = next == NEXT_DONE ? refunds_read(app, p->web_order, &w.refunds, NULL, why) : next;
    next = next == NEXT_DONE ? decide_and_do(app, &w, out, why) : next;
    next = next == NEXT_DONE ? finish(app, &w, out, why) : next;
    lease_give(app, &w.lease);
    refund_list_free(&w.refunds);
    paid_order_free(&w.order);
    return next;
}
