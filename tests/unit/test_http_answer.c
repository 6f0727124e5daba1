/* SPDX-License-Identifier: Apache-2.0 */
/* links: tests/unit/loopback.c */
/* http.c: what is read of an answer, and which addresses may be called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "loopback.h"
#include "ban.h"

/* ---- answers ---- */

static void answer_carries_status_body_and_headers(void **state) {
    struct http_answer a;
    (void)state;
    get_once("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nDate: Tue, 05 Mar 2019 21:40:11 GMT\r\n"
             "X-Rate-Limit-Time-Window-Ms: 30000\r\nX-Rate-Limit-Time-Reset-Ms: 12500\r\n"
             "X-Rate-Limit-Requests-Quota: 150\r\nX-Rate-Limit-Requests-Left: 0\r\n\r\nhello",
             &a);
    assert_int_equal(a.fate, HTTP_ANSWERED);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "hello");
    assert_int_equal(a.body_len, 5);
    assert_string_equal(a.error, "");
    assert_int_equal(a.date_ms, INT64_C(1551822011000));
    assert_int_equal(a.rate_window_ms, 30000);
    assert_int_equal(a.rate_reset_ms, 12500);
    assert_int_equal(a.rate_quota, 150);
    assert_int_equal(a.rate_left, 0);
    assert_int_equal(a.retry_after_s, HTTP_ABSENT);
    assert_int_equal(a.reset_epoch_s, HTTP_ABSENT);
    http_answer_free(&a);
    assert_null(a.body);
    http_answer_free(NULL);
}

static void case_of_header_names_does_not_matter(void **state) {
    struct http_answer a;
    (void)state;
    get_once("HTTP/1.1 429 Too Many\r\ncontent-length: 0\r\nx-rate-limit-time-window-ms: 30000\r\n"
             "X-RATE-LIMIT-TIME-RESET-MS:   7 \r\nx-retry-after: 9\r\nX-RATE-LIMIT-RESET: 1900000000\r\n\r\n",
             &a);
    assert_int_equal(a.status, 429);
    assert_string_equal(a.body, "");
    assert_int_equal(a.rate_window_ms, 30000);
    assert_int_equal(a.rate_reset_ms, 7);
    assert_int_equal(a.retry_after_s, 9);
    assert_int_equal(a.reset_epoch_s, 1900000000);
    http_answer_free(&a);
}

static void insane_header_values_count_as_absent(void **state) {
    static const char *const values[] = {
        "",
        "-1",
        "+5",
        "1e3",
        "5.0",
        "0x10",
        "12 34",
        "99999999999999999999",
        "9223372036854775807",
        "many",
        "Wed, 21 Oct 2026 07:28:00 GMT",
        "5\r\nRetry-After: 6", /* twice */
    };
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char line[300];
        struct http_answer a;
        (void)snprintf(line, sizeof line,
                       "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nDate: yesterday\r\n"
                       "X-Rate-Limit-Requests-Left: %s\r\nRetry-After: %s\r\n\r\n",
                       i == 11 ? "" : values[i], values[i]);
        get_once(line, &a);
        assert_int_equal(a.fate, HTTP_ANSWERED);
        assert_int_equal(a.rate_left, HTTP_ABSENT);
        assert_int_equal(a.retry_after_s, HTTP_ABSENT);
        assert_int_equal(a.date_ms, HTTP_ABSENT);
        http_answer_free(&a);
    }
}

static void headers_of_interim_answers_and_trailers_are_ignored(void **state) {
    struct http_answer a;
    (void)state;
    get_once(
        "HTTP/1.1 103 Early\r\nRetry-After: 5\r\n\r\n"
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Rate-Limit-Requests-Left: 7\r\n\r\n",
        &a);
    assert_int_equal(a.fate, HTTP_ANSWERED);
    assert_string_equal(a.body, "ok");
    assert_int_equal(a.retry_after_s, HTTP_ABSENT);
    assert_int_equal(a.rate_left, HTTP_ABSENT);
    http_answer_free(&a);
}

static void redirect_is_returned_and_not_followed(void **state) {
    static const char *const script[] = {"HTTP/1.1 301 Moved\r\nLocation: /elsewhere\r\nContent-Length: 4\r\n\r\ngone",
                                         OK_KEPT, NULL};
    char url[URL_SIZE];
    struct http_answer a;
    (void)state;
    struct server *s = server_start(script, 0);
    struct http *h = client();
    const struct http_request q = get(server_url(s, url));
    http_perform(h, &q, &a, 1, NULL, NULL);
    server_stop(s);
    assert_int_equal(a.fate, HTTP_ANSWERED);
    assert_int_equal(a.status, 301);
    assert_string_equal(a.body, "gone");
    assert_int_equal(s->requests, 1);
    http_answer_free(&a);
    http_free(h);
    server_free(s);
}

static void plain_http_stays_on_this_machine(void **state) {
    static const struct {
        const char *url;
        bool strict, plain; /* wanted without and with allow_plain */
    } rows[] = {
        {"https://api.bigcommerce.com/stores/x/v3", true, true},
        {"HTTPS://api.bigcommerce.com", true, true},
        {"http://127.0.0.1:8080/x", true, true},
        {"http://127.200.3.4/", true, true},
        {"http://localhost:1/", true, true},
        {"http://LocalHost/", true, true},
        {"http://[::1]:8080/", true, true},
        {"http://example.com/", false, true},
        {"http://127.0.0.1.example.com/", false, true},
        {"http://localhost.example.com/", false, true},
        {"http://128.0.0.1/", false, true},
        {"http://[::2]/", false, true},
        {"http://10.0.0.1/", false, true},
        {"https://user:secret@example.com/", false, false},
        {"https://user@example.com/", false, false},
        {"ftp://127.0.0.1/", false, false},
        {"file:///etc/passwd", false, false},
        {"gopher://127.0.0.1/", false, false},
        {"example.com/x", false, false},
        {"//example.com/x", false, false},
        {"https://", false, false},
        {"http:///example.com/", false, true}, /* libcurl calls example.com */
        {"https://example.com/a b", false, false},
        {"https://example.com/a\r\nX: y", false, false},
        {"https://example.com:99999/", false, false},
        {"", false, false},
        {NULL, false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char error[100] = "";
        bool strict = http_url_allowed(rows[i].url, false, error, sizeof error);
        if (strict != rows[i].strict || http_url_allowed(rows[i].url, true, NULL, 0) != rows[i].plain) {
            fail_msg("row %zu: %s", i, rows[i].url != NULL ? rows[i].url : "NULL");
        }
        assert_true(strict == (error[0] == '\0'));
        assert_null(strstr(error, "secret"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answer_carries_status_body_and_headers),
        cmocka_unit_test(case_of_header_names_does_not_matter),
        cmocka_unit_test(insane_header_values_count_as_absent),
        cmocka_unit_test(headers_of_interim_answers_and_trailers_are_ignored),
        cmocka_unit_test(redirect_is_returned_and_not_followed),
        cmocka_unit_test(plain_http_stays_on_this_machine),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
