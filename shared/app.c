/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* ppoll, epoll_pwait */
#include "app.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clock.h"
#include "random.h"
#include "ban.h"

#define KEEP_STEP_MS INT64_C(100)

static volatile sig_atomic_t stop_flag;

static void on_stop(int sig) {
    (void)sig;
    stop_flag = 1;
}

static void stop_signals(sigset_t *set) {
    (void)sigemptyset(set);
    (void)sigaddset(set, SIGTERM);
    (void)sigaddset(set, SIGINT);
}

void stop_setup(void) {
    /* Robustness: no SA_RESTART and blocked outside of ppoll. A SIGTERM in the middle of a body would make
       FCGX_GetStr return short; blocked, it waits until the request in hand is answered. */
    struct sigaction action = {.sa_handler = on_stop};
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGPIPE, &ignore, NULL);
    sigset_t set;
    stop_signals(&set);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
}

bool stop_requested(void) {
    sigset_t pending;
    if (!stop_flag && sigpending(&pending) == 0 &&
        (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1)) {
        stop_flag = 1;
    }
    return stop_flag != 0;
}

static void waiting_mask(sigset_t *mask) {
    (void)sigprocmask(SIG_SETMASK, NULL, mask);
    (void)sigdelset(mask, SIGTERM);
    (void)sigdelset(mask, SIGINT);
}

bool stop_poll(int fd, int64_t ms) {
    if (stop_requested()) {
        return false;
    }
    struct timespec limit = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000L};
    struct pollfd p = {.fd = fd, .events = POLLIN};
    sigset_t mask;
    waiting_mask(&mask);
    int n = ppoll(&p, fd >= 0 ? 1 : 0, &limit, &mask);
    return n > 0 && !stop_requested();
}

int stop_listener(int listen_fd) {
    int fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.fd = listen_fd};
    if (fd >= 0 && epoll_ctl(fd, EPOLL_CTL_ADD, listen_fd, &event) != 0) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

bool stop_accept(int listener, int64_t ms) {
    struct epoll_event event;
    sigset_t mask;
    if (stop_requested()) {
        return false;
    }
    waiting_mask(&mask);
    int n = epoll_pwait(listener, &event, 1, (int)ms, &mask);
    return n > 0 && !stop_requested();
}

bool app_keep(struct app *app) {
    return app->keep == NULL || app->keep(app->keep_arg);
}

bool app_sleep(struct app *app, int64_t ms) {
    int64_t end = clock_mono_ms() + ms;
    for (int64_t left = ms; left > 0; left = end - clock_mono_ms()) {
        (void)stop_poll(-1, left < KEEP_STEP_MS ? left : KEEP_STEP_MS);
        if (stop_requested() || !app_keep(app)) {
            return false;
        }
    }
    return true;
}

enum next app_open(struct app *app, const char *name, const struct settings *set, bool acceptor, struct reason *why) {
    char error[200] = "";
    char host[33] = "host";
    memset(app, 0, sizeof *app);
    app->name = name;
    app->set = set;
    app->mode = set->mode == MODE_LIVE ? MODE_LIVE : MODE_SHADOW;
    app->budget = BUDGET_REST;
    (void)gethostname(host, sizeof host - 1);
    (void)snprintf(app->holder, sizeof app->holder, "%s-%ld-%08x", host, (long)getpid(), (unsigned)random_bits());
    const struct redis_options redis = {.url = set->redis_url,
                                        .tenant = set->tenant,
                                        .connect_timeout_ms = acceptor ? 500 : 2000,
                                        .command_timeout_ms = acceptor ? 1000 : 5000};
    app->redis = redis_new(&redis, error, sizeof error);
    if (app->redis == NULL) {
        return reason_set(why, NEXT_STOP, "settings", "REDIS_URL: %s", error);
    }
    if (acceptor) {
        return NEXT_DONE;
    }
    const struct http_options http = {
        .allow_plain = set->allow_http, .connect_timeout_ms = 3000, .user_agent = "onepool/0.1"};
    app->http = http_new(&http);
    return NEXT_DONE;
}

void app_place(struct app *app, int64_t parent_pid, size_t number) {
    char host[33] = "host";
    (void)gethostname(host, sizeof host - 1);
    (void)snprintf(app->holder, sizeof app->holder, "%s-%s-%lld-%zu", host, app->name, (long long)parent_pid, number);
}

void app_close(struct app *app) {
    http_free(app->http);
    redis_free(app->redis);
    app->http = NULL;
    app->redis = NULL;
}
