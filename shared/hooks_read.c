/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "gate.h"
#include "hooks_repair.h"
#include "json.h"
#include "keys.h"
#include "platform.h"
#include "quantity.h"
#include "ban.h"

#define PAGE      250
#define PAGES_MAX 40 /* 10,000 webhooks: far beyond ten for each scope there is */

static enum next bad(const char *path, int status, struct reason *why) {
    return reason_set(why, NEXT_DEFER, "bad_hooks", "BigCommerce answered %d to %s without what was asked for", status,
                      path);
}

/* Moves the elements of data behind those of list. False if the page begins as the one before did: pages are not
 * heeded. */
static bool take_page(cJSON *list, cJSON *data, int64_t *first) {
    int64_t id = 0;
    bool fresh = json_id(cJSON_GetArrayItem(data, 0), "id", &id) && id != *first;
    *first = id;
    while (fresh && cJSON_GetArraySize(data) > 0) {
        (void)cJSON_AddItemToArray(list, cJSON_DetachItemFromArray(data, 0));
    }
    return fresh;
}

/* meta.pagination tells how many pages there are; where it is missing, an empty page is the last one. */
static enum next read_list(struct app *app, cJSON *list, struct reason *why) {
    bool more = true;
    int64_t first = 0, pages = 0;
    for (int page = 1; more && page <= PAGES_MAX; page++) {
        char path[64];
        struct answer answer;
        (void)snprintf(path, sizeof path, "/v3/hooks?limit=%d&page=%d", PAGE, page);
        enum next next = bigcommerce_get(app, path, &answer, why);
        if (next != NEXT_DONE) {
            return next;
        }
        cJSON *data = cJSON_GetObjectItemCaseSensitive(answer.json, "data");
        const cJSON *pagination = json_get(json_get(answer.json, "meta"), "pagination");
        if (!cJSON_IsArray(data)) {
            next = bad(path, answer.status, why);
        } else {
            more = cJSON_GetArraySize(data) > 0 && take_page(list, data, &first) &&
                   !(json_int(pagination, "total_pages", &pages) && page >= pages);
        }
        answer_free(&answer);
        if (next != NEXT_DONE) {
            return next;
        }
    }
    return NEXT_DONE;
}

static enum next read_admin(struct app *app, cJSON **admin, struct reason *why) {
    static const char path[] = "/v3/hooks/admin";
    struct answer answer;
    enum next next = bigcommerce_get(app, path, &answer, why);
    if (next != NEXT_DONE) {
        return next;
    }
    cJSON *data = cJSON_DetachItemFromObjectCaseSensitive(answer.json, "data");
    if (!cJSON_IsObject(data)) {
        next = bad(path, answer.status, why);
        cJSON_Delete(data);
    } else {
        *admin = data;
    }
    answer_free(&answer);
    return next;
}

enum next hooks_read(struct app *app, struct hooks_view *view, struct reason *why) {
    memset(view, 0, sizeof *view);
    view->list = cJSON_CreateArray();
    enum next next = read_list(app, view->list, why);
    next = next == NEXT_DONE ? read_admin(app, &view->admin, why) : next;
    if (next == NEXT_DONE) {
        hooks_compare(view, app->set);
    }
    return next;
}

enum next hooks_known(struct app *app, int64_t known_ms[HOOKS_WANTED], struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "HMGET");
    args_add_key(&a, app->redis, KEY_HOOKS);
    for (size_t i = 0; i < HOOKS_WANTED; i++) {
        args_addf(&a, "good:%s", hooks_wanted[i].scope);
    }
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    for (size_t i = 0; i < HOOKS_WANTED; i++) {
        if (!int_parse(reply_str_at(reply, i), 0, INT64_MAX, &known_ms[i])) {
            known_ms[i] = 0;
        }
    }
    freeReplyObject(reply);
    return NEXT_DONE;
}

/* Right enough that events come in. */
static bool good(const struct hooks_line *l) {
    return !l->unused && (l->wrong & ~(unsigned)(HOOKS_OLD_HEADER | HOOKS_TWICE)) == 0;
}

enum next hooks_note(struct app *app, const struct hooks_view *view, struct reason *why) {
    struct args scopes = {0}, a = {0}, intents = {0};
    redisReply *replies[2] = {NULL, NULL};
    args_add(&intents, "HDEL");
    args_add_key(&intents, app->redis, KEY_INTENTS);
    for (size_t i = 0; i < HOOKS_WANTED; i++) {
        if (good(&view->lines[i])) {
            args_add(&scopes, view->lines[i].wanted->scope);
            args_addf(&intents, HOOKS_INTENT "%s", view->lines[i].wanted->scope);
        }
    }
    enum next next = NEXT_DONE;
    if (scopes.n > 0) {
        args_add_int(&a, (int64_t)scopes.n);
        args_append(&a, &scopes);
        next = redis_fcall(app->redis, "hooks_good", &a, true, &replies[0], why);
        next = next == NEXT_DONE ? redis_command(app->redis, &intents, true, &replies[1], why) : next;
    }
    for (size_t i = 0; i < 2; i++) {
        if (replies[i] != NULL) {
            freeReplyObject(replies[i]);
        }
    }
    args_free(&scopes);
    args_free(&intents);
    args_free(&a);
    return next;
}
