/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The skeleton that every function is handed to: a parent that opens the sockets and supervises single-threaded
 * children, acceptors (FastCGI; never call a platform) and workers (claim, call platforms, settle).
 *
 *   parent --fork--> acceptor a, acceptor b ... (two sockets, so that nginx can retry on another process)
 *          --fork--> worker 1 ...
 *   SIGTERM to the parent: every child finishes what it has in hand, gives leases back, exits; then the parent exits 0.
 *   A child that dies is replaced: at once the first time, then after 100 ms, doubling to 30 s; a minute of health
 * resets. Children die with the parent (PR_SET_PDEATHSIG): nobody accepts or works unsupervised.
 */
#ifndef ONEPOOL_FUNCTION_H
#define ONEPOOL_FUNCTION_H

#include <stdint.h>

#include "app.h"
#include "fcgi.h"

#define FUNCTION_QUEUES_MAX 4
#define FUNCTION_ROUTES_MAX 2

struct function {
    const char *name;
    unsigned needs;      /* enum settings_need bits */
    enum budget budget;  /* whose share of the platforms' calls its work takes */
    fcgi_handler accept; /* answers the function's own routes; NULL: it has none, and only tells whether it lives */
    /* Their paths, NULL-terminated. A call of any other path is told 404, upon which nginx asks another replica: the
     * address of a replica that ended may be another function's a moment later (docs/adr/0020). */
    const char *routes[FUNCTION_ROUTES_MAX + 1];
    const char *queues[FUNCTION_QUEUES_MAX + 1]; /* a worker wakes when one of these gets work; NULL-terminated */
    /* One round of work: claims, performs, settles. *wait_ms is preset to 1000; set it to when the next round is due.
     * NEXT_DONE, or a reason that is logged; the loop then backs off. */
    enum next (*work)(struct app *app, int64_t *wait_ms, struct reason *why);
    /* Called in a worker that ends: gives named leases back. May be NULL. */
    void (*leave)(struct app *app);
    /* Runs once on a recorded payload, printing one JSON line per step; exit status. */
    int (*invoke)(struct app *app, const char *payload, size_t len, bool dry_run);
};

/* The whole main(): settings, --invoke FILE [--dry-run], --check-settings, or serving. Returns the exit status. */
int function_main(int argc, char **argv, const struct function *fn);

/* Prints {"step":step, ...members of json...} on standard output: the trace of invoke mode. */
void function_print_step(const char *step, const char *json);

#endif
