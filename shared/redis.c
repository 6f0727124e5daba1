/* SPDX-License-Identifier: Apache-2.0 */
#include "redis.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "buf.h"
#include "clock.h"
#include "faultpoint.h"
#include "redis_url.h"
#include "ban.h"

struct redis {
    redisContext *c; /* NULL = not connected; never one with err set */
    struct redis_url url;
    char *tag; /* "{tenant}" */
    int64_t connect_timeout_ms;
    int64_t command_timeout_ms;
    bool subscribed;
    uint64_t connections; /* made so far */
};

struct redis *redis_new(const struct redis_options *options, char *error, size_t error_size) {
    struct redis_url url;
    if (!redis_url_parse(options->url, &url, error, error_size)) {
        return NULL;
    }
    struct redis *r = xcalloc(1, sizeof *r);
    size_t size = strlen(options->tenant) + 3;
    r->url = url;
    r->tag = xmalloc(size);
    (void)snprintf(r->tag, size, "{%s}", options->tenant);
    r->connect_timeout_ms = options->connect_timeout_ms;
    r->command_timeout_ms = options->command_timeout_ms;
    return r;
}

static void disconnect(struct redis *r) {
    if (r->c != NULL) {
        redisFree(r->c);
    }
    r->c = NULL;
    r->subscribed = false;
}

void redis_free(struct redis *r) {
    if (r == NULL) {
        return;
    }
    disconnect(r);
    redis_url_free(&r->url);
    free(r->tag);
    free(r);
}

uint64_t redis_connections(const struct redis *r) {
    return r->connections;
}

void args_add_key(struct args *a, const struct redis *r, const char *name) {
    args_addf(a, "%s:%s", r->tag, name);
}

/* ---- what an error means ---- */

static enum next defer(struct reason *why, const char *cause, const char *text) {
    (void)reason_set(why, NEXT_DEFER, cause, "Redis: %.200s", text);
    why->not_its_fault = true;
    return NEXT_DEFER;
}

static enum next bug(struct reason *why, const char *text) {
    (void)reason_set(why, NEXT_BUG, "redis_error", "Redis refused a command: %.300s", text);
    why->not_its_fault = false;
    return NEXT_BUG;
}

/* The connection is of no use any more: drops it and says why. Call it at once, errno still belongs to it. */
static void lost(struct redis *r, struct reason *why) {
    char text[160] = "out of memory";
    bool timed_out = errno == EAGAIN || errno == EWOULDBLOCK;
    bool late = r->c != NULL && (r->c->err == 0 || (r->c->err == REDIS_ERR_IO && timed_out));
    if (r->c != NULL) {
        (void)str_copy(text, sizeof text, r->c->errstr);
    }
    disconnect(r);
    (void)defer(why, late ? "redis_slow" : "redis_down", late ? "no answer in time" : text);
}

/* Refusals that end by themselves or when a person repairs Redis or our settings; no event is to blame for them. */
static bool error_passes(const char *text) {
    static const char *const codes[] = {"OOM",         "MISCONF", "READONLY",  "LOADING",    "BUSY",     "NOREPLICAS",
                                        "CLUSTERDOWN", "NOAUTH",  "WRONGPASS", "MASTERDOWN", "TRYAGAIN", "NOPERM"};
    size_t len = strcspn(text, " ");
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (strlen(codes[i]) == len && memcmp(codes[i], text, len) == 0) {
            return true;
        }
    }
    return strncmp(text, "ERR max number of clients", 25) == 0;
}

/* NEXT_DONE if the reply is no error. */
static enum next judge(struct redis *r, const redisReply *reply, struct reason *why) {
    if (reply->type != REDIS_REPLY_ERROR) {
        return NEXT_DONE;
    }
    if (!error_passes(reply->str)) {
        return bug(why, reply->str);
    }
    enum next next = defer(why, "redis_refuses", reply->str);
    if (strncmp(reply->str, "READONLY", 8) == 0 || strncmp(reply->str, "NOAUTH", 6) == 0) {
        /* Robustness: after a fail-over the name may lead to another server, but this connection does not. */
        disconnect(r);
    }
    return next;
}

/* ---- connection ---- */

static struct timeval to_timeval(int64_t ms) {
    /* Zero would mean no limit. */
    int64_t some = ms > 0 ? ms : 1;
    return (struct timeval){.tv_sec = (time_t)(some / 1000), .tv_usec = (suseconds_t)(some % 1000 * 1000)};
}

