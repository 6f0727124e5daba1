/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "hook.h"
#include "identity.h"
#include "json.h"
#include "keys.h"
#include "log.h"
#include "queue.h"
#include "quantity.h"
#include "stock_hook.h"
#include "worker.h"
#include "write.h"
#include "ban.h"

#define ITEMS_PER_ROUND 100

void hooks_accept(struct app *app, const struct fcgi_call *call, struct fcgi_reply *reply) {
    hook_accept(app, call, reply, stock_hook_plan);
}

/* ---- work ---- */

static bool entity_read(const char *entity, int64_t *product, int64_t *variant) {
    char text[64];
    if (!str_copy(text, sizeof text, entity)) {
        return false;
    }
    char *colon = strchr(text, ':');
    if (colon == NULL) {
        return false;
    }
    *colon = '\0';
    return int_parse(text, 1, JSON_INT_MAX, product) && int_parse(colon + 1, 0, JSON_INT_MAX, variant);
}

static enum next check_levels(struct app *app, const char *sku, struct reason *why) {
    const struct mapping *m = app->set->mapping;
    struct args a = {0};
    redisReply *reply = NULL;
    args_add_int(&a, (int64_t)m->location_count);
    for (size_t i = 0; i < m->location_count; i++) {
        args_addf(&a, "%lld|%s", (long long)m->locations[i].location_id, sku);
    }
    args_add_int(&a, m->confirm_delay_ms);
    args_add_int(&a, LEVELS_AGAIN * m->confirm_timeout_ms);
    /* In shadow mode they are only looked at, for the report. */
    enum next next =
        redis_fcall(app->redis, app->mode == MODE_LIVE ? "levels_check" : "shadow_look", &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}

static enum next one(struct app *app, const struct claim *c, struct reason *why) {
    int64_t product = 0, variant = 0;
    char *sku = NULL;
    enum next next = entity_read(c->entity, &product, &variant)
                         ? identity_sku(app, product, variant, &sku, why)
                         : reason_set(why, NEXT_BUG, "bad_entity", "item %s is not product:variant", c->entity);
    if (next == NEXT_DONE && sku != NULL) {
        next = check_levels(app, sku, why);
    }
    free(sku);
    return next == NEXT_DONE ? queue_complete(app->redis, QUEUE_ITEM, c, 1, NULL, NULL, why) : next;
}

enum next hooks_work(struct app *app, size_t *done, struct reason *why) {
    struct claims claims = {0};
    struct worker_hold hold;
    enum next next =
        queue_claim(app->redis, QUEUE_ITEM, ITEMS_PER_ROUND, app->holder, app->set->mapping->owner_stock, &claims, why);
    *done = claims.n;
    worker_hold_begin(&hold, app, QUEUE_ITEM, &claims);
    for (size_t i = 0; next == NEXT_DONE && i < claims.n; i++) {
        struct reason cause = {0};
        enum next result = one(app, &claims.list[i], &cause);
        if (result != NEXT_DONE) {
            worker_unsettled(app, QUEUE_ITEM, &claims.list[i], 1, result, &cause, app->set->mapping->owner_stock);
        }
    }
    worker_hold_end(&hold);
    claims_free(&claims);
    return next;
}
