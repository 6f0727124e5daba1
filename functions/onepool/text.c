/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "status.h"
#include "ban.h"

#define LATE_MS     INT64_C(60000) /* an entity that waits for longer is worth a look */
#define PAUSE_MS    INT64_C(5000)  /* a shorter pause is everyday */
#define CAUSES_MAX  8              /* named in one line */
#define MINUTE_MS   INT64_C(60000)
#define HOUR_MS     (60 * MINUTE_MS)
#define TWO_DAYS_MS (48 * HOUR_MS)

void text_age(int64_t ms, char out[TEXT_AGE_SIZE]) {
    static const struct {
        int64_t below, unit;
        const char *name;
    } steps[] = {
        {1000, 1, "ms"}, {2 * MINUTE_MS, 1000, "s"}, {2 * HOUR_MS, MINUTE_MS, "min"}, {TWO_DAYS_MS, HOUR_MS, "h"}};
    int64_t age = ms > 0 ? ms : 0, unit = 24 * HOUR_MS;
    const char *name = "d";
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (age < steps[i].below) {
            unit = steps[i].unit;
            name = steps[i].name;
            break;
        }
    }
    (void)snprintf(out, TEXT_AGE_SIZE, "%lld %s", (long long)(age / unit), name);
}

/* Bytes of the character at s that may be shown; 0 if it may not. C1 controls (U+0080 to U+009F) are control characters
 * too. Overlong forms are not looked for: a terminal shows them as rubbish at worst. */
static size_t shown_bytes(const unsigned char *s) {
    if (s[0] < 0x80) {
        return s[0] >= ' ' && s[0] != 0x7f ? 1 : 0;
    }
    size_t n = s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : 0;
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return s[0] == 0xc2 && s[1] < 0xa0 ? 0 : n;
}

void text_safe(struct buf *out, const char *s) {
    while (*s != '\0') {
        size_t n = shown_bytes((const unsigned char *)s);
        buf_add(out, n > 0 ? s : "?", n > 0 ? n : 1);
        s += n > 0 ? n : 1;
    }
}

/* A character is what does not continue one in UTF-8. */
void text_padded(struct buf *out, const char *s, size_t width) {
    struct buf safe;
    size_t shown = 0;
    buf_init(&safe, 4000);
    text_safe(&safe, s);
    for (const char *c = buf_str(&safe); *c != '\0'; c++) {
        bool begins = ((unsigned char)*c & 0xc0) != 0x80;
        if (begins && shown == width) {
            break;
        }
        shown += begins ? 1 : 0;
        buf_add(out, c, 1);
    }
    buf_addf(out, "%*s", (int)(width - shown), "");
    buf_free(&safe);
}

static const char *word(const cJSON *o, const char *key) {
    const char *s = json_str(o, key);
    return s != NULL ? s : "";
}

/* ---- status ---- */

static void add_functions(struct buf *out, const cJSON *functions) {
    const cJSON *f = NULL;
    char age[TEXT_AGE_SIZE];
    buf_addf(out, "%-14s %8s %8s %8s %8s   %s\n", "function", "waiting", "in work", "put off", "parked", "oldest");
    cJSON_ArrayForEach(f, functions) {
        text_age(status_int(f, "oldest_age_ms"), age);
        bool busy = status_int(f, "due") + status_int(f, "claimed") + status_int(f, "deferred") > 0;
        buf_addf(out, "%-14s %8lld %8lld %8lld %8lld   %s\n", f->string, (long long)status_int(f, "due"),
                 (long long)status_int(f, "claimed"), (long long)status_int(f, "deferred"),
                 (long long)status_int(f, "parked"), busy ? age : "-");
    }
}

static void add_line(struct buf *out, const char *name) {
    buf_addf(out, "%-32s ", name);
}

static void add_number(struct buf *out, const char *name, int64_t n) {
    add_line(out, name);
    buf_addf(out, "%lld\n", (long long)n);
}

