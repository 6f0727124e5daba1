/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one process of a function holds: settings, its Redis connection, its HTTP client, and the stop flag.
 * Passed first to everything that has effects. The only global of the program is the stop flag.
 */
#ifndef ONEPOOL_APP_H
#define ONEPOOL_APP_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "http.h"
#include "redis.h"
#include "settings.h"

/* For whose work a platform is called: each has its share of the calls (shared/lua/45_budget.lua; mapping
 * budget.weights). */
enum budget { BUDGET_STOCK, BUDGET_ORDERS, BUDGET_REFUNDS, BUDGET_REST };

struct app {
    const char *name; /* function name */
    const struct settings *set;
    enum mode mode;  /* in effect: MODE_SHADOW or MODE_LIVE; see mode.h */
    bool go_live;    /* a baseline was accepted and the writer has not begun with it */
    int64_t mode_ms; /* monotonic: mode last asked for; 0 = never */
    struct redis *redis;
    struct http *http;
    char holder[96];         /* names this process in leases; a worker's is its place (host, function, parent, number),
                                so that whoever replaces it can take over what it held */
    bool (*keep)(void *arg); /* called about every 100 ms while waiting: extends leases; false = give up */
    void *keep_arg;
    enum budget budget; /* set by the function; may be changed around a call. Preset: BUDGET_REST */
    uint64_t unclosed;  /* writes whose intent may have been left open by this process: Redis failed then */
    int64_t sitoo_key;  /* the only API key to use, from 1; 0 = any. For `onepool check` */
    void *state;        /* what a function keeps between rounds; freed by its leave() */
    void (*trace)(const char *step, const char *json); /* invoke mode: prints each call; else NULL */
};

/* Opens nothing yet; connections are made on first use. NULL settings are not allowed. acceptor: short time-outs. */
enum next app_open(struct app *app, const char *name, const struct settings *set, bool acceptor,
                   struct reason *why) NODISCARD;
void app_close(struct app *app);
/* Names the process by its place among the parent's children instead of at random. */
void app_place(struct app *app, int64_t parent_pid, size_t number);

/* Installs the handlers and blocks SIGTERM and SIGINT: they are taken only where app_sleep or a poll waits. */
void stop_setup(void);
/* True once SIGTERM or SIGINT has arrived (pending ones count). */
bool stop_requested(void);
/* Waits up to ms for fd (or -1) to be readable; a stop signal ends it at once. True if fd is readable. */
bool stop_poll(int fd, int64_t ms);
/* For acceptors that share a listening socket: a call that comes in wakes one of them, where poll would wake all
 * (EPOLLEXCLUSIVE). An epoll descriptor; -1 and errno. */
int stop_listener(int listen_fd) NODISCARD;
/* As stop_poll, on what stop_listener gave. */
bool stop_accept(int listener, int64_t ms);

/* Runs app->keep if set. False: stop or lease lost, give up what is in hand. */
bool app_keep(struct app *app);
/* Sleeps in small steps, keeping leases; false as above. */
bool app_sleep(struct app *app, int64_t ms);

#endif