static bool append(struct redis *r, const struct args *a) {
    const char **argv = xcalloc(a->n + 1, sizeof *argv);
    for (size_t i = 0; i < a->n; i++) {
        argv[i] = a->argv[i];
    }
    int rc = a->n <= INT_MAX ? redisAppendCommandArgv(r->c, (int)a->n, argv, a->len) : REDIS_ERR;
    free(argv);
    return rc == REDIS_OK;
}

/* Reads one reply, error replies included; NULL if the connection is lost. */
static redisReply *next_reply(struct redis *r) {
    void *reply = NULL;
    errno = 0;
    return redisGetReply(r->c, &reply) == REDIS_OK ? reply : NULL;
}

/* One command of the greeting. Any error defers: it concerns the settings, not the event in hand. */
static enum next greet(struct redis *r, const struct args *a, struct reason *why) {
    redisReply *reply = append(r, a) ? next_reply(r) : NULL;
    if (reply == NULL) {
        lost(r, why);
        return NEXT_DEFER;
    }
    enum next next = NEXT_DONE;
    if (reply->type == REDIS_REPLY_ERROR) {
        next = defer(why, "redis_refuses", reply->str);
        disconnect(r);
    }
    freeReplyObject(reply);
    return next;
}

static enum next authenticate(struct redis *r, struct reason *why) {
    struct args a = {0};
    if (r->url.password == NULL) {
        return NEXT_DONE;
    }
    args_add(&a, "AUTH");
    if (r->url.user != NULL) {
        args_add(&a, r->url.user);
    }
    args_add(&a, r->url.password);
    enum next next = greet(r, &a, why);
    explicit_bzero(a.argv[a.n - 1], a.len[a.n - 1]);
    args_free(&a);
    return next;
}

static enum next select_db(struct redis *r, struct reason *why) {
    struct args a = {0};
    if (r->url.db == 0) {
        return NEXT_DONE;
    }
    args_add(&a, "SELECT");
    args_add_int(&a, r->url.db);
    enum next next = greet(r, &a, why);
    args_free(&a);
    return next;
}

/* Makes sure that there is a connection. */
static enum next connection(struct redis *r, struct reason *why) {
    if (r->c != NULL) {
        return NEXT_DONE;
    }
    struct timeval limit = to_timeval(r->connect_timeout_ms);
    r->c = r->url.path != NULL ? redisConnectUnixWithTimeout(r->url.path, limit)
                               : redisConnectWithTimeout(r->url.host, r->url.port, limit);
    if (r->c == NULL || r->c->err != 0 || redisSetTimeout(r->c, to_timeval(r->command_timeout_ms)) != REDIS_OK ||
        (r->url.host != NULL && redisEnableKeepAlive(r->c) != REDIS_OK)) {
        lost(r, why);
        return NEXT_DEFER;
    }
    r->connections++;
    enum next next = authenticate(r, why);
    return next == NEXT_DONE ? select_db(r, why) : next;
}

/* ---- commands ---- */

static void replies_free(redisReply **replies, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (replies[i] != NULL) {
            freeReplyObject(replies[i]);
        }
        replies[i] = NULL;
    }
}

/* A place to fail at (faultpoint.h): Redis has the call, and nobody has read its answer. */
static void point_sent(struct redis *r, const struct args *a) {
#ifdef ONEPOOL_FAULTS
    char name[64];
    int done = 0;
    if (a->n < 2 || strcmp(a->argv[0], "FCALL") != 0) {
        return;
    }
    while (redisBufferWrite(r->c, &done) == REDIS_OK && done == 0) {
    }
    const char *end = strrchr(a->argv[1], '_');
    (void)snprintf(name, sizeof name, "%.*s", end != NULL ? (int)(end - a->argv[1]) : 0, a->argv[1]);
    fault_point_of("redis.sent.", name);
#else
    (void)r;
    (void)a;
#endif
}

/* Sends all commands and reads all replies over the present connection. */
static enum next exchange(struct redis *r, const struct args *cmds, size_t n, redisReply **replies,
                          struct reason *why) {
    for (size_t i = 0; i < n; i++) {
        if (!append(r, &cmds[i])) {
            lost(r, why);
            return NEXT_DEFER;
        }
    }
    if (n > 0) {
        point_sent(r, &cmds[0]);
    }
    for (size_t i = 0; i < n; i++) {
        replies[i] = next_reply(r);
        if (replies[i] == NULL) {
            lost(r, why);
            replies_free(replies, i);
            return NEXT_DEFER;
        }
    }
    return NEXT_DONE;
}