static void add_lag(struct buf *out, const char *name, const cJSON *lag) {
    char median[TEXT_AGE_SIZE], p95[TEXT_AGE_SIZE], worst[TEXT_AGE_SIZE];
    add_line(out, name);
    if (status_int(lag, "n") == 0) {
        buf_add_str(out, "no level yet\n");
        return;
    }
    text_age(status_int(lag, "median"), median);
    text_age(status_int(lag, "p95"), p95);
    text_age(status_int(lag, "worst"), worst);
    buf_addf(out, "median %s, 95 of 100 within %s, worst %s (last %lld levels)\n", median, p95, worst,
             (long long)status_int(lag, "n"));
}

static void add_quota(struct buf *out, const cJSON *bc) {
    char reset[TEXT_AGE_SIZE];
    int64_t quota = 0;
    add_line(out, "BigCommerce quota");
    if (!json_int(bc, "quota", &quota)) {
        buf_add_str(out, "not known yet\n");
        return;
    }
    text_age(status_int(bc, "reset_in_ms"), reset);
    buf_addf(out, "%lld of %lld calls left", (long long)status_int(bc, "left"), (long long)quota);
    buf_addf(out, status_int(bc, "reset_in_ms") > 0 ? ", anew in %s\n" : "\n", reset);
}

static void add_writer(struct buf *out, const cJSON *writer) {
    add_line(out, "Writer of levels");
    text_safe(out, cJSON_IsObject(writer) ? word(writer, "holder") : "nobody");
    buf_add_str(out, "\n");
}

static void add_baseline(struct buf *out, const cJSON *b) {
    const char *state = word(b, "state");
    add_line(out, "Baseline");
    if (strcmp(state, "accepted") == 0) {
        buf_addf(out, "accepted (%s)%s\n", word(b, "accepted"),
                 json_bool(b, "begun", true) ? "" : ", being taken over");
    } else if (strcmp(state, "read") == 0) {
        buf_addf(out, "report %s: %lld differences, %lld orders without a class; not accepted\n", word(b, "report"),
                 (long long)status_int(b, "differences"), (long long)status_int(b, "unclassed"));
    } else if (strcmp(state, "reading") == 0) {
        buf_addf(out, "being read, %lld of %lld rows\n", (long long)status_int(b, "done"),
                 (long long)status_int(b, "total"));
    } else {
        buf_add_str(out, "none\n");
    }
}

/* What is being derived anew, in the order of functions/stock-moved/rebuild.c. */
static const struct {
    const char *step, *words;
} rebuild_steps[] = {{"refunds", "refunds in Sitoo's ledger since the loss"},
                     {"orders", "Sitoo's orders since the loss"},
                     {"web_orders", "web orders that hold stock"},
                     {"skus", "SKUs of the mapped locations"}};
#define REBUILD_STEPS (sizeof rebuild_steps / sizeof rebuild_steps[0])

static void add_rebuild(struct buf *out, const cJSON *rebuild) {
    int64_t total = 0;
    for (size_t i = 0; i < REBUILD_STEPS; i++) {
        if (strcmp(rebuild_steps[i].step, word(rebuild, "step")) == 0) {
            buf_addf(out, "step %zu of %zu, %s", i + 1, REBUILD_STEPS, rebuild_steps[i].words);
        }
    }
    if (json_int(rebuild, "total", &total)) {
        buf_addf(out, ", %lld of %lld", (long long)status_int(rebuild, "done"), (long long)total);
    } else if (status_int(rebuild, "done") > 0) {
        buf_addf(out, ", %lld so far", (long long)status_int(rebuild, "done"));
    }
}

