/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/onepool/windows_part.c functions/onepool/text.c */
/* What people are told: messages, mails, and which part of a window took longest; and the metrics that are computed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "functions/onepool/windows_part.h"
#include "json.h"
#include "mail.h"
#include "metrics.h"
#include "notify_send.h"
#include "signature.h"
#include "ban.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static cJSON *parse(const char *text) {
    char error[120] = "";
    cJSON *o = json_read(text, strlen(text), error, sizeof error);
    assert_string_equal(error, "");
    return o;
}

static void assert_has(const char *text, const char *wanted) {
    if (strstr(text, wanted) == NULL) {
        print_error("wanted:\n%s\nin:\n%s\n", wanted, text);
        fail();
    }
}

/* ---- windows ---- */

static void the_longest_part_is_named_in_words(void **state) {
    static const struct {
        struct window w;
        const char *part, *words;
        int64_t ms;
    } rows[] = {
        {{1000, 721000, 721100, 721200, 721300, 722000, 0, "-", true}, "till", "the till was offline 12 min", 720000},
        {{1000, 5000, 5100, 5200, 5300, 6000, 0, "-", false}, "till", "Sitoo told of it 4 s after the sale", 4000},
        {{1000, 2000, 2100, 10000, 10100, 11000, 3, "-", false}, "waiting", "waited for BigCommerce's quota 8 s", 8000},
        {{1000, 2000, 2100, 10000, 10100, 11000, 0, "quota", false},
         "waiting",
         "waited for BigCommerce's quota 8 s",
         8000},
        {{1000, 2000, 2100, 10000, 10100, 11000, 0, "platform_down", false},
         "waiting",
         "a platform did not answer for 8 s",
         8000},
        {{1000, 2000, 2100, 10000, 10100, 11000, 0, "bad_levels", false},
         "waiting",
         "was put off (bad_levels) for 8 s",
         8000},
        {{1000, 2000, 9000, 10000, 10100, 11000, 0, "-", false}, "waiting", "waited for the writer's round 7 s", 7000},
        {{1000, 2000, 2100, 8100, 8200, 9000, 0, "-", false}, "round", "the writer read both shops for 6 s", 6000},
        {{1000, 1100, 1200, 1300, 6300, 7000, 0, "-", false}, "answer", "BigCommerce answered after 5 s", 5000},
        {{1000, 1100, 1200, 1300, 1400, 10400, 0, "-", false},
         "shown",
         "BigCommerce showed it 9 s after it had accepted it",
         9000},
        {{1000, 1100, 1200, 1300, 0, 31300, 0, "-", false},
         "answer",
         "the write had no answer; seen after 30 s",
         30000},
        {{1000, 0, 0, 8000, 8100, 9000, 0, "quota", false}, "waiting", "waited for BigCommerce's quota 7 s", 7000},
        {{5000, 4000, 4000, 4000, 4000, 4000, 0, "-", false}, "till", "nothing took long", 0},
    };
    struct window_part part;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        window_longest(&rows[i].w, &part);
        assert_string_equal(part.words, rows[i].words);
        assert_string_equal(part.name, rows[i].part);
        assert_int_equal(part.ms, rows[i].ms);
    }
}

/* ---- messages ---- */

static const char two[] =
    "[{\"case\":\"brake\",\"entity\":\"levels\",\"owner\":\"operations\",\"effect\":\"E\",\"step\":\"S\","
    "\"count\":3,\"first_ms\":1796030155000},{\"case\":\"redis_epoch\",\"entity\":\"x\",\"owner\":\"o\","
    "\"effect\":\"\",\"step\":\"T\",\"count\":1,\"first_ms\":1796030155000}]";

static void a_message_names_the_first_case_at_the_top_and_the_others_below(void **state) {
    cJSON *cases = parse(two);
    const struct notify_message m = {.id = "msg_1", .at_ms = 1, .cases = cases, .left_out = 4};
    char *body = notify_body("shop", &m), *text = notify_text(&m), *subject = notify_subject("shop", &m);
    (void)state;
    cJSON *read = parse(body);
    int64_t n = 0;
    assert_string_equal(json_str(read, "id"), "msg_1");
    assert_string_equal(json_str(read, "tenant"), "shop");
    assert_string_equal(json_str(read, "case"), "brake");
    assert_true(json_int(read, "first_ms", &n) && n == INT64_C(1796030155000));
    assert_int_equal(cJSON_GetArraySize(json_array(read, "more")), 1);
    assert_string_equal(json_str(cJSON_GetArrayItem(json_array(read, "more"), 0), "case"), "redis_epoch");
    assert_true(json_int(read, "left_out", &n) && n == 4);
    assert_string_equal(json_str(read, "text"), text);
    assert_string_equal(
        text, "brake: levels (for operations, since 2026-11-30 09:15 UTC, 3 times)\n   Effect: E\n   Next: S\n"
              "redis_epoch: x (for o, since 2026-11-30 09:15 UTC)\n   Next: T\nAnd 4 more.\n"
              "All of them: onepool parked\n");
    assert_string_equal(subject, "[onepool shop] brake: levels and 5 more");
    cJSON_Delete(read);
    cJSON_Delete(cases);
    free(body);
    free(text);
    free(subject);
}

