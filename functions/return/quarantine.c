/* SPDX-License-Identifier: Apache-2.0 */
#include "quarantine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "faultpoint.h"
#include "gate.h"
#include "json.h"
#include "keys.h"
#include "log.h"
#include "moves.h"
#include "quantity.h"
#include "quarantine_ref.h"
#include "queue.h"
#include "sku.h"
#include "ban.h"

#define LEASE_MS       INT64_C(120000) /* longer than the calls made under it */
#define LEASE_WAIT_MS  INT64_C(2000)
#define CLOCK_SLACK_MS INT64_C(600000) /* the platforms' clocks may differ from ours */

/* One row in hand. */
struct move {
    const struct credit *credit;
    const struct order_row *row;
    int64_t to, left; /* quarantine warehouse; thousandths that are still withheld */
    bool done;        /* recorded before */
    char reference[QUARANTINE_REF_SIZE], intent_id[GATE_INTENT_SIZE];
    int64_t sent_ms; /* an earlier call without a known outcome; 0 = none */
    const char *lease, *token;
    struct args *effects;
};

static bool row_wanted(const struct order_row *row, const struct mapping *m) {
    return m->returns.quarantine_warehouse_id > 0 && row->warehouse_id != m->returns.quarantine_warehouse_id &&
           mapping_verdict(&m->returns, row->reason, row->warehouse_id) == VERDICT_UNSELLABLE;
}

bool quarantine_wanted(const struct credit *c, const struct mapping *m) {
    for (size_t i = 0; i < c->n; i++) {
        if (row_wanted(c->rows[i].row, m)) {
            return true;
        }
    }
    return false;
}

/* ---- Redis ---- */

static enum next read_state(struct app *app, struct move *v, struct reason *why) {
    struct args cmds[3] = {{0}, {0}, {0}};
    redisReply *replies[3] = {NULL, NULL, NULL};
    char name[120], entry[64], error[80];
    (void)snprintf(entry, sizeof entry, "%lld:%lld", (long long)v->credit->order->id, (long long)v->row->item_id);
    (void)snprintf(name, sizeof name, KEY_WITHHELD_ROW, entry);
    args_add(&cmds[0], "HGET");
    args_add_key(&cmds[0], app->redis, name);
    args_add(&cmds[0], "left");
    args_add(&cmds[1], "HGET");
    args_add_key(&cmds[1], app->redis, KEY_INTENTS);
    args_add(&cmds[1], v->intent_id);
    (void)snprintf(name, sizeof name, "op:move:%s", v->reference);
    args_add(&cmds[2], "EXISTS");
    args_add_key(&cmds[2], app->redis, name);
    enum next next = redis_pipeline(app->redis, cmds, 3, true, replies, why);
    if (next == NEXT_DONE) {
        const char *left = reply_str(replies[0]), *intent = reply_str(replies[1]);
        cJSON *json = intent != NULL ? json_read(intent, strlen(intent), error, sizeof error) : NULL;
        v->left = left != NULL && int_parse(left, 0, QUANTITY_MAX, &v->left) ? v->left : 0;
        v->sent_ms = 0;
        if (intent != NULL && !json_int(json, "at_ms", &v->sent_ms)) {
            v->sent_ms = clock_wall_ms(); /* unreadable: as if it had been sent just now */
        }
        v->done = reply_int(replies[2]) == 1;
        cJSON_Delete(json);
    }
    redis_pipeline_free(cmds, replies, 3);
    return next;
}

static enum next lease_call(struct app *app, const char *function, struct args *a, int64_t *first, int64_t *second,
                            struct reason *why) {
    redisReply *reply = NULL;
    enum next next = redis_fcall(app->redis, function, a, true, &reply, why);
    args_free(a);
    if (next == NEXT_DONE) {
        *first = reply_int_at(reply, 0);
        *second = reply_int_at(reply, 1);
        freeReplyObject(reply);
    }
    return next;
}

