/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/stock-moved/aof.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "functions/stock-moved/aof.h"
#include "ban.h"

#define INFO(on, going, scheduled, last)                                                 \
    "# Persistence\r\nloading:0\r\naof_enabled:" on "\r\naof_rewrite_in_progress:" going \
    "\r\naof_rewrite_scheduled:" scheduled "\r\naof_last_bgrewrite_status:" last "\r\n"

/* A Redis that was just started says "ok" though it has rewritten nothing. */
static void a_file_is_good_only_after_a_rewrite_of_this_run(void **state) {
    (void)state;
    assert_int_equal(aof_step(INFO("1", "0", "0", "ok"), false), AOF_ASK);
    assert_int_equal(aof_step(INFO("1", "0", "0", "err"), false), AOF_ASK);
    assert_int_equal(aof_step(INFO("1", "1", "0", "ok"), false), AOF_WAIT);
    assert_int_equal(aof_step(INFO("1", "1", "0", "ok"), true), AOF_WAIT);
    assert_int_equal(aof_step(INFO("1", "0", "1", "ok"), true), AOF_WAIT);
    assert_int_equal(aof_step(INFO("1", "0", "0", "ok"), true), AOF_GOOD);
    assert_int_equal(aof_step(INFO("1", "0", "0", "err"), true), AOF_FAILED);
}

static void without_a_file_nothing_is_asked(void **state) {
    (void)state;
    assert_int_equal(aof_step(INFO("0", "0", "0", "ok"), false), AOF_NONE);
    assert_int_equal(aof_step("", true), AOF_NONE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_good_only_after_a_rewrite_of_this_run),
        cmocka_unit_test(without_a_file_nothing_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
