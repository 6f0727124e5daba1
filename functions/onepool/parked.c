/* SPDX-License-Identifier: Apache-2.0 */
/*
 * onepool parked: what waits for a person. One case is shown in JSON as
 *
 *   {"id":"unknown_sku:ABC-1","cause":"unknown_sku","entity":"ABC-1","count":3,"owner":"merchandising",
 *    "first_ms":1795413296000,"last_ms":1795413299000,"text":"...","effect":"...","step":"...","queue":"sku",
 *    "job":"ABC-1","bytes_len":0}
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "command.h"
#include "json.h"
#include "keys.h"
#include "text.h"
#include "ban.h"

#define IDS_LAST  "9999" /* last index: 10,000 ids are looked at */
#define CASES_MAX 1000   /* a longer list nobody reads; --cause chooses */
#define CHUNK     ((size_t)100)
#define PAGE_MAX  ((size_t)4 * 1024 * 1024)
#define ID_MAX    (KEY_MAX + 64)

/* Fields of a case in the order in which they are asked for; numbers first. */
static const char *const fields[] = {"count", "first",  "last", "cause", "entity", "owner",
                                     "text",  "effect", "step", "queue", "job"};
static const char *const names[] = {"count", "first_ms", "last_ms", "cause", "entity", "owner",
                                    "text",  "effect",   "step",    "queue", "job"};
#define FIELDS  (sizeof fields / sizeof fields[0])
#define NUMBERS 3

static void case_key(struct args *a, const struct app *app, const char *id) {
    char name[ID_MAX + 8];
    (void)snprintf(name, sizeof name, KEY_CASE, id);
    args_add_key(a, app->redis, name);
}

/* Integers are added as raw text: read back, so that they are numbers. */
static cJSON *settled_json(cJSON *o) {
    char *text = json_print(o), error[80];
    cJSON *read = json_read(text, strlen(text), error, sizeof error);
    free(text);
    if (read == NULL) {
        return o; /* some text is no UTF-8 (an entity cut in the middle): shown as it is */
    }
    cJSON_Delete(o);
    return read;
}

static cJSON *case_json(const char *id, const redisReply *r, int64_t bytes_len) {
    cJSON *o = json_new_object();
    json_add_str(o, "id", id);
    for (size_t i = 0; i < FIELDS; i++) {
        if (i < NUMBERS) {
            json_add_int(o, names[i], reply_int_at(r, i));
        } else {
            json_add_str(o, names[i], reply_str_at(r, i) != NULL ? reply_str_at(r, i) : "");
        }
    }
    json_add_int(o, "bytes_len", bytes_len);
    return settled_json(o);
}

/* ---- reading ---- */

static enum next read_chunk(struct app *app, char *const *ids, size_t n, cJSON *cases, struct reason *why) {
    struct args cmds[2 * CHUNK] = {{0}};
    redisReply *replies[2 * CHUNK] = {NULL};
    for (size_t i = 0; i < n; i++) {
        args_add(&cmds[2 * i], "HMGET");
        case_key(&cmds[2 * i], app, ids[i]);
        for (size_t f = 0; f < FIELDS; f++) {
            args_add(&cmds[2 * i], fields[f]);
        }
        args_add(&cmds[2 * i + 1], "HSTRLEN");
        case_key(&cmds[2 * i + 1], app, ids[i]);
        args_add(&cmds[2 * i + 1], "bytes");
    }
    enum next next = redis_pipeline(app->redis, cmds, 2 * n, true, replies, why);
    for (size_t i = 0; i < 2 * n; i++) {
        if (next == NEXT_DONE && i % 2 == 0 && reply_str_at(replies[i], NUMBERS) != NULL) {
            (void)cJSON_AddItemToArray(cases, case_json(ids[i / 2], replies[i], reply_int(replies[i + 1])));
        }
    }
    redis_pipeline_free(cmds, replies, 2 * n);
    return next;
}

static bool of_cause(const char *id, const char *cause) {
    size_t len = cause != NULL ? strlen(cause) : 0;
    return cause == NULL || (strncmp(id, cause, len) == 0 && id[len] == ':');
}

enum next parked_collect(struct app *app, const char *cause, cJSON *cases, struct reason *why) {
    struct args a = {0};
    redisReply *all = NULL;
    args_add(&a, "ZRANGE");
    args_add_key(&a, app->redis, KEY_PARKED);
    args_add(&a, "0");
    args_add(&a, IDS_LAST);
    enum next next = redis_command(app->redis, &a, true, &all, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    char **ids = xcalloc(CASES_MAX, sizeof *ids);
    size_t n = 0;
    for (size_t i = 0; i < all->elements && n < CASES_MAX; i++) {
        char *id = all->element[i]->str;
        if (id != NULL && of_cause(id, cause)) {
            ids[n++] = id;
        }
    }
    for (size_t done = 0; next == NEXT_DONE && done < n; done += CHUNK) {
        next = read_chunk(app, ids + done, n - done < CHUNK ? n - done : CHUNK, cases, why);
    }
    free(ids);
    freeReplyObject(all);
    return next;
}

/* ---- the list ---- */

static enum next count_of(struct app *app, const char *command, const char *key, int64_t *n, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, command);
    args_add_key(&a, app->redis, key);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        *n = reply_int(reply);
        freeReplyObject(reply);
    }
    return next;
}

