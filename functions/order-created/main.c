/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A web order was placed: it is handed to Sitoo, so that a shop gets it ready, or can take it back. Whether it holds
 * stock is read from the order, not from the event. Open orders stay here as timers, so that what no event told is
 * seen.
 */
#include "function.h"
#include "handover.h"
#include "keys.h"
#include "web_hook.h"

static enum next work(struct app *app, int64_t *wait_ms, struct reason *why) {
    return handover_work(app, QUEUE_HANDOVER, wait_ms, why);
}

static int invoke(struct app *app, const char *payload, size_t len, bool dry_run) {
    return handover_invoke(app, QUEUE_HANDOVER, payload, len, dry_run);
}

static void created_accept(struct app *app, const struct fcgi_call *call, struct fcgi_reply *reply) {
    hook_accept(app, call, reply, created_hook_plan);
}

static const struct function function = {
    .name = "order-created",
    .needs = NEED_REDIS | NEED_SITOO | NEED_BIGCOMMERCE | NEED_MAPPING | NEED_HOOK_SECRET,
    .budget = BUDGET_ORDERS,
    .accept = created_accept,
    .routes = {"/hooks/bigcommerce/order-created", NULL},
    .queues = {QUEUE_HANDOVER, NULL},
    .work = work,
    .invoke = invoke,
};

int main(int argc, char **argv) {
    return function_main(argc, argv, &function);
}
