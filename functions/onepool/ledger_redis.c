/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_source.h, from Redis. */
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "keys.h"
#include "ledger_source.h"
#include "quantity.h"
#include "ban.h"

#define PAGE      500
#define KEEP_DAYS 90 /* as in shared/lua/00_common.lua */
#define KEEP_MAX  36500

enum next ledger_head_read(struct app *app, struct ledger_head *h, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "HMGET");
    args_add_key(&a, app->redis, KEY_LEDGER_CHAIN);
    args_add(&a, "n");
    args_add(&a, "head");
    args_add(&a, "days");
    args_add(&a, "cut_ms");
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    *h = (struct ledger_head){.days = KEEP_DAYS};
    h->known = int_parse(reply_str_at(reply, 0), 1, INT64_MAX, &h->n) && reply_str_at(reply, 1) != NULL &&
               str_copy(h->head, sizeof h->head, reply_str_at(reply, 1));
    if (!int_parse(reply_str_at(reply, 2), 1, KEEP_MAX, &h->days)) {
        h->days = KEEP_DAYS;
    }
    if (!int_parse(reply_str_at(reply, 3), 0, INT64_MAX, &h->cut_ms)) {
        h->cut_ms = 0;
    }
    freeReplyObject(reply);
    return NEXT_DONE;
}

/* id, then its fields: any order, and others among them are left alone. */
static bool entry_of(const redisReply *r, struct ledger_entry *e) {
    const redisReply *fields = r->elements > 1 ? r->element[1] : NULL, *row = NULL;
    const char *c = NULL;
    for (size_t k = 0; fields != NULL && k + 1 < fields->elements; k += 2) {
        const char *name = reply_str_at(fields, k);
        if (name != NULL && strcmp(name, "row") == 0) {
            row = fields->element[k + 1];
        } else if (name != NULL && strcmp(name, "c") == 0) {
            c = reply_str_at(fields, k + 1);
        }
    }
    return ledger_entry_set(e, reply_str_at(r, 0), c, row != NULL ? row->str : "", row != NULL ? row->len : 0);
}

enum next ledger_read_redis(struct app *app, char from[LEDGER_ID_SIZE + 1], const char *to, ledger_take *take,
                            void *arg, struct reason *why) {
    for (size_t n = PAGE; n == PAGE;) {
        struct args a = {0};
        redisReply *reply = NULL;
        args_add(&a, "XRANGE");
        args_add_key(&a, app->redis, KEY_LEDGER);
        args_add(&a, from);
        args_add(&a, to);
        args_add(&a, "COUNT");
        args_add_int(&a, PAGE);
        if (stop_requested()) {
            args_free(&a);
            return reason_set(why, NEXT_STOP, "stopping", "told to stop");
        }
        enum next next = redis_command(app->redis, &a, true, &reply, why);
        args_free(&a);
        if (next != NEXT_DONE) {
            return next;
        }
        n = reply->elements;
        for (size_t i = 0; i < reply->elements; i++) {
            struct ledger_entry e;
            if (!entry_of(reply->element[i], &e)) {
                next = reason_set(why, NEXT_BUG, "ledger", "Redis gave an entry of the ledger without a usable id");
            } else {
                (void)snprintf(from, LEDGER_ID_SIZE + 1, "(%s", e.id);
                n = take(arg, &e) ? n : 0;
            }
            if (next != NEXT_DONE || n == 0) {
                freeReplyObject(reply);
                return next;
            }
        }
        freeReplyObject(reply);
    }
    return NEXT_DONE;
}
