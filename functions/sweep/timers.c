/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other functions have timers that look for what events did not tell: whether our webhooks are right, the list of
 * refunds, the comparison of catalogs, the ledger. One that stands still, since its function does not run, would be
 * noticed by nobody: here it is.
 */
#include <stdio.h>
#include <string.h>

#include "keys.h"
#include "quantity.h"
#include "works.h"
#include "ban.h"

#define CAUSE   "timer_stands_still"
#define LATE_MS (INT64_C(15) * 60 * 1000)

static const struct watched {
    const char *queue, *function, *what;
} watched[] = {
    {QUEUE_HOOKS, "order-updated", "whether BigCommerce's webhooks are right is not looked at"},
    {QUEUE_REFUNDS, "order-updated", "refunds made in BigCommerce are not listed"},
    {QUEUE_CATALOG, "product-updated", "the catalogs are not compared"},
    {QUEUE_LEDGER, "stock-moved", "Sitoo's stock movements are not read, and no level is written"},
};
#define WATCHED (sizeof watched / sizeof watched[0])

static void judge(const struct app *app, const struct watched *w, int64_t late_ms, struct args *effects) {
    char text[REASON_TEXT_MAX], step[160];
    if (late_ms < LATE_MS) {
        effect_close(effects, CAUSE, w->queue);
        return;
    }
    (void)snprintf(text, sizeof text, "The timer \"%s\" has been due for %lld minutes: %s", w->queue,
                   (long long)(late_ms / 60000), w->what);
    (void)snprintf(step, sizeof step, "Start %s, or look into its log. The case closes by itself", w->function);
    const struct parked p = {.cause = CAUSE,
                             .owner = app->set->mapping->owner_stock,
                             .entity = w->queue,
                             .text = text,
                             .effect = "What no event tells is found late, or not at all",
                             .step = step,
                             .queue = "",
                             .job = ""};
    effect_notice(effects, &p);
}

enum next timers_turn(struct turn *t, struct reason *why) {
    struct args cmds[WATCHED + 1] = {{0}}, effects = {0};
    redisReply *replies[WATCHED + 1] = {NULL};
    int64_t now_s = 0;
    args_add(&cmds[WATCHED], "TIME");
    for (size_t i = 0; i < WATCHED; i++) {
        char key[40];
        (void)snprintf(key, sizeof key, "due:%s", watched[i].queue);
        args_add(&cmds[i], "ZRANGE");
        args_add_key(&cmds[i], t->app->redis, key);
        args_add(&cmds[i], "0");
        args_add(&cmds[i], "0");
        args_add(&cmds[i], "WITHSCORES");
    }
    enum next next = redis_pipeline(t->app->redis, cmds, WATCHED + 1, true, replies, why);
    for (size_t i = 0; next == NEXT_DONE && i < WATCHED; i++) {
        int64_t due = 0;
        const char *score = reply_str_at(replies[i], 1);
        (void)int_parse(reply_str_at(replies[WATCHED], 0), 0, INT64_MAX, &now_s);
        /* No timer at all: the function never ran in this shop, which is the operator's choice. */
        bool there = score != NULL && int_parse(score, 0, INT64_MAX, &due);
        judge(t->app, &watched[i], there ? now_s * 1000 - due : 0, &effects);
    }
    redis_pipeline_free(cmds, replies, WATCHED + 1);
    next = next == NEXT_DONE ? effects_apply(t->app->redis, &effects, why) : next;
    args_free(&effects);
    return next;
}
