/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Web orders that changed, and refunds that were made, of which no webhook told. Both are listed by BigCommerce's own
 * dates, from some time before the last look on; what is younger than the grace time is left to the next look.
 *
 *   GET /v2/orders?min_date_modified=...&min_id=1&limit=250&sort=id:asc
 *   GET /v3/orders/payment_actions/refunds?created:min=...&page=1&limit=250
 *
 * Source: bigcommerce.md 9, 10.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "json.h"
#include "keys.h"
#include "log.h"
#include "platform.h"
#include "quantity.h"
#include "refunds.h"
#include "weborder.h"
#include "works.h"
#include "ban.h"

#define REFUNDS_PAGE   250
#define SMALLEST_PAGE  50 /* were the limit capped silently, a page might be this short */
#define PAGES_PER_TURN 10
#define DATE_SPARE_MS  INT64_C(2000) /* dates have whole seconds, and machines differ a little */
#define OVERLAP_MS     INT64_C(60000)
#define YOUNG_SPARE_MS INT64_C(1500)
#define TOLD_BY        "bigcommerce"

/* One list read from one date on. */
struct dated {
    struct turn *t;
    const char *cursor; /* field of the hash sweep: BigCommerce's time, from which the next look reads */
    /* Fields of it about a list that takes several turns: where it goes on, 0 = at its beginning; and BigCommerce's
     * time when it was begun. */
    const char *next, *begun;
    int64_t from_ms;  /* 0 = this is the first look */
    int64_t date_ms;  /* BigCommerce's time at the first answer, and */
    int64_t now_ms;   /* that of Redis then */
    int64_t begun_ms; /* 0 = in this turn */
    int64_t missed;
    bool young; /* something is left to the next look */
};

static int64_t grace_ms(const struct dated *d) {
    return d->t->app->set->mapping->sweep.grace_s * 1000;
}

/* *at: where the list goes on. */
static enum next dated_begin(struct dated *d, char date[CLOCK_TEXT_SIZE], int64_t *at, struct reason *why) {
    bool known = false;
    enum next next = sweep_get(d->t->app, d->cursor, &d->from_ms, &known, why);
    next = next == NEXT_DONE ? sweep_get(d->t->app, d->next, at, NULL, why) : next;
    next = next == NEXT_DONE && *at > 0 ? sweep_get(d->t->app, d->begun, &d->begun_ms, NULL, why) : next;
    clock_format_iso_s(known ? d->from_ms : clock_wall_ms(), date);
    d->from_ms = known ? d->from_ms : 0;
    return next;
}

/* The first answer, and what time it was in Redis then. */
static enum next dated_answer(struct dated *d, const struct answer *answer, struct reason *why) {
    if (d->date_ms > 0 || answer->date_ms == HTTP_ABSENT) {
        return NEXT_DONE;
    }
    d->date_ms = answer->date_ms;
    return redis_time(d->t->app->redis, &d->now_ms, why);
}

/* The next turn goes on at `at`. Until the list ends the cursor stays where it is. */
static enum next dated_pause(struct dated *d, int64_t at, struct reason *why) {
    d->t->delay_ms = 0;
    d->t->ended = false;
    enum next next = sweep_put(d->t->app, d->begun, d->begun_ms > 0 ? d->begun_ms : d->date_ms, why);
    return next == NEXT_DONE ? sweep_put(d->t->app, d->next, at, why) : next;
}

static enum next dated_end(struct dated *d, struct reason *why) {
    int64_t now = d->begun_ms > 0 ? d->begun_ms : d->date_ms > 0 ? d->date_ms : clock_wall_ms();
    if (d->young && d->t->delay_ms > grace_ms(d) + YOUNG_SPARE_MS) {
        d->t->delay_ms = grace_ms(d) + YOUNG_SPARE_MS;
    }
    /* Killed between the two, the whole list is read again. */
    enum next next = sweep_put(d->t->app, d->next, 0, why);
    return next == NEXT_DONE ? sweep_put(d->t->app, d->cursor, now - grace_ms(d) - OVERLAP_MS, why) : next;
}

static bool stop(struct dated *d, struct reason *why) {
    if (app_keep(d->t->app)) {
        return false;
    }
    why->not_its_fault = true;
    (void)reason_set(why, NEXT_DEFER, "stopping", "the process was told to stop");
    return true;
}

/* ---- orders ---- */

struct changed {
    int64_t id, modified_ms, told_ms;
};

/* When a webhook last named each. */
static enum next told(struct app *app, struct changed *list, size_t n, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    char key[40];
    (void)snprintf(key, sizeof key, KEY_TOLD, TOLD_BY);
    args_add(&a, "ZMSCORE");
    args_add_key(&a, app->redis, key);
    for (size_t i = 0; i < n; i++) {
        args_add_int(&a, list[i].id);
    }
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    for (size_t i = 0; next == NEXT_DONE && i < n; i++) {
        const char *score = reply_str_at(reply, i);
        list[i].told_ms = score != NULL && int_parse(score, 0, INT64_MAX, &list[i].told_ms) ? list[i].told_ms : 0;
    }
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}

