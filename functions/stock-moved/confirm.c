/* SPDX-License-Identifier: Apache-2.0 */
#include "confirm.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "keys.h"
#include "log.h"
#include "quantity.h"
#include "queue.h"
#include "write.h"
#include "ban.h"

#define LEVELS_PER_ROUND 1000
#define AGAIN_MS         1000

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
    args_add_key(&a, app->redis, KEY_UNCONFIRMED);
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
    args_add_int(&a, LEVELS_PER_ROUND);
    enum next next = redis_fcall(app->redis, "levels_due", &a, true, reply, why);
    args_free(&a);
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
        next = identify(app, &b, why);
        next = next == NEXT_DONE ? drop_unusable(app, &b, why) : next;
        next = next == NEXT_DONE && b.n > 0 ? levels_query(app, b.query, b.n, why) : next;
        next = next == NEXT_DONE && b.n > 0 ? judge(app, &b, why) : next;
    }
    if (reply != NULL) {
        freeReplyObject(reply);
    }
    free(b.query);
    free(b.list);
    return next;
}
