/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A customer brought something back to a shop. In this release we withhold the units and park the return for a person.
 * The route /hooks/sitoo/return takes the same event batches as sitoo-events and feeds the same sorting.
 */
#include "feed.h"
#include "function.h"
#include "keys.h"
#include "refund.h"

static const struct function function = {
    .name = "return",
    .needs = NEED_REDIS | NEED_EVENTS | NEED_MAPPING | NEED_SITOO | NEED_BIGCOMMERCE,
    .budget = BUDGET_REFUNDS,
    .accept = feed_accept,
    .routes = {"/hooks/sitoo/return", NULL},
    .queues = {QUEUE_RETURN, NULL},
    .work = refund_work,
    .invoke = refund_invoke,
};

int main(int argc, char **argv) {
    return function_main(argc, argv, &function);
}
