/* SPDX-License-Identifier: Apache-2.0 */
#include "writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aof.h"
#include "buf.h"
#include "clock.h"
#include "confirm.h"
#include "epoch.h"
#include "facts.h"
#include "faultpoint.h"
#include "golive.h"
#include "hooks.h"
#include "json.h"
#include "keys.h"
#include "lease.h"
#include "ledger.h"
#include "log.h"
#include "mode.h"
#include "platform.h"
#include "queue.h"
#include "rebuild.h"
#include "watch.h"
#include "weborders.h"
#include "worker.h"
#include "write.h"
#include "ban.h"

#define LEASE_MS         INT64_C(30000)
#define HANDED_PER_ROUND 1000
#define SKUS_PER_ROUND   1000
#define CALLS_PER_ROUND  3 /* of BigCommerce: web orders, write, read back */
#define PACE_STEP_MS     INT64_C(500)
#define GATHER_PER_SKU   10   /* ms: a round of few SKUs is followed at once, one of many by a pause to gather more */
#define GATHER_MAX_MS    800  /* what a rush may add to a sale's lag */
#define CONFIRM_MAX_MS   3000 /* while SKUs keep coming, levels are read back no more often */
#define VERIFY_SKUS      400  /* one call's worth */

/* What the process keeps between rounds: app->state. */
struct writer {
    struct epoch epoch; /* what Redis held when it was last asked */
    struct aof aof;     /* whether its file is known to be good */
    bool short_known;   /* no place was short when this process last looked, and it was the writer since */
    char round[24];     /* the token with which the round began: a lease lost and taken again is another one */
    char token[24];     /* of the writer lease; "" = not ours */
    int64_t taken_ms;   /* monotonic: lease taken or extended */
    uint64_t
        recovered;     /* failures and connections of Redis, when writes without a known outcome were last looked for */
    int64_t orders_ms; /* monotonic: web orders last read */
    int64_t round_ms;  /* monotonic: last round of SKUs began */
    int64_t gather_ms; /* how long SKUs gather before the next one */
    int64_t confirm_ms; /* monotonic: levels last read back */
    int64_t shadow_ms;  /* monotonic: the same in shadow mode */
};

static struct writer *writer_of(struct app *app) {
    if (app->state == NULL) {
        app->state = xcalloc(1, sizeof(struct writer));
    }
    return app->state;
}

/* ---- lease ---- */

static enum next take_lease(struct app *app, bool *ours, int64_t *wait_ms, struct reason *why) {
    struct writer *w = writer_of(app);
    struct lease lease;
    enum next next = lease_take(app, WRITER_LEASE, LEASE_MS, &lease, wait_ms, why);
    if (next != NEXT_DONE) {
        return next;
    }
    *ours = lease.token[0] != '\0';
    if (!*ours) {
        w->token[0] = '\0';
        return NEXT_DONE;
    }
    w->taken_ms = clock_mono_ms();
    if (strcmp(lease.token, w->token) != 0) {
        LOG(LOG_INFO, "this process is the store's writer now", {"token", lease.token});
        next = write_recover(app, why);
        if (next == NEXT_DONE) {
            (void)str_copy(w->token, sizeof w->token, lease.token);
            w->short_known = false;
        }
    }
    return next;
}

/* Between rounds no write of ours is under way. If Redis failed or was away in one, its intent may still be open, and
 * nobody takes over from a writer that lives. */
static enum next recover_own(struct app *app, struct reason *why) {
    struct writer *w = writer_of(app);
    uint64_t now = app->unclosed + redis_connections(app->redis);
    if (now == w->recovered) {
        return NEXT_DONE;
    }
    enum next next = write_recover(app, why);
    w->recovered = next == NEXT_DONE ? now : w->recovered;
    return next;
}

/* Runs beside whatever is kept already while calls are made: the writer lease too must not end in the middle. */
struct keeper {
    struct app *app;
    struct worker_hold hold;
};

