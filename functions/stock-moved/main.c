/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stock moved, in a shop or in BigCommerce. One process of this function is the store's writer: it reads Sitoo's
 * ledger, computes the level of every SKU that is due, writes it to BigCommerce and reads it back.
 */
#include "function.h"
#include "hooks.h"
#include "keys.h"
#include "writer.h"

static const struct function function = {
    .name = "stock-moved",
    .needs = NEED_REDIS | NEED_SITOO | NEED_BIGCOMMERCE | NEED_MAPPING | NEED_HOOK_SECRET,
    .budget = BUDGET_STOCK,
    .accept = hooks_accept,
    .routes = {"/hooks/bigcommerce/stock-changed", NULL},
    .queues = {QUEUE_SKU, QUEUE_LEDGER, QUEUE_ITEM, NULL},
    .work = writer_work,
    .leave = writer_leave,
    .invoke = writer_invoke,
};

int main(int argc, char **argv) {
    return function_main(argc, argv, &function);
}
