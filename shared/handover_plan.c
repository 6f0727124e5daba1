/* SPDX-License-Identifier: Apache-2.0 */
#include "handover_plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "order.h"
#include "webaddress.h"
#include "weborder.h"
#include "ban.h"

#define DAY_MS                      (INT64_C(86400) * 1000)
#define PAYMENT_DONE                20
#define STATUS_SHIPPED              2
#define STATUS_PARTLY               3
#define STATUS_REFUNDED             4
#define STATUS_CANCELLED            5
#define STATUS_DECLINED             6
#define STATUS_AWAITING_PICKUP      8
#define STATUS_AWAITING_SHIPMENT    9
#define STATUS_COMPLETED            10
#define STATUS_AWAITING_FULFILLMENT 11
#define STATUS_PARTLY_REFUNDED      14

const char *const hand_causes[] = {"pickup_location_unknown",  "needs_allocation",
                                   "pickup_rejected",          "cancelled_in_till",
                                   "cancelled_after_handover", "edited_after_handover",
                                   "too_many_edits",           "uncollected",
                                   "collected_but_status",     "handover_refused",
                                   "reservation_missing",      "reservation_short",
                                   "web_order_gone",           NULL};

const char *hand_step_name(enum hand_step s) {
    static const char *const names[] = {
        [HAND_NONE] = "nothing",        [HAND_CREATE] = "create",     [HAND_CANCEL] = "cancel",
        [HAND_DELIVER] = "deliver",     [HAND_CLOSE] = "close",       [HAND_PAY] = "pay",
        [HAND_ADDRESS] = "address",     [HAND_SHIPMENT] = "shipment", [HAND_READY] = "ready",
        [HAND_COLLECTED] = "collected", [HAND_STATUS] = "status"};
    return names[s];
}

bool hand_paid(int64_t status_id) {
    static const int64_t paid[] = {2, 3, 8, 9, 10, 11, 13, 14};
    for (size_t i = 0; i < sizeof paid / sizeof paid[0]; i++) {
        if (paid[i] == status_id) {
            return true;
        }
    }
    return false;
}

void hand_plan_free(struct hand_plan *p) {
    free(p->moves);
    memset(p, 0, sizeof *p);
}

void hand_plan_case(struct hand_plan *p, const char *cause, bool urgent, const char *effect, const char *step,
                    const char *fmt, ...) {
    va_list args;
    if (p->case_count == HAND_CASES_MAX) {
        return;
    }
    struct hand_case *c = &p->cases[p->case_count++];
    *c = (struct hand_case){.cause = cause, .urgent = urgent, .effect = effect, .step = step};
    va_start(args, fmt);
    (void)vsnprintf(c->text, sizeof c->text, fmt, args);
    va_end(args);
}

/* What the questions below are asked of. */
struct view {
    const struct web_order *web;
    const struct handed *h;
    const struct hand_known *k;
    struct hand_plan *p;
    bool holds;
    size_t open, closed, cancelled; /* parts of the latest revision */
    size_t found, parts;            /* of the latest revision: there, and meant */
    int64_t delivered;              /* units, of all */
    int64_t ready_ms, rejected_ms;
    bool bopis, ignores; /* the latest revision is for collection; moves no stock */
};

static void look(struct view *v) {
    for (size_t i = 0; i < v->h->n; i++) {
        const struct handed_order *o = &v->h->list[i];
        for (size_t r = 0; r < o->n; r++) {
            v->delivered += o->ignores_stock ? 0 : o->rows[r].delivered;
        }
        v->p->open = v->p->open || handed_open(o);
        if (o->rev != v->h->rev) {
            continue;
        }
        v->found++;
        v->parts = (size_t)o->parts > v->parts ? (size_t)o->parts : v->parts;
        v->open += handed_open(o);
        v->closed += o->state == ORDER_STATE_CLOSED;
        v->cancelled += !handed_open(o) && o->state != ORDER_STATE_CLOSED;
        v->ready_ms = o->ready_ms > v->ready_ms ? o->ready_ms : v->ready_ms;
        v->rejected_ms = o->rejected_ms > v->rejected_ms ? o->rejected_ms : v->rejected_ms;
        v->bopis = v->bopis || o->bopis;
        v->ignores = v->ignores || o->ignores_stock;
    }
}

static bool take(struct view *v, enum hand_step step, const struct handed_order *o) {
    v->p->step = step;
    v->p->order = o;
    return true;
}

