/* SPDX-License-Identifier: Apache-2.0 */
/* onepool replay: looks, shows bytes, and with --apply does it; see replay_choice.h. */
#include "replay_options.h"

#include <openssl/evp.h>
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

#define ROWS     20
#define ROWS_MAX 10000
#define TEXT_MAX ((size_t)64 * 1024 * 1024)

/* ---- the command line ---- */

static bool read_time(const char *text, int64_t *out, struct replay_options *o) {
    if (!clock_parse_iso(text, out) || *out <= 0) {
        o->mistake =
            "--from and --to want a time as 2026-11-23T10:00:00Z, or with an offset: 2026-11-23T10:00:00+01:00";
        return false;
    }
    return true;
}

static bool read_option(struct replay_options *o, const char *name, const char *value) {
    struct replay_choice *c = &o->choice;
    const struct {
        const char *name;
        const char **to;
    } texts[] = {{"--sku", &c->sku},     {"--order", &c->order}, {"--source", &c->source}, {"--parked", &c->parked},
                 {"--apply", &o->apply}, {"--show", &o->show},   {"--by", &o->by}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(texts[i].name, name) == 0 && *texts[i].to == NULL && value[0] != '\0') {
            *texts[i].to = value;
            return true;
        }
    }
    if (strcmp(name, "--from") == 0 || strcmp(name, "--to") == 0) {
        return read_time(value, strcmp(name, "--to") == 0 ? &c->to_ms : &c->from_ms, o);
    }
    return strcmp(name, "--rows") == 0 && int_parse(value, 0, ROWS_MAX, &o->rows);
}

/* What the options say together. */
static const char *mistake(const struct replay_options *o) {
    const struct replay_choice *c = &o->choice;
    int64_t order = 0;
    bool by_property = c->sku != NULL || c->order != NULL || c->parked != NULL || c->from_ms > 0 || c->to_ms > 0;
    if (o->apply != NULL || o->show != NULL) {
        return by_property || c->source != NULL || c->id_count > 0 || (o->apply != NULL && o->show != NULL)
                   ? "--apply and --show stand alone: the choice is the one that was looked at"
                   : NULL;
    }
    if (c->id_count > 0 && (by_property || c->source != NULL)) {
        return "give ids, or a choice by --sku, --order, --from, --to, --parked; not both";
    }
    if (c->id_count == 0 && !by_property) {
        return "choose what is to be replayed: an id, --sku, --order, --from and --to, or --parked";
    }
    if (c->order != NULL && !int_parse(c->order, 1, JSON_INT_MAX, &order)) {
        return "--order wants the number of a web order or of an order of the tills";
    }
    if (c->source != NULL && strcmp(c->source, "sitoo") != 0 && strcmp(c->source, "bigcommerce") != 0) {
        return "--source is sitoo or bigcommerce";
    }
    return c->to_ms > 0 && c->from_ms > c->to_ms ? "--from is later than --to" : NULL;
}

bool replay_words(char **words, struct command_line *line) {
    struct replay_options *o = &line->replay;
    o->rows = ROWS;
    for (; *words != NULL; words++) {
        if (strcmp(*words, "--json") == 0) {
            line->json = true;
        } else if (strncmp(*words, "--", 2) != 0) {
            if (o->choice.id_count == REPLAY_IDS_MAX) {
                o->mistake = "more than 100 ids";
                return true;
            }
            o->choice.ids[o->choice.id_count++] = *words;
        } else if (words[1] == NULL || !read_option(o, words[0], words[1])) {
            return o->mistake != NULL;
        } else {
            words++;
        }
    }
    o->mistake = mistake(o);
    return true;
}

/* ---- looking ---- */

enum next replay_gather(struct app *app, const struct replay_choice *c, int64_t rows, struct reading *progress,
                        struct replay_look *look, char id[17], struct reason *why) {
    struct replay_walk w = {.app = app,
                            .choice = c,
                            .after = "",
                            .visit = replay_look_visit,
                            .arg = look,
                            .progress = reading_show,
                            .progress_arg = progress};
    replay_look_begin(look, rows);
    look->from_ms = c->from_ms;
    look->to_ms = c->to_ms;
    look->only_cases = c->parked != NULL;
    enum next next = replay_go(&w, why);
    look->begins_ms = w.begins_ms;
    replay_look_id(look, id);
    return next;
}

