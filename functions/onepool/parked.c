/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "command.h"
#include "json.h"
#include "keys.h"
#include "quantity.h"
#include "ban.h"

#define CASES_MAX "999" /* last index: a list of 1,000 is enough to read */

static enum next read_case(struct app *app, const char *id, redisReply **reply, struct reason *why) {
    struct args a = {0};
    char name[KEY_MAX + 64];
    (void)snprintf(name, sizeof name, KEY_CASE, id);
    args_add(&a, "HGETALL");
    args_add_key(&a, app->redis, name);
    enum next next = redis_command(app->redis, &a, true, reply, why);
    args_free(&a);
    return next;
}

static cJSON *case_json(const char *id, const redisReply *r) {
    cJSON *o = json_new_object();
    json_add_str(o, "id", id);
    for (size_t i = 0; i + 1 < r->elements; i += 2) {
        const char *name = reply_str_at(r, i), *value = reply_str_at(r, i + 1);
        int64_t n = 0;
        if (strcmp(name, "bytes") == 0) {
            continue; /* --show prints them exactly */
        }
        bool figure = strcmp(name, "count") == 0 || strcmp(name, "first") == 0 || strcmp(name, "last") == 0;
        if (figure && int_parse(value, 0, INT64_MAX, &n)) {
            json_add_int(o,
                         strcmp(name, "count") == 0   ? "count"
                         : strcmp(name, "first") == 0 ? "first_ms"
                                                      : "last_ms",
                         n);
        } else {
            json_add_str(o, name, value);
        }
    }
    /* Integers were added as raw text: read back, so that they are numbers here too. */
    char *text = json_print(o), error[80];
    cJSON_Delete(o);
    o = json_read(text, strlen(text), error, sizeof error);
    free(text);
    return o != NULL ? o : json_new_object();
}

static const char *word(const cJSON *o, const char *key) {
    const char *s = json_str(o, key);
    return s != NULL ? s : "";
}

static void print_case(const cJSON *o) {
    int64_t count = 0, first = 0, now = clock_wall_ms();
    char age[24];
    (void)json_int(o, "count", &count);
    (void)json_int(o, "first_ms", &first);
    text_age(now > first ? now - first : 0, age);
    (void)printf("%s   (%lld time(s), for %s, %s)\n  %s\n  Effect: %s\n  Next:   %s\n", word(o, "id"), (long long)count,
                 age, word(o, "owner"), word(o, "text"), word(o, "effect"), word(o, "step"));
}

static enum next collect(struct app *app, const char *cause, cJSON *cases, struct reason *why) {
    struct args a = {0};
    redisReply *ids = NULL;
    args_add(&a, "ZRANGE");
    args_add_key(&a, app->redis, KEY_PARKED);
    args_add(&a, "0");
    args_add(&a, CASES_MAX);
    enum next next = redis_command(app->redis, &a, true, &ids, why);
    args_free(&a);
    for (size_t i = 0; next == NEXT_DONE && i < ids->elements; i++) {
        redisReply *reply = NULL;
        next = read_case(app, reply_str_at(ids, i), &reply, why);
        if (next != NEXT_DONE) {
            break;
        }
        cJSON *o = case_json(reply_str_at(ids, i), reply);
        freeReplyObject(reply);
        if (cause == NULL || strcmp(word(o, "cause"), cause) == 0) {
            (void)cJSON_AddItemToArray(cases, o);
        } else {
            cJSON_Delete(o);
        }
    }
    if (ids != NULL) {
        freeReplyObject(ids);
    }
    return next;
}

static int list(struct app *app, const struct command_line *line) {
    struct reason why = {0};
    cJSON *all = json_new_object(), *cases = json_add_array(all, "cases");
    const cJSON *o = NULL;
    int status = 0;
    if (collect(app, line->value, cases, &why) != NEXT_DONE) {
        status = command_failed(&why);
    } else if (line->json) {
        command_print_json(all);
    } else {
        cJSON_ArrayForEach(o, cases) {
            print_case(o);
        }
        if (cJSON_GetArraySize(cases) == 0) {
            (void)printf("Nothing is parked.\n");
        }
    }
    cJSON_Delete(all);
    return status;
}

static int not_found(const char *id) {
    (void)fprintf(stderr, "onepool: there is no parked case %s; onepool parked lists them\n", id);
    return 1;
}

/* The bytes exactly as they were received. */
static int show(struct app *app, const char *id) {
    struct reason why = {0};
    redisReply *reply = NULL;
    int status = 1;
    if (read_case(app, id, &reply, &why) != NEXT_DONE) {
        return command_failed(&why);
    }
    for (size_t i = 0; i + 1 < reply->elements; i += 2) {
        if (strcmp(reply_str_at(reply, i), "bytes") == 0) {
            status =
                fwrite(reply->element[i + 1]->str, 1, reply->element[i + 1]->len, stdout) == reply->element[i + 1]->len
                    ? 0
                    : 1;
        }
    }
    if (reply->elements == 0) {
        status = not_found(id);
    } else if (status != 0) {
        (void)fprintf(stderr, "onepool: case %s holds no bytes\n", id);
    }
    freeReplyObject(reply);
    return status;
}

enum next parked_end(struct app *app, const char *id, const char *how, bool *found, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, id);
    args_add(&a, how);
    enum next next = redis_fcall(app->redis, "unpark", &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        *found = reply_int(reply) == 1;
        freeReplyObject(reply);
    }
    return next;
}

static int end(struct app *app, const struct command_line *line) {
    struct reason why = {0};
    bool found = false;
    if (parked_end(app, line->value, line->option + 2, &found, &why) != NEXT_DONE) {
        return command_failed(&why);
    }
    if (!found) {
        return not_found(line->value);
    }
    if (line->json) {
        cJSON *o = json_new_object();
        json_add_str(o, line->option + 2, line->value);
        command_print_json(o);
        cJSON_Delete(o);
    } else {
        (void)printf("%s: %s\n", line->value,
                     strcmp(line->option, "--retry") == 0    ? "is tried again"
                     : strcmp(line->option, "--ignore") == 0 ? "is only counted from now on"
                                                             : "is closed");
    }
    return 0;
}

static int unignore(struct app *app, const char *id) {
    struct args a = {0};
    struct reason why = {0};
    redisReply *reply = NULL;
    args_add(&a, "SREM");
    args_add_key(&a, app->redis, KEY_IGNORE);
    args_add(&a, id);
    enum next next = redis_command(app->redis, &a, true, &reply, &why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return command_failed(&why);
    }
    bool was = reply_int(reply) == 1;
    freeReplyObject(reply);
    (void)printf("%s: %s\n", id, was ? "is no longer ignored" : "was not ignored");
    return was ? 0 : 1;
}

int command_parked(struct app *app, const struct command_line *line) {
    if (line->option == NULL || strcmp(line->option, "--cause") == 0) {
        return list(app, line);
    }
    if (strcmp(line->option, "--show") == 0) {
        return show(app, line->value);
    }
    return strcmp(line->option, "--unignore") == 0 ? unignore(app, line->value) : end(app, line);
}