static bool create(struct view *v, int64_t rev, int64_t part) {
    v->p->rev = rev;
    v->p->part = part;
    return take(v, HAND_CREATE, NULL);
}

static bool create_anew(struct view *v) {
    if (v->h->rev < HANDED_REVS_MAX) {
        return create(v, v->h->rev + 1, 1);
    }
    hand_plan_case(v->p, "too_many_edits", false, "The shop still has the order as it was",
                   "Change the order in Sitoo by hand, then: onepool parked --close with the case's id",
                   "Web order %lld was changed %d times; Sitoo's order %s is not changed again", (long long)v->web->id,
                   HANDED_REVS_MAX, v->h->list[v->h->n - 1].name);
    return true;
}

static bool wants_goods(const struct web_order *web) {
    for (size_t i = 0; i < web->n; i++) {
        if (web_row_wanted(&web->rows[i]) > 0) {
            return true;
        }
    }
    return false;
}

/* ---- nothing there yet ---- */

static bool place_unknown(struct view *v, const char *effect) {
    hand_plan_case(v->p, "pickup_location_unknown", true, effect,
                   "Name the location in the mapping file under pickup and restart, then: onepool parked --retry with "
                   "the case's id",
                   "Web order %lld cannot be handed to a shop: %s", (long long)v->web->id, v->web->problem);
    v->p->open = true;
    return true;
}

static bool first_time(struct view *v) {
    const struct web_order *web = v->web;
    if (!v->holds || !v->k->mine || web->kind == WEB_NO_GOODS || !wants_goods(web)) {
        return true;
    }
    if (web->kind == WEB_UNCLEAR) {
        return place_unknown(
            v, "No shop knows of the order; its units are kept back in every location that could serve it");
    }
    if (web->kind == WEB_RETURN_ONLY && !hand_paid(web->status_id)) {
        return true;
    }
    return create(v, 0, 1);
}

/* ---- the web order ended ---- */

static bool handed_over_case(struct view *v) {
    hand_plan_case(v->p, "cancelled_after_handover", true,
                   "The customer has the goods, and the web order says otherwise",
                   "Ask the shop and the customer; take a return, or set the web order's status right; then: onepool "
                   "parked --close with the case's id",
                   "Web order %lld has status %lld (cancelled, declined or not paid), but the shop has handed over "
                   "%lld of its units",
                   (long long)v->web->id, (long long)v->web->status_id, (long long)v->delivered);
    return true;
}

static bool ended(struct view *v) {
    for (size_t i = 0; i < v->h->n && v->delivered == 0; i++) {
        if (handed_open(&v->h->list[i]) && !v->h->list[i].ignores_stock) {
            return take(v, HAND_CANCEL, &v->h->list[i]);
        }
    }
    if (v->delivered > 0 && (v->web->status_id != STATUS_REFUNDED || v->open > 0)) {
        return handed_over_case(v);
    }
    return true;
}

/* ---- rows and shop ---- */

/* What the latest revision stands for, and what others delivered. */
static int64_t row_units(const struct view *v, const struct web_row *r) {
    return handed_units(v->h, v->h->rev, r->id) + handed_delivered_else(v->h, v->h->rev, r->id);
}

/* Rows of Sitoo's order whose web order row is gone. */
static bool has_strangers(const struct view *v) {
    for (size_t i = 0; i < v->h->n; i++) {
        const struct handed_order *o = &v->h->list[i];
        for (size_t k = 0; o->rev == v->h->rev && k < o->n; k++) {
            bool known = o->rows[k].web_item == 0;
            for (size_t r = 0; r < v->web->n; r++) {
                known = known || v->web->rows[r].id == o->rows[k].web_item;
            }
            if (!known) {
                return true;
            }
        }
    }
    return false;
}

/* Whether rows differ. undelivered: of what is not handed over yet only, since what was may be refunded later; a row
 * that was bought in fewer pieces than were handed over differs all the same. */
static bool rows_differ(const struct view *v, bool undelivered) {
    for (size_t i = 0; i < v->web->n; i++) {
        const struct web_row *r = &v->web->rows[i];
        int64_t units = row_units(v, r), wanted = web_row_wanted(r), gone = handed_delivered(v->h, r->id);
        bool too_many = gone > r->quantity || (units > gone && wanted < units);
        if (undelivered ? wanted > units || too_many : wanted != units) {
            return true;
        }
    }
    return has_strangers(v);
}

