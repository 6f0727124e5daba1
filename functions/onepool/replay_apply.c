/* SPDX-License-Identifier: Apache-2.0 */
/* onepool replay --apply: does what a look showed, step by step. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "command.h"
#include "json.h"
#include "keys.h"
#include "lease.h"
#include "quantity.h"
#include "queue.h"
#include "reading.h"
#include "replay_look.h"
#include "ban.h"

#define BY_MAX     64
#define LEASE      "replay"
#define LEASE_MS   INT64_C(10000)
#define LEASE_WAIT INT64_C(15000) /* a killed run's lease ends by itself */
#define BACKLOG    2000           /* so many due: what comes in now goes first */
#define BUSY_MS    INT64_C(60000) /* nothing of it was taken for so long: nobody works */
#define LOOK_MS    INT64_C(250)

struct run {
    struct app *app;
    const char *id, *by;
    char at[REPLAY_AT_MAX], to[REPLAY_AT_MAX]; /* position of the last step, and of this one */
    struct args effects;
    int64_t in_step, done, total;
    struct lease lease;
    int64_t kept_ms; /* monotonic: the lease was extended */
    struct reading progress;
};

static enum next keep_lease(struct run *r, struct reason *why) {
    int64_t wait = 0;
    if (r->kept_ms != 0 && clock_mono_ms() - r->kept_ms < LEASE_MS / 4) {
        return NEXT_DONE;
    }
    enum next next = lease_take(r->app, LEASE, LEASE_MS, &r->lease, &wait, why);
    if (next == NEXT_DONE && r->lease.token[0] == '\0') {
        next = reason_set(why, NEXT_DEFER, "replay_running", "another onepool replay --apply is at work; wait for it");
    }
    r->kept_ms = clock_mono_ms();
    return next;
}

static enum next take_lease(struct run *r, struct reason *why) {
    int64_t end = clock_mono_ms() + LEASE_WAIT;
    enum next next = keep_lease(r, why);
    while (next == NEXT_DEFER && strcmp(why->cause, "replay_running") == 0 && clock_mono_ms() < end &&
           app_sleep(r->app, LOOK_MS)) {
        r->kept_ms = 0;
        next = keep_lease(r, why);
    }
    return next;
}

static const char *const watched[] = {QUEUE_ORDER,  QUEUE_ITEM,    QUEUE_HANDOVER, QUEUE_WEBORDER,
                                      QUEUE_REFUND, QUEUE_PRODUCT, QUEUE_SKU};

static enum next most_due(struct app *app, int64_t *most, struct reason *why) {
    enum next next = NEXT_DONE;
    *most = 0;
    for (size_t i = 0; next == NEXT_DONE && i < sizeof watched / sizeof watched[0]; i++) {
        size_t n = 0;
        int64_t wait = 0;
        next = queue_due(app->redis, watched[i], &n, &wait, why);
        *most = (int64_t)n > *most ? (int64_t)n : *most;
    }
    return next;
}

/* What is due is taken in the order in which it became due, so a long list of replayed events would hold up what comes
 * in now. */
static enum next let_work(struct run *r, struct reason *why) {
    int64_t due = 0, least = INT64_MAX, since = clock_mono_ms();
    enum next next = most_due(r->app, &due, why);
    while (next == NEXT_DONE && due > BACKLOG) {
        if (due < least) {
            least = due;
            since = clock_mono_ms();
        } else if (clock_mono_ms() - since > BUSY_MS) {
            return reason_set(why, NEXT_DEFER, "nobody_works",
                              "%lld entities are due and none was taken for a minute: start the functions (onepool "
                              "status), then the same command goes on",
                              (long long)due);
        }
        reading_show(&r->progress, "waiting for what is due; replayed", r->done, r->total);
        if (!app_sleep(r->app, LOOK_MS)) {
            why->not_its_fault = true;
            return reason_set(why, NEXT_DEFER, "stopping", "it was told to stop");
        }
        next = keep_lease(r, why);
        next = next == NEXT_DONE ? most_due(r->app, &due, why) : next;
    }
    return next;
}