static enum next take_lease(struct app *app, const char *lease, char token[24], struct reason *why) {
    struct args a = {0};
    int64_t ours = 0, number = 0;
    args_add(&a, lease);
    args_add(&a, app->holder);
    args_add_int(&a, LEASE_MS);
    enum next next = lease_call(app, "lease", &a, &ours, &number, why);
    if (next == NEXT_DONE && ours != 1) {
        why->not_its_fault = true;
        why->wait_ms = LEASE_WAIT_MS;
        return reason_set(why, NEXT_DEFER, "return_busy", "another process moves goods of this return (%s)", lease);
    }
    (void)snprintf(token, 24, "%lld", (long long)number);
    return next;
}

static void give_lease(struct app *app, const char *lease, const char *token) {
    struct args a = {0};
    struct reason ignored = {0};
    int64_t first = 0, second = 0;
    args_add(&a, lease);
    args_add(&a, token);
    (void)!lease_call(app, "unlease", &a, &first, &second, &ignored); /* else it ends by itself */
}

static void close_intent(struct app *app, const struct move *v) {
    struct gate_outcome out = {0};
    (void)str_copy(out.intent_id, sizeof out.intent_id, v->intent_id);
    gate_close(app, &out);
}

/* ---- cases and records ---- */

static void entity_of(const struct move *v, char out[80]) {
    (void)snprintf(out, 80, "return %lld, row %lld", (long long)v->credit->order->id, (long long)v->row->item_id);
}

static void park(const struct app *app, const struct move *v, const char *cause, const char *what, const char *step) {
    char entity[80], text[REASON_TEXT_MAX], quantity[QUANTITY_TEXT_SIZE], job[24], shown[SKU_SHOWN_SIZE];
    entity_of(v, entity);
    quantity_format(v->left, quantity);
    (void)snprintf(job, sizeof job, "%lld", (long long)v->credit->order->id);
    (void)snprintf(
        text, sizeof text, "Moving %s of SKU %s from warehouse %lld to quarantine, warehouse %lld (%s): %.200s",
        quantity, sku_shown(v->row->sku, shown), (long long)v->row->warehouse_id, (long long)v->to, v->reference, what);
    const struct parked p = {.cause = cause,
                             .owner = app->set->mapping->owner_stock,
                             .entity = entity,
                             .text = text,
                             .effect = "The units are not on sale",
                             .step = step,
                             .queue = QUEUE_RETURN,
                             .job = job};
    effect_case(v->effects, &p);
}

static void half(const struct app *app, const struct move *v, bool out, const char *refused) {
    char what[240];
    (void)snprintf(what, sizeof what, "only the %s half is booked%s%.150s", out ? "Move Out" : "Move In",
                   refused != NULL ? "; Sitoo refused the other: " : "", refused != NULL ? refused : "");
    park(app, v, "quarantine_half", what,
         out ? "Book the units into the quarantine warehouse in Sitoo by hand; then run: onepool parked --close"
             : "Book the units out of the warehouse that took them back in Sitoo by hand; then run: onepool parked "
               "--close");
}

static enum next record(struct app *app, const struct move *v, int64_t out, int64_t in, struct reason *why) {
    struct args effects = {0};
    char op[64], entity[80], quantity[QUANTITY_TEXT_SIZE];
    cJSON *json = json_new_object();
    quantity_format(v->left, quantity);
    json_add_str(json, "type", "quarantined");
    json_add_int(json, "return", v->credit->order->id);
    json_add_int(json, "item", v->row->item_id);
    json_add_str(json, "sku", v->row->sku);
    json_add_str(json, "quantity", quantity);
    json_add_int(json, "from", v->row->warehouse_id);
    json_add_int(json, "to", v->to);
    json_add_int(json, "out", out);
    json_add_int(json, "in", in);
    char *text = json_print(json);
    (void)snprintf(op, sizeof op, "move:%s", v->reference);
    entity_of(v, entity);
    effect_log(&effects, op, text);
    effect_close(&effects, "quarantine_half", entity);
    effect_close(&effects, "quarantine_refused", entity);
    enum next next = effects_apply(app->redis, &effects, why);
    if (next == NEXT_DONE) {
        fault_point(app, "quarantine.recorded");
        close_intent(app, v);
        LOG(LOG_INFO, "units moved to quarantine", {"outcome", "moved"}, {"reference", v->reference},
            {"sku", v->row->sku}, {"out", log_int(out)}, {"in", log_int(in)});
    }
    args_free(&effects);
    free(text);
    cJSON_Delete(json);
    return next;
}

