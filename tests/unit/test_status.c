/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/onepool/text.c */
/* What operators see: figures of a status, Prometheus text, ages and pages for people, and what a weak Redis is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "durability.h"
#include "functions/onepool/text.h"
#include "json.h"
#include "metrics.h"
#include "status.h"
#include "ban.h"

#define OUT_MAX ((size_t)64 * 1024)

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static cJSON *parse(const char *text) {
    char error[120] = "";
    cJSON *o = json_read(text, strlen(text), error, sizeof error);
    assert_string_equal(error, "");
    assert_non_null(o);
    return o;
}

static void assert_has(const struct buf *out, const char *wanted) {
    if (strstr(buf_str(out), wanted) == NULL) {
        print_error("wanted:\n%s\nin:\n%s\n", wanted, buf_str(out));
        fail();
    }
}

static void assert_lacks(const struct buf *out, const char *unwanted) {
    if (strstr(buf_str(out), unwanted) != NULL) {
        print_error("unwanted:\n%s\nin:\n%s\n", unwanted, buf_str(out));
        fail();
    }
}

static const char calm[] =
    "{\"mode\":\"live\",\"tenant\":\"shop\",\"functions\":{"
    "\"sitoo-events\":{\"due\":0,\"claimed\":0,\"deferred\":0,\"parked\":0,\"oldest_age_ms\":0},"
    "\"stock-moved\":{\"due\":3,\"claimed\":2,\"deferred\":1,\"parked\":0,\"oldest_age_ms\":12345}},"
    "\"unconfirmed_levels\":4,\"pending_orders\":5,\"open_intents\":0,"
    "\"writer\":{\"holder\":\"host-stock-moved-1\",\"lease_ms\":29000},"
    "\"parked\":{\"total\":0,\"ignored\":0,\"by_cause\":{}},\"brake\":{\"held\":false,\"released_ms\":0},"
    "\"lag_ms\":{\"accepted\":{\"n\":2,\"median\":300,\"p95\":1250,\"worst\":1250},"
    "\"confirmed\":{\"n\":0,\"median\":null,\"p95\":null,\"worst\":null}},"
    "\"budget\":{\"bigcommerce\":{\"quota\":150,\"left\":90,\"reset_in_ms\":4000,\"paused_ms\":0},"
    "\"sitoo\":[{\"key\":1,\"paused_ms\":1500}]},"
    "\"epoch\":{\"state\":\"whole\",\"levels_held\":false,\"age_ms\":7300000,\"since_ms\":1,\"cause\":null,\"rebuild\":"
    "null},"
    "\"counts\":{\"accepted:sitoo\":10,\"sales\":7,\"sales_again\":1,\"odd \\\"one\\\"\":2},"
    "\"redis\":{\"version\":\"7.0.15\",\"rung\":\"R1\",\"last_write\":\"ok\"}}";

static const char busy[] =
    "{\"mode\":\"shadow\",\"tenant\":\"shop\",\"functions\":{"
    "\"sale\":{\"due\":9,\"claimed\":0,\"deferred\":0,\"parked\":1,\"oldest_age_ms\":300000}},"
    "\"writer\":null,\"parked\":{\"total\":2,\"ignored\":1,\"by_cause\":{\"brake\":1,\"unknown_sku\":1}},"
    "\"brake\":{\"held\":true,\"released_ms\":0},"
    "\"budget\":{\"bigcommerce\":{\"quota\":null,\"left\":null,\"reset_in_ms\":0,\"paused_ms\":30000},"
    "\"sitoo\":[{\"key\":2,\"paused_ms\":60000}]},"
    "\"counts\":{},\"mode_is_set\":true,\"redis\":{\"version\":\"7.0.15\",\"rung\":\"R0\",\"last_write\":\"err\"}}";

/* ---- figures ---- */

static void percentile_is_the_smallest_value_that_so_many_do_not_exceed(void **state) {
    static const struct {
        int64_t values[6];
        size_t n;
        int percent;
        int64_t want;
    } rows[] = {
        {{0}, 0, 50, 0},
        {{7}, 1, 50, 7},
        {{7}, 1, 95, 7},
        {{9, 1}, 2, 50, 1},
        {{9, 1}, 2, 95, 9},
        {{5, 3, 1, 4, 2}, 5, 50, 3},
        {{5, 3, 1, 4, 2}, 5, 80, 4},
        {{5, 3, 1, 4, 2}, 5, 81, 5},
        {{5, 3, 1, 4, 2}, 5, 100, 5},
        {{-2, INT64_MAX, INT64_MIN}, 3, 100, INT64_MAX},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t values[6];
        memcpy(values, rows[i].values, sizeof values);
        assert_int_equal(status_percentile(values, rows[i].n, rows[i].percent), rows[i].want);
    }
}