static enum next step(void *arg, struct reason *why) {
    struct run *r = arg;
    struct args a = {0};
    redisReply *reply = NULL;
    enum next next = keep_lease(r, why);
    if (next != NEXT_DONE || r->in_step == 0) {
        return next;
    }
    args_add(&a, r->id);
    args_add(&a, r->at);
    args_add(&a, r->to);
    args_add_int(&a, r->in_step);
    args_append(&a, &r->effects);
    next = redis_fcall(r->app->redis, "replay_step", &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    bool ours = reply_int(reply) == 1;
    freeReplyObject(reply);
    if (!ours) {
        return reason_set(why, NEXT_DEFER, "replay_running", "another onepool replay --apply went on with it");
    }
    args_free(&r->effects);
    (void)str_copy(r->at, sizeof r->at, r->to);
    r->done += r->in_step;
    r->in_step = 0;
    reading_show(&r->progress, "replayed", r->done, r->total);
    return let_work(r, why);
}

static void add_record(struct run *r, const struct replay_event *e) {
    cJSON *o = json_new_object();
    struct buf due;
    buf_init(&due, 1000);
    replay_due_text(&e->marks, &due);
    json_add_str(o, "type", "replay");
    json_add_str(o, "state", e->problem[0] == '\0' ? "replayed" : "not_understood");
    json_add_str(o, "id", e->id);
    json_add_str(o, "event", e->event);
    json_add_str(o, "source", e->parked ? "parked" : e->source);
    json_add_str(o, "due", buf_str(&due));
    json_add_str(o, "run", r->id);
    json_add_str(o, "by", r->by);
    char *text = json_print(o);
    effect_log(&r->effects, "", text);
    free(text);
    buf_free(&due);
    cJSON_Delete(o);
}

static enum next apply_visit(void *arg, const struct replay_event *e, struct reason *why) {
    struct run *r = arg;
    args_append(&r->effects, &e->effects);
    add_record(r, e);
    r->in_step++;
    (void)snprintf(r->to, sizeof r->to, "%c %s", e->parked ? 'c' : 'j', e->id);
    return r->in_step >= REPLAY_STEP ? step(r, why) : NEXT_DONE;
}

/* Reads what was looked at under this id. */
static enum next read_look(struct app *app, const char *id, cJSON **json, int64_t *to_ms, struct reason *why) {
    static const char *const fields[] = {"state", "choice", "to_ms", "ended_ms"};
    struct args a = {0};
    redisReply *reply = NULL;
    char name[64], error[80], date[CLOCK_TEXT_SIZE];
    (void)snprintf(name, sizeof name, KEY_REPLAY, id);
    args_add(&a, "HMGET");
    args_add_key(&a, app->redis, name);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        args_add(&a, fields[i]);
    }
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    const char *state = reply_str_at(reply, 0), *choice = reply_str_at(reply, 1);
    int64_t ended = 0;
    (void)int_parse(reply_str_at(reply, 2) != NULL ? reply_str_at(reply, 2) : "", 0, INT64_MAX, to_ms);
    if (state == NULL || choice == NULL) {
        next =
            reason_set(why, NEXT_PARK, "replay_id",
                       "%.40s is the id of no look (they are kept for 7 days): run onepool replay with a choice, and "
                       "apply the id that it prints",
                       id);
    } else if (strcmp(state, "done") == 0) {
        (void)int_parse(reply_str_at(reply, 3) != NULL ? reply_str_at(reply, 3) : "", 0, INT64_MAX, &ended);
        clock_format(ended, date);
        next = reason_set(why, NEXT_PARK, "replay_done",
                          "the look %.40s was applied already, at %s; nothing was done now. To do it once more, look "
                          "again with the same choice",
                          id, date);
    } else {
        *json = json_read(choice, strlen(choice), error, sizeof error);
    }
    if (next == NEXT_DONE && *json == NULL) {
        next = reason_set(why, NEXT_BUG, "replay_id", "the choice of the look %.40s cannot be read", id);
    }
    freeReplyObject(reply);
    return next;
}

/* What is applied is what was looked at. One that began goes on: its cases are gone, and the journal does not change.
 */
static enum next as_looked_at(struct run *r, const struct replay_choice *c, struct reason *why) {
    struct replay_look l;
    char now[17];
    enum next next = replay_gather(r->app, c, 0, &r->progress, &l, now, why);
    r->total = l.events + l.cases;
    replay_look_free(&l);
    if (next == NEXT_DONE && strcmp(now, r->id) != 0) {
        next = reason_set(why, NEXT_PARK, "replay_changed",
                          "what was chosen has changed since the look %.20s (a case was closed or came, or events left "
                          "the journal); nothing was done. Look again, and apply that id",
                          r->id);
    }
    return next;
}

