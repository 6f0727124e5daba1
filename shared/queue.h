/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The due list seen from C: accept, claim, complete, defer, park (shared/lua/20_accept.lua, 30_claim.lua).
 * The job is the entity, not the event; a claim is a lease with a fencing token.
 */
#ifndef ONEPOOL_QUEUE_H
#define ONEPOOL_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "redis.h"

#define QUEUE_LEASE_MS  INT64_C(30000) /* longer than any HTTP time-out plus a margin; extended while work goes on */
#define QUEUE_TRIES_MAX 12

struct claim {
    char *entity;
    char *hint;       /* words separated by spaces */
    char *data;       /* what was handed on with the mark */
    char token[24];   /* fencing token */
    int64_t tries;    /* this attempt included */
    int64_t till_ms;  /* oldest till time behind it, wall clock; 0 = none */
    int64_t since_ms; /* due since */
};

struct claims {
    struct claim *list;
    size_t n;
    int64_t wait_ms; /* until the next entity may be taken; -1 = none is due */
};

/* Takes up to limit entities (appending to c, which starts zeroed). holder: who takes them (app->holder). owner: who
 * gets a poison case. */
enum next queue_claim(struct redis *r, const char *queue, size_t limit, const char *holder, const char *owner,
                      struct claims *c, struct reason *why) NODISCARD;
void claims_free(struct claims *c);

/* How many entities may be taken now; wait_ms (kept if none is due) until the next one may be. */
enum next queue_due(struct redis *r, const char *queue, size_t *n, int64_t *wait_ms, struct reason *why) NODISCARD;

/*
 * Settles n claims; effects (made with effect_*; may be NULL) are applied in the same call, and only if no claim was
 * lost. fenced (may be NULL) says how many were lost to another worker.
 */
enum next queue_complete(struct redis *r, const char *queue, const struct claim *list, size_t n,
                         const struct args *effects, size_t *fenced, struct reason *why) NODISCARD;

/* Gives n claims back, due again after delay_ms. Not counted as an attempt if why->not_its_fault. */
enum next queue_defer(struct redis *r, const char *queue, const struct claim *list, size_t n, int64_t delay_ms,
                      const struct reason *cause, struct reason *why) NODISCARD;

/* Ends the claim of a timer entity: due again after delay_ms, or at once if something marked it meanwhile. */
enum next queue_tick(struct redis *r, const char *queue, const struct claim *c, int64_t delay_ms,
                     struct reason *why) NODISCARD;

/* Prolongs n claims. */
enum next queue_extend(struct redis *r, const char *queue, const struct claim *list, size_t n,
                       struct reason *why) NODISCARD;

/* Ends every lease and permit that `holder` left behind: called by a worker that replaces a dead one. queues:
 * NULL-terminated. */
enum next queue_recover(struct redis *r, const char *holder, const char *const *queues, int64_t *ended,
                        struct reason *why) NODISCARD;

/* Delay before the next attempt: full jitter, base 1 s, cap 15 min; never below cause->wait_ms. */
int64_t queue_backoff_ms(int64_t tries, const struct reason *cause);

/* One parked case: one per cause and entity, with a counter. All texts are for people. */
struct parked {
    const char *cause;       /* cause class, e.g. "unknown_sku" */
    const char *owner;       /* who is to look at it, from the mapping file */
    const char *entity;      /* SKU, "order 11513" ... */
    const char *text;        /* what happened */
    const char *effect;      /* what the customer or the shop notices */
    const char *step;        /* one safe next step */
    const char *queue, *job; /* what becomes due on a retry; "" = nothing */
    const char *bytes;       /* bytes as received or data handed on; may be NULL */
    size_t bytes_len;
};

/* Parks a claim: the case and the completion in one step. */
enum next queue_park(struct redis *r, const char *queue, const struct claim *c, const struct parked *p,
                     struct reason *why) NODISCARD;

/* Effects, appended to args. */
void effect_mark(struct args *a, const char *queue, const char *entity, int64_t till_ms, const char *hint,
                 const char *data);
/* The entity is due after delay_ms; if it waits already, when it was to be. Its data stays. */
void effect_mark_in(struct args *a, const char *queue, const char *entity, int64_t delay_ms, const char *hint);
void effect_case(struct args *a, const struct parked *p);
/* The same without counting an occurrence: for whoever merely notices the cause again. */
void effect_notice(struct args *a, const struct parked *p);
/* A level that BigCommerce refuses at that location; p->entity is the SKU. Ends by itself (shared/lua/70_level.lua). */
void effect_refused(struct args *a, int64_t location_id, const struct parked *p);
/* A case that is made once per operation `op`, and afterwards only kept up to date while it is open. */
void effect_case_first(struct args *a, const char *op, const struct parked *p);
/* For a case that sales raise: counts the sales rung up since effect_sold began to count. p->entity is the SKU. */
void effect_case_sold(struct args *a, const struct parked *p);
/* Counts a sale of a SKU whose BigCommerce item nobody knows yet; ends that count. */
void effect_sold(struct args *a, const char *sku);
void effect_identified(struct args *a, const char *sku);
void effect_close(struct args *a, const char *cause, const char *entity);
void effect_count(struct args *a, const char *name, int64_t n);
/* Remembers a signed call of BigCommerce for 50 hours, see hook_signature.h. */
void effect_hook_seen(struct args *a, const char *digest);
void effect_sale(struct args *a, const char *op, const char *json);
void effect_log(struct args *a, const char *op, const char *json);
void effect_hold(struct args *a, const char *op, char side, int64_t warehouse_id, const char *sku, int64_t thousandths);
/* An event named the order: source is "sitoo" or "bigcommerce". The sweep tells by it what was missed. */
void effect_told(struct args *a, const char *source, const char *order);
/* What only the sweep found: counted, and recorded in the ledger, once per operation. */
void effect_found(struct args *a, const char *op, const char *counter, const char *json);
/* An order of Sitoo was read: digest of one that is open (order_digest), "" of any other. */
void effect_order_read(struct args *a, const char *order, const char *digest);
/* What became of the return (a Sitoo order), see functions/return/report.h. */
void effect_returned(struct args *a, int64_t return_id, const char *json);
/* Applies effects on their own. */
enum next effects_apply(struct redis *r, const struct args *effects, struct reason *why) NODISCARD;

#endif
