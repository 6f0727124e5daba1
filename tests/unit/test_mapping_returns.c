/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "mapping.h"
#include "ban.h"

#define LOCATION "\"locations\":[{\"bigcommerce_location_id\":1,\"sitoo_warehouse_ids\":[1,2]}]"
#define TABLES                                                                      \
    "\"reasons\":{\"101\":\"sellable\",\"RC123\":\"unsellable\",\"ASK\":\"park\"}," \
    "\"warehouses\":{\"4\":\"unsellable\",\"5\":\"park\",\"6\":\"sellable\"},"      \
    "\"payments\":{\"Card\":\"paid_at_till\",\"Web\":\"pay_in_bigcommerce\",\"Voucher\":\"park\"}"

static struct mapping *read(const char *returns) {
    char text[2000];
    struct buf mistakes;
    buf_init(&mistakes, 4000);
    (void)snprintf(text, sizeof text, "{" LOCATION ",\"returns\":{%s}}", returns);
    struct mapping *m = mapping_read(text, strlen(text), &mistakes);
    if (m == NULL) {
        fail_msg("%s", buf_str(&mistakes));
    }
    buf_free(&mistakes);
    return m;
}

static void verdict_is_the_worse_of_reason_and_warehouse(void **state) {
    static const struct {
        const char *unknown_reason, *reason;
        int64_t warehouse;
        enum verdict want;
    } rows[] = {
        {"park", "101", 1, VERDICT_SELLABLE},         {"park", "101", 6, VERDICT_SELLABLE},
        {"park", "101", 4, VERDICT_UNSELLABLE},       {"park", "101", 5, VERDICT_UNKNOWN},
        {"park", "RC123", 1, VERDICT_UNSELLABLE},     {"park", "RC123", 5, VERDICT_UNSELLABLE},
        {"park", "RC123", 6, VERDICT_UNSELLABLE},     {"park", "ASK", 1, VERDICT_UNKNOWN},
        {"park", "ASK", 4, VERDICT_UNSELLABLE},       {"park", "102", 1, VERDICT_UNKNOWN},
        {"park", NULL, 1, VERDICT_UNKNOWN},           {"park", NULL, 4, VERDICT_UNSELLABLE},
        {"sellable", "102", 1, VERDICT_SELLABLE},     {"sellable", NULL, 1, VERDICT_SELLABLE},
        {"sellable", NULL, 5, VERDICT_UNKNOWN},       {"sellable", "102", 4, VERDICT_UNSELLABLE},
        {"sellable", "RC123", 1, VERDICT_UNSELLABLE}, {"unsellable", "102", 1, VERDICT_UNSELLABLE},
        {"unsellable", "101", 1, VERDICT_SELLABLE},   {"unsellable", NULL, 6, VERDICT_UNSELLABLE},
        {"park", "rc123", 1, VERDICT_UNKNOWN},        {"park", "", 1, VERDICT_UNKNOWN},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[600];
        (void)snprintf(text, sizeof text, TABLES ",\"unknown_reason\":\"%s\"", rows[i].unknown_reason);
        struct mapping *m = read(text);
        enum verdict got = mapping_verdict(&m->returns, rows[i].reason, rows[i].warehouse);
        if (got != rows[i].want) {
            fail_msg("row %zu: %s, not %s", i, verdict_name(got), verdict_name(rows[i].want));
        }
        mapping_free(m);
    }
}

static void payments_are_looked_up_by_their_exact_name(void **state) {
    (void)state;
    struct mapping *m = read(TABLES);
    assert_int_equal(mapping_payer(&m->returns, "Card"), PAYER_TILL);
    assert_int_equal(mapping_payer(&m->returns, "Web"), PAYER_BIGCOMMERCE);
    assert_int_equal(mapping_payer(&m->returns, "Voucher"), PAYER_UNKNOWN);
    assert_int_equal(mapping_payer(&m->returns, "card"), PAYER_UNKNOWN);
    assert_int_equal(mapping_payer(&m->returns, NULL), PAYER_UNKNOWN);
    mapping_free(m);
    m = read(TABLES ",\"unknown_payment\":\"paid_at_till\"");
    assert_int_equal(mapping_payer(&m->returns, "Swish"), PAYER_TILL);
    assert_int_equal(mapping_payer(&m->returns, "Voucher"), PAYER_UNKNOWN);
    mapping_free(m);
}

static void presets_are_the_safe_ones(void **state) {
    (void)state;
    struct mapping *m = read("");
    assert_int_equal(m->returns.unknown_reason, VERDICT_UNKNOWN);
    assert_int_equal(m->returns.unknown_payment, PAYER_UNKNOWN);
    assert_int_equal(m->returns.tolerance_minor, 2);
    assert_int_equal(m->returns.quarantine_warehouse_id, 0);
    assert_int_equal(m->returns.repeat_after_s, 120);
    assert_int_equal(mapping_verdict(&m->returns, "101", 1), VERDICT_UNKNOWN);
    mapping_free(m);
}

static void mistakes_are_named(void **state) {
    static const struct {
        const char *returns, *want;
    } rows[] = {
        {"\"reasons\":[]", "returns.reasons: must be an object of at most 500 entries"},
        {"\"reasons\":{\"101\":\"sell\"}", "returns.reasons.101: must be sellable, unsellable or park"},
        {"\"reasons\":{\"101\":1}", "returns.reasons.101: must be sellable, unsellable or park"},
        {"\"reasons\":{\"\":\"sellable\"}", "returns.reasons.: the name must have 1 to 64 bytes"},
        {"\"warehouses\":{\"four\":\"sellable\"}", "returns.warehouses.four: is no id of a Sitoo warehouse"},
        {"\"payments\":{\"Card\":\"sellable\"}",
         "returns.payments.Card: must be paid_at_till, pay_in_bigcommerce or park"},
        {"\"unknown_reason\":\"keep\"", "returns.unknown_reason: must be park, sellable or unsellable"},
        {"\"unknown_payment\":true", "returns.unknown_payment: must be park, paid_at_till or pay_in_bigcommerce"},
        {"\"amount_tolerance_minor\":-1", "returns.amount_tolerance_minor: must be a whole number from 0 to 100000"},
        {"\"quarantine_warehouse_id\":\"4\"", "returns.quarantine_warehouse_id: must be a whole number from 1"},
        {"\"quarantine_warehouse_id\":2", "returns.quarantine_warehouse_id: feeds a location"},
        {"\"reason\":{}", "returns.reason: unknown key; did you mean reasons?"},
        {"\"repeat_after_s\":5", "returns.repeat_after_s: must be a whole number from 30 to 86400"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[600];
        struct buf mistakes;
        buf_init(&mistakes, 4000);
        (void)snprintf(text, sizeof text, "{" LOCATION ",\"returns\":{%s}}", rows[i].returns);
        struct mapping *m = mapping_read(text, strlen(text), &mistakes);
        if (m != NULL || strstr(buf_str(&mistakes), rows[i].want) == NULL) {
            fail_msg("%s: %s", rows[i].returns, buf_str(&mistakes));
        }
        buf_free(&mistakes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdict_is_the_worse_of_reason_and_warehouse),
        cmocka_unit_test(payments_are_looked_up_by_their_exact_name),
        cmocka_unit_test(presets_are_the_safe_ones),
        cmocka_unit_test(mistakes_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
