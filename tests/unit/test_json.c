/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "json.h"
#include "ban.h"

struct row {
    const char *name, *input;
    size_t len;        /* 0 = strlen */
    const char *error; /* NULL = must be read */
};

static void check(const struct row *row) {
    char error[160] = "";
    size_t len = row->len > 0 ? row->len : strlen(row->input);
    cJSON *item = json_read(row->input, len, error, sizeof error);
    if (row->error == NULL ? item == NULL : item != NULL || strstr(error, row->error) == NULL) {
        fail_msg("%s: %s", row->name, item != NULL ? "was read" : error);
    }
    cJSON_Delete(item);
}

static void strict_reading_takes_what_the_standard_allows(void **state) {
    static const struct row rows[] = {
        {"object", "{\"a\":1}", 0, NULL},
        {"bare number", "11514", 0, NULL},
        {"bare true", "true", 0, NULL},
        {"white space around", " \t\r\n[1] \n", 0, NULL},
        {"numbers", "[0,-0,1.5,-2e3,1E+2,10]", 0, NULL},
        {"escapes", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e5\\ud83d\\ude00\"", 0, NULL},
        {"UTF-8", "\"\xc3\xa5\xe2\x82\xac\xf0\x9f\x98\x80\"", 0, NULL},
        {"same key in two objects", "[{\"a\":1},{\"a\":2}]", 0, NULL},
        {"keys differing in case", "{\"a\":1,\"A\":2}", 0, NULL},
        {"no NUL after the value", "[1]x", 3, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check(&rows[i]);
    }
}

static void strict_reading_refuses_what_cjson_would_pass(void **state) {
    static const struct row rows[] = {
        {"empty", "", 0, "empty"},
        {"only white space", " \n", 0, "syntax"},
        {"text behind", "{\"a\":1} x", 0, "text after the value"},
        {"two values", "1 2", 0, "text after the value"},
        {"leading zero", "[007]", 0, "leading zero"},
        {"plus", "[+1]", 0, "unexpected character"},
        {"bare dot", "[1.]", 0, "bad number"},
        {"NaN", "[NaN]", 0, "unexpected character"},
        {"infinite", "{\"n\":[1e999]}", 0, "beyond what a double holds"},
        {"infinite below zero", "-1e999", 0, "beyond what a double holds"},
        {"the largest double, which would be printed as infinite", "1.7976931348623157e308", 0,
         "beyond what a double holds"},
        {"raw newline in a string", "\"a\nb\"", 0, "control character"},
        {"NUL in a string", "\"a\0b\"", 5, "control character"},
        {"NUL behind", "1\0", 2, "unexpected character"},
        {"\\u0000", "\"a\\u0000b\"", 0, "\\u0000"},
        {"lone high surrogate", "\"\\ud83d\"", 0, "lone surrogate"},
        {"lone low surrogate", "\"\\ude00\"", 0, "lone surrogate"},
        {"overlong UTF-8", "\"\xc0\xaf\"", 0, "invalid UTF-8"},
        {"surrogate in UTF-8", "\"\xed\xa0\x80\"", 0, "invalid UTF-8"},
        {"beyond Unicode", "\"\xf4\x90\x80\x80\"", 0, "invalid UTF-8"},
        {"cut UTF-8", "\"\xe2\x82\"", 0, "invalid UTF-8"},
        {"Latin-1", "\"\xe5\"", 0, "invalid UTF-8"},
        {"duplicate key", "{\"a\":1,\"b\":2,\"a\":3}", 0, "a stands twice"},
        {"duplicate key below", "[{\"x\":{\"k\":1,\"k\":2}}]", 0, "k stands twice"},
        {"string without an end", "\"abc", 0, "without an end"},
        {"unclosed", "{\"a\":[1,2", 0, "syntax"},
        {"comment", "[1/*x*/]", 0, "unexpected character"},
        {"single quotes", "['a']", 0, "unexpected character"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check(&rows[i]);
    }
}

static void depth_has_a_limit(void **state) {
    char text[2 * (JSON_DEPTH_MAX + 1) + 1], error[160];
    (void)state;
    for (int depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        cJSON *item = json_read(text, (size_t)depth * 2, error, sizeof error);
        assert_int_equal(item != NULL, depth == JSON_DEPTH_MAX);
        cJSON_Delete(item);
    }
}

static void integers_are_whole_and_below_2_to_the_53(void **state) {
    static const struct {
        const char *text;
        int64_t want;
        bool good;
    } rows[] = {
        {"{\"n\":1763803700123}", INT64_C(1763803700123), true},
        {"{\"n\":9007199254740991}", INT64_C(9007199254740991), true},
        {"{\"n\":-9007199254740991}", -INT64_C(9007199254740991), true},
        {"{\"n\":9007199254740992}", 0, false},
        {"{\"n\":-9007199254740992}", 0, false},
        {"{\"n\":9007199254740993}", 0, false}, /* the double next to it is 2^53 */
        {"{\"n\":-9007199254740993}", 0, false},
        {"{\"n\":9007199254740991.5}", 0, false},
        {"{\"n\":1e3}", 1000, true},
        {"{\"n\":9007199254740994}", 0, false},
        {"{\"n\":1e300}", 0, false},
        {"{\"n\":1.5}", 0, false},
        {"{\"n\":\"12\"}", 0, false},
        {"{\"n\":null}", 0, false},
        {"{\"m\":1}", 0, false},
        {"[1]", 0, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char error[160];
        int64_t n = 0;
        cJSON *item = json_read(rows[i].text, strlen(rows[i].text), error, sizeof error);
        assert_int_equal(json_int(item, "n", &n), rows[i].good);
        assert_int_equal(n, rows[i].want);
        cJSON_Delete(item);
    }
}

static void an_id_may_be_a_text_of_digits(void **state) {
    char error[160];
    int64_t n = 0;
    static const char text[] = "{\"a\":\"250\",\"b\":7,\"c\":\"7x\",\"d\":\"\"}";
    cJSON *item = json_read(text, sizeof text - 1, error, sizeof error);
    (void)state;
    assert_true(json_id(item, "a", &n) && n == 250);
    assert_true(json_id(item, "b", &n) && n == 7);
    assert_false(json_id(item, "c", &n));
    assert_false(json_id(item, "d", &n));
    cJSON_Delete(item);
}

static void large_integers_are_printed_exactly(void **state) {
    (void)state;
    cJSON *o = json_new_object();
    json_add_int(o, "n", INT64_C(9007199254740991));
    json_add_str(o, "s", NULL);
    json_add_bool(o, "b", true);
    char *text = json_print(o);
    assert_string_equal(text, "{\"n\":9007199254740991,\"s\":null,\"b\":true}");
    free(text);
    cJSON_Delete(o);
}

static void many_keys_do_not_take_long(void **state) {
    struct buf b;
    char error[160];
    (void)state;
    buf_init(&b, 1024 * 1024);
    buf_add_str(&b, "{");
    for (int i = 0; i < 20000; i++) {
        buf_addf(&b, "%s\"k%d\":0", i > 0 ? "," : "", i);
    }
    buf_add_str(&b, ",\"k0\":1}");
    assert_null(json_read(buf_str(&b), b.len, error, sizeof error));
    assert_non_null(strstr(error, "k0 stands twice"));
    buf_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strict_reading_takes_what_the_standard_allows),
        cmocka_unit_test(strict_reading_refuses_what_cjson_would_pass),
        cmocka_unit_test(depth_has_a_limit),
        cmocka_unit_test(integers_are_whole_and_below_2_to_the_53),
        cmocka_unit_test(an_id_may_be_a_text_of_digits),
        cmocka_unit_test(large_integers_are_printed_exactly),
        cmocka_unit_test(many_keys_do_not_take_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
