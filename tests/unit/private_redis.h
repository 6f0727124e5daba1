/* SPDX-License-Identifier: Apache-2.0 */
/* A redis-server of the test's own: a child process in a new folder, on a unix socket and a free TCP port. */
#ifndef ONEPOOL_TEST_PRIVATE_REDIS_H
#define ONEPOOL_TEST_PRIVATE_REDIS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "redis.h"

/* Of each client below. */
#define COMMAND_MS 200

struct private_redis {
    pid_t pid;
    int port;
    char dir[64];
    char socket[96];
    char url[112]; /* unix:// */
};

extern struct private_redis server;

/* Fixtures: start and end of the whole group; an empty server before one test. */
int start(void **state);
int end(void **state);
int empty(void **state);

/* SIGKILL. */
void private_redis_kill(struct private_redis *s);
/* Starts it again, empty, at the same socket; returns when it answers. */
void private_redis_restart(struct private_redis *s);

/* A client of tenant "shop", not connected yet. */
struct redis *client(void);
struct redis *client_at(const char *url);
/* The words of text as one command. */
struct args words(const char *text);
/* Runs the words of text. */
enum next run(struct redis *r, const char *text, bool repeatable, redisReply **reply, struct reason *why);
/* A command that must work; returns its integer. */
int64_t must(struct redis *r, const char *text);
/* A command that must not; returns what is next. Its cause must be the wanted one. */
enum next refused(struct redis *r, const char *text, bool repeatable, const char *cause);

#endif
