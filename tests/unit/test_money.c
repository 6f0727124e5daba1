/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "json.h"
#include "money.h"
#include "ban.h"

static void text_is_read_exactly_or_not_at_all(void **state) {
    static const struct {
        const char *text;
        bool good;
        int64_t want;
    } rows[] = {
        {"0", true, 0},
        {"-2990.00", true, -29900000},
        {"62.6793", true, 626793},
        {"0.1", true, 1000},
        {"-0.01", true, -100},
        {"500", true, 5000000},
        {"12.345", true, 123450},
        {"1000000000000", true, MONEY_MAX},
        {"1000000000000.0001", false, 0},
        {"99999999999999999999", false, 0},
        {"1.23456", false, 0},
        {"1.", false, 0},
        {".5", false, 0},
        {"-", false, 0},
        {"", false, 0},
        {" 1", false, 0},
        {"+1", false, 0},
        {"1,50", false, 0},
        {"1e3", false, 0},
        {NULL, false, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t got = 0;
        if (money_parse(rows[i].text, &got) != rows[i].good || (rows[i].good && got != rows[i].want)) {
            fail_msg("%s: %lld", rows[i].text != NULL ? rows[i].text : "NULL", (long long)got);
        }
    }
}

static void members_may_be_text_or_number(void **state) {
    char error[100];
    const char *text = "{\"a\":21.83,\"b\":\"21.8300\",\"c\":20.830000000000002,\"d\":0.00001,\"e\":true,\"f\":1e300,"
                       "\"g\":-5,\"h\":null}";
    cJSON *o = json_read(text, strlen(text), error, sizeof error);
    int64_t got = 0;
    (void)state;
    assert_non_null(o);
    assert_true(money_get(o, "a", &got) && got == 218300);
    assert_true(money_get(o, "b", &got) && got == 218300);
    assert_true(money_get(o, "c", &got) && got == 208300);
    assert_true(money_get(o, "g", &got) && got == -50000);
    assert_false(money_get(o, "d", &got) || money_get(o, "e", &got) || money_get(o, "f", &got) ||
                 money_get(o, "h", &got) || money_get(o, "missing", &got));
    cJSON_Delete(o);
}

static void currencies_have_their_decimals(void **state) {
    char text[MONEY_TEXT_SIZE];
    (void)state;
    assert_int_equal(money_minor("EUR"), 100);
    assert_int_equal(money_minor("JPY"), 10000);
    assert_int_equal(money_minor("KWD"), 10);
    assert_int_equal(money_minor(NULL), 100);
    assert_int_equal(money_minor("Y K"), 100);
    money_format(-29900000, "SEK", text);
    assert_string_equal(text, "-2990.00");
    money_format(29900000, "JPY", text);
    assert_string_equal(text, "2990");
    money_format(123450, "KWD", text);
    assert_string_equal(text, "12.345");
    money_format(626793, "EUR", text);
    assert_string_equal(text, "62.6793");
    money_format(-100, "EUR", text);
    assert_string_equal(text, "-0.01");
    money_format(15000, "JPY", text);
    assert_string_equal(text, "1.5000");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_read_exactly_or_not_at_all),
        cmocka_unit_test(members_may_be_text_or_number),
        cmocka_unit_test(currencies_have_their_decimals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