/* ---- the ledger ---- */

bool quarantine_take_page(void *context, const cJSON *items, int64_t *last) {
    struct quarantine_halves *halves = context;
    const cJSON *row = NULL;
    cJSON_ArrayForEach(row, items) {
        const char *reference = json_str(row, "externalid");
        int64_t id = 0, type = 0;
        if (!json_int(row, "warehousetransactionid", &id) || id <= *last || !json_int(row, "transactiontype", &type)) {
            return false;
        }
        *last = id;
        if (reference != NULL && strcmp(reference, halves->reference) == 0) {
            *(type == MOVE_OUT ? &halves->out : &halves->in) = id;
        }
    }
    return true;
}

/* ---- sending ---- */

static void add_half(cJSON *list, const struct move *v, bool out) {
    char quantity[QUANTITY_TEXT_SIZE], text[80];
    cJSON *o = json_new_object(), *item = json_new_object();
    (void)snprintf(text, sizeof text, "Return %lld, to quarantine", (long long)v->credit->order->id);
    quantity_format(out ? -v->left : v->left, quantity);
    json_add_int(o, "warehouseid", out ? v->row->warehouse_id : v->to);
    json_add_int(o, "transactiontype", out ? MOVE_OUT : MOVE_IN);
    json_add_str(o, "description", text);
    json_add_str(o, "externalid", v->reference);
    json_add_str(item, "sku", v->row->sku);
    json_add_str(item, "decimalquantity", quantity);
    (void)cJSON_AddItemToArray(json_add_array(o, "items"), item);
    (void)cJSON_AddItemToArray(list, o);
}

static char *body_of(const struct move *v) {
    cJSON *list = cJSON_CreateArray();
    add_half(list, v, true);
    add_half(list, v, false);
    char *body = json_print(list);
    cJSON_Delete(list);
    return body;
}

static char *intent_of(const struct move *v) {
    cJSON *o = json_new_object();
    json_add_int(o, "return", v->credit->order->id);
    json_add_int(o, "item", v->row->item_id);
    json_add_str(o, "reference", v->reference);
    json_add_str(o, "sku", v->row->sku);
    json_add_int(o, "thousandths", v->left);
    json_add_int(o, "from", v->row->warehouse_id);
    json_add_int(o, "to", v->to);
    json_add_int(o, "at_ms", clock_wall_ms());
    char *text = json_print(o);
    cJSON_Delete(o);
    return text;
}

static enum next unknown(const struct app *app, const struct move *v, int64_t wait_ms, struct reason *why) {
    (void)app;
    why->not_its_fault = true;
    why->wait_ms = wait_ms;
    return reason_set(why, NEXT_DEFER, "unknown_outcome",
                      "moving units to quarantine (%s) had no clear answer, and Sitoo's ledger does not show it yet; "
                      "looking again in %lld ms",
                      v->reference, (long long)wait_ms);
}

#define REFUSED_STEP                                                                                                  \
    "Look at both warehouses in Sitoo (a Virtual one cannot be moved to); move the units by hand, then run: onepool " \
    "parked --close; or mend the cause and run: onepool parked --retry"

/* After the call. */
static enum next judge(struct app *app, const struct move *v, enum next next, const struct gate_outcome *sent,
                       struct reason *why) {
    const char *refused[2] = {NULL, NULL};
    int64_t out = -1, in = -1, again_ms = app->set->mapping->returns.repeat_after_s * 1000;
    if (next == NEXT_DONE) {
        out = moves_answer(sent->answer.json, 0, 2, &refused[0]);
        in = moves_answer(sent->answer.json, 1, 2, &refused[1]);
    }
    if (next == NEXT_DONE ? out < 0 || in < 0 : why->ambiguous) {
        return unknown(app, v, again_ms, why);
    }
    if (next == NEXT_DONE && out > 0 && in > 0) {
        return record(app, v, out, in, why);
    }
    close_intent(app, v); /* refused, or never sent */
    if (next == NEXT_DONE && out == 0 && in == 0) {
        park(app, v, "quarantine_refused", refused[0], REFUSED_STEP);
        return NEXT_DONE;
    }
    if (next == NEXT_DONE) {
        half(app, v, out > 0, out > 0 ? refused[1] : refused[0]);
        return NEXT_DONE;
    }
    if (next == NEXT_PARK) {
        park(app, v, "quarantine_refused", why->text, REFUSED_STEP);
        *why = (struct reason){0};
        return NEXT_DONE;
    }
    return next;
}

