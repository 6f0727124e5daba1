/* SPDX-License-Identifier: Apache-2.0 */
#include "handover_view.h"

#include "ban.h"

#define DAY_MS (INT64_C(86400) * 1000)

/* ---- the shop said no ---- */

static bool movable(int64_t status_id) {
    return status_id == STATUS_AWAITING_FULFILLMENT || status_id == STATUS_AWAITING_PICKUP ||
           status_id == STATUS_AWAITING_SHIPMENT;
}

static bool rejected(struct hand_view *v) {
    const struct mapping_web *w = &v->k->mapping->web;
    hand_plan_case(
        v->p, "pickup_rejected", true, "The customer waits for goods that the shop does not have ready",
        "Call the customer: another shop, another item, or the money back. To ask the shop again: onepool parked "
        "--retry with the case's id",
        "The shop refused web order %lld (warehouse %lld)", (long long)v->web->id, (long long)v->web->warehouse_id);
    v->p->open = true;
    for (size_t i = 0; i < v->h->n && w->cancel_on_reject && v->delivered == 0; i++) {
        if (handed_open(&v->h->list[i])) {
            return hand_take(v, HAND_CANCEL, &v->h->list[i]);
        }
    }
    if (w->rejected_status != 0 && w->rejected_status != v->web->status_id && movable(v->web->status_id)) {
        v->p->status = w->rejected_status;
        return hand_take(v, HAND_STATUS, NULL);
    }
    return true;
}

/* Cancelled in Sitoo, all of it or some parts. */
bool hand_called_off(struct hand_view *v) {
    bool anew = v->k->asked || (v->k->ended && v->open + v->closed == 0 && v->delivered == 0);
    if (anew && hand_lacks_units(v, v->h->rev + 1)) {
        return hand_create_anew(v);
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

/* ---- collection ---- */

static bool ready(struct hand_view *v) {
    if (v->ready_ms == 0) {
        return false;
    }
    if (!v->k->recorded && hand_wants_goods(v->web) && movable(v->web->status_id)) {
        return hand_take(v, HAND_READY, NULL);
    }
    if (v->web->status_id == STATUS_AWAITING_FULFILLMENT || v->web->status_id == STATUS_AWAITING_SHIPMENT) {
        v->p->status = STATUS_AWAITING_PICKUP;
        return hand_take(v, HAND_STATUS, NULL);
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

static bool collected(struct hand_view *v) {
    int64_t status = v->web->status_id;
    bool record = v->k->recorded || hand_wants_goods(v->web); /* one without rows is refused */
    if (!v->k->collected && record && (movable(status) || status == STATUS_COMPLETED || status == STATUS_PARTLY)) {
        return hand_take(v, HAND_COLLECTED, NULL);
    }
    if (movable(status) || status == STATUS_PARTLY) {
        v->p->status = STATUS_COMPLETED;
        return hand_take(v, HAND_STATUS, NULL);
    }
    if (status != STATUS_COMPLETED && status != STATUS_SHIPPED && status != STATUS_PARTLY_REFUNDED) {
        hand_plan_case(
            v->p, "collected_but_status", false, "The customer has the goods; the web order waits for a person",
            "Look whether it was paid, then set the web order to Completed",
            "Web order %lld was collected in the shop, but has status %lld", (long long)v->web->id, (long long)status);
    }
    return true;
}

bool hand_pickup(struct hand_view *v) {
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
