/* SPDX-License-Identifier: Apache-2.0 */
#include "refund.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "candidates.h"
#include "cases.h"
#include "decide.h"
#include "faultpoint.h"
#include "json.h"
#include "keys.h"
#include "log.h"
#include "mode.h"
#include "money.h"
#include "platform.h"
#include "quantity.h"
#include "quarantine.h"
#include "queue.h"
#include "report.h"
#include "settle.h"
#include "withheld.h"
#include "worker.h"
#include "ban.h"

#define RETURNS_PER_ROUND 5
#define PARTS_MAX         50 /* web orders that one return can give back of */

/* One return in hand. */
struct job {
    struct credit credit;
    struct match *matches; /* of credit.rows */
    struct answer originals[2];
    const cJSON *purchases[2];
    size_t purchase_count;
    struct report report;
    struct args effects; /* applied when it is completed */
    int64_t tries;       /* claim.tries; 0 = it is not tried again by itself */
};

static void job_free(struct job *j) {
    credit_free(&j->credit);
    free(j->matches);
    answer_free(&j->originals[0]);
    answer_free(&j->originals[1]);
    cJSON_Delete(j->report.json);
    args_free(&j->effects);
}

/* ---- goods ---- */

void refund_plan_goods(const struct credit *c, const struct mapping *m, struct args *effects) {
    for (size_t i = 0; i < c->n; i++) {
        const struct order_row *row = c->rows[i].row;
        char op[64], hint[32];
        /* The same operation id as in sitoo-events: whoever comes first withholds, the other changes nothing. */
        (void)snprintf(op, sizeof op, "hold:r:%lld:%lld", (long long)c->order->id, (long long)row->item_id);
        effect_hold_return(effects, op, row->warehouse_id, row->sku, c->rows[i].thousandths, c->order->date_ms);
        const struct judged judged = {
            .return_id = c->order->id,
            .item_id = row->item_id,
            .warehouse_id = row->warehouse_id,
            .sku = row->sku,
            .thousandths = c->rows[i].thousandths,
            .verdict = mapping_verdict(&m->returns, row->reason, row->warehouse_id),
            .reason = row->reason,
            .at_ms = c->order->date_ms,
        };
        effect_verdict(effects, &judged);
        order_row_hint(row, ORDER_SOLD, hint);
        effect_mark(effects, QUEUE_SKU, row->sku, 0, hint, "");
    }
}

static enum next judge_goods(struct app *app, const struct job *j, struct reason *why) {
    struct args effects = {0};
    refund_plan_goods(&j->credit, app->set->mapping, &effects);
    enum next next = effects_apply(app->redis, &effects, why);
    args_free(&effects);
    return next;
}

/* ---- reading ---- */

static const cJSON *first_order(const struct answer *answer, int64_t id) {
    const cJSON *order = NULL;
    int64_t found = 0;
    cJSON_ArrayForEach(order, json_array(answer->json, "items")) {
        if (json_int(order, "orderid", &found) && found == id) {
            return order;
        }
    }
    return NULL;
}

static void order_path(const struct app *app, char *out, size_t size, int64_t id, const char *fields) {
    (void)snprintf(out, size, "/orders.json?eshopid=%lld&orderid=%lld&num=10&fields=%s",
                   (long long)app->set->sitoo_site_id, (long long)id, fields);
}

static enum next read_return(struct app *app, int64_t id, struct job *j, struct reason *why) {
    char path[400];
    const char *paths[] = {path};
    struct answer answer;
    order_path(app, path, sizeof path, id, CREDIT_FIELDS);
    enum next next = sitoo_get(app, paths, &answer, 1, why);
    if (next != NEXT_DONE) {
        return next;
    }
    const cJSON *order = first_order(&answer, id);
    next = order != NULL
               ? credit_read(order, app->set->mapping, &j->credit, why)
               : reason_set(why, NEXT_DEFER, "order_not_found", "Sitoo does not show order %lld", (long long)id);
    answer_free(&answer);
    return next;
}

/* An order that Sitoo does not have is an empty list; so is any answer to a filter that it ignores, so ids are
 * compared. */
