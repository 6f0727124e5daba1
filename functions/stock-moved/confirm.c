/* SPDX-License-Identifier: Apache-2.0 */
#include "confirm.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "keys.h"
#include "log.h"
#include "quantity.h"
#include "queue.h"
#include "write.h"
#include "ban.h"

#define LEVELS_PER_ROUND 1000
#define AGAIN_MS         1000
#define SHADOW_LEVELS    500           /* one call's worth */
#define SHADOW_EVERY_MS  INT64_C(1000) /* of the smallest share: the store's other calls go first */

enum seen { SEEN_CHANGED = 0, SEEN_CONFIRMED = 1, SEEN_NOT_YET = 2, SEEN_DIFFERS = 3 };

struct back {
    const char *field, *was; /* "location|sku"; stored value */
    const char *sku;
    struct identity item;
};

struct backs {
    struct back *list;
    struct level_query *query;
    size_t n;
};

static void split(const redisReply *r, struct backs *b) {
    for (size_t i = 1; i + 1 < r->elements; i += 2) {
        const char *field = reply_str_at(r, i), *bar = field != NULL ? strchr(field, '|') : NULL;
        char location[24];
        if (bar == NULL || (size_t)(bar - field) >= sizeof location) {
            continue;
        }
        memcpy(location, field, (size_t)(bar - field));
        location[bar - field] = '\0';
        if (int_parse(location, 1, INT64_MAX, &b->query[b->n].location_id)) {
            b->list[b->n] = (struct back){.field = field, .was = reply_str_at(r, i + 1), .sku = bar + 1};
            b->query[b->n].item = &b->list[b->n].item;
            b->n++;
        }
    }
}

static enum next identify(struct app *app, struct backs *b, struct reason *why) {
    const char **skus = xcalloc(b->n + 1, sizeof *skus);
    struct identity *found = xcalloc(b->n + 1, sizeof *found);
    for (size_t i = 0; i < b->n; i++) {
        skus[i] = b->list[i].sku;
    }
    enum next next = identity_resolve(app, skus, b->n, found, why);
    for (size_t i = 0; next == NEXT_DONE && i < b->n; i++) {
        b->list[i].item = found[i];
    }
    free(found);
    free(skus);
    return next;
}

/* Levels of SKUs that have no usable item any more cannot be read back; their mapping case says so. */
static enum next drop_unusable(struct app *app, struct backs *b, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    size_t kept = 0;
    args_add(&a, "ZREM");
    args_add_key(&a, app->redis, app->mode == MODE_LIVE ? KEY_UNCONFIRMED : KEY_SHADOW_DUE);
    for (size_t i = 0; i < b->n; i++) {
        if (!identity_usable(&b->list[i].item)) {
            args_add(&a, b->list[i].field);
            continue;
        }
        b->list[kept] = b->list[i];
        b->query[kept] = b->query[i];
        b->query[kept].item = &b->list[kept].item;
        kept++;
    }
    enum next next = kept < b->n ? redis_command(app->redis, &a, true, &reply, why) : NEXT_DONE;
    b->n = kept;
    if (reply != NULL) {
        freeReplyObject(reply);
    }
    args_free(&a);
    return next;
}

static enum next report(struct app *app, const struct backs *b, const redisReply *verdicts, struct reason *why) {
    struct args effects = {0};
    size_t confirmed = 0, differs = 0;
    for (size_t i = 0; i < b->n; i++) {
        int64_t verdict = reply_int_at(verdicts, i);
        confirmed += verdict == SEEN_CONFIRMED ? 1 : 0;
        if (verdict == SEEN_DIFFERS) {
            differs++;
            effect_mark(&effects, QUEUE_SKU, b->list[i].sku, 0, "f", "");
            LOG(LOG_WARN, "level differs from what was written; it is written again", {"sku", b->list[i].sku},
                {"location", log_int(b->query[i].location_id)}, {"stored", b->list[i].was},
                {"seen", b->query[i].found ? log_int(b->query[i].level) : "nothing"});
        }
    }
    effect_count(&effects, "levels:confirmed", (int64_t)confirmed);
    effect_count(&effects, "levels:differing", (int64_t)differs);
    enum next next = effects_apply(app->redis, &effects, why);
    args_free(&effects);
    LOG(LOG_INFO, "levels read back", {"outcome", "confirmed"}, {"read", log_int((long long)b->n)},
        {"confirmed", log_int((long long)confirmed)}, {"differing", log_int((long long)differs)});
    return next;
}

