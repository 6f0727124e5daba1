/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <string.h>

#include "quantity.h"
#include "ban.h"

#define SCAN_COUNT 500

enum next stream_page(struct app *app, const char *key, const char *from, const char *to, int64_t n, redisReply **reply,
                      struct reason *why) {
    struct args a = {0};
    args_add(&a, "XRANGE");
    args_add_key(&a, app->redis, key);
    args_add(&a, from);
    args_add(&a, to);
    args_add(&a, "COUNT");
    args_add_int(&a, n);
    enum next next = redis_command(app->redis, &a, true, reply, why);
    args_free(&a);
    return next;
}

const redisReply *stream_field(const redisReply *entry, const char *name) {
    const redisReply *fields = entry != NULL && entry->elements > 1 ? entry->element[1] : NULL;
    for (size_t i = 0; fields != NULL && i + 1 < fields->elements; i += 2) {
        if (reply_str_at(fields, i) != NULL && strcmp(reply_str_at(fields, i), name) == 0) {
            return fields->element[i + 1];
        }
    }
    return NULL;
}

const char *stream_text(const redisReply *entry, const char *name) {
    const redisReply *field = stream_field(entry, name);
    return field != NULL && field->str != NULL ? field->str : "";
}

bool stream_id(const char *text, int64_t *ms, int64_t *number) {
    char first[24];
    const char *dash = text != NULL ? strchr(text, '-') : NULL;
    if (dash == NULL || (size_t)(dash - text) >= sizeof first) {
        return false;
    }
    memcpy(first, text, (size_t)(dash - text));
    first[dash - text] = '\0';
    return int_parse(first, 0, INT64_MAX, ms) && int_parse(dash + 1, 0, INT64_MAX, number);
}

enum next stream_hash(struct app *app, const char *key, stream_take *take, void *arg, struct reason *why) {
    char cursor[REDIS_CURSOR_SIZE] = "";
    enum next next = NEXT_DONE;
    do {
        redisReply *reply = NULL;
        next = redis_hash_page(app->redis, key, SCAN_COUNT, cursor, &reply, why);
        if (next != NEXT_DONE) {
            return next;
        }
        const redisReply *list = reply->element[1];
        for (size_t i = 0; next == NEXT_DONE && i + 1 < list->elements; i += 2) {
            if (reply_str_at(list, i) != NULL && reply_str_at(list, i + 1) != NULL) {
                next = take(arg, reply_str_at(list, i), reply_str_at(list, i + 1), why);
            }
        }
        freeReplyObject(reply);
        if (next == NEXT_DONE && stop_requested()) {
            why->not_its_fault = true;
            next = reason_set(why, NEXT_DEFER, "stopping", "it was told to stop");
        }
    } while (next == NEXT_DONE && !redis_hash_ended(cursor));
    return next;
}
