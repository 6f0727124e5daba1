/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "gate.h"
#include "json.h"
#include "log.h"
#include "money.h"
#include "ban.h"

#define NAMESPACE "onepool"
#define NOTES_MAX 65535 /* of staff_notes, BigCommerce's limit */

static char *value_json(const struct part *p, const struct settled *s) {
    char amount[MONEY_TEXT_SIZE];
    cJSON *json = json_new_object(), *rows = NULL;
    money_format(s->amount, s->currency, amount);
    json_add_int(json, "sitoo_return", p->credit->order->id);
    json_add_int(json, "refund", s->refund_id);
    json_add_str(json, "amount", amount);
    json_add_str(json, "currency", s->currency);
    json_add_str(json, "paid_by", payer_name(p->credit->payer));
    json_add_str(json, "receipt", p->credit->receipt);
    rows = json_add_array(json, "rows");
    for (size_t i = 0; i < p->n; i++) {
        cJSON *row = json_new_object();
        json_add_int(row, "order_product", p->items[i].product);
        json_add_int(row, "quantity", p->items[i].units);
        json_add_str(row, "reason", p->items[i].reason);
        (void)cJSON_AddItemToArray(rows, row);
    }
    char *text = json_print(json);
    cJSON_Delete(json);
    return text;
}

static enum next send(struct app *app, const struct gate_write *w, const char *what, int expected, struct reason *why) {
    struct gate_outcome out;
    enum next next = gate_send(app, w, &out, why);
    bool there = next == NEXT_PARK && out.answer.status == expected;
    if (next == NEXT_PARK && !there) {
        /* The money is settled; a note that BigCommerce refuses must not hold anything up. */
        LOG(LOG_WARN, "BigCommerce refused a note on a web order", {"what", what}, {"path", w->path},
            {"why", why->text});
    }
    next = next == NEXT_PARK ? NEXT_DONE : next;
    if (next == NEXT_DONE || !why->ambiguous) {
        gate_close(app, &out);
    }
    answer_free(&out.answer);
    return next;
}

static enum next add_metafield(struct app *app, const struct part *p, const struct settled *s, const char *reference,
                               struct reason *why) {
    char path[80], key[80], id[GATE_INTENT_SIZE];
    char *value = value_json(p, s);
    cJSON *json = json_new_object();
    (void)snprintf(path, sizeof path, "/v3/orders/%lld/metafields", (long long)p->web_order);
    (void)snprintf(key, sizeof key, "return-%s", reference);
    (void)snprintf(id, sizeof id, "metafield:%s", reference);
    json_add_str(json, "permission_set", "app_only");
    json_add_str(json, "namespace", NAMESPACE);
    json_add_str(json, "key", key);
    json_add_str(json, "value", value);
    char *body = json_print(json);
    const struct gate_write w = {.kind = "metafield",
                                 .method = "POST",
                                 .path = path,
                                 .body = body,
                                 .id = id,
                                 .intent = value,
                                 .lease = "",
                                 .lease_token = ""};
    enum next next = send(app, &w, "metafield", 409, why);
    free(body);
    free(value);
    cJSON_Delete(json);
    return next;
}

static enum next add_note(struct app *app, const struct part *p, const struct paid_order *o, const struct settled *s,
                          const char *reference, struct reason *why) {
    char path[64], amount[MONEY_TEXT_SIZE], id[GATE_INTENT_SIZE], intent[120];
    struct buf notes;
    (void)snprintf(id, sizeof id, "note:%s", reference);
    if (strstr(o->staff_notes, reference) != NULL) {
        struct gate_outcome sent = {0}; /* perhaps by a call whose answer was lost */
        (void)str_copy(sent.intent_id, sizeof sent.intent_id, id);
        gate_close(app, &sent);
        return NEXT_DONE;
    }
    money_format(s->amount, s->currency, amount);
    buf_init(&notes, NOTES_MAX + 1);
    buf_addf(&notes, "%s%sReturned in a shop: %s %s refunded (%s), refund %lld, Sitoo receipt %s [onepool %s]",
             o->staff_notes, o->staff_notes[0] != '\0' ? "\n" : "", amount, s->currency,
             s->offline ? "paid at the till" : "paid back by BigCommerce", (long long)s->refund_id,
             p->credit->receipt[0] != '\0' ? p->credit->receipt : "unknown", reference);
    if (buf_overflowed(&notes)) {
        LOG(LOG_WARN, "no staff note: the order's notes are full", {"order", log_int(p->web_order)});
        buf_free(&notes);
        return NEXT_DONE;
    }
    cJSON *json = json_new_object();
    json_add_str(json, "staff_notes", buf_str(&notes));
    char *body = json_print(json);
    (void)snprintf(path, sizeof path, "/v2/orders/%lld", (long long)p->web_order);
    (void)snprintf(intent, sizeof intent, "{\"note\":\"%s\"}", reference);
    const struct gate_write w = {.kind = "note",
                                 .method = "PUT",
                                 .path = path,
                                 .body = body,
                                 .id = id,
                                 .intent = intent,
                                 .lease = "",
                                 .lease_token = ""};
    enum next next = send(app, &w, "staff note", 0, why);
    free(body);
    cJSON_Delete(json);
    buf_free(&notes);
    return next;
}

enum next record_part(struct app *app, const struct part *p, const struct paid_order *o, const struct settled *s,
                      struct reason *why) {
    char reference[REFUND_REFERENCE_SIZE];
    refund_reference(p->credit->order->id, p->web_order, reference);
    enum next next = add_metafield(app, p, s, reference, why);
    return next == NEXT_DONE && o->found ? add_note(app, p, o, s, reference, why) : next;
}
