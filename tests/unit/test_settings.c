/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "settings.h"
#include "ban.h"

#define ALL (NEED_REDIS | NEED_EVENTS | NEED_SITOO | NEED_BIGCOMMERCE | NEED_HOOK_SECRET)

/* The environment of a test: changes over what is right. */
static const char *const right[][2] = {{"SITOO_ACCOUNT_ID", "1500"},
                                       {"SITOO_SITE_ID", "1"},
                                       {"SITOO_API_ID", "1500-1"},
                                       {"SITOO_API_PASSWORD", "sitoo-secret"},
                                       {"SITOO_EVENTS_USER", "onepool"},
                                       {"SITOO_EVENTS_PASSWORD", "event-secret-1"},
                                       {"BIGCOMMERCE_STORE_HASH", "abc123"},
                                       {"BIGCOMMERCE_ACCESS_TOKEN", "token-secret"},
                                       {"BIGCOMMERCE_HOOK_SECRET", "hook-secret-0123456"}};
static const char *changes[12][2];
static size_t change_count;

static const char *get(const char *name) {
    for (size_t i = 0; i < change_count; i++) {
        if (strcmp(changes[i][0], name) == 0) {
            return changes[i][1];
        }
    }
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        if (strcmp(right[i][0], name) == 0) {
            return right[i][1];
        }
    }
    return NULL;
}

static void set(const char *name, const char *value) {
    changes[change_count][0] = name;
    changes[change_count++][1] = value;
}

static int reset(void **state) {
    (void)state;
    change_count = 0;
    return 0;
}

static void complete_settings_are_read_with_their_presets(void **state) {
    struct buf mistakes;
    (void)state;
    buf_init(&mistakes, 10000);
    struct settings *s = settings_read(ALL, "sale", get, &mistakes);
    assert_string_equal(buf_str(&mistakes), "");
    assert_non_null(s);
    assert_string_equal(s->tenant, "default");
    assert_int_equal(s->mode, MODE_AUTO);
    assert_string_equal(s->listen, "var/run/sale");
    assert_string_equal(s->bigcommerce_api_url, "https://api.bigcommerce.com");
    assert_string_equal(s->sitoo_api_url, "https://api.mysitoo.com/v2");
    assert_int_equal(s->sitoo_key_count, 1);
    assert_null(s->events_password_previous);
    settings_free(s);
    buf_free(&mistakes);
}

static void all_mistakes_are_reported_together_and_no_secret_shows(void **state) {
    struct buf mistakes;
    (void)state;
    buf_init(&mistakes, 10000);
    set("SITOO_SITE_ID", "{25D9C5B8-51FC-5751-7FBE-37368C7E4EF0}");
    set("ONEPOOL_MODE", "Live");
    set("ONEPOOL_ACCEPTORS", "1");
    set("REDIS_URL", "http://127.0.0.1");
    set("BIGCOMMERCE_API_URL", "http://api.example.com");
    set("SITOO_EVENTS_PASSWORD", "short-pw");
    set("BIGCOMMERCE_STORE_HASH", "../x");
    set("BIGCOMMERCE_SIGNATURE", "require");
    assert_null(settings_read(ALL, "sale", get, &mistakes));
    static const char *const names[] = {"SITOO_SITE_ID: must be the eshopid",
                                        "ONEPOOL_MODE: must be one of shadow, live",
                                        "ONEPOOL_ACCEPTORS: must be a whole number from 2 to 64",
                                        "REDIS_URL: ",
                                        "BIGCOMMERCE_API_URL: ",
                                        "SITOO_EVENTS_PASSWORD: must be one line of at least 12",
                                        "BIGCOMMERCE_STORE_HASH: ",
                                        "BIGCOMMERCE_CLIENT_SECRET: missing; with BIGCOMMERCE_SIGNATURE=require"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strstr(buf_str(&mistakes), names[i]) == NULL) {
            fail_msg("%s is not in:\n%s", names[i], buf_str(&mistakes));
        }
    }
    assert_null(strstr(buf_str(&mistakes), "short-pw"));
    assert_null(strstr(buf_str(&mistakes), "secret"));
    buf_free(&mistakes);
}

