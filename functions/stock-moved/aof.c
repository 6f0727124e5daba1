/* SPDX-License-Identifier: Apache-2.0 */
#include "aof.h"

#include <string.h>

#include "buf.h"
#include "clock.h"
#include "durability.h"
#include "keys.h"
#include "log.h"
#include "ban.h"

#define LOOK_MS      INT64_C(200) /* while it is being rewritten */
#define AGAIN_MS     INT64_C(60000)
#define FORBIDDEN_MS INT64_C(3600000)
#define RUN_ID_SIZE  64
#define FIELD_RUN_ID "rewritten" /* of KEY_EPOCH: the run of Redis whose file is known to be good */

static bool info_is(const char *info, const char *field, const char *value) {
    char text[24];
    return durability_info(info, field, text, sizeof text) && strcmp(text, value) == 0;
}

enum aof_step aof_step(const char *info, bool asked) {
    if (!info_is(info, "aof_enabled", "1")) {
        return AOF_NONE;
    }
    if (info_is(info, "aof_rewrite_in_progress", "1") || info_is(info, "aof_rewrite_scheduled", "1")) {
        return AOF_WAIT;
    }
    if (!asked) {
        return AOF_ASK;
    }
    return info_is(info, "aof_last_bgrewrite_status", "ok") ? AOF_GOOD : AOF_FAILED;
}

/* One command without key: INFO with a section, BGREWRITEAOF without. */
static enum next ask(struct app *app, const char *verb, const char *section, redisReply **reply, struct reason *why) {
    struct args a = {0};
    args_add(&a, verb);
    if (section != NULL) {
        args_add(&a, section);
    }
    enum next next = redis_command(app->redis, &a, true, reply, why);
    args_free(&a);
    return next;
}

/* *known: the file was rewritten in this run of Redis. */
static enum next read_run(struct app *app, char run[RUN_ID_SIZE], bool *known, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    enum next next = ask(app, "INFO", "server", &reply, why);
    if (next != NEXT_DONE) {
        return next;
    }
    if (!durability_info(reply_str(reply), "run_id", run, RUN_ID_SIZE)) {
        run[0] = '\0';
    }
    freeReplyObject(reply);
    args_add(&a, "HGET");
    args_add_key(&a, app->redis, KEY_EPOCH);
    args_add(&a, FIELD_RUN_ID);
    next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        const char *stored = reply_str(reply);
        *known = run[0] != '\0' && stored != NULL && strcmp(stored, run) == 0;
        freeReplyObject(reply);
    }
    return next;
}

static enum next store_run(struct app *app, const char *run, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "HSET");
    args_add_key(&a, app->redis, KEY_EPOCH);
    args_add(&a, FIELD_RUN_ID);
    args_add(&a, run);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}

/* A rewrite that goes on already began in this run, from what is in memory: it is as good as ours. */
static enum next go_on(struct app *app, struct aof *aof, const char *run, bool *good, struct reason *why) {
    redisReply *reply = NULL;
    enum next next = ask(app, "INFO", "persistence", &reply, why);
    if (next != NEXT_DONE) {
        return next;
    }
    enum aof_step step = aof_step(reply_str(reply), aof->asked == redis_connections(app->redis));
    freeReplyObject(reply);
    switch (step) {
    case AOF_NONE:
        *good = true;
        return NEXT_DONE;
    case AOF_WAIT:
        aof->asked = redis_connections(app->redis);
        return NEXT_DONE;
    case AOF_ASK:
        next = ask(app, "BGREWRITEAOF", NULL, &reply, why);
        if (next == NEXT_DONE) {
            freeReplyObject(reply);
            aof->asked = redis_connections(app->redis);
        }
        return next;
    case AOF_FAILED:
        aof->asked = 0;
        return reason_set(why, NEXT_DEFER, "aof_rewrite", "Redis could not rewrite its file; its log says why");
    case AOF_GOOD:
        break;
    }
    *good = true;
    LOG(LOG_INFO, "Redis's file was written anew after its start", {"run_id", run});
    return run[0] != '\0' ? store_run(app, run, why) : NEXT_DONE;
}

void aof_keep_whole(struct app *app, struct aof *aof) {
    uint64_t connections = redis_connections(app->redis);
    char run[RUN_ID_SIZE] = "";
    bool good = false;
    struct reason why = {0};
    if (aof->looked == connections || clock_mono_ms() < aof->next_ms) {
        return;
    }
    enum next next = read_run(app, run, &good, &why);
    if (next == NEXT_DONE && !good) {
        next = go_on(app, aof, run, &good, &why);
    }
    bool forbidden = next == NEXT_BUG || (next != NEXT_DONE && strstr(why.text, "NOPERM") != NULL);
    aof->next_ms = clock_mono_ms() + (next == NEXT_DONE ? LOOK_MS : forbidden ? FORBIDDEN_MS : AGAIN_MS);
    if (next != NEXT_DONE) {
        LOG(LOG_WARN, "Redis's file is not written anew; if a write was torn, its next start may count units twice",
            {"why", why.text});
    } else if (good && redis_connections(app->redis) == connections) {
        aof->looked = connections;
        aof->next_ms = 0;
    }
}