static void plan_order(const struct changed *o, struct args *effects) {
    char id[24], op[80];
    cJSON *json = json_new_object();
    (void)snprintf(id, sizeof id, "%lld", (long long)o->id);
    (void)snprintf(op, sizeof op, "missed:bigcommerce:%s:%lld", id, (long long)o->modified_ms);
    json_add_str(json, "type", "missed");
    json_add_str(json, "what", "bigcommerce_order");
    json_add_int(json, "order", o->id);
    json_add_int(json, "modified_ms", o->modified_ms);
    char *text = json_print(json);
    effect_found(effects, op, "missed:bigcommerce_order", text);
    effect_mark(effects, QUEUE_WEBORDER, id, 0, "", "");
    effect_told(effects, TOLD_BY, id); /* one look is enough */
    free(text);
    cJSON_Delete(json);
}

static enum next judge_orders(struct dated *d, struct changed *list, size_t n, struct reason *why) {
    struct args effects = {0};
    enum next next = n > 0 ? told(d->t->app, list, n, why) : NEXT_DONE;
    for (size_t i = 0; next == NEXT_DONE && i < n; i++) {
        int64_t age = d->date_ms - list[i].modified_ms;
        if (age < grace_ms(d)) {
            d->young = true;
        } else if (list[i].told_ms < d->now_ms - age - DATE_SPARE_MS) {
            plan_order(&list[i], &effects);
            d->missed++;
        }
    }
    next = next == NEXT_DONE && effects.n > 0 ? effects_apply(d->t->app->redis, &effects, why) : next;
    args_free(&effects);
    return next;
}

static enum next orders_page(struct dated *d, const char *date, int64_t *last_id, int *count, struct reason *why) {
    struct answer answer;
    struct buf path;
    const cJSON *order = NULL;
    size_t n = 0;
    int64_t before = *last_id;
    buf_init(&path, 300);
    buf_add_str(&path, "/v2/orders?min_date_modified=");
    buf_add_url(&path, date);
    buf_addf(&path, "&min_id=%lld&limit=%d&sort=id:asc", (long long)*last_id + 1, WEBORDER_PAGE);
    enum next next = bigcommerce_get(d->t->app, buf_str(&path), &answer, why);
    buf_free(&path);
    if (next != NEXT_DONE) {
        return next;
    }
    *count = cJSON_GetArraySize(answer.json); /* 204, an empty list, has no JSON */
    next = dated_answer(d, &answer, why);
    struct changed *list = xcalloc((size_t)*count + 1, sizeof *list);
    if (next == NEXT_DONE &&
        (answer.status == 404 || (answer.json != NULL && !cJSON_IsArray(answer.json)) || d->date_ms == 0)) {
        next = reason_set(why, NEXT_DEFER, "bad_web_order",
                          "BigCommerce's order list is not a list, or has no Date header (status %d)", answer.status);
    }
    cJSON_ArrayForEach(order, answer.json) {
        struct changed *o = &list[n];
        int64_t status = 0;
        const char *modified = json_str(order, "date_modified");
        if (next != NEXT_DONE || !json_id(order, "id", &o->id)) {
            continue;
        }
        *last_id = o->id > *last_id ? o->id : *last_id;
        /* One that is not placed yet concerns nobody. One without a readable date counts as changed just now. */
        if (json_int(order, "status_id", &status) && status != 0) {
            n += modified != NULL && clock_parse_rfc2822(modified, &o->modified_ms) ? 1 : 0;
        }
    }
    answer_free(&answer);
    if (next == NEXT_DONE && *count >= WEBORDER_PAGE_SMALLEST && *last_id == before) {
        next = reason_set(why, NEXT_DEFER, "bad_web_order", "BigCommerce's order list has no ids that rise");
    }
    next = next == NEXT_DONE && d->from_ms > 0 ? judge_orders(d, list, n, why) : next;
    free(list);
    return next;
}

enum next bigcommerce_turn(struct turn *t, struct reason *why) {
    struct dated d = {.t = t, .cursor = "bigcommerce_ms", .next = "bigcommerce_next", .begun = "bigcommerce_begun"};
    char date[CLOCK_TEXT_SIZE];
    int64_t last_id = 0;
    int count = WEBORDER_PAGE;
    enum next next = dated_begin(&d, date, &last_id, why);
    for (int i = 0; next == NEXT_DONE && count >= WEBORDER_PAGE_SMALLEST && i < PAGES_PER_TURN; i++) {
        next = stop(&d, why) ? NEXT_DEFER : orders_page(&d, date, &last_id, &count, why);
    }
    if (d.missed > 0) {
        LOG(LOG_WARN, "web orders changed and no webhook told of it", {"outcome", "due"},
            {"orders", log_int(d.missed)});
    }
    if (next == NEXT_DONE && count >= WEBORDER_PAGE_SMALLEST) {
        return dated_pause(&d, last_id, why);
    }
    return next == NEXT_DONE ? dated_end(&d, why) : next;
}

