/* SPDX-License-Identifier: Apache-2.0 */
#include "queue.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "faultpoint.h"
#include "quantity.h"
#include "random.h"
#include "ban.h"

#define BACKOFF_BASE_MS INT64_C(1000)
#define BACKOFF_CAP_MS  (INT64_C(15) * 60 * 1000)
#define CLAIM_CHUNK     100 /* one call blocks Redis for about 20 us per entity */

static void claim_fill(struct claim *c, const redisReply *r) {
    memset(c, 0, sizeof *c);
    c->entity = xstrdup(reply_str_at(r, 0));
    (void)snprintf(c->token, sizeof c->token, "%lld", (long long)reply_int_at(r, 1));
    c->tries = reply_int_at(r, 2);
    if (!int_parse(reply_str_at(r, 3), 0, INT64_MAX, &c->till_ms)) {
        c->till_ms = 0;
    }
    c->hint = xstrdup(reply_str_at(r, 4));
    c->data = xstrdup(reply_str_at(r, 5));
    if (!int_parse(reply_str_at(r, 6), 0, INT64_MAX, &c->since_ms)) {
        c->since_ms = 0;
    }
}

static enum next claim_chunk(struct redis *r, const char *queue, size_t limit, const char *holder, const char *owner,
                             struct claims *c, size_t *got, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, queue);
    args_add_int(&a, (int64_t)limit);
    args_add_int(&a, QUEUE_LEASE_MS);
    args_add_int(&a, QUEUE_TRIES_MAX);
    args_add(&a, owner);
    args_add(&a, holder);
    /* Not repeatable: a second claim would take other entities; the first ones come back when their lease ends. */
    enum next next = redis_fcall(r, "claim", &a, false, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    *got = reply->elements > 0 ? reply->elements - 1 : 0;
    c->wait_ms = reply_int_at(reply, 0);
    if (*got > 0) {
        fault_point_of("queue.claimed.", queue);
        c->list = xrealloc(c->list, c->n + *got, sizeof *c->list);
    }
    for (size_t i = 0; i < *got; i++) {
        claim_fill(&c->list[c->n++], reply->element[i + 1]);
    }
    freeReplyObject(reply);
    return NEXT_DONE;
}

enum next queue_claim(struct redis *r, const char *queue, size_t limit, const char *holder, const char *owner,
                      struct claims *c, struct reason *why) {
    size_t got = 0;
    do {
        size_t chunk = limit - c->n < CLAIM_CHUNK ? limit - c->n : CLAIM_CHUNK;
        enum next next = claim_chunk(r, queue, chunk, holder, owner, c, &got, why);
        if (next != NEXT_DONE) {
            return c->n > 0 ? NEXT_DONE : next;
        }
    } while (got == CLAIM_CHUNK && c->n < limit);
    return NEXT_DONE;
}

enum next queue_due(struct redis *r, const char *queue, size_t *n, int64_t *wait_ms, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, queue);
    enum next next = redis_fcall(r, "due_count", &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        *n = (size_t)reply_int_at(reply, 0);
        *wait_ms = reply_int_at(reply, 1) >= 0 ? reply_int_at(reply, 1) : *wait_ms;
        freeReplyObject(reply);
    }
    return next;
}

void claims_free(struct claims *c) {
    for (size_t i = 0; i < c->n; i++) {
        free(c->list[i].entity);
        free(c->list[i].hint);
        free(c->list[i].data);
    }
    free(c->list);
    memset(c, 0, sizeof *c);
}

static void args_add_claims(struct args *a, const struct claim *list, size_t n) {
    args_add_int(a, (int64_t)n);
    for (size_t i = 0; i < n; i++) {
        args_add(a, list[i].entity);
        args_add(a, list[i].token);
    }
}

/* Calls a function and drops its reply but for counting -1 elements. */
static enum next call_counting(struct redis *r, const char *function, struct args *a, size_t *fenced,
                               struct reason *why) {
    redisReply *reply = NULL;
    enum next next = redis_fcall(r, function, a, true, &reply, why);
    args_free(a);
    if (next != NEXT_DONE) {
        return next;
    }
    size_t lost = reply_int(reply) == -1 ? 1 : 0;
    for (size_t i = 0; i < reply->elements; i++) {
        lost += reply_int_at(reply, i) == -1 ? 1 : 0;
    }
    if (fenced != NULL) {
        *fenced = lost;
    }
    freeReplyObject(reply);
    return NEXT_DONE;
}

enum next queue_complete(struct redis *r, const char *queue, const struct claim *list, size_t n,
                         const struct args *effects, size_t *fenced, struct reason *why) {
    struct args a = {0};
    args_add(&a, queue);
    args_add_claims(&a, list, n);
    if (effects != NULL) {
        args_append(&a, effects);
    }
    fault_point_of("queue.before_complete.", queue);
    enum next next = call_counting(r, "complete", &a, fenced, why);
    fault_point_of("queue.completed.", queue);
    return next;
}

enum next queue_defer(struct redis *r, const char *queue, const struct claim *list, size_t n, int64_t delay_ms,
                      const struct reason *cause, struct reason *why) {
    struct args a = {0};
    args_add(&a, queue);
    args_add_int(&a, delay_ms);
    args_add(&a, cause->not_its_fault ? "0" : "1");
    args_addf(&a, "%s: %s", cause->cause, cause->text);
    args_add_claims(&a, list, n);
    fault_point_of("queue.before_defer.", queue);
    return call_counting(r, "defer", &a, NULL, why);
}

enum next queue_tick(struct redis *r, const char *queue, const struct claim *c, int64_t delay_ms, struct reason *why) {
    struct args a = {0};
    args_add(&a, queue);
    args_add(&a, c->entity);
    args_add(&a, c->token);
    args_add_int(&a, delay_ms);
    fault_point_of("queue.before_tick.", queue);
    return call_counting(r, "tick", &a, NULL, why);
}

