/* SPDX-License-Identifier: Apache-2.0 */
/* The worker process: rounds of work, woken by Redis messages, never relying on them alone. */
#ifndef ONEPOOL_WORKER_H
#define ONEPOOL_WORKER_H

#include <stdbool.h>
#include <stddef.h>

#include "app.h"
#include "function.h"
#include "queue.h"

/* Runs until told to stop. Returns the exit status. */
int worker_run(struct app *app, const struct function *fn);

/* Keeps the leases of claims while calls run: is app->keep from worker_hold_begin to worker_hold_end. */
struct worker_hold {
    struct app *app;
    const char *queue;
    const struct claims *claims;
    int64_t extended_ms; /* monotonic */
    int64_t deadline_ms; /* monotonic: beyond it the work must stop, whatever it waits for */
};
void worker_hold_begin(struct worker_hold *h, struct app *app, const char *queue, const struct claims *claims);
void worker_hold_end(struct worker_hold *h);
/* What app->keep does: extends the leases when a third of their time is gone. False: past the deadline, give up. */
bool worker_hold_keep(struct worker_hold *h);

/*
 * Ends claims that did not settle: deferred with backoff, or parked, by `next`. The one place that logs their outcome.
 * text for parked cases comes from cause; owner from the mapping file.
 */
void worker_unsettled(struct app *app, const char *queue, const struct claim *list, size_t n, enum next next,
                      const struct reason *cause, const char *owner);

#endif
