/* SPDX-License-Identifier: Apache-2.0 */
/* links: tests/unit/private_redis.c */
/* redis.c: functions of the embedded library, and what the error replies of Redis mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>

#include "private_redis.h"
#include "ban.h"

/* Stands in for the embedded library. */
const char lua_version[] = "00c0ffee";
const char lua_source[] =
    "#!lua name=onepool_00c0ffee\n"
    "redis.register_function('echo_00c0ffee', function(keys, args) return {keys[1], args[1]} end)\n"
    "redis.register_function('put_00c0ffee', function(keys, args)\n"
    "  return redis.call('INCRBY', keys[1] .. ':n', args[1])\n"
    "end)\n"
    "redis.register_function('fail_00c0ffee', function(keys, args) return nil + 1 end)\n";
const size_t lua_source_len = sizeof lua_source - 1;

/* ---- functions ---- */

static enum next call(struct redis *r, const char *function, const char *arg, redisReply **reply, struct reason *why) {
    struct args a = {0};
    memset(why, 0, sizeof *why);
    args_add(&a, arg);
    enum next next = redis_fcall(r, function, &a, false, reply, why);
    args_free(&a);
    return next;
}

static void fcall_loads_the_library_when_redis_does_not_know_it(void **state) {
    redisReply *reply = NULL;
    struct reason why;
    (void)state;
    struct redis *r = client();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(call(r, "echo", "hello", &reply, &why), NEXT_DONE);
        assert_string_equal(reply_str_at(reply, 0), "{shop}");
        assert_string_equal(reply_str_at(reply, 1), "hello");
        freeReplyObject(reply);
        if (i == 1) {
            (void)must(r, "FUNCTION FLUSH");
        }
    }
    redis_free(r);
}

static void fcall_of_an_unknown_or_failing_function_is_a_bug(void **state) {
    static const char *const names[] = {"nonesuch", "fail"};
    (void)state;
    struct redis *r = client();
    for (size_t i = 0; i < 2; i++) {
        redisReply *reply = NULL;
        struct reason why;
        assert_int_equal(call(r, names[i], "", &reply, &why), NEXT_BUG);
        assert_null(reply);
        assert_string_equal(why.cause, "redis_error");
        assert_false(why.not_its_fault);
    }
    redis_free(r);
}

/* ---- refusals ---- */

static void refusals_defer_and_mistakes_are_bugs(void **state) {
    redisReply *reply = NULL;
    struct reason why;
    (void)state;
    struct redis *r = client();
    (void)must(r, "SET text x");
    assert_int_equal(refused(r, "LPUSH text x", true, "redis_error"), NEXT_BUG);
    assert_int_equal(refused(r, "NONESUCH", true, "redis_error"), NEXT_BUG);
    assert_true(redis_fd(r) >= 0);
    assert_int_equal(call(r, "put", "1", &reply, &why), NEXT_DONE);
    freeReplyObject(reply);

    (void)must(r, "CONFIG SET maxmemory 1");
    assert_int_equal(refused(r, "SET text y", true, "redis_refuses"), NEXT_DEFER);
    assert_int_equal(call(r, "put", "1", &reply, &why), NEXT_DEFER);
    assert_string_equal(why.cause, "redis_refuses");
    (void)must(r, "CONFIG SET maxmemory 0");

    (void)must(r, "REPLICAOF 127.0.0.1 1");
    assert_int_equal(refused(r, "SET text y", true, "redis_refuses"), NEXT_DEFER);
    assert_int_equal(redis_fd(r), -1); /* another server may be the right one by now */
    assert_int_equal(call(r, "put", "1", &reply, &why), NEXT_DEFER);
    (void)must(r, "REPLICAOF NO ONE");

    (void)must(r, "CONFIG SET min-replicas-to-write 1");
    assert_int_equal(refused(r, "SET text y", true, "redis_refuses"), NEXT_DEFER);
    (void)must(r, "CONFIG SET min-replicas-to-write 0");
    (void)must(r, "SET text y");
    redis_free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(fcall_loads_the_library_when_redis_does_not_know_it, empty),
        cmocka_unit_test_setup(fcall_of_an_unknown_or_failing_function_is_a_bug, empty),
        cmocka_unit_test_setup(refusals_defer_and_mistakes_are_bugs, empty),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, start, end);
}
