/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replaying: bytes that were received once go through the reading of the acceptor that took them (feed.h, hook.h,
 * hook_plans.h), and what they made due is due again. Nothing else of it happens twice: counters and cases are left
 * out, and work is level-triggered, its operations, intents and records happen once per id. Pure.
 */
#ifndef ONEPOOL_REPLAY_H
#define ONEPOOL_REPLAY_H

#include "app.h"
#include "redis.h"

struct replay {
    struct args marks;  /* effects: what becomes due */
    size_t due;         /* how many */
    struct args closes; /* effects: ends the case as which these bytes were stored raw; none while not understood */
    bool understood;
    char problem[160]; /* why it is not */
};

/* source: FEED_SOURCE or HOOK_SOURCE; path: the route of a webhook, may be NULL. Free with replay_free. */
void replay_read(const struct app *app, const char *source, const char *path, const char *bytes, size_t len,
                 struct replay *out);
void replay_free(struct replay *r);

/* Goes through marks: false at the end. *at starts with 0. */
bool replay_mark(const struct args *marks, size_t *at, const char **queue, const char **entity);

/* Is it a case of bytes that could not be understood? Then *source is whose they are. */
bool replay_raw_cause(const char *cause, const char **source);

#endif