static bool keep_writer(void *arg) {
    struct app *app = arg;
    const struct writer *w = writer_of(app);
    struct reason why = {0};
    bool ours = true;
    int64_t wait = 0;
    if (clock_mono_ms() - w->taken_ms > LEASE_MS / 3 && take_lease(app, &ours, &wait, &why) == NEXT_DONE && !ours) {
        return false;
    }
    return clock_mono_ms() - w->taken_ms < LEASE_MS && strcmp(w->round, w->token) == 0;
}

static void round_begin(struct app *app) {
    struct writer *w = writer_of(app);
    (void)str_copy(w->round, sizeof w->round, w->token);
}

static bool keep_both(void *arg) {
    struct keeper *k = arg;
    return keep_writer(k->app) && worker_hold_keep(&k->hold);
}

static void keep_begin(struct keeper *k, struct app *app, const char *queue, const struct claims *claims) {
    k->app = app;
    round_begin(app);
    worker_hold_begin(&k->hold, app, queue, claims);
    app->keep = keep_both;
    app->keep_arg = k;
}

void writer_leave(struct app *app) {
    struct lease lease = {.name = WRITER_LEASE};
    (void)str_copy(lease.token, sizeof lease.token, writer_of(app)->token);
    lease_give(app, &lease);
    epoch_leave(app, &writer_of(app)->epoch);
    free(app->state);
    app->state = NULL;
}

/* ---- ledger and web orders, by the queue's only entity ---- */

/* Wrong on purpose, where a test says so (faultpoint.h). */
static bool blind(struct app *app) {
    return fault_planted("pending") && strcmp(writer_of(app)->epoch.state, "lossy") == 0;
}

static enum next read_orders(struct app *app, struct reason *why) {
    return blind(app) ? NEXT_DONE : weborders_refresh(app, why);
}

/* Web orders are read before every write anyway; here only so that those without a till sale are seen. */
static enum next orders_when_due(struct app *app, struct reason *why) {
    struct writer *w = writer_of(app);
    if (w->orders_ms != 0 && clock_mono_ms() - w->orders_ms < LEDGER_POLL_MS - 1000) {
        return NEXT_DONE;
    }
    enum next next = read_orders(app, why);
    if (next == NEXT_DONE) {
        w->orders_ms = clock_mono_ms();
    }
    return next;
}

static void report_read(const char *what, enum next next, const struct reason *why) {
    if (next != NEXT_DONE) {
        LOG(LOG_WARN, "reading failed; trying again", {"outcome", "deferred"}, {"what", what}, {"cause", why->cause},
            {"why", why->text});
    }
}

static enum next read_feeds(struct app *app, const struct claims *claims, struct reason *why) {
    struct keeper keeper;
    struct reason ledger = {0}, orders = {0};
    keep_begin(&keeper, app, QUEUE_LEDGER, claims);
    enum next first = ledger_read(app, &ledger);
    enum next second = orders_when_due(app, &orders);
    watch_shop(app, writer_of(app)->token);
    worker_hold_end(&keeper.hold);
    report_read("ledger", first, &ledger);
    report_read("web orders", second, &orders);
    int64_t delay = LEDGER_POLL_MS;
    if (first != NEXT_DONE || second != NEXT_DONE) {
        delay = ledger.wait_ms > orders.wait_ms ? ledger.wait_ms : orders.wait_ms;
        delay = delay < 1000 ? 1000 : delay;
    }
    return queue_tick(app->redis, QUEUE_LEDGER, &claims->list[0], delay, why);
}

static enum next timer_work(struct app *app, int64_t *wait_ms, struct reason *why) {
    struct claims claims = {0};
    enum next next =
        queue_claim(app->redis, QUEUE_LEDGER, 1, app->holder, app->set->mapping->owner_stock, &claims, why);
    *wait_ms = claims.wait_ms >= 0 ? claims.wait_ms : 0;
    if (next == NEXT_DONE && claims.n > 0) {
        *wait_ms = 0;
        next = read_feeds(app, &claims, why);
    } else if (next == NEXT_DONE && claims.wait_ms < 0) {
        struct args mark = {0}; /* the first start makes the timer */
        effect_mark(&mark, QUEUE_LEDGER, "main", 0, "", "");
        next = effects_apply(app->redis, &mark, why);
        args_free(&mark);
    }
    claims_free(&claims);
    return next;
}

/* ---- SKUs ---- */

