/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "redis_url.h"
#include "redis.h"
#include "ban.h"

static void same(size_t row, const char *what, const char *got, const char *want) {
    if ((got == NULL) != (want == NULL) || (got != NULL && want != NULL && strcmp(got, want) != 0)) {
        fail_msg("row %zu, %s: %s, not %s", row, what, got != NULL ? got : "NULL", want != NULL ? want : "NULL");
    }
}

static void good_urls_are_taken_apart(void **state) {
    static const struct {
        const char *text, *host, *path, *user, *password;
        int port, db;
    } rows[] = {
        {"redis://127.0.0.1:6380/2", "127.0.0.1", NULL, NULL, NULL, 6380, 2},
        {"redis://localhost", "localhost", NULL, NULL, NULL, 6379, 0},
        {"redis://localhost/", "localhost", NULL, NULL, NULL, 6379, 0},
        {"redis://redis.internal:65535/0", "redis.internal", NULL, NULL, NULL, 65535, 0},
        {"redis://[::1]:6380/15", "::1", NULL, NULL, NULL, 6380, 15},
        {"redis://[::1]", "::1", NULL, NULL, NULL, 6379, 0},
        {"redis://bob:secret@h:1/1", "h", NULL, "bob", "secret", 1, 1},
        {"redis://:secret@h", "h", NULL, NULL, "secret", 6379, 0},
        {"redis://bob:@h", "h", NULL, "bob", "", 6379, 0},
        {"redis://b%6Fb:p%40ss%3aw%2Frd%25@h", "h", NULL, "bob", "p@ss:w/rd%", 6379, 0},
        {"redis://u:a:b@c@h", "h", NULL, "u", "a:b@c", 6379, 0},
        {"unix:///run/redis.sock", NULL, "/run/redis.sock", NULL, NULL, 0, 0},
        {"unix:///run/redis.sock?db=7", NULL, "/run/redis.sock", NULL, NULL, 0, 7},
        {"unix:///run/a%20b.sock", NULL, "/run/a b.sock", NULL, NULL, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char error[120] = "";
        struct redis_url url;
        if (!redis_url_parse(rows[i].text, &url, error, sizeof error)) {
            fail_msg("row %zu: %s", i, error);
        }
        same(i, "host", url.host, rows[i].host);
        same(i, "path", url.path, rows[i].path);
        same(i, "user", url.user, rows[i].user);
        same(i, "password", url.password, rows[i].password);
        assert_int_equal(url.port, rows[i].port);
        assert_int_equal(url.db, rows[i].db);
        redis_url_free(&url);
        assert_true(redis_url_valid(rows[i].text, NULL, 0));
    }
}

static void bad_urls_are_refused_without_repeating_them(void **state) {
    static const char *const rows[] = {
        NULL,
        "",
        "localhost:6379",
        "rediss://localhost",
        "REDIS://localhost",
        "redis:/localhost",
        "redis://",
        "redis:///0",
        "redis://:6379",
        "redis://hush:hush@",
        "redis://hush@h",
        "redis://hush:hu%sh@h",
        "redis://hush:hush%4@h",
        "redis://hush:hush%00@h",
        "redis://hush%zz:hush@h",
        "redis://hush:hu/sh@h",
        "redis://h:",
        "redis://h:0",
        "redis://h:65536",
        "redis://h:+1",
        "redis://h:12x",
        "redis://h:123456789",
        "redis://h/-1",
        "redis://h/x",
        "redis://h/1/",
        "redis://h/1?x=y",
        "redis://h/10000",
        "redis://[::1",
        "redis://[]",
        "redis://[::1]6379",
        "unix://run/redis.sock",
        "unix:///",
        "unix://",
        "unix:///a%00b",
        "unix:///a?db=",
        "unix:///a?db=x",
        "unix:///a?database=1",
        "unix:///a?db=1&x=2",
        "unix:///"
        "01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
        "0123456789012",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char error[120] = "";
        const struct redis_options options = {.url = rows[i], .tenant = "t"};
        if (redis_url_valid(rows[i], error, sizeof error) || error[0] == '\0' || strstr(error, "hush") != NULL) {
            fail_msg("row %zu: %s", i, rows[i] != NULL ? rows[i] : "NULL");
        }
        assert_null(redis_new(&options, error, sizeof error));
    }
    redis_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_urls_are_taken_apart),
        cmocka_unit_test(bad_urls_are_refused_without_repeating_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
