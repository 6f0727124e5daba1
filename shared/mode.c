/* SPDX-License-Identifier: Apache-2.0 */
#include "mode.h"

#include <string.h>

#include "clock.h"
#include "keys.h"
#include "log.h"
#include "ban.h"

#define ASK_EVERY_MS INT64_C(1000)

const char *mode_name(enum mode mode) {
    switch (mode) {
    case MODE_LIVE:
        return "live";
    case MODE_AUTO:
        return "auto";
    case MODE_SHADOW:
        break;
    }
    return "shadow";
}

static void adopt(struct app *app, const char *accepted, const char *begun) {
    bool is_accepted = accepted != NULL && accepted[0] != '\0';
    enum mode mode = app->set->mode != MODE_AUTO ? app->set->mode : is_accepted ? MODE_LIVE : MODE_SHADOW;
    if (mode != app->mode) {
        LOG(LOG_WARN,
            mode == MODE_LIVE ? "a baseline was accepted: live from now on" : "no baseline is accepted: shadow",
            {"mode", mode_name(mode)}, {"baseline", is_accepted ? accepted : ""});
    }
    app->mode = mode;
    app->go_live = mode == MODE_LIVE && is_accepted && (begun == NULL || strcmp(begun, accepted) != 0);
    app->mode_ms = clock_mono_ms();
}

enum next mode_refresh(struct app *app, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    if (app->mode_ms != 0 && clock_mono_ms() - app->mode_ms < ASK_EVERY_MS) {
        return NEXT_DONE;
    }
    args_add(&a, "HMGET");
    args_add_key(&a, app->redis, KEY_BASELINE);
    args_add(&a, "accepted");
    args_add(&a, "begun");
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        adopt(app, reply_str_at(reply, 0), reply_str_at(reply, 1));
        freeReplyObject(reply);
    }
    return next;
}
