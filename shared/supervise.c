/* SPDX-License-Identifier: Apache-2.0 */
#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "mode.h"
#include "ops.h"
#include "quantity.h"
#include "schema.h"
#include "worker.h"
#include "ban.h"

#define SOCKETS         2 /* nginx tries the second when a process of the first dies with a request in hand */
#define CHILDREN_MAX    96
#define BACKLOG         512
#define DRAIN_LIMIT_MS  INT64_C(25000)
#define RESTART_BASE_MS INT64_C(100)
#define RESTART_CAP_MS  INT64_C(30000)
#define HEALTHY_MS      INT64_C(60000)
#define GUARD_STEP_MS   INT64_C(2000)

struct child {
    pid_t pid;
    int socket; /* index of its listener; -1 = worker */
    int64_t started_ms, restart_ms, pause_ms;
};

struct parent {
    const struct function *fn;
    const struct settings *set;
    int listeners[SOCKETS];
    struct child children[CHILDREN_MAX];
    size_t n;
    bool guarded; /* Redis was seen and is strong enough */
    int64_t guard_ms;
};

static int listen_tcp(int64_t port) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {.s_addr = htonl(INADDR_ANY)}};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 || listen(fd, BACKLOG) != 0) {
        LOG(LOG_ERROR, "cannot listen", {"port", log_int(port)}, {"why", strerror(errno)});
        return -1;
    }
    return fd;
}

/* Binds beside and renames over: a restarted parent takes the name over without a moment in which it is missing. */
static int listen_unix(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char beside[sizeof address.sun_path];
    int n = snprintf(beside, sizeof beside, "%s.%ld", path, (long)getpid());
    if (n < 0 || (size_t)n >= sizeof beside) {
        LOG(LOG_ERROR, "ONEPOOL_LISTEN is too long for a unix socket", {"path", path});
        return -1;
    }
    (void)str_copy(address.sun_path, sizeof address.sun_path, beside);
    (void)unlink(beside);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    /* nginx runs as another user; the folder's mode decides who gets this far. */
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 || chmod(beside, 0666) != 0 ||
        listen(fd, BACKLOG) != 0 || rename(beside, path) != 0) {
        LOG(LOG_ERROR, "cannot listen", {"path", path}, {"why", strerror(errno)});
        return -1;
    }
    return fd;
}

static bool open_sockets(struct parent *p) {
    char path[256];
    int64_t port = 0;
    for (int i = 0; i < SOCKETS; i++) {
        if (strncmp(p->set->listen, "tcp:", 4) == 0 && int_parse(p->set->listen + 4, 1, 65534, &port)) {
            p->listeners[i] = listen_tcp(port + i);
        } else {
            (void)snprintf(path, sizeof path, "%s.%c.sock", p->set->listen, 'a' + i);
            p->listeners[i] = listen_unix(path);
        }
        if (p->listeners[i] < 0) {
            return false;
        }
    }
    return true;
}

/* The function whose acceptor this process is; set once after fork, before any request. */
static const struct function *serving;

static void accept_any(struct app *app, const struct fcgi_call *call, struct fcgi_reply *reply) {
    if (ops_accept(app, call, reply)) {
        return;
    }
    for (size_t i = 0; serving->routes[i] != NULL; i++) {
        if (strcmp(serving->routes[i], call->path) == 0) {
            serving->accept(app, call, reply);
            return;
        }
    }
    reply->status = 404;
    LOG(LOG_WARN, "a call that is not for this function", {"outcome", "refused"}, {"path", call->path});
}

/* A listener that anybody still holds takes calls that nobody answers; closed by all, nginx is refused at once and goes
 * to another socket or replica. So each process holds only what it accepts on. */
static void close_listeners(const struct parent *p, int but) {
    for (int i = 0; i < SOCKETS; i++) {
        if (i != but) {
            (void)close(p->listeners[i]);
        }
    }
}

static int child_main(const struct parent *p, int socket, size_t number) {
    struct app app;
    struct reason why = {0};
    bool acceptor = socket >= 0;
    stop_setup();
    close_listeners(p, socket);
    log_role(acceptor ? "acceptor" : "worker");
    if (app_open(&app, p->fn->name, p->set, acceptor, &why) != NEXT_DONE) {
        LOG(LOG_ERROR, "cannot start", {"why", why.text});
        return 1;
    }
    app_place(&app, (int64_t)getppid(), number);
    app.budget = p->fn->budget;
    serving = p->fn;
    int status = acceptor ? fcgi_run(&app, p->listeners[socket], accept_any) : worker_run(&app, p->fn);
    app_close(&app);
    return status;
}

static void start_child(struct parent *p, struct child *c) {
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        /* Nobody accepts or works unsupervised: children go with their parent, in order. */
        if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent) {
            _exit(1);
        }
        exit(child_main(p, c->socket, (size_t)(c - p->children)));
    }
    c->started_ms = clock_mono_ms();
    c->pid = pid > 0 ? pid : 0;
    if (pid < 0) {
        c->restart_ms = c->started_ms + RESTART_CAP_MS;
        LOG(LOG_ERROR, "cannot fork", {"why", strerror(errno)});
    }
}