/* With one repetition on a new connection if that is allowed. Error replies are left to the caller. */
static enum next converse(struct redis *r, const struct args *cmds, size_t n, bool repeatable, redisReply **replies,
                          struct reason *why) {
    for (size_t i = 0; i < n; i++) {
        replies[i] = NULL;
    }
    if (r->subscribed) {
        return bug(why, "the connection is subscribed and takes no other commands");
    }
    for (int tries = repeatable ? 2 : 1;; tries--) {
        enum next next = connection(r, why);
        if (next != NEXT_DONE) {
            return next;
        }
        next = exchange(r, cmds, n, replies, why);
        if (next == NEXT_DONE || tries == 1) {
            return next;
        }
    }
}

enum next redis_pipeline(struct redis *r, const struct args *cmds, size_t n, bool repeatable, redisReply **replies,
                         struct reason *why) {
    enum next next = converse(r, cmds, n, repeatable, replies, why);
    for (size_t i = 0; i < n && next == NEXT_DONE; i++) {
        next = judge(r, replies[i], why);
    }
    if (next != NEXT_DONE) {
        replies_free(replies, n);
    }
    return next;
}

enum next redis_command(struct redis *r, const struct args *a, bool repeatable, redisReply **reply,
                        struct reason *why) {
    return redis_pipeline(r, a, 1, repeatable, reply, why);
}

static enum next load_library(struct redis *r, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "FUNCTION");
    args_add(&a, "LOAD");
    args_add(&a, "REPLACE");
    args_add_bytes(&a, lua_source, lua_source_len);
    enum next next = redis_command(r, &a, true, &reply, why);
    replies_free(&reply, 1);
    args_free(&a);
    return next;
}

enum next redis_fcall(struct redis *r, const char *function, const struct args *args, bool repeatable,
                      redisReply **reply, struct reason *why) {
    struct args a = {0};
    args_add(&a, "FCALL");
    args_addf(&a, "%s_%s", function, lua_version);
    args_add(&a, "1");
    args_add(&a, r->tag);
    args_append(&a, args);
    enum next next = converse(r, &a, 1, repeatable, reply, why);
    /* An empty Redis, or one that was failed over to. The function has not run, so any call may be repeated. */
    if (next == NEXT_DONE && (*reply)->type == REDIS_REPLY_ERROR &&
        strcmp((*reply)->str, "ERR Function not found") == 0) {
        replies_free(reply, 1);
        next = load_library(r, why);
        next = next == NEXT_DONE ? converse(r, &a, 1, repeatable, reply, why) : next;
    }
    args_free(&a);
    fault_point_of("redis.after.", function);
    next = next == NEXT_DONE ? judge(r, *reply, why) : next;
    if (next != NEXT_DONE) {
        replies_free(reply, 1);
    }
    return next;
}

/* ---- messages ---- */

/* Messages of channels subscribed before may come first; they are dropped, since the caller looks for work anyhow. */
static enum next subscribe(struct redis *r, const struct args *command, struct reason *why) {
    int64_t end = clock_mono_ms() + r->command_timeout_ms;
    bool queued = append(r, command);
    bool found = false;
    while (!found) {
        redisReply *reply = queued && clock_mono_ms() <= end ? next_reply(r) : NULL;
        if (reply == NULL) {
            lost(r, why);
            return NEXT_DEFER;
        }
        const char *kind = reply_str_at(reply, 0);
        const char *name = reply_str_at(reply, 1);
        enum next next = judge(r, reply, why);
        found = kind != NULL && name != NULL && strcmp(kind, "subscribe") == 0 && strcmp(name, command->argv[1]) == 0;
        freeReplyObject(reply);
        if (next != NEXT_DONE) {
            disconnect(r);
            return next;
        }
    }
    r->subscribed = true;
    return NEXT_DONE;
}

enum next redis_subscribe(struct redis *r, const char *name, struct reason *why) {
    struct args a = {0};
    enum next next = connection(r, why);
    if (next == NEXT_DONE) {
        args_add(&a, "SUBSCRIBE");
        args_add_key(&a, r, name);
        next = subscribe(r, &a, why);
    }
    args_free(&a);
    return next;
}

int redis_fd(const struct redis *r) {
    return r != NULL && r->c != NULL ? r->c->fd : -1;
}

/* The socket is a blocking one: read only while poll says that there is something. */
bool redis_drain_messages(struct redis *r) {
    struct pollfd p = {.fd = redis_fd(r), .events = POLLIN};
    while (p.fd >= 0 && poll(&p, 1, 0) == 1) {
        void *reply = NULL;
        int rc = redisBufferRead(r->c);
        while (rc == REDIS_OK && (rc = redisReaderGetReply(r->c->reader, &reply)) == REDIS_OK && reply != NULL) {
            freeReplyObject(reply);
        }
        if (rc != REDIS_OK) {
            disconnect(r);
            return false;
        }
    }
    return p.fd >= 0;
}
