/* SPDX-License-Identifier: Apache-2.0 */
/* links: tests/unit/loopback.c */
/* http.c: what is sent, how often, and what became of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <stdlib.h>

#include "loopback.h"
#include "ban.h"

/* ---- failures ---- */

static void broken_answers_are_ambiguous(void **state) {
    static const struct {
        const char *line, *error;
    } rows[] = {
        {BYE "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this", NULL},
        {BYE "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", NULL},
        {BYE "SSH-2.0-OpenSSH_9.2\r\n\r\n", NULL},
        {CLOSE, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_answer a;
        get_once(rows[i].line, &a);
        assert_int_equal(a.fate, HTTP_AMBIGUOUS);
        assert_int_equal(a.status, 0);
        assert_string_equal(a.body, "");
        assert_int_equal(a.body_len, 0);
        assert_true(a.error[0] != '\0');
        http_answer_free(&a);
    }
}

static void answer_beyond_the_maximum_is_dropped(void **state) {
    char line[1300] = "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n";
    size_t head = strlen(line);
    struct http_answer a;
    (void)state;
    memset(line + head, 'x', 1001);
    line[head + 1001] = '\0';
    get_once(line, &a);
    assert_int_equal(a.fate, HTTP_AMBIGUOUS);
    assert_string_equal(a.error, "the answer is longer than 1000 bytes");
    assert_string_equal(a.body, "");
    http_answer_free(&a);
    line[head - 5] = '0'; /* 1000 bytes are just right */
    line[head + 1000] = '\0';
    get_once(line, &a);
    assert_int_equal(a.fate, HTTP_ANSWERED);
    assert_int_equal(a.body_len, 1000);
    http_answer_free(&a);
}

static void endless_headers_are_cut_off(void **state) {
    size_t size = 200 * 1024;
    char *line = malloc(size);
    struct http_answer a;
    (void)state;
    assert_non_null(line);
    size_t len = (size_t)snprintf(line, size, BYE "HTTP/1.1 200 OK\r\n");
    while (len + 100 < size) {
        len += (size_t)snprintf(line + len, size - len, "X-Filler: %080d\r\n", 1);
    }
    get_once(line, &a);
    assert_int_equal(a.fate, HTTP_AMBIGUOUS);
    assert_non_null(strstr(a.error, "headers of the answer are longer"));
    http_answer_free(&a);
    free(line);
}

static void silent_server_is_ambiguous_after_the_time_out(void **state) {
    static const char *const script[] = {SILENT, NULL};
    char url[URL_SIZE];
    struct http_answer a;
    (void)state;
    struct server *s = server_start(script, 0);
    struct http *h = client();
    struct http_request q = put(server_url(s, url), false);
    q.timeout_ms = 150;
    http_perform(h, &q, &a, 1, NULL, NULL);
    server_stop(s);
    assert_int_equal(a.fate, HTTP_AMBIGUOUS);
    assert_true(a.took_ms >= 140 && a.took_ms < 2000);
    assert_int_equal(s->requests, 1);
    http_answer_free(&a);
    http_free(h);
    server_free(s);
}

static void refused_connection_is_not_sent(void **state) {
    char url[URL_SIZE];
    int fd = -1;
    int port = 0;
    struct http_answer a;
    (void)state;
    listen_on_loopback(&fd, &port);
    (void)close(fd);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
    struct http *h = client();
    const struct http_request q = put(url, false);
    http_perform(h, &q, &a, 1, NULL, NULL);
    assert_int_equal(a.fate, HTTP_NOT_SENT);
    assert_int_equal(a.status, 0);
    assert_true(a.error[0] != '\0');
    assert_string_equal(a.body, "");
    http_answer_free(&a);
    http_free(h);
}

static void failed_tls_is_not_sent(void **state) {
    static const char *const script[] = {OK_KEPT, NULL};
    char url[URL_SIZE];
    struct http_answer a;
    (void)state;
    struct server *s = server_start(script, 0);
    struct http *h = client();
    struct http_request q = put(url, false);
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%d/", s->port);
    q.user = "kate";
    q.password = "hush-hush";
    q.timeout_ms = 500;
    http_perform(h, &q, &a, 1, NULL, NULL);
    server_stop(s);
    assert_int_equal(a.fate, HTTP_NOT_SENT);
    assert_null(strstr(a.error, "hush"));
    assert_int_equal(s->requests, 0);
    http_answer_free(&a);
    http_free(h);
    server_free(s);
}

/* ---- sending twice ---- */

/*
 * The second request goes over the kept connection, is read whole, and the connection ends without an answer. A third
 * one on the server is libcurl's silent repetition. *got is how often the PUT arrived.
 */
static void put_on_a_dying_connection(bool may_repeat, struct http_answer *a, size_t *got) {
    static const char *const script[] = {OK_KEPT, CLOSE, OK_KEPT, NULL};
    char url[URL_SIZE];
    struct http_answer first;
    struct server *s = server_start(script, 0);
    struct http *h = client();
    const struct http_request warm_up = get(server_url(s, url));
    const struct http_request q = put(url, may_repeat);
    http_perform(h, &warm_up, &first, 1, NULL, NULL);
    assert_int_equal(first.fate, HTTP_ANSWERED);
    http_answer_free(&first);
    http_perform(h, &q, a, 1, NULL, NULL);
    http_free(h);
    server_stop(s);
    *got = 0;
    for (size_t i = 0; i < s->requests; i++) {
        *got +=
            strncmp(s->seen[i], "PUT /v3/things HTTP/1.1\r\n", 25) == 0 && strstr(s->seen[i], "{\"adjust\":-2}") != NULL
                ? 1
                : 0;
    }
    assert_int_equal(s->requests, 1 + *got);
    server_free(s);
}

static void write_on_a_dying_connection_is_sent_once(void **state) {
    struct http_answer a;
    size_t got = 0;
    (void)state;
    put_on_a_dying_connection(false, &a, &got);
    assert_int_equal(got, 1);
    assert_int_equal(a.fate, HTTP_AMBIGUOUS);
    assert_string_equal(a.error, "the connection ended before an answer came");
    http_answer_free(&a);
    /* Without the guard libcurl sends it again: this is what the guard prevents. */
    put_on_a_dying_connection(true, &a, &got);
    assert_int_equal(got, 2);
    assert_int_equal(a.fate, HTTP_ANSWERED);
    http_answer_free(&a);
}

static void connection_is_kept_between_calls(void **state) {
    static const char *const script[] = {OK_KEPT, OK_KEPT, OK_KEPT, NULL};
    char url[URL_SIZE];
    (void)state;
    struct server *s = server_start(script, 0);
    struct http *h = client();
    const struct http_request q[] = {get(server_url(s, url)), put(url, false), get(url)};
    for (size_t i = 0; i < 3; i++) {
        struct http_answer a;
        http_perform(h, &q[i], &a, 1, NULL, NULL);
        assert_int_equal(a.fate, HTTP_ANSWERED);
        http_answer_free(&a);
    }
    http_free(h);
    server_stop(s);
    assert_int_equal(s->connections, 1);
    assert_int_equal(s->requests, 3);
    /* Nothing of the PUT or its headers is left on the handle that is used again. */
    assert_int_equal(strncmp(s->seen[2], "GET ", 4), 0);
    assert_null(strstr(s->seen[2], "Content-Type"));
    server_free(s);
}

static void no_more_is_sent_than_was_asked_for(void **state) {
    static const char *const script[] = {OK_KEPT, OK_KEPT, NULL};
    char url[URL_SIZE];
    struct http_answer a;
    (void)state;
    struct server *s = server_start(script, 0);
    struct http *h = client();
    struct http_request q = put(server_url(s, url), false);
    const struct http_request bare = get(url);
    q.user = "user";
    q.password = "pass";
    q.headers[1] = "X-Auth-Token: abc";
    http_perform(h, &q, &a, 1, NULL, NULL);
    http_answer_free(&a);
    http_perform(h, &bare, &a, 1, NULL, NULL);
    http_answer_free(&a);
    http_free(h);
    server_stop(s);
    assert_int_equal(s->requests, 2);
    assert_non_null(strstr(s->seen[0], "Authorization: Basic dXNlcjpwYXNz\r\n"));
    assert_non_null(strstr(s->seen[0], "X-Auth-Token: abc\r\n"));
    assert_non_null(strstr(s->seen[0], "User-Agent: onepool/test\r\n"));
    assert_non_null(strstr(s->seen[0], "Content-Length: 13\r\n"));
    assert_null(strstr(s->seen[0], "Expect"));
    assert_null(strstr(s->seen[0], "Accept-Encoding"));
    assert_null(strstr(s->seen[1], "Authorization"));
    assert_null(strstr(s->seen[1], "X-Auth-Token"));
    server_free(s);
}

/* ---- several at once, and giving up ---- */

static void calls_run_at_the_same_time(void **state) {
    static const char *const script[] = {OK_CLOSED, OK_CLOSED, OK_CLOSED, NULL};
    char url[URL_SIZE];
    struct http_answer a[4];
    (void)state;
    struct server *s = server_start(script, 3);
    struct http *h = client();
    const struct http_request q[] = {get(server_url(s, url)), get("ftp://127.0.0.1/"), put(url, false), get(url)};
    http_perform(h, q, a, 4, NULL, NULL);
    http_free(h);
    server_stop(s);
    assert_int_equal(s->requests, 3);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(a[i].fate, i == 1 ? HTTP_NOT_SENT : HTTP_ANSWERED);
        assert_string_equal(a[i].body, i == 1 ? "" : "ok");
        http_answer_free(&a[i]);
    }
    server_free(s);
}