static void end_claims(struct app *app, const struct facts *f, enum next next, const struct reason *why) {
    struct claim *done = xcalloc(f->n + 1, sizeof *done), *later = xcalloc(f->n + 1, sizeof *later);
    size_t done_count = 0, later_count = 0, fenced = 0;
    struct reason redis = {0};
    for (size_t i = 0; i < f->n; i++) {
        if (f->list[i].settled || f->list[i].next == NEXT_DONE) {
            done[done_count++] = *f->list[i].claim;
        } else {
            later[later_count++] = *f->list[i].claim;
        }
    }
    if (done_count > 0 && queue_complete(app->redis, QUEUE_SKU, done, done_count, NULL, &fenced, &redis) != NEXT_DONE) {
        LOG(LOG_WARN, "SKUs not completed; they come again", {"n", log_int((long long)done_count)},
            {"why", redis.text});
    }
    if (later_count > 0) {
        struct reason cause = *why;
        cause.not_its_fault = cause.not_its_fault || next == NEXT_STOP;
        worker_unsettled(app, QUEUE_SKU, later, later_count, NEXT_DEFER, &cause, app->set->mapping->owner_stock);
    }
    free(later);
    free(done);
}

static enum next refresh_orders(struct app *app, struct facts *f, struct reason *why) {
    enum next next = read_orders(app, why);
    if (next == NEXT_DONE) {
        writer_of(app)->orders_ms = clock_mono_ms();
        next = facts_recall(app, f, why);
    }
    return next;
}

/* Order of reads: Sitoo first, then the web orders. An order reserved in between is subtracted twice for a moment (too
 * low, healed by the next write); the other way round would sell what is gone. Where nothing is to be written by what
 * is known, web orders are left to their own poll, which makes what they change due. */
static enum next process(struct app *app, struct facts *f, struct reason *why) {
    enum next next = facts_identify(app, f, why);
    next = next == NEXT_DONE ? facts_stock(app, f, why) : next;
    next = next == NEXT_DONE && app->mode == MODE_LIVE ? facts_short(app, f, &writer_of(app)->short_known, why) : next;
    next = next == NEXT_DONE ? facts_recall(app, f, why) : next;
    if (next == NEXT_DONE && write_needed(f)) {
        next = refresh_orders(app, f, why);
    }
    next = next == NEXT_DONE ? write_levels(app, f, writer_of(app)->round, why) : next;
    struct reason cases = {0};
    if (effects_apply(app->redis, &f->effects, &cases) != NEXT_DONE) {
        LOG(LOG_WARN, "cases not stored; they are found again", {"why", cases.text});
    }
    return next;
}

static enum next sku_work(struct app *app, size_t *n, int64_t *wait_ms, struct reason *why) {
    struct claims claims = {0};
    struct facts facts;
    struct keeper keeper;
    enum next next =
        queue_claim(app->redis, QUEUE_SKU, SKUS_PER_ROUND, app->holder, app->set->mapping->owner_stock, &claims, why);
    *n = claims.n;
    *wait_ms = claims.wait_ms;
    if (next == NEXT_DONE && claims.n > 0) {
        int64_t start = clock_mono_ms();
        writer_of(app)->round_ms = start;
        writer_of(app)->gather_ms = (int64_t)claims.n * GATHER_PER_SKU;
        keep_begin(&keeper, app, QUEUE_SKU, &claims);
        facts_init(&facts, app->set->mapping, &claims);
        next = process(app, &facts, why);
        end_claims(app, &facts, next, why);
        facts_free(&facts);
        worker_hold_end(&keeper.hold);
        LOG(LOG_INFO, "round", {"outcome", next_name(next)}, {"skus", log_int((long long)claims.n)},
            {"took_ms", log_int(clock_mono_ms() - start)});
        next = next == NEXT_STOP && !stop_requested() ? NEXT_DEFER : NEXT_DONE;
    }
    claims_free(&claims);
    return next;
}

static void sooner(int64_t *wait_ms, int64_t candidate) {
    if (candidate >= 0 && candidate < *wait_ms) {
        *wait_ms = candidate;
    }
}

