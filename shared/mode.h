/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The effective mode. ONEPOOL_MODE=shadow and =live are the operator's word. Unset, it is shadow until a baseline is
 * accepted (the Redis hash baseline, field accepted), and live from then on, without a restart.
 *
 * app->mode never changes but here, so whoever computes and then writes refreshes it once, before: a round of the
 * writer is wholly shadow or wholly live.
 */
#ifndef ONEPOOL_MODE_H
#define ONEPOOL_MODE_H

#include <stdbool.h>

#include "app.h"

/* Brings app->mode and app->go_live up to date; asks Redis at most once a second. NEXT_DEFER: Redis is away, nothing
 * has changed. */
enum next mode_refresh(struct app *app, struct reason *why) NODISCARD;

/* "live" or "shadow"; "auto" for a setting that was not given. */
const char *mode_name(enum mode mode);

#endif