static void add_epoch(struct buf *out, const cJSON *epoch) {
    const char *state = word(epoch, "state");
    char age[TEXT_AGE_SIZE];
    text_age(status_int(epoch, "age_ms"), age);
    add_line(out, "Contents of Redis");
    if (strcmp(state, "whole") == 0) {
        buf_addf(out, "as we left them, for %s\n", age);
    } else if (strcmp(state, "lossy") == 0) {
        buf_addf(out, "data was lost, noticed %s ago; being rebuilt\n", age);
    } else {
        buf_add_str(out, strcmp(state, "new") == 0 ? "new; web orders are read first\n" : "nobody has looked yet\n");
    }
}

void text_status(struct buf *out, const cJSON *status) {
    const cJSON *lags = json_get(status, "lag_ms"), *redis = json_get(status, "redis");
    buf_addf(out, "onepool, tenant %s, mode %s\n\n", word(status, "tenant"), word(status, "mode"));
    add_functions(out, json_get(status, "functions"));
    buf_add_str(out, "\n");
    add_number(out, "Levels not yet seen in the shop", status_int(status, "unconfirmed_levels"));
    add_number(out, "Web orders that hold stock", status_int(status, "pending_orders"));
    add_number(out, "Returned rows not on sale", status_int(json_get(status, "withheld"), "entries"));
    add_number(out, "Writes without recorded outcome", status_int(status, "open_intents"));
    add_lag(out, "Till to level accepted", json_get(lags, "accepted"));
    add_lag(out, "Till to level confirmed", json_get(lags, "confirmed"));
    add_quota(out, json_get(json_get(status, "budget"), "bigcommerce"));
    add_writer(out, json_get(status, "writer"));
    add_baseline(out, json_get(status, "baseline"));
    add_line(out, "Redis");
    buf_addf(out, "%s, durability %s\n", word(redis, "version"), word(redis, "rung"));
    add_epoch(out, json_get(status, "epoch"));
    buf_add_str(out, "\n");
    if (text_attention(out, status) == 0) {
        buf_add_str(out, "Nothing needs attention.\n");
    }
}

/* ---- attention ---- */

static size_t attend_late(struct buf *out, const cJSON *functions) {
    const cJSON *f = NULL;
    char age[TEXT_AGE_SIZE];
    size_t n = 0;
    cJSON_ArrayForEach(f, functions) {
        if (status_int(f, "oldest_age_ms") > LATE_MS) {
            text_age(status_int(f, "oldest_age_ms"), age);
            buf_addf(out, "-> %s is late: the oldest waits for %s. Is it running, do the platforms answer?\n",
                     f->string, age);
            n++;
        }
    }
    return n;
}

static size_t attend_parked(struct buf *out, const cJSON *parked) {
    const cJSON *cause = NULL;
    int64_t total = status_int(parked, "total"), n = 0;
    int named = 0;
    if (total == 0) {
        return 0;
    }
    buf_addf(out, "-> %lld %s for a person (", (long long)total, total == 1 ? "case waits" : "cases wait");
    cJSON_ArrayForEach(cause, json_get(parked, "by_cause")) {
        if (named < CAUSES_MAX && json_item_int(cause, &n)) {
            buf_addf(out, "%s%s %lld", named > 0 ? ", " : "", cause->string, (long long)n);
        }
        named++;
    }
    buf_addf(out, "%s): onepool parked\n", named > CAUSES_MAX ? ", ..." : "");
    return 1;
}

static size_t attend_withheld(struct buf *out, const cJSON *withheld) {
    char age[TEXT_AGE_SIZE];
    int64_t aged = status_int(withheld, "aged");
    if (aged == 0) {
        return 0;
    }
    text_age(status_int(withheld, "oldest_age_ms"), age);
    buf_addf(
        out,
        "-> Returned units of %lld %s are not on sale for longer than %lld days, the oldest for %s: onepool withheld "
        "--aged\n",
        (long long)aged, aged == 1 ? "row" : "rows", (long long)status_int(withheld, "aged_days"), age);
    return 1;
}

