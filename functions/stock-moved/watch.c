/* SPDX-License-Identifier: Apache-2.0 */
#include "watch.h"

#include <string.h>

#include "keys.h"
#include "log.h"
#include "queue.h"
#include "shop.h"
#include "ban.h"

#define CAUSE   "shop_settings"
#define LOOK_S  INT64_C(86400)
#define AGAIN_S INT64_C(60)

/* The key holds the token of the writer that looked: a new writer looks again. */
static bool is_time(struct app *app, const char *token) {
    struct args a = {0};
    struct reason why = {0};
    redisReply *reply = NULL;
    args_add(&a, "GET");
    args_add_key(&a, app->redis, KEY_SHOP_CHECKED);
    enum next next = redis_command(app->redis, &a, true, &reply, &why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return false;
    }
    const char *by = reply_str(reply);
    bool time = by == NULL || strcmp(by, token) != 0;
    freeReplyObject(reply);
    return time;
}

static void looked(struct app *app, const char *token, int64_t keep_s) {
    struct args a = {0};
    struct reason why = {0};
    redisReply *reply = NULL;
    args_add(&a, "SET");
    args_add_key(&a, app->redis, KEY_SHOP_CHECKED);
    args_add(&a, token);
    args_add(&a, "EX");
    args_add_int(&a, keep_s);
    if (redis_command(app->redis, &a, true, &reply, &why) == NEXT_DONE) {
        freeReplyObject(reply);
    }
    args_free(&a);
}

static void add_finding(const struct app *app, const struct shop_finding *f, struct args *effects) {
    const struct parked p = {.cause = CAUSE,
                             .owner = app->set->mapping->owner_stock,
                             .entity = f->entity,
                             .text = f->text,
                             .effect = f->effect,
                             .step = f->todo,
                             .queue = "",
                             .job = ""};
    if (f->right) {
        effect_close(effects, CAUSE, f->entity);
    } else {
        effect_case(effects, &p);
        LOG(LOG_ALARM, "a setting of the store is wrong", {"setting", f->entity}, {"why", f->text});
    }
}

void watch_shop(struct app *app, const char *token) {
    struct shop shop;
    struct reason why = {0};
    struct args effects = {0};
    enum budget before = app->budget;
    if (!is_time(app, token)) {
        return;
    }
    app->budget = BUDGET_REST;
    enum next next = shop_read(app, &shop, &why);
    app->budget = before;
    if (next == NEXT_DONE) {
        for (size_t i = 0; i < shop.n; i++) {
            add_finding(app, &shop.list[i], &effects);
        }
        next = effects_apply(app->redis, &effects, &why);
    }
    if (next != NEXT_DONE) {
        LOG(LOG_WARN, "the store's settings could not be looked at; trying again", {"cause", why.cause},
            {"why", why.text});
    }
    looked(app, token, next == NEXT_DONE ? LOOK_S : AGAIN_S);
    args_free(&effects);
}
