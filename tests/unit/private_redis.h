/* SPDX-License-Identifier: Apache-2.0 */
/* A redis-server of the test's own: a child process in a new folder, on a unix socket and a free TCP port. */
#ifndef ONEPOOL_TEST_PRIVATE_REDIS_H
#define ONEPOOL_TEST_PRIVATE_REDIS_H

#include <sys/types.h>

struct private_redis {
    pid_t pid;
    int port;
    char dir[64];
    char socket[96];
    char url[112]; /* unix:// */
};

/* Returns when it answers. */
void private_redis_start(struct private_redis *s);
/* SIGKILL. */
void private_redis_kill(struct private_redis *s);
/* Starts it again, empty, at the same socket. */
void private_redis_restart(struct private_redis *s);
/* Kills it and removes the folder. */
void private_redis_end(struct private_redis *s);

#endif