static void signatures_are_reported_unless_told_otherwise_and_required_only_with_a_key(void **state) {
    static const struct {
        const char *name, *mode, *secret, *previous;
        enum signature_mode want;
        const char *mistake; /* NULL = right */
    } rows[] = {
        {"nothing set", NULL, NULL, NULL, SIGNATURE_REPORT, NULL},
        {"off", "off", NULL, NULL, SIGNATURE_OFF, NULL},
        {"report with a key", "report", "client-secret-012345", NULL, SIGNATURE_REPORT, NULL},
        {"require with a key", "require", "client-secret-012345", NULL, SIGNATURE_REQUIRE, NULL},
        {"two keys", "require", "client-secret-012345", "client-secret-543210", SIGNATURE_REQUIRE, NULL},
        {"require without a key", "require", NULL, NULL, SIGNATURE_REQUIRE, "BIGCOMMERCE_CLIENT_SECRET: missing"},
        {"require with an empty key", "require", "", NULL, SIGNATURE_REQUIRE, "BIGCOMMERCE_CLIENT_SECRET: missing"},
        {"require with the previous key alone", "require", NULL, "client-secret-543210", SIGNATURE_REQUIRE,
         "BIGCOMMERCE_CLIENT_SECRET: missing"},
        {"a short key", "report", "short-key", NULL, SIGNATURE_REPORT,
         "BIGCOMMERCE_CLIENT_SECRET: must be one line of at least 16"},
        {"a short previous key", "report", "client-secret-012345", "short-key", SIGNATURE_REPORT,
         "BIGCOMMERCE_CLIENT_SECRET_PREVIOUS: must be one line of at least 16"},
        {"another word", "yes", NULL, NULL, SIGNATURE_REPORT,
         "BIGCOMMERCE_SIGNATURE: must be one of off, report, require"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf mistakes;
        buf_init(&mistakes, 10000);
        change_count = 0;
        set("BIGCOMMERCE_SIGNATURE", rows[i].mode);
        set("BIGCOMMERCE_CLIENT_SECRET", rows[i].secret);
        set("BIGCOMMERCE_CLIENT_SECRET_PREVIOUS", rows[i].previous);
        struct settings *s = settings_read(NEED_HOOK_SECRET, "onepool", get, &mistakes);
        if (rows[i].mistake == NULL) {
            assert_non_null(s);
            assert_int_equal(s->signature, rows[i].want);
            assert_true(rows[i].secret == NULL || strcmp(s->client_secret, rows[i].secret) == 0);
            assert_true(rows[i].previous == NULL || strcmp(s->client_secret_previous, rows[i].previous) == 0);
        } else if (s != NULL || strstr(buf_str(&mistakes), rows[i].mistake) == NULL) {
            fail_msg("%s: %s", rows[i].name, buf_str(&mistakes));
        }
        assert_null(strstr(buf_str(&mistakes), "short-key"));
        settings_free(s);
        buf_free(&mistakes);
    }
}

static void a_public_url_is_https_without_a_slash_at_its_end(void **state) {
    static const struct {
        const char *url, *mistake; /* NULL = right */
    } rows[] = {
        {"https://hooks.example.com", NULL},
        {"https://hooks.example.com:443", NULL},
        {"https://hooks.example.com/shop", NULL},
        {"http://hooks.example.com", "must begin with https://"},
        {"http://127.0.0.1:8080", NULL}, /* simulated platforms */
        {"http://127.0.0.1:8080/", "must not end with a slash"},
        {"https://hooks.example.com/", "must not end with a slash"},
        {"https://hooks.example.com?x", "without blanks"},
        {"https://a b.example.com", "without blanks"},
        {"https://user@hooks.example.com", "user name"},
        {"https:///", "must not end with a slash"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf mistakes;
        buf_init(&mistakes, 10000);
        change_count = 0;
        set("ONEPOOL_PUBLIC_URL", rows[i].url);
        struct settings *s = settings_read(NEED_REDIS, "onepool", get, &mistakes);
        if (rows[i].mistake == NULL) {
            assert_non_null(s);
            assert_string_equal(s->public_url, rows[i].url);
        } else if (s != NULL || strstr(buf_str(&mistakes), rows[i].mistake) == NULL) {
            fail_msg("%s: %s", rows[i].url, buf_str(&mistakes));
        }
        settings_free(s);
        buf_free(&mistakes);
    }
}

static void only_what_is_needed_is_asked_for(void **state) {
    struct buf mistakes;
    (void)state;
    buf_init(&mistakes, 10000);
    set("BIGCOMMERCE_ACCESS_TOKEN", NULL);
    struct settings *s = settings_read(NEED_REDIS, "onepool", get, &mistakes);
    assert_non_null(s);
    settings_free(s);
    assert_null(settings_read(NEED_BIGCOMMERCE, "sale", get, &mistakes));
    assert_non_null(strstr(buf_str(&mistakes), "BIGCOMMERCE_ACCESS_TOKEN: missing"));
    buf_free(&mistakes);
}

static void a_secret_may_come_from_a_file_and_have_a_predecessor(void **state) {
    struct buf mistakes;
    char path[] = "/tmp/onepool-secret-XXXXXX";
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, "from-a-file-1234\n", 17) == 17);
    (void)close(fd);
    buf_init(&mistakes, 10000);
    set("SITOO_EVENTS_PASSWORD", NULL);
    set("SITOO_EVENTS_PASSWORD_FILE", path);
    set("SITOO_EVENTS_PASSWORD_PREVIOUS", "the-old-one-1234");
    struct settings *s = settings_read(NEED_EVENTS, "sale", get, &mistakes);
    assert_non_null(s);
    assert_string_equal(s->events_password, "from-a-file-1234");
    assert_string_equal(s->events_password_previous, "the-old-one-1234");
    settings_free(s);
    set("SITOO_API_PASSWORD_FILE", "/nonexistent/secret");
    set("SITOO_API_PASSWORD", NULL);
    assert_null(settings_read(NEED_SITOO, "sale", get, &mistakes));
    assert_non_null(strstr(buf_str(&mistakes), "SITOO_API_PASSWORD_FILE: /nonexistent/secret"));
    buf_free(&mistakes);
    (void)unlink(path);
}