static enum next send(struct app *app, const struct move *v, struct reason *why) {
    char path[80];
    struct gate_outcome out;
    (void)snprintf(path, sizeof path, "/sites/%lld/warehousetransactions.json", (long long)app->set->sitoo_site_id);
    char *body = body_of(v), *intent = intent_of(v);
    const struct gate_write w = {.platform = GATE_SITOO,
                                 .kind = "move",
                                 .method = "POST",
                                 .path = path,
                                 .body = body,
                                 .id = v->intent_id,
                                 .intent = intent,
                                 .lease = v->lease,
                                 .lease_token = v->token};
    fault_point(app, "quarantine.before_intent");
    enum next next = gate_send(app, &w, &out, why);
    fault_point(app, "quarantine.sent");
    next = out.shadowed ? next : judge(app, v, next, &out, why);
    answer_free(&out.answer);
    free(intent);
    free(body);
    return next;
}

/* ---- one row ---- */

static enum next move_row(struct app *app, struct move *v, struct reason *why) {
    struct quarantine_halves halves = {.reference = v->reference};
    enum next next = read_state(app, v, why);
    if (next != NEXT_DONE || v->done) {
        if (next == NEXT_DONE && v->sent_ms > 0) {
            close_intent(app, v); /* a crash came between the record and this */
        }
        return next;
    }
    if (v->left == 0 && v->sent_ms == 0) {
        return NEXT_DONE; /* released meanwhile: sold by a person's word, or moved by hand */
    }
    next = moves_read(app, v->credit->order->date_ms - CLOCK_SLACK_MS, 0, quarantine_take_page, &halves, why);
    if (next != NEXT_DONE) {
        return next;
    }
    if (halves.out > 0 && halves.in > 0) {
        return record(app, v, halves.out, halves.in, why);
    }
    int64_t wait_ms = v->sent_ms + app->set->mapping->returns.repeat_after_s * 1000 - clock_wall_ms();
    if (v->sent_ms > 0 && wait_ms > 0) {
        return unknown(app, v, wait_ms, why); /* the other half, or both, may still appear */
    }
    if (halves.out > 0 || halves.in > 0) {
        close_intent(app, v);
        half(app, v, halves.out > 0, NULL);
        return NEXT_DONE;
    }
    if (v->left == 0) {
        close_intent(app, v);
        return NEXT_DONE;
    }
    return send(app, v, why);
}

enum next quarantine_move(struct app *app, const struct credit *c, struct args *effects, struct reason *why) {
    char lease[48], token[24] = "";
    if (app->mode != MODE_LIVE || !quarantine_wanted(c, app->set->mapping)) {
        return NEXT_DONE;
    }
    (void)snprintf(lease, sizeof lease, "move:%lld", (long long)c->order->id);
    enum next next = take_lease(app, lease, token, why);
    if (next != NEXT_DONE) {
        return next;
    }
    for (size_t i = 0; next == NEXT_DONE && i < c->n; i++) {
        struct move v = {.credit = c,
                         .row = c->rows[i].row,
                         .to = app->set->mapping->returns.quarantine_warehouse_id,
                         .lease = lease,
                         .token = token,
                         .effects = effects};
        if (row_wanted(v.row, app->set->mapping) && quarantine_ref_write(c->order->id, v.row->item_id, v.reference)) {
            (void)snprintf(v.intent_id, sizeof v.intent_id, "move:%s", v.reference);
            next = move_row(app, &v, why);
        }
    }
    give_lease(app, lease, token);
    return next;
}
