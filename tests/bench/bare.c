/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least that a durable acceptor can be, for `make bench`: libfcgi takes the request, its body goes to a Redis
 * stream in one call, 200. No authentication, no parsing, no idempotency: what sitoo-events takes longer is the price
 * of those.
 *
 *   bare LISTEN PROCESSES REDIS_SOCKET      listens on LISTEN.a.sock and LISTEN.b.sock, half of the processes on each
 */
#include <fcgiapp.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "ban.h"

#define BODY_MAX      65536
#define BACKLOG       1024
#define PROCESSES_MAX 64

static int read_body(const FCGX_Request *q, char *body) {
    int len = 0;
    while (len < BODY_MAX) {
        int n = FCGX_GetStr(body + len, BODY_MAX - len, q->in);
        if (n <= 0) {
            break;
        }
        len += n;
    }
    return len;
}

static int store(redisContext *redis, const char *body, size_t len) {
    const char *argv[] = {"XADD", "bare", "*", "bytes", body};
    const size_t lens[] = {4, 4, 1, 5, len};
    redisReply *reply = redisCommandArgv(redis, 5, argv, lens);
    int stored = reply != NULL && reply->type == REDIS_REPLY_STRING;
    freeReplyObject(reply);
    return stored;
}

static int serve(int listener, const char *redis_socket) {
    static char body[BODY_MAX];
    FCGX_Request q;
    redisContext *redis = redisConnectUnix(redis_socket);
    if (redis == NULL || redis->err != 0 || FCGX_Init() != 0 || FCGX_InitRequest(&q, listener, 0) != 0) {
        (void)fprintf(stderr, "bare: cannot start\n");
        return 1;
    }
    while (FCGX_Accept_r(&q) == 0) {
        int len = read_body(&q, body);
        int status = store(redis, body, (size_t)len) ? 200 : 503;
        (void)FCGX_FPrintF(q.out, "Status: %d\r\nContent-Length: 0\r\n\r\n", status);
        FCGX_Finish_r(&q);
    }
    redisFree(redis);
    return 0;
}

static int listen_on(const char *prefix, char side) {
    char path[256];
    (void)snprintf(path, sizeof path, "%s.%c.sock", prefix, side);
    int fd = FCGX_OpenSocket(path, BACKLOG);
    return fd >= 0 && chmod(path, 0666) == 0 ? fd : -1;
}

static void start(int listener, const char *redis_socket) {
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) {
            _exit(1);
        }
        _exit(serve(listener, redis_socket));
    }
}

int main(int argc, char **argv) {
    long processes = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
    if (processes < 2 || processes > PROCESSES_MAX) {
        (void)fprintf(stderr, "usage: bare LISTEN PROCESSES(2 to %d) REDIS_SOCKET\n", PROCESSES_MAX);
        return 2;
    }
    int listeners[] = {listen_on(argv[1], 'a'), listen_on(argv[1], 'b')};
    if (listeners[0] < 0 || listeners[1] < 0) {
        perror("bare: listen");
        return 1;
    }
    for (long i = 0; i < processes; i++) {
        start(listeners[i % 2], argv[3]);
    }
    /* They are to run until this process is told to end; one that ends before would spoil the figures. */
    int status = 0;
    (void)wait(&status);
    (void)fprintf(stderr, "bare: a process ended\n");
    return 1;
}
