/* SPDX-License-Identifier: Apache-2.0 */
#include "notify.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "keys.h"
#include "log.h"
#include "notify_send.h"
#include "quantity.h"
#include "queue.h"
#include "random.h"
#include "worker.h"
#include "ban.h"

#define MINUTE_MS     INT64_C(60000)
#define ARRANGE_MS    (5 * MINUTE_MS) /* how often causes and timers are made sure of */
#define IDLE_MS       MINUTE_MS       /* a new case wakes the timer before */
#define AGAIN_MIN_MS  INT64_C(5000)
#define AGAIN_MAX_MS  (15 * MINUTE_MS)
#define SILENCE_EVERY MINUTE_MS
#define TIMERS        3

struct channel {
    const char *name;
    bool (*on)(const struct settings_notify *n);
    enum notify_fate (*send)(struct app *app, const struct notify_message *m, char error[NOTIFY_ERROR_SIZE]);
};

static const struct channel channels[] = {{NOTIFY_WEBHOOK, notify_webhook_on, notify_webhook},
                                          {NOTIFY_EMAIL, notify_email_on, notify_email}};
#define CHANNELS (sizeof channels / sizeof channels[0])

/* ---- which cases are told ---- */

static enum next arrange_channel(struct app *app, const struct channel *c, struct reason *why) {
    const struct mapping_notify *n = &app->set->mapping->notify;
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, c->name);
    args_add(&a, c->on(&app->set->notify) ? "1" : "0");
    for (size_t i = 0; i < n->cause_count; i++) {
        args_add(&a, n->causes[i]);
    }
    enum next next = redis_fcall(app->redis, "notify_causes", &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}

/* The causes of each channel, and the timers: a Redis that was emptied has neither. */
static enum next arrange(struct app *app, struct reason *why) {
    static int64_t arranged_ms; /* of this process */
    struct args timers = {0};
    int64_t now = clock_mono_ms();
    if (arranged_ms != 0 && now - arranged_ms < ARRANGE_MS) {
        return NEXT_DONE;
    }
    effect_mark_in(&timers, QUEUE_NOTIFY, NOTIFY_SILENCE, SILENCE_EVERY, "");
    enum next next = NEXT_DONE;
    for (size_t i = 0; i < CHANNELS && next == NEXT_DONE; i++) {
        next = arrange_channel(app, &channels[i], why);
        effect_mark_in(&timers, QUEUE_NOTIFY, channels[i].name, 0, "");
    }
    next = next == NEXT_DONE ? effects_apply(app->redis, &timers, why) : next;
    args_free(&timers);
    if (next == NEXT_DONE) {
        arranged_ms = now;
    }
    return next;
}

/* ---- one message ---- */

/* The message on its way, or a new one; *reply has more than one element if there is one. */
static enum next take(struct app *app, const struct channel *c, redisReply **reply, struct reason *why) {
    struct args a = {0};
    char id[NOTIFY_ID_SIZE];
    notify_new_id(id);
    args_add(&a, c->name);
    args_add(&a, id);
    args_add_int(&a, app->set->mapping->notify.quiet_minutes * MINUTE_MS);
    enum next next = redis_fcall(app->redis, "notify_take", &a, true, reply, why);
    args_free(&a);
    return next;
}

/* function: notify_sent, *answer is for how long nothing has come through, -1 = it was sent; or notify_refused, *answer
 * is 1 if its one case is given up. */
static enum next record(struct app *app, const char *function, const struct channel *c, const char *id,
                        const char *error, int64_t *answer, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, c->name);
    args_add(&a, id);
    args_add(&a, error);
    enum next next = redis_fcall(app->redis, function, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        *answer = reply_int(reply);
        freeReplyObject(reply);
    }
    return next;
}

/* Half of the time that it has failed for, with jitter. */
static int64_t again_ms(int64_t failing_ms) {
    int64_t base = failing_ms / 2;
    base = base < AGAIN_MIN_MS ? AGAIN_MIN_MS : base > AGAIN_MAX_MS ? AGAIN_MAX_MS : base;
    return base * 3 / 4 + random_below(base / 4 + 1);
}

static enum next end_refused(struct app *app, const struct channel *c, const struct notify_message *m,
                             const char *error, int64_t *delay, struct reason *why) {
    const cJSON *first = cJSON_GetArrayItem(m->cases, 0);
    int64_t given_up = 0;
    enum next next = record(app, "notify_refused", c, m->id, error, &given_up, why);
    *delay = AGAIN_MIN_MS;
    LOG(LOG_WARN,
        given_up == 1 ? "people cannot be told of a case; it is left out"
                      : "a message was refused; the next names fewer cases",
        {"outcome", given_up == 1 ? "settled" : "deferred"}, {"channel", c->name}, {"message", m->id}, {"why", error},
        {"case", given_up == 1 ? json_str(first, "case") : NULL},
        {"entity", given_up == 1 ? json_str(first, "entity") : NULL});
    return next;
}

