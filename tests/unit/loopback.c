/* SPDX-License-Identifier: Apache-2.0 */
#include "loopback.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ban.h"

/* False when the test is over. */
static bool readable(const struct server *s, int fd) {
    struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = s->stop[0], .events = POLLIN}};
    while (poll(p, 2, -1) < 0) {
    }
    return p[1].revents == 0;
}

static size_t content_length(const char *text) {
    const char *header = strstr(text, "Content-Length: ");
    return header != NULL ? (size_t)strtoul(header + 16, NULL, 10) : 0;
}

/* Reads one whole request into text; false if the peer or the test ended before. */
static bool request_read(const struct server *s, int fd, char *text) {
    size_t len = 0;
    text[0] = '\0';
    for (;;) {
        const char *body = strstr(text, "\r\n\r\n");
        if (body != NULL && len >= (size_t)(body + 4 - text) + content_length(text)) {
            return true;
        }
        ssize_t n = len + 1 < REQUEST_SIZE && readable(s, fd) ? read(fd, text + len, REQUEST_SIZE - 1 - len) : 0;
        if (n <= 0) {
            return false;
        }
        len += (size_t)n;
        text[len] = '\0';
    }
}

static void write_all(int fd, const char *text) {
    size_t len = strlen(text);
    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n <= 0) {
            return;
        }
        text += n;
        len -= (size_t)n;
    }
}

static const char *script_line(const struct server *s, size_t i) {
    for (size_t k = 0; k <= i; k++) {
        if (s->script[k] == NULL) {
            return SILENT;
        }
    }
    return s->script[i];
}

/* Answers one request that was read; false if the connection ends with it. */
static bool answer(const struct server *s, int fd, const char *line) {
    if (strcmp(line, CLOSE) == 0) {
        return false;
    }
    if (strcmp(line, SILENT) == 0) {
        char byte = 0;
        while (readable(s, fd) && read(fd, &byte, 1) > 0) {
        }
        return false;
    }
    bool bye = strncmp(line, BYE, strlen(BYE)) == 0;
    write_all(fd, bye ? line + strlen(BYE) : line);
    return !bye;
}

static void serve(struct server *s, int fd) {
    char text[REQUEST_SIZE];
    bool open = true;
    while (open && s->requests < REQUEST_MAX && request_read(s, fd, text)) {
        memcpy(s->seen[s->requests], text, sizeof text);
        open = answer(s, fd, script_line(s, s->requests++));
    }
    (void)close(fd);
}

static void *server_main(void *arg) {
    struct server *s = arg;
    int waiting[REQUEST_MAX];
    size_t n = 0;
    while (readable(s, s->listener)) {
        int fd = accept(s->listener, NULL, NULL);
        if (fd < 0) {
            break;
        }
        s->connections++;
        waiting[n++] = fd;
        while (n >= s->gather && n > 0) {
            serve(s, waiting[--n]);
            s->gather = n > 0 ? s->gather - 1 : 0;
        }
    }
    while (n > 0) {
        (void)close(waiting[--n]);
    }
    return NULL;
}

void listen_on_loopback(int *fd, int *port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    *fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(*fd >= 0);
    assert_int_equal(bind(*fd, (const struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(*fd, 16), 0);
    assert_int_equal(getsockname(*fd, (struct sockaddr *)&a, &size), 0);
    *port = ntohs(a.sin_port);
}

struct server *server_start(const char *const *script, size_t gather) {
    struct server *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->script = script;
    s->gather = gather;
    listen_on_loopback(&s->listener, &s->port);
    assert_int_equal(pipe(s->stop), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, server_main, s), 0);
    return s;
}

void server_stop(struct server *s) {
    (void)close(s->stop[1]);
    assert_int_equal(pthread_join(s->thread, NULL), 0);
}

void server_free(struct server *s) {
    (void)close(s->stop[0]);
    (void)close(s->listener);
    free(s);
}

const char *server_url(const struct server *s, char url[URL_SIZE]) {
    (void)snprintf(url, URL_SIZE, "http://127.0.0.1:%d/v3/things", s->port);
    return url;
}

struct http *client(void) {
    const struct http_options options = {.connect_timeout_ms = 2000, .user_agent = "onepool/test"};
    return http_new(&options);
}

struct http_request get(const char *url) {
    return (struct http_request){
        .method = "GET", .url = url, .timeout_ms = 5000, .response_max = 1000, .may_repeat = true};
}

struct http_request put(const char *url, bool may_repeat) {
    struct http_request q = get(url);
    q.method = "PUT";
    q.body = "{\"adjust\":-2}";
    q.body_len = strlen(q.body);
    q.headers[0] = "Content-Type: application/json";
    q.may_repeat = may_repeat;
    return q;
}

void get_once(const char *line, struct http_answer *a) {
    const char *const script[] = {line, NULL};
    char url[URL_SIZE];
    struct server *s = server_start(script, 0);
    struct http *h = client();
    const struct http_request q = get(server_url(s, url));
    http_perform(h, &q, a, 1, NULL, NULL);
    http_free(h);
    server_stop(s);
    server_free(s);
}
