/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the status about returned units that are not on sale. */
#include "clock.h"
#include "json.h"
#include "keys.h"
#include "quantity.h"
#include "status.h"
#include "ban.h"

#define DAY_MS (INT64_C(86400) * 1000)

enum asked { ASK_ENTRIES, ASK_OLDEST, ASK_AGED, ASKED };

enum next status_withheld(struct app *app, cJSON *status, struct reason *why) {
    const struct mapping *m = app->set->mapping;
    int64_t now = clock_wall_ms(), oldest = 0;
    struct args cmds[ASKED] = {{0}};
    redisReply *replies[ASKED] = {NULL};
    static const char *const commands[ASKED] = {"ZCARD", "ZRANGE", "ZCOUNT"};
    for (size_t i = 0; i < ASKED; i++) {
        args_add(&cmds[i], commands[i]);
        args_add_key(&cmds[i], app->redis, KEY_WITHHELD_ROWS);
    }
    args_add_int(&cmds[ASK_OLDEST], 0);
    args_add_int(&cmds[ASK_OLDEST], 0);
    args_add(&cmds[ASK_OLDEST], "WITHSCORES");
    args_add(&cmds[ASK_AGED], "-inf");
    args_add_int(&cmds[ASK_AGED], m != NULL ? now - m->returns.aged_days * DAY_MS : 0);
    enum next next = redis_pipeline(app->redis, cmds, ASKED, true, replies, why);
    if (next == NEXT_DONE) {
        const char *score = reply_str_at(replies[ASK_OLDEST], 1);
        bool any = score != NULL && int_parse(score, 0, INT64_MAX, &oldest) && oldest < now;
        cJSON *o = json_add_object(status, "withheld");
        json_add_int(o, "entries", reply_int(replies[ASK_ENTRIES]));
        json_add_int(o, "oldest_age_ms", any ? now - oldest : 0);
        if (m != NULL) {
            json_add_int(o, "aged_days", m->returns.aged_days);
            json_add_int(o, "aged", reply_int(replies[ASK_AGED]));
        } else { /* a command without a mapping file cannot know what is old */
            json_add_str(o, "aged_days", NULL);
            json_add_str(o, "aged", NULL);
        }
    }
    redis_pipeline_free(cmds, replies, ASKED);
    return next;
}
