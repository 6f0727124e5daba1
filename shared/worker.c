/* SPDX-License-Identifier: Apache-2.0 */
#include "worker.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "faultpoint.h"
#include "keys.h"
#include "log.h"
#include "ban.h"

#define WAIT_MAX_MS    INT64_C(1000) /* a lost wake-up costs no more than this */
#define BACKOFF_MAX_MS INT64_C(2000)
#define TRIM_WAIT_MS   INT64_C(200)
#define TRIM_EVERY_MS  INT64_C(5000)

bool worker_hold_keep(struct worker_hold *h) {
    struct reason why = {0};
    int64_t now = clock_mono_ms();
    if (now > h->deadline_ms) {
        return false;
    }
    if (h->claims->n == 0 || now - h->extended_ms < QUEUE_LEASE_MS / 3) {
        return true;
    }
    if (queue_extend(h->app->redis, h->queue, h->claims->list, h->claims->n, &why) == NEXT_DONE) {
        h->extended_ms = now;
        h->deadline_ms = now + QUEUE_LEASE_MS - QUEUE_LEASE_MS / 6;
    }
    return true;
}

static bool keep_lease(void *arg) {
    return worker_hold_keep(arg);
}

void worker_hold_begin(struct worker_hold *h, struct app *app, const char *queue, const struct claims *claims) {
    int64_t now = clock_mono_ms();
    *h = (struct worker_hold){.app = app,
                              .queue = queue,
                              .claims = claims,
                              .extended_ms = now,
                              .deadline_ms = now + QUEUE_LEASE_MS - QUEUE_LEASE_MS / 6};
    app->keep = keep_lease;
    app->keep_arg = h;
}

void worker_hold_end(struct worker_hold *h) {
    h->app->keep = NULL;
    h->app->keep_arg = NULL;
}

static const char *case_entity(const char *queue, const char *entity, char *out, size_t size) {
    bool order = strcmp(queue, QUEUE_ORDER) == 0 || strcmp(queue, QUEUE_SALE) == 0 || strcmp(queue, QUEUE_RETURN) == 0;
    (void)snprintf(out, size, "%s%s", order ? "order " : "", entity);
    return out;
}

static void park_claims(struct app *app, const char *queue, const struct claim *list, size_t n,
                        const struct reason *cause, const char *owner) {
    for (size_t i = 0; i < n; i++) {
        char entity[KEY_MAX];
        struct reason why = {0};
        const struct parked p = {.cause = cause->cause,
                                 .owner = owner,
                                 .entity = case_entity(queue, list[i].entity, entity, sizeof entity),
                                 .text = cause->text,
                                 .effect = "Its stock in the web shop may be out of date",
                                 .step = "Mend the cause, then run: onepool parked --retry with the case's id",
                                 .queue = queue,
                                 .job = list[i].entity,
                                 .bytes = list[i].data,
                                 .bytes_len = strlen(list[i].data)};
        enum next next = queue_park(app->redis, queue, &list[i], &p, &why);
        LOG(LOG_WARN, "parked", {"outcome", next == NEXT_DONE ? "parked" : "not_parked"}, {"queue", queue},
            {"entity", list[i].entity}, {"cause", cause->cause}, {"why", cause->text},
            {"redis", next == NEXT_DONE ? NULL : why.text});
    }
}

void worker_unsettled(struct app *app, const char *queue, const struct claim *list, size_t n, enum next next,
                      const struct reason *cause, const char *owner) {
    struct reason why = {0};
    if (n == 0) {
        return;
    }
    if (next == NEXT_PARK || next == NEXT_BUG) {
        park_claims(app, queue, list, n, cause, owner);
        return;
    }
    int64_t delay = stop_requested() ? 0 : queue_backoff_ms(cause->not_its_fault ? 1 : list[0].tries, cause);
    enum next given = queue_defer(app->redis, queue, list, n, delay, cause, &why);
    LOG(LOG_WARN, "deferred", {"outcome", "deferred"}, {"queue", queue}, {"first", list[0].entity},
        {"n", log_int((long long)n)}, {"delay_ms", log_int(delay)}, {"cause", cause->cause}, {"why", cause->text},
        {"redis", given == NEXT_DONE ? NULL : why.text});
}