static void print_cases(const cJSON *cases, int64_t total, int64_t ignored) {
    struct buf page;
    const cJSON *o = NULL;
    buf_init(&page, PAGE_MAX);
    cJSON_ArrayForEach(o, cases) {
        text_case(&page, o, clock_wall_ms());
    }
    if (total == 0) {
        buf_add_str(&page, "Nothing is parked.\n");
    } else {
        buf_addf(&page, "%d of %lld parked cases shown.\n", cJSON_GetArraySize(cases), (long long)total);
    }
    if (ignored > 0) {
        buf_addf(&page, "Ignored, that is counted but not listed: %lld.\n", (long long)ignored);
    }
    command_print(&page);
}

static int list(struct app *app, const struct command_line *line) {
    struct reason why = {0};
    int64_t total = 0, ignored = 0;
    cJSON *all = json_new_object(), *cases = json_add_array(all, "cases");
    enum next next = parked_collect(app, line->cause, cases, &why);
    next = next == NEXT_DONE ? count_of(app, "ZCARD", KEY_PARKED, &total, &why) : next;
    next = next == NEXT_DONE ? count_of(app, "SCARD", KEY_IGNORE, &ignored, &why) : next;
    int status = 0;
    if (next != NEXT_DONE) {
        status = command_failed(line, &why);
    } else if (line->json) {
        json_add_int(all, "total", total);
        json_add_int(all, "ignored", ignored);
        command_print_json(all);
    } else {
        print_cases(cases, total, ignored);
    }
    cJSON_Delete(all);
    return status;
}

/* ---- one case ---- */

static int not_found(const struct command_line *line, const char *id, const char *what) {
    struct reason why = {0};
    (void)reason_set(&why, NEXT_PARK, "not_found", "%s %.300s; onepool parked lists what there is", what, id);
    return command_failed(line, &why);
}

static void print_base64(const char *id, const redisReply *bytes) {
    size_t size = (bytes->len + 2) / 3 * 4 + 1;
    unsigned char *text = xcalloc(1, size);
    (void)EVP_EncodeBlock(text, (const unsigned char *)bytes->str, (int)bytes->len);
    cJSON *o = json_new_object();
    json_add_str(o, "id", id);
    json_add_str(o, "bytes_base64", (const char *)text);
    command_print_json(o);
    cJSON_Delete(o);
    free(text);
}

/* The bytes exactly as they were received; in JSON, which cannot hold any byte, as Base64. */
static int show(struct app *app, const struct command_line *line, const char *id) {
    struct reason why = {0};
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "HMGET");
    case_key(&a, app, id);
    args_add(&a, "cause");
    args_add(&a, "bytes");
    enum next next = redis_command(app->redis, &a, true, &reply, &why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return command_failed(line, &why);
    }
    int status = 0;
    if (reply_str_at(reply, 0) == NULL) {
        status = not_found(line, id, "there is no parked case");
    } else if (reply_str_at(reply, 1) == NULL) {
        status = not_found(line, id, "nothing was received for the case");
    } else if (line->json) {
        print_base64(id, reply->element[1]);
    } else {
        (void)fwrite(reply->element[1]->str, 1, reply->element[1]->len, stdout);
    }
    freeReplyObject(reply);
    return status;
}

enum next parked_end(struct app *app, const char *id, const char *how, bool *found, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, id);
    args_add(&a, how);
    /* Not repeatable: a second call would find nothing and say so. */
    enum next next = redis_fcall(app->redis, "unpark", &a, false, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        *found = reply_int(reply) == 1;
        freeReplyObject(reply);
    }
    return next;
}

static enum next unignore(struct app *app, const char *id, bool *found, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "SREM");
    args_add_key(&a, app->redis, KEY_IGNORE);
    args_add(&a, id);
    enum next next = redis_command(app->redis, &a, false, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        *found = reply_int(reply) == 1;
        freeReplyObject(reply);
    }
    return next;
}

static void print_done(const struct command_line *line, const char *id) {
    static const char *const words[][2] = {{"retry", "is tried again; it is parked anew if that fails"},
                                           {"close", "is closed"},
                                           {"ignore", "is only counted from now on"},
                                           {"unignore", "is no longer ignored"}};
    struct buf text;
    if (line->json) {
        cJSON *o = json_new_object();
        json_add_str(o, "id", id);
        json_add_str(o, "done", line->action);
        command_print_json(o);
        cJSON_Delete(o);
        return;
    }
    buf_init(&text, 2 * ID_MAX);
    text_safe(&text, id);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i][0], line->action) == 0) {
            buf_addf(&text, " %s\n", words[i][1]);
        }
    }
    command_print(&text);
}

static int act(struct app *app, const struct command_line *line, const char *id) {
    struct reason why = {0};
    bool found = false, lift = strcmp(line->action, "unignore") == 0;
    enum next next = lift ? unignore(app, id, &found, &why) : parked_end(app, id, line->action, &found, &why);
    if (next != NEXT_DONE) {
        return command_failed(line, &why);
    }
    if (!found) {
        return not_found(line, id, lift ? "it was not ignored:" : "there is no parked case");
    }
    print_done(line, id);
    return 0;
}

int command_parked(struct app *app, const struct command_line *line) {
    char id[ID_MAX];
    if (line->action == NULL) {
        return list(app, line);
    }
    bool whole = line->cause == NULL || of_cause(line->id, line->cause);
    int len = snprintf(id, sizeof id, "%s%s%s", whole ? "" : line->cause, whole ? "" : ":", line->id);
    if (len < 0 || (size_t)len >= sizeof id) {
        return not_found(line, line->id, "there is no parked case");
    }
    return strcmp(line->action, "show") == 0 ? show(app, line, id) : act(app, line, id);
}