static void the_redis_url_may_come_from_a_file(void **state) {
    static const char url[] = "redis://:p%40ss@redis.example:6380/2\n", wrong[] = "http://:hidden@x\n";
    struct buf mistakes;
    char path[] = "/tmp/onepool-secret-XXXXXX";
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, url, strlen(url)) == (ssize_t)strlen(url));
    buf_init(&mistakes, 10000);
    set("REDIS_URL_FILE", path);
    struct settings *s = settings_read(NEED_REDIS, "sale", get, &mistakes);
    assert_string_equal(buf_str(&mistakes), "");
    assert_non_null(s);
    assert_string_equal(s->redis_url, "redis://:p%40ss@redis.example:6380/2");
    settings_free(s);
    set("REDIS_URL", "redis://127.0.0.1:6379/0");
    assert_null(settings_read(NEED_REDIS, "sale", get, &mistakes));
    assert_non_null(strstr(buf_str(&mistakes), "REDIS_URL: is given twice"));
    change_count = 1;
    assert_true(ftruncate(fd, 0) == 0 && pwrite(fd, wrong, strlen(wrong), 0) == (ssize_t)strlen(wrong));
    (void)close(fd);
    assert_null(settings_read(NEED_REDIS, "sale", get, &mistakes));
    assert_null(strstr(buf_str(&mistakes), "hidden"));
    (void)unlink(path);
    assert_null(settings_read(NEED_REDIS, "sale", get, &mistakes));
    assert_non_null(strstr(buf_str(&mistakes), "REDIS_URL_FILE: /tmp/onepool-secret-"));
    buf_free(&mistakes);
}

