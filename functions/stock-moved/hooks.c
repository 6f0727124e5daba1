/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "gate.h"
#include "identity.h"
#include "json.h"
#include "keys.h"
#include "log.h"
#include "queue.h"
#include "quantity.h"
#include "worker.h"
#include "write.h"
#include "ban.h"

#define SOURCE          "bigcommerce"
#define ITEMS_PER_ROUND 100
#define HASH_MAX        64

static bool mapped(const struct mapping *m, int64_t location_id) {
    for (size_t i = 0; i < m->location_count; i++) {
        if (m->locations[i].location_id == location_id) {
            return true;
        }
    }
    return false;
}

/* Appends the effects of one authentic body; id gets the idempotency key ("" if the hook carries none). */
static void plan(const struct app *app, const struct fcgi_call *call, char id[HASH_MAX + 1], struct args *effects) {
    char error[120] = "data.product_id is missing", entity[64], digest[17];
    int64_t product = 0, variant = 0, location = 0;
    cJSON *json = json_read(call->body, call->body_len, error, sizeof error);
    const cJSON *data = json_get(json, "data");
    const char *hash = json_str(json, "hash");
    (void)str_copy(id, HASH_MAX + 1, hash != NULL && strlen(hash) <= HASH_MAX ? hash : "");
    (void)json_id(data, "variant_id", &variant);
    (void)json_id(data, "location_id", &location);
    if (!json_id(data, "product_id", &product) || product <= 0) {
        gate_digest(call->body, digest);
        (void)snprintf(entity, sizeof entity, "hook %s", digest);
        const struct parked p = {.cause = "bad_hook",
                                 .owner = app->set->mapping->owner_stock,
                                 .entity = entity,
                                 .text = error,
                                 .effect = "A stock change in BigCommerce was not looked at",
                                 .step = "Show the bytes to the integrator; then run: onepool parked --close",
                                 .queue = "",
                                 .job = "",
                                 .bytes = call->body,
                                 .bytes_len = call->body_len};
        effect_case(effects, &p);
    } else if (location != 0 && !mapped(app->set->mapping, location)) {
        effect_count(effects, "events:unmapped_location", 1);
    } else {
        (void)snprintf(entity, sizeof entity, "%lld:%lld", (long long)product, (long long)variant);
        effect_mark(effects, QUEUE_ITEM, entity, 0, "", "");
    }
    cJSON_Delete(json);
}

static enum next store(struct app *app, const struct fcgi_call *call, struct reason *why) {
    char id[HASH_MAX + 1];
    struct args effects = {0}, a = {0};
    redisReply *reply = NULL;
    plan(app, call, id, &effects);
    args_add(&a, SOURCE);
    args_add_int(&a, 1);
    args_add(&a, id);
    args_add_bytes(&a, call->body, call->body_len);
    args_add(&a, "1"); /* the hash may repeat for two real changes: a duplicate is looked at again */
    args_add_int(&a, (int64_t)effects.n);
    args_append(&a, &effects);
    enum next next = redis_fcall(app->redis, "accept", &a, true, &reply, why);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    args_free(&a);
    args_free(&effects);
    return next;
}

void hooks_accept(struct app *app, const struct fcgi_call *call, struct fcgi_reply *reply) {
    struct reason why = {0};
    const char *secret = fcgi_header(call, "X_ONEPOOL_SECRET");
    bool now = secret_equal(secret, app->set->hook_secret),
         before = secret_equal(secret, app->set->hook_secret_previous);
    if (!now && !before) {
        reply->status = 401;
        LOG(LOG_WARN, "hook without the right X-Onepool-Secret", {"outcome", "refused"}, {"path", call->path});
        return;
    }
    if (strcmp(call->method, "POST") != 0 || !call->whole) {
        LOG(LOG_WARN, "refused", {"outcome", "refused"}, {"method", call->method},
            {"problem", call->whole ? "not a POST" : "body is not whole"});
        return;
    }
    if (store(app, call, &why) == NEXT_DONE) {
        reply->status = 200;
        LOG(LOG_INFO, "hook accepted", {"outcome", "accepted"}, {"path", call->path});
    } else {
        LOG(LOG_ERROR, "hook not stored", {"outcome", "refused"}, {"cause", why.cause}, {"why", why.text});
    }
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
    enum next next = redis_fcall(app->redis, "levels_check", &a, true, &reply, why);
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
    if (next == NEXT_DONE && sku != NULL && app->mode == MODE_LIVE) {
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
