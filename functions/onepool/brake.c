/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "json.h"
#include "keys.h"
#include "ban.h"

#define CASE           "brake:levels"
#define RELEASE_KEEP_S 600

static enum next held(struct app *app, bool *yes, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "ZSCORE");
    args_add_key(&a, app->redis, KEY_PARKED);
    args_add(&a, CASE);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        *yes = reply->type != REDIS_REPLY_NIL;
        freeReplyObject(reply);
    }
    return next;
}

static enum next release(struct app *app, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    bool found = false;
    args_add(&a, "SET");
    args_add_key(&a, app->redis, KEY_BRAKE);
    args_add(&a, "1");
    args_add(&a, "EX");
    args_add_int(&a, RELEASE_KEEP_S);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
        next = parked_end(app, CASE, "close", &found, why);
    }
    return next;
}

int command_brake(struct app *app, const struct command_line *line) {
    struct reason why = {0};
    bool yes = false, releasing = line->option != NULL;
    enum next next = held(app, &yes, &why);
    if (next == NEXT_DONE && releasing && yes) {
        next = release(app, &why);
    }
    if (next != NEXT_DONE) {
        return command_failed(&why);
    }
    if (line->json) {
        cJSON *o = json_new_object();
        json_add_bool(o, "held", yes && !releasing);
        json_add_bool(o, "released", yes && releasing);
        command_print_json(o);
        cJSON_Delete(o);
    } else if (!yes) {
        (void)printf("No write is held.\n");
    } else {
        (void)printf(releasing ? "Released: one write may pass within ten minutes; it is tried within a minute.\n"
                               : "A write of levels is held; see onepool parked --cause brake. Let it pass with: "
                                 "onepool brake --release\n");
    }
    return releasing && !yes ? 1 : 0;
}
