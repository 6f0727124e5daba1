/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fake.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "buf.h"
#include "json.h"
#include "platform.h"
#include "quantity.h"
#include "redis.h"
#include "ban.h"

static struct {
    const char *begin, *at, *end;
    size_t calls, applied, accepted;
    struct args accept; /* of the last call */
} input;

void fake_begin(const uint8_t *data, size_t size) {
    args_free(&input.accept);
    input.begin = input.at = (const char *)data;
    input.end = input.at + size;
    input.calls = input.applied = input.accepted = 0;
}

size_t fake_calls(void) {
    return input.calls;
}

size_t fake_applied(void) {
    return input.applied;
}

const struct args *fake_accepted_args(void) {
    return &input.accept;
}

size_t fake_accepted(void) {
    return input.accepted;
}

/* ---- the platforms ---- */

void answer_free(struct answer *a) {
    cJSON_Delete(a->json);
    free(a->text);
    memset(a, 0, sizeof *a);
}

/* Cuts off the answer that begins at *at. */
static const char *piece_of(const char **at, size_t *len) {
    const char *piece = *at, *stop = memchr(piece, '\f', (size_t)(input.end - piece));
    *len = (size_t)((stop != NULL ? stop : input.end) - piece);
    *at = stop != NULL ? stop + 1 : input.end;
    return piece;
}

cJSON *fake_answer(size_t i, int empty_status, int *status) {
    char error[120];
    const char *at = input.begin, *piece = NULL;
    size_t len = 0;
    *status = 0;
    for (size_t k = 0; k <= i; k++) {
        if (at == NULL || at >= input.end) {
            return NULL;
        }
        piece = piece_of(&at, &len);
    }
    if (len == 0 || (len == 3 && memcmp(piece, "404", 3) == 0)) {
        *status = len == 0 ? empty_status : 404;
        return NULL;
    }
    cJSON *json = json_read(piece, len, error, sizeof error);
    *status = json != NULL ? 200 : 0;
    return json;
}

static enum next take(struct answer *a, int empty_status, struct reason *why) {
    char error[120];
    size_t len = 0;
    memset(a, 0, sizeof *a);
    input.calls++;
    if (input.at == NULL || input.at >= input.end) {
        return reason_set(why, NEXT_DEFER, "platform_down", "no answer is left");
    }
    const char *piece = piece_of(&input.at, &len);
    a->status = len == 0 ? empty_status : 200;
    a->date_ms = INT64_C(1763000000000);
    if (len == 3 && memcmp(piece, "404", 3) == 0) {
        a->status = 404;
        a->text = xstrdup("not found");
    } else if (len > 0) {
        a->json = json_read(piece, len, error, sizeof error);
        if (a->json == NULL) {
            return reason_set(why, NEXT_DEFER, "not_json", "%s", error);
        }
    }
    return NEXT_DONE;
}

enum next bigcommerce_get(struct app *app, const char *path, struct answer *answer, struct reason *why) {
    (void)app;
    FUZZ_CHECK(path[0] == '/' && strlen(path) < 16000);
    return take(answer, 204, why);
}

enum next sitoo_get(struct app *app, const char *const *paths, struct answer *answers, size_t n, struct reason *why) {
    enum next next = NEXT_DONE;
    (void)app;
    memset(answers, 0, n * sizeof *answers);
    for (size_t i = 0; i < n && next == NEXT_DONE; i++) {
        FUZZ_CHECK(paths[i][0] == '/' && strlen(paths[i]) < 16000);
        next = take(&answers[i], 404, why);
    }
    for (size_t i = 0; i < n && next != NEXT_DONE; i++) {
        answer_free(&answers[i]);
    }
    return next;
}

/* ---- the process ---- */

/* app.c opens connections, so its part is played too. */
bool app_keep(struct app *app) {
    (void)app;
    return true;
}

/* ---- Redis ---- */

static redisReply *nothing(void) {
    redisReply *r = xcalloc(1, sizeof *r);
    r->type = REDIS_REPLY_NIL;
    return r;
}

static redisReply *text_reply(const char *text) {
    redisReply *r = nothing();
    r->type = REDIS_REPLY_STRING;
    r->str = xstrdup(text);
    r->len = strlen(text);
    return r;
}

/* The ledger has been read up to row 16, and begun at row 10; a SKU of odd length was last seen in row 16 with 9.000.
 */