static enum next read_purchases(struct app *app, struct job *j, struct reason *why) {
    char text[2][400];
    const char *paths[] = {text[0], text[1]};
    for (size_t i = 0; i < j->credit.original_count; i++) {
        order_path(app, text[i], sizeof text[i], j->credit.originals[i], ORIGINAL_FIELDS);
    }
    enum next next =
        j->credit.original_count > 0 ? sitoo_get(app, paths, j->originals, j->credit.original_count, why) : NEXT_DONE;
    for (size_t i = 0; next == NEXT_DONE && i < j->credit.original_count; i++) {
        const cJSON *order = first_order(&j->originals[i], j->credit.originals[i]);
        if (json_array(j->originals[i].json, "items") == NULL) {
            return reason_set(why, NEXT_DEFER, "bad_order", "Sitoo's list of orders is not a list (status %d)",
                              j->originals[i].status);
        }
        if (order != NULL) {
            j->purchases[j->purchase_count++] = order;
        }
    }
    return next;
}

static void match_rows(const struct app *app, struct job *j) {
    j->matches = xcalloc(j->credit.n + 1, sizeof *j->matches);
    for (size_t i = 0; i < j->credit.n; i++) {
        original_match(&j->credit, &j->credit.rows[i], j->purchases, j->purchase_count, app->set->mapping,
                       &j->matches[i]);
    }
}

/* ---- money ---- */

/* The next web order after `after` that rows belong to; 0 = no more. */
static int64_t next_web_order(const struct job *j, int64_t after) {
    int64_t found = 0;
    for (size_t i = 0; i < j->credit.n; i++) {
        int64_t id = j->matches[i].kind == MATCH_WEB ? j->matches[i].web_order : 0;
        found = id > after && (found == 0 || id < found) ? id : found;
    }
    return found;
}

static void take_part(const struct job *j, int64_t web_order, struct part *p) {
    memset(p, 0, sizeof *p);
    p->credit = &j->credit;
    p->web_order = web_order;
    p->tries = j->tries;
    p->rows = xcalloc(j->credit.n + 1, sizeof *p->rows);
    p->matches = xcalloc(j->credit.n + 1, sizeof *p->matches);
    for (size_t i = 0; i < j->credit.n; i++) {
        if (j->matches[i].kind == MATCH_WEB && j->matches[i].web_order == web_order) {
            p->rows[p->row_count] = &j->credit.rows[i];
            p->matches[p->row_count++] = &j->matches[i];
        }
    }
}

/* A refund whose payment BigCommerce makes may be declined later; it is looked at again (functions/order-updated). */
static void watch(const struct part *p, const struct settled *s, struct args *effects) {
    char order[24];
    (void)snprintf(order, sizeof order, "%lld", (long long)p->web_order);
    if (s->kind == SETTLED_REFUNDED && !s->offline) {
        effect_mark(effects, QUEUE_REFUND, order, 0, "", "");
    }
}

/* BigCommerce may move stock by itself when an order is refunded, or did when it was cancelled: its levels are read. */
static void look_at_levels(const struct part *p, struct args *effects) {
    for (size_t i = 0; i < p->row_count; i++) {
        effect_mark(effects, QUEUE_SKU, p->rows[i]->row->sku, 0, "b", "");
    }
}

static enum next settle_one(struct app *app, struct job *j, int64_t web_order, struct reason *why) {
    struct part p;
    struct settled s;
    char amount[MONEY_TEXT_SIZE];
    take_part(j, web_order, &p);
    enum next next = settle_part(app, &p, &s, why);
    if (next == NEXT_DONE) {
        if (s.kind == SETTLED_PARKED) {
            case_money(app, &p, &s.parked, &j->effects);
        }
        case_money_ends(&p, s.kind == SETTLED_PARKED ? s.parked.cause : NULL, &j->effects);
        report_money(&j->report, &p, &s);
        watch(&p, &s, &j->effects);
        look_at_levels(&p, &j->effects);
        money_format(s.amount, s.currency, amount);
        LOG(LOG_INFO, "return and web order",
            {"outcome", s.kind == SETTLED_PARKED   ? "parked"
                        : s.kind == SETTLED_SHADOW ? "shadow"
                        : s.now                    ? "refunded"
                                                   : "refunded_before"},
            {"return", log_int(j->credit.order->id)}, {"order", log_int(web_order)},
            {"cause", s.kind == SETTLED_PARKED ? s.parked.cause : NULL},
            {"amount", s.kind == SETTLED_PARKED ? NULL : amount});
    }
    part_free(&p);
    return next;
}

