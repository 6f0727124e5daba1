/* SPDX-License-Identifier: Apache-2.0 */
/* links: tests/unit/plan.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feed.h"
#include "buf.h"
#include "json.h"
#include "plan.h"
#include "ban.h"

#define ACCOUNT INT64_C(1500)
#define SITE    INT64_C(1)
#define ID      "5e9fd002119a4c5fb4de5ccb9d0b90ea"
#define EVENT_OF(account, type, data)                                                                        \
    "{\"event_id\":\"" ID "\",\"event_type\":\"" type "\",\"event_date\":1611138542,\"account_id\":" account \
    ",\"data\":" data "}"
#define EVENT(type, data) EVENT_OF("1500", type, data)
#define ORDER(members)    EVENT("order", "{\"eshop_id\":1," members "}")
#define DATA              "{\"eshop_id\":1,\"order_id\":12345,\"order_event_type\":\"add\"}"

struct row {
    const char *name, *element;
    enum feed_act act;
    int64_t order_id;    /* FEED_ORDER */
    const char *problem; /* FEED_BAD: must begin so */
};

static void plan(const char *element, struct feed_event *out) {
    cJSON *json = plan_parse(element);
    memset(out, 0xff, sizeof *out); /* what was there before must not show through */
    feed_plan(json, ACCOUNT, SITE, out);
    cJSON_Delete(json);
}

static void check_rows(const struct row *rows, size_t n) {
    for (size_t i = 0; i < n; i++) {
        struct feed_event e;
        plan(rows[i].element, &e);
        plan_same(rows[i].name, feed_act_name(e.act), feed_act_name(rows[i].act));
        if (e.order_id != rows[i].order_id && e.act == FEED_ORDER) {
            fail_msg("%s: order %lld", rows[i].name, (long long)e.order_id);
        }
        if (e.act == FEED_BAD) {
            e.problem[strnlen(rows[i].problem, sizeof e.problem - 1)] = '\0';
            plan_same(rows[i].name, e.problem, rows[i].problem);
        } else {
            plan_same(rows[i].name, e.problem, "");
            plan_same(rows[i].name, e.id, ID);
        }
    }
}

