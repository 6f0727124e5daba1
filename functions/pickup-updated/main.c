/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Something happened in a shop to an order that we made: ready for pickup, refused, collected, sent, cancelled. The web
 * order follows. sitoo-events reads which order it was and makes the web order due here; nothing is sent here directly.
 */
#include "function.h"
#include "handover.h"
#include "keys.h"

static enum next work(struct app *app, int64_t *wait_ms, struct reason *why) {
    return handover_work(app, QUEUE_PICKUP, wait_ms, why);
}

static int invoke(struct app *app, const char *payload, size_t len, bool dry_run) {
    return handover_invoke(app, QUEUE_PICKUP, payload, len, dry_run);
}

static const struct function function = {
    .name = "pickup-updated",
    .needs = NEED_REDIS | NEED_SITOO | NEED_BIGCOMMERCE | NEED_MAPPING,
    .budget = BUDGET_ORDERS,
    .queues = {QUEUE_PICKUP, NULL},
    .work = work,
    .invoke = invoke,
};

int main(int argc, char **argv) {
    return function_main(argc, argv, &function);
}
