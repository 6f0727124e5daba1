/* SPDX-License-Identifier: Apache-2.0 */
#include "private_redis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ban.h"

static int free_port(void) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
    (void)close(fd);
    return ntohs(a.sin_port);
}

static bool answers(const struct private_redis *s) {
    redisContext *c = redisConnectUnix(s->socket);
    redisReply *reply = c != NULL && c->err == 0 ? redisCommand(c, "PING") : NULL;
    bool yes = reply != NULL && reply->type == REDIS_REPLY_STATUS;
    if (reply != NULL) {
        freeReplyObject(reply);
    }
    if (c != NULL) {
        redisFree(c);
    }
    return yes;
}

/* In the child. Ends with the test process, even if that one is killed. */
static void run_server(const struct private_redis *s) {
    char port[8];
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)snprintf(port, sizeof port, "%d", s->port);
    (void)dup2(null, STDOUT_FILENO);
    (void)execl("/usr/bin/redis-server", "redis-server", "--port", port, "--bind", "127.0.0.1", "--unixsocket",
                s->socket, "--dir", s->dir, "--save", "", "--appendonly", "no", "--daemonize", "no", (char *)NULL);
    _exit(127);
}

/* False if it ended by itself: somebody else took the port. */
static bool comes_up(struct private_redis *s) {
    const struct timespec pause = {.tv_nsec = 5 * 1000 * 1000};
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid == 0) {
        run_server(s);
    }
    for (int i = 0; i < 2000 && !answers(s); i++) {
        if (waitpid(s->pid, NULL, WNOHANG) == s->pid) {
            s->pid = 0;
            return false;
        }
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

void private_redis_restart(struct private_redis *s) {
    int tries = 5;
    do {
        assert_true(tries-- > 0);
        s->port = free_port();
    } while (!comes_up(s));
}

void private_redis_start(struct private_redis *s) {
    memset(s, 0, sizeof *s);
    (void)snprintf(s->dir, sizeof s->dir, "/tmp/onepool-test-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    (void)snprintf(s->socket, sizeof s->socket, "%s/redis.sock", s->dir);
    (void)snprintf(s->url, sizeof s->url, "unix://%s", s->socket);
    private_redis_restart(s);
}

void private_redis_kill(struct private_redis *s) {
    if (s->pid > 0) {
        (void)kill(s->pid, SIGKILL);
        assert_int_equal(waitpid(s->pid, NULL, 0), s->pid);
    }
    s->pid = 0;
}

void private_redis_end(struct private_redis *s) {
    private_redis_kill(s);
    (void)unlink(s->socket);
    assert_int_equal(rmdir(s->dir), 0);
}