static enum next settle_money(struct app *app, struct job *j, struct reason *why) {
    enum next next = NEXT_DONE;
    int64_t web_order = 0;
    for (int i = 0; next == NEXT_DONE && i < PARTS_MAX; i++) {
        web_order = next_web_order(j, web_order);
        if (web_order == 0) {
            break;
        }
        next = settle_one(app, j, web_order, why);
    }
    return next;
}

/* Rows whose purchase nobody knows: parked, with the web orders that may be meant. */
static void park_rows(struct app *app, struct job *j) {
    const char **skus = xcalloc(j->credit.n + 1, sizeof *skus);
    char candidates[120] = "";
    size_t n = 0;
    for (size_t i = 0; i < j->credit.n; i++) {
        if (j->matches[i].kind != MATCH_WEB && j->matches[i].kind != MATCH_TILL) {
            skus[n++] = j->credit.rows[i].row->sku;
        }
    }
    if (n > 0) {
        candidates_find(app, skus, n, candidates, sizeof candidates);
    }
    for (int kind = MATCH_MANUAL; kind <= MATCH_SEVERAL; kind++) {
        case_purchase(app, &j->credit, j->matches, (enum match_kind)kind, candidates, &j->effects);
    }
    case_purchase_ends(&j->credit, j->matches, &j->effects);
    free(skus);
}

