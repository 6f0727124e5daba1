/* SPDX-License-Identifier: Apache-2.0 */
/* links: tests/unit/private_redis.c */
/* redis.c against a real Redis that is stopped, killed and asks for a password. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "private_redis.h"
#include "redis.h"
#include "ban.h"

/* ---- commands ---- */

static void commands_are_binary_safe(void **state) {
    static const char bytes[] = {'a', '\0', '\r', '\n', '\xff', ' ', '%', 's'};
    struct args a = {0};
    redisReply *reply = NULL;
    struct reason why = {0};
    (void)state;
    struct redis *r = client();
    assert_int_equal(redis_fd(r), -1);
    args_add(&a, "SET");
    args_add_key(&a, r, "k");
    args_add_bytes(&a, bytes, sizeof bytes);
    assert_string_equal(a.argv[1], "{shop}:k");
    assert_int_equal(redis_command(r, &a, true, &reply, &why), NEXT_DONE);
    assert_string_equal(reply_str(reply), "OK");
    freeReplyObject(reply);
    assert_true(redis_fd(r) >= 0);
    assert_int_equal(run(r, "GET {shop}:k", true, &reply, &why), NEXT_DONE);
    assert_int_equal(reply->len, sizeof bytes);
    assert_memory_equal(reply->str, bytes, sizeof bytes);
    freeReplyObject(reply);
    args_free(&a);
    redis_free(r);
}

static void arguments_are_copied_and_appended(void **state) {
    struct args a = {0};
    struct args b = {0};
    (void)state;
    args_add(&a, NULL);
    args_add_int(&a, INT64_MIN);
    args_addf(&a, "%s-%d", "x", 7);
    args_add_bytes(&a, NULL, 0);
    for (int i = 0; i < 20; i++) {
        args_append(&b, &a);
    }
    args_free(&a);
    assert_int_equal(a.n, 0);
    assert_int_equal(b.n, 80);
    assert_string_equal(b.argv[76], "");
    assert_string_equal(b.argv[77], "-9223372036854775808");
    assert_string_equal(b.argv[78], "x-7");
    assert_int_equal(b.len[79], 0);
    args_free(&b);
}

static void replies_are_read_as_integers_and_text(void **state) {
    redisReply *reply = NULL;
    struct reason why;
    (void)state;
    struct redis *r = client();
    (void)must(r, "SET t 9007199254740993");
    (void)must(r, "SET w word");
    assert_int_equal(run(r, "MGET t w none", true, &reply, &why), NEXT_DONE);
    assert_int_equal(reply_int_at(reply, 0), INT64_C(9007199254740993));
    assert_string_equal(reply_str_at(reply, 0), "9007199254740993");
    assert_int_equal(reply_int_at(reply, 1), 0);
    assert_null(reply_str_at(reply, 2));
    assert_null(reply_str_at(reply, 3));
    assert_int_equal(reply_int_at(reply, 3), 0);
    assert_null(reply_str(reply));
    assert_int_equal(reply_int(NULL), 0);
    assert_null(reply_str_at(NULL, 0));
    freeReplyObject(reply);
    redis_free(r);
}

static void pipeline_is_all_or_nothing(void **state) {
    redisReply *replies[3];
    struct reason why = {0};
    (void)state;
    struct redis *r = client();
    struct args good[] = {words("SET p 1"), words("INCR p"), words("GET p")};
    struct args bad[] = {words("INCR p"), words("LPUSH p x"), words("INCR p")};
    assert_int_equal(redis_pipeline(r, good, 3, false, replies, &why), NEXT_DONE);
    assert_int_equal(reply_int(replies[1]), 2);
    assert_int_equal(reply_int(replies[2]), 2);
    for (size_t i = 0; i < 3; i++) {
        freeReplyObject(replies[i]);
    }
    assert_int_equal(redis_pipeline(r, bad, 3, false, replies, &why), NEXT_BUG);
    assert_null(replies[0]);
    assert_null(replies[2]);
    /* All three replies were read: the next command gets its own. */
    assert_int_equal(must(r, "INCR p"), 5);
    assert_int_equal(redis_pipeline(r, NULL, 0, false, replies, &why), NEXT_DONE);
    for (size_t i = 0; i < 3; i++) {
        args_free(&good[i]);
        args_free(&bad[i]);
    }
    redis_free(r);
}

/* ---- lost and stopped servers ---- */

static void repeatable_command_survives_a_restart(void **state) {
    (void)state;
    struct redis *r = client();
    struct redis *q = client();
    (void)must(r, "PING");
    (void)must(q, "PING");
    private_redis_kill(&server);
    private_redis_restart(&server);
    assert_int_equal(must(r, "INCR n"), 1);
    assert_int_equal(refused(q, "INCR n", false, "redis_down"), NEXT_DEFER);
    assert_int_equal(redis_fd(q), -1);
    assert_int_equal(must(q, "INCR n"), 2);
    redis_free(r);
    redis_free(q);
}

static void absent_server_defers(void **state) {
    (void)state;
    struct redis *r = client();
    (void)must(r, "PING");
    private_redis_kill(&server);
    assert_int_equal(refused(r, "PING", true, "redis_down"), NEXT_DEFER);
    assert_int_equal(refused(r, "PING", true, "redis_down"), NEXT_DEFER);
    private_redis_restart(&server);
    (void)must(r, "PING");
    redis_free(r);
}

