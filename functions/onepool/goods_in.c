/* SPDX-License-Identifier: Apache-2.0 */
#include "goods_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "command.h"
#include "gate.h"
#include "goods.h"
#include "json.h"
#include "keys.h"
#include "mode.h"
#include "quantity.h"
#include "refunds.h"
#include "sku.h"
#include "ban.h"

#define KIND           "goods-in"
#define LEASE_MS       INT64_C(300000) /* longer than the calls of one run */
#define CLOCK_SLACK_MS INT64_C(600000) /* the platforms' clocks may differ from ours */

/* One run of the command. */
struct booking {
    struct app *app;
    struct goods_in asked;
    struct refund_list refunds;
    struct goods goods;
    struct goods_founds founds;
    char lease[40], token[24];
    char intent[GATE_INTENT_SIZE]; /* an earlier call without an answer; "" = none */
    char reference[48];            /* of that call, then of ours */
    int64_t intent_ms, since_ms;
    int64_t transaction; /* Sitoo's; 0 = nothing was sent */
    bool already;        /* an earlier call had booked it */
};

static void booking_free(struct booking *b) {
    refund_list_free(&b->refunds);
    goods_free(&b->goods);
    goods_in_founds_free(&b->founds);
}

bool returns_words(char **words, struct command_line *line) {
    struct goods_in *g = &line->goods_in;
    for (; *words != NULL; words++) {
        bool known = true;
        const char *value = words[1];
        if (strcmp(*words, "--json") == 0) {
            line->json = true;
            continue;
        }
        if (**words != '-' && line->returned == 0 && int_parse(*words, 1, JSON_INT_MAX, &line->returned)) {
            continue;
        }
        if (value == NULL) {
            return false;
        }
        if (strcmp(*words, "--goods-in") == 0) {
            known = g->order == 0 && int_parse(value, 1, JSON_INT_MAX, &g->order);
        } else if (strcmp(*words, "--sku") == 0) {
            known = g->sku == NULL && sku_fits(value);
            g->sku = value;
        } else if (strcmp(*words, "--quantity") == 0) {
            known = g->thousandths == 0 && quantity_parse(value, &g->thousandths) && g->thousandths > 0;
        } else {
            known = strcmp(*words, "--warehouse") == 0 && g->warehouse == 0 &&
                    int_parse(value, 1, JSON_INT_MAX, &g->warehouse);
        }
        if (!known) {
            return false;
        }
        words++;
    }
    if (g->order == 0 && g->sku == NULL && g->thousandths == 0 && g->warehouse == 0) {
        return true; /* only to look */
    }
    return line->returned == 0 && g->order > 0 && g->sku != NULL && g->thousandths > 0 && g->warehouse > 0;
}

unsigned returns_needs(const struct command_line *line) {
    return line->goods_in.order > 0 ? NEED_REDIS | NEED_SITOO | NEED_BIGCOMMERCE | NEED_MAPPING : NEED_REDIS;
}

/* ---- Redis ---- */

static enum next call(struct app *app, const char *function, struct args *a, int64_t *first, int64_t *second,
                      struct reason *why) {
    redisReply *reply = NULL;
    enum next next = redis_fcall(app->redis, function, a, true, &reply, why);
    args_free(a);
    if (next == NEXT_DONE) {
        *first = reply->type == REDIS_REPLY_ARRAY ? reply_int_at(reply, 0) : reply_int(reply);
        *second = reply_int_at(reply, 1);
        freeReplyObject(reply);
    }
    return next;
}

/* For "try again in N s". */
static long long seconds(int64_t ms) {
    int64_t s = ms / 1000 + 1;
    return (long long)s;
}

static enum next take_lease(struct booking *b, struct reason *why) {
    struct args a = {0};
    int64_t ours = 0, token = 0;
    (void)snprintf(b->lease, sizeof b->lease, "goods:%lld", (long long)b->asked.order);
    args_add(&a, b->lease);
    args_add(&a, b->app->holder);
    args_add_int(&a, LEASE_MS);
    enum next next = call(b->app, "lease", &a, &ours, &token, why);
    if (next == NEXT_DONE && ours != 1) {
        return reason_set(why, NEXT_DEFER, "lease", "somebody else books goods of order %lld in: try again in %lld s",
                          (long long)b->asked.order, seconds(token));
    }
    (void)snprintf(b->token, sizeof b->token, "%lld", (long long)token);
    return next;
}

