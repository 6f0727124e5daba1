/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/stock-moved/weborders.c tests/unit/plan.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "functions/stock-moved/weborders.h"
#include "buf.h"
#include "plan.h"
#include "ban.h"

/* Location 1 shows the pool; locations 2 and 5 are for pickup, 5 by method 7. */
static const char mapping_text[] =
    "{\"locations\":[{\"bigcommerce_location_id\":1,\"sitoo_warehouse_ids\":[1,2]}],"
    "\"pickup\":[{\"bigcommerce_location_id\":2,\"sitoo_warehouse_id\":43,\"pickup_method_ids\":[2,3]},"
    "{\"bigcommerce_location_id\":5,\"sitoo_warehouse_id\":44,\"pickup_method_ids\":[7]}]}";
static struct mapping *mapping;

static int set_up(void **state) {
    struct buf mistakes;
    (void)state;
    buf_init(&mistakes, 10000);
    mapping = mapping_read(mapping_text, strlen(mapping_text), &mistakes);
    if (mapping == NULL) {
        (void)fprintf(stderr, "%s", buf_str(&mistakes));
    }
    buf_free(&mistakes);
    return mapping != NULL ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    mapping_free(mapping);
    return 0;
}

/* ---- statuses ---- */

static void a_status_says_whether_an_order_holds_stock(void **state) {
    /* Per status: placed before our first start and not pending; placed since; pending already. */
    static const struct {
        int64_t status;
        const char *name;
        bool before, since, pending;
    } rows[] = {
        {-1, "a status that cannot be", false, false, false},
        {0, "Incomplete", false, false, false},
        {1, "Pending", true, true, true},
        {2, "Shipped", false, true, true},
        {3, "Partially Shipped", true, true, true},
        {4, "Refunded", false, false, false},
        {5, "Cancelled", false, false, false},
        {6, "Declined", false, false, false},
        {7, "Awaiting Payment", true, true, true},
        {8, "Awaiting Pickup", true, true, true},
        {9, "Awaiting Shipment", true, true, true},
        {10, "Completed", false, true, true},
        {11, "Awaiting Fulfillment", true, true, true},
        {12, "Manual Verification Required", true, true, true},
        {13, "Disputed", true, true, true},
        {14, "Partially Refunded", true, true, true},
        {15, "a status that does not exist yet", false, false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t s = rows[i].status;
        if (weborder_holds(s, false, false) != rows[i].before || weborder_holds(s, true, false) != rows[i].since ||
            weborder_holds(s, false, true) != rows[i].pending ||
            weborder_holds(s, true, true) != (rows[i].since || rows[i].pending)) {
            fail_msg("%lld %s", (long long)s, rows[i].name);
        }
    }
}

/* ---- orders ---- */

/* "<id> status <n> incomplete", then one line per row: "43|SKU 2000". */
static char *weborder_text(const struct weborder *o) {
    struct buf b;
    buf_init(&b, 1024 * 1024);
    buf_addf(&b, "%lld status %lld%s\n", (long long)o->id, (long long)o->status_id, o->incomplete ? " incomplete" : "");
    assert_int_equal(o->args.n, 2 * o->rows);
    for (size_t i = 0; i < o->args.n; i += 2) {
        buf_addf(&b, "%s %s\n", o->args.argv[i], o->args.argv[i + 1]);
    }
    return buf_take(&b);
}

static char *read_text(const cJSON *json) {
    struct weborder o;
    struct reason why = {0};
    memset(&o, 0xff, sizeof o);
    if (weborder_read(json, mapping, &o, &why) != NEXT_DONE) {
        fail_msg("%s", why.text);
    }
    char *text = weborder_text(&o);
    weborder_free(&o);
    return text;
}

static void a_list_of_orders_is_read(void **state) {
    static const char *const want[] = {
        "126 status 8\n43|14785-5 2000\n",             /* picked up at a location that is named */
        "127 status 1\n43|14785-5 1000\n",             /* location without an id: by pickup method */
        "128 status 11 incomplete\n43|14785-5 1000\n", /* cut off at 50 lines */
        "129 status 11 incomplete\n",                  /* links in place of the lines */
        "149 status 11\n0|ABS 1000\n",                 /* shipped; a bundle counts by its component */
        "150 status 14\n0|121292-4 2000\n",            /* refunded in part; the digital line is nowhere */
    };
    cJSON *list = plan_json("web-orders.json");
    (void)state;
    assert_int_equal(cJSON_GetArraySize(list), sizeof want / sizeof want[0]);
    for (int i = 0; i < cJSON_GetArraySize(list); i++) {
        char *got = read_text(cJSON_GetArrayItem(list, i));
        plan_same("web-orders.json", got, want[i]);
        assert_null(strstr(got, "Fictional"));
        free(got);
    }
    cJSON_Delete(list);
}

static void an_order_with_links_only_is_incomplete(void **state) {
    cJSON *list = plan_json("web-orders-links.json");
    char *got = read_text(cJSON_GetArrayItem(list, 0));
    (void)state;
    plan_same("web-orders-links.json", got, "100 status 11 incomplete\n");
    free(got);
    cJSON_Delete(list);
}

#define ORDER(pickups, shipping) \
    "{\"id\":9,\"status_id\":11,\"consignments\":{\"pickups\":[" pickups "],\"shipping\":[" shipping "]}}"
#define SHIPPED(lines)  ORDER("", "{\"id\":51,\"line_items\":[" lines "]}")
#define PICKUP(members) ORDER("{\"id\":13," members ",\"line_items\":[" A "]}", "")
#define A               "{\"id\":1,\"sku\":\"A\",\"type\":\"physical\",\"quantity\":2}"

struct row {
    const char *name, *json, *want;
};

static void check_rows(const struct row *rows, size_t n) {
    for (size_t i = 0; i < n; i++) {
        cJSON *json = plan_parse(rows[i].json);
        char *got = read_text(json);
        plan_same(rows[i].name, got, rows[i].want);
        free(got);
        cJSON_Delete(json);
    }
}

static void a_pickup_line_counts_at_the_warehouse_of_its_location(void **state) {
    static const struct row rows[] = {
        {"by location", PICKUP("\"pickup_method_id\":2,\"location\":{\"id\":2}"), "9 status 11\n43|A 2000\n"},
        {"the location goes before the method", PICKUP("\"pickup_method_id\":7,\"location\":{\"id\":2}"),
         "9 status 11\n43|A 2000\n"},
        {"by method, location without id", PICKUP("\"pickup_method_id\":7,\"location\":{\"name\":\"x\"}"),
         "9 status 11\n44|A 2000\n"},
        {"by method, no location", PICKUP("\"pickup_method_id\":3"), "9 status 11\n43|A 2000\n"},
        {"by method, location null", PICKUP("\"pickup_method_id\":3,\"location\":null"), "9 status 11\n43|A 2000\n"},
        {"ids as texts", PICKUP("\"pickup_method_id\":\"7\",\"location\":{\"id\":\"2\"}"), "9 status 11\n43|A 2000\n"},
        {"a location that is not mapped is not allocated", PICKUP("\"pickup_method_id\":2,\"location\":{\"id\":8}"),
         "9 status 11\n0|A 2000\n"},
        {"the pool's location is not for pickup", PICKUP("\"location\":{\"id\":1}"), "9 status 11\n0|A 2000\n"},
        {"a method that is not mapped", PICKUP("\"pickup_method_id\":99"), "9 status 11\n0|A 2000\n"},
        {"neither", PICKUP("\"pickup_method_display_name\":\"x\""), "9 status 11\n0|A 2000\n"},
        {"two pickups and a parcel",
         ORDER("{\"location\":{\"id\":2},\"line_items\":[" A "]},{\"location\":{\"id\":5},\"line_items\":[" A "]}",
               "{\"line_items\":[" A "]}"),
         "9 status 11\n43|A 2000\n44|A 2000\n0|A 2000\n"},
    };
    (void)state;
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

static void what_the_list_does_not_show_makes_an_order_incomplete(void **state) {
    static const struct row rows[] = {
        {"no consignments", "{\"id\":9,\"status_id\":11}", "9 status 11 incomplete\n"},
        {"consignments null", "{\"id\":9,\"status_id\":11,\"consignments\":null}", "9 status 11 incomplete\n"},
        {"consignments as a list", "{\"id\":9,\"status_id\":11,\"consignments\":[]}", "9 status 11 incomplete\n"},
        {"consignments as a link", "{\"id\":9,\"status_id\":11,\"consignments\":{\"url\":\"u\",\"resource\":\"r\"}}",
         "9 status 11 incomplete\n"},
        {"pickups only", "{\"id\":9,\"status_id\":11,\"consignments\":{\"pickups\":[]}}", "9 status 11 incomplete\n"},
        {"shipping only", "{\"id\":9,\"status_id\":11,\"consignments\":{\"shipping\":[]}}", "9 status 11 incomplete\n"},
        {"both, empty", ORDER("", ""), "9 status 11\n"},
        {"cut off", ORDER("", "{\"__warning__\":{\"message\":\"m\"},\"line_items\":[" A "]}"),
         "9 status 11 incomplete\n0|A 2000\n"},
        {"cut off, without lines", ORDER("{\"__warning__\":{},\"line_items\":[]}", ""), "9 status 11 incomplete\n"},
        {"cut off in an element", SHIPPED(A ",{\"__warning__\":{\"message\":\"m\"}}"),
         "9 status 11 incomplete\n0|A 2000\n"},
        {"no lines", ORDER("", "{\"id\":1}"), "9 status 11 incomplete\n"},
        {"lines as an object", ORDER("", "{\"line_items\":{\"__warning__\":{}}}"), "9 status 11 incomplete\n"},
        {"a link after a line", SHIPPED(A ",{\"url\":\"u\",\"resource\":\"/orders/9/products/2\"}"),
         "9 status 11 incomplete\n0|A 2000\n"},
    };
    (void)state;
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

static void only_what_is_still_to_be_delivered_counts(void **state) {
    static const struct row rows[] = {
        {"refunded in part", SHIPPED("{\"id\":1,\"sku\":\"A\",\"quantity\":3,\"quantity_refunded\":1}"),
         "9 status 11\n0|A 2000\n"},
        {"refunded whole", SHIPPED("{\"id\":1,\"sku\":\"A\",\"quantity\":3,\"quantity_refunded\":3}"), "9 status 11\n"},
        {"refunded more than ordered", SHIPPED("{\"id\":1,\"sku\":\"A\",\"quantity\":3,\"quantity_refunded\":4}"),
         "9 status 11\n"},
        {"refunded less than nothing holds no more than was ordered",
         SHIPPED("{\"id\":1,\"sku\":\"A\",\"quantity\":3,\"quantity_refunded\":-9007199254740991}"),
         "9 status 11\n0|A 3000\n"},
        {"refunded null", SHIPPED("{\"id\":1,\"sku\":\"A\",\"quantity\":3,\"quantity_refunded\":null}"),
         "9 status 11\n0|A 3000\n"},
        {"numbers as texts", SHIPPED("{\"id\":\"1\",\"sku\":\"A\",\"quantity\":\"3\",\"quantity_refunded\":\"1\"}"),
         "9 status 11\n0|A 2000\n"},
        {"quantity 0", SHIPPED("{\"id\":1,\"sku\":\"A\",\"quantity\":0}"), "9 status 11\n"},
        {"digital", SHIPPED("{\"id\":1,\"sku\":\"A\",\"type\":\"digital\",\"quantity\":3}"), "9 status 11\n"},
        {"gift certificate", SHIPPED("{\"id\":1,\"sku\":\"A\",\"type\":\"giftcertificate\",\"quantity\":1}"),
         "9 status 11\n"},
        {"no type counts as physical", SHIPPED("{\"id\":1,\"sku\":\"A\",\"quantity\":3}"), "9 status 11\n0|A 3000\n"},
        {"custom item without SKU", SHIPPED("{\"id\":1,\"sku\":\"\",\"quantity\":3}"), "9 status 11\n"},
        {"SKU null", SHIPPED("{\"id\":1,\"sku\":null,\"quantity\":3}"), "9 status 11\n"},
        {"the same SKU twice", SHIPPED(A "," A), "9 status 11\n0|A 2000\n0|A 2000\n"},
    };
    (void)state;
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

#define LINE(id, sku, parent) \
    "{\"id\":" id ",\"sku\":\"" sku "\",\"quantity\":1,\"parent_order_product_id\":" parent "}"

static void bundles_count_by_their_components(void **state) {
    static const struct row rows[] = {
        {"one component", SHIPPED(LINE("65", "SET", "null") "," LINE("66", "ABS", "65")), "9 status 11\n0|ABS 1000\n"},
        {"the component comes first", SHIPPED(LINE("66", "ABS", "65") "," LINE("65", "SET", "null")),
         "9 status 11\n0|ABS 1000\n"},
        {"two components and a line apart",
         SHIPPED(
             LINE("65", "SET", "null") "," LINE("66", "A", "65") "," LINE("67", "B", "65") "," LINE("68", "C", "null")),
         "9 status 11\n0|A 1000\n0|B 1000\n0|C 1000\n"},
        {"ids as texts", SHIPPED(LINE("\"65\"", "SET", "null") "," LINE("\"66\"", "ABS", "\"65\"")),
         "9 status 11\n0|ABS 1000\n"},
        {"parent 0 is no parent", SHIPPED(LINE("0", "A", "null") "," LINE("66", "B", "0")),
         "9 status 11\n0|A 1000\n0|B 1000\n"},
        {"parent elsewhere", SHIPPED(LINE("66", "B", "12")), "9 status 11\n0|B 1000\n"},
    };
    (void)state;
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

static void ids_may_be_texts_and_dates_are_read(void **state) {
    static const struct {
        const char *name, *json;
        int64_t id, status, created_ms, modified_ms;
    } rows[] = {
        {"as documented",
         "{\"id\":100,\"status_id\":11,\"date_created\":\"Wed, 10 Jan 2018 21:05:30 +0000\","
         "\"date_modified\":\"Wed, 05 Dec 2018 20:16:55 +0000\"}",
         100, 11, INT64_C(1515618330000), INT64_C(1544041015000)},
        {"texts", "{\"id\":\"100\",\"status_id\":\"0\"}", 100, 0, INT64_MAX, 0},
        {"an order without a date counts as new", "{\"id\":1,\"status_id\":2,\"date_created\":\"\"}", 1, 2, INT64_MAX,
         0},
        {"dates null", "{\"id\":1,\"status_id\":2,\"date_created\":null,\"date_modified\":null}", 1, 2, INT64_MAX, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct weborder o;
        struct reason why = {0};
        cJSON *json = plan_parse(rows[i].json);
        assert_int_equal(weborder_read(json, mapping, &o, &why), NEXT_DONE);
        if (o.id != rows[i].id || o.status_id != rows[i].status || o.created_ms != rows[i].created_ms ||
            o.modified_ms != rows[i].modified_ms) {
            fail_msg("%s: %lld %lld %lld %lld", rows[i].name, (long long)o.id, (long long)o.status_id,
                     (long long)o.created_ms, (long long)o.modified_ms);
        }
        weborder_free(&o);
        cJSON_Delete(json);
    }
}

static void an_order_that_cannot_be_read_is_parked(void **state) {
    static const struct {
        const char *name, *json, *why;
    } rows[] = {
        {"no object", "[]", "without id or status_id"},
        {"no id", "{\"status_id\":11}", "without id or status_id"},
        {"id 0", "{\"id\":0,\"status_id\":11}", "without id or status_id"},
        {"id null", "{\"id\":null,\"status_id\":11}", "without id or status_id"},
        {"id is a word", "{\"id\":\"A100\",\"status_id\":11}", "without id or status_id"},
        {"no status", "{\"id\":9}", "without id or status_id"},
        {"status is a word", "{\"id\":9,\"status_id\":\"Shipped\"}", "without id or status_id"},
        {"line without quantity", SHIPPED("{\"id\":1,\"sku\":\"A\"}"), "order 9: a line has no readable quantity"},
        {"half a unit", SHIPPED("{\"id\":1,\"sku\":\"A\",\"quantity\":1.5}"),
         "order 9: a line has no readable quantity"},
        {"more than a thousand million", SHIPPED("{\"id\":1,\"sku\":\"A\",\"quantity\":1000000001}"),
         "order 9: a line has no readable quantity"},
        {"the second line", SHIPPED(A ",{\"id\":2,\"sku\":\"B\",\"quantity\":null}"),
         "order 9: a line has no readable quantity"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct weborder o;
        struct reason why = {0};
        cJSON *json = plan_parse(rows[i].json);
        if (weborder_read(json, mapping, &o, &why) != NEXT_PARK || strstr(why.text, rows[i].why) == NULL) {
            fail_msg("%s: not parked, or not for this: %s", rows[i].name, why.text);
        }
        assert_string_equal(why.cause, "bad_web_order");
        weborder_free(&o);
        cJSON_Delete(json);
    }
}

/* Only an order that holds stock can hold up the writes. */
static void the_lines_of_a_cancelled_order_are_not_read(void **state) {
    struct weborder o;
    struct reason why = {0};
    cJSON *json = plan_parse(
        "{\"id\":9,\"status_id\":5,\"consignments\":{\"pickups\":[],\"shipping\":[{\"line_items\":[{\"id\":1}]}]}}");
    (void)state;
    assert_int_equal(weborder_read(json, mapping, &o, &why), NEXT_DONE);
    assert_int_equal(o.rows, 0);
    assert_false(o.incomplete);
    weborder_free(&o);
    cJSON_Delete(json);
}

/* n lines of one unit, whose SKUs are numbers of sku_len digits. */
static cJSON *lines(int n, int sku_len) {
    struct buf b;
    buf_init(&b, 1024 * 1024);
    for (int i = 0; i < n; i++) {
        buf_addf(&b, "%c{\"id\":%d,\"sku\":\"%0*d\",\"quantity\":1}", i == 0 ? '[' : ',', i + 1, sku_len, i);
    }
    buf_add_str(&b, "]");
    assert_false(buf_overflowed(&b));
    cJSON *list = plan_parse(buf_str(&b));
    buf_free(&b);
    return list;
}

static void an_order_has_at_most_2000_lines(void **state) {
    (void)state;
    for (int n = 2000; n <= 2001; n++) {
        struct weborder o = {.id = 9};
        struct reason why = {0};
        cJSON *list = lines(n, 6);
        assert_int_equal(weborder_lines(list, 43, &o, &why), n == 2000 ? NEXT_DONE : NEXT_PARK);
        assert_int_equal(o.args.n, 4000);
        plan_same("text", why.text, n == 2000 ? "" : "BigCommerce order 9 has more than 2000 lines");
        weborder_free(&o);
        cJSON_Delete(list);
    }
}

static void lines_of_several_pages_add_up(void **state) {
    struct weborder o = {.id = 9};
    struct reason why = {0};
    cJSON *page = lines(3, 1);
    (void)state;
    assert_int_equal(weborder_lines(page, 0, &o, &why), NEXT_DONE);
    assert_int_equal(weborder_lines(page, 43, &o, &why), NEXT_DONE);
    char *got = weborder_text(&o);
    plan_same("pages", got, "9 status 0\n0|0 1000\n0|1 1000\n0|2 1000\n43|0 1000\n43|1 1000\n43|2 1000\n");
    free(got);
    weborder_free(&o);
    assert_int_equal(weborder_lines(NULL, 0, &o, &why), NEXT_DONE);
    assert_int_equal(o.rows, 0);
    cJSON_Delete(page);
}

/* What /products does not show is not 0: the order would stop holding its units. */
static void a_page_of_lines_is_whole_or_the_order_cannot_be_read(void **state) {
    static const struct {
        const char *name, *json;
        int status;
        enum next want;
        size_t rows;
        const char *why;
    } rows[] = {
        {"a line", "[" A "]", 200, NEXT_DONE, 1, ""},
        {"an empty list", "[]", 200, NEXT_DONE, 0, ""},
        {"204, an empty list", NULL, 204, NEXT_DONE, 0, ""},
        {"an empty body", NULL, 200, NEXT_DONE, 0, ""},
        {"404", NULL, 404, NEXT_DEFER, 0, "order 9: its lines are not there"},
        {"an object", "{}", 200, NEXT_PARK, 0, "order 9: its list of lines is no list, or not whole"},
        {"null", "null", 200, NEXT_PARK, 0, "order 9: its list of lines is no list, or not whole"},
        {"cut off", "[" A ",{\"__warning__\":{}}]", 200, NEXT_PARK, 1,
         "order 9: its list of lines is no list, or not whole"},
        {"a link", "[{\"url\":\"u\",\"resource\":\"r\"}]", 200, NEXT_PARK, 0,
         "order 9: its list of lines is no list, or not whole"},
        {"no quantity", "[{\"id\":1,\"sku\":\"A\"}]", 200, NEXT_PARK, 0, "order 9: a line has no readable quantity"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct weborder o = {.id = 9, .incomplete = true};
        struct reason why = {0};
        cJSON *json = rows[i].json != NULL ? plan_parse(rows[i].json) : NULL;
        enum next next = weborder_products_page(rows[i].status, json, 0, &o, &why);
        if (next != rows[i].want || o.rows != rows[i].rows || strstr(why.text, rows[i].why) == NULL) {
            fail_msg("%s: %d, %zu rows, %s", rows[i].name, (int)next, o.rows, why.text);
        }
        weborder_free(&o);
        cJSON_Delete(json);
    }
}

static void a_sku_has_at_most_255_characters(void **state) {
    (void)state;
    for (int len = 255; len <= 256; len++) {
        struct weborder o = {.id = 9};
        struct reason why = {0};
        cJSON *list = lines(1, len);
        assert_int_equal(weborder_lines(list, 0, &o, &why), NEXT_DONE);
        assert_int_equal(o.rows, len == 255 ? 1 : 0);
        weborder_free(&o);
        cJSON_Delete(list);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_status_says_whether_an_order_holds_stock),
        cmocka_unit_test(a_list_of_orders_is_read),
        cmocka_unit_test(an_order_with_links_only_is_incomplete),
        cmocka_unit_test(a_pickup_line_counts_at_the_warehouse_of_its_location),
        cmocka_unit_test(what_the_list_does_not_show_makes_an_order_incomplete),
        cmocka_unit_test(only_what_is_still_to_be_delivered_counts),
        cmocka_unit_test(bundles_count_by_their_components),
        cmocka_unit_test(ids_may_be_texts_and_dates_are_read),
        cmocka_unit_test(an_order_that_cannot_be_read_is_parked),
        cmocka_unit_test(the_lines_of_a_cancelled_order_are_not_read),
        cmocka_unit_test(an_order_has_at_most_2000_lines),
        cmocka_unit_test(lines_of_several_pages_add_up),
        cmocka_unit_test(a_sku_has_at_most_255_characters),
        cmocka_unit_test(a_page_of_lines_is_whole_or_the_order_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
