/* SPDX-License-Identifier: Apache-2.0 */
#include "schema.h"

#include <string.h>

#include "buf.h"
#include "release.h"
#include "ban.h"

enum next schema_check(struct app *app, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add_int(&a, SCHEMA_VERSION);
    args_add(&a, RELEASE);
    enum next next = redis_fcall(app->redis, "schema", &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    int64_t stored = reply_int_at(reply, 0);
    const char *release = reply_str_at(reply, 1);
    if (stored > SCHEMA_VERSION) {
        next =
            reason_set(why, NEXT_STOP, "newer_schema",
                       "this Redis holds keys of version %lld, written by onepool %.40s; this program (onepool " RELEASE
                       ") knows version %lld and would read them wrongly. Start the newer release again, or restore "
                       "a backup from before the upgrade (docs/operations.md, \"Upgrade and rollback\")",
                       (long long)stored, release != NULL ? release : "?", (long long)SCHEMA_VERSION);
    }
    freeReplyObject(reply);
    return next;
}
