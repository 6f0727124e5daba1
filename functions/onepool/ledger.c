/* SPDX-License-Identifier: Apache-2.0 */
/* onepool ledger: its words, and how long entries are kept. */
#include "ledger.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "command.h"
#include "json.h"
#include "ledger_source.h"
#include "quantity.h"
#include "sku.h"
#include "ban.h"

#define ROWS_PRESET 200
#define ROWS_MAX    10000
#define DAYS_MAX    3650
#define DAY_MS      INT64_C(86400000)

/* 2026-11-30, 2026-11-30T14:03, 2026-11-30T14:03:12, and the last with an offset or Z; without: UTC. */
static bool time_of(const char *s, int64_t *ms) {
    static const char *const rest[] = {"T00:00:00Z", ":00Z", "Z", ""};
    static const size_t lengths[] = {10, 16, 19, 0};
    char text[48];
    for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++) {
        if ((lengths[i] == 0 || strlen(s) == lengths[i]) && strlen(s) < 36) {
            (void)snprintf(text, sizeof text, "%s%s", s, rest[i]);
            if (clock_parse_iso(text, ms)) {
                return *ms > 0;
            }
        }
    }
    return false;
}

static void read_time(const char *word, int64_t *ms, struct ledger_options *o) {
    if (!time_of(word, ms)) {
        o->wrong_time = word;
    }
}

static bool read_act(const char *word, struct ledger_options *o) {
    static const char *const names[] = {"verify", "sku", "export", "keep"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(word, names[i]) == 0) {
            o->act = (enum ledger_act)i;
            return true;
        }
    }
    return false;
}

/* One option that belongs to the action; *words moves on to the last word taken. */
static bool read_option(char ***words, struct ledger_options *o) {
    const char *word = **words;
    bool reads = o->act == LEDGER_VERIFY || o->act == LEDGER_SKU;
    char *value = (*words)[1];
    if (o->act == LEDGER_VERIFY && strcmp(word, "--fetch") == 0) {
        o->fetch = true;
        return true;
    }
    if (o->act == LEDGER_SKU && strcmp(word, "--names") == 0) {
        o->names = true;
        return true;
    }
    if (value == NULL) {
        return false;
    }
    ++*words;
    if (o->act == LEDGER_VERIFY && strcmp(word, "--ties") == 0) {
        o->ties = value;
    } else if (reads && strcmp(word, "--from") == 0) {
        o->from = *words; /* all that follow */
        while ((*words)[1] != NULL) {
            ++*words;
        }
    } else if (o->act == LEDGER_SKU && strcmp(word, "--at") == 0) {
        read_time(value, &o->at_ms, o);
    } else if (o->act == LEDGER_SKU && strcmp(word, "--rows") == 0) {
        return int_parse(value, 1, ROWS_MAX, &o->rows);
    } else if (o->act == LEDGER_EXPORT && strcmp(word, "--to") == 0) {
        o->to = value;
    } else if (o->act == LEDGER_EXPORT && strcmp(word, "--until") == 0) {
        read_time(value, &o->until_ms, o);
    } else {
        return false;
    }
    return true;
}

bool ledger_words(char **words, struct command_line *line) {
    struct ledger_options *o = &line->ledger;
    *o = (struct ledger_options){.rows = ROWS_PRESET};
    if (*words == NULL || !read_act(*words, o)) {
        return false;
    }
    words++;
    if (o->act == LEDGER_SKU) {
        o->sku = *words;
        words += *words != NULL ? 1 : 0;
    } else if (o->act == LEDGER_KEEP && *words != NULL && (*words)[0] != '-') {
        if (!int_parse(*words++, 1, DAYS_MAX, &o->days)) {
            return false;
        }
    }
    for (; *words != NULL; words++) {
        if (strcmp(*words, "--json") == 0) {
            line->json = true;
        } else if (!read_option(&words, o)) {
            return false;
        }
    }
    return (o->act != LEDGER_SKU || (o->sku != NULL && o->sku[0] != '\0')) &&
           (o->act != LEDGER_EXPORT || o->to != NULL) && !(o->fetch && o->from != NULL);
}

unsigned ledger_needs(const struct command_line *line) {
    const struct ledger_options *o = &line->ledger;
    unsigned needs = NEED_REDIS; /* files: it is not asked */
    if (o->act == LEDGER_VERIFY) {
        needs |= NEED_MAPPING; /* which warehouses have a level */
    }
    needs |= o->act == LEDGER_SKU ? LIKES_MAPPING : 0; /* how many locations there are */
    return o->fetch || o->names ? needs | NEED_SITOO | NEED_MAPPING : needs;
}

static int keep(struct app *app, const struct command_line *line) {
    struct reason why = {0};
    struct ledger_head h;
    enum next next = NEXT_DONE;
    if (line->ledger.days > 0) {
        struct args a = {0};
        redisReply *reply = NULL;
        args_add_int(&a, line->ledger.days);
        next = redis_fcall(app->redis, "ledger_keep", &a, true, &reply, &why);
        args_free(&a);
        if (next == NEXT_DONE) {
            freeReplyObject(reply);
        }
    }
    next = next == NEXT_DONE ? ledger_head_read(app, &h, &why) : next;
    if (next != NEXT_DONE) {
        return command_failed(line, &why);
    }
    if (line->json) {
        cJSON *o = json_new_object();
        json_add_int(o, "days", h.days);
        json_add_int(o, "entries_ever", h.n);
        command_print_json(o);
        cJSON_Delete(o);
    } else {
        (void)printf(
            "Entries of the ledger are kept for %lld days; what is older goes with the next entry. Export first: "
            "onepool ledger export --to FOLDER\n",
            (long long)h.days);
    }
    return 0;
}

int command_ledger(struct app *app, const struct command_line *line) {
    const struct ledger_options *o = &line->ledger;
    struct reason why = {0};
    if (o->wrong_time != NULL) {
        (void)reason_set(
            &why, NEXT_PARK, "time",
            "\"%.60s\" is no time: give 2026-11-30, 2026-11-30T14:03, 2026-11-30T14:03:12 (UTC), or the last "
            "with an offset such as +01:00",
            o->wrong_time);
        return command_failed(line, &why);
    }
    if (o->sku != NULL && !sku_fits(o->sku)) {
        (void)reason_set(&why, NEXT_PARK, "sku", "a SKU has at most %d characters", SKU_CHARS_MAX);
        return command_failed(line, &why);
    }
    switch (o->act) {
    case LEDGER_VERIFY:
        return ledger_verify(app, line);
    case LEDGER_SKU:
        return ledger_sku(app, line);
    case LEDGER_EXPORT:
        return ledger_export(app, line);
    case LEDGER_KEEP:
        break;
    }
    return keep(app, line);
}
