/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sweep: a timer process without a route of its own. It finds what no webhook told, and tells people what waits
 * for them. Each of its works takes a queue of its own, whose entities are timers, so that one process at a time does
 * each; its calls come from the smallest share of the budget.
 */
#include "function.h"
#include "keys.h"
#include "notify.h"
#include "works.h"

#include <stdio.h>

/* The first failure is reported after all works had their turn: none keeps the others from theirs. */
static enum next work(struct app *app, int64_t *wait_ms, struct reason *why) {
    static enum next (*const works[])(struct app *, int64_t *, struct reason *) = {works_work, notify_work};
    enum next first = NEXT_DONE;
    for (size_t i = 0; i < sizeof works / sizeof works[0]; i++) {
        struct reason own = {0};
        enum next next = works[i](app, wait_ms, &own);
        if (first == NEXT_DONE && next != NEXT_DONE) {
            first = next;
            *why = own;
        }
    }
    return first;
}

static int invoke(struct app *app, const char *payload, size_t len, bool dry_run) {
    (void)app, (void)payload, (void)len, (void)dry_run;
    (void)fprintf(stderr, "sweep works on timers, not on payloads; there is nothing to invoke\n");
    return 2;
}

static const struct function function = {
    .name = "sweep",
    .needs = NEED_REDIS | NEED_SITOO | NEED_BIGCOMMERCE | NEED_MAPPING | NEED_NOTIFY,
    .budget = BUDGET_REST,
    .queues = {QUEUE_NOTIFY, QUEUE_SWEEP, NULL},
    .work = work,
    .invoke = invoke,
};

int main(int argc, char **argv) {
    return function_main(argc, argv, &function);
}