static enum next judge(struct app *app, const struct backs *b, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add_int(&a, AGAIN_MS);
    args_add_int(&a, app->set->mapping->confirm_timeout_ms);
    args_add_int(&a, (int64_t)b->n);
    for (size_t i = 0; i < b->n; i++) {
        args_add(&a, b->list[i].field);
        args_add(&a, b->list[i].was);
        if (b->query[i].found) {
            args_add_int(&a, b->query[i].level);
        } else {
            args_add(&a, "0"); /* no row: the level is null and shown as 0 */
        }
    }
    /* Not repeatable: the second answer would be "changed meanwhile" and lose the confirmations. */
    enum next next = redis_fcall(app->redis, "levels_seen", &a, false, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        next = report(app, b, reply, why);
        freeReplyObject(reply);
    }
    return next;
}

static enum next due(struct app *app, redisReply **reply, struct reason *why) {
    struct args a = {0};
    bool live = app->mode == MODE_LIVE;
    args_add_int(&a, live ? LEVELS_PER_ROUND : SHADOW_LEVELS);
    enum next next = redis_fcall(app->redis, live ? "levels_due" : "shadow_due", &a, true, reply, why);
    args_free(&a);
    return next;
}

/* Shadow mode wrote nothing: what BigCommerce shows is somebody else's work. */
static enum next keep_shown(struct app *app, const struct backs *b, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add_int(&a, app->set->mapping->confirm_timeout_ms);
    args_add_int(&a, (int64_t)b->n);
    for (size_t i = 0; i < b->n; i++) {
        args_add(&a, b->list[i].field);
        args_add_int(&a, b->query[i].found ? b->query[i].level : 0);
    }
    enum next next = redis_fcall(app->redis, "shadow_read", &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        LOG(LOG_DEBUG, "levels of shadow mode looked at", {"read", log_int((long long)b->n)},
            {"agree", log_int(reply_int(reply))});
        freeReplyObject(reply);
    }
    return next;
}

static enum next take_back(struct app *app, struct backs *b, struct reason *why) {
    enum next next = identify(app, b, why);
    next = next == NEXT_DONE ? drop_unusable(app, b, why) : next;
    next = next == NEXT_DONE && b->n > 0 ? levels_query(app, b->query, b->n, why) : next;
    if (next == NEXT_DONE && b->n > 0) {
        next = app->mode == MODE_LIVE ? judge(app, b, why) : keep_shown(app, b, why);
    }
    return next;
}

enum next confirm_shadow(struct app *app, int64_t *last_ms, int64_t *wait_ms, struct reason *why) {
    int64_t since = clock_mono_ms() - *last_ms;
    if (*last_ms != 0 && since < SHADOW_EVERY_MS) {
        *wait_ms = SHADOW_EVERY_MS - since;
        return NEXT_DONE;
    }
    enum budget budget = app->budget;
    app->budget = BUDGET_REST;
    enum next next = confirm_levels(app, wait_ms, why);
    app->budget = budget;
    *last_ms = clock_mono_ms();
    if (next == NEXT_DEFER || next == NEXT_PARK) {
        LOG(LOG_INFO, "levels of shadow mode are looked at later", {"cause", why->cause}, {"why", why->text});
        *wait_ms = SHADOW_EVERY_MS;
        next = NEXT_DONE; /* nothing rests on them but a report */
    }
    return next;
}

enum next confirm_levels(struct app *app, int64_t *wait_ms, struct reason *why) {
    redisReply *reply = NULL;
    struct backs b = {.list = xcalloc(LEVELS_PER_ROUND + 1, sizeof *b.list),
                      .query = xcalloc(LEVELS_PER_ROUND + 1, sizeof *b.query)};
    enum next next = due(app, &reply, why);
    if (next == NEXT_DONE) {
        *wait_ms = reply_int_at(reply, 0);
        split(reply, &b);
    }
    if (next == NEXT_DONE && b.n > 0) {
        next = take_back(app, &b, why);
    }
    if (reply != NULL) {
        freeReplyObject(reply);
    }
    free(b.query);
    free(b.list);
    return next;
}