static enum next confirm(struct app *app, int64_t *wait_ms, struct reason *why) {
    struct keeper keeper;
    const struct claims none = {0};
    keep_begin(&keeper, app, QUEUE_SKU, &none);
    enum next next = app->mode == MODE_LIVE ? confirm_levels(app, wait_ms, why)
                                            : confirm_shadow(app, &writer_of(app)->shadow_ms, wait_ms, why);
    worker_hold_end(&keeper.hold);
    return next;
}

/* Levels are read back when nothing else is to do; in a rush now and then, many in a call. */
static enum next confirm_when_due(struct app *app, bool busy, int64_t *wait_ms, struct reason *why) {
    struct writer *w = writer_of(app);
    if (busy && w->confirm_ms != 0 && clock_mono_ms() - w->confirm_ms < CONFIRM_MAX_MS) {
        *wait_ms = 0;
        return NEXT_DONE;
    }
    w->confirm_ms = clock_mono_ms();
    return confirm(app, wait_ms, why);
}

/* True stock of what was computed from the ledger: at the lowest priority. */
static enum next verify(struct app *app, bool busy, int64_t *wait_ms, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    *wait_ms = -1;
    if (busy) {
        return NEXT_DONE;
    }
    args_add_int(&a, VERIFY_SKUS);
    enum next next = redis_fcall(app->redis, "verify_take", &a, false, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        *wait_ms = reply_int_at(reply, 0) > 0 ? 0 : reply_int_at(reply, 1);
        freeReplyObject(reply);
    }
    return next;
}

static enum next go_live(struct app *app, struct reason *why) {
    round_begin(app);
    app->keep = keep_writer; /* no claim is held, so nothing but the lease limits its time */
    app->keep_arg = app;
    enum next next = golive_begin(app, why);
    app->keep = NULL;
    app->keep_arg = NULL;
    return next;
}

/* After Redis lost data: nothing is written from what is left of it. */
static enum next rebuild_first(struct app *app, struct reason *why) {
    round_begin(app);
    app->keep = keep_writer;
    app->keep_arg = app;
    enum next next = rebuild(app, &writer_of(app)->epoch, why);
    app->keep = NULL;
    app->keep_arg = NULL;
    return next;
}

