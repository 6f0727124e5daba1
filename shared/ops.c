/* SPDX-License-Identifier: Apache-2.0 */
#include "ops.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "keys.h"
#include "log.h"
#include "metrics.h"
#include "quantity.h"
#include "status.h"
#include "ban.h"

#define READY_KEEP_S 60

/* ---- INFO and CONFIG ---- */

/* The value after "field:" of an INFO reply; false if it is not there. */
static bool info_field(const char *info, const char *field, char *out, size_t size) {
    size_t len = strlen(field);
    for (const char *line = info; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n' ? 1 : 0;
        if (strncmp(line, field, len) == 0 && line[len] == ':') {
            size_t n = strcspn(line + len + 1, "\r\n");
            if (n >= size) {
                return false;
            }
            memcpy(out, line + len + 1, n);
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

struct rule {
    const char *setting, *right;
};

static const struct rule rules[] = {{"appendonly", "yes"},
                                    {"appendfsync", "always"},
                                    {"no-appendfsync-on-rewrite", "no"},
                                    {"maxmemory-policy", "noeviction"}};

static enum next check_rule(struct app *app, const struct rule *rule, struct buf *weak, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "CONFIG");
    args_add(&a, "GET");
    args_add(&a, rule->setting);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    const char *value = reply_str_at(reply, 1);
    if (value == NULL || strcmp(value, rule->right) != 0) {
        buf_addf(weak, "%s%s is %s, must be %s", weak->len > 0 ? "; " : "", rule->setting,
                 value != NULL ? value : "unknown", rule->right);
    }
    freeReplyObject(reply);
    return NEXT_DONE;
}

static enum next check_version(struct app *app, struct buf *weak, struct reason *why) {
    char *info = NULL, version[32] = "";
    int64_t major = 0;
    enum next next = read_info(app, "server", &info, why);
    if (next != NEXT_DONE) {
        return next;
    }
    if (info_field(info, "redis_version", version, sizeof version)) {
        version[strcspn(version, ".")] = '\0';
    }
    if (!int_parse(version, 0, 1000, &major) || major < 7) {
        buf_addf(weak, "%sredis_version %s, must be 7.0 or newer", weak->len > 0 ? "; " : "", version);
    }
    free(info);
    return NEXT_DONE;
}

enum next ops_redis_guard(struct app *app, bool dev, struct reason *why) {
    struct buf weak;
    buf_init(&weak, 400);
    enum next next = check_version(app, &weak, why);
    for (size_t i = 0; next == NEXT_DONE && i < sizeof rules / sizeof rules[0]; i++) {
        next = check_rule(app, &rules[i], &weak, why);
    }
    if (next == NEXT_DONE && weak.len > 0 && dev) {
        LOG(LOG_ALARM, "ONEPOOL_DEV=1: events may be lost on this Redis", {"weak", buf_str(&weak)});
    } else if (next == NEXT_DONE && weak.len > 0) {
        next = reason_set(
            why, NEXT_STOP, "weak_redis",
            "this Redis may lose events that were acknowledged: %s (deploy/redis.conf has the right settings; "
            "ONEPOOL_DEV=1 allows it for trials)",
            buf_str(&weak));
    }
    buf_free(&weak);
    return next;
}

/* ---- routes ---- */

static enum next ready(struct app *app, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    char *info = NULL, on[8] = "", ok[16] = "";
    args_add(&a, "SET");
    args_add_key(&a, app->redis, KEY_READY);
    args_add(&a, "1");
    args_add(&a, "EX");
    args_add_int(&a, READY_KEEP_S);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    freeReplyObject(reply);
    next = app->set->dev ? NEXT_DONE : read_info(app, "persistence", &info, why);
    if (next == NEXT_DONE && !app->set->dev) {
        (void)info_field(info, "aof_enabled", on, sizeof on);
        (void)info_field(info, "aof_last_write_status", ok, sizeof ok);
        if (strcmp(on, "1") != 0 || strcmp(ok, "ok") != 0) {
            next = reason_set(why, NEXT_DEFER, "weak_redis",
                              "Redis does not write its append-only file (enabled %s, last write %s)", on, ok);
        }
    }
    free(info);
    return next;
}

static void answer_text(struct fcgi_reply *reply, int status, const char *text) {
    reply->status = status;
    reply->type = "text/plain; charset=utf-8";
    buf_add_str(reply->body, text);
    buf_add_str(reply->body, "\n");
}

static void answer_ready(struct app *app, struct fcgi_reply *reply) {
    struct reason why = {0};
    bool good = ready(app, &why) == NEXT_DONE;
    answer_text(reply, good ? 200 : 503, good ? "ready" : why.text);
}

static void answer_status(struct app *app, bool metrics, struct fcgi_reply *reply) {
    struct reason why = {0};
    cJSON *status = NULL;
    if (status_read(app, &status, &why) != NEXT_DONE) {
        answer_text(reply, 503, why.text);
        return;
    }
    reply->status = 200;
    if (metrics) {
        reply->type = "text/plain; version=0.0.4; charset=utf-8";
        metrics_write(status, reply->body);
    } else {
        char *text = json_print(status);
        reply->type = "application/json";
        buf_add_str(reply->body, text);
        free(text);
    }
    cJSON_Delete(status);
}

bool ops_accept(struct app *app, const struct fcgi_call *call, struct fcgi_reply *reply) {
    if (strcmp(call->path, "/health") == 0) {
        answer_text(reply, 200, "alive");
    } else if (strcmp(call->path, "/ready") == 0) {
        answer_ready(app, reply);
    } else if (strcmp(call->path, "/status") == 0) {
        answer_status(app, false, reply);
    } else if (strcmp(call->path, "/metrics") == 0) {
        answer_status(app, true, reply);
    } else {
        return false;
    }
    return true;
}
