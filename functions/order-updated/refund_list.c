/* SPDX-License-Identifier: Apache-2.0 */
#include "refund_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "goods.h"
#include "json.h"
#include "keys.h"
#include "log.h"
#include "platform.h"
#include "queue.h"
#include "refunds.h"
#include "watch.h"
#include "worker.h"
#include "ban.h"

#define ENTITY        "main"
#define EVERY_MS      (INT64_C(86400) * 1000)
#define AGAIN_MS      (INT64_C(60) * 1000) /* after a failure, or before our first start is known */
#define DAY_MS        (INT64_C(86400) * 1000)
#define SPARE_DAYS    7
#define PAGE          250
#define PAGE_SMALLEST 50 /* were the limit capped silently, a page might be this short */
#define PAGES_MAX     2000

static void mark(struct args *effects, int64_t order_id) {
    char order[24];
    (void)snprintf(order, sizeof order, "%lld", (long long)order_id);
    effect_mark(effects, QUEUE_REFUND, order, 0, "", "");
}

/* Asks Redis which of the operations were done, and marks the orders of the others. */
static enum next mark_unknown(struct app *app, const struct args *ops, const int64_t *orders, struct args *effects,
                              struct reason *why) {
    struct args *cmds = xcalloc(ops->n + 1, sizeof *cmds);
    redisReply **replies = xcalloc(ops->n + 1, sizeof *replies);
    enum next next = NEXT_DONE;
    for (size_t i = 0; i < ops->n; i++) {
        char key[64];
        (void)snprintf(key, sizeof key, KEY_OP, ops->argv[i]);
        args_add(&cmds[i], "EXISTS");
        args_add_key(&cmds[i], app->redis, key);
    }
    if (ops->n > 0) {
        next = redis_pipeline(app->redis, cmds, ops->n, true, replies, why);
    }
    for (size_t i = 0; i < ops->n; i++) {
        if (next == NEXT_DONE && reply_int(replies[i]) == 0) {
            mark(effects, orders[i]);
        }
    }
    redis_pipeline_free(cmds, replies, ops->n);
    free(replies);
    free(cmds);
    return next;
}

/* The orders of one page that are to be looked at. A refund that cannot be read is its order's fault: the look at that
 * order says so. */
static enum next take_page(struct app *app, const cJSON *data, struct args *effects, struct reason *why) {
    struct args ops = {0};
    const cJSON *json = NULL;
    int64_t now = clock_wall_ms(), order = 0;
    int64_t *orders = xcalloc((size_t)cJSON_GetArraySize(data) + 1, sizeof *orders);
    cJSON_ArrayForEach(json, data) {
        struct refund r;
        if (!refund_parse(json, &r)) {
            if (json_id(json, "order_id", &order) && order > 0) {
                mark(effects, order);
            }
            continue;
        }
        if (watch_young(&r, now)) {
            mark(effects, r.order_id);
        } else if (r.reference[0] == '\0' || r.declined) {
            char op[40];
            watch_op(&r, op);
            orders[ops.n] = r.order_id;
            args_add(&ops, op);
        }
        free(r.items);
    }
    enum next next = mark_unknown(app, &ops, orders, effects, why);
    args_free(&ops);
    free(orders);
    return next;
}

static enum next read_page(struct app *app, const char *since, int page, int *count, struct reason *why) {
    struct answer answer;
    struct args effects = {0};
    struct buf path;
    buf_init(&path, 300);
    buf_add_str(&path, "/v3/orders/payment_actions/refunds?created:min=");
    buf_add_url(&path, since);
    buf_addf(&path, "&page=%d&limit=%d", page, PAGE);
    enum next next = bigcommerce_get(app, buf_str(&path), &answer, why);
    buf_free(&path);
    if (next != NEXT_DONE) {
        return next;
    }
    const cJSON *data = json_array(answer.json, "data");
    *count = cJSON_GetArraySize(data);
    if (data == NULL && answer.status != 204) {
        next = reason_set(why, NEXT_DEFER, "bad_refunds", "BigCommerce's list of refunds is not a list (status %d)",
                          answer.status);
    } else {
        next = take_page(app, data, &effects, why);
    }
    if (next == NEXT_DONE && effects.n > 0) {
        next = effects_apply(app->redis, &effects, why);
    }
    args_free(&effects);
    answer_free(&answer);
    return next;
}

/* Sets *delay to when the list is to be read again. */
static enum next read_all(struct app *app, int64_t *delay, struct reason *why) {
    char text[CLOCK_TEXT_SIZE];
    int64_t since = 0, now = clock_wall_ms();
    int64_t window = (app->set->mapping->returns.goods_back_days + SPARE_DAYS) * DAY_MS;
    int count = PAGE;
    *delay = AGAIN_MS;
    enum next next = goods_since(app, &since, why);
    if (next != NEXT_DONE || since == 0) {
        return next;
    }
    window = window < WATCH_AGE_MAX_MS ? window : WATCH_AGE_MAX_MS;
    clock_format_iso_s(since > now - window ? since : now - window, text);
    for (int page = 1; next == NEXT_DONE && count >= PAGE_SMALLEST && page <= PAGES_MAX; page++) {
        next = read_page(app, text, page, &count, why);
    }
    *delay = next == NEXT_DONE ? EVERY_MS : AGAIN_MS > why->wait_ms ? AGAIN_MS : why->wait_ms;
    return next;
}

static enum next tick(struct app *app, const struct claims *claims, struct reason *why) {
    struct worker_hold hold;
    struct reason cause = {0};
    int64_t delay = 0;
    worker_hold_begin(&hold, app, QUEUE_REFUNDS, claims);
    enum next next = read_all(app, &delay, &cause);
    worker_hold_end(&hold);
    if (next != NEXT_DONE) {
        LOG(LOG_WARN, "reading failed; trying again", {"outcome", "deferred"}, {"what", "refunds"},
            {"cause", cause.cause}, {"why", cause.text});
    }
    return queue_tick(app->redis, QUEUE_REFUNDS, &claims->list[0], delay, why);
}

enum next refund_list_work(struct app *app, int64_t *wait_ms, struct reason *why) {
    struct claims claims = {0};
    enum next next =
        queue_claim(app->redis, QUEUE_REFUNDS, 1, app->holder, app->set->mapping->owner_money, &claims, why);
    if (next == NEXT_DONE && claims.n > 0) {
        *wait_ms = 0;
        next = tick(app, &claims, why);
    } else if (next == NEXT_DONE && claims.wait_ms < 0) {
        struct args timer = {0}; /* the first start makes the timer */
        effect_mark(&timer, QUEUE_REFUNDS, ENTITY, 0, "", "");
        next = effects_apply(app->redis, &timer, why);
        args_free(&timer);
        *wait_ms = 0;
    } else if (next == NEXT_DONE && claims.wait_ms < *wait_ms) {
        *wait_ms = claims.wait_ms;
    }
    claims_free(&claims);
    return next;
}
