/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of a webhook's signature (signature.h) by BIGCOMMERCE_SIGNATURE:
 *
 *   off      nobody looks at it
 *   report   looked at, counted and logged; nothing is refused
 *   require  the same, and what is neither valid nor late is not authentic: 401
 *
 * Late: right, older than five minutes and not seen before. BigCommerce may send for two days with the timestamp of its
 * first attempt, and such a call is taken. The same bytes once more, still late, are a replay. What was taken is
 * remembered for that alone: a call that is sent twice within five minutes is worked on twice.
 *
 * Counted as hook_signature:<verdict>, and hook_signature:previous_key when BIGCOMMERCE_CLIENT_SECRET_PREVIOUS was the
 * key. Logged at most once a minute for each verdict over all processes, "too_new" as an alarm; nothing is logged while
 * there is no key.
 */
#ifndef ONEPOOL_HOOK_SIGNATURE_H
#define ONEPOOL_HOOK_SIGNATURE_H

#include "app.h"
#include "fcgi.h"
#include "redis.h"
#include "signature.h"

/* Whether a call with this verdict may be stored in this mode. Pure. */
bool hook_signature_passes(enum signature_mode mode, enum signature_verdict verdict);

/*
 * Judges a whole call and appends what is to be counted and remembered to effects. NEXT_DONE: *passes says whether it
 * may be stored; if not, only the effects are. NEXT_DEFER: Redis is away, and only it knows whether the call is a
 * replay.
 */
enum next hook_signature_check(struct app *app, const struct fcgi_call *call, bool *passes, struct args *effects,
                               struct reason *why) NODISCARD;

#endif