static enum next keep_look(struct app *app, const struct replay_choice *c, const char *id, bool *begun,
                           struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    cJSON *json = replay_choice_json(c);
    char *text = json_print(json);
    args_add(&a, id);
    args_add(&a, text);
    args_add_int(&a, c->to_ms);
    enum next next = redis_fcall(app->redis, "replay_look", &a, true, &reply, why);
    args_free(&a);
    free(text);
    cJSON_Delete(json);
    if (next == NEXT_DONE) {
        *begun = reply_str(reply) != NULL && strcmp(reply_str(reply), "begun") == 0;
        freeReplyObject(reply);
    }
    return next;
}

static int look(struct app *app, const struct command_line *line) {
    struct replay_choice c = line->replay.choice;
    struct replay_look l;
    struct reading progress = reading_begin(line->json);
    struct reason why = {0};
    char id[17];
    bool begun = false;
    int64_t now = 0;
    enum next next = redis_time(app->redis, &now, &why);
    if (next != NEXT_DONE) {
        return command_failed(line, &why);
    }
    /* What comes in from now on is none of it. */
    c.to_ms = c.to_ms > 0 && c.to_ms < now ? c.to_ms : now - 1;
    next = replay_gather(app, &c, line->replay.rows, &progress, &l, id, &why);
    reading_end(&progress);
    if (next == NEXT_DONE && l.events + l.cases > 0) {
        next = keep_look(app, &c, id, &begun, &why);
    }
    int status = next == NEXT_DONE ? 0 : command_failed(line, &why);
    if (status == 0 && line->json) {
        cJSON *o = replay_look_json(&l, l.events + l.cases > 0 ? id : "", begun);
        command_print_json(o);
        cJSON_Delete(o);
    } else if (status == 0) {
        struct buf text;
        buf_init(&text, TEXT_MAX);
        replay_look_text(&l, id, begun, &text);
        command_print(&text);
    }
    replay_look_free(&l);
    return status;
}

/* ---- the bytes of one ---- */

struct showing {
    bool json, shown;
};

static enum next show_visit(void *arg, const struct replay_event *e, struct reason *why) {
    struct showing *s = arg;
    if (e->bytes == NULL) {
        return reason_set(why, NEXT_PARK, "not_found", "nothing was received for the case %.200s", e->id);
    }
    if (s->shown) {
        return NEXT_DONE; /* an id that came again, days later: the first */
    }
    s->shown = true;
    if (!s->json) {
        (void)fwrite(e->bytes, 1, e->len, stdout);
        return NEXT_DONE;
    }
    unsigned char *text = xcalloc(1, (e->len + 2) / 3 * 4 + 1);
    (void)EVP_EncodeBlock(text, (const unsigned char *)e->bytes, (int)e->len);
    cJSON *o = json_new_object();
    json_add_str(o, "id", e->id);
    json_add_str(o, "source", e->source);
    json_add_str(o, "event", e->event);
    json_add_str(o, "bytes_base64", (const char *)text);
    command_print_json(o);
    cJSON_Delete(o);
    free(text);
    return NEXT_DONE;
}

static int show(struct app *app, const struct command_line *line) {
    struct replay_choice c = {.ids = {line->replay.show}, .id_count = 1};
    struct showing s = {.json = line->json};
    struct reading progress = reading_begin(line->json);
    struct reason why = {0};
    struct replay_walk w = {.app = app,
                            .choice = &c,
                            .after = "",
                            .visit = show_visit,
                            .arg = &s,
                            .progress = reading_show,
                            .progress_arg = &progress};
    enum next next = redis_time(app->redis, &c.to_ms, &why);
    next = next == NEXT_DONE ? replay_go(&w, &why) : next;
    reading_end(&progress);
    return next == NEXT_DONE ? 0 : command_failed(line, &why);
}

int command_replay(struct app *app, const struct command_line *line) {
    if (line->replay.mistake != NULL) {
        struct reason why = {0};
        (void)reason_set(&why, NEXT_PARK, "usage", "%s", line->replay.mistake);
        (void)command_failed(line, &why);
        return 2;
    }
    return line->replay.apply != NULL  ? replay_apply(app, line)
           : line->replay.show != NULL ? show(app, line)
                                       : look(app, line);
}