static void ages_are_told_in_the_unit_that_a_person_would_take(void **state) {
    static const struct {
        int64_t ms;
        const char *want;
    } rows[] = {{-5, "0 ms"},
                {0, "0 ms"},
                {999, "999 ms"},
                {1000, "1 s"},
                {12345, "12 s"},
                {119999, "119 s"},
                {120000, "2 min"},
                {7199999, "119 min"},
                {7200000, "2 h"},
                {172799999, "47 h"},
                {172800000, "2 d"},
                {INT64_C(86400000) * 400, "400 d"},
                {INT64_MAX, "106751991167 d"}};
    char age[TEXT_AGE_SIZE];
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        text_age(rows[i].ms, age);
        assert_string_equal(age, rows[i].want);
    }
}

/* ---- metrics ---- */

static void label_values_are_escaped(void **state) {
    static const char *const rows[][2] = {{"", ""},
                                          {"plain", "plain"},
                                          {"a\"b", "a\\\"b"},
                                          {"a\\b", "a\\\\b"},
                                          {"a\nb", "a\\nb"},
                                          {"\xc3\xa5", "\xc3\xa5"},
                                          {"\"} 1\nforged 1", "\\\"} 1\\nforged 1"}};
    struct buf out;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        buf_init(&out, OUT_MAX);
        metrics_label(&out, rows[i][0]);
        assert_string_equal(buf_str(&out), rows[i][1]);
        buf_free(&out);
    }
}

static void metrics_tell_the_status(void **state) {
    static const char *const wanted[] = {
        "# HELP onepool_redis_up 1 if Redis answers.\n# TYPE onepool_redis_up gauge\nonepool_redis_up 1\n",
        "onepool_info{tenant=\"shop\",mode=\"live\",redis_version=\"7.0.15\",rung=\"R1\"} 1\n",
        "onepool_entities{function=\"stock-moved\",state=\"due\"} 3\n",
        "onepool_oldest_age_milliseconds{function=\"stock-moved\"} 12345\n",
        "onepool_lag_milliseconds{until=\"accepted\",quantile=\"0.95\"} 1250\n",
        "onepool_lag_samples{until=\"confirmed\"} 0\n",
        "onepool_quota_left 90\n",
        "onepool_paused_milliseconds{platform=\"sitoo\",key=\"1\"} 1500\n",
        "# TYPE onepool_events_total counter\nonepool_events_total{name=\"accepted:sitoo\"} 10\n",
        "onepool_events_total{name=\"odd \\\"one\\\"\"} 2\n",
        "onepool_brake_held 0\n",
        "onepool_redis_epoch{state=\"whole\"} 1\nonepool_redis_epoch{state=\"lossy\"} 0\n",
        "onepool_redis_epoch_seconds 7300\n",
        "onepool_levels_held 0\n",
        "onepool_writer_present 1\n"};
    struct buf out;
    cJSON *status = parse(calm);
    (void)state;
    buf_init(&out, OUT_MAX);
    metrics_write(status, &out);
    assert_false(buf_overflowed(&out));
    for (size_t i = 0; i < COUNT(wanted); i++) {
        assert_has(&out, wanted[i]);
    }
    assert_lacks(&out, "onepool_lag_milliseconds{until=\"confirmed\"");
    buf_free(&out);
    cJSON_Delete(status);
}

/* Every line is a comment or begins with our prefix, and every family is announced once, before its samples. */
static void metrics_announce_every_family_once(void **state) {
    struct buf out;
    cJSON *status = parse(calm);
    char family[80] = "";
    (void)state;
    buf_init(&out, OUT_MAX);
    metrics_write(status, &out);
    for (const char *line = buf_str(&out); *line != '\0'; line = strchr(line, '\n') + 1) {
        char name[80] = "", again[100] = "";
        bool help = strncmp(line, "# HELP ", 7) == 0, type = strncmp(line, "# TYPE ", 7) == 0;
        const char *start = line + (help || type ? 7 : 0);
        size_t len = strcspn(start, " {");
        assert_in_range(len, 9, sizeof name - 1);
        memcpy(name, start, len);
        assert_memory_equal(name, "onepool_", 8);
        if (help) {
            (void)str_copy(family, sizeof family, name);
            (void)snprintf(again, sizeof again, "\n# HELP %s ", name);
            assert_null(strstr(line + 1, again));
        }
        assert_string_equal(name, family);
    }
    buf_free(&out);
    cJSON_Delete(status);
}

static void metrics_without_redis_say_so(void **state) {
    struct buf out;
    (void)state;
    buf_init(&out, OUT_MAX);
    metrics_write(NULL, &out);
    assert_string_equal(buf_str(&out), "# HELP onepool_redis_up 1 if Redis answers.\n"
                                       "# TYPE onepool_redis_up gauge\nonepool_redis_up 0\n");
    buf_free(&out);
}