/* Money waits until it is known that Redis is whole; goods do not. */
static enum next money_may_move(struct app *app, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add_int(&a, app->set->mapping->returns.repeat_after_s * 1000);
    enum next next = redis_fcall(app->redis, "money_wait", &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    int64_t wait = reply_int(reply);
    freeReplyObject(reply);
    if (wait > 0 && app->mode == MODE_LIVE) {
        why->not_its_fault = true;
        why->wait_ms = wait;
        return reason_set(why, NEXT_DEFER, "redis_rebuilding",
                          "Redis lost something or nobody has looked yet: no money moves for another %lld ms",
                          (long long)wait);
    }
    return NEXT_DONE;
}

/* As with money: after a loss of Redis a move that was sent just then must have become visible. */
static enum next to_quarantine(struct app *app, struct job *j, struct reason *why) {
    if (app->mode != MODE_LIVE || !quarantine_wanted(&j->credit, app->set->mapping)) {
        return NEXT_DONE;
    }
    enum next next = money_may_move(app, why);
    return next == NEXT_DONE ? quarantine_move(app, &j->credit, &j->effects, why) : next;
}

/* ---- one return ---- */

/* j->credit has been read. */
static enum next work_on(struct app *app, struct job *j, struct reason *why) {
    enum next next = judge_goods(app, j, why);
    fault_point(app, "return.judged");
    if (next != NEXT_DONE) {
        return next;
    }
    /* The money does not wait for the goods: what could not be moved is told at the end. */
    struct reason unmoved = {0};
    enum next moved = to_quarantine(app, j, &unmoved);
    next = read_purchases(app, j, why);
    if (next != NEXT_DONE) {
        return next;
    }
    match_rows(app, j);
    if (next_web_order(j, 0) > 0) {
        next = money_may_move(app, why);
    }
    report_begin(&j->report, &j->credit, app->set->mapping, j->matches);
    next = next == NEXT_DONE ? settle_money(app, j, why) : next;
    if (next != NEXT_DONE) {
        return next;
    }
    park_rows(app, j);
    if (j->credit.paid_differs) {
        effect_count(&j->effects, "returns:payments_differ", 1);
        LOG(LOG_WARN, "payments and total of a return differ", {"return", log_int(j->credit.order->id)},
            {"receipt", j->credit.receipt});
    }
    report_end(&j->report, &j->credit, &j->effects);
    if (moved != NEXT_DONE) {
        *why = unmoved;
    }
    return moved;
}

static void settle(struct app *app, const struct claim *c) {
    struct job j = {.tries = c->tries};
    struct reason why = {0};
    size_t fenced = 0;
    int64_t id = 0;
    fault_point(app, "return.claimed");
    enum next next = int_parse(c->entity, 1, JSON_INT_MAX, &id)
                         ? read_return(app, id, &j, &why)
                         : reason_set(&why, NEXT_BUG, "bad_entity", "%s is no order of Sitoo", c->entity);
    next = next == NEXT_DONE ? work_on(app, &j, &why) : next;
    fault_point(app, "return.before_complete");
    if (next == NEXT_DONE) {
        next = queue_complete(app->redis, QUEUE_RETURN, c, 1, &j.effects, &fenced, &why);
    }
    fault_point(app, "return.completed");
    if (next != NEXT_DONE) {
        worker_unsettled(app, QUEUE_RETURN, c, 1, next, &why, app->set->mapping->owner_money);
    } else {
        LOG(LOG_INFO, "return worked on", {"outcome", fenced > 0 ? "fenced" : "settled"}, {"return", c->entity},
            {"rows", log_int((long long)j.credit.n)});
    }
    job_free(&j);
}

enum next refund_work(struct app *app, int64_t *wait_ms, struct reason *why) {
    struct claims claims = {0};
    enum next next = mode_refresh(app, why);
    next = next == NEXT_DONE ? queue_claim(app->redis, QUEUE_RETURN, RETURNS_PER_ROUND, app->holder,
                                           app->set->mapping->owner_money, &claims, why)
                             : next;
    if (next != NEXT_DONE || claims.n == 0) {
        *wait_ms = claims.wait_ms >= 0 ? claims.wait_ms : *wait_ms;
        claims_free(&claims);
        return next;
    }
    for (size_t i = 0; i < claims.n; i++) {
        const struct claims one = {.list = &claims.list[i], .n = 1};
        struct worker_hold hold;
        if (stop_requested()) {
            worker_unsettled(app, QUEUE_RETURN, &claims.list[i], 1, NEXT_DEFER,
                             &(struct reason){.cause = "stopping", .not_its_fault = true},
                             app->set->mapping->owner_money);
            continue;
        }
        /* Each has its own time; the others' leases end by themselves if this one takes long, and they come again. */
        worker_hold_begin(&hold, app, QUEUE_RETURN, &one);
        settle(app, &claims.list[i]);
        worker_hold_end(&hold);
    }
    claims_free(&claims);
    *wait_ms = 0;
    return NEXT_DONE;
}

/* ---- invoke ---- */

static enum next read_payload(const struct mapping *m, const char *payload, size_t len, struct job *j,
                              struct reason *why) {
    char error[120];
    cJSON *json = json_read(payload, len, error, sizeof error);
    if (json == NULL) {
        return reason_set(why, NEXT_PARK, "payload", "the payload is not JSON: %s", error);
    }
    enum next next = credit_read(json, m, &j->credit, why);
    cJSON_Delete(json);
    if (next == NEXT_DONE && (j->credit.n == 0 || order_kind(j->credit.order) != ORDER_SOLD)) {
        return reason_set(why, NEXT_PARK, "payload",
                          "the payload is no return: it is not a closed order of a till with returned rows");
    }
    return next;
}

/* What the tables say of goods and payer; the purchase is not looked up. */
static void print_plan(const struct app *app, const struct mapping *m, struct job *j) {
    j->matches = xcalloc(j->credit.n + 1, sizeof *j->matches);
    for (size_t i = 0; i < j->credit.n; i++) {
        original_match(&j->credit, &j->credit.rows[i], NULL, 0, m, &j->matches[i]);
    }
    report_begin(&j->report, &j->credit, m, j->matches);
    char *plan = json_print(j->report.json);
    app->trace("plan", plan);
    free(plan);
}

static enum next invoke(struct app *app, struct job *j, struct reason *why) {
    enum next next = mode_refresh(app, why);
    free(j->matches);
    j->matches = NULL;
    cJSON_Delete(j->report.json);
    memset(&j->report, 0, sizeof j->report);
    next = next == NEXT_DONE ? work_on(app, j, why) : next;
    next = next == NEXT_DONE ? effects_apply(app->redis, &j->effects, why) : next;
    app->trace("outcome", next == NEXT_DONE ? "{\"settled\":true}" : "{\"settled\":false}");
    return next;
}

int refund_invoke(struct app *app, const char *payload, size_t len, bool dry_run) {
    static const struct mapping unset = {.sitoo_order_prefix = "BC-"}; /* a dry run may come without settings */
    const struct mapping *m = app->set->mapping != NULL ? app->set->mapping : &unset;
    struct job j = {0};
    struct reason why = {0};
    enum next next = read_payload(m, payload, len, &j, &why);
    if (next == NEXT_DONE) {
        print_plan(app, m, &j);
        next = dry_run ? NEXT_DONE : invoke(app, &j, &why);
    }
    if (next != NEXT_DONE) {
        (void)fprintf(stderr, "%s\n", why.text);
    }
    job_free(&j);
    return next == NEXT_DONE ? 0 : 1;
}