/* ---- refunds ---- */

/* Known are those that order-updated recorded (its operation), has in work, or was told of by us before. */
static enum next refund_known(struct app *app, const struct refund *r, bool *known, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    char name[80];
    args_add(&a, "EXISTS");
    /* As functions/order-updated/plan.c names it. */
    (void)snprintf(name, sizeof name, "op:%s:%lld", r->reference[0] != '\0' ? "refund_declined" : "refund_bc",
                   (long long)r->id);
    args_add_key(&a, app->redis, name);
    (void)snprintf(name, sizeof name, "op:missed:refund:%lld", (long long)r->id);
    args_add_key(&a, app->redis, name);
    (void)snprintf(name, sizeof name, "job:" QUEUE_REFUND ":%lld", (long long)r->order_id);
    args_add_key(&a, app->redis, name);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        *known = reply_int(reply) > 0;
        freeReplyObject(reply);
    }
    return next;
}

static void plan_refund(const struct refund *r, struct args *effects) {
    char order[24], op[64];
    cJSON *json = json_new_object();
    (void)snprintf(order, sizeof order, "%lld", (long long)r->order_id);
    (void)snprintf(op, sizeof op, "missed:refund:%lld", (long long)r->id);
    json_add_str(json, "type", "missed");
    json_add_str(json, "what", "refund");
    json_add_int(json, "order", r->order_id);
    json_add_int(json, "refund", r->id);
    char *text = json_print(json);
    effect_found(effects, op, "missed:refund", text);
    effect_mark(effects, QUEUE_REFUND, order, 0, "", "");
    effect_mark(effects, QUEUE_WEBORDER, order, 0, "", "");
    free(text);
    cJSON_Delete(json);
}

static enum next judge_refund(struct dated *d, const cJSON *json, struct args *effects, struct reason *why) {
    struct refund r;
    bool known = true;
    enum next next = NEXT_DONE;
    if (!refund_parse(json, &r)) {
        return NEXT_DONE; /* the daily list of order-updated makes its order due, and that look says what is wrong */
    }
    /* Ours are known to whoever made them, unless the payment provider declined. */
    if (r.reference[0] == '\0' || r.declined) {
        if (d->date_ms - r.created_ms < grace_ms(d)) {
            d->young = true;
        } else {
            next = refund_known(d->t->app, &r, &known, why);
        }
    }
    if (next == NEXT_DONE && !known) {
        plan_refund(&r, effects);
        d->missed++;
    }
    free(r.items);
    return next;
}

static enum next refunds_page(struct dated *d, const char *date, int64_t page, int *count, struct reason *why) {
    struct answer answer;
    struct args effects = {0};
    struct buf path;
    const cJSON *json = NULL;
    buf_init(&path, 300);
    buf_add_str(&path, "/v3/orders/payment_actions/refunds?created:min=");
    buf_add_url(&path, date);
    buf_addf(&path, "&page=%lld&limit=%d", (long long)page, REFUNDS_PAGE);
    enum next next = bigcommerce_get(d->t->app, buf_str(&path), &answer, why);
    buf_free(&path);
    if (next != NEXT_DONE) {
        return next;
    }
    const cJSON *data = json_array(answer.json, "data");
    *count = cJSON_GetArraySize(data);
    next = dated_answer(d, &answer, why);
    if (next == NEXT_DONE && ((data == NULL && answer.status != 204) || d->date_ms == 0)) {
        next =
            reason_set(why, NEXT_DEFER, "bad_refunds",
                       "BigCommerce's list of refunds is not a list, or has no Date header (status %d)", answer.status);
    }
    cJSON_ArrayForEach(json, data) {
        next = next == NEXT_DONE && d->from_ms > 0 ? judge_refund(d, json, &effects, why) : next;
    }
    next = next == NEXT_DONE && effects.n > 0 ? effects_apply(d->t->app->redis, &effects, why) : next;
    args_free(&effects);
    answer_free(&answer);
    return next;
}

enum next refunds_turn(struct turn *t, struct reason *why) {
    struct dated d = {.t = t, .cursor = "refunds_ms", .next = "refunds_next", .begun = "refunds_begun"};
    char date[CLOCK_TEXT_SIZE];
    int count = REFUNDS_PAGE;
    int64_t page = 0;
    enum next next = dated_begin(&d, date, &page, why);
    for (int i = 0; next == NEXT_DONE && count >= SMALLEST_PAGE && i < PAGES_PER_TURN; i++) {
        next = stop(&d, why) ? NEXT_DEFER : refunds_page(&d, date, ++page, &count, why);
    }
    if (d.missed > 0) {
        LOG(LOG_WARN, "refunds were made and no webhook told of them", {"outcome", "due"},
            {"refunds", log_int(d.missed)});
    }
    if (next == NEXT_DONE && count >= SMALLEST_PAGE) {
        return dated_pause(&d, page, why);
    }
    return next == NEXT_DONE ? dated_end(&d, why) : next;
}