static bool place_differs(const struct view *v) {
    if (v->web->kind != WEB_PICKUP) {
        return v->bopis && v->web->kind == WEB_SHIP;
    }
    if (!v->bopis) {
        return true;
    }
    for (size_t i = 0; i < v->h->n; i++) {
        const struct handed_order *o = &v->h->list[i];
        if (o->rev == v->h->rev && o->warehouse_id != v->web->warehouse_id) {
            return true;
        }
    }
    return false;
}

static void edited_too_late(struct view *v) {
    hand_plan_case(v->p, "edited_after_handover", false, "The shop has the order as it was before the change",
                   "Agree with the shop what the customer gets; change Sitoo's order by hand; then: onepool parked "
                   "--close with the case's id",
                   "Web order %lld was changed after the shop had handed over %lld of its units", (long long)v->web->id,
                   (long long)v->delivered);
}

static bool edited(struct view *v) {
    if (v->delivered == 0 && v->web->kind == WEB_UNCLEAR && v->open > 0) {
        return place_unknown(v, "The shop that has the order may no longer be the one that the customer comes to");
    }
    if (v->delivered == 0) {
        return (rows_differ(v, false) || place_differs(v)) && v->web->kind != WEB_UNCLEAR && create_anew(v);
    }
    if (rows_differ(v, true)) {
        edited_too_late(v);
    }
    return false;
}

static bool all_handed_over(const struct handed_order *o) {
    for (size_t k = 0; k < o->n; k++) {
        if (o->rows[k].delivered < o->rows[k].quantity) {
            return false;
        }
    }
    return o->n > 0;
}

/* Older revisions, once the latest is whole. One that the shop has begun to hand over is not cancelled any more. */
static bool outdated(struct view *v) {
    for (size_t i = 0; i < v->h->n; i++) {
        const struct handed_order *o = &v->h->list[i];
        bool touched = false;
        for (size_t k = 0; k < o->n; k++) {
            touched = touched || o->rows[k].delivered > 0;
        }
        if (o->rev == v->h->rev || !handed_open(o)) {
            continue;
        }
        if (!touched) {
            return take(v, HAND_CANCEL, o);
        }
        if (!all_handed_over(o) && v->p->case_count == 0) {
            edited_too_late(v);
        }
    }
    return false;
}

/* ---- the shop said no ---- */

static bool movable(int64_t status_id) {
    return status_id == STATUS_AWAITING_FULFILLMENT || status_id == STATUS_AWAITING_PICKUP ||
           status_id == STATUS_AWAITING_SHIPMENT;
}

static bool rejected(struct view *v) {
    const struct mapping_web *w = &v->k->mapping->web;
    hand_plan_case(
        v->p, "pickup_rejected", true, "The customer waits for goods that the shop does not have ready",
        "Call the customer: another shop, another item, or the money back. To ask the shop again: onepool parked "
        "--retry with the case's id",
        "The shop refused web order %lld (warehouse %lld)", (long long)v->web->id, (long long)v->web->warehouse_id);
    v->p->open = true;
    for (size_t i = 0; i < v->h->n && w->cancel_on_reject && v->delivered == 0; i++) {
        if (handed_open(&v->h->list[i])) {
            return take(v, HAND_CANCEL, &v->h->list[i]);
        }
    }
    if (w->rejected_status != 0 && w->rejected_status != v->web->status_id && movable(v->web->status_id)) {
        v->p->status = w->rejected_status;
        return take(v, HAND_STATUS, NULL);
    }
    return true;
}

/* Cancelled in Sitoo, all of it or some parts. */
static bool called_off(struct view *v) {
    if (v->k->asked) {
        return create_anew(v);
    }
    if (v->rejected_ms > v->ready_ms) {
        return rejected(v);
    }
    hand_plan_case(
        v->p, "cancelled_in_till", true, "The web order still stands, and no shop has it",
        "Ask the shop why; then cancel the web order, or hand it over again: onepool parked --retry with the "
        "case's id",
        "Web order %lld was cancelled in Sitoo (%s), not in BigCommerce", (long long)v->web->id,
        v->h->list[v->h->n - 1].name);
    v->p->open = true;
    return true;
}

/* ---- money and address ---- */

static bool details(struct view *v) {
    char address[WEB_ADDRESS_SIZE];
    web_address_digest(v->web, address);
    for (size_t i = 0; i < v->h->n; i++) {
        const struct handed_order *o = &v->h->list[i];
        if (o->rev != v->h->rev || !handed_open(o)) {
            continue;
        }
        if (hand_paid(v->web->status_id) && o->payment_state != PAYMENT_DONE) {
            return take(v, HAND_PAY, o);
        }
        if (v->web->kind == WEB_SHIP && v->k->mapping->web.address && strcmp(address, o->address) != 0) {
            return take(v, HAND_ADDRESS, o);
        }
    }
    return false;
}