static bool second_tick_gives_up(void *arg) {
    int *ticks = arg;
    return ++*ticks < 2;
}

static void tick_that_returns_false_gives_up_all(void **state) {
    static const char *const script[] = {SILENT, NULL};
    char url[URL_SIZE];
    struct http_answer a[2];
    int ticks = 0;
    (void)state;
    struct server *s = server_start(script, 2);
    struct http *h = client();
    const struct http_request q[] = {put(server_url(s, url), false), get(url)};
    http_perform(h, q, a, 2, second_tick_gives_up, &ticks);
    assert_int_equal(ticks, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(a[i].fate, HTTP_AMBIGUOUS);
        assert_non_null(strstr(a[i].error, "given up"));
        assert_true(a[i].took_ms < 3000);
        http_answer_free(&a[i]);
    }
    http_free(h);
    server_stop(s);
    server_free(s);
}

/* ---- what is not sent at all ---- */

static void addresses_that_are_not_allowed_are_never_called(void **state) {
    static const char *const script[] = {OK_KEPT, NULL};
    char url[URL_SIZE];
    struct http_answer a;
    (void)state;
    struct server *s = server_start(script, 0);
    struct http *h = client();
    (void)snprintf(url, sizeof url, "http://kate:hush-hush@127.0.0.1:%d/", s->port);
    struct http_request q = get(url);
    http_perform(h, &q, &a, 1, NULL, NULL);
    assert_int_equal(a.fate, HTTP_NOT_SENT);
    assert_null(strstr(a.error, "hush"));
    http_answer_free(&a);
    q = put(server_url(s, url), false);
    q.headers[1] = "X-Auth-Token: a\r\nX-Other: b";
    http_perform(h, &q, &a, 1, NULL, NULL);
    assert_int_equal(a.fate, HTTP_NOT_SENT);
    assert_null(strstr(a.error, "X-Auth-Token"));
    http_answer_free(&a);
    http_perform(h, NULL, NULL, 0, NULL, NULL);
    http_free(h);
    server_stop(s);
    assert_int_equal(s->requests, 0);
    server_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_answers_are_ambiguous),
        cmocka_unit_test(answer_beyond_the_maximum_is_dropped),
        cmocka_unit_test(endless_headers_are_cut_off),
        cmocka_unit_test(silent_server_is_ambiguous_after_the_time_out),
        cmocka_unit_test(refused_connection_is_not_sent),
        cmocka_unit_test(failed_tls_is_not_sent),
        cmocka_unit_test(write_on_a_dying_connection_is_sent_once),
        cmocka_unit_test(connection_is_kept_between_calls),
        cmocka_unit_test(no_more_is_sent_than_was_asked_for),
        cmocka_unit_test(calls_run_at_the_same_time),
        cmocka_unit_test(tick_that_returns_false_gives_up_all),
        cmocka_unit_test(addresses_that_are_not_allowed_are_never_called),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
