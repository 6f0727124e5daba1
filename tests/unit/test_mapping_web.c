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

#define LOCATIONS                                                                                                   \
    "\"locations\":[{\"bigcommerce_location_id\":1,\"sitoo_warehouse_ids\":[1,2]}],"                                \
    "\"pickup\":[{\"bigcommerce_location_id\":5,\"sitoo_warehouse_id\":43,\"shipping_method_names\":[\"Collect in " \
    "Leeds\"]}]"

static struct mapping *read(const char *sections, struct buf *mistakes) {
    char text[2000];
    buf_init(mistakes, 4000);
    (void)snprintf(text, sizeof text, "{" LOCATIONS "%s%s}", sections[0] != '\0' ? "," : "", sections);
    return mapping_read(text, strlen(text), mistakes);
}

static struct mapping *good(const char *sections) {
    struct buf mistakes;
    struct mapping *m = read(sections, &mistakes);
    if (m == NULL) {
        fail_msg("%s: %s", sections, buf_str(&mistakes));
    }
    buf_free(&mistakes);
    return m;
}

static void presets_show_a_shop_what_it_needs_to_hand_the_parcel_over(void **state) {
    (void)state;
    struct mapping *m = good("");
    assert_true(m->web.name && m->web.phone && m->web.email && m->web.address && m->web.cancel_on_reject);
    assert_false(m->web.message || m->web.return_add_delivery);
    assert_int_equal(m->web.rejected_status, 0);
    assert_int_equal(m->web.uncollected_days, 14);
    assert_int_equal(m->web.repeat_after_s, 30);
    assert_int_equal(m->web.look_again_hours, 6);
    assert_int_equal(m->web.return_order_state, 10);
    assert_int_equal(m->web.return_warehouse_id, 0);
    mapping_free(m);
}

static void every_setting_is_read(void **state) {
    (void)state;
    struct mapping *m = good(
        "\"web_orders\":{\"customer_fields\":[\"phone\"],\"message\":true,\"address\":false,\"rejected_status\":12,"
        "\"uncollected_days\":365,\"repeat_after_s\":10,\"look_again_hours\":168},"
        "\"sitoo\":{\"pickup\":{\"cancel_on_reject\":false},"
        "\"return_orders\":{\"orderstate\":0,\"warehouseid\":9,\"add_delivery\":true}}");
    assert_false(m->web.name || m->web.email || m->web.address || m->web.cancel_on_reject);
    assert_true(m->web.phone && m->web.message && m->web.return_add_delivery);
    assert_int_equal(m->web.rejected_status, 12);
    assert_int_equal(m->web.uncollected_days, 365);
    assert_int_equal(m->web.repeat_after_s, 10);
    assert_int_equal(m->web.look_again_hours, 168);
    assert_int_equal(m->web.return_order_state, 0);
    assert_int_equal(m->web.return_warehouse_id, 9);
    mapping_free(m);
    m = good("\"web_orders\":{\"customer_fields\":[],\"rejected_status\":null}");
    assert_false(m->web.name || m->web.phone || m->web.email);
    assert_int_equal(m->web.rejected_status, 0);
    mapping_free(m);
}

