/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "durability.h"
#include "json.h"
#include "keys.h"
#include "mode.h"
#include "quantity.h"
#include "settings.h"
#include "ban.h"

#define ENTITIES_MAX INT64_C(2000) /* looked at per queue; Redis serves nobody else for some 8 ms */
#define CASES_MAX    INT64_C(5000)
#define LAGS_LAST    "9999" /* last index: 10,000 */
#define KEY_SITOO    "rate:sitoo:%d"

/* Which function works on which queue, those of one function one behind the other; timers (the ledger, the list of
 * refunds, the comparison of catalogs) are always due and left out. */
static const struct place {
    const char *queue, *function;
} places[] = {{QUEUE_ORDER, "sitoo-events"},    {QUEUE_SALE, "sale"},
              {QUEUE_RETURN, "return"},         {QUEUE_SKU, "stock-moved"},
              {QUEUE_ITEM, "stock-moved"},      {QUEUE_HANDOVER, "order-created"},
              {QUEUE_REFUND, "order-updated"},  {QUEUE_WEBORDER, "order-updated"},
              {QUEUE_PICKUP, "pickup-updated"}, {QUEUE_PRODUCT, "product-updated"},
              {QUEUE_IMAGE, "product-updated"}};
#define PLACES (sizeof places / sizeof places[0])

