/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "money.h"
#include "quantity.h"
#include "queue.h"
#include "ban.h"

const char *match_name(enum match_kind kind) {
    static const char *const names[] = {
        [MATCH_WEB] = "web",         [MATCH_TILL] = "till",     [MATCH_MANUAL] = "none",
        [MATCH_MISSING] = "missing", [MATCH_NO_ROW] = "no_row", [MATCH_SEVERAL] = "several",
    };
    return names[kind];
}

void report_begin(struct report *r, const struct credit *c, const struct mapping *m, const struct match *matches) {
    r->json = json_new_object();
    json_add_int(r->json, "return", c->order->id);
    json_add_str(r->json, "receipt", c->receipt);
    json_add_str(r->json, "currency", c->currency);
    json_add_bool(r->json, "exchange", c->exchange);
    json_add_bool(r->json, "payments_differ", c->paid_differs);
    r->rows = json_add_array(r->json, "rows");
    r->money = json_add_array(r->json, "money");
    for (size_t i = 0; i < c->n; i++) {
        const struct order_row *row = c->rows[i].row;
        char quantity[QUANTITY_TEXT_SIZE];
        cJSON *one = json_new_object();
        quantity_format(c->rows[i].thousandths, quantity);
        json_add_int(one, "item", row->item_id);
        json_add_str(one, "sku", row->sku);
        json_add_str(one, "quantity", quantity);
        json_add_int(one, "warehouse", row->warehouse_id);
        json_add_str(one, "reason", row->reason);
        json_add_str(one, "stock", verdict_name(mapping_verdict(&m->returns, row->reason, row->warehouse_id)));
        json_add_str(one, "purchase", match_name(matches[i].kind));
        if (matches[i].web_order > 0) {
            json_add_int(one, "web_order", matches[i].web_order);
        }
        (void)cJSON_AddItemToArray(r->rows, one);
    }
}

void report_money(struct report *r, const struct part *p, const struct settled *s) {
    static const char *const outcomes[] = {
        [SETTLED_REFUNDED] = "refunded", [SETTLED_PARKED] = "parked", [SETTLED_SHADOW] = "shadow"};
    char amount[MONEY_TEXT_SIZE];
    cJSON *one = json_new_object();
    json_add_int(one, "web_order", p->web_order);
    json_add_str(one, "outcome", outcomes[s->kind]);
    if (s->kind == SETTLED_PARKED) {
        json_add_str(one, "cause", s->parked.cause);
        json_add_str(one, "text", s->parked.text);
    } else {
        money_format(s->amount, s->currency, amount);
        json_add_str(one, "amount", amount);
        json_add_str(one, "currency", s->currency);
        json_add_str(one, "paid_by", payer_name(p->credit->payer));
    }
    if (s->kind == SETTLED_REFUNDED) {
        json_add_int(one, "refund", s->refund_id);
    }
    (void)cJSON_AddItemToArray(r->money, one);
}

/* One record of each refund, however often the return is worked on. */
static void log_refund(const struct credit *c, const cJSON *money, struct args *effects) {
    int64_t order = 0, refund = 0;
    char op[80];
    if (!json_int(money, "refund", &refund) || !json_int(money, "web_order", &order)) {
        return;
    }
    cJSON *json = cJSON_Duplicate(money, true);
    json_add_str(json, "type", "refund");
    json_add_int(json, "return", c->order->id);
    char *text = json_print(json);
    (void)snprintf(op, sizeof op, "refund:%lld:%lld", (long long)order, (long long)refund);
    effect_log(effects, op, text);
    free(text);
    cJSON_Delete(json);
}

void report_end(struct report *r, const struct credit *c, struct args *effects) {
    const cJSON *money = NULL;
    char *text = json_print(r->json);
    effect_returned(effects, c->order->id, text);
    cJSON_ArrayForEach(money, r->money) {
        log_refund(c, money, effects);
    }
    free(text);
    cJSON_Delete(r->json);
    memset(r, 0, sizeof *r);
}