/* ---- pages ---- */

static void a_calm_status_needs_no_attention(void **state) {
    struct buf out;
    cJSON *status = parse(calm);
    (void)state;
    buf_init(&out, OUT_MAX);
    text_status(&out, status);
    assert_has(&out, "stock-moved           3        2        1        0   12 s\n");
    assert_has(&out, "sitoo-events          0        0        0        0   -\n");
    assert_has(&out, "median 300 ms, 95 of 100 within 1 s, worst 1 s (last 2 levels)\n");
    assert_has(&out, "90 of 150 calls left, anew in 4 s\n");
    assert_has(&out, "Contents of Redis                as we left them, for 2 h\n");
    assert_has(&out, "\nNothing needs attention.\n");
    buf_free(&out);
    cJSON_Delete(status);
}

static void what_needs_attention_is_said_with_what_to_do(void **state) {
    static const char *const wanted[] = {"-> The brake holds a write of levels: onepool brake\n",
                                         "-> 2 cases wait for a person (brake 1, unknown_sku 1): onepool parked\n",
                                         "-> sale is late: the oldest waits for 5 min.",
                                         "-> BigCommerce is not called for another 30 s",
                                         "-> Sitoo's key 2 is not used for another 60 s",
                                         "-> Redis may lose acknowledged events (durability R0): onepool check\n",
                                         "-> Redis cannot write its append-only file",
                                         "-> Nobody writes levels",
                                         "-> Shadow mode"};
    struct buf out;
    cJSON *status = parse(busy);
    (void)state;
    buf_init(&out, OUT_MAX);
    assert_int_equal(text_attention(&out, status), COUNT(wanted));
    for (size_t i = 0; i < COUNT(wanted); i++) {
        assert_has(&out, wanted[i]);
    }
    buf_free(&out);
    cJSON_Delete(status);
}

#define LOSSY(rebuild)                                                                                                 \
    "\"epoch\":{\"state\":\"lossy\",\"levels_held\":true,\"age_ms\":40000,\"cause\":\"Redis went back: its last part " \
    "is lost\",\"rebuild\":" rebuild "}"
#define WRITER "\"writer\":{\"holder\":\"x\",\"lease_ms\":1},"

static void levels_that_stand_still_are_explained_with_what_to_do(void **state) {
    static const struct {
        const char *status, *wanted;
    } rows[] = {{"{" WRITER LOSSY("{\"step\":\"orders\",\"done\":1000,\"total\":5200,\"problem\":\"\"}") "}",
                 "-> Levels stand still: Redis lost data (Redis went back: its last part is lost).\n"
                 "   No level is written until what holds stock is read anew from both platforms:\n"
                 "   step 2 of 4, Sitoo's orders since the loss, 1000 of 5200.\n"
                 "   It goes on by itself: nothing to do but wait.\n"},
                {"{" WRITER LOSSY("{\"step\":\"refunds\",\"done\":70,\"total\":null,\"problem\":\"\"}") "}",
                 "   step 1 of 4, refunds in Sitoo's ledger since the loss, 70 so far.\n"},
                {"{" WRITER LOSSY(
                     "{\"step\":\"web_orders\",\"done\":0,\"total\":null,\"problem\":\"BigCommerce: 503\\u001b\"}") "}",
                 "   step 3 of 4, web orders that hold stock.\n   It does not go on: BigCommerce: 503?\n"
                 "   It is tried again by itself; onepool check tells"},
                {"{\"writer\":null," LOSSY("null") "}",
                 "from both platforms.\n   Nothing goes on before a worker of stock-moved runs: start it.\n"},
                {"{" WRITER "\"epoch\":{\"state\":\"new\",\"levels_held\":true,\"age_ms\":5,\"rebuild\":null}}",
                 "-> Levels stand still: Redis is new to us"}};
    struct buf out;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        cJSON *status = parse(rows[i].status);
        buf_init(&out, OUT_MAX);
        assert_true(text_attention(&out, status) > 0);
        assert_has(&out, rows[i].wanted);
        buf_free(&out);
        buf_init(&out, OUT_MAX);
        metrics_write(status, &out);
        assert_has(&out, "onepool_levels_held 1\n");
        assert_has(&out,
                   i == 4 ? "onepool_redis_epoch{state=\"new\"} 1\n" : "onepool_redis_epoch{state=\"lossy\"} 1\n");
        buf_free(&out);
        cJSON_Delete(status);
    }
}