static size_t attend_brake(struct buf *out, const cJSON *brake) {
    char left[TEXT_AGE_SIZE];
    size_t n = 0;
    if (json_bool(brake, "held", false)) {
        buf_add_str(out, "-> The brake holds a write of levels: onepool brake\n");
        n++;
    }
    if (status_int(brake, "released_ms") > 0) {
        text_age(status_int(brake, "released_ms"), left);
        buf_addf(out, "-> The brake is released for one write within %s\n", left);
        n++;
    }
    return n;
}

static size_t attend_pauses(struct buf *out, const cJSON *budget) {
    const cJSON *bc = json_get(budget, "bigcommerce"), *key = NULL;
    char left[TEXT_AGE_SIZE];
    size_t n = 0;
    if (status_int(bc, "paused_ms") > PAUSE_MS) {
        text_age(status_int(bc, "paused_ms"), left);
        buf_addf(out, "-> BigCommerce is not called for another %s: it asked us to wait, or does not answer\n", left);
        n++;
    }
    cJSON_ArrayForEach(key, json_get(budget, "sitoo")) {
        if (status_int(key, "paused_ms") > PAUSE_MS) {
            text_age(status_int(key, "paused_ms"), left);
            buf_addf(out, "-> Sitoo's key %lld is not used for another %s: it asked us to wait, or does not answer\n",
                     (long long)status_int(key, "key"), left);
            n++;
        }
    }
    return n;
}

static size_t attend_redis(struct buf *out, const cJSON *redis) {
    const char *rung = word(redis, "rung"), *last = word(redis, "last_write");
    size_t n = 0;
    if (strcmp(rung, "unknown") == 0) {
        buf_add_str(
            out, "-> Whether Redis keeps what is acknowledged cannot be seen (CONFIG is forbidden): onepool check\n");
        n++;
    } else if (strcmp(rung, "R1") != 0) {
        buf_addf(out, "-> Redis may lose acknowledged events (durability %s): onepool check\n", rung);
        n++;
    }
    if (last[0] != '\0' && strcmp(last, "ok") != 0) {
        buf_add_str(out, "-> Redis cannot write its append-only file: look at its disk\n");
        n++;
    }
    return n;
}

static size_t attend_epoch(struct buf *out, const cJSON *epoch, bool writer) {
    const cJSON *rebuild = json_get(epoch, "rebuild");
    bool lossy = strcmp(word(epoch, "state"), "lossy") == 0;
    const char *problem = word(rebuild, "problem");
    if (!json_bool(epoch, "levels_held", false)) {
        return 0;
    }
    if (lossy) {
        buf_add_str(out, "-> Levels stand still: Redis lost data (");
        text_safe(out, word(epoch, "cause"));
        buf_add_str(out, ").\n   No level is written until what holds stock is read anew from both platforms");
    } else {
        buf_add_str(out,
                    "-> Levels stand still: Redis is new to us, so web orders that hold stock are read before any\n"
                    "   level is written");
    }
    if (word(rebuild, "step")[0] != '\0') {
        buf_add_str(out, lossy ? ":\n   " : ": ");
        add_rebuild(out, rebuild);
    }
    buf_add_str(out, ".\n");
    if (!writer) {
        buf_add_str(out, "   Nothing goes on before a worker of stock-moved runs: start it.\n");
    } else if (problem[0] != '\0') {
        buf_add_str(out, "   It does not go on: ");
        text_safe(out, problem);
        buf_add_str(
            out, "\n   It is tried again by itself; onepool check tells whether the platforms and keys are right.\n");
    } else {
        buf_add_str(out, "   It goes on by itself: nothing to do but wait.\n");
    }
    return 1;
}