static void no_text_of_a_case_can_add_a_header_or_a_long_line_to_a_mail(void **state) {
    char from[] = "onepool@example.com", to[] = "a@example.com,b@example.com", line[3000];
    const struct settings_notify n = {.email = to, .from = from};
    (void)state;
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    line[899] = '\xc3'; /* a letter that the longest line would cut in two */
    line[900] = '\xa5';
    const struct mail m = {
        .id = "msg_1", .at_ms = INT64_C(1796030155000), .subject = "a\r\nBcc: x@y.z\xc3\xa5", .text = line};
    char *message = mail_message(&n, &m, "\r\n");
    assert_has(message,
               "From: <onepool@example.com>\r\nTo: <a@example.com>, <b@example.com>\r\nSubject: a??Bcc: x@y.z??\r\n"
               "Date: Mon, 30 Nov 2026 09:15:55 +0000\r\nMessage-ID: <msg_1@onepool>\r\n");
    for (const char *at = message, *end = NULL; (end = strstr(at, "\r\n")) != NULL; at = end + 2) {
        assert_true(end - at <= 998);
        assert_true(at == message || end == at || (unsigned char)at[0] != 0xa5);
        assert_null(memchr(at, '\n', (size_t)(end - at)));
    }
    free(message);
}

static void what_is_signed_can_be_verified(void **state) {
    static const char key[] = "a key of ours";
    const struct signature_key right = {.data = key, .len = sizeof key - 1}, none = {.data = key, .len = 0};
    struct signature_call call = {.id = "msg_1", .timestamp = "1614265330", .body = "{}", .body_len = 2};
    const struct signature_times times = {.now_s = 1614265330, .tolerance_s = 300, .late_s = 600};
    char text[SIGNATURE_TEXT_SIZE];
    (void)state;
    assert_true(signature_sign(&call, &right, text));
    call.signature = text;
    assert_int_equal(signature_verify(&call, &right, 1, &times, NULL), SIGNATURE_VALID);
    call.body = "[]";
    assert_int_equal(signature_verify(&call, &right, 1, &times, NULL), SIGNATURE_NO_MATCH);
    assert_false(signature_sign(&call, &none, text));
}

/* ---- metrics ---- */

static void computed_metrics_are_written_exactly(void **state) {
    static const char status[] =
        "{\"tenant\":\"t\",\"mode\":\"live\",\"functions\":{\"sale\":{\"deferred_causes\":{\"quota\":2},\"parked_"
        "causes\":{\"a\\\"\":1}}},"
        "\"lag_buckets\":{\"accepted\":[{\"le_ms\":250,\"n\":1},{\"le_ms\":600000,\"n\":3},{\"le_ms\":null,\"n\":4}],"
        "\"accepted_sum_ms\":61007,\"confirmed\":[{\"le_ms\":250,\"n\":0},{\"le_ms\":null,\"n\":0}],\"confirmed_sum_"
        "ms\":0},"
        "\"loss\":{\"routes\":[{\"route\":\"sitoo\",\"left_ms\":86399001,\"refused\":2},{\"route\":\"b\",\"left_ms\":"
        "null,"
        "\"refused\":0,\"idle_left_ms\":5000}],\"hooks\":[{\"entity\":\"h\",\"left_ms\":9000}]},"
        "\"shops\":[{\"warehouse\":3,\"missed\":4}],\"notify\":[{\"channel\":\"email\",\"waiting\":1,\"failing_since_"
        "ms\":5}],"
        "\"windows\":{\"worst_ms\":1500},\"counts\":{\"windows\":7,\"drift:lost\":2,\"deferred:sku:quota\":9},"
        "\"redis\":{}}";
    static const char *const wanted[] = {
        "onepool_deferred_entities{function=\"sale\",cause=\"quota\"} 2\n",
        "onepool_parked_entities{function=\"sale\",cause=\"a\\\"\"} 1\n",
        "# TYPE onepool_lag_seconds histogram\nonepool_lag_seconds_bucket{until=\"accepted\",le=\"0.25\"} 1\n"
        "onepool_lag_seconds_bucket{until=\"accepted\",le=\"600\"} 3\n"
        "onepool_lag_seconds_bucket{until=\"accepted\",le=\"+Inf\"} 4\n"
        "onepool_lag_seconds_sum{until=\"accepted\"} 61.007\nonepool_lag_seconds_count{until=\"accepted\"} 4\n",
        "onepool_time_to_loss_seconds{route=\"sitoo\"} 86399.001\nonepool_time_to_loss_seconds{route=\"b\"} +Inf\n",
        "onepool_refused_calls{route=\"sitoo\"} 2\n",
        "onepool_hook_deactivation_seconds 5.000\n",
        "onepool_shop_missed_movements{warehouse=\"3\"} 4\n",
        "onepool_notify_failing{channel=\"email\"} 1\n",
        "onepool_window_worst_seconds 1.500\n",
        "onepool_windows_total 7\n",
        "onepool_drift_total{class=\"lost_work\"} 0\nonepool_drift_total{class=\"lost\"} 2\n",
        "onepool_missed_by_webhook_total{kind=\"web_order\"} 0\n",
        "onepool_retries_total{queue=\"sku\",cause=\"quota\"} 9\n",
    };
    struct buf out;
    cJSON *o = parse(status);
    (void)state;
    buf_init(&out, (size_t)64 * 1024);
    metrics_write(o, &out);
    for (size_t i = 0; i < COUNT(wanted); i++) {
        assert_has(buf_str(&out), wanted[i]);
    }
    buf_free(&out);
    cJSON_Delete(o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_part_is_named_in_words),
        cmocka_unit_test(a_message_names_the_first_case_at_the_top_and_the_others_below),
        cmocka_unit_test(no_text_of_a_case_can_add_a_header_or_a_long_line_to_a_mail),
        cmocka_unit_test(what_is_signed_can_be_verified),
        cmocka_unit_test(computed_metrics_are_written_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