static void texts_from_outside_cannot_steer_a_terminal(void **state) {
    static const char *const rows[][2] = {
        {"SKU-1", "SKU-1"},
        {"\x1b[2J", "?[2J"},
        {"a\tb\nc\x7f", "a?b?c?"},
        {"\xc2\x9b"
         "2J",
         "??2J"},
        {"\xc3\xa5\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa5\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"cut \xe2\x82", "cut ??"},
        {"\xff\xc0\xaf", "???"}};
    struct buf out;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        buf_init(&out, OUT_MAX);
        text_safe(&out, rows[i][0]);
        assert_string_equal(buf_str(&out), rows[i][1]);
        buf_free(&out);
    }
}

static void a_case_is_told_with_owner_effect_and_next_step(void **state) {
    struct buf out;
    cJSON *parked =
        parse("{\"id\":\"unknown_sku:A-1\",\"count\":3,\"first_ms\":1795413296000,\"last_ms\":1795413298000,"
              "\"owner\":\"merchandising\",\"text\":\"No such SKU\",\"effect\":\"Not sold online\",\"step\":\"\"}");
    (void)state;
    buf_init(&out, OUT_MAX);
    text_case(&out, parked, INT64_C(1795413310000));
    assert_string_equal(buf_str(&out), "unknown_sku:A-1   3 times   since 2026-11-23 05:54 UTC, last 12 s ago   for "
                                       "merchandising\n    happened  No such SKU\n    effect    Not sold online\n");
    buf_free(&out);
    cJSON_Delete(parked);
}

/* ---- Redis ---- */

static void info_fields_are_found_by_their_whole_name(void **state) {
    static const char info[] = "# Persistence\r\nloading:0\r\naof_enabled:1\r\naof_last_write_status:ok\r\n";
    static const struct {
        const char *field, *want; /* NULL: not there */
    } rows[] = {
        {"loading", "0"}, {"aof_enabled", "1"}, {"aof_last_write_status", "ok"}, {"enabled", NULL}, {"aof", NULL}};
    char out[8];
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(durability_info(info, rows[i].field, out, sizeof out), rows[i].want != NULL);
        if (rows[i].want != NULL) {
            assert_string_equal(out, rows[i].want);
        }
    }
    assert_false(durability_info("a:123456789\r\n", "a", out, sizeof out));
}

static void weak_settings_are_named_with_their_right_values(void **state) {
    static const struct {
        struct durability d;
        const char *rung, *weak;
    } rows[] = {
        {{"7.0.15", true, "yes", "always", "no", "noeviction", "ok", 0, 0}, "R1", ""},
        {{"7.2.4", false, "yes", "", "", "noeviction", "ok", 0, 0}, "unknown", ""},
        {{"8.0.0", true, "yes", "everysec", "no", "noeviction", "ok", 0, 0},
         "R0",
         "appendfsync is everysec, must be always"},
        {{"7.0.15", true, "yes", "always", "yes", "noeviction", "ok", 0, 0},
         "R0",
         "no-appendfsync-on-rewrite is yes, must be no"},
        {{"6.2.1", true, "no", "everysec", "yes", "allkeys-lru", "ok", 0, 0},
         "none",
         "version is 6.2.1, must be 7.0 or newer; appendonly is no, must be yes; appendfsync is everysec, must be "
         "always; no-appendfsync-on-rewrite is yes, must be no; maxmemory-policy is allkeys-lru, must be noeviction"},
        {{"", false, "", "", "", "", "", 0, 0}, "unknown", "version is unknown, must be 7.0 or newer"},
    };
    struct buf weak;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        buf_init(&weak, OUT_MAX);
        size_t n = durability_weak(&rows[i].d, &weak);
        assert_string_equal(buf_str(&weak), rows[i].weak);
        assert_int_equal(n > 0, rows[i].weak[0] != '\0');
        assert_string_equal(durability_rung(&rows[i].d), rows[i].rung);
        buf_free(&weak);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentile_is_the_smallest_value_that_so_many_do_not_exceed),
        cmocka_unit_test(ages_are_told_in_the_unit_that_a_person_would_take),
        cmocka_unit_test(label_values_are_escaped),
        cmocka_unit_test(metrics_tell_the_status),
        cmocka_unit_test(metrics_announce_every_family_once),
        cmocka_unit_test(metrics_without_redis_say_so),
        cmocka_unit_test(a_calm_status_needs_no_attention),
        cmocka_unit_test(what_needs_attention_is_said_with_what_to_do),
        cmocka_unit_test(levels_that_stand_still_are_explained_with_what_to_do),
        cmocka_unit_test(texts_from_outside_cannot_steer_a_terminal),
        cmocka_unit_test(a_case_is_told_with_owner_effect_and_next_step),
        cmocka_unit_test(info_fields_are_found_by_their_whole_name),
        cmocka_unit_test(weak_settings_are_named_with_their_right_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
