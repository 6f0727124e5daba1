/* SPDX-License-Identifier: Apache-2.0 */
#include "durability.h"

#include <stdlib.h>
#include <string.h>

#include "keys.h"
#include "quantity.h"
#include "ban.h"

#define READY_KEEP_S  60
#define VERSION_MAJOR 7

/* ---- INFO ---- */

bool durability_info(const char *info, const char *field, char *out, size_t size) {
    size_t len = strlen(field);
    for (const char *line = info; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n' ? 1 : 0;
        if (strncmp(line, field, len) == 0 && line[len] == ':') {
            const char *value = line + len + 1;
            size_t n = strcspn(value, "\r\n");
            if (n >= size) {
                return false;
            }
            memcpy(out, value, n);
            out[n] = '\0';
            return true;
        }
    }
    return false;
}

static enum next read_info(struct app *app, const char *section, char **info, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "INFO");
    args_add(&a, section);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        *info = xstrdup(reply_str(reply) != NULL ? reply_str(reply) : "");
        freeReplyObject(reply);
    }
    return next;
}

/* appendonly of CONFIG and aof_enabled of INFO say the same. */
static void yes_or_no(const char *info, char *out, size_t size) {
    char on[8];
    if (durability_info(info, "aof_enabled", on, sizeof on)) {
        (void)str_copy(out, size, strcmp(on, "1") == 0 ? "yes" : "no");
    }
}

static void info_number(const char *info, const char *field, int64_t *out) {
    char text[24];
    if (durability_info(info, field, text, sizeof text)) {
        (void)int_parse(text, 0, INT64_MAX, out);
    }
}

static enum next read_infos(struct app *app, struct durability *d, struct reason *why) {
    static const char *const sections[] = {"server", "persistence", "memory"};
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        char *info = NULL;
        enum next next = read_info(app, sections[i], &info, why);
        if (next != NEXT_DONE) {
            return next;
        }
        (void)durability_info(info, "redis_version", d->version, sizeof d->version);
        (void)durability_info(info, "aof_last_write_status", d->last_write, sizeof d->last_write);
        (void)durability_info(info, "maxmemory_policy", d->policy, sizeof d->policy);
        yes_or_no(info, d->appendonly, sizeof d->appendonly);
        info_number(info, "used_memory", &d->used_memory);
        info_number(info, "maxmemory", &d->max_memory);
        free(info);
    }
    return NEXT_DONE;
}

/* ---- CONFIG ---- */

static enum next config_get(struct app *app, const char *setting, char *out, size_t size, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "CONFIG");
    args_add(&a, "GET");
    args_add(&a, setting);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    const char *value = reply_str_at(reply, 1);
    if (value != NULL) {
        (void)str_copy(out, size, value);
    }
    freeReplyObject(reply);
    return NEXT_DONE;
}

/* Forbidden by ACL, or taken away altogether as hosted Redis does. */
static bool forbidden(enum next next, const struct reason *why) {
    return next == NEXT_BUG || (next == NEXT_DEFER && strstr(why->text, "NOPERM") != NULL);
}

static enum next read_config(struct app *app, struct durability *d, struct reason *why) {
    struct reason refused = {0};
    enum next next = config_get(app, "appendfsync", d->appendfsync, sizeof d->appendfsync, &refused);
    if (forbidden(next, &refused)) {
        return NEXT_DONE;
    }
    if (next != NEXT_DONE) {
        *why = refused;
        return next;
    }
    d->config_known = true;
    next = config_get(app, "appendonly", d->appendonly, sizeof d->appendonly, why);
    if (next == NEXT_DONE) {
        next = config_get(app, "no-appendfsync-on-rewrite", d->on_rewrite, sizeof d->on_rewrite, why);
    }
    return next == NEXT_DONE ? config_get(app, "maxmemory-policy", d->policy, sizeof d->policy, why) : next;
}

enum next durability_read(struct app *app, struct durability *d, struct reason *why) {
    memset(d, 0, sizeof *d);
    enum next next = read_infos(app, d, why);
    return next == NEXT_DONE ? read_config(app, d, why) : next;
}

/* ---- judging ---- */

static bool too_old(const char *version) {
    char digits[24];
    int64_t major = 0;
    (void)str_copy(digits, sizeof digits, version);
    digits[strcspn(digits, ".")] = '\0';
    return !int_parse(digits, 0, 1000, &major) || major < VERSION_MAJOR;
}

size_t durability_weak(const struct durability *d, struct buf *out) {
    const char *const rules[][3] = {{"appendonly", d->appendonly, "yes"},
                                    {"appendfsync", d->appendfsync, "always"},
                                    {"no-appendfsync-on-rewrite", d->on_rewrite, "no"},
                                    {"maxmemory-policy", d->policy, "noeviction"}};
    size_t n = 0;
    if (too_old(d->version)) {
        buf_addf(out, "version is %s, must be 7.0 or newer", d->version[0] != '\0' ? d->version : "unknown");
        n++;
    }
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (rules[i][1][0] != '\0' && strcmp(rules[i][1], rules[i][2]) != 0) {
            buf_addf(out, "%s%s is %s, must be %s", n > 0 ? "; " : "", rules[i][0], rules[i][1], rules[i][2]);
            n++;
        }
    }
    return n;
}

const char *durability_rung(const struct durability *d) {
    if (strcmp(d->appendonly, "no") == 0) {
        return "none";
    }
    if (d->appendonly[0] == '\0' || d->appendfsync[0] == '\0') {
        return "unknown";
    }
    return strcmp(d->appendfsync, "always") == 0 && strcmp(d->on_rewrite, "yes") != 0 ? "R1" : "R0";
}

/* ---- now ---- */

static enum next take_write(struct app *app, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "SET");
    args_add_key(&a, app->redis, KEY_READY);
    args_add(&a, "1");
    args_add(&a, "EX");
    args_add_int(&a, READY_KEEP_S);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}

enum next durability_ready(struct app *app, bool dev, struct reason *why) {
    char *info = NULL, last[8] = "unknown", on[8] = "";
    enum next next = take_write(app, why);
    if (next != NEXT_DONE || dev) {
        return next;
    }
    next = read_info(app, "persistence", &info, why);
    if (next != NEXT_DONE) {
        return next;
    }
    yes_or_no(info, on, sizeof on);
    (void)durability_info(info, "aof_last_write_status", last, sizeof last);
    free(info);
    if (strcmp(on, "yes") != 0) {
        return reason_set(why, NEXT_DEFER, "weak_redis", "Redis keeps no append-only file; set appendonly yes");
    }
    if (strcmp(last, "ok") != 0) {
        return reason_set(why, NEXT_DEFER, "weak_redis",
                          "Redis cannot write its append-only file (last write: %s); look at its disk", last);
    }
    return NEXT_DONE;
}
