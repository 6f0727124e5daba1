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

#include "json.h"
#include "log.h"
#include "metrics.h"
#include "status.h"
#include "ban.h"

/* What write(2, ...) says while fn runs. */
static char *capture(void (*fn)(void)) {
    char path[] = "/tmp/onepool-log-XXXXXX";
    int file = mkstemp(path), saved = dup(STDERR_FILENO);
    assert_true(file >= 0 && saved >= 0);
    (void)unlink(path);
    (void)dup2(file, STDERR_FILENO);
    fn();
    (void)dup2(saved, STDERR_FILENO);
    (void)close(saved);
    char *text = xcalloc(20000, 1);
    assert_true(pread(file, text, 19999, 0) >= 0);
    (void)close(file);
    return text;
}

static void hostile(void) {
    LOG(LOG_INFO, "order sorted", {"order", "7"}, {"why", "a\nlevel=alarm \"x\"=\\y"}, {"none", NULL}, {"empty", ""});
    LOG(LOG_DEBUG, "not shown", {"a", "b"});
}

static void text_from_outside_cannot_forge_a_line(void **state) {
    (void)state;
    log_setup("sale", LOG_INFO);
    char *text = capture(hostile);
    assert_non_null(strstr(text, " fn=sale "));
    assert_non_null(
        strstr(text, " msg=\"order sorted\" order=7 why=\"a\\x0alevel=alarm \\\"x\\\"=\\\\y\" empty=\"\"\n"));
    assert_null(strstr(text, "none="));
    assert_null(strstr(text, "not shown"));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    free(text);
}

static void too_long(void) {
    char *big = xmalloc(10001);
    memset(big, 'x', 10000);
    big[10000] = '\0';
    LOG(LOG_ERROR, "big", {"value", big});
    free(big);
}

static void a_line_has_a_maximum(void **state) {
    (void)state;
    char *text = capture(too_long);
    assert_non_null(strstr(text, "msg=\"line too long\""));
    assert_true(strlen(text) < 300);
    free(text);
}

static size_t value_len;

static void of_a_length(void) {
    char *value = xcalloc(value_len + 1, 1);
    memset(value, 'x', value_len);
    LOG(LOG_INFO, "m", {"value", value});
    free(value);
}

static void every_line_ends_whatever_its_length(void **state) {
    (void)state;
    for (value_len = 8000; value_len < 8200; value_len++) {
        char *text = capture(of_a_length);
        if (text[strlen(text) - 1] != '\n') {
            fail_msg("a value of %zu bytes leaves the line open", value_len);
        }
        free(text);
    }
}

static void percentiles_are_values_that_occurred(void **state) {
    int64_t values[] = {50, 10, 40, 20, 30};
    (void)state;
    assert_int_equal(status_percentile(values, 5, 50), 30);
    assert_int_equal(status_percentile(values, 5, 95), 50);
    assert_int_equal(status_percentile(values, 5, 100), 50);
    assert_int_equal(status_percentile(values, 1, 95), 10);
    assert_int_equal(status_percentile(values, 0, 50), 0);
}

static void metrics_escape_labels_and_name_every_family_once(void **state) {
    char error[100];
    struct buf out;
    static const char text[] =
        "{\"functions\":{\"sale\":{\"due\":1,\"claimed\":2,\"deferred\":3,\"parked\":4,\"oldest_age_ms\":5}},"
        "\"writer\":null,\"parked\":{\"total\":1,\"by_cause\":{\"a\\\"b\\\\c\\nd\":1}},\"lag_ms\":{\"accepted\":{\"n\":"
        "1,\"median\":7,\"p95\":8,\"worst\":9}},"
        "\"counts\":{\"accepted:sitoo\":12}}";
    (void)state;
    cJSON *status = json_read(text, sizeof text - 1, error, sizeof error);
    buf_init(&out, 100000);
    metrics_write(status, &out);
    assert_non_null(strstr(buf_str(&out), "onepool_entities{function=\"sale\",state=\"deferred\"} 3\n"));
    assert_non_null(strstr(buf_str(&out), "onepool_parked_cases{cause=\"a\\\"b\\\\c\\nd\"} 1\n"));
    assert_non_null(strstr(buf_str(&out), "onepool_lag_milliseconds{until=\"accepted\",quantile=\"0.95\"} 8\n"));
    assert_non_null(strstr(buf_str(&out), "onepool_writer_present 0\n"));
    assert_non_null(strstr(buf_str(&out), "onepool_events_total{name=\"accepted:sitoo\"} 12\n"));
    const char *first = strstr(buf_str(&out), "# TYPE onepool_entities gauge\n");
    assert_non_null(first);
    assert_null(strstr(first + 1, "# TYPE onepool_entities gauge\n"));
    buf_free(&out);
    cJSON_Delete(status);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_from_outside_cannot_forge_a_line),
        cmocka_unit_test(a_line_has_a_maximum),
        cmocka_unit_test(every_line_ends_whatever_its_length),
        cmocka_unit_test(percentiles_are_values_that_occurred),
        cmocka_unit_test(metrics_escape_labels_and_name_every_family_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