static redisReply *known(const struct args *a) {
    if (a->n == 3 && strcmp(a->argv[0], "HGET") == 0 && strlen(a->argv[2]) % 2 == 1) {
        return text_reply("16 9000 0");
    }
    if (a->n == 4 && strcmp(a->argv[0], "HMGET") == 0 && strcmp(a->argv[2], "ledger") == 0) {
        redisReply *r = nothing();
        r->type = REDIS_REPLY_ARRAY;
        r->elements = 2;
        r->element = xcalloc(2, sizeof *r->element);
        r->element[0] = text_reply("16");
        r->element[1] = text_reply("10");
        return r;
    }
    return nothing();
}

void args_add_key(struct args *a, const struct redis *r, const char *name) {
    (void)r;
    args_addf(a, "{default}:%s", name);
}

enum next redis_command(struct redis *r, const struct args *a, bool repeatable, redisReply **reply,
                        struct reason *why) {
    (void)r;
    (void)repeatable;
    (void)why;
    FUZZ_CHECK(a->n > 0);
    *reply = known(a);
    return NEXT_DONE;
}

enum next redis_pipeline(struct redis *r, const struct args *cmds, size_t n, bool repeatable, redisReply **replies,
                         struct reason *why) {
    enum next next = NEXT_DONE;
    for (size_t i = 0; i < n && next == NEXT_DONE; i++) {
        next = redis_command(r, &cmds[i], repeatable, &replies[i], why);
    }
    return next;
}

/* id, status, modified, number of rows, then target|sku and thousandths of each (80_pending.lua). */
static void check_pending(const struct args *a) {
    int64_t id = 0, n = 0, thousandths = 0;
    FUZZ_CHECK(a->n >= 4 && int_parse(a->argv[0], 1, INT64_MAX, &id) && int_parse(a->argv[3], 0, 2000, &n));
    FUZZ_CHECK(a->n == 4 + 2 * (size_t)n);
    for (size_t i = 4; i < a->n; i += 2) {
        const char *bar = strchr(a->argv[i], '|');
        FUZZ_CHECK(bar != NULL && bar[1] != '\0' && strlen(bar + 1) <= 255);
        FUZZ_CHECK(int_parse(a->argv[i + 1], 1, QUANTITY_MAX, &thousandths) && thousandths % QUANTITY_ONE == 0);
    }
}

/* source, number of events, then of each: id, bytes, again, number of effect arguments, effects (20_accept.lua). */
static void check_accept(const struct args *a) {
    int64_t events = 0, count = 0;
    size_t at = 2;
    FUZZ_CHECK(a->n >= 2 && int_parse(a->argv[1], 0, 100000, &events));
    for (int64_t i = 0; i < events; i++) {
        FUZZ_CHECK(at + 4 <= a->n && int_parse(a->argv[at + 3], 0, 100, &count));
        FUZZ_CHECK(strcmp(a->argv[at + 2], "0") == 0 || strcmp(a->argv[at + 2], "1") == 0);
        fuzz_check_effects(a, at + 4, (size_t)count);
        at += 4 + (size_t)count;
    }
    FUZZ_CHECK(at == a->n);
    input.accepted += (size_t)events;
}

/* cursor, number of rows, rows, number of chains, three words each, effects: see shared/lua/15_ledger_page.lua. */
static void check_ledger_page(const struct args *a) {
    int64_t rows = 0, chains = 0;
    FUZZ_CHECK(a->n >= 3 && int_parse(a->argv[1], 0, 100000, &rows) && (size_t)rows + 3 <= a->n);
    size_t at = (size_t)rows + 2;
    FUZZ_CHECK(int_parse(a->argv[at], 0, 100000, &chains) && at + 1 + 3 * (size_t)chains <= a->n);
    at += 1 + 3 * (size_t)chains;
    fuzz_check_effects(a, at, a->n - at);
}

enum next redis_fcall(struct redis *r, const char *function, const struct args *args, bool repeatable,
                      redisReply **reply, struct reason *why) {
    (void)r;
    (void)repeatable;
    (void)why;
    if (strcmp(function, "apply") == 0) {
        fuzz_check_effects(args, 0, args->n);
        input.applied++;
    } else if (strcmp(function, "ledger_page") == 0) {
        check_ledger_page(args);
        input.applied++;
    } else if (strcmp(function, "pending_put") == 0) {
        check_pending(args);
    } else if (strcmp(function, "accept") == 0) {
        check_accept(args);
        args_free(&input.accept);
        args_append(&input.accept, args);
    }
    *reply = nothing();
    return NEXT_DONE;
}
