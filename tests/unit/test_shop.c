/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "json.h"
#include "shop.h"
#include "ban.h"

#define DATA(refund, update) "{\"refund_order_stock_adjustment\":" refund ",\"update_stock_behavior\":" update "}"

static const struct row {
    const char *name, *data;
    int64_t channel_id;
    bool refund_right, update_right;
} rows[] = {
    {"right", DATA("false", "\"order_placed\""), 0, true, true},
    {"both wrong", DATA("true", "\"order_completed_or_shipped\""), 0, false, false},
    {"null is not inherited globally", DATA("null", "null"), 0, false, false},
    {"null at a channel is inherited", DATA("null", "null"), 3, true, true},
    {"absent at a channel is inherited", "{}", 3, true, true},
    {"absent globally", "{}", 0, false, false},
    {"other types", DATA("\"false\"", "1"), 3, false, false},
    {"wrong at a channel", DATA("true", "\"order_completed_or_shipped\""), 3, false, false},
    {"no data", "null", 0, false, false},
};

static void each_setting_is_judged_and_named(void **state) {
    char error[100];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct shop shop = {.n = 0};
        cJSON *data = json_read(rows[i].data, strlen(rows[i].data), error, sizeof error);
        assert_non_null(data);
        shop_judge(&shop, data, rows[i].channel_id);
        cJSON_Delete(data);
        assert_int_equal(shop.n, 2);
        if (shop.list[0].right != rows[i].refund_right || shop.list[1].right != rows[i].update_right) {
            fail_msg("%s: %s; %s", rows[i].name, shop.list[0].text, shop.list[1].text);
        }
        for (size_t k = 0; k < 2; k++) {
            assert_true((shop.list[k].todo[0] == '\0') == shop.list[k].right);
            assert_true((shop.list[k].effect[0] == '\0') == shop.list[k].right);
            assert_true((strstr(shop.list[k].entity, " channel 3") != NULL) == (rows[i].channel_id == 3));
        }
    }
}

static void no_more_is_kept_than_there_is_room_for(void **state) {
    struct shop shop = {.n = 0};
    (void)state;
    for (int64_t channel = 0; channel < 5; channel++) {
        shop_judge(&shop, NULL, channel);
    }
    assert_int_equal(shop.n, SHOP_FINDINGS_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_setting_is_judged_and_named),
        cmocka_unit_test(no_more_is_kept_than_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
