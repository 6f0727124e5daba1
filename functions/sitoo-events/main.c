/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Something happened to an order in Sitoo (a till sale, a return, a booking, a collection ...) and Sitoo tells us its
 * id. We store the event, answer 200, read the order, and hand what was sold to `sale` and what came back to `return`.
 */
#include "feed.h"
#include "function.h"
#include "keys.h"
#include "sort.h"

static const struct function function = {
    .name = "sitoo-events",
    .needs = NEED_REDIS | NEED_EVENTS | NEED_SITOO | NEED_MAPPING,
    .budget = BUDGET_ORDERS,
    .accept = feed_accept,
    .routes = {"/hooks/sitoo", "/hooks/sitoo/events", NULL},
    .queues = {QUEUE_ORDER, NULL},
    .work = sort_work,
    .leave = sort_leave,
    .invoke = sort_invoke,
};

int main(int argc, char **argv) {
    return function_main(argc, argv, &function);
}
