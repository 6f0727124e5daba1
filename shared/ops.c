/* SPDX-License-Identifier: Apache-2.0 */
#include "ops.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "durability.h"
#include "json.h"
#include "log.h"
#include "metrics.h"
#include "status.h"
#include "ban.h"

#define WEAK_MAX ((size_t)400) /* bytes; all weak settings together stay below */

/* ---- at start ---- */

enum next ops_redis_guard(struct app *app, bool dev, struct reason *why) {
    struct durability d;
    struct buf weak;
    enum next next = durability_read(app, &d, why);
    if (next != NEXT_DONE) {
        return next;
    }
    buf_init(&weak, WEAK_MAX);
    if (!d.config_known) {
        LOG(LOG_WARN,
            "CONFIG is forbidden on this Redis: whether appendfsync is always cannot be seen, make sure of it",
            {"version", d.version}, {"appendonly", d.appendonly}, {"maxmemory-policy", d.policy});
    }
    if (durability_weak(&d, &weak) > 0 && dev) {
        LOG(LOG_ALARM, "ONEPOOL_DEV=1: ACKNOWLEDGED EVENTS MAY BE LOST ON THIS REDIS", {"weak", buf_str(&weak)});
    } else if (weak.len > 0) {
        next = reason_set(why, NEXT_STOP, "weak_redis",
                          "this Redis may lose acknowledged events: %s (deploy/redis.conf is right; ONEPOOL_DEV=1 "
                          "allows it for trials)",
                          buf_str(&weak));
    }
    buf_free(&weak);
    return next;
}

/* ---- routes ---- */

static void answer_text(struct fcgi_reply *reply, int status, const char *text) {
    reply->status = status;
    reply->type = "text/plain; charset=utf-8";
    buf_add_str(reply->body, text);
    buf_add_str(reply->body, "\n");
}

static void answer_health(struct app *app, struct fcgi_reply *reply) {
    (void)app;
    answer_text(reply, 200, "alive");
}

static void answer_ready(struct app *app, struct fcgi_reply *reply) {
    struct reason why = {0};
    bool good = durability_ready(app, app->set->dev, &why) == NEXT_DONE;
    answer_text(reply, good ? 200 : 503, good ? "ready" : why.text);
}

static void answer_status(struct app *app, struct fcgi_reply *reply) {
    struct reason why = {0};
    cJSON *status = NULL;
    if (status_read(app, &status, &why) != NEXT_DONE) {
        answer_text(reply, 503, why.text);
        return;
    }
    char *text = json_print(status);
    reply->status = 200;
    reply->type = "application/json";
    buf_add_str(reply->body, text);
    buf_add_str(reply->body, "\n");
    free(text);
    cJSON_Delete(status);
}

static void answer_metrics(struct app *app, struct fcgi_reply *reply) {
    struct reason why = {0};
    cJSON *status = NULL;
    if (status_read(app, &status, &why) != NEXT_DONE) {
        status = NULL;
    }
    reply->status = 200;
    reply->type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_write(status, reply->body);
    cJSON_Delete(status);
}

bool ops_accept(struct app *app, const struct fcgi_call *call, struct fcgi_reply *reply) {
    static const struct {
        const char *path;
        void (*answer)(struct app *app, struct fcgi_reply *reply);
    } routes[] = {
        {"/health", answer_health}, {"/ready", answer_ready}, {"/status", answer_status}, {"/metrics", answer_metrics}};
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (strcmp(call->path, routes[i].path) != 0) {
            continue;
        }
        if (strcmp(call->method, "GET") == 0 || strcmp(call->method, "HEAD") == 0) {
            routes[i].answer(app, reply);
        } else {
            answer_text(reply, 405, "only GET and HEAD");
        }
        return true;
    }
    return false;
}
