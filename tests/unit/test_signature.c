/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "hook_signature.h"
#include "ban.h"

/*
 * The one message that the project's own libraries are tested with: id, time, body, key (the bytes of base64
 * "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") and its signature. Source: github.com/standard-webhooks/standard-webhooks,
 * libraries/javascript/src/webhook.test.ts, read 2026-11-23.
 */
#define ID        "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define SENT      "1614265330"
#define SENT_S    INT64_C(1614265330)
#define BODY      "{\"test\": 2432232314}"
#define RIGHT     "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
#define ANOTHER   "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="
#define ANOTHER_2 "v2,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="

static const unsigned char published_key[] = {0x31, 0xf2, 0x90, 0xf6, 0xbf, 0x06, 0x29, 0x8a, 0xab, 0x4f, 0x08, 0xd4,
                                              0x3c, 0x3f, 0x08, 0x2c, 0xf6, 0x48, 0xa3, 0x62, 0xda, 0x2d, 0xa4, 0xb0};

/* Made with Python's hmac, hashlib and base64; the keys are texts, as client secrets are. */
#define KEY_NOW       "current-client-secret-0123456789"
#define KEY_BEFORE    "previous-client-secret-012345678"
#define RIGHT_NOW     "v1,k+tVKbVA1vZJAmSJ3LEjzGyRc2W5VAvlsi3ZlPr6WOs="
#define RIGHT_BEFORE  "v1,ey3q3J3NLD9stCUn87mVpocswP5NEoKso0drhlg+lBA="
#define RIGHT_DOTS    "v1,/itaChMprkYUGJxpqwMj0BeHpydEP1LCgBw6jBcLWI8=" /* id "a.b.c" */
#define RIGHT_NUL     "v1,/5LEuEgPdqMxaHIXd1x4HobDOWtvLPftL2d6WjHe/z4=" /* body {"a":NUL} */
#define RIGHT_NO_BODY "v1,LEby3yjoGhIeqxqfO2T0jPPJcQnBrNcAWHuPhepZl0s=" /* no body */
#define RIGHT_LEADING "v1,8Np/4WjPZXv+dItx/A9j28h/QJU/XWUzs2sxJ9yq+k8=" /* time 01614265330 */
#define RIGHT_LONG_ID "v1,WE1FtgAgZgABU4+lBoNVjIiXoLY4LxdQFALdQkyyLqg=" /* id of 256 a */

#define VALID     SIGNATURE_VALID
#define LATE      SIGNATURE_LATE
#define ABSENT    SIGNATURE_ABSENT
#define MALFORMED SIGNATURE_MALFORMED
#define NO_MATCH  SIGNATURE_NO_MATCH
#define TOO_OLD   SIGNATURE_TOO_OLD
#define TOO_NEW   SIGNATURE_TOO_NEW
#define NO_KEY    SIGNATURE_NO_KEY

static enum signature_verdict verify_at(const char *id, const char *timestamp, const char *signature, const void *body,
                                        size_t len, int64_t age_s) {
    const struct signature_key keys[] = {
        {published_key, sizeof published_key}, {NULL, 0}, {KEY_NOW, strlen(KEY_NOW)}, {KEY_BEFORE, strlen(KEY_BEFORE)}};
    const struct signature_call call = {
        .id = id, .timestamp = timestamp, .signature = signature, .body = body, .body_len = len};
    const struct signature_times times = {
        .now_s = SENT_S + age_s, .tolerance_s = SIGNATURE_TOLERANCE_S, .late_s = SIGNATURE_LATE_S};
    return signature_verify(&call, keys, 4, &times, NULL);
}

static void expect_verdict(const char *name, enum signature_verdict got, enum signature_verdict want) {
    if (got != want) {
        fail_msg("%s: %s, not %s", name, signature_verdict_name(got), signature_verdict_name(want));
    }
}

static void the_message_of_the_specification_is_valid(void **state) {
    (void)state;
    expect_verdict("published", verify_at(ID, SENT, RIGHT, BODY, strlen(BODY), 0), VALID);
    expect_verdict("several, as published",
                   verify_at(ID, SENT, ANOTHER " " ANOTHER_2 " " RIGHT " " ANOTHER, BODY, strlen(BODY), 0), VALID);
}