static void give_lease(struct booking *b) {
    struct args a = {0};
    struct reason ignored = {0};
    int64_t first = 0, second = 0;
    args_add(&a, b->lease);
    args_add(&a, b->token);
    (void)!call(b->app, "unlease", &a, &first, &second, &ignored); /* else it ends by itself */
}

static void take_intent(struct booking *b, const char *id, const char *text) {
    char error[80];
    int64_t order = 0;
    cJSON *json = json_read(text, strlen(text), error, sizeof error);
    const char *reference = json_str(json, "reference");
    if (json_int(json, "order", &order) && order == b->asked.order && reference != NULL &&
        json_int(json, "at_ms", &b->intent_ms) && str_copy(b->reference, sizeof b->reference, reference)) {
        (void)str_copy(b->intent, sizeof b->intent, id);
    }
    cJSON_Delete(json);
}

/* An earlier call for this order whose outcome is not known. */
static enum next find_intent(struct booking *b, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "HGETALL");
    args_add_key(&a, b->app->redis, KEY_INTENTS);
    enum next next = redis_command(b->app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    for (size_t i = 0; i + 1 < reply->elements; i += 2) {
        const char *id = reply_str_at(reply, i), *text = reply_str_at(reply, i + 1);
        if (id != NULL && text != NULL && strncmp(id, KIND ":", strlen(KIND) + 1) == 0) {
            take_intent(b, id, text);
        }
    }
    freeReplyObject(reply);
    return NEXT_DONE;
}

/* Records one transaction of Sitoo's and ends the intent ("" = none). */
static enum next book(struct booking *b, const struct goods_found *f, const char *intent, struct reason *why) {
    struct args a = {0};
    char quantity[QUANTITY_TEXT_SIZE];
    int64_t fresh = 0, nothing = 0;
    cJSON *json = json_new_object();
    quantity_format(f->thousandths, quantity);
    json_add_str(json, "type", "goods_booked_in");
    json_add_int(json, "order", b->asked.order);
    json_add_str(json, "reference", f->reference);
    json_add_int(json, "transaction", f->transaction);
    json_add_str(json, "sku", f->sku);
    json_add_str(json, "quantity", quantity);
    char *text = json_print(json);
    args_add_int(&a, b->asked.order);
    args_add_int(&a, f->transaction);
    args_addf(&a, "%lld %s", (long long)f->thousandths, f->sku);
    args_add(&a, intent);
    args_add(&a, text);
    enum next next = call(b->app, "goods_book", &a, &fresh, &nothing, why);
    free(text);
    cJSON_Delete(json);
    return next;
}

/* ---- facts ---- */

/* The question, with every refund of the order due, and when its first refund by hand was made. */
static struct goods_question question_of(const struct booking *b, int64_t *first_ms) {
    const struct goods_question q = {
        .order_id = b->asked.order, .since_ms = b->since_ms, .due_ms = INT64_MAX, .refunds = &b->refunds};
    *first_ms = INT64_MAX;
    for (size_t i = 0; i < b->refunds.n; i++) {
        const struct refund *r = &b->refunds.list[i];
        if (goods_wanted(&q, r) && r->created_ms < *first_ms) {
            *first_ms = r->created_ms;
        }
    }
    return q;
}

