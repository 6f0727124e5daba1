/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading our webhooks at BigCommerce and putting them right; shared by `onepool hooks` and the timer of order-updated.
 *
 *   GET /v3/hooks?limit=250&page=n     every webhook of our API account, page by page
 *   GET /v3/hooks/admin                who switched one off; which domains are blocked
 *   POST /v3/hooks, PUT /v3/hooks/{id} through the gate: in shadow mode they are recorded and not sent
 *
 * At most once: the list is read before every create, and again after one without a clear answer. Were two made at once
 * all the same, BigCommerce itself takes one webhook per store, client, scope and destination. Source:
 * reference/webhooks.v3.yml (2026-04-01); bigcommerce.md 5.1.
 *
 * After a webhook was silent: web orders are read again from before that (the cursor `orders` is set back, and each
 * order that changed is marked for hand-over as it is read), and the list of refunds is read; after one of products or
 * prices, both catalogs are compared.
 *
 * Security: neither the secret nor what BigCommerce echoes of it gets into a text, the log or an intent.
 */
#ifndef ONEPOOL_HOOKS_REPAIR_H
#define ONEPOOL_HOOKS_REPAIR_H

#include "app.h"
#include "err.h"
#include "hooks_plan.h"

#define HOOKS_INTENT "hook:" /* and the scope: names the intent of a call about it */

/* What was done about one line. */
enum hooks_deed { HOOKS_NOTHING, HOOKS_CREATED, HOOKS_CHANGED, HOOKS_REVIVED, HOOKS_SHADOWED, HOOKS_FAILED };

struct hooks_work {
    enum hooks_deed deeds[HOOKS_WANTED];
    char problems[HOOKS_WANTED][200]; /* of HOOKS_FAILED; "" otherwise */
    size_t done;                      /* lines that were put right */
    bool catch_up;                    /* one was started */
};

/* Reads list and admin, and compares. NEXT_DEFER "bad_hooks": the answer is no list. Errors else as bigcommerce_get.
 * Free the view in every case. */
enum next hooks_read(struct app *app, struct hooks_view *view, struct reason *why) NODISCARD;

/* When each wanted webhook was last seen right (ms; 0 = never). */
enum next hooks_known(struct app *app, int64_t known_ms[HOOKS_WANTED], struct reason *why) NODISCARD;
/* Notes those that are right now, and closes what earlier calls about them left open. */
enum next hooks_note(struct app *app, const struct hooks_view *view, struct reason *why) NODISCARD;

/*
 * Puts right those lines for which wanted[i] is true; further ones that bring the same events are switched off. A line
 * that fails is told in work and does not stop the others. NEXT_DEFER, NEXT_STOP: Redis or BigCommerce is away, or we
 * are to stop; what is left is left. The view is not changed: read it again.
 */
enum next hooks_repair(struct app *app, const struct hooks_view *view, const bool wanted[HOOKS_WANTED],
                       const int64_t known_ms[HOOKS_WANTED], struct hooks_work *work, struct reason *why) NODISCARD;

/* Starts the catch-up that is owed, if one is. *started may be NULL. */
enum next hooks_catch_up(struct app *app, bool *started, struct reason *why) NODISCARD;

#endif