static enum next end_message(struct app *app, const struct channel *c, const char *id, bool good, const char *error,
                             int64_t *delay, struct reason *why) {
    int64_t failing = 0;
    enum next next = record(app, "notify_sent", c, id, good ? "" : error, &failing, why);
    *delay = good ? 0 : again_ms(failing);
    LOG(good ? LOG_INFO : LOG_WARN,
        good ? "people were told of urgent cases" : "people could not be told; trying again",
        {"outcome", good ? "done" : "deferred"}, {"channel", c->name}, {"message", id}, {"why", good ? NULL : error},
        {"delay_ms", good ? NULL : log_int(*delay)});
    return next;
}

static enum next send_message(struct app *app, const struct channel *c, const redisReply *taken, int64_t *delay,
                              struct reason *why) {
    char problem[80], error[NOTIFY_ERROR_SIZE] = "";
    int64_t at = 0;
    const char *id = reply_str_at(taken, 1), *body = reply_str_at(taken, 3);
    (void)int_parse(reply_str_at(taken, 2), 0, INT64_MAX, &at);
    cJSON *content = json_read(body, strlen(body), problem, sizeof problem);
    struct notify_message m = {.id = id, .at_ms = at, .cases = json_array(content, "cases")};
    (void)json_int(content, "left_out", &m.left_out);
    enum notify_fate fate = c->send(app, &m, error);
    if (fate != NOTIFY_SENT && error[0] == '\0') {
        (void)str_copy(error, sizeof error, "it failed without a reason");
    }
    enum next next = fate == NOTIFY_REFUSED ? end_refused(app, c, &m, error, delay, why)
                                            : end_message(app, c, id, fate == NOTIFY_SENT, error, delay, why);
    cJSON_Delete(content);
    return next;
}

static enum next tell(struct app *app, const struct channel *c, int64_t *delay, struct reason *why) {
    redisReply *taken = NULL;
    if (!c->on(&app->set->notify)) {
        *delay = ARRANGE_MS;
        return NEXT_DONE;
    }
    enum next next = take(app, c, &taken, why);
    if (next != NEXT_DONE) {
        return next;
    }
    if (reply_str_at(taken, 1) != NULL && reply_str_at(taken, 3) != NULL) {
        next = send_message(app, c, taken, delay, why);
    } else {
        int64_t wait = reply_int_at(taken, 0);
        *delay = wait >= 0 && wait < IDLE_MS ? wait : IDLE_MS;
    }
    freeReplyObject(taken);
    return next;
}

/* ---- shops that are silent ---- */

static enum next look_for_silence(struct app *app, struct reason *why) {
    const struct mapping *m = app->set->mapping;
    struct args a = {0};
    redisReply *reply = NULL;
    args_add_int(&a, m->notify.missed_movements * 1000);
    args_add_int(&a, m->notify.silent_minutes * MINUTE_MS);
    args_add(&a, m->owner_pickup);
    for (size_t i = 0; i < m->warehouse_count; i++) {
        args_add_int(&a, m->warehouses[i]);
    }
    enum next next = m->notify.silence ? redis_fcall(app->redis, "shops_silent", &a, true, &reply, why) : NEXT_DONE;
    args_free(&a);
    if (reply != NULL) {
        freeReplyObject(reply);
    }
    return next;
}

/* ---- rounds ---- */

static enum next work_on(struct app *app, const struct claims *claims, struct reason *why) {
    struct worker_hold hold;
    const char *entity = claims->list[0].entity;
    int64_t delay = SILENCE_EVERY;
    enum next next = NEXT_DONE;
    worker_hold_begin(&hold, app, QUEUE_NOTIFY, claims);
    if (strcmp(entity, NOTIFY_SILENCE) == 0) {
        next = look_for_silence(app, why);
    }
    for (size_t i = 0; i < CHANNELS; i++) {
        if (strcmp(entity, channels[i].name) == 0) {
            next = tell(app, &channels[i], &delay, why);
        }
    }
    worker_hold_end(&hold);
    struct reason ignored = {0};
    enum next ticked =
        queue_tick(app->redis, QUEUE_NOTIFY, &claims->list[0], delay, next == NEXT_DONE ? why : &ignored);
    return next == NEXT_DONE ? ticked : next;
}

enum next notify_work(struct app *app, int64_t *wait_ms, struct reason *why) {
    enum next next = arrange(app, why);
    for (size_t i = 0; i < TIMERS && next == NEXT_DONE; i++) {
        struct claims claims = {0};
        next = queue_claim(app->redis, QUEUE_NOTIFY, 1, app->holder, app->set->mapping->owner_stock, &claims, why);
        bool any = next == NEXT_DONE && claims.n > 0;
        if (any) {
            *wait_ms = 0;
            next = work_on(app, &claims, why);
        } else if (next == NEXT_DONE && claims.wait_ms >= 0 && claims.wait_ms < *wait_ms) {
            *wait_ms = claims.wait_ms;
        }
        claims_free(&claims);
        if (!any) {
            break;
        }
    }
    return next;
}
