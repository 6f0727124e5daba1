/* SPDX-License-Identifier: Apache-2.0 */
#include "withheld.h"

#include <stdio.h>

#include "keys.h"
#include "queue.h"
#include "sku.h"
#include "ban.h"

void effect_hold_return(struct args *a, const char *op, int64_t warehouse_id, const char *sku, int64_t thousandths,
                        int64_t at_ms) {
    args_add(a, "hold_return");
    args_add(a, op);
    args_add_int(a, warehouse_id);
    args_add(a, sku);
    args_add_int(a, thousandths);
    args_add_int(a, at_ms);
}

void effect_verdict(struct args *a, const struct judged *j) {
    args_add(a, "verdict");
    args_add_int(a, j->return_id);
    args_add_int(a, j->item_id);
    args_add_int(a, j->warehouse_id);
    args_add(a, j->sku);
    args_add_int(a, j->thousandths);
    args_add(a, verdict_name(j->verdict));
    args_add(a, j->reason != NULL ? j->reason : "");
    args_add_int(a, j->at_ms);
}

void effect_release(struct args *a, const char *op, const char *entry, int64_t thousandths, const char *how) {
    args_add(a, "release");
    args_add(a, op);
    args_add(a, entry);
    if (thousandths > 0) {
        args_add_int(a, thousandths);
    } else {
        args_add(a, "");
    }
    args_add(a, how);
}

void effect_moved_out(struct args *a, const char *op, int64_t warehouse_id, const char *sku, int64_t thousandths,
                      int64_t at_ms) {
    args_add(a, "moved_out");
    args_add(a, op);
    args_add_int(a, warehouse_id);
    args_add(a, sku);
    args_add_int(a, thousandths);
    args_add_int(a, at_ms);
}

void effect_counted(struct args *a, int64_t warehouse_id, const char *sku, int64_t row, const char *owner) {
    char place[KEY_MAX], text[REASON_TEXT_MAX], shown[SKU_SHOWN_SIZE];
    struct args notice = {0};
    (void)snprintf(place, sizeof place, "%lld|%s", (long long)warehouse_id, sku);
    (void)snprintf(
        text, sizeof text,
        "units of SKU %s that came back are withheld in warehouse %lld, and a stock count was made of it there (ledger "
        "row %lld); are they among the units counted?",
        sku_shown(sku, shown), (long long)warehouse_id, (long long)row);
    const struct parked p = {.cause = "stock_count_withheld",
                             .owner = owner,
                             .entity = place,
                             .text = text,
                             .effect = "The web shop offers fewer units than were counted until this is answered",
                             .step =
                                 "Look at the units: onepool withheld --release RETURN:ITEM if they were sold, thrown "
                                 "away or may be sold; else onepool parked --close",
                             .queue = "",
                             .job = ""};
    effect_case(&notice, &p);
    args_add(a, "counted");
    args_addf(a, "count:%lld:%s", (long long)row, sku);
    args_add(a, place);
    for (size_t i = 1; i < notice.n; i++) { /* without its verb */
        args_add(a, notice.argv[i]);
    }
    args_free(&notice);
}
