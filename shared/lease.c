/* SPDX-License-Identifier: Apache-2.0 */
#include "lease.h"

#include <stdio.h>

#include "buf.h"
#include "redis.h"
#include "ban.h"

enum next lease_take(struct app *app, const char *name, int64_t ttl_ms, struct lease *l, int64_t *wait_ms,
                     struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    *wait_ms = 0;
    l->token[0] = '\0';
    (void)str_copy(l->name, sizeof l->name, name);
    args_add(&a, name);
    args_add(&a, app->holder);
    args_add_int(&a, ttl_ms);
    enum next next = redis_fcall(app->redis, "lease", &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    if (reply_int_at(reply, 0) == 1) {
        (void)snprintf(l->token, sizeof l->token, "%lld", (long long)reply_int_at(reply, 1));
    } else {
        *wait_ms = reply_int_at(reply, 1);
    }
    freeReplyObject(reply);
    return NEXT_DONE;
}

void lease_give(struct app *app, struct lease *l) {
    struct args a = {0};
    struct reason ignored = {0};
    redisReply *reply = NULL;
    if (l->token[0] == '\0') {
        return;
    }
    args_add(&a, l->name);
    args_add(&a, l->token);
    if (redis_fcall(app->redis, "unlease", &a, true, &reply, &ignored) == NEXT_DONE) {
        freeReplyObject(reply);
    }
    args_free(&a);
    l->token[0] = '\0';
}
