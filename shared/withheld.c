/* SPDX-License-Identifier: Apache-2.0 */
#include "withheld.h"

#include "ban.h"

void effect_verdict(struct args *a, int64_t return_id, int64_t item_id, int64_t warehouse_id, const char *sku,
                    int64_t thousandths, enum verdict v, const char *reason, int64_t at_ms) {
    args_add(a, "verdict");
    args_add_int(a, return_id);
    args_add_int(a, item_id);
    args_add_int(a, warehouse_id);
    args_add(a, sku);
    args_add_int(a, thousandths);
    args_add(a, verdict_name(v));
    args_add(a, reason != NULL ? reason : "");
    args_add_int(a, at_ms);
}