/* Subscribed connection that only wakes us. Lost messages cost WAIT_MAX_MS. */
static void nudge_open(const struct app *app, const struct function *fn, struct redis **nudge) {
    char error[160], channel[64];
    struct reason why = {0};
    const struct redis_options options = {
        .url = app->set->redis_url, .tenant = app->set->tenant, .connect_timeout_ms = 500, .command_timeout_ms = 1000};
    if (*nudge != NULL && redis_fd(*nudge) >= 0) {
        return;
    }
    redis_free(*nudge);
    *nudge = redis_new(&options, error, sizeof error);
    for (size_t i = 0; *nudge != NULL && fn->queues[i] != NULL; i++) {
        (void)snprintf(channel, sizeof channel, "wake:%s", fn->queues[i]);
        if (redis_subscribe(*nudge, channel, &why) != NEXT_DONE) {
            redis_free(*nudge);
            *nudge = NULL;
        }
    }
}

static void nudge_wait(struct redis **nudge, int64_t wait_ms) {
    int fd = *nudge != NULL ? redis_fd(*nudge) : -1;
    if (wait_ms > 0 && stop_poll(fd, wait_ms < WAIT_MAX_MS ? wait_ms : WAIT_MAX_MS) && !redis_drain_messages(*nudge)) {
        redis_free(*nudge);
        *nudge = NULL;
    }
}

/* After a round that failed. A platform that asks to wait is guarded by its budget, so new work may wake us; anything
 * else (Redis away, our own mistake) is met with a growing pause. */
static void pause_after(const struct reason *why, enum next next, struct redis **nudge, int64_t *backoff) {
    bool platform = next == NEXT_DEFER && why->not_its_fault && strncmp(why->cause, "redis", 5) != 0;
    if (platform) {
        int64_t wait = why->wait_ms > 50 ? why->wait_ms : 50;
        nudge_wait(nudge, wait);
        return;
    }
    *backoff = *backoff == 0 ? 50 : *backoff * 2;
    *backoff = *backoff > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : *backoff;
    LOG(next == NEXT_BUG ? LOG_ERROR : LOG_WARN, "round failed", {"outcome", next_name(next)}, {"cause", why->cause},
        {"why", why->text}, {"wait_ms", log_int(*backoff)});
    (void)stop_poll(-1, *backoff);
}

/* What a predecessor in this place left behind when it died. Redis away: leases end by themselves. */
static void take_over(struct app *app, const struct function *fn) {
    struct reason why = {0};
    int64_t ended = 0;
    if (queue_recover(app->redis, app->holder, fn->queues, &ended, &why) == NEXT_DONE && ended > 0) {
        LOG(LOG_WARN, "leases of the worker that died are due again", {"n", log_int(ended)});
    }
}

/* Before a long wait, what a burst needed goes back to the system: lists of a thousand rows leave the heap full of
 * holes that glibc otherwise keeps. */
static void give_memory_back(int64_t wait_ms, int64_t *last_ms) {
    int64_t now = clock_mono_ms();
    if (wait_ms >= TRIM_WAIT_MS && now - *last_ms >= TRIM_EVERY_MS) {
        (void)malloc_trim(0);
        *last_ms = now;
    }
}

int worker_run(struct app *app, const struct function *fn) {
    struct redis *nudge = NULL;
    int64_t backoff = 0, trimmed_ms = 0;
    take_over(app, fn);
    while (!stop_requested()) {
        struct reason why = {0};
        int64_t wait = WAIT_MAX_MS;
        nudge_open(app, fn, &nudge);
        enum next next = fn->work(app, &wait, &why);
        fault_point(app, "worker.round");
        if (next == NEXT_STOP) {
            break;
        }
        if (next == NEXT_DONE) {
            backoff = 0;
            give_memory_back(wait, &trimmed_ms);
            nudge_wait(&nudge, wait);
        } else {
            pause_after(&why, next, &nudge, &backoff);
        }
    }
    if (fn->leave != NULL) {
        fn->leave(app);
    }
    redis_free(nudge);
    return 0;
}
