/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Something was sold at a till. We record it and make its SKUs due, so that the web shop offers the right number.
 * The route /hooks/sitoo/sale takes the same event batches as sitoo-events and feeds the same sorting.
 */
#include "feed.h"
#include "function.h"
#include "keys.h"
#include "sale.h"

static const struct function function = {
    .name = "sale",
    .needs = NEED_REDIS | NEED_EVENTS | NEED_BIGCOMMERCE | NEED_MAPPING,
    .budget = BUDGET_ORDERS,
    .accept = feed_accept,
    .routes = {"/hooks/sitoo/sale", NULL},
    .queues = {QUEUE_SALE, NULL},
    .work = sale_work,
    .invoke = sale_invoke,
};

int main(int argc, char **argv) {
    return function_main(argc, argv, &function);
}
