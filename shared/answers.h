/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a platform was not answered with 200, by route: from then on its time runs until it drops what it keeps
 * (shared/lua/12_answers.lua). Noted in Redis at most once a second by each process, beside the answer; a failure
 * changes no answer.
 */
#ifndef ONEPOOL_ANSWERS_H
#define ONEPOOL_ANSWERS_H

#include "app.h"
#include "redis.h"

/* path: of the call, "/hooks/sitoo/sale". why: a text of ours. */
void answers_refused(struct app *app, const char *path, const char *why);
/* The call carried no secret at all, so it is not the platform's: counted only. */
void answers_anonymous(struct app *app, const char *path);
/* Nothing is noted if Redis is away: the call has waited long enough. */
void answers_not_stored(struct app *app, const char *path, enum next next, const struct reason *cause);
/* The route took a call: appended to what that call causes. */
void answers_effect_taken(struct args *effects, const char *path);

#endif
