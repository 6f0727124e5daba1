/* SPDX-License-Identifier: Apache-2.0 */
#include "redis.h"

#include <string.h>

#include "buf.h"
#include "quantity.h"
#include "ban.h"

enum next redis_hash_page(struct redis *r, const char *key, int64_t count, char cursor[REDIS_CURSOR_SIZE],
                          redisReply **reply, struct reason *why) {
    struct args a = {0};
    args_add(&a, "HSCAN");
    args_add_key(&a, r, key);
    args_add(&a, cursor[0] != '\0' ? cursor : "0");
    args_add(&a, "COUNT");
    args_add_int(&a, count);
    enum next next = redis_command(r, &a, true, reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    const char *at = reply_str_at(*reply, 0);
    if (at == NULL || !str_copy(cursor, REDIS_CURSOR_SIZE, at) || (*reply)->elements != 2) {
        freeReplyObject(*reply);
        *reply = NULL;
        return reason_set(why, NEXT_BUG, "redis", "HSCAN %s: the answer is not a cursor and a list", key);
    }
    return NEXT_DONE;
}

bool redis_hash_ended(const char *cursor) {
    return strcmp(cursor, "0") == 0;
}

enum next redis_time(struct redis *r, int64_t *ms, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    int64_t s = 0, us = 0;
    args_add(&a, "TIME");
    enum next next = redis_command(r, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        (void)int_parse(reply_str_at(reply, 0), 0, INT64_MAX, &s);
        (void)int_parse(reply_str_at(reply, 1), 0, INT64_MAX, &us);
        *ms = s * 1000 + us / 1000;
        freeReplyObject(reply);
    }
    return next;
}
