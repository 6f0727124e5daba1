/* SPDX-License-Identifier: Apache-2.0 */
#include "handover_view.h"

#include <stdlib.h>

#include "buf.h"
#include "ban.h"

static int64_t gone_in_bigcommerce(const struct hand_view *v, const struct web_row *r) {
    bool all = v->web->status_id == STATUS_SHIPPED || v->web->status_id == STATUS_COMPLETED;
    int64_t units = hand_row_units(v, r), n = all ? r->quantity : v->web->kind == WEB_SHIP ? r->shipped : 0;
    return n < units ? n : units;
}

void hand_add_move(struct hand_plan *p, const struct hand_move *m) {
    p->moves = xrealloc(p->moves, p->n + 1, sizeof *p->moves);
    p->moves[p->n++] = *m;
}

/* What left according to BigCommerce and is still reserved in Sitoo, of one part. */
static bool deliver(struct hand_view *v) {
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
                    hand_add_move(v->p, &(struct hand_move){.web_item = row->id,
                                                            .item_id = o->rows[k].item_id,
                                                            .quantity = due < left ? due : left});
                }
            }
        }
        if (v->p->n > 0) {
            return hand_take(v, HAND_DELIVER, o);
        }
    }
    return false;
}

/* What the shop sent and BigCommerce does not know of; one address at a time. */
static bool shipment(struct hand_view *v) {
    if (v->web->kind != WEB_SHIP || v->web->status_id == STATUS_SHIPPED || v->web->status_id == STATUS_COMPLETED) {
        return false;
    }
    for (size_t r = 0; r < v->web->n; r++) {
        const struct web_row *row = &v->web->rows[r];
        int64_t sent = handed_delivered(v->h, row->id), n = sent - row->shipped;
        n = n < row->quantity - row->shipped ? n : row->quantity - row->shipped;
        if (n > 0 && (v->p->n == 0 || v->p->moves[0].address_id == row->address_id)) {
            hand_add_move(v->p, &(struct hand_move){.web_item = row->id, .quantity = n, .address_id = row->address_id});
        }
    }
    return v->p->n > 0 && hand_take(v, HAND_SHIPMENT, NULL);
}

static bool close_delivered(struct hand_view *v) {
    for (size_t i = 0; i < v->h->n; i++) {
        const struct handed_order *o = &v->h->list[i];
        if (handed_open(o) && !o->ignores_stock && hand_all_gone(o)) {
            return hand_take(v, HAND_CLOSE, o);
        }
    }
    return false;
}

bool hand_goods(struct hand_view *v) {
    return deliver(v) || shipment(v) || close_delivered(v);
}
