/* SPDX-License-Identifier: Apache-2.0 */
/* watch_plan: what is to be done about the refunds of one order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "keys.h"
#include "money.h"
#include "queue.h"
#include "watch.h"
#include "ban.h"

#define MINUTE_MS   (INT64_C(60) * 1000)
#define DAY_MS      (INT64_C(86400) * 1000)
#define FOLLOW_DAYS 60 /* how long a case is looked at; below what makes it happen once, 90 days */

#define DECLINED "refund_declined"
#define NOT_BACK "refunded_not_back"

void watch_op(const struct refund *r, char out[40]) {
    (void)snprintf(out, 40, "%s:%lld", r->reference[0] != '\0' ? DECLINED : "refund_bc", (long long)r->id);
}

/* ---- refunds of ours ---- */

/* Until a young refund is to be looked at again. */
static int64_t next_look(const struct refund *r, int64_t now_ms) {
    static const int64_t looks[] = {MINUTE_MS, 10 * MINUTE_MS, 60 * MINUTE_MS};
    for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
        if (r->created_ms + looks[i] > now_ms) {
            return r->created_ms + looks[i] - now_ms;
        }
    }
    return WATCH_SETTLED;
}

bool watch_young(const struct refund *r, int64_t now_ms) {
    return r->reference[0] != '\0' && !r->offline && !r->declined && next_look(r, now_ms) != WATCH_SETTLED;
}

static void raise_case(const struct watch *w, const char *op, const struct parked *p, struct args *effects) {
    if (w->again) {
        effect_case(effects, p);
    } else {
        effect_case_first(effects, op, p);
    }
}

static void plan_declined(const struct watch *w, const struct refund *r, struct args *effects) {
    char op[40], order[24], entity[80], text[REASON_TEXT_MAX], step[240], amount[MONEY_TEXT_SIZE];
    int64_t return_id = strtoll(r->reference + 1, NULL, 10); /* "R11555-100301", refunds.h */
    watch_op(r, op);
    money_format(r->total, "", amount);
    (void)snprintf(order, sizeof order, "%lld", (long long)w->order_id);
    (void)snprintf(entity, sizeof entity, "web order %lld refund %lld", (long long)w->order_id, (long long)r->id);
    (void)snprintf(text, sizeof text,
                   "URGENT: refund %lld of BigCommerce order %lld over %s, made for return %lld in Sitoo, was declined "
                   "by the payment provider: %s",
                   (long long)r->id, (long long)w->order_id, amount, (long long)return_id,
                   r->declined_message[0] != '\0' ? r->declined_message : "no reason given");
    (void)snprintf(step, sizeof step,
                   "Look at order %lld in BigCommerce, pay the customer in another way, and note it there; then run: "
                   "onepool parked --close. onepool does not pay again by itself",
                   (long long)w->order_id);
    const struct parked p = {.cause = DECLINED,
                             .owner = w->mapping->owner_money,
                             .entity = entity,
                             .text = text,
                             .effect = "The customer gave the goods back and was not paid",
                             .step = step,
                             .queue = QUEUE_REFUND,
                             .job = order,
                             .bytes = "",
                             .bytes_len = 0};
    raise_case(w, op, &p, effects);
}

/* ---- refunds made in BigCommerce ---- */

static void plan_record(const struct watch *w, const struct refund *r, struct args *effects) {
    char op[40], amount[MONEY_TEXT_SIZE];
    cJSON *json = json_new_object();
    watch_op(r, op);
    money_format(r->total, "", amount);
    json_add_str(json, "type", "refund_made_in_bigcommerce");
    json_add_int(json, "order", w->order_id);
    json_add_int(json, "refund", r->id);
    json_add_str(json, "amount", amount);
    json_add_bool(json, "declined", r->declined);
    cJSON *rows = json_add_array(json, "rows");
    for (size_t i = 0; i < r->item_count; i++) {
        if (r->items[i].product) {
            const char *sku = w->goods != NULL ? goods_sku(w->goods, r->items[i].item_id) : "";
            cJSON *row = json_new_object();
            json_add_int(row, "order_product", r->items[i].item_id);
            json_add_str(row, "sku", sku[0] != '\0' ? sku : NULL);
            json_add_int(row, "quantity", r->items[i].quantity);
            (void)cJSON_AddItemToArray(rows, row);
        }
    }
    char *text = json_print(json);
    effect_log(effects, op, text);
    free(text);
    cJSON_Delete(json);
}

/* When the goods of refunds by hand are due: the next such moment, and the latest one that is over. */
struct deadlines {
    int64_t next_ms, last_ms, last_refund; /* 0 = there is none */
};

