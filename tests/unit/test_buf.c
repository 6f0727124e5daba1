/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "buf.h"
#include "json.h"
#include "ban.h"

static void a_buffer_keeps_its_maximum(void **state) {
    struct buf b;
    (void)state;
    buf_init(&b, 5);
    buf_add_str(&b, "abc");
    assert_false(buf_overflowed(&b));
    buf_add_str(&b, "def");
    assert_true(buf_overflowed(&b));
    buf_add_str(&b, "x");
    assert_string_equal(buf_str(&b), "abc"); /* sticky: nothing is appended behind what did not fit */
    buf_reset(&b);
    buf_addf(&b, "%d", 12345);
    assert_string_equal(buf_str(&b), "12345");
    buf_free(&b);
    assert_string_equal(buf_str(&b), "");
}

static void filters_are_percent_encoded_comma_and_plus_included(void **state) {
    struct buf b;
    (void)state;
    buf_init(&b, 100);
    buf_add_url(&b, "AB+C/1-2,\xc3\xa5 _.~\"");
    assert_string_equal(buf_str(&b), "AB%2BC%2F1-2%2C%C3%A5%20_.~%22");
    buf_free(&b);
}

static void copies_are_cut_and_terminated(void **state) {
    char small[4];
    (void)state;
    assert_true(str_copy(small, sizeof small, "abc"));
    assert_false(str_copy(small, sizeof small, "abcd"));
    assert_string_equal(small, "abc");
}

static void a_cut_never_leaves_half_a_character(void **state) {
    static const struct {
        const char *name, *text, *want;
        size_t size;
    } rows[] = {
        {"plain", "abcdef", "abc", 4},
        {"fits", "a\xc3\xa5", "a\xc3\xa5", 4},
        {"two bytes", "ab\xc3\xa5", "ab", 4},
        {"two bytes, whole", "a\xc3\xa5\xc3\xa5", "a\xc3\xa5", 4},
        {"three bytes", "a\xe2\x82\xac", "a", 4},
        {"four bytes", "\xf0\x9f\x98\x80", "", 4},
        {"no room", "abc", "", 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[8];
        (void)str_copy(out, rows[i].size, rows[i].text);
        if (strcmp(out, rows[i].want) != 0) {
            fail_msg("%s: %s", rows[i].name, out);
        }
    }
}

static void a_reason_cut_anywhere_stays_readable_as_json(void **state) {
    (void)state;
    for (int keep = 195; keep <= 205; keep++) {
        struct reason why = {0};
        char text[400], error[160];
        for (size_t i = 0; i + 1 < sizeof text; i++) {
            text[i] = "\xc3\xa5"[i % 2];
        }
        text[sizeof text - 1] = '\0';
        assert_int_equal(reason_set(&why, NEXT_PARK, "refused", "Sitoo answered: %.*s", keep, text), NEXT_PARK);
        cJSON *o = json_new_object();
        json_add_str(o, "text", why.text);
        char *json = json_print(o);
        cJSON *back = json_read(json, strlen(json), error, sizeof error);
        assert_non_null(back);
        cJSON_Delete(back);
        cJSON_Delete(o);
        free(json);
    }
}

static void long_formats_and_growth_keep_every_byte(void **state) {
    struct buf b;
    char long_text[1001];
    (void)state;
    memset(long_text, 'x', 1000);
    long_text[1000] = '\0';
    buf_init(&b, 1002);
    buf_addf(&b, "<%s>", long_text);
    assert_false(buf_overflowed(&b));
    assert_int_equal(b.len, 1002);
    char *taken = buf_take(&b);
    assert_int_equal(strlen(taken), 1002);
    assert_string_equal(buf_str(&b), "");
    free(taken);
    taken = buf_take(&b);
    assert_string_equal(taken, "");
    free(taken);
    buf_free(&b);
}

/* AddressSanitizer asks this at start: malloc shall answer NULL as it does without it, not end the process. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "allocator_may_return_null=1";
}

/* What the child says on standard error, and its exit status, when memory is asked for that nobody has. */
static void exhausted_memory_ends_the_process_with_101(void **state) {
    int out[2], status = 0;
    char text[100] = "";
    (void)state;
    assert_int_equal(pipe(out), 0);
    pid_t child = fork();
    if (child == 0) {
        volatile size_t many = SIZE_MAX / 2;
        (void)dup2(out[1], STDERR_FILENO);
        free(xrealloc(NULL, many, 4)); /* the product does not fit into a size_t */
        _exit(0);
    }
    (void)close(out[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(read(out[0], text, sizeof text - 1) > 0);
    (void)close(out[0]);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 101);
    assert_non_null(strstr(text, "out of memory"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_keeps_its_maximum),
        cmocka_unit_test(filters_are_percent_encoded_comma_and_plus_included),
        cmocka_unit_test(copies_are_cut_and_terminated),
        cmocka_unit_test(a_cut_never_leaves_half_a_character),
        cmocka_unit_test(a_reason_cut_anywhere_stays_readable_as_json),
        cmocka_unit_test(long_formats_and_growth_keep_every_byte),
        cmocka_unit_test(exhausted_memory_ends_the_process_with_101),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