/* The ledger tells what was booked, whatever Redis remembers; then the goods are counted. */
static enum next gather(struct booking *b, struct reason *why) {
    int64_t first_ms = 0;
    enum next next = goods_since(b->app, &b->since_ms, why);
    next = next == NEXT_DONE ? refunds_read(b->app, b->asked.order, &b->refunds, NULL, why) : next;
    const struct goods_question q = question_of(b, &first_ms);
    if (next == NEXT_DONE && first_ms == INT64_MAX) {
        return reason_set(why, NEXT_PARK, "no_refund",
                          "order %lld has no refund that was made in BigCommerce and wants goods back",
                          (long long)b->asked.order);
    }
    next = next == NEXT_DONE ? find_intent(b, why) : next;
    if (next == NEXT_DONE) {
        next = goods_in_search(b->app, b->asked.order, first_ms - CLOCK_SLACK_MS, &b->founds, why);
    }
    for (size_t i = 0; next == NEXT_DONE && i < b->founds.n; i++) {
        bool open = b->intent[0] != '\0' && strcmp(b->founds.list[i].reference, b->reference) == 0;
        next = book(b, &b->founds.list[i], open ? b->intent : "", why);
        if (open) {
            b->transaction = b->founds.list[i].transaction;
            b->already = true;
        }
    }
    return next == NEXT_DONE ? goods_read(b->app, &q, &b->goods, why) : next;
}

static enum next check(const struct booking *b, struct reason *why) {
    const struct goods_row *row = goods_row(&b->goods, b->asked.sku);
    int64_t missing = row != NULL ? goods_missing(row, false) : 0;
    int64_t wait_ms = b->intent_ms + b->app->set->mapping->returns.repeat_after_s * 1000 - clock_wall_ms();
    char quantity[24];
    goods_quantity(missing, quantity);
    if (b->intent[0] != '\0' && wait_ms > 0) {
        return reason_set(
            why, NEXT_DEFER, "unknown_outcome",
            "an earlier call (%s) had no answer, and Sitoo's ledger does not show it yet: nothing was sent "
            "now; run this again in %lld s",
            b->reference, seconds(wait_ms));
    }
    if (b->goods.sitoo_order_id == 0) {
        return reason_set(why, NEXT_PARK, "not_in_sitoo",
                          "Sitoo has no order %s%lld: its stock was not lowered for it, so that booking in would count "
                          "the goods twice; nothing was sent",
                          b->app->set->mapping->sitoo_order_prefix, (long long)b->asked.order);
    }
    if (b->goods.never_left || b->asked.thousandths > missing) {
        return reason_set(why, NEXT_PARK, "too_many", "of %.255s only %s are refunded and not back: nothing was sent",
                          b->asked.sku, b->goods.never_left ? "0" : quantity);
    }
    return NEXT_DONE;
}

/* ---- sending ---- */

static char *body_of(const struct booking *b) {
    char quantity[QUANTITY_TEXT_SIZE], text[80];
    cJSON *list = cJSON_CreateArray(), *o = json_new_object();
    (void)snprintf(text, sizeof text, "Goods of web order %lld, refunded", (long long)b->asked.order);
    quantity_format(b->asked.thousandths, quantity);
    json_add_int(o, "warehouseid", b->asked.warehouse);
    json_add_int(o, "transactiontype", 10);
    json_add_str(o, "description", text);
    json_add_str(o, "externalid", b->reference);
    cJSON *item = json_new_object();
    json_add_str(item, "sku", b->asked.sku);
    json_add_str(item, "decimalquantity", quantity);
    (void)cJSON_AddItemToArray(json_add_array(o, "items"), item);
    (void)cJSON_AddItemToArray(list, o);
    char *body = json_print(list);
    cJSON_Delete(list);
    return body;
}

static char *intent_of(const struct booking *b) {
    cJSON *o = json_new_object();
    json_add_int(o, "order", b->asked.order);
    json_add_str(o, "reference", b->reference);
    json_add_str(o, "sku", b->asked.sku);
    json_add_int(o, "thousandths", b->asked.thousandths);
    json_add_int(o, "warehouse", b->asked.warehouse);
    json_add_int(o, "at_ms", clock_wall_ms());
    char *text = json_print(o);
    cJSON_Delete(o);
    return text;
}

