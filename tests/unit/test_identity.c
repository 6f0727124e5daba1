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

#include "identity.h"
#include "plan.h"
#include "sku.h"
#include "ban.h"

static void the_two_calls_decide_how_a_sku_is_written(void **state) {
    static const struct {
        const char *name;
        int64_t product_id, variant_id;
        const char *tracking;
        bool several;
        enum identity_state want;
    } rows[] = {
        {"no such SKU", 0, 0, NULL, false, IDENTITY_UNKNOWN_SKU},
        {"no such SKU, whatever else is said", 0, 7, "variant", true, IDENTITY_UNKNOWN_SKU},
        {"a product id that cannot be", -1, 7, "variant", true, IDENTITY_UNKNOWN_SKU},
        {"the product is gone from the catalog", 113, 127, NULL, true, IDENTITY_NOT_TRACKED},
        {"not tracked", 113, 127, "none", false, IDENTITY_NOT_TRACKED},
        {"not tracked, several variants", 113, 127, "none", true, IDENTITY_NOT_TRACKED},
        {"tracked by variant, several", 113, 127, "variant", true, IDENTITY_BY_VARIANT},
        {"tracked by variant, one", 113, 127, "variant", false, IDENTITY_BY_VARIANT},
        {"tracked by variant, but no variant is named", 113, 0, "variant", true, IDENTITY_WRONG_TRACKING},
        {"tracked by product, its only SKU", 113, 127, "product", false, IDENTITY_BY_PRODUCT},
        {"tracked by product, no variant named", 113, 0, "product", false, IDENTITY_BY_PRODUCT},
        {"tracked by product, the product's own SKU beside variants", 113, 0, "product", true, IDENTITY_BY_PRODUCT},
        {"tracked by product, one of several variants", 113, 127, "product", true, IDENTITY_WRONG_TRACKING},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum identity_state got =
            identity_decide(rows[i].product_id, rows[i].variant_id, rows[i].tracking, rows[i].several);
        if (got != rows[i].want) {
            fail_msg("%s: %d, not %d", rows[i].name, (int)got, (int)rows[i].want);
        }
    }
}

static void only_the_two_writable_states_are_usable(void **state) {
    static const struct {
        enum identity_state state;
        bool want;
    } rows[] = {{IDENTITY_BY_VARIANT, true},
                {IDENTITY_BY_PRODUCT, true},
                {IDENTITY_UNKNOWN_SKU, false},
                {IDENTITY_NOT_TRACKED, false},
                {IDENTITY_WRONG_TRACKING, false}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct identity id = {.state = rows[i].state};
        assert_int_equal(identity_usable(&id), rows[i].want);
    }
}

/* ---- cases ---- */

static char *case_text(const char *sku, enum identity_state state, bool occurred) {
    struct mapping mapping = {.owner_mapping = "merchandising"};
    const struct settings set = {.mapping = &mapping};
    const struct app app = {.set = &set};
    const struct identity id = {.state = state, .product_id = 113, .variant_id = 127};
    struct args effects = {0};
    identity_case(&app, sku, &id, occurred ? IDENTITY_SOLD : IDENTITY_RESOLVED, &effects);
    char *got = plan_text(&effects);
    args_free(&effects);
    return got;
}

#define CLOSE(cause) "close [" cause ":121292-4]\n"
#define UNKNOWN                                                                                                     \
    " [unknown_sku] [merchandising] [121292-4] [SKU 121292-4 is sold in Sitoo, but BigCommerce has no product or "  \
    "variant with exactly this SKU] [The web shop does not offer it] [Create it in BigCommerce, mend the SKU, or: " \
    "onepool parked --ignore unknown_sku:121292-4] [sku] [121292-4] []\n"
#define NOT_TRACKED                                                                                                   \
    " [stock_not_tracked] [merchandising] [121292-4] [SKU 121292-4 is in BigCommerce, but stock tracking is off for " \
    "its product] [The web shop sells it without limit] [Switch on inventory tracking by variant, or: onepool "       \
    "parked --ignore stock_not_tracked:121292-4] [sku] [121292-4] []\n"
#define WRONG                                                                                                         \
    " [wrong_tracking] [merchandising] [121292-4] [SKU 121292-4: BigCommerce tracks its product's stock the other "   \
    "way (by product or by variant), so this SKU has no stock of its own] [The web shop's number is not this SKU's] " \
    "[Change the product's inventory tracking to variant level, or: onepool parked --ignore "                         \
    "wrong_tracking:121292-4] [sku] [121292-4] []\n"