/* ---- what was handed over ---- */

static int64_t gone_in_bigcommerce(const struct view *v, const struct web_row *r) {
    bool all = v->web->status_id == STATUS_SHIPPED || v->web->status_id == STATUS_COMPLETED;
    int64_t units = row_units(v, r), n = all ? r->quantity : v->web->kind == WEB_SHIP ? r->shipped : 0;
    return n < units ? n : units;
}

static void add_move(struct hand_plan *p, const struct hand_move *m) {
    p->moves = xrealloc(p->moves, p->n + 1, sizeof *p->moves);
    p->moves[p->n++] = *m;
}

/* What left according to BigCommerce and is still reserved in Sitoo, of one part. */
static bool deliver(struct view *v) {
    for (size_t i = 0; i < v->h->n; i++) {
        const struct handed_order *o = &v->h->list[i];
        if (o->rev != v->h->rev || !handed_open(o)) {
            continue;
        }
        for (size_t k = 0; k < o->n; k++) {
            for (size_t r = 0; r < v->web->n; r++) {
                const struct web_row *row = &v->web->rows[r];
                int64_t due = gone_in_bigcommerce(v, row) - handed_delivered(v->h, row->id);
                int64_t left = o->rows[k].quantity - o->rows[k].delivered;
                if (row->id == o->rows[k].web_item && due > 0 && left > 0) {
                    add_move(v->p, &(struct hand_move){.web_item = row->id,
                                                       .item_id = o->rows[k].item_id,
                                                       .quantity = due < left ? due : left});
                }
            }
        }
        if (v->p->n > 0) {
            return take(v, HAND_DELIVER, o);
        }
    }
    return false;
}

/* What the shop sent and BigCommerce does not know of; one address at a time. */
static bool shipment(struct view *v) {
    if (v->web->kind != WEB_SHIP || v->web->status_id == STATUS_SHIPPED || v->web->status_id == STATUS_COMPLETED) {
        return false;
    }
    for (size_t r = 0; r < v->web->n; r++) {
        const struct web_row *row = &v->web->rows[r];
        int64_t sent = handed_delivered(v->h, row->id), n = sent - row->shipped;
        n = n < row->quantity - row->shipped ? n : row->quantity - row->shipped;
        if (n > 0 && (v->p->n == 0 || v->p->moves[0].address_id == row->address_id)) {
            add_move(v->p, &(struct hand_move){.web_item = row->id, .quantity = n, .address_id = row->address_id});
        }
    }
    return v->p->n > 0 && take(v, HAND_SHIPMENT, NULL);
}

static bool close_delivered(struct view *v) {
    for (size_t i = 0; i < v->h->n; i++) {
        const struct handed_order *o = &v->h->list[i];
        if (handed_open(o) && !o->ignores_stock && all_handed_over(o)) {
            return take(v, HAND_CLOSE, o);
        }
    }
    return false;
}

/* ---- collection ---- */

static bool ready(struct view *v) {
    if (v->ready_ms == 0) {
        return false;
    }
    if (!v->k->recorded && wants_goods(v->web) && movable(v->web->status_id)) {
        return take(v, HAND_READY, NULL);
    }
    if (v->web->status_id == STATUS_AWAITING_FULFILLMENT || v->web->status_id == STATUS_AWAITING_SHIPMENT) {
        v->p->status = STATUS_AWAITING_PICKUP;
        return take(v, HAND_STATUS, NULL);
    }
    if (v->k->now_ms - v->ready_ms > v->k->mapping->web.uncollected_days * DAY_MS && v->ready_ms > 1) {
        hand_plan_case(
            v->p, "uncollected", false, "The units are reserved in the shop and sold to nobody else",
            "Call the customer; then collect, or cancel the web order",
            "Web order %lld is ready in the shop (warehouse %lld) for more than %lld days and was not collected",
            (long long)v->web->id, (long long)v->web->warehouse_id, (long long)v->k->mapping->web.uncollected_days);
    }
    return false;
}

