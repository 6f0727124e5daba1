/* SPDX-License-Identifier: Apache-2.0 */
#include "private_redis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
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

struct private_redis server;

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

static void private_redis_start(struct private_redis *s) {
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

static void private_redis_end(struct private_redis *s) {
    private_redis_kill(s);
    (void)unlink(s->socket);
    assert_int_equal(rmdir(s->dir), 0);
}

/* ---- clients ---- */

struct redis *client_at(const char *url) {
    char error[120] = "";
    const struct redis_options options = {
        .url = url, .tenant = "shop", .connect_timeout_ms = 500, .command_timeout_ms = COMMAND_MS};
    struct redis *r = redis_new(&options, error, sizeof error);
    assert_string_equal(error, "");
    assert_non_null(r);
    return r;
}

struct redis *client(void) {
    return client_at(server.url);
}

struct args words(const char *text) {
    struct args a = {0};
    while (*text != '\0') {
        size_t len = strcspn(text, " ");
        args_add_bytes(&a, text, len);
        text += len + strspn(text + len, " ");
    }
    return a;
}

enum next run(struct redis *r, const char *text, bool repeatable, redisReply **reply, struct reason *why) {
    struct args a = words(text);
    memset(why, 0, sizeof *why);
    enum next next = redis_command(r, &a, repeatable, reply, why);
    args_free(&a);
    assert_true((next == NEXT_DONE) == (*reply != NULL));
    return next;
}

int64_t must(struct redis *r, const char *text) {
    redisReply *reply = NULL;
    struct reason why;
    assert_int_equal(run(r, text, true, &reply, &why), NEXT_DONE);
    int64_t n = reply_int(reply);
    freeReplyObject(reply);
    return n;
}

enum next refused(struct redis *r, const char *text, bool repeatable, const char *cause) {
    redisReply *reply = NULL;
    struct reason why;
    enum next next = run(r, text, repeatable, &reply, &why);
    assert_string_equal(why.cause, cause);
    assert_true(why.text[0] != '\0');
    assert_true(why.not_its_fault == (next == NEXT_DEFER));
    return next;
}

int empty(void **state) {
    struct redis *r = client();
    (void)state;
    (void)must(r, "FLUSHALL");
    (void)must(r, "FUNCTION FLUSH");
    redis_free(r);
    return 0;
}

int start(void **state) {
    (void)state;
    private_redis_start(&server);
    return 0;
}

int end(void **state) {
    (void)state;
    private_redis_end(&server);
    return 0;
}
