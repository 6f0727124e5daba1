/* SPDX-License-Identifier: Apache-2.0 */
/* What rows of Sitoo's stock ledger mean for units that are withheld from sale. */
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "ledger.h"
#include "quarantine_ref.h"
#include "queue.h"
#include "withheld.h"
#include "ban.h"

#define DATE_S_MAX INT64_C(100000000000)

static void plan_out(const cJSON *row, const char *op, int64_t warehouse, const char *sku, int64_t thousandths,
                     struct args *effects) {
    const char *reference = json_str(row, "externalid");
    int64_t created_s = 0, return_id = 0, item_id = 0;
    char entry[48];
    (void)json_int(row, "datecreated", &created_s);
    created_s = created_s > 0 && created_s < DATE_S_MAX ? created_s : 0;
    if (reference != NULL && quarantine_ref_read(reference, &return_id, &item_id)) {
        /* Our own move names the unit; another of the same SKU may be withheld there for longer. */
        (void)snprintf(entry, sizeof entry, "%lld:%lld", (long long)return_id, (long long)item_id);
        effect_release(effects, op, entry, thousandths, "quarantine");
    } else {
        effect_moved_out(effects, op, warehouse, sku, thousandths, created_s * 1000);
    }
}

void ledger_plan_withheld(const cJSON *row, int index, const char *sku, int64_t delta, const char *owner,
                          struct args *effects) {
    int64_t id = 0, warehouse = 0, type = 0;
    char op[80];
    (void)json_int(row, "warehousetransactionid", &id);
    (void)json_int(row, "warehouseid", &warehouse);
    (void)json_int(row, "transactiontype", &type);
    if (type == LEDGER_REFUND && delta > 0) {
        (void)snprintf(op, sizeof op, "hold:l:%lld:%d", (long long)id, index);
        effect_hold(effects, op, 'l', warehouse, sku, delta);
    } else if (type == LEDGER_COUNT && owner != NULL) {
        effect_counted(effects, warehouse, sku, id, owner);
    } else if (type != LEDGER_SALE && type != LEDGER_COUNT && delta < 0) {
        (void)snprintf(op, sizeof op, "out:%lld:%d", (long long)id, index);
        plan_out(row, op, warehouse, sku, -delta, effects);
    }
}