static void an_unusable_sku_has_one_case_and_its_others_are_closed(void **state) {
    static const struct {
        const char *name;
        enum identity_state state;
        bool occurred;
        const char *want;
    } rows[] = {
        {"unknown, sold", IDENTITY_UNKNOWN_SKU, true,
         CLOSE("stock_not_tracked") CLOSE("wrong_tracking") "case" UNKNOWN},
        {"unknown, looked up", IDENTITY_UNKNOWN_SKU, false,
         CLOSE("stock_not_tracked") CLOSE("wrong_tracking") "case_sold" UNKNOWN},
        {"not tracked, sold", IDENTITY_NOT_TRACKED, true,
         CLOSE("unknown_sku") CLOSE("wrong_tracking") "case" NOT_TRACKED},
        {"wrong tracking, looked up", IDENTITY_WRONG_TRACKING, false,
         CLOSE("unknown_sku") CLOSE("stock_not_tracked") "case_sold" WRONG},
        {"usable by variant", IDENTITY_BY_VARIANT, true,
         CLOSE("unknown_sku") CLOSE("stock_not_tracked") CLOSE("wrong_tracking") "identified [121292-4]\n"},
        {"usable by product", IDENTITY_BY_PRODUCT, false,
         CLOSE("unknown_sku") CLOSE("stock_not_tracked") CLOSE("wrong_tracking") "identified [121292-4]\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *got = case_text("121292-4", rows[i].state, rows[i].occurred);
        plan_same(rows[i].name, got, rows[i].want);
        free(got);
    }
}

static void a_case_shows_the_whole_sku_as_it_is(void **state) {
    static const enum identity_state states[] = {IDENTITY_UNKNOWN_SKU, IDENTITY_NOT_TRACKED, IDENTITY_WRONG_TRACKING};
    char longest[256];
    (void)state;
    memset(longest, 'x', 255);
    longest[255] = '\0';
    const char *const skus[] = {"%s%n%d", "A \"B\" 5'", "Sm\xc3\xb6rg\xc3\xa5s|1", longest};
    for (size_t i = 0; i < sizeof skus / sizeof skus[0]; i++) {
        for (size_t k = 0; k < sizeof states / sizeof states[0]; k++) {
            char text[300], step[300], entity[300];
            char *got = case_text(skus[i], states[k], true);
            (void)snprintf(entity, sizeof entity, " [%s] ", skus[i]);
            (void)snprintf(text, sizeof text, "[SKU %s", skus[i]);
            (void)snprintf(step, sizeof step, ":%s] [sku] ", skus[i]);
            if (strstr(got, entity) == NULL || strstr(got, text) == NULL || strstr(got, step) == NULL) {
                fail_msg("%s", got);
            }
            free(got);
        }
    }
}

static void the_longest_sku_is_cut_in_the_sentence_and_whole_in_the_command(void **state) {
    char sku[SKU_BYTES_MAX + 1] = "", whole[SKU_BYTES_MAX + 60], cut[SKU_SHOWN_SIZE];
    (void)state;
    for (size_t i = 0; i < SKU_CHARS_MAX; i++) {
        memcpy(sku + 4 * i, "\xf0\x9f\x98\x80", 5);
    }
    assert_true(sku_fits(sku));
    (void)sku_shown(sku, cut);
    assert_int_equal(strlen(cut), 252 + 3); /* whole characters */
    assert_string_equal(cut + 252, "...");
    char *got = case_text(sku, IDENTITY_UNKNOWN_SKU, true);
    (void)snprintf(whole, sizeof whole, "--ignore unknown_sku:%s] ", sku);
    assert_non_null(strstr(got, whole));
    (void)snprintf(whole, sizeof whole, "[SKU %s is sold in Sitoo, but BigCommerce has no product", cut);
    assert_non_null(strstr(got, whole));
    free(got);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_two_calls_decide_how_a_sku_is_written),
        cmocka_unit_test(only_the_two_writable_states_are_usable),
        cmocka_unit_test(an_unusable_sku_has_one_case_and_its_others_are_closed),
        cmocka_unit_test(a_case_shows_the_whole_sku_as_it_is),
        cmocka_unit_test(the_longest_sku_is_cut_in_the_sentence_and_whole_in_the_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
