/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the report in Redis under a digest of what it says: what is accepted is what was seen. */
#include <stdlib.h>
#include <string.h>

#include "baseline.h"
#include "gate.h"
#include "ban.h"

#define DIGESTED_MAX ((size_t)64 * 1024 * 1024) /* 200,000 lines of 300 bytes */
#define CHUNK        ((size_t)2000)

static void digest_of(const struct comparison *c, const struct open_orders *o, const char *mapping, int64_t read_ms,
                      char id[17]) {
    struct buf text;
    buf_init(&text, DIGESTED_MAX);
    buf_addf(&text, "%s %lld\n", mapping, (long long)read_ms);
    for (size_t i = 0; i < c->diff_count; i++) {
        const struct difference *d = &c->diffs[i];
        buf_addf(&text, "%lld|%s %lld %lld\n", (long long)d->location_id, d->sku, (long long)d->was,
                 (long long)d->level);
    }
    for (size_t i = 0; i < o->n; i++) {
        buf_addf(&text, "%lld %s\n", (long long)o->list[i].id, weborder_class_name(o->list[i].class));
    }
    gate_digest(buf_str(&text), id);
    buf_free(&text);
}

static void add_field(struct args *a, const char *name, int64_t n) {
    args_add(a, name);
    args_add_int(a, n);
}

static enum next store_differences(struct baseline *b, const struct comparison *c, struct reason *why) {
    static const char *const names[] = {"diff", NULL}, *const fields[] = {"report", NULL};
    /* Without a report nothing can be accepted while its differences are stored. */
    enum next next = baseline_drop(b, names, fields, why);
    for (size_t at = 0; next == NEXT_DONE && at < c->diff_count; at += CHUNK) {
        struct args rows = {0};
        for (size_t i = at; i < c->diff_count && i < at + CHUNK; i++) {
            const struct difference *d = &c->diffs[i];
            args_addf(&rows, "%lld|%s", (long long)d->location_id, d->sku);
            /* As the writer learns it: a level below 0 counts as 0. */
            args_addf(&rows, "%lld %lld", (long long)(d->was > 0 ? d->was : 0), (long long)d->level);
        }
        next = baseline_put(b, "diff", &rows, &(struct args){0}, why);
        args_free(&rows);
    }
    return next;
}

enum next baseline_report_store(struct baseline *b, const struct comparison *c, const struct open_orders *o,
                                char id[17], struct reason *why) {
    char mapping[24] = "";
    int64_t read_ms = 0;
    struct args a = {0};
    redisReply *reply = NULL;
    enum next next = baseline_get(b, "mapping", mapping, sizeof mapping, why);
    next = next == NEXT_DONE ? baseline_get_int(b, "read_ms", &read_ms, why) : next;
    digest_of(c, o, mapping, read_ms, id);
    next = next == NEXT_DONE ? store_differences(b, c, why) : next;
    if (next != NEXT_DONE) {
        return next;
    }
    args_add(&a, b->token);
    args_add(&a, id);
    add_field(&a, "differences", (int64_t)c->diff_count);
    add_field(&a, "unclassed", (int64_t)open_orders_unclassed(o));
    add_field(&a, "open_orders", (int64_t)o->n);
    add_field(&a, "skus", c->skus);
    add_field(&a, "levels", c->levels);
    add_field(&a, "unmapped", (int64_t)c->unmapped_count);
    next = redis_fcall(b->app->redis, "baseline_report", &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        bool lost = reply_int(reply) < 0;
        freeReplyObject(reply);
        next = lost ? reason_set(why, NEXT_STOP, "fenced", "another onepool baseline has taken over") : NEXT_DONE;
    }
    return next;
}