/* What the platforms keep for us, and until when. */
static size_t attend_loss(struct buf *out, const cJSON *loss) {
    const cJSON *r = NULL;
    char left[TEXT_AGE_SIZE];
    int64_t ms = 0;
    size_t n = 0;
    cJSON_ArrayForEach(r, json_array(loss, "routes")) {
        if (json_int(r, "left_ms", &ms)) {
            text_age(ms, left);
            buf_addf(out, "-> Events are lost in %s: calls of %s that were not taken: %lld, and none was since (", left,
                     word(r, "route"), (long long)status_int(r, "refused"));
            text_safe(out, word(r, "why"));
            buf_add_str(out, ").\n   Mend that before; the platform then sends again what it keeps\n");
            n++;
        }
        if (json_int(r, "idle_left_ms", &ms)) {
            text_age(ms, left);
            buf_addf(out,
                     "-> BigCommerce switches the webhooks of %s off in %s: it switches off what was not called for "
                     "90 days\n",
                     word(r, "route"), left);
            n++;
        }
    }
    cJSON_ArrayForEach(r, json_array(loss, "hooks")) {
        text_age(status_int(r, "left_ms"), left);
        buf_add_str(out, "-> A webhook fails (");
        text_safe(out, word(r, "entity"));
        buf_addf(out, "): BigCommerce switches it off in %s unless it succeeds: onepool hooks\n", left);
        n++;
    }
    return n;
}

static size_t attend_notify(struct buf *out, const cJSON *channels) {
    const cJSON *c = NULL;
    size_t n = 0;
    cJSON_ArrayForEach(c, channels) {
        if (status_int(c, "failing_since_ms") > 0) {
            buf_addf(out, "-> Nobody is told of urgent cases by %s: ", word(c, "channel"));
            text_safe(out, word(c, "why"));
            buf_add_str(out, "; try: onepool notify --test\n");
            n++;
        }
    }
    return n;
}

size_t text_attention(struct buf *out, const cJSON *status) {
    size_t n = attend_epoch(out, json_get(status, "epoch"), cJSON_IsObject(json_get(status, "writer")));
    n += attend_brake(out, json_get(status, "brake"));
    n += attend_parked(out, json_get(status, "parked"));
    n += attend_withheld(out, json_get(status, "withheld"));
    n += attend_late(out, json_get(status, "functions"));
    n += attend_pauses(out, json_get(status, "budget"));
    n += attend_loss(out, json_get(status, "loss"));
    n += attend_notify(out, json_get(status, "notify"));
    n += attend_redis(out, json_get(status, "redis"));
    if (!cJSON_IsObject(json_get(status, "writer"))) {
        buf_add_str(out, "-> Nobody writes levels: is a worker of stock-moved running?\n");
        n++;
    }
    if (strcmp(word(status, "mode"), "shadow") == 0) {
        buf_add_str(out, json_bool(status, "mode_is_set", true)
                             ? "-> Shadow mode: nothing is written to BigCommerce (ONEPOOL_MODE=live changes that)\n"
                             : "-> Shadow mode until a baseline is accepted: onepool baseline\n");
        n++;
    }
    return n;
}

/* ---- cases ---- */

static void add_field(struct buf *out, const char *name, const cJSON *o, const char *key) {
    if (word(o, key)[0] != '\0') {
        buf_addf(out, "    %-9s ", name);
        text_safe(out, word(o, key));
        buf_add_str(out, "\n");
    }
}

void text_case(struct buf *out, const cJSON *parked, int64_t now_ms) {
    char since[CLOCK_TEXT_SIZE], last[TEXT_AGE_SIZE];
    int64_t count = status_int(parked, "count");
    clock_format(status_int(parked, "first_ms"), since);
    since[10] = ' '; /* 2026-11-23 06:42, cut after the minute */
    since[16] = '\0';
    text_age(now_ms - status_int(parked, "last_ms"), last);
    text_safe(out, word(parked, "id"));
    /* Times 0: it was noticed, but did not happen again. */
    if (count > 1) {
        buf_addf(out, "   %lld times", (long long)count);
    }
    buf_addf(out, "   since %s UTC, last %s ago   for ", since, last);
    text_safe(out, word(parked, "owner"));
    buf_add_str(out, "\n");
    add_field(out, "happened", parked, "text");
    add_field(out, "effect", parked, "effect");
    add_field(out, "next", parked, "step");
}