/* Reservations of web orders that were seen in Sitoo: before Sitoo is read, so that no level misses both. */
static enum next take_handed(struct app *app, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add_int(&a, HANDED_PER_ROUND);
    enum next next = redis_fcall(app->redis, "handed_take", &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}

/* What one process does while it is the writer. The mode stays what it is until the next round. */
static enum next one_round(struct app *app, int64_t *wait_ms, struct reason *why) {
    int64_t wait = 0;
    size_t skus = 0, hooks = 0;
    enum next next = mode_refresh(app, why);
    if (next == NEXT_DONE && app->go_live) {
        next = go_live(app, why);
    }
    next = next == NEXT_DONE ? timer_work(app, &wait, why) : next;
    sooner(wait_ms, wait);
    next = next == NEXT_DONE ? take_handed(app, why) : next;
    if (next == NEXT_DONE) {
        next = sku_work(app, &skus, &wait, why);
        sooner(wait_ms, skus > 0 ? 0 : wait);
    }
    if (next == NEXT_DONE) {
        next = hooks_work(app, &hooks, why);
        sooner(wait_ms, hooks > 0 ? 0 : -1);
    }
    if (next == NEXT_DONE) {
        next = confirm_when_due(app, skus > 0, &wait, why);
        sooner(wait_ms, wait);
    }
    if (next == NEXT_DONE) {
        next = verify(app, skus > 0, &wait, why);
        sooner(wait_ms, wait);
    }
    return next;
}

/* How long the next round should wait: for the quota's sake, and in a rush for more SKUs to share its calls. */
static enum next pace(struct app *app, int64_t *wait_ms, struct reason *why) {
    const struct writer *w = writer_of(app);
    enum next next = bigcommerce_pace(app, CALLS_PER_ROUND, wait_ms, why);
    int64_t gather = (w->gather_ms < GATHER_MAX_MS ? w->gather_ms : GATHER_MAX_MS) - (clock_mono_ms() - w->round_ms);
    if (next == NEXT_DONE && w->round_ms != 0 && gather > *wait_ms) {
        *wait_ms = gather;
    }
    return next;
}

enum next writer_work(struct app *app, int64_t *wait_ms, struct reason *why) {
    bool ours = false;
    int64_t wait = 0;
    enum next next = epoch_check(app, &writer_of(app)->epoch, why);
    next = next == NEXT_DONE ? take_lease(app, &ours, &wait, why) : next;
    if (next != NEXT_DONE || !ours) {
        *wait_ms = wait > 0 && wait < 500 ? wait : 500;
        return next;
    }
    aof_keep_whole(app, &writer_of(app)->aof);
    if (strcmp(writer_of(app)->epoch.state, "whole") != 0 && !blind(app)) {
        next = rebuild_first(app, why);
        if (next != NEXT_DONE) {
            return next;
        }
    }
    next = recover_own(app, why);
    next = next == NEXT_DONE ? pace(app, &wait, why) : next;
    if (next == NEXT_DONE && wait > 0) {
        /* What comes meanwhile is taken together. Wake-ups are of no use before. */
        (void)app_sleep(app, wait < PACE_STEP_MS ? wait : PACE_STEP_MS);
        *wait_ms = 0;
        return NEXT_DONE;
    }
    return next == NEXT_DONE ? one_round(app, wait_ms, why) : next;
}

/* ---- invoke ---- */

static void plan_sku(struct app *app, const char *sku, struct args *effects) {
    cJSON *o = json_new_object();
    json_add_str(o, "sku", sku);
    json_add_str(o, "act", "compute and write its levels");
    char *text = json_print(o);
    app->trace("plan", text);
    free(text);
    cJSON_Delete(o);
    effect_mark(effects, QUEUE_SKU, sku, 0, "f", "");
}

static enum next plan_payload(struct app *app, const char *payload, size_t len, struct args *effects,
                              struct reason *why) {
    char error[120], line[160];
    int64_t product = 0, variant = 0;
    const cJSON *sku = NULL;
    cJSON *json = json_read(payload, len, error, sizeof error);
    const cJSON *data = json_get(json, "data"), *skus = json_array(json, "skus");
    enum next next = NEXT_DONE;
    (void)json_id(data, "variant_id", &variant);
    if (json == NULL) {
        next = reason_set(why, NEXT_PARK, "payload", "the payload is not JSON: %s", error);
    } else if (json_id(data, "product_id", &product)) {
        (void)snprintf(line, sizeof line, "{\"item\":\"%lld:%lld\",\"act\":\"read its levels back\"}",
                       (long long)product, (long long)variant);
        app->trace("plan", line);
        (void)snprintf(line, sizeof line, "%lld:%lld", (long long)product, (long long)variant);
        effect_mark(effects, QUEUE_ITEM, line, 0, "", "");
    } else if (skus == NULL) {
        next = reason_set(why, NEXT_PARK, "payload", "give a stock_changed hook, or {\"skus\":[\"A\"]}");
    }
    cJSON_ArrayForEach(sku, skus) {
        if (cJSON_IsString(sku)) {
            plan_sku(app, sku->valuestring, effects);
        }
    }
    cJSON_Delete(json);
    return next;
}

int writer_invoke(struct app *app, const char *payload, size_t len, bool dry_run) {
    struct args effects = {0};
    struct reason why = {0};
    int64_t wait = 0;
    enum next next = plan_payload(app, payload, len, &effects, &why);
    if (next == NEXT_DONE && !dry_run) {
        next = effects_apply(app->redis, &effects, &why);
        next = next == NEXT_DONE ? writer_work(app, &wait, &why) : next;
        bool ours = writer_of(app)->token[0] != '\0';
        writer_leave(app);
        app->trace("outcome", next != NEXT_DONE ? "{\"settled\":false}"
                              : ours            ? "{\"settled\":true}"
                                                : "{\"marked\":true,\"by\":\"the running writer\"}");
    }
    if (next != NEXT_DONE) {
        (void)fprintf(stderr, "%s\n", why.text);
    }
    args_free(&effects);
    return next == NEXT_DONE ? 0 : 1;
}