static void every_documented_type_is_planned(void **state) {
    static const struct row rows[] = {
        {"order add", ORDER("\"order_id\":12345,\"warehouse_id\":1,\"order_event_type\":\"add\""), FEED_ORDER, 12345,
         NULL},
        {"order closed", ORDER("\"order_id\":12345,\"order_event_type\":\"update\",\"order_state_changed\":\"closed\""),
         FEED_ORDER, 12345, NULL},
        {"order cancelled",
         ORDER("\"order_id\":7,\"order_event_type\":\"update\",\"order_state_changed\":\"cancelled\""), FEED_ORDER, 7,
         NULL},
        {"ready for pickup", ORDER("\"order_id\":11520,\"order_event_type\":\"ready-for-pickup\""), FEED_ORDER, 11520,
         NULL},
        {"pickup rejected", ORDER("\"order_id\":11520,\"order_event_type\":\"pickup-rejected\""), FEED_ORDER, 11520,
         NULL},
        {"collected, as an older page prints it", ORDER("\"order_id\":11520,\"order_event_type\":\"closed\""),
         FEED_ORDER, 11520, NULL},
        {"receipt by mail", ORDER("\"order_id\":11513,\"order_event_type\":\"email-receipt\""), FEED_IGNORED, 0, NULL},
        {"booking", EVENT("booking", DATA), FEED_ORDER, 12345, NULL},
        {"delivery of an order",
         EVENT("order-delivery", "{\"eshop_id\":1,\"order_id\":11520,\"order_delivery_id\":20}"), FEED_ORDER, 11520,
         NULL},
        {"movement", EVENT("warehouse-transaction", "{\"eshop_id\":1,\"warehouse_id\":1}"), FEED_LEDGER, 0, NULL},
        {"shipment", EVENT("shipment", "{}"), FEED_LEDGER, 0, NULL},
        {"shipment of version 3", EVENT("shipment-v3", "{}"), FEED_LEDGER, 0, NULL},
        {"end of day", EVENT("z-report", "{}"), FEED_IGNORED, 0, NULL},
        {"end of day of a store", EVENT("store-z-report", "{}"), FEED_IGNORED, 0, NULL},
        {"type that does not exist yet", EVENT("some-future-type", "{\"order_id\":\"?\"}"), FEED_IGNORED, 0, NULL},
        {"types are compared with case", EVENT("Order", DATA), FEED_IGNORED, 0, NULL},
        {"longer than a known type", EVENT("orders", DATA), FEED_IGNORED, 0, NULL},
        {"no type text", EVENT("", DATA), FEED_IGNORED, 0, NULL},
    };
    (void)state;
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

static void an_order_id_is_a_whole_number_above_0(void **state) {
    static const char problem[] = "data.order_id: must be a whole number above 0";
    static const struct row rows[] = {
        {"missing", ORDER("\"order_event_type\":\"add\""), FEED_BAD, 0, problem},
        {"text", ORDER("\"order_id\":\"11513\""), FEED_BAD, 0, problem},
        {"null", ORDER("\"order_id\":null"), FEED_BAD, 0, problem},
        {"true", ORDER("\"order_id\":true"), FEED_BAD, 0, problem},
        {"list", ORDER("\"order_id\":[11513]"), FEED_BAD, 0, problem},
        {"0", ORDER("\"order_id\":0"), FEED_BAD, 0, problem},
        {"-1", ORDER("\"order_id\":-1"), FEED_BAD, 0, problem},
        {"fraction", ORDER("\"order_id\":11513.5"), FEED_BAD, 0, problem},
        {"2^60", ORDER("\"order_id\":1152921504606846976"), FEED_BAD, 0, problem},
        {"1e300", ORDER("\"order_id\":1e300"), FEED_BAD, 0, problem},
        {"other case", ORDER("\"Order_ID\":11513"), FEED_BAD, 0, problem},
        {"1", ORDER("\"order_id\":1"), FEED_ORDER, 1, NULL},
        {"above 2^31", ORDER("\"order_id\":4294967297"), FEED_ORDER, INT64_C(4294967297), NULL},
        {"2^53 - 1", ORDER("\"order_id\":9007199254740991"), FEED_ORDER, INT64_C(9007199254740991), NULL},
        {"2^53", ORDER("\"order_id\":9007199254740992"), FEED_BAD, 0, problem},
        {"2^53 + 1", ORDER("\"order_id\":9007199254740993"), FEED_BAD, 0, problem},
    };
    (void)state;
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

static void another_account_or_site_is_foreign(void **state) {
    static const char account[] = "account_id: must be a whole number",
                      site[] = "data.eshop_id: must be a whole number";
    static const struct row rows[] = {
        {"another account", EVENT_OF("1501", "order", DATA), FEED_FOREIGN, 0, NULL},
        {"another account's movement", EVENT_OF("1501", "warehouse-transaction", "{}"), FEED_FOREIGN, 0, NULL},
        {"another account's unreadable order", EVENT_OF("1501", "order", "null"), FEED_FOREIGN, 0, NULL},
        {"account as a text", EVENT_OF("\"1500\"", "order", DATA), FEED_BAD, 0, account},
        {"account null", EVENT_OF("null", "z-report", "{}"), FEED_BAD, 0, account},
        {"account with a fraction", EVENT_OF("1500.5", "order", DATA), FEED_BAD, 0, account},
        {"no account", "{\"event_id\":\"1\",\"event_type\":\"order\",\"data\":" DATA "}", FEED_BAD, 0, account},
        {"another site", EVENT("order", "{\"eshop_id\":2,\"order_id\":1}"), FEED_FOREIGN, 0, NULL},
        {"another site's booking", EVENT("booking", "{\"eshop_id\":2,\"order_id\":1}"), FEED_FOREIGN, 0, NULL},
        {"another site's unreadable order", EVENT("order", "{\"eshop_id\":2}"), FEED_FOREIGN, 0, NULL},
        {"no site", EVENT("order", "{\"order_id\":1}"), FEED_BAD, 0, site},
        {"site as a text", EVENT("order", "{\"eshop_id\":\"1\",\"order_id\":1}"), FEED_BAD, 0, site},
    };
    (void)state;
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

static void an_element_that_cannot_be_understood_names_the_field(void **state) {
    static const char object[] = "the element is not an object", data[] = "data: must be an object";
    static const char id[] = "event_id: missing or not a text", type[] = "event_type: missing or not a text";
    static const struct row rows[] = {
        {"number", "1", FEED_BAD, 0, object},
        {"text", "\"order\"", FEED_BAD, 0, object},
        {"null", "null", FEED_BAD, 0, object},
        {"list", "[" DATA "]", FEED_BAD, 0, object},
        {"empty", "{}", FEED_BAD, 0, id},
        {"id a number", "{\"event_id\":1,\"event_type\":\"order\",\"account_id\":1500}", FEED_BAD, 0, id},
        {"id empty", "{\"event_id\":\"\",\"event_type\":\"order\",\"account_id\":1500}", FEED_BAD, 0, id},
        {"no type", "{\"event_id\":\"1\",\"account_id\":1500}", FEED_BAD, 0, type},
        {"type a number", "{\"event_id\":\"1\",\"event_type\":10,\"account_id\":1500}", FEED_BAD, 0, type},
        {"order without data", "{\"event_id\":\"1\",\"event_type\":\"order\",\"account_id\":1500}", FEED_BAD, 0, data},
        {"order with data null", EVENT("order", "null"), FEED_BAD, 0, data},
        {"booking with a list", EVENT("booking", "[]"), FEED_BAD, 0, data},
        {"delivery with a text", EVENT("order-delivery", "\"\""), FEED_BAD, 0, data},
        {"a movement needs no data", EVENT("warehouse-transaction", "null"), FEED_LEDGER, 0, NULL},
    };
    (void)state;
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

static void an_event_id_has_at_most_128_bytes(void **state) {
    static const struct {
        size_t len;
        enum feed_act act;
    } rows[] = {{1, FEED_LEDGER}, {127, FEED_LEDGER}, {128, FEED_LEDGER}, {129, FEED_BAD}, {4000, FEED_BAD}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char id[4001], element[4200];
        struct feed_event e;
        memset(id, 'a', rows[i].len);
        id[rows[i].len] = '\0';
        (void)snprintf(element, sizeof element, "{\"event_id\":\"%s\",\"event_type\":\"shipment\",\"account_id\":1500}",
                       id);
        plan(element, &e);
        assert_int_equal(e.act, rows[i].act);
        assert_string_equal(e.id, rows[i].act == FEED_BAD ? "" : id);
        assert_string_equal(e.problem, rows[i].act == FEED_BAD ? "event_id: longer than 128 bytes" : "");
    }
}

/* ---- whole bodies ---- */

/* Each event as "id" and its effects; fails unless bytes are those of the body and duplicates have no effects. */
static char *events_text(const char *body, size_t *n) {
    const struct settings set = {.sitoo_account_id = ACCOUNT, .sitoo_site_id = SITE};
    const struct app app = {.set = &set};
    struct args a = {0};
    struct buf out;
    buf_init(&out, 100000);
    *n = feed_events(&app, body, strlen(body), &a);
    for (size_t i = 0; i < a.n;) {
        struct args head = plan_slice(&a, i, 4);
        struct args effects = plan_slice(&a, i + 4, (size_t)strtoull(head.argv[3], NULL, 10));
        char *text = plan_text(&effects);
        assert_non_null(strstr(body, head.argv[1]));
        assert_string_equal(head.argv[2], "0");
        buf_addf(&out, "event %s\n%s", head.argv[0], text);
        free(text);
        i += 4 + effects.n;
    }
    args_free(&a);
    return buf_take(&out);
}

static void a_mixed_batch_is_taken_element_by_element(void **state) {
    static const char want[] = "event 00000000000000000000000000000001\n"
                               "mark [order] [11513] [0] [] []\ntold [sitoo] [11513]\n"
                               "mark [ledger] [main] [0] [] []\n"
                               "event 0000000000000000000000000000000a\n"
                               "mark [ledger] [main] [0] [] []\n"
                               "event 00000000000000000000000000000001\n"
                               "mark [order] [11513] [0] [] []\ntold [sitoo] [11513]\n"
                               "mark [ledger] [main] [0] [] []\n"
                               "event 0000000000000000000000000000000c\n"
                               "count [events:ignored] [1]\n"
                               "event 0000000000000000000000000000000d\n"
                               "count [events:ignored] [1]\n";
    char *body = plan_payload("event-batch-mixed.json");
    size_t n = 0;
    char *got = events_text(body, &n);
    (void)state;
    plan_same("event-batch-mixed.json", got, want);
    assert_int_equal(n, 5);
    free(got);
    free(body);
}

static void recorded_batches_mark_their_order(void **state) {
    static const struct {
        const char *file, *want;
    } rows[] = {
        {"event-order-add-pos-sale.json",
         "event 00000000000000000000000000000001\nmark [order] [11513] [0] [] []\ntold [sitoo] [11513]\n"},
        {"event-order-add-pos-return.json",
         "event 00000000000000000000000000000002\nmark [order] [11512] [0] [] []\ntold [sitoo] [11512]\n"},
        {"event-order-ready-for-pickup.json",
         "event 00000000000000000000000000000003\nmark [order] [11520] [0] [] []\ntold [sitoo] [11520]\n"},
        {"event-booking-add.json",
         "event 00000000000000000000000000000008\nmark [order] [11530] [0] [] []\ntold [sitoo] [11530]\n"},
        {"event-order-delivery-add.json",
         "event 00000000000000000000000000000009\nmark [order] [11520] [0] [] []\ntold [sitoo] [11520]\n"},
        {"event-order-closed.json", "event " ID "\nmark [order] [12345] [0] [] []\ntold [sitoo] [12345]\n"},
        {"event-warehouse-transaction.json", "event 0000000000000000000000000000000a\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char want[200];
        size_t n = 0;
        char *body = plan_payload(rows[i].file);
        char *got = events_text(body, &n);
        (void)snprintf(want, sizeof want, "%smark [ledger] [main] [0] [] []\n", rows[i].want);
        plan_same(rows[i].file, got, want);
        free(got);
        free(body);
    }
}

static void elements_are_stored_byte_for_byte(void **state) {
    static const char body[] = " [ {\"event_id\" : \"1\", \"x\":1.50e1 } ,\n\t5,\"a,]\" ]\n";
    static const char *const want[] = {"{\"event_id\" : \"1\", \"x\":1.50e1 }", "5", "\"a,]\""};
    const struct settings set = {.sitoo_account_id = ACCOUNT, .sitoo_site_id = SITE};
    const struct app app = {.set = &set};
    struct args a = {0};
    size_t at = 0;
    (void)state;
    assert_int_equal(feed_events(&app, body, strlen(body), &a), 3);
    for (size_t i = 0; i < 3; i++) {
        struct args head = plan_slice(&a, at, 4);
        assert_string_equal(head.argv[1], want[i]);
        assert_int_equal(head.len[1], strlen(want[i]));
        at += 4 + (size_t)strtoull(head.argv[3], NULL, 10);
    }
    assert_int_equal(at, a.n);
    args_free(&a);
}

static void a_bad_element_is_parked_with_its_bytes(void **state) {
    static const char want[] = "event \ncount [events:bad] [1]\n"
                               "case [bad_event] [operations] [event ef2d127de37b942b] [the element is not an object] "
                               "[One event of Sitoo was not acted on; the ledger is still read, so stock stays right] "
                               "[Show the bytes to the integrator; then run: onepool parked --close] [] [] [5]\n"
                               "event 1\nmark [ledger] [main] [0] [] []\n";
    size_t n = 0;
    char *got = events_text("[5,{\"event_id\":\"1\",\"event_type\":\"shipment\",\"account_id\":1500,\"data\":{}}]", &n);
    (void)state;
    plan_same("number", got, want);
    assert_int_equal(n, 2);
    free(got);
}

static void a_body_that_is_no_list_is_parked_whole_and_the_ledger_is_read(void **state) {
    static const struct {
        const char *name, *body;
    } rows[] = {{"empty", ""},    {"text", "hello"},      {"object", "{}"}, {"cut short", "[{\"event_id\":\"1\""},
                {"null", "null"}, {"two values", "[] []"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char raw[64];
        size_t n = 0;
        char *got = events_text(rows[i].body, &n);
        (void)snprintf(raw, sizeof raw, "[] [] [%s]\nmark [ledger] [main] [0] [] []\n", rows[i].body);
        if (n != 1 || strstr(got, "event \ncount [events:bad] [1]\ncase [bad_batch] [operations] [event ") != got ||
            strstr(got, raw) == NULL) {
            fail_msg("%s: %zu events\n%s", rows[i].name, n, got);
        }
        free(got);
    }
}

/* What stands in one element must not cost the others. */
static void an_element_that_is_no_json_harms_no_other(void **state) {
    static const struct {
        const char *name, *element, *problem;
    } rows[] = {{"key twice", "{\"event_id\":\"1\",\"event_id\":\"2\"}", "key event_id stands twice"},
                {"invalid UTF-8", "{\"event_id\":\"\xff\"}", "invalid UTF-8 at byte 13"},
                {"NUL in a text", "{\"event_id\":\"a\\u0000\"}", "\\u0000 in a string at byte 14"},
                {"control character", "{\"event_id\":\"a\tb\"}", "control character in a string at byte 14"},
                {"two values", "{} {}", "text after the value at byte 3"},
                {"word", "nul", "not JSON"},
                {"comma and bracket in a text", "{\"a],[\\\"]\":01}", "number with a leading zero"},
                {"too deep", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", "nested too deep"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char body[400], raw[200];
        size_t n = 0;
        (void)snprintf(body, sizeof body, "[" ORDER("\"order_id\":7") " , %s,\n" ORDER("\"order_id\":8") "]",
                       rows[i].element);
        (void)snprintf(raw, sizeof raw, "[] [] [%s]\n", rows[i].element);
        char *got = events_text(body, &n);
        if (n != 3 || strstr(got, "mark [order] [7]") == NULL || strstr(got, "mark [order] [8]") == NULL ||
            strstr(got, "case [bad_event]") == NULL || strstr(got, rows[i].problem) == NULL ||
            strstr(got, raw) == NULL) {
            fail_msg("%s: %zu events\n%s", rows[i].name, n, got);
        }
        free(got);
    }
}

static void a_body_that_cannot_be_split_is_parked_whole(void **state) {
    static const char *const rows[] = {"[,]",     "[1,]",  "[,1]",  "[1,,2]", "[}",   "[1}",
                                       "[1],[2]", "[\"a]", "[1] x", "[[1]",   "[{]}]"};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t n = 0;
        char *got = events_text(rows[i], &n);
        if (n != 1 || strstr(got, "case [bad_batch]") == NULL) {
            fail_msg("%s: %zu events\n%s", rows[i], n, got);
        }
        free(got);
    }
}

static void a_batch_beyond_all_reason_is_one_case(void **state) {
    char body[2 * FEED_BATCH_MAX + 8] = "[1";
    size_t n = 0;
    (void)state;
    for (size_t i = 1; i < FEED_BATCH_MAX; i++) {
        (void)str_copy(body + 2 * i, 4, ",1");
    }
    (void)str_copy(body + (size_t)2 * FEED_BATCH_MAX, 4, "]");
    char *got = events_text(body, &n);
    assert_int_equal(n, FEED_BATCH_MAX);
    free(got);
    (void)str_copy(body + (size_t)2 * FEED_BATCH_MAX, 4, ",1]");
    got = events_text(body, &n);
    assert_int_equal(n, 1);
    assert_non_null(strstr(got, "[the batch has more than 500 elements]"));
    free(got);
}

static void a_batch_may_be_empty_or_longer_than_documented(void **state) {
    static const struct {
        const char *body;
        size_t n;
    } rows[] = {{"[]", 0}, {" [ ] ", 0}, {"[1]", 1}, {"[1,2,3,4,5,6,7,8,9,10]", 10}, {"[1,2,3,4,5,6,7,8,9,10,11]", 11}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t n = 99;
        char *got = events_text(rows[i].body, &n);
        assert_int_equal(n, rows[i].n);
        assert_true((got[0] == '\0') == (n == 0));
        free(got);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_documented_type_is_planned),
        cmocka_unit_test(an_order_id_is_a_whole_number_above_0),
        cmocka_unit_test(another_account_or_site_is_foreign),
        cmocka_unit_test(an_element_that_cannot_be_understood_names_the_field),
        cmocka_unit_test(an_event_id_has_at_most_128_bytes),
        cmocka_unit_test(a_mixed_batch_is_taken_element_by_element),
        cmocka_unit_test(recorded_batches_mark_their_order),
        cmocka_unit_test(elements_are_stored_byte_for_byte),
        cmocka_unit_test(a_bad_element_is_parked_with_its_bytes),
        cmocka_unit_test(a_body_that_is_no_list_is_parked_whole_and_the_ledger_is_read),
        cmocka_unit_test(an_element_that_is_no_json_harms_no_other),
        cmocka_unit_test(a_body_that_cannot_be_split_is_parked_whole),
        cmocka_unit_test(a_batch_beyond_all_reason_is_one_case),
        cmocka_unit_test(a_batch_may_be_empty_or_longer_than_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