enum next queue_extend(struct redis *r, const char *queue, const struct claim *list, size_t n, struct reason *why) {
    struct args a = {0};
    args_add(&a, queue);
    args_add_int(&a, QUEUE_LEASE_MS);
    args_add_claims(&a, list, n);
    return call_counting(r, "extend", &a, NULL, why);
}

enum next queue_recover(struct redis *r, const char *holder, const char *const *queues, int64_t *ended,
                        struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, holder);
    for (size_t i = 0; queues[i] != NULL; i++) {
        args_add(&a, queues[i]);
    }
    enum next next = redis_fcall(r, "recover", &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        *ended = reply_int(reply);
        freeReplyObject(reply);
    }
    return next;
}

int64_t queue_backoff_ms(int64_t tries, const struct reason *cause) {
    int64_t top = BACKOFF_BASE_MS;
    for (int64_t i = 1; i < tries && top < BACKOFF_CAP_MS; i++) {
        top *= 2;
    }
    if (top > BACKOFF_CAP_MS) {
        top = BACKOFF_CAP_MS;
    }
    int64_t delay = 50 + random_below(top);
    return delay > cause->wait_ms ? delay : cause->wait_ms;
}

static void args_add_case(struct args *a, const struct parked *p) {
    args_add(a, p->cause);
    args_add(a, p->owner);
    args_add(a, p->entity);
    args_add(a, p->text);
    args_add(a, p->effect);
    args_add(a, p->step);
    args_add(a, p->queue);
    args_add(a, p->job);
    args_add_bytes(a, p->bytes != NULL ? p->bytes : "", p->bytes != NULL ? p->bytes_len : 0);
}

enum next queue_park(struct redis *r, const char *queue, const struct claim *c, const struct parked *p,
                     struct reason *why) {
    struct args a = {0};
    args_add(&a, queue);
    args_add(&a, c->entity);
    args_add(&a, c->token);
    args_add_case(&a, p);
    fault_point_of("queue.before_park.", queue);
    return call_counting(r, "park", &a, NULL, why);
}

void effect_mark(struct args *a, const char *queue, const char *entity, int64_t till_ms, const char *hint,
                 const char *data) {
    args_add(a, "mark");
    args_add(a, queue);
    args_add(a, entity);
    args_add_int(a, till_ms);
    args_add(a, hint);
    args_add(a, data);
}

void effect_mark_in(struct args *a, const char *queue, const char *entity, int64_t delay_ms, const char *hint) {
    args_add(a, "mark_in");
    args_add(a, queue);
    args_add(a, entity);
    args_add_int(a, delay_ms);
    args_add(a, hint);
}

void effect_case(struct args *a, const struct parked *p) {
    args_add(a, "case");
    args_add_case(a, p);
}

void effect_refused(struct args *a, int64_t location_id, const struct parked *p) {
    args_add(a, "refused");
    args_add_int(a, location_id);
    args_add_case(a, p);
}

void effect_notice(struct args *a, const struct parked *p) {
    args_add(a, "notice");
    args_add_case(a, p);
}

void effect_case_first(struct args *a, const char *op, const struct parked *p) {
    args_add(a, "case_first");
    args_add(a, op);
    args_add_case(a, p);
}

void effect_case_sold(struct args *a, const struct parked *p) {
    args_add(a, "case_sold");
    args_add_case(a, p);
}

void effect_sold(struct args *a, const char *sku) {
    args_add(a, "sold");
    args_add(a, sku);
}

void effect_identified(struct args *a, const char *sku) {
    args_add(a, "identified");
    args_add(a, sku);
}

void effect_close(struct args *a, const char *cause, const char *entity) {
    args_add(a, "close");
    args_addf(a, "%s:%s", cause, entity);
}

void effect_count(struct args *a, const char *name, int64_t n) {
    args_add(a, "count");
    args_add(a, name);
    args_add_int(a, n);
}

void effect_hook_seen(struct args *a, const char *digest) {
    args_add(a, "hook_seen");
    args_add(a, digest);
}

void effect_sale(struct args *a, const char *op, const char *json) {
    args_add(a, "sale");
    args_add(a, op);
    args_add(a, json);
}

void effect_log(struct args *a, const char *op, const char *json) {
    args_add(a, "log");
    args_add(a, op);
    args_add(a, json);
}

void effect_told(struct args *a, const char *source, const char *order) {
    args_add(a, "told");
    args_add(a, source);
    args_add(a, order);
}

void effect_found(struct args *a, const char *op, const char *counter, const char *json) {
    args_add(a, "found");
    args_add(a, op);
    args_add(a, counter);
    args_add(a, json);
}

void effect_order_read(struct args *a, const char *order, const char *digest) {
    args_add(a, "order_read");
    args_add(a, order);
    args_add(a, digest);
}

void effect_returned(struct args *a, int64_t return_id, const char *json) {
    args_add(a, "returned");
    args_add_int(a, return_id);
    args_add(a, json);
}

void effect_hold(struct args *a, const char *op, char side, int64_t warehouse_id, const char *sku,
                 int64_t thousandths) {
    args_add(a, "hold");
    args_add(a, op);
    args_add_bytes(a, &side, 1);
    args_add_int(a, warehouse_id);
    args_add(a, sku);
    args_add_int(a, thousandths);
}

enum next effects_apply(struct redis *r, const struct args *effects, struct reason *why) {
    struct args a = {0};
    if (effects->n == 0) {
        return NEXT_DONE;
    }
    args_append(&a, effects);
    return call_counting(r, "apply", &a, NULL, why);
}
