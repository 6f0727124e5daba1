/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls to the two platforms: permit from the shared budget (the share of app->budget), the call, what the answer says
 * about the budget, and the meaning of the status. Reads go through here; writes only through gate.h.
 *
 * Meanings (Sources: sitoo.md 2 "Errors", BigCommerce status codes page, 2026-04-01): 2xx done; 401, 403: settings,
 * deferred with a wait (a new password heals it); 404: the caller decides; 400, 409, 413, 422: a data fault, parked;
 * 429, 5xx, no answer: deferred, not the entity's fault; 200 that is not JSON: deferred, counted as an attempt.
 */
#ifndef ONEPOOL_PLATFORM_H
#define ONEPOOL_PLATFORM_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "err.h"

#define PLATFORM_TIMEOUT_MS  INT64_C(10000)             /* one call; well below QUEUE_LEASE_MS */
#define PLATFORM_ANSWER_MAX  ((size_t)16 * 1024 * 1024) /* bytes; 1,000 orders of some 4 kB, with room */
#define PLATFORM_WAIT_MAX_MS INT64_C(3000)              /* a longer wait for a permit is given back as deferred */

struct answer {
    int status;
    cJSON *json;     /* NULL for an empty body (BigCommerce v2: 204 = empty list) */
    char *text;      /* body as text for messages, at most 300 bytes, on a status of 400 and above; else NULL */
    int64_t date_ms; /* Date header, or HTTP_ABSENT */
    int64_t took_ms;
};
void answer_free(struct answer *a);

/*
 * n reads of Sitoo at once, as many in flight as there are keys and slots. Each path begins after
 * /accounts/{id}, e.g. "/orders.json?num=1". NEXT_DONE: every answers[i] is a 200 with JSON, or a 404. Else all are
 * freed and why tells of the first that failed.
 */
enum next sitoo_get(struct app *app, const char *const *paths, struct answer *answers, size_t n,
                    struct reason *why) NODISCARD;

/*
 * One write to Sitoo, of a JSON body (NULL: a DELETE without one), never repeated here. For gate.c only: every write
 * passes the gate. NEXT_DONE: a 2xx with JSON (without a body sent, of any content): a bare id (POST of one object),
 * true (PUT), or an array with one element for each of an array sent, some of which may have failed (sitoo.md 2). Else
 * as bigcommerce_write; a 429 means that nothing was done.
 */
enum next sitoo_write(struct app *app, const char *method, const char *path, const char *body, struct answer *answer,
                      struct reason *why) NODISCARD;

/* One read of BigCommerce; path begins after /stores/{hash}, e.g. "/v2/time". NEXT_DONE for 200, 204, and 404. Else the
 * answer is freed and holds its status alone, 0 if there was none. */
enum next bigcommerce_get(struct app *app, const char *path, struct answer *answer, struct reason *why) NODISCARD;

/* How long work that gains by waiting should wait before it spends `cost` calls; 0 = go. Spreads a rush over the
 * quota's window. */
enum next bigcommerce_pace(struct app *app, int64_t cost, int64_t *wait_ms, struct reason *why) NODISCARD;

/*
 * One write to BigCommerce. For gate.c only: every write passes the gate. why->ambiguous: it may have been applied.
 * answer is set (status, text) also on NEXT_PARK, so that a refusal can be split; free it in every case.
 */
enum next bigcommerce_write(struct app *app, const char *method, const char *path, const char *body,
                            struct answer *answer, struct reason *why) NODISCARD;

#endif