static void stopped_server_defers_in_time_and_its_late_reply_is_never_read(void **state) {
    redisReply *reply = NULL;
    struct reason why;
    (void)state;
    for (int repeatable = 0; repeatable < 2; repeatable++) {
        struct redis *r = client();
        (void)must(r, "SET n 10");
        assert_int_equal(kill(server.pid, SIGSTOP), 0);
        int64_t begin_ms = clock_mono_ms();
        assert_int_equal(refused(r, "INCR n", repeatable == 1, "redis_slow"), NEXT_DEFER);
        int64_t took_ms = clock_mono_ms() - begin_ms;
        assert_true(took_ms >= COMMAND_MS * (1 + repeatable) - 20 && took_ms < COMMAND_MS * 5);
        assert_int_equal(redis_fd(r), -1);
        assert_int_equal(kill(server.pid, SIGCONT), 0);
        assert_int_equal(run(r, "ECHO mine", true, &reply, &why), NEXT_DONE);
        assert_string_equal(reply_str(reply), "mine");
        freeReplyObject(reply);
        redis_free(r);
    }
}

/* ---- credentials ---- */

static void user_password_and_database_come_from_the_url(void **state) {
    char url[160];
    redisReply *reply = NULL;
    struct reason why;
    (void)state;
    struct redis *admin = client();
    (void)must(admin, "ACL SETUSER bob on >p@ss:w/rd ~* &* +@all");
    (void)snprintf(url, sizeof url, "redis://bob:p%%40ss%%3Aw%%2frd@localhost:%d/3", server.port);
    struct redis *r = client_at(url);
    assert_int_equal(run(r, "CLIENT INFO", true, &reply, &why), NEXT_DONE);
    assert_non_null(strstr(reply_str(reply), "user=bob"));
    assert_non_null(strstr(reply_str(reply), "db=3"));
    freeReplyObject(reply);
    redis_free(r);

    (void)snprintf(url, sizeof url, "%s?db=5", server.url);
    r = client_at(url);
    assert_int_equal(run(r, "CLIENT INFO", true, &reply, &why), NEXT_DONE);
    assert_non_null(strstr(reply_str(reply), "db=5"));
    freeReplyObject(reply);
    redis_free(r);
    (void)must(admin, "ACL DELUSER bob");
    redis_free(admin);
}

static void wrong_credentials_defer_and_stay_secret(void **state) {
    char url[160];
    redisReply *reply = NULL;
    struct reason why;
    (void)state;
    struct redis *admin = client();
    struct redis *none = client();
    (void)must(admin, "CONFIG SET requirepass right");
    (void)snprintf(url, sizeof url, "redis://:hush-hush@127.0.0.1:%d", server.port);
    struct redis *wrong = client_at(url);
    assert_int_equal(run(wrong, "PING", true, &reply, &why), NEXT_DEFER);
    assert_true(why.not_its_fault);
    assert_null(strstr(why.text, "hush"));
    assert_int_equal(redis_fd(wrong), -1);
    assert_int_equal(refused(none, "PING", true, "redis_refuses"), NEXT_DEFER);
    (void)snprintf(url, sizeof url, "redis://:right@127.0.0.1:%d/", server.port);
    struct redis *right = client_at(url);
    (void)must(right, "CONFIG SET requirepass \"\"");
    (void)must(right, "ACL SETUSER default nopass");
    redis_free(right);
    redis_free(wrong);
    redis_free(none);
    redis_free(admin);
}

/* ---- messages ---- */

static bool wakes(struct redis *r, int timeout_ms) {
    struct pollfd p = {.fd = redis_fd(r), .events = POLLIN};
    return poll(&p, 1, timeout_ms) == 1;
}

static void message_wakes_a_subscribed_connection(void **state) {
    redisReply *reply = NULL;
    struct reason why = {0};
    (void)state;
    struct redis *sub = client();
    struct redis *pub = client();
    assert_int_equal(redis_subscribe(sub, "wake:order", &why), NEXT_DONE);
    assert_int_equal(redis_subscribe(sub, "wake:sku", &why), NEXT_DONE);
    assert_false(wakes(sub, 0));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(must(pub, "PUBLISH {shop}:wake:order 1"), 1);
        assert_int_equal(must(pub, "PUBLISH {shop}:wake:sku 1"), 1);
        assert_true(wakes(sub, 5000));
        assert_true(redis_drain_messages(sub));
    }
    assert_int_equal(run(sub, "PING", true, &reply, &why), NEXT_BUG);
    private_redis_kill(&server);
    assert_true(wakes(sub, 5000));
    assert_false(redis_drain_messages(sub));
    assert_int_equal(redis_fd(sub), -1);
    assert_false(redis_drain_messages(sub));
    assert_false(redis_drain_messages(NULL));
    assert_int_equal(redis_subscribe(sub, "wake:sku", &why), NEXT_DEFER);
    private_redis_restart(&server);
    assert_int_equal(redis_subscribe(sub, "wake:sku", &why), NEXT_DONE);
    redis_free(sub);
    redis_free(pub);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(commands_are_binary_safe, empty),
        cmocka_unit_test(arguments_are_copied_and_appended),
        cmocka_unit_test_setup(replies_are_read_as_integers_and_text, empty),
        cmocka_unit_test_setup(pipeline_is_all_or_nothing, empty),
        cmocka_unit_test_setup(repeatable_command_survives_a_restart, empty),
        cmocka_unit_test_setup(absent_server_defers, empty),
        cmocka_unit_test_setup(stopped_server_defers_in_time_and_its_late_reply_is_never_read, empty),
        cmocka_unit_test_setup(user_password_and_database_come_from_the_url, empty),
        cmocka_unit_test_setup(wrong_credentials_defer_and_stay_secret, empty),
        cmocka_unit_test_setup(message_wakes_a_subscribed_connection, empty),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, start, end);
}