static void each_header_is_judged(void **state) {
    static const struct {
        const char *name, *id, *timestamp, *signature;
        enum signature_verdict want;
    } rows[] = {
        {"one signature", ID, SENT, RIGHT, VALID},
        {"the right one first", ID, SENT, RIGHT " " ANOTHER, VALID},
        {"the right one last", ID, SENT, ANOTHER " " RIGHT, VALID},
        {"the right one twice", ID, SENT, RIGHT " " RIGHT, VALID},
        {"several blanks between", ID, SENT, "  " ANOTHER "   " RIGHT "  ", VALID},
        {"another version beside it", ID, SENT, "v1a,AAAA v99,x " RIGHT, VALID},
        {"a second key", ID, SENT, RIGHT_NOW, VALID},
        {"the previous key", ID, SENT, RIGHT_BEFORE, VALID},
        {"signatures by two keys", ID, SENT, RIGHT_NOW " " RIGHT_BEFORE, VALID},
        {"an id with dots", "a.b.c", SENT, RIGHT_DOTS, VALID},
        {"no header at all", NULL, NULL, NULL, ABSENT},
        {"three empty headers", "", "", "", ABSENT},
        {"no id", NULL, SENT, RIGHT, MALFORMED},
        {"an empty id", "", SENT, RIGHT, MALFORMED},
        {"no timestamp", ID, NULL, RIGHT, MALFORMED},
        {"no signature", ID, SENT, NULL, MALFORMED},
        {"an empty signature", ID, SENT, "", MALFORMED},
        {"only the signature", NULL, NULL, RIGHT, MALFORMED},
        {"another id", ID "x", SENT, RIGHT, NO_MATCH},
        {"an id with a blank", "msg 1", SENT, RIGHT, MALFORMED},
        {"an id with a control character", "msg\t1", SENT, RIGHT, MALFORMED},
        {"an id beyond ASCII", "msg\xc3\xa4", SENT, RIGHT, MALFORMED},
        {"time: a word", ID, "hello", RIGHT, MALFORMED},
        {"time: negative", ID, "-1614265330", RIGHT, MALFORMED},
        {"time: a plus", ID, "+1614265330", RIGHT, MALFORMED},
        {"time: a blank before", ID, " 1614265330", RIGHT, MALFORMED},
        {"time: a blank behind", ID, "1614265330 ", RIGHT, MALFORMED},
        {"time: a fraction", ID, "1614265330.0", RIGHT, MALFORMED},
        {"time: hexadecimal", ID, "0x60381CB2", RIGHT, MALFORMED},
        {"time: an exponent", ID, "1e9", RIGHT, MALFORMED},
        {"time: 2^63", ID, "9223372036854775808", RIGHT, MALFORMED},
        {"time: 2^64 more", ID, "18446744075323816946", RIGHT, MALFORMED},
        {"time: 13 digits", ID, "1614265330000", RIGHT, MALFORMED},
        {"time: another second", ID, "1614265331", RIGHT, NO_MATCH},
        {"time: nought", ID, "0", RIGHT, NO_MATCH},
        {"signature: nothing after the comma", ID, SENT, "v1,", NO_MATCH},
        {"signature: the version alone", ID, SENT, "v1", NO_MATCH},
        {"signature: a comma", ID, SENT, ",", NO_MATCH},
        {"signature: blanks only", ID, SENT, "   ", NO_MATCH},
        {"signature: as published, wrong", ID, SENT, "v1,dawfeoifkpqwoekfpqoekf", NO_MATCH},
        {"signature: as published, its first 8 bytes", ID, SENT, "v1,g0hM9", NO_MATCH},
        {"signature: one byte short", ID, SENT, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE", NO_MATCH},
        {"signature: 31 bytes of base64", ID, SENT, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1A==", NO_MATCH},
        {"signature: one padding too many", ID, SENT, RIGHT "=", NO_MATCH},
        {"signature: another last digit of the same bytes", ID, SENT,
         "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OF=", NO_MATCH},
        {"signature: the alphabet of addresses", ID, SENT, "v1,g0hM9SsE-OTPJTGt_tmIKtSyZlE3uFJELVlNIOLJ1OE=", NO_MATCH},
        {"signature: one bit off", ID, SENT, "v1,h0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", NO_MATCH},
        {"signature: small letters", ID, SENT, "v1,g0hm9sse+otpjtgt/tmiktsyzle3ufjelvlnioljioe=", NO_MATCH},
        {"signature: a capital V", ID, SENT, "V1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", NO_MATCH},
        {"signature: another version only", ID, SENT, "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", NO_MATCH},
        {"signature: v1a only", ID, SENT, "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", NO_MATCH},
        {"signature: no version", ID, SENT, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", NO_MATCH},
        {"signature: separated by commas", ID, SENT, ANOTHER "," RIGHT, NO_MATCH},
        {"signature: separated by a tab", ID, SENT, ANOTHER "\t" RIGHT, MALFORMED},
        {"signature: a line break", ID, SENT, ANOTHER "\n" RIGHT, MALFORMED},
        {"signature: beyond ASCII", ID, SENT, RIGHT " \xff", MALFORMED},
        {"signature: one of another message", ID, SENT, ANOTHER, NO_MATCH},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect_verdict(rows[i].name, verify_at(rows[i].id, rows[i].timestamp, rows[i].signature, BODY, strlen(BODY), 0),
                       rows[i].want);
    }
}

static void the_body_counts_byte_for_byte(void **state) {
    static const struct {
        const char *name, *body;
        size_t len;
        const char *signature;
        enum signature_verdict want;
    } rows[] = {
        {"one byte changed", "{\"test\": 2432232315}", 20, RIGHT, NO_MATCH},
        {"a blank less", "{\"test\":2432232314}", 19, RIGHT, NO_MATCH},
        {"a line break more", BODY "\n", 21, RIGHT, NO_MATCH},
        {"cut off", BODY, 19, RIGHT, NO_MATCH},
        {"none", NULL, 0, RIGHT, NO_MATCH},
        {"none, signed", NULL, 0, RIGHT_NO_BODY, VALID},
        {"a NUL, signed", "{\"a\":\0}", 7, RIGHT_NUL, VALID},
        {"a NUL, changed behind it", "{\"a\":\0]", 7, RIGHT_NUL, NO_MATCH},
        {"a NUL, cut off there", "{\"a\":\0}", 5, RIGHT_NUL, NO_MATCH},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect_verdict(rows[i].name, verify_at(ID, SENT, rows[i].signature, rows[i].body, rows[i].len, 0),
                       rows[i].want);
    }
}

static void the_age_decides_about_what_is_right_alone(void **state) {
    static const struct {
        const char *name;
        int64_t age_s;
        enum signature_verdict want;
    } rows[] = {{"now", 0, VALID},
                {"at the tolerance", 300, VALID},
                {"a second beyond it", 301, LATE},
                {"an hour", 3600, LATE},
                {"BigCommerce's last retry", 173040, LATE},
                {"at the end", SIGNATURE_LATE_S, LATE},
                {"beyond the end", SIGNATURE_LATE_S + 1, TOO_OLD},
                {"from the future, at the tolerance", -300, VALID},
                {"a second beyond it, from the future", -301, TOO_NEW},
                {"a year ahead", -31536000, TOO_NEW}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect_verdict(rows[i].name, verify_at(ID, SENT, RIGHT, BODY, strlen(BODY), rows[i].age_s), rows[i].want);
        expect_verdict("forged", verify_at(ID, SENT, ANOTHER, BODY, strlen(BODY), rows[i].age_s), NO_MATCH);
    }
}

static void a_time_is_signed_as_it_is_written(void **state) {
    (void)state;
    expect_verdict("12 digits, far ahead", verify_at(ID, "999999999999", RIGHT, BODY, strlen(BODY), 0), NO_MATCH);
    expect_verdict("a nought before, not signed", verify_at(ID, "01614265330", RIGHT, BODY, strlen(BODY), 0), NO_MATCH);
    expect_verdict("a nought before, signed", verify_at(ID, "01614265330", RIGHT_LEADING, BODY, strlen(BODY), 0),
                   VALID);
}

static char *repeated(const char *entry, size_t n, const char *last) {
    struct buf b;
    buf_init(&b, 100000);
    for (size_t i = 0; i < n; i++) {
        buf_add_str(&b, entry);
        buf_add_str(&b, " ");
    }
    buf_add_str(&b, last);
    return buf_take(&b);
}

static void headers_have_limits(void **state) {
    static const struct {
        const char *name, *entry;
        size_t n;
        enum signature_verdict want;
    } rows[] = {{"the 32nd of 32", ANOTHER, SIGNATURE_ENTRIES_MAX - 1, VALID},
                {"the 33rd", ANOTHER, SIGNATURE_ENTRIES_MAX, MALFORMED},
                {"the 101st", ANOTHER, 100, MALFORMED},
                {"the 101st, short ones", "v1,x", 100, MALFORMED},
                {"behind 2,000 blanks", "", 2000, VALID},
                {"behind 2,002 blanks", "", 2002, MALFORMED}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *header = repeated(rows[i].entry, rows[i].n, RIGHT);
        expect_verdict(rows[i].name, verify_at(ID, SENT, header, BODY, strlen(BODY), 0), rows[i].want);
        free(header);
    }
    char *id = repeated("", SIGNATURE_ID_MAX, "");
    memset(id, 'a', SIGNATURE_ID_MAX);
    expect_verdict("id of 256", verify_at(id, SENT, RIGHT_LONG_ID, BODY, strlen(BODY), 0), VALID);
    free(id);
    id = repeated("", SIGNATURE_ID_MAX + 1, "");
    memset(id, 'a', SIGNATURE_ID_MAX + 1);
    expect_verdict("id of 257", verify_at(id, SENT, RIGHT_LONG_ID, BODY, strlen(BODY), 0), MALFORMED);
    free(id);
}

static void the_key_that_was_right_is_named(void **state) {
    const struct signature_key keys[] = {{KEY_NOW, strlen(KEY_NOW)}, {KEY_BEFORE, strlen(KEY_BEFORE)}};
    const struct signature_times times = {.now_s = SENT_S, .tolerance_s = 300, .late_s = 600};
    struct signature_call call = {.id = ID, .timestamp = SENT, .body = BODY, .body_len = strlen(BODY)};
    size_t key = 9;
    (void)state;
    call.signature = RIGHT_BEFORE;
    expect_verdict("previous", signature_verify(&call, keys, 2, &times, &key), VALID);
    assert_int_equal(key, 1);
    call.signature = RIGHT_BEFORE " " RIGHT_NOW;
    expect_verdict("both", signature_verify(&call, keys, 2, &times, &key), VALID);
    assert_int_equal(key, 0);
    expect_verdict("the current one alone", signature_verify(&call, keys, 1, &times, &key), VALID);
    call.signature = RIGHT_BEFORE;
    expect_verdict("the previous one is gone", signature_verify(&call, keys, 1, &times, &key), NO_MATCH);
}

static void without_a_key_nothing_is_right(void **state) {
    const struct signature_key none[] = {{NULL, 0}, {"", 0}};
    const struct signature_times times = {.now_s = SENT_S, .tolerance_s = 300, .late_s = 600};
    const struct signature_call call = {
        .id = ID, .timestamp = SENT, .signature = RIGHT, .body = BODY, .body_len = strlen(BODY)};
    (void)state;
    expect_verdict("no keys", signature_verify(&call, NULL, 0, &times, NULL), NO_KEY);
    expect_verdict("keys without bytes", signature_verify(&call, none, 2, &times, NULL), NO_KEY);
}

static void only_a_required_signature_refuses(void **state) {
    (void)state;
    for (int v = 0; v < SIGNATURE_VERDICTS; v++) {
        enum signature_verdict verdict = (enum signature_verdict)v;
        bool taken = verdict == VALID || verdict == LATE;
        assert_true(hook_signature_passes(SIGNATURE_OFF, verdict));
        assert_true(hook_signature_passes(SIGNATURE_REPORT, verdict));
        assert_int_equal(hook_signature_passes(SIGNATURE_REQUIRE, verdict), taken);
        assert_string_not_equal(signature_verdict_name(verdict), "unknown");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_message_of_the_specification_is_valid),
        cmocka_unit_test(each_header_is_judged),
        cmocka_unit_test(the_body_counts_byte_for_byte),
        cmocka_unit_test(the_age_decides_about_what_is_right_alone),
        cmocka_unit_test(a_time_is_signed_as_it_is_written),
        cmocka_unit_test(headers_have_limits),
        cmocka_unit_test(the_key_that_was_right_is_named),
        cmocka_unit_test(without_a_key_nothing_is_right),
        cmocka_unit_test(only_a_required_signature_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