static bool collected(struct view *v) {
    int64_t status = v->web->status_id;
    bool record = v->k->recorded || wants_goods(v->web); /* one without rows is refused */
    if (!v->k->collected && record && (movable(status) || status == STATUS_COMPLETED || status == STATUS_PARTLY)) {
        return take(v, HAND_COLLECTED, NULL);
    }
    if (movable(status) || status == STATUS_PARTLY) {
        v->p->status = STATUS_COMPLETED;
        return take(v, HAND_STATUS, NULL);
    }
    if (status != STATUS_COMPLETED && status != STATUS_SHIPPED && status != STATUS_PARTLY_REFUNDED) {
        hand_plan_case(
            v->p, "collected_but_status", false, "The customer has the goods; the web order waits for a person",
            "Look whether it was paid, then set the web order to Completed",
            "Web order %lld was collected in the shop, but has status %lld", (long long)v->web->id, (long long)status);
    }
    return true;
}

static bool pickup(struct view *v) {
    if (v->web->kind != WEB_PICKUP || v->ignores) {
        return false;
    }
    if (v->open == 0 && v->closed > 0) {
        return collected(v);
    }
    if (v->rejected_ms > v->ready_ms && v->open > 0) {
        return rejected(v);
    }
    return v->open > 0 && ready(v);
}

/* Takes of orders that a shop only takes back: a delivery that moves no stock, if Sitoo needs one to offer the rows. */
static bool returns_only(struct view *v) {
    const struct handed_order *o = &v->h->list[v->h->n - 1];
    if (!v->k->mapping->web.return_add_delivery) {
        return true;
    }
    for (size_t k = 0; k < o->n; k++) {
        if (o->rows[k].delivered < o->rows[k].quantity) {
            add_move(v->p, &(struct hand_move){.web_item = o->rows[k].web_item,
                                               .item_id = o->rows[k].item_id,
                                               .quantity = o->rows[k].quantity - o->rows[k].delivered});
        }
    }
    return v->p->n == 0 || take(v, HAND_DELIVER, o);
}

/* Each question that is answered with true ends the look. */
static bool decide(struct view *v) {
    if (v->h->n == 0) {
        return first_time(v);
    }
    if (v->ignores) {
        return returns_only(v);
    }
    if (!v->holds || (v->delivered == 0 && !wants_goods(v->web))) {
        return ended(v);
    }
    if (v->open + v->closed == 0 || (v->cancelled > 0 && rows_differ(v, v->delivered > 0))) {
        return called_off(v);
    }
    if (v->found < v->parts && v->delivered == 0 && rows_differ(v, false)) {
        v->p->parts = (int64_t)v->parts;
        return create(v, v->h->rev, (int64_t)v->found + 1);
    }
    return edited(v) || outdated(v) || details(v) || deliver(v) || shipment(v) || close_delivered(v) || pickup(v);
}

void hand_plan_make(const struct web_order *web, const struct handed *h, const struct hand_known *k,
                    struct hand_plan *out) {
    memset(out, 0, sizeof *out);
    struct view v = {.web = web, .h = h, .k = k, .p = out};
    look(&v);
    if (!web->found) {
        if (out->open) {
            hand_plan_case(out, "web_order_gone", false, "The shop keeps goods for an order that nobody can see",
                           "Look the order up in BigCommerce; if it is gone, cancel it in Sitoo",
                           "BigCommerce has no web order %lld any more, but Sitoo has", (long long)web->id);
        }
        return;
    }
    v.holds = weborder_holds(web->status_id, k->since_start, h->n > 0);
    (void)decide(&v);
}

/* ---- allocation ---- */

bool hand_allocate(const int64_t *wanted, size_t n, const int64_t *available, size_t w, bool split, int64_t *out) {
    memset(out, 0, w * n * sizeof *out);
    for (size_t i = 0; i < w; i++) {
        bool all = true;
        for (size_t r = 0; r < n; r++) {
            all = all && available[i * n + r] >= wanted[r];
        }
        if (all) {
            memcpy(&out[i * n], wanted, n * sizeof *out);
            return true;
        }
    }
    size_t parts = 0;
    bool enough = split;
    for (size_t r = 0; r < n && split; r++) {
        int64_t left = wanted[r];
        for (size_t i = 0; i < w && left > 0; i++) {
            int64_t has = available[i * n + r] > 0 ? available[i * n + r] : 0, some = has < left ? has : left;
            out[i * n + r] = some;
            left -= some;
        }
        enough = enough && left == 0;
    }
    for (size_t i = 0; i < w; i++) {
        bool used = false;
        for (size_t r = 0; r < n; r++) {
            used = used || out[i * n + r] > 0;
        }
        parts += used;
    }
    return enough && parts <= HANDED_PARTS_MAX;
}