/* After the call: what became of it, and is its intent over? */
static enum next judge(struct booking *b, enum next next, const struct gate_outcome *out, struct reason *why) {
    const char *text = NULL;
    if (next == NEXT_DONE && out->shadowed) {
        return NEXT_DONE;
    }
    int64_t id = next == NEXT_DONE ? goods_in_answer(out->answer.json, &text) : 0;
    if (next == NEXT_DONE && id > 0) {
        struct goods_found done = {.transaction = id, .thousandths = b->asked.thousandths};
        (void)str_copy(done.reference, sizeof done.reference, b->reference);
        done.sku = xstrdup(b->asked.sku);
        next = book(b, &done, out->intent_id, why);
        free(done.sku);
        b->transaction = id;
        return next;
    }
    if (next == NEXT_DONE && id == 0) {
        gate_close(b->app, out);
        return reason_set(why, NEXT_PARK, "refused", "Sitoo refused the booking: %.200s", text);
    }
    if (next == NEXT_DONE || why->ambiguous) {
        return reason_set(
            why, NEXT_DEFER, "unknown_outcome",
            "the call (%s) had no clear answer, so it may have been booked. Run the same command again in "
            "%lld s: it looks first, and never books twice",
            b->reference, (long long)b->app->set->mapping->returns.repeat_after_s);
    }
    gate_close(b->app, out); /* refused, or not sent at all */
    return next;
}

static enum next send(struct booking *b, struct reason *why) {
    char path[80];
    struct gate_outcome out;
    if (b->intent[0] != '\0') {
        struct gate_outcome old = {0};
        (void)str_copy(old.intent_id, sizeof old.intent_id, b->intent);
        gate_close(b->app, &old);
    }
    (void)snprintf(b->reference, sizeof b->reference, GOODS_IN_PREFIX "%lld-%zu", (long long)b->asked.order,
                   b->founds.n + 1);
    (void)snprintf(path, sizeof path, "/sites/%lld/warehousetransactions.json", (long long)b->app->set->sitoo_site_id);
    char *body = body_of(b), *intent = intent_of(b);
    const struct gate_write w = {.platform = GATE_SITOO,
                                 .kind = KIND,
                                 .method = "POST",
                                 .path = path,
                                 .body = body,
                                 .intent = intent,
                                 .lease = b->lease,
                                 .lease_token = b->token};
    enum next next = judge(b, gate_send(b->app, &w, &out, why), &out, why);
    answer_free(&out.answer);
    free(intent);
    free(body);
    return next;
}

static void print_result(const struct booking *b, const struct command_line *line) {
    char quantity[24];
    goods_quantity(b->asked.thousandths, quantity);
    if (line->json) {
        cJSON *o = json_new_object();
        json_add_int(o, "order", b->asked.order);
        json_add_str(o, "reference", b->reference);
        json_add_bool(o, "already", b->already);
        json_add_bool(o, "shadow", b->transaction == 0);
        if (b->transaction > 0) {
            json_add_int(o, "transaction", b->transaction);
        } else {
            json_add_str(o, "transaction", NULL);
        }
        command_print_json(o);
        cJSON_Delete(o);
    } else if (b->already) {
        (void)printf("The earlier call was booked: transaction %lld in Sitoo, %s. Nothing was sent now.\n",
                     (long long)b->transaction, b->reference);
    } else if (b->transaction > 0) {
        (void)printf("Booked in: %s of %s in warehouse %lld, transaction %lld in Sitoo, %s.\n", quantity, b->asked.sku,
                     (long long)b->asked.warehouse, (long long)b->transaction, b->reference);
    } else {
        (void)printf("Shadow mode: nothing was sent.\n");
    }
}

int command_returns(struct app *app, const struct command_line *line) {
    struct booking b = {.app = app, .asked = line->goods_in};
    struct reason why = {0};
    if (line->goods_in.order == 0) {
        return command_returned(app, line, line->returned);
    }
    app->budget = BUDGET_REFUNDS;
    enum next next = mode_refresh(app, &why);
    next = next == NEXT_DONE ? take_lease(&b, &why) : next;
    if (next != NEXT_DONE) {
        return command_failed(line, &why);
    }
    next = gather(&b, &why);
    if (next == NEXT_DONE && !b.already) {
        next = check(&b, &why);
        next = next == NEXT_DONE ? send(&b, &why) : next;
    }
    give_lease(&b);
    if (next == NEXT_DONE) {
        print_result(&b, line);
    }
    booking_free(&b);
    return next == NEXT_DONE ? 0 : command_failed(line, &why);
}
