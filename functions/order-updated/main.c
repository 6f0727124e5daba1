/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A web order changed in BigCommerce. Refunds are looked at: those that somebody made there are recorded, and their
 * goods are waited for; ours are watched until their payment ran. Whatever changed, Sitoo's orders for it follow:
 * cancelled, edited, paid, shipped (shared/handover.h).
 *
 * It also takes BigCommerce's word that its calls fail, and looks every 15 minutes whether our webhooks are right.
 */
#include "exception_hook.h"
#include "function.h"
#include "handover.h"
#include "hooks_timer.h"
#include "keys.h"
#include "order_hook.h"
#include "refund_list.h"
#include "watch.h"

static enum next work(struct app *app, int64_t *wait_ms, struct reason *why) {
    struct reason list = {0};
    enum next first = hooks_timer_work(app, wait_ms, &list);
    first = first == NEXT_DONE ? refund_list_work(app, wait_ms, &list) : first;
    enum next next = handover_work(app, QUEUE_WEBORDER, wait_ms, why);
    next = next == NEXT_DONE ? watch_work(app, wait_ms, why) : next;
    if (next == NEXT_DONE && first != NEXT_DONE) {
        *why = list;
    }
    return next == NEXT_DONE ? first : next;
}

static const struct function function = {
    .name = "order-updated",
    .needs = NEED_REDIS | NEED_SITOO | NEED_BIGCOMMERCE | NEED_MAPPING | NEED_HOOK_SECRET,
    .budget = BUDGET_REFUNDS,
    .accept = order_hook_accept,
    .routes = {"/hooks/bigcommerce/order-updated", EXCEPTION_PATH, NULL},
    .queues = {QUEUE_REFUND, QUEUE_REFUNDS, QUEUE_WEBORDER, QUEUE_HOOKS, NULL},
    .work = work,
    .invoke = watch_invoke,
};

int main(int argc, char **argv) {
    return function_main(argc, argv, &function);
}