static struct deadlines deadlines_of(const struct watch *w) {
    const struct goods_question q = {.order_id = w->order_id, .since_ms = w->since_ms, .refunds = w->refunds};
    struct deadlines d = {0};
    for (size_t i = 0; i < w->refunds->n; i++) {
        const struct refund *r = &w->refunds->list[i];
        int64_t at = r->created_ms + w->mapping->returns.goods_back_days * DAY_MS;
        if (!goods_wanted(&q, r)) {
            continue;
        }
        if (at > w->now_ms) {
            d.next_ms = d.next_ms == 0 || at < d.next_ms ? at : d.next_ms;
        } else if (at >= d.last_ms) {
            d.last_ms = at;
            d.last_refund = r->id;
        }
    }
    return d;
}

static void plan_not_back(const struct watch *w, int64_t refund, struct args *effects) {
    char op[64], order[24], entity[40], skus[200], text[REASON_TEXT_MAX], step[300];
    bool known = w->goods->sitoo_order_id != 0;
    goods_text(w->goods, true, skus, sizeof skus);
    (void)snprintf(op, sizeof op, "not_back:%lld:%lld", (long long)w->order_id, (long long)refund);
    (void)snprintf(order, sizeof order, "%lld", (long long)w->order_id);
    (void)snprintf(entity, sizeof entity, "web order %s", order);
    if (known) {
        (void)snprintf(text, sizeof text,
                       "Refunded in BigCommerce at least %lld day(s) ago and not back in Sitoo (order %lld there): %s",
                       (long long)w->mapping->returns.goods_back_days, (long long)w->goods->sitoo_order_id, skus);
        (void)snprintf(
            step, sizeof step,
            "If the goods are there: onepool returns --goods-in %s --sku SKU --quantity N --warehouse W books "
            "them into Sitoo, and the case closes by itself. If they will not come: onepool parked --close",
            order);
    } else {
        (void)snprintf(
            text, sizeof text,
            "Refunded in BigCommerce at least %lld day(s) ago: %s. Sitoo has no order %s%s, so its stock was "
            "not lowered for this order, and nothing tells whether the goods are back",
            (long long)w->mapping->returns.goods_back_days, skus, w->mapping->sitoo_order_prefix, order);
        (void)snprintf(step, sizeof step,
                       "Look whether the goods are there. If they are: onepool parked --close, and book nothing in. If "
                       "they will not come: move them out in Sitoo, then close");
    }
    const struct parked p = {.cause = NOT_BACK,
                             .owner = w->mapping->owner_stock,
                             .entity = entity,
                             .text = text,
                             .effect = "The customer has the money; what was refunded may be missing in the shop",
                             .step = step,
                             .queue = QUEUE_REFUND,
                             .job = order,
                             .bytes = "",
                             .bytes_len = 0};
    raise_case(w, op, &p, effects);
}

static int64_t plan_goods(const struct watch *w, struct args *effects) {
    const struct deadlines d = deadlines_of(w);
    char entity[40];
    if (goods_any_missing(w->goods, true)) {
        plan_not_back(w, d.last_refund, effects);
        int64_t next = d.next_ms > 0 && d.next_ms - w->now_ms < DAY_MS ? d.next_ms - w->now_ms : DAY_MS;
        return d.next_ms > 0 || w->now_ms - d.last_ms < FOLLOW_DAYS * DAY_MS ? next : WATCH_SETTLED;
    }
    (void)snprintf(entity, sizeof entity, "web order %lld", (long long)w->order_id);
    effect_close(effects, NOT_BACK, entity);
    return d.next_ms > 0 && goods_any_missing(w->goods, false) ? d.next_ms - w->now_ms : WATCH_SETTLED;
}

static int64_t sooner(int64_t a, int64_t b) {
    return a == WATCH_SETTLED || (b != WATCH_SETTLED && b < a) ? b : a;
}

int64_t watch_plan(const struct watch *w, struct args *effects) {
    int64_t next = WATCH_SETTLED;
    for (size_t i = 0; i < w->refunds->n; i++) {
        const struct refund *r = &w->refunds->list[i];
        bool fresh = w->now_ms - r->created_ms < WATCH_AGE_MAX_MS;
        if (r->reference[0] == '\0') {
            if (fresh && (r->created_ms == 0 || r->created_ms >= w->since_ms)) {
                plan_record(w, r, effects);
            }
        } else if (r->declined && (fresh || w->again)) {
            plan_declined(w, r, effects);
        } else if (watch_young(r, w->now_ms)) {
            next = sooner(next, next_look(r, w->now_ms));
        }
    }
    return w->goods != NULL ? sooner(next, plan_goods(w, effects)) : next;
}
