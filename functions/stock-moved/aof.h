/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Redis's append-only file is written anew once after every start of Redis.
 *
 * If the power fails while a transaction is written, Redis 7.0 cuts off only its torn command at the next start and
 * leaves the transaction open in the file. What is done afterwards is appended behind it, so that one more start
 * repeats the torn half beside its repetition: units that were withheld once count twice, and no position goes back
 * (epoch.h). A file made from memory has no such remains.
 *
 * Source: github.com/valkey-io/valkey/pull/4342; redis.io/docs/latest/commands/bgrewriteaof, /commands/info (run_id,
 * aof_rewrite_in_progress, aof_rewrite_scheduled, aof_last_bgrewrite_status).
 */
#ifndef ONEPOOL_AOF_H
#define ONEPOOL_AOF_H

#include <stdbool.h>
#include <stdint.h>

#include "app.h"

/* What the writer keeps of it. Preset: {0}. */
struct aof {
    uint64_t looked; /* redis_connections() when the file was known to be good; 0 = never */
    uint64_t
        asked; /* redis_connections() when Redis was asked to rewrite it: a Redis started since was not; 0 = never */
    int64_t next_ms; /* monotonic: not looked at before */
};

/* What to do, by INFO persistence. */
enum aof_step { AOF_NONE, AOF_ASK, AOF_WAIT, AOF_GOOD, AOF_FAILED };
enum aof_step aof_step(const char *info, bool asked);

/* Looks if the connection is a new one. Never stops the writer: what fails is logged and tried again. */
void aof_keep_whole(struct app *app, struct aof *aof);

#endif
