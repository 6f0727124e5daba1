/* SPDX-License-Identifier: Apache-2.0 */
#include "credit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "money.h"
#include "quantity.h"
#include "ban.h"

void credit_free(struct credit *c) {
    order_free(c->order);
    free(c->rows);
    memset(c, 0, sizeof *c);
}

/* additionaldata is an object, {}, null or [] (sitoo.md 2). */
static const char *extra(const cJSON *json, const char *key) {
    const cJSON *data = json_get(json, "additionaldata");
    return cJSON_IsObject(data) ? json_str(data, key) : NULL;
}

static void add_original(struct credit *c, int64_t id) {
    for (size_t i = 0; i < c->original_count; i++) {
        if (c->originals[i] == id) {
            return;
        }
    }
    if (id > 0 && c->original_count < 2) {
        c->originals[c->original_count++] = id;
    }
}

static void read_references(const cJSON *json, struct credit *c) {
    int64_t id = 0;
    const char *original = extra(json, "pos-originalsales-orderid"), *receipt = extra(json, "pos-receiptid");
    const char *currency = json_str(json, "currencycode");
    if (json_id(json, "creditorderid", &id)) {
        add_original(c, id);
    }
    if (original != NULL && int_parse(original, 1, JSON_INT_MAX, &id)) {
        add_original(c, id);
    }
    (void)snprintf(c->receipt, sizeof c->receipt, "%.64s", receipt != NULL ? receipt : "");
    (void)snprintf(c->currency, sizeof c->currency, "%.3s", currency != NULL ? currency : "");
}

static void add_name(struct credit *c, const char *name) {
    size_t len = strlen(c->payments);
    if (strstr(c->payments, name) == NULL) {
        (void)snprintf(c->payments + len, sizeof c->payments - len, "%s%.60s", len > 0 ? ", " : "", name);
    }
}

static void read_payments(const cJSON *json, const struct mapping *m, struct credit *c) {
    const cJSON *payment = NULL;
    bool some = false;
    cJSON_ArrayForEach(payment, json_array(json, "payments")) {
        const char *name = json_str(payment, "name"), *virtual = extra(payment, "virtual-payment");
        int64_t amount = 0;
        bool readable = money_get(payment, "moneyamount", &amount);
        c->paid += amount;
        if (virtual != NULL && strcmp(virtual, "true") == 0) {
            c->exchange = true; /* not money: a balance between the two orders of an exchange */
            continue;
        }
        if (readable && amount == 0) {
            continue;
        }
        enum payer payer = readable ? mapping_payer(&m->returns, name) : PAYER_UNKNOWN;
        c->mixed = c->mixed || (some && payer != c->payer);
        c->payer = payer;
        some = true;
        add_name(c, name != NULL ? name : "without a name");
    }
    c->paid_differs = c->paid != c->total;
    if (c->exchange) {
        c->payer = PAYER_TILL; /* goods or money came from the till, whatever its payments are called */
        c->mixed = false;
    }
}

static const cJSON *item_by_id(const cJSON *json, int64_t item_id) {
    const cJSON *item = NULL;
    int64_t id = 0;
    cJSON_ArrayForEach(item, json_array(json, "orderitems")) {
        if (json_int(item, "orderitemid", &id) && id == item_id) {
            return item;
        }
    }
    return NULL;
}

static void read_row(const cJSON *item, struct credit_row *row) {
    const char *reference = extra(item, "pos-originalsales-orderitemid");
    int64_t net = 0, vat = 0;
    row->thousandths = -row->row->thousandths;
    row->gross_known = money_get(item, "moneyitemtotal_net", &net) && money_get(item, "moneyitemtotal_vat", &vat);
    row->gross = -(net + vat);
    row->gift_card = extra(item, "giftcard-cardnumber") != NULL;
    if (!int_parse(reference, 0, JSON_INT_MAX, &row->reference)) {
        row->reference = CREDIT_REFERENCE;
    }
}

enum next credit_read(const cJSON *json, const struct mapping *m, struct credit *out, struct reason *why) {
    memset(out, 0, sizeof *out);
    enum next next = order_read(json, m->sitoo_order_prefix, &out->order, why);
    if (next != NEXT_DONE) {
        return next;
    }
    out->rows = xcalloc(out->order->row_count + 1, sizeof *out->rows);
    for (size_t i = 0; i < out->order->row_count; i++) {
        const struct order_row *row = &out->order->rows[i];
        if (row->thousandths > 0) {
            out->exchange = true; /* both halves in one order */
            continue;
        }
        out->rows[out->n].row = row;
        read_row(item_by_id(json, row->item_id), &out->rows[out->n++]);
    }
    const char *sale = extra(json, "pos-refundsales-orderid");
    out->exchange = out->exchange || (sale != NULL && sale[0] != '\0' && strcmp(sale, "0") != 0);
    (void)money_get(json, "moneytotal_gross_all", &out->total);
    read_references(json, out);
    read_payments(json, m, out);
    return NEXT_DONE;
}