static int compare(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

int64_t status_percentile(int64_t *values, size_t n, int percent) {
    if (n == 0) {
        return 0;
    }
    qsort(values, n, sizeof *values, compare);
    size_t rank = (n * (size_t)percent + 99) / 100;
    return values[rank > 0 ? rank - 1 : 0];
}

int64_t status_int(const cJSON *o, const char *key) {
    int64_t n = 0;
    return json_int(o, key, &n) ? n : 0;
}

/* ---- functions ---- */

struct load {
    int64_t due, claimed, deferred, parked, oldest;
    cJSON *deferred_causes, *parked_causes; /* {"quota":3} */
};

/* Adds n to a count by name, in an object of counts. */
static void add_to(cJSON *counts, const char *name, int64_t n) {
    cJSON *before = cJSON_GetObjectItemCaseSensitive(counts, name);
    int64_t sum = n + (before != NULL ? (int64_t)before->valuedouble : 0);
    cJSON_DeleteItemFromObjectCaseSensitive(counts, name);
    if (cJSON_AddNumberToObject(counts, name, (double)sum) == NULL) {
        abort();
    }
}

static void add_causes(cJSON *counts, const redisReply *r) {
    for (size_t i = 0; r != NULL && i + 1 < r->elements; i += 2) {
        if (reply_str_at(r, i) != NULL) {
            add_to(counts, reply_str_at(r, i), reply_int_at(r, i + 1));
        }
    }
}

static enum next add_load(struct app *app, const char *queue, struct load *l, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add_int(&a, ENTITIES_MAX);
    args_add(&a, queue);
    /* A call for each queue: Redis serves others in between. */
    enum next next = redis_fcall(app->redis, "status", &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    const redisReply *r = reply->elements > 0 ? reply->element[0] : reply;
    int64_t total = reply_int_at(r, 5), oldest = reply_int_at(r, 4);
    l->due += reply_int_at(r, 1) + (total > ENTITIES_MAX ? total - ENTITIES_MAX : 0);
    l->claimed += reply_int_at(r, 2);
    l->deferred += reply_int_at(r, 3);
    l->oldest = oldest > l->oldest ? oldest : l->oldest;
    add_causes(l->deferred_causes, r->elements > 6 ? r->element[6] : NULL);
    freeReplyObject(reply);
    return NEXT_DONE;
}

/* Cases whose queue names no function's, "" among them, are those of sitoo-events. */
static const char *function_of(const char *queue) {
    for (size_t i = 0; i < PLACES; i++) {
        if (strcmp(places[i].queue, queue) == 0) {
            return places[i].function;
        }
    }
    if (strcmp(queue, QUEUE_REFUNDS) == 0 || strcmp(queue, QUEUE_HOOKS) == 0) {
        return "order-updated";
    }
    if (strcmp(queue, QUEUE_CATALOG) == 0) {
        return "product-updated";
    }
    if (strcmp(queue, QUEUE_SWEEP) == 0) {
        return "sweep";
    }
    return strcmp(queue, QUEUE_LEDGER) == 0 ? "stock-moved" : "sitoo-events";
}

static int64_t parked_of(const char *function, const redisReply *queues) {
    int64_t n = 0;
    for (size_t i = 0; queues != NULL && i + 1 < queues->elements; i += 2) {
        const char *queue = reply_str_at(queues, i);
        n += queue != NULL && strcmp(function_of(queue), function) == 0 ? reply_int_at(queues, i + 1) : 0;
    }
    return n;
}

/* both: "queue cause" and how many. */
static void parked_causes_of(const char *function, const redisReply *both, cJSON *counts) {
    for (size_t i = 0; both != NULL && i + 1 < both->elements; i += 2) {
        const char *pair = reply_str_at(both, i), *blank = pair != NULL ? strchr(pair, ' ') : NULL;
        char queue[64];
        if (blank != NULL && (size_t)(blank - pair) < sizeof queue) {
            memcpy(queue, pair, (size_t)(blank - pair));
            queue[blank - pair] = '\0';
            if (strcmp(function_of(queue), function) == 0) {
                add_to(counts, blank + 1, reply_int_at(both, i + 1));
            }
        }
    }
}

static void add_function(cJSON *functions, const char *name, const struct load *l) {
    cJSON *o = json_add_object(functions, name);
    json_add_int(o, "due", l->due);
    json_add_int(o, "claimed", l->claimed);
    json_add_int(o, "deferred", l->deferred);
    json_add_int(o, "parked", l->parked);
    json_add_int(o, "oldest_age_ms", l->oldest);
    (void)cJSON_AddItemToObject(o, "deferred_causes", l->deferred_causes);
    (void)cJSON_AddItemToObject(o, "parked_causes", l->parked_causes);
}

static const redisReply *part(const redisReply *r, size_t i) {
    return i < r->elements ? r->element[i] : NULL;
}

static enum next add_functions(struct app *app, cJSON *status, const redisReply *counts, struct reason *why) {
    cJSON *functions = json_add_object(status, "functions");
    enum next next = NEXT_DONE;
    for (size_t i = 0; i < PLACES && next == NEXT_DONE;) {
        const char *name = places[i].function;
        struct load l = {.parked = parked_of(name, part(counts, 2)),
                         .deferred_causes = json_new_object(),
                         .parked_causes = json_new_object()};
        parked_causes_of(name, part(counts, 3), l.parked_causes);
        for (; i < PLACES && strcmp(places[i].function, name) == 0; i++) {
            next = next == NEXT_DONE ? add_load(app, places[i].queue, &l, why) : next;
        }
        add_function(functions, name, &l);
    }
    return next;
}

static void add_parked(cJSON *status, const redisReply *counts) {
    const redisReply *causes = counts->elements > 1 ? counts->element[1] : NULL;
    cJSON *parked = json_add_object(status, "parked");
    json_add_int(parked, "total", reply_int_at(counts, 0));
    cJSON *by_cause = json_add_object(parked, "by_cause");
    for (size_t i = 0; causes != NULL && i + 1 < causes->elements; i += 2) {
        if (reply_str_at(causes, i) != NULL) {
            json_add_int(by_cause, reply_str_at(causes, i), reply_int_at(causes, i + 1));
        }
    }
}

static enum next add_work(struct app *app, cJSON *status, struct reason *why) {
    struct args a = {0};
    redisReply *counts = NULL;
    args_add_int(&a, CASES_MAX);
    enum next next = redis_fcall(app->redis, "parked_counts", &a, true, &counts, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    next = add_functions(app, status, counts, why);
    add_parked(status, counts);
    freeReplyObject(counts);
    return next;
}

/* ---- the rest: one pipeline ---- */

enum asked {
    ASK_TIME,
    ASK_UNCONFIRMED,
    ASK_PENDING,
    ASK_INTENTS,
    ASK_IGNORED,
    ASK_COUNTS,
    ASK_WRITER,
    ASK_WRITER_LEFT,
    ASK_BRAKE_LEFT,
    ASK_ACCEPTED,
    ASK_CONFIRMED,
    ASK_BIGCOMMERCE,
    ASK_BASELINE,
    ASK_EPOCH,
    ASK_SITOO, /* one for each key */
    ASKED = ASK_SITOO + SITOO_KEYS_MAX
};

/* Words after the key, NULL-terminated. */
static const struct question {
    const char *command, *key, *words[11];
} questions[ASK_SITOO] = {
    [ASK_TIME] = {"TIME", NULL, {NULL}},
    [ASK_UNCONFIRMED] = {"ZCARD", KEY_UNCONFIRMED, {NULL}},
    [ASK_PENDING] = {"HLEN", KEY_PENDING_ORDERS, {NULL}},
    [ASK_INTENTS] = {"HLEN", KEY_INTENTS, {NULL}},
    [ASK_IGNORED] = {"SCARD", KEY_IGNORE, {NULL}},
    [ASK_COUNTS] = {"HGETALL", KEY_COUNT, {NULL}},
    [ASK_WRITER] = {"HMGET", KEY_WRITER, {"holder", NULL}},
    [ASK_WRITER_LEFT] = {"PTTL", KEY_WRITER, {NULL}},
    [ASK_BRAKE_LEFT] = {"PTTL", KEY_BRAKE, {NULL}},
    [ASK_ACCEPTED] = {"LRANGE", KEY_LAG_ACCEPTED, {"0", LAGS_LAST, NULL}},
    [ASK_CONFIRMED] = {"LRANGE", KEY_LAG_CONFIRMED, {"0", LAGS_LAST, NULL}},
    [ASK_BASELINE] = {"HMGET",
                      KEY_BASELINE,
                      {"phase", "report", "read_ms", "differences", "unclassed", "done", "total", "accepted",
                       "accepted_ms", "begun", NULL}},
    [ASK_EPOCH] = {"HMGET",
                   KEY_EPOCH,
                   {"state", "since_ms", "cause", "from_ms", "step", "done", "total", "problem", NULL}},
    [ASK_BIGCOMMERCE] = {"HMGET", KEY_RATE_BIGCOMMERCE, {"quota", "left", "reset", "until", NULL}},
};

static void ask(const struct app *app, struct args cmds[ASKED]) {
    for (size_t i = 0; i < ASK_SITOO; i++) {
        const struct question *q = &questions[i];
        args_add(&cmds[i], q->command);
        if (q->key != NULL) {
            args_add_key(&cmds[i], app->redis, q->key);
        }
        for (size_t w = 0; q->words[w] != NULL; w++) {
            args_add(&cmds[i], q->words[w]);
        }
    }
    for (int k = 0; k < SITOO_KEYS_MAX; k++) {
        char name[32];
        (void)snprintf(name, sizeof name, KEY_SITOO, k + 1);
        args_add(&cmds[ASK_SITOO + k], "HMGET");
        args_add_key(&cmds[ASK_SITOO + k], app->redis, name);
        args_add(&cmds[ASK_SITOO + k], "until");
        args_add(&cmds[ASK_SITOO + k], "fails");
    }
}

/* A whole number that Redis keeps as text; false if it is not there. */
static bool number_at(const redisReply *r, size_t i, int64_t *n) {
    const char *text = reply_str_at(r, i);
    return text != NULL && int_parse(text, INT64_MIN, INT64_MAX, n);
}

/* From now to the moment at position i; 0 if it is over or not there. */
static int64_t left_ms(const redisReply *r, size_t i, int64_t now) {
    int64_t until = 0;
    return number_at(r, i, &until) && until > now ? until - now : 0;
}

static void add_lag(cJSON *lags, const char *name, const redisReply *r) {
    static const struct {
        const char *name;
        int percent;
    } figures[] = {{"median", 50}, {"p95", 95}, {"worst", 100}};
    size_t n = 0;
    int64_t *values = xcalloc(r->elements + 1, sizeof *values);
    for (size_t i = 0; i < r->elements; i++) {
        n += number_at(r, i, &values[n]) ? 1 : 0;
    }
    cJSON *o = json_add_object(lags, name);
    json_add_int(o, "n", (int64_t)n);
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        if (n > 0) {
            json_add_int(o, figures[i].name, status_percentile(values, n, figures[i].percent));
        } else {
            json_add_str(o, figures[i].name, NULL);
        }
    }
    free(values);
}

static void add_writer(cJSON *status, const redisReply *holder, const redisReply *left) {
    if (reply_str_at(holder, 0) == NULL) {
        json_add_str(status, "writer", NULL);
        return;
    }
    cJSON *o = json_add_object(status, "writer");
    json_add_str(o, "holder", reply_str_at(holder, 0));
    json_add_int(o, "lease_ms", reply_int(left) > 0 ? reply_int(left) : 0);
}

static void add_number_or_null(cJSON *o, const char *name, const redisReply *r, size_t i) {
    int64_t n = 0;
    if (number_at(r, i, &n)) {
        json_add_int(o, name, n);
    } else {
        json_add_str(o, name, NULL);
    }
}

static void add_budget(cJSON *status, redisReply *const replies[ASKED], int64_t now) {
    const redisReply *bc = replies[ASK_BIGCOMMERCE];
    cJSON *budget = json_add_object(status, "budget"), *o = json_add_object(budget, "bigcommerce");
    add_number_or_null(o, "quota", bc, 0);
    /* A window that is over gives the whole quota back. */
    add_number_or_null(o, "left", bc, left_ms(bc, 2, now) > 0 ? 1 : 0);
    json_add_int(o, "reset_in_ms", left_ms(bc, 2, now));
    json_add_int(o, "paused_ms", left_ms(bc, 3, now));
    cJSON *keys = json_add_array(budget, "sitoo");
    for (int k = 0; k < SITOO_KEYS_MAX; k++) {
        const redisReply *r = replies[ASK_SITOO + k];
        if (reply_str_at(r, 0) != NULL || reply_str_at(r, 1) != NULL) {
            cJSON *key = json_new_object();
            json_add_int(key, "key", k + 1);
            json_add_int(key, "paused_ms", left_ms(r, 0, now));
            (void)cJSON_AddItemToArray(keys, key);
        }
    }
}

static void add_baseline(cJSON *status, const redisReply *r) {
    static const char *const numbers[] = {NULL,   NULL,    "read_ms", "differences", "unclassed",
                                          "done", "total", NULL,      "accepted_ms"};
    cJSON *o = json_add_object(status, "baseline");
    const char *phase = reply_str_at(r, 0), *accepted = reply_str_at(r, 7), *begun = reply_str_at(r, 9);
    json_add_str(o, "state", accepted != NULL ? "accepted" : phase != NULL ? phase : "none");
    json_add_str(o, "phase", phase);
    json_add_str(o, "report", reply_str_at(r, 1));
    json_add_str(o, "accepted", accepted);
    json_add_bool(o, "begun", accepted != NULL && begun != NULL && strcmp(accepted, begun) == 0);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (numbers[i] != NULL) {
            add_number_or_null(o, numbers[i], r, i);
        }
    }
}

/* Is Redis as we left it (95_epoch.lua)? Nothing but "whole" lets levels be written; "unknown": no writer has looked.
 */
static void add_epoch(cJSON *status, const redisReply *r, int64_t now) {
    const char *state = reply_str_at(r, 0), *step = reply_str_at(r, 4);
    int64_t since = 0;
    bool held = state == NULL || strcmp(state, "whole") != 0;
    cJSON *o = json_add_object(status, "epoch");
    json_add_str(o, "state", state != NULL ? state : "unknown");
    json_add_bool(o, "levels_held", held);
    json_add_int(o, "age_ms", number_at(r, 1, &since) && since < now ? now - since : 0);
    add_number_or_null(o, "since_ms", r, 1);
    bool lossy = state != NULL && strcmp(state, "lossy") == 0;
    json_add_str(o, "cause", lossy ? reply_str_at(r, 2) : NULL);
    if (!held || step == NULL) {
        json_add_str(o, "rebuild", NULL);
        return;
    }
    cJSON *rebuild = json_add_object(o, "rebuild");
    json_add_str(rebuild, "step", step);
    add_number_or_null(rebuild, "done", r, 5);
    add_number_or_null(rebuild, "total", r, 6);
    json_add_str(rebuild, "problem", reply_str_at(r, 7));
    add_number_or_null(rebuild, "lost_since_ms", r, 3);
}

static void add_counts(cJSON *status, const redisReply *r) {
    cJSON *counts = json_add_object(status, "counts");
    for (size_t i = 0; i + 1 < r->elements; i += 2) {
        int64_t n = 0;
        if (number_at(r, i + 1, &n)) {
            json_add_int(counts, reply_str_at(r, i), n);
        }
    }
}

static void add_answers(cJSON *status, redisReply *const replies[ASKED]) {
    int64_t seconds = 0, micros = 0;
    cJSON *parked = cJSON_GetObjectItemCaseSensitive(status, "parked");
    (void)number_at(replies[ASK_TIME], 0, &seconds);
    (void)number_at(replies[ASK_TIME], 1, &micros);
    json_add_int(status, "unconfirmed_levels", reply_int(replies[ASK_UNCONFIRMED]));
    json_add_int(status, "pending_orders", reply_int(replies[ASK_PENDING]));
    json_add_int(status, "open_intents", reply_int(replies[ASK_INTENTS]));
    json_add_int(parked, "ignored", reply_int(replies[ASK_IGNORED]));
    add_writer(status, replies[ASK_WRITER], replies[ASK_WRITER_LEFT]);
    cJSON *brake = json_add_object(status, "brake");
    json_add_bool(brake, "held", json_get(json_get(parked, "by_cause"), "brake") != NULL);
    json_add_int(brake, "released_ms", reply_int(replies[ASK_BRAKE_LEFT]) > 0 ? reply_int(replies[ASK_BRAKE_LEFT]) : 0);
    cJSON *lags = json_add_object(status, "lag_ms");
    add_lag(lags, "accepted", replies[ASK_ACCEPTED]);
    add_lag(lags, "confirmed", replies[ASK_CONFIRMED]);
    add_budget(status, replies, seconds * 1000 + micros / 1000);
    add_baseline(status, replies[ASK_BASELINE]);
    add_epoch(status, replies[ASK_EPOCH], seconds * 1000 + micros / 1000);
    add_counts(status, replies[ASK_COUNTS]);
}

static enum next add_rest(struct app *app, cJSON *status, struct reason *why) {
    struct args cmds[ASKED] = {{0}};
    redisReply *replies[ASKED] = {NULL};
    ask(app, cmds);
    enum next next = redis_pipeline(app->redis, cmds, ASKED, true, replies, why);
    if (next == NEXT_DONE) {
        add_answers(status, replies);
    }
    redis_pipeline_free(cmds, replies, ASKED);
    return next;
}

static enum next add_redis(struct app *app, cJSON *status, struct reason *why) {
    struct durability d;
    enum next next = durability_read(app, &d, why);
    if (next == NEXT_DONE) {
        cJSON *o = json_add_object(status, "redis");
        json_add_str(o, "version", d.version);
        json_add_str(o, "rung", durability_rung(&d));
        json_add_str(o, "last_write", d.last_write);
        json_add_str(o, "appendonly", d.appendonly);
        json_add_int(o, "used_memory", d.used_memory);
        json_add_int(o, "max_memory", d.max_memory);
    }
    return next;
}

enum next status_read(struct app *app, cJSON **out, struct reason *why) {
    enum next next = mode_refresh(app, why);
    if (next != NEXT_DONE) {
        return next;
    }
    cJSON *status = json_new_object();
    json_add_str(status, "mode", mode_name(app->mode));
    json_add_bool(status, "mode_is_set", app->set->mode != MODE_AUTO);
    json_add_str(status, "tenant", app->set->tenant);
    next = add_work(app, status, why);
    next = next == NEXT_DONE ? add_rest(app, status, why) : next;
    next = next == NEXT_DONE ? status_withheld(app, status, why) : next;
    next = next == NEXT_DONE ? status_loss(app, status, why) : next;
    next = next == NEXT_DONE ? status_sweep(app, status, why) : next;
    next = next == NEXT_DONE ? add_redis(app, status, why) : next;
    if (next != NEXT_DONE) {
        cJSON_Delete(status);
        return next;
    }
    /* Numbers were added as raw text; read back once, so that callers get ordinary numbers. */
    char *text = json_print(status), error[80];
    cJSON_Delete(status);
    *out = json_read(text, strlen(text), error, sizeof error);
    free(text);
    return *out != NULL ? NEXT_DONE : reason_set(why, NEXT_BUG, "status", "the status is not JSON: %s", error);
}