static void child_ended(struct parent *p, pid_t pid, int status, bool stopping) {
    for (size_t i = 0; i < p->n; i++) {
        struct child *c = &p->children[i];
        if (c->pid != pid) {
            continue;
        }
        int64_t now = clock_mono_ms();
        c->pid = 0;
        c->pause_ms = now - c->started_ms > HEALTHY_MS ? 0 : c->pause_ms;
        c->restart_ms = now + c->pause_ms;
        if (!stopping) {
            LOG(LOG_WARN, "child ended; it will be replaced", {"pid", log_int(pid)},
                {"kind", c->socket >= 0 ? "acceptor" : "worker"},
                {"signal", WIFSIGNALED(status) ? log_int(WTERMSIG(status)) : NULL},
                {"status", WIFEXITED(status) ? log_int(WEXITSTATUS(status)) : NULL}, {"in_ms", log_int(c->pause_ms)});
        }
        c->pause_ms = c->pause_ms == 0 ? RESTART_BASE_MS : c->pause_ms * 2;
        c->pause_ms = c->pause_ms > RESTART_CAP_MS ? RESTART_CAP_MS : c->pause_ms;
    }
}

static size_t reap(struct parent *p, bool stopping) {
    int status = 0;
    size_t alive = 0;
    for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0; pid = waitpid(-1, &status, WNOHANG)) {
        child_ended(p, pid, status, stopping);
    }
    for (size_t i = 0; i < p->n; i++) {
        alive += p->children[i].pid > 0 ? 1 : 0;
    }
    return alive;
}

/* Functions refuse to run on a Redis that may lose what was acknowledged. Redis away: start all the same (503 until it
 * is there), look again later. */
static enum next guard(struct parent *p) {
    struct app app;
    struct reason why = {0};
    if (p->guarded || clock_mono_ms() < p->guard_ms) {
        return NEXT_DONE;
    }
    enum next next = app_open(&app, p->fn->name, p->set, true, &why);
    if (next == NEXT_DONE) {
        next = ops_redis_guard(&app, p->set->dev, &why);
        next = next == NEXT_DONE ? schema_check(&app, &why) : next;
        app_close(&app);
    }
    p->guarded = next == NEXT_DONE;
    p->guard_ms = clock_mono_ms() + GUARD_STEP_MS;
    if (next != NEXT_DONE) {
        LOG(LOG_ERROR, next == NEXT_DEFER ? "Redis is away; waiting for it" : "refusing to run on this Redis",
            {"why", why.text});
    }
    return next == NEXT_DEFER ? NEXT_DONE : next;
}

static void start_due(struct parent *p) {
    int64_t now = clock_mono_ms();
    for (size_t i = 0; i < p->n; i++) {
        if (p->children[i].pid == 0 && now >= p->children[i].restart_ms) {
            start_child(p, &p->children[i]);
        }
    }
}

static void drain(struct parent *p) {
    int64_t end = clock_mono_ms() + DRAIN_LIMIT_MS;
    close_listeners(p, -1);
    for (size_t i = 0; i < p->n; i++) {
        if (p->children[i].pid > 0) {
            (void)kill(p->children[i].pid, SIGTERM);
        }
    }
    while (reap(p, true) > 0 && clock_mono_ms() < end) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000L}, NULL);
    }
    for (size_t i = 0; i < p->n; i++) {
        if (p->children[i].pid > 0) {
            LOG(LOG_ERROR, "child did not stop in time; killed", {"pid", log_int(p->children[i].pid)});
            (void)kill(p->children[i].pid, SIGKILL);
        }
    }
}

static void plan_children(struct parent *p) {
    int64_t acceptors = p->fn->accept != NULL ? p->set->acceptors : SOCKETS;
    for (int64_t i = 0; i < acceptors && p->n < CHILDREN_MAX; i++) {
        p->children[p->n++] = (struct child){.socket = (int)(i % SOCKETS)};
    }
    for (int64_t i = 0; i < p->set->workers && p->n < CHILDREN_MAX; i++) {
        p->children[p->n++] = (struct child){.socket = -1};
    }
}

int supervise(const struct function *fn, const struct settings *set) {
    struct parent p = {.fn = fn, .set = set};
    sigset_t wanted;
    int status = 0;
    log_role("parent");
    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigemptyset(&wanted);
    (void)sigaddset(&wanted, SIGTERM);
    (void)sigaddset(&wanted, SIGINT);
    (void)sigaddset(&wanted, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &wanted, NULL);
    if (!open_sockets(&p)) {
        return 1;
    }
    plan_children(&p);
    LOG(LOG_INFO, "starting", {"listen", set->listen}, {"acceptors", log_int(set->acceptors)},
        {"workers", log_int(set->workers)}, {"mode", mode_name(set->mode)});
    for (;;) {
        if (guard(&p) != NEXT_DONE) {
            status = SETTINGS_EXIT;
            break;
        }
        start_due(&p);
        int sig = sigtimedwait(&wanted, NULL, &(struct timespec){.tv_nsec = 100000000L});
        (void)reap(&p, false);
        if (sig == SIGTERM || sig == SIGINT) {
            break;
        }
    }
    drain(&p);
    LOG(LOG_INFO, "stopped", {"status", log_int(status)});
    return status;
}