static void several_keys_are_read_without_a_gap(void **state) {
    struct buf mistakes;
    (void)state;
    buf_init(&mistakes, 10000);
    set("SITOO_API_ID_2", "1500-2");
    set("SITOO_API_PASSWORD_2", "second");
    set("SITOO_API_ID_4", "1500-4");
    struct settings *s = settings_read(NEED_SITOO, "sale", get, &mistakes);
    assert_non_null(s);
    assert_int_equal(s->sitoo_key_count, 2);
    assert_string_equal(s->sitoo_keys[1].password, "second");
    settings_free(s);
    buf_free(&mistakes);
}

static void a_colon_in_a_key_id_is_called_by_its_name(void **state) {
    struct buf mistakes;
    (void)state;
    buf_init(&mistakes, 10000);
    set("SITOO_API_ID", "1500-1:oops");
    assert_null(settings_read(NEED_SITOO, "sale", get, &mistakes));
    assert_non_null(strstr(buf_str(&mistakes), "SITOO_API_ID: holds a colon"));
    assert_null(strstr(buf_str(&mistakes), "missing"));
    assert_null(strstr(buf_str(&mistakes), "oops"));
    buf_free(&mistakes);
}

static void mistakes_that_do_not_fit_are_mistakes_still(void **state) {
    struct buf mistakes;
    (void)state;
    buf_init(&mistakes, 10);
    set("SITOO_SITE_ID", "x");
    assert_null(settings_read(NEED_SITOO, "sale", get, &mistakes));
    assert_true(buf_overflowed(&mistakes));
    buf_free(&mistakes);
}

static void plain_http_is_for_loopback_or_by_permission(void **state) {
    static const struct {
        const char *url, *allow;
        bool good;
    } rows[] = {{"http://127.0.0.1:8000", NULL, true},
                {"http://localhost:8000/", NULL, true},
                {"http://10.1.2.3", NULL, false},
                {"http://10.1.2.3", "1", true},
                {"ftp://127.0.0.1", "1", false}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf mistakes;
        buf_init(&mistakes, 10000);
        change_count = 0;
        set("SITOO_API_URL", rows[i].url);
        set("ONEPOOL_ALLOW_HTTP", rows[i].allow);
        struct settings *s = settings_read(NEED_SITOO, "sale", get, &mistakes);
        if ((s != NULL) != rows[i].good) {
            fail_msg("%s: %s", rows[i].url, buf_str(&mistakes));
        }
        settings_free(s);
        buf_free(&mistakes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(complete_settings_are_read_with_their_presets, reset),
        cmocka_unit_test_setup(all_mistakes_are_reported_together_and_no_secret_shows, reset),
        cmocka_unit_test_setup(signatures_are_reported_unless_told_otherwise_and_required_only_with_a_key, reset),
        cmocka_unit_test_setup(a_public_url_is_https_without_a_slash_at_its_end, reset),
        cmocka_unit_test_setup(only_what_is_needed_is_asked_for, reset),
        cmocka_unit_test_setup(a_secret_may_come_from_a_file_and_have_a_predecessor, reset),
        cmocka_unit_test_setup(the_redis_url_may_come_from_a_file, reset),
        cmocka_unit_test_setup(several_keys_are_read_without_a_gap, reset),
        cmocka_unit_test_setup(a_colon_in_a_key_id_is_called_by_its_name, reset),
        cmocka_unit_test_setup(mistakes_that_do_not_fit_are_mistakes_still, reset),
        cmocka_unit_test_setup(plain_http_is_for_loopback_or_by_permission, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
