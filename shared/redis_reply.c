/* SPDX-License-Identifier: Apache-2.0 */
#include "redis.h"

#include <stdint.h>

#include "quantity.h"
#include "ban.h"

static const redisReply *element(const redisReply *r, size_t i) {
    return r != NULL && r->type == REDIS_REPLY_ARRAY && i < r->elements ? r->element[i] : NULL;
}

/* A number may travel as text: Redis stores text, and Lua's numbers lose digits beyond 2^53. */
int64_t reply_int(const redisReply *r) {
    int64_t n = 0;
    if (r != NULL && r->type == REDIS_REPLY_INTEGER) {
        return r->integer;
    }
    const char *text = reply_str(r);
    return text != NULL && int_parse(text, INT64_MIN, INT64_MAX, &n) ? n : 0;
}

int64_t reply_int_at(const redisReply *r, size_t i) {
    return reply_int(element(r, i));
}

const char *reply_str(const redisReply *r) {
    return r != NULL && (r->type == REDIS_REPLY_STRING || r->type == REDIS_REPLY_STATUS) ? r->str : NULL;
}

const char *reply_str_at(const redisReply *r, size_t i) {
    return reply_str(element(r, i));
}

void redis_pipeline_free(struct args *cmds, redisReply **replies, size_t n) {
    for (size_t i = 0; i < n; i++) {
        args_free(&cmds[i]);
        if (replies[i] != NULL) {
            freeReplyObject(replies[i]);
            replies[i] = NULL;
        }
    }
}