static void mistakes_are_named(void **state) {
    static const struct {
        const char *sections, *want;
    } rows[] = {
        {"\"web_orders\":[]", "web_orders: must be an object"},
        {"\"web_orders\":{\"customer_fields\":\"name\"}",
         "web_orders.customer_fields: must be a list of \"name\", \"phone\", \"email\""},
        {"\"web_orders\":{\"customer_fields\":[\"name\",\"birthday\"]}",
         "web_orders.customer_fields: must be a list of \"name\", \"phone\", \"email\""},
        {"\"web_orders\":{\"customer_fields\":[1]}", "web_orders.customer_fields: must be a list of"},
        {"\"web_orders\":{\"message\":\"yes\"}", "web_orders.message: must be true or false"},
        {"\"web_orders\":{\"address\":1}", "web_orders.address: must be true or false"},
        {"\"web_orders\":{\"rejected_status\":10}",
         "web_orders.rejected_status: must be null (left as it is), 5 (Cancelled), 11 (Awaiting Fulfillment) or 12"},
        {"\"web_orders\":{\"rejected_status\":\"5\"}", "web_orders.rejected_status: must be null"},
        {"\"web_orders\":{\"rejected_status\":0}", "web_orders.rejected_status: must be null"},
        {"\"web_orders\":{\"uncollected_days\":0}",
         "web_orders.uncollected_days: must be a whole number from 1 to 365"},
        {"\"web_orders\":{\"uncollected_days\":366}",
         "web_orders.uncollected_days: must be a whole number from 1 to 365"},
        {"\"web_orders\":{\"repeat_after_s\":9}", "web_orders.repeat_after_s: must be a whole number from 10 to 3600"},
        {"\"web_orders\":{\"repeat_after_s\":30.5}",
         "web_orders.repeat_after_s: must be a whole number from 10 to 3600"},
        {"\"web_orders\":{\"look_again_hours\":169}",
         "web_orders.look_again_hours: must be a whole number from 1 to 168"},
        {"\"web_orders\":{\"look_again_hour\":6}",
         "web_orders.look_again_hour: unknown key; did you mean look_again_hours?"},
        {"\"sitoo\":{\"pickup\":{\"cancel_on_reject\":\"no\"}}",
         "sitoo.pickup.cancel_on_reject: must be true or false"},
        {"\"sitoo\":{\"pickup\":{\"cancel\":true}}", "sitoo.pickup.cancel: unknown key"},
        {"\"sitoo\":{\"return_orders\":{\"orderstate\":5}}",
         "sitoo.return_orders.orderstate: must be 10 (closed) or 0 (open)"},
        {"\"sitoo\":{\"return_orders\":{\"orderstate\":20}}",
         "sitoo.return_orders.orderstate: must be a whole number from 0 to 10"},
        {"\"sitoo\":{\"return_orders\":{\"warehouseid\":\"9\"}}",
         "sitoo.return_orders.warehouseid: must be a whole number from 1"},
        {"\"sitoo\":{\"return_orders\":{\"add_delivery\":0}}",
         "sitoo.return_orders.add_delivery: must be true or false"},
        {"\"sitoo\":{\"return_orders\":{\"state\":0}}", "sitoo.return_orders.state: unknown key"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf mistakes;
        struct mapping *m = read(rows[i].sections, &mistakes);
        if (m != NULL || strstr(buf_str(&mistakes), rows[i].want) == NULL) {
            fail_msg("%s: %s", rows[i].sections, buf_str(&mistakes));
        }
        buf_free(&mistakes);
    }
}

static void all_mistakes_are_told_together(void **state) {
    struct buf mistakes;
    (void)state;
    struct mapping *m = read("\"web_orders\":{\"message\":1,\"address\":2,\"uncollected_days\":0}", &mistakes);
    assert_null(m);
    assert_non_null(strstr(buf_str(&mistakes), "web_orders.message"));
    assert_non_null(strstr(buf_str(&mistakes), "web_orders.address"));
    assert_non_null(strstr(buf_str(&mistakes), "web_orders.uncollected_days"));
    buf_free(&mistakes);
}

static void a_shipping_method_is_found_by_its_name(void **state) {
    static const struct {
        const char *name;
        int64_t location;
    } rows[] = {{"Collect in Leeds", 5},
                {"  collect in LEEDS\t", 5},
                {"Collect in Leed", 0},
                {"Collect in Leeds 2", 0},
                {"Collect  in Leeds", 0},
                {"", 0},
                {" ", 0},
                {NULL, 0}};
    (void)state;
    struct mapping *m = good("");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct mapping_location *l = mapping_pickup_named(m, rows[i].name);
        if ((l != NULL ? l->location_id : 0) != rows[i].location) {
            fail_msg("%s", rows[i].name != NULL ? rows[i].name : "NULL");
        }
    }
    mapping_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets_show_a_shop_what_it_needs_to_hand_the_parcel_over),
        cmocka_unit_test(every_setting_is_read),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(all_mistakes_are_told_together),
        cmocka_unit_test(a_shipping_method_is_found_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
