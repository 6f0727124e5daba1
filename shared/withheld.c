/* SPDX-License-Identifier: Apache-2.0 */
#include "withheld.h"

#include "ban.h"

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