static enum next begin(struct run *r, const struct replay_choice *c, const char *state, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    enum next next = strcmp(state, "looked") == 0 ? as_looked_at(r, c, why) : NEXT_DONE;
    if (next != NEXT_DONE) {
        return next;
    }
    args_add(&a, r->id);
    args_add(&a, r->by);
    next = redis_fcall(r->app->redis, "replay_begin", &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        (void)str_copy(r->at, sizeof r->at, reply_str_at(reply, 1) != NULL ? reply_str_at(reply, 1) : "");
        r->done = reply_int_at(reply, 2);
        freeReplyObject(reply);
    }
    return next;
}

static enum next state_of(struct app *app, const char *id, char state[16], struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    char name[64];
    (void)snprintf(name, sizeof name, KEY_REPLAY, id);
    args_add(&a, "HGET");
    args_add_key(&a, app->redis, name);
    args_add(&a, "state");
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        (void)str_copy(state, 16, reply_str(reply) != NULL ? reply_str(reply) : "");
        freeReplyObject(reply);
    }
    return next;
}

static enum next finish(struct run *r, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, r->id);
    enum next next = redis_fcall(r->app->redis, "replay_end", &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}

static enum next run_all(struct run *r, const struct replay_choice *c, struct reason *why) {
    char state[16] = "";
    enum next next = take_lease(r, why);
    next = next == NEXT_DONE ? state_of(r->app, r->id, state, why) : next;
    next = next == NEXT_DONE ? begin(r, c, state, why) : next;
    struct replay_walk w = {.app = r->app,
                            .choice = c,
                            .visit = apply_visit,
                            .page = step,
                            .arg = r,
                            .progress = reading_show,
                            .progress_arg = &r->progress};
    char after[REPLAY_AT_MAX];
    (void)str_copy(after, sizeof after, r->at);
    w.after = after;
    next = next == NEXT_DONE ? replay_go(&w, why) : next;
    next = next == NEXT_DONE ? step(r, why) : next;
    return next == NEXT_DONE ? finish(r, why) : next;
}

/* Who is at the keyboard, for the ledger. */
static const char *person(const struct command_line *line, char by[BY_MAX]) {
    static const char *const names[] = {"SUDO_USER", "USER", "LOGNAME"};
    const char *found = line->replay.by;
    for (size_t i = 0; found == NULL && i < sizeof names / sizeof names[0]; i++) {
        const char *text = getenv(names[i]);
        found = text != NULL && text[0] != '\0' ? text : NULL;
    }
    (void)str_copy(by, BY_MAX, found != NULL ? found : "unknown");
    return by;
}

int replay_apply(struct app *app, const struct command_line *line) {
    struct replay_choice c = {0};
    struct reason why = {0};
    char by[BY_MAX];
    cJSON *json = NULL;
    int64_t to_ms = 0;
    struct run r = {
        .app = app, .id = line->replay.apply, .by = person(line, by), .progress = reading_begin(line->json)};
    enum next next = read_look(app, r.id, &json, &to_ms, &why);
    if (next == NEXT_DONE) {
        replay_choice_read(json, &c);
        c.to_ms = to_ms;
        next = run_all(&r, &c, &why);
        lease_give(app, &r.lease);
    }
    reading_end(&r.progress);
    args_free(&r.effects);
    cJSON_Delete(json);
    if (next != NEXT_DONE) {
        if (!line->json && r.done > 0) {
            (void)fprintf(stderr, "onepool: stopped after %lld events; the same command goes on from there\n",
                          (long long)r.done);
        }
        return command_failed(line, &why);
    }
    if (line->json) {
        cJSON *o = json_new_object();
        json_add_str(o, "id", r.id);
        json_add_int(o, "replayed", r.done);
        json_add_bool(o, "done", true);
        command_print_json(o);
        cJSON_Delete(o);
    } else {
        (void)printf("Replayed: %lld events and cases. The functions are at work on them; see onepool status.\n",
                     (long long)r.done);
    }
    return 0;
}
