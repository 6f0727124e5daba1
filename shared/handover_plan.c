/* SPDX-License-Identifier: Apache-2.0 */
#include "handover_view.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "order.h"
#include "webaddress.h"
#include "weborder.h"
#include "ban.h"

#define PAYMENT_DONE 20

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

static void look(struct hand_view *v) {
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

bool hand_take(struct hand_view *v, enum hand_step step, const struct handed_order *o) {
    v->p->step = step;
    v->p->order = o;
    return true;
}

static bool create(struct hand_view *v, int64_t rev, int64_t part) {
    v->p->rev = rev;
    v->p->part = part;
    return hand_take(v, HAND_CREATE, NULL);
}

bool hand_create_anew(struct hand_view *v) {
    if (v->h->rev < HANDED_REVS_MAX) {
        return create(v, v->h->rev + 1, 1);
    }
    hand_plan_case(v->p, "too_many_edits", false, "The shop still has the order as it was",
                   "Change the order in Sitoo by hand, then: onepool parked --close with the case's id",
                   "Web order %lld was changed %d times; Sitoo's order %s is not changed again", (long long)v->web->id,
                   HANDED_REVS_MAX, v->h->list[v->h->n - 1].name);
    return true;
}

bool hand_wants_goods(const struct web_order *web) {
    for (size_t i = 0; i < web->n; i++) {
        if (web_row_wanted(&web->rows[i]) > 0) {
            return true;
        }
    }
    return false;
}

/* ---- nothing there yet ---- */

static bool place_unknown(struct hand_view *v, const char *effect) {
    hand_plan_case(v->p, "pickup_location_unknown", true, effect,
                   "Name the location in the mapping file under pickup and restart, then: onepool parked --retry with "
                   "the case's id",
                   "Web order %lld cannot be handed to a shop: %s", (long long)v->web->id, v->web->problem);
    v->p->open = true;
    return true;
}

static bool first_time(struct hand_view *v) {
    const struct web_order *web = v->web;
    if (!v->holds || !v->k->mine || web->kind == WEB_NO_GOODS || !hand_wants_goods(web)) {
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

static bool handed_over_case(struct hand_view *v) {
    hand_plan_case(v->p, "cancelled_after_handover", true,
                   "The customer has the goods, and the web order says otherwise",
                   "Ask the shop and the customer; take a return, or set the web order's status right; then: onepool "
                   "parked --close with the case's id",
                   "Web order %lld has status %lld (cancelled, declined or not paid), but the shop has handed over "
                   "%lld of its units",
                   (long long)v->web->id, (long long)v->web->status_id, (long long)v->delivered);
    return true;
}

static bool ended(struct hand_view *v) {
    for (size_t i = 0; i < v->h->n && v->delivered == 0; i++) {
        if (handed_open(&v->h->list[i]) && !v->h->list[i].ignores_stock) {
            return hand_take(v, HAND_CANCEL, &v->h->list[i]);
        }
    }
    if (v->delivered > 0 && (v->web->status_id != STATUS_REFUNDED || v->open > 0)) {
        return handed_over_case(v);
    }
    return true;
}

/* ---- rows and shop ---- */

int64_t hand_row_units(const struct hand_view *v, const struct web_row *r) {
    return handed_units(v->h, v->h->rev, r->id) + handed_delivered_else(v->h, v->h->rev, r->id);
}

bool hand_lacks_units(const struct hand_view *v, int64_t rev) {
    for (size_t i = 0; i < v->web->n; i++) {
        const struct web_row *r = &v->web->rows[i];
        if (web_row_wanted(r) > handed_units(v->h, rev, r->id) + handed_delivered_else(v->h, rev, r->id)) {
            return true;
        }
    }
    return false;
}

/* Rows of Sitoo's order whose web order row is gone. */
static bool has_strangers(const struct hand_view *v) {
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
static bool rows_differ(const struct hand_view *v, bool undelivered) {
    for (size_t i = 0; i < v->web->n; i++) {
        const struct web_row *r = &v->web->rows[i];
        int64_t units = hand_row_units(v, r), wanted = web_row_wanted(r), gone = handed_delivered(v->h, r->id);
        bool too_many = gone > r->quantity || (units > gone && wanted < units);
        if (undelivered ? wanted > units || too_many : wanted != units) {
            return true;
        }
    }
    return has_strangers(v);
}

static bool place_differs(const struct hand_view *v) {
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

static void edited_too_late(struct hand_view *v) {
    hand_plan_case(v->p, "edited_after_handover", false, "The shop has the order as it was before the change",
                   "Agree with the shop what the customer gets; change Sitoo's order by hand; then: onepool parked "
                   "--close with the case's id",
                   "Web order %lld was changed after the shop had handed over %lld of its units", (long long)v->web->id,
                   (long long)v->delivered);
}

static bool edited(struct hand_view *v) {
    if (v->delivered == 0 && v->web->kind == WEB_UNCLEAR && v->open > 0) {
        return place_unknown(v, "The shop that has the order may no longer be the one that the customer comes to");
    }
    if (v->delivered == 0) {
        return (rows_differ(v, false) || place_differs(v)) && v->web->kind != WEB_UNCLEAR && hand_create_anew(v);
    }
    if (rows_differ(v, true)) {
        edited_too_late(v);
    }
    return false;
}

bool hand_all_gone(const struct handed_order *o) {
    for (size_t k = 0; k < o->n; k++) {
        if (o->rows[k].delivered < o->rows[k].quantity) {
            return false;
        }
    }
    return o->n > 0;
}

/* Older revisions, once the latest is whole. One that the shop has begun to hand over is not cancelled any more. */
static bool outdated(struct hand_view *v) {
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
            return hand_take(v, HAND_CANCEL, o);
        }
        if (!hand_all_gone(o) && v->p->case_count == 0) {
            edited_too_late(v);
        }
    }
    return false;
}

/* ---- money and address ---- */

static bool details(struct hand_view *v) {
    char address[WEB_ADDRESS_SIZE];
    web_address_digest(v->web, address);
    for (size_t i = 0; i < v->h->n; i++) {
        const struct handed_order *o = &v->h->list[i];
        if (o->rev != v->h->rev || !handed_open(o)) {
            continue;
        }
        if (hand_paid(v->web->status_id) && o->payment_state != PAYMENT_DONE) {
            return hand_take(v, HAND_PAY, o);
        }
        if (v->web->kind == WEB_SHIP && v->k->mapping->web.address && strcmp(address, o->address) != 0) {
            return hand_take(v, HAND_ADDRESS, o);
        }
    }
    return false;
}

/* Takes of orders that a shop only takes back: a delivery that moves no stock, if Sitoo needs one to offer the rows. */
static bool returns_only(struct hand_view *v) {
    const struct handed_order *o = &v->h->list[v->h->n - 1];
    if (!v->k->mapping->web.return_add_delivery) {
        return true;
    }
    for (size_t k = 0; k < o->n; k++) {
        if (o->rows[k].delivered < o->rows[k].quantity) {
            hand_add_move(v->p, &(struct hand_move){.web_item = o->rows[k].web_item,
                                                    .item_id = o->rows[k].item_id,
                                                    .quantity = o->rows[k].quantity - o->rows[k].delivered});
        }
    }
    return v->p->n == 0 || hand_take(v, HAND_DELIVER, o);
}

/* Each question that is answered with true ends the look. */
static bool decide(struct hand_view *v) {
    if (v->h->n == 0) {
        return first_time(v);
    }
    if (v->ignores) {
        return returns_only(v);
    }
    if (!v->holds || (v->delivered == 0 && !hand_wants_goods(v->web))) {
        return ended(v);
    }
    if (v->open + v->closed == 0 || (v->cancelled > 0 && rows_differ(v, v->delivered > 0))) {
        return hand_called_off(v);
    }
    if (v->found < v->parts && v->delivered == 0 && hand_lacks_units(v, v->h->rev)) {
        v->p->parts = (int64_t)v->parts;
        return create(v, v->h->rev, (int64_t)v->found + 1);
    }
    return edited(v) || outdated(v) || details(v) || hand_goods(v) || hand_pickup(v);
}

void hand_plan_make(const struct web_order *web, const struct handed *h, const struct hand_known *k,
                    struct hand_plan *out) {
    memset(out, 0, sizeof *out);
    struct hand_view v = {.web = web, .h = h, .k = k, .p = out};
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
