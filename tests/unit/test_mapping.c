/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mapping.h"
#include "ban.h"

#define LOCATION "\"locations\":[{\"bigcommerce_location_id\":1,\"sitoo_warehouse_ids\":[2,1,43]}]"
#define PICKUP                                                                                        \
    "\"pickup\":[{\"bigcommerce_location_id\":5,\"sitoo_warehouse_id\":43,\"pickup_method_ids\":[2]," \
    "\"shipping_method_names\":[\"Collect in Leeds\"]}]"

#define PRODUCTS(section) "{" LOCATION ",\"products\":" section "}"

static struct mapping *read_good(const char *text) {
    struct buf mistakes;
    buf_init(&mistakes, 10000);
    struct mapping *m = mapping_read(text, strlen(text), &mistakes);
    if (m == NULL) {
        fail_msg("%s", buf_str(&mistakes));
    }
    buf_free(&mistakes);
    return m;
}

static void the_example_of_the_design_is_read(void **state) {
    (void)state;
    struct mapping *m = read_good(
        "{" LOCATION "," PICKUP
        ",\"shipping\":{\"location_id\":1,\"allocate_from\":[1,2],\"allow_split\":false,\"return_only\":false},"
        "\"products\":{\"vat_groups\":{\"0\":2}},\"returns\":{\"unknown_reason\":\"park\"},"
        "\"brake\":{\"max_zeroed_skus\":200,\"max_units_moved\":5000,\"max_price_change_percent\":50},"
        "\"sitoo\":{\"max_inflight\":1,\"page_size\":1000,\"reserve_days\":0},"
        "\"budget\":{\"reserve_percent\":10,\"weights\":{\"stock\":60,\"orders\":25,\"refunds\":10,\"rest\":5}},"
        "\"owners\":{\"mapping\":\"merchandising\",\"stock\":\"operations\",\"money\":\"finance\",\"pickup\":\"store\"}"
        "}");
    assert_int_equal(m->location_count, 2);
    assert_int_equal(m->warehouse_count, 3);
    assert_int_equal(m->warehouses[0], 1);
    assert_int_equal(mapping_warehouse_index(m, 43), 2);
    assert_int_equal(mapping_warehouse_index(m, 44), -1);
    assert_true(m->locations[0].serves_shipping);
    assert_false(m->locations[1].serves_shipping);
    assert_ptr_equal(mapping_pickup(m, 5, 0), &m->locations[1]);
    assert_ptr_equal(mapping_pickup(m, 0, 2), &m->locations[1]);
    assert_null(mapping_pickup(m, 1, 0));
    assert_null(mapping_pickup(m, 0, 3));
    mapping_free(m);
}

static void presets_are_safe(void **state) {
    (void)state;
    struct mapping *m = read_good("{" LOCATION "}");
    assert_int_equal(m->sitoo_max_inflight, 1);
    assert_int_equal(m->sitoo_bad_auth_status, 503);
    assert_string_equal(m->sitoo_order_prefix, "BC-");
    assert_int_equal(m->budget_reserve_percent, 10);
    assert_int_equal(m->brake_max_zeroed_skus, 200);
    assert_string_equal(m->owner_money, "finance");
    assert_int_equal(m->baseline.accept_within_hours, 24);
    assert_int_equal(m->baseline.pattern_count, 0);
    assert_string_equal(m->baseline.default_class, "");
    assert_true(m->locations[0].serves_shipping); /* nothing said: every location may ship */
    mapping_free(m);
}

static void every_mistake_is_named_by_its_path(void **state) {
    static const struct {
        const char *name, *text, *want;
    } rows[] = {
        {"not JSON", "{", "not JSON"},
        {"no object", "[]", "must be a JSON object"},
        {"no location", "{}", "locations: at least one"},
        {"unknown key", "{" LOCATION ",\"location\":[]}", "location: unknown key; did you mean locations?"},
        {"unknown key below", "{" LOCATION ",\"brake\":{\"max_units\":1}}",
         "brake.max_units: unknown key; did you mean max_units_moved?"},
        {"unknown key near to none", "{" LOCATION ",\"brake\":{\"zzz\":1}}", "brake.zzz: unknown key\n"},
        {"one letter less", "{\"locations\":[{\"bigcommerce_location_id\":1,\"sitoo_warehouse_id\":[1]}]}",
         "locations[0].sitoo_warehouse_id: unknown key; did you mean sitoo_warehouse_ids?"},
        {"method names that are no texts",
         "{" LOCATION ",\"pickup\":[{\"bigcommerce_location_id\":5,\"sitoo_warehouse_id\":43,"
         "\"shipping_method_names\":[1]}]}",
         "pickup[0].shipping_method_names: must be a list of texts"},
        {"pickup at a pool's location",
         "{" LOCATION ",\"pickup\":[{\"bigcommerce_location_id\":1,\"sitoo_warehouse_id\":43}]}",
         "location 1 is mapped twice"},
        {"one pickup method, two pickups",
         "{" LOCATION
         ",\"pickup\":[{\"bigcommerce_location_id\":5,\"sitoo_warehouse_id\":43,\"pickup_method_ids\":[2]},"
         "{\"bigcommerce_location_id\":6,\"sitoo_warehouse_id\":44,\"pickup_method_ids\":[3,2]}]}",
         "pickup[1].pickup_method_ids[1]: pickup method 2 is already that of pickup[0] (BigCommerce locations 5 and "
         "6)"},
        {"no id", "{\"locations\":[{\"sitoo_warehouse_ids\":[1]}]}", "locations[0].bigcommerce_location_id: missing"},
        {"no warehouses", "{\"locations\":[{\"bigcommerce_location_id\":1}]}",
         "locations[0].sitoo_warehouse_ids: must be a list"},
        {"warehouse twice", "{\"locations\":[{\"bigcommerce_location_id\":1,\"sitoo_warehouse_ids\":[1,1]}]}",
         "sitoo_warehouse_ids[1]: stands in the list twice"},
        {"warehouse as text", "{\"locations\":[{\"bigcommerce_location_id\":1,\"sitoo_warehouse_ids\":[\"1\"]}]}",
         "sitoo_warehouse_ids[0]: must be an id"},
        {"one warehouse, two pools",
         "{\"locations\":[{\"bigcommerce_location_id\":1,\"sitoo_warehouse_ids\":[1]},{\"bigcommerce_location_id\":2,"
         "\"sitoo_warehouse_ids\":[1]}]}",
         "warehouse 1 feeds two pool locations"},
        {"location twice",
         "{\"locations\":[{\"bigcommerce_location_id\":1,\"sitoo_warehouse_ids\":[1]},{\"bigcommerce_location_id\":1,"
         "\"sitoo_warehouse_ids\":[2]}]}",
         "location 1 is mapped twice"},
        {"shipping elsewhere", "{" LOCATION ",\"shipping\":{\"location_id\":9}}", "shipping.location_id: is not among"},
        {"return only of a mapped one", "{" LOCATION ",\"shipping\":{\"location_id\":1,\"return_only\":true}}",
         "shipping.return_only"},
        {"allocate from elsewhere", "{" LOCATION ",\"shipping\":{\"allocate_from\":[1,9]}}",
         "shipping.allocate_from[1]: warehouse 9"},
        {"weights", "{" LOCATION ",\"budget\":{\"weights\":{\"stock\":50}}}", "budget.weights: must add up to 100"},
        {"limit", "{" LOCATION ",\"sitoo\":{\"page_size\":5}}",
         "sitoo.page_size: must be a whole number from 10 to 5000"},
        {"status", "{" LOCATION ",\"sitoo\":{\"events\":{\"bad_auth_status\":403}}}",
         "sitoo.events.bad_auth_status: must be 503"},
        {"prefix", "{" LOCATION ",\"sitoo\":{\"order_prefix\":\"BC/\"}}", "sitoo.order_prefix"},
        {"baseline of the wrong type", "{" LOCATION ",\"baseline\":[]}", "baseline: must be an object"},
        {"baseline key", "{" LOCATION ",\"baseline\":{\"default_clas\":\"subtract\"}}",
         "baseline.default_clas: unknown key; did you mean default_class?"},
        {"pattern without a mark", "{" LOCATION ",\"baseline\":{\"externalid_patterns\":[\"{order}\",\"WEB\"]}}",
         "baseline.externalid_patterns[1]: must be a text"},
        {"pattern with two marks", "{" LOCATION ",\"baseline\":{\"externalid_patterns\":[\"{order}{order}\"]}}",
         "baseline.externalid_patterns[0]: must be a text"},
        {"pattern with a comma", "{" LOCATION ",\"baseline\":{\"externalid_patterns\":[\"a,{order}\"]}}",
         "baseline.externalid_patterns[0]: must be a text"},
        {"no such status", "{" LOCATION ",\"baseline\":{\"status_classes\":{\"15\":\"subtract\"}}}",
         "baseline.status_classes.15: is no status_id"},
        {"no such class", "{" LOCATION ",\"baseline\":{\"status_classes\":{\"7\":\"sold\"}}}",
         "baseline.status_classes.7: must be in_sitoo, subtract or hand_over"},
        {"age without class", "{" LOCATION ",\"baseline\":{\"older_than_days\":9}}",
         "baseline.older_than_days: goes together with older_than_class"},
        {"hours", "{" LOCATION ",\"baseline\":{\"accept_within_hours\":0}}",
         "baseline.accept_within_hours: must be a whole number from 1 to 168"},
        {"group of the wrong type", "{" LOCATION ",\"returns\":[]}", "returns: must be an object"},
        {"products of the wrong type", PRODUCTS("[]"), "products: must be an object"},
        {"products key", PRODUCTS("{\"vat_group\":{}}"), "products.vat_group: unknown key; did you mean vat_groups?"},
        {"a table that is none", PRODUCTS("{\"vat_groups\":[1]}"), "products.vat_groups: must be an object"},
        {"no id of a tax class", PRODUCTS("{\"vat_groups\":{\"a\":1}}"), "products.vat_groups.a: is no id"},
        {"no id of a product group", PRODUCTS("{\"vat_groups\":{\"0\":0}}"), "products.vat_groups.0: must be an id"},
        {"a product group as text", PRODUCTS("{\"vat_groups\":{\"0\":\"2\"}}"), "products.vat_groups.0: must be an id"},
        {"one tax class twice", PRODUCTS("{\"vat_groups\":{\"1\":2,\"01\":3}}"),
         "products.vat_groups.01: stands in the table twice"},
        {"brand 0", PRODUCTS("{\"manufacturers\":{\"0\":2}}"), "products.manufacturers.0: is no id"},
        {"category below 0", PRODUCTS("{\"categories\":{\"-1\":2}}"), "products.categories.-1: is no id"},
        {"default group", PRODUCTS("{\"default_vat_group\":0}"), "products.default_vat_group: must be null or"},
        {"price", PRODUCTS("{\"price\":\"list\"}"), "products.price: must be \"catalog\" or \"price_list\""},
        {"price list without id", PRODUCTS("{\"price\":\"price_list\"}"), "products.price_list_id: missing"},
        {"price list", PRODUCTS("{\"price_list_id\":\"5\"}"), "products.price_list_id: must be null or"},
        {"sale prices in the default list", PRODUCTS("{\"sale_price_list_id\":1}"),
         "products.sale_price_list_id: must be null or"},
        {"barcode", PRODUCTS("{\"barcode\":[\"ean\"]}"), "products.barcode: must be a list"},
        {"barcode twice", PRODUCTS("{\"barcode\":[\"upc\",\"upc\"]}"), "products.barcode: must be a list"},
        {"barcode as text", PRODUCTS("{\"barcode\":\"upc\"}"), "products.barcode: must be a list"},
        {"unit", PRODUCTS("{\"unit_label\":\"\"}"), "products.unit_label: must be null or"},
        {"long unit", PRODUCTS("{\"unit_label\":\"12345678901234567890123456789012\"}"), "products.unit_label"},
        {"hidden", PRODUCTS("{\"hidden\":true}"), "products.hidden: must be \"inactive\" or \"active\""},
        {"flag", PRODUCTS("{\"quarantine\":1}"), "products.quarantine: must be true or false"},
        {"debounce", PRODUCTS("{\"debounce_s\":3601}"), "products.debounce_s: must be a whole number from 0 to 3600"},
        {"sweep", PRODUCTS("{\"sweep_hours\":0}"), "products.sweep_hours: must be a whole number from 1 to 168"},
        {"price brake", "{" LOCATION ",\"brake\":{\"max_price_change_percent\":0}}", "brake.max_price_change_percent"},
        {"deactivation brake", "{" LOCATION ",\"brake\":{\"max_deactivated_skus\":0}}", "brake.max_deactivated_skus"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf mistakes;
        buf_init(&mistakes, 10000);
        struct mapping *m = mapping_read(rows[i].text, strlen(rows[i].text), &mistakes);
        if (m != NULL || strstr(buf_str(&mistakes), rows[i].want) == NULL) {
            fail_msg("%s: %s", rows[i].name, m != NULL ? "was read" : buf_str(&mistakes));
        }
        buf_free(&mistakes);
    }
}

static void without_the_section_no_products_flow(void **state) {
    (void)state;
    struct mapping *m = read_good("{" LOCATION "}");
    const struct mapping_products *p = &m->products;
    assert_false(p->on);
    assert_true(p->prices_include_vat);
    assert_false(p->from_price_list || p->hidden_stays_active || p->quarantine || p->description || p->retail_price ||
                 p->images);
    assert_int_equal(p->barcode_count, 2);
    assert_int_equal(p->barcodes[0], BARCODE_GTIN);
    assert_int_equal(p->barcodes[1], BARCODE_UPC);
    assert_int_equal(p->debounce_s, 60);
    assert_int_equal(p->sweep_hours, 24);
    assert_int_equal(p->default_vat_group, 0);
    assert_string_equal(p->unit_label, "");
    assert_int_equal(m->brake_price_percent, 50);
    assert_int_equal(m->brake_max_deactivated, 200);
    mapping_free(m);
}

static void every_key_of_products_is_read(void **state) {
    (void)state;
    struct mapping *m = read_good(
        "{" LOCATION ",\"products\":{\"vat_groups\":{\"0\":2,\"1\":3},\"default_vat_group\":7,\"price\":\"price_list\","
        "\"price_list_id\":5,\"sale_price_list_id\":2,\"prices_include_vat\":false,\"barcode\":[\"upc\"],"
        "\"unit_label\":\"st\",\"retail_price\":true,\"description\":true,\"images\":true,\"manufacturers\":{\"36\":4},"
        "\"categories\":{\"23\":49},\"hidden\":\"active\",\"debounce_s\":0,\"quarantine\":true,\"sweep_hours\":168},"
        "\"brake\":{\"max_price_change_percent\":100000,\"max_deactivated_skus\":1}}");
    const struct mapping_products *p = &m->products;
    assert_true(p->on && p->from_price_list && p->retail_price && p->description && p->images &&
                p->hidden_stays_active);
    assert_true(p->quarantine && !p->prices_include_vat);
    assert_int_equal(mapping_pair(&p->vat_groups, 0), 2);
    assert_int_equal(mapping_pair(&p->vat_groups, 1), 3);
    assert_int_equal(mapping_pair(&p->vat_groups, 2), 0);
    assert_int_equal(mapping_pair(&p->manufacturers, 36), 4);
    assert_int_equal(mapping_pair(&p->categories, 23), 49);
    assert_int_equal(p->default_vat_group, 7);
    assert_int_equal(p->price_list_id, 5);
    assert_int_equal(p->sale_price_list_id, 2);
    assert_int_equal(p->barcode_count, 1);
    assert_int_equal(p->barcodes[0], BARCODE_UPC);
    assert_string_equal(p->unit_label, "st");
    assert_int_equal(p->debounce_s, 0);
    assert_int_equal(p->sweep_hours, 168);
    assert_int_equal(m->brake_price_percent, 100000);
    assert_int_equal(m->brake_max_deactivated, 1);
    mapping_free(m);
    m = read_good(PRODUCTS("{\"default_vat_group\":null,\"price_list_id\":null,\"sale_price_list_id\":null,"
                           "\"unit_label\":null,\"barcode\":[]}"));
    assert_true(m->products.on);
    assert_int_equal(m->products.barcode_count, 0);
    mapping_free(m);
}

static void a_table_has_at_most_2000_entries(void **state) {
    struct buf text, mistakes;
    (void)state;
    buf_init(&text, 100000);
    buf_init(&mistakes, 10000);
    buf_add_str(&text, "{" LOCATION ",\"products\":{\"categories\":{\"1\":1");
    for (int i = 2; i <= MAPPING_PAIRS_MAX + 1; i++) {
        buf_addf(&text, ",\"%d\":%d", i, i);
    }
    buf_add_str(&text, "}}}");
    assert_null(mapping_read(buf_str(&text), text.len, &mistakes));
    assert_non_null(strstr(buf_str(&mistakes), "products.categories: must have at most 2000 entries"));
    buf_free(&text);
    buf_free(&mistakes);
}

static void several_mistakes_are_reported_together(void **state) {
    struct buf mistakes;
    static const char text[] =
        "{\"locations\":[{\"bigcommerce_location_id\":0,\"sitoo_warehouse_ids\":[]}],\"sitoo\":{\"max_inflight\":99}}";
    (void)state;
    buf_init(&mistakes, 10000);
    assert_null(mapping_read(text, sizeof text - 1, &mistakes));
    assert_non_null(strstr(buf_str(&mistakes), "locations[0].bigcommerce_location_id"));
    assert_non_null(strstr(buf_str(&mistakes), "locations[0].sitoo_warehouse_ids"));
    assert_non_null(strstr(buf_str(&mistakes), "sitoo.max_inflight"));
    buf_free(&mistakes);
}

static void mistakes_that_do_not_fit_are_mistakes_still(void **state) {
    struct buf mistakes, text;
    (void)state;
    buf_init(&mistakes, 1000);
    buf_init(&text, 10000);
    buf_add_str(&text, "{\"");
    for (int i = 0; i < 2000; i++) {
        buf_add_str(&text, "k");
    }
    buf_add_str(&text, "\":1," LOCATION "}");
    assert_null(mapping_read(buf_str(&text), text.len, &mistakes));
    assert_non_null(strstr(buf_str(&mistakes), "unknown key")); /* a long key is cut, so that the report has room */
    buf_free(&mistakes);
    buf_init(&mistakes, 10);
    assert_null(mapping_read("{}", 2, &mistakes));
    buf_free(&mistakes);
    buf_free(&text);
}

static void shipping_is_served_where_its_stock_is(void **state) {
    static const struct {
        const char *name, *shipping;
        bool want[3];
    } rows[] = {
        {"nothing said", "", {true, true, true}},
        {"by location", ",\"shipping\":{\"location_id\":2}", {false, true, false}},
        {"by warehouse", ",\"shipping\":{\"allocate_from\":[1]}", {true, false, false}},
        {"by both", ",\"shipping\":{\"location_id\":2,\"allocate_from\":[43]}", {false, true, true}},
        {"not mapped, return only", ",\"shipping\":{\"location_id\":9,\"return_only\":true}", {false, false, false}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf text;
        buf_init(&text, 2000);
        buf_addf(&text,
                 "{\"locations\":[{\"bigcommerce_location_id\":1,\"sitoo_warehouse_ids\":[1]},"
                 "{\"bigcommerce_location_id\":2,\"sitoo_warehouse_ids\":[2]}]," PICKUP "%s}",
                 rows[i].shipping);
        struct mapping *m = read_good(buf_str(&text));
        for (size_t k = 0; k < 3; k++) {
            if (m->locations[k].serves_shipping != rows[i].want[k]) {
                fail_msg("%s: location %zu", rows[i].name, k);
            }
        }
        mapping_free(m);
        buf_free(&text);
    }
}

static void the_section_sweep_has_presets_and_limits(void **state) {
    (void)state;
    struct buf mistakes;
    const char *good = "{\"locations\":[{\"bigcommerce_location_id\":1,\"sitoo_warehouse_ids\":[1]}],"
                       "\"sweep\":{\"orders_minutes\":5,\"grace_s\":30}}";
    const char *bad = "{\"locations\":[{\"bigcommerce_location_id\":1,\"sitoo_warehouse_ids\":[1]}],"
                      "\"sweep\":{\"levels_minutes\":4,\"stock_hour\":2}}";
    buf_init(&mistakes, 4000);
    struct mapping *m = mapping_read(good, strlen(good), &mistakes);
    assert_non_null(m);
    assert_int_equal(m->sweep.orders_minutes, 5);
    assert_int_equal(m->sweep.grace_s, 30);
    assert_int_equal(m->sweep.stock_hours, 24);
    assert_int_equal(m->sweep.levels_minutes, 60);
    mapping_free(m);
    assert_null(mapping_read(bad, strlen(bad), &mistakes));
    assert_non_null(strstr(buf_str(&mistakes), "sweep.levels_minutes"));
    assert_non_null(strstr(buf_str(&mistakes), "sweep.stock_hour"));
    buf_free(&mistakes);
}

static void a_missing_file_is_a_mistake(void **state) {
    struct buf mistakes;
    (void)state;
    buf_init(&mistakes, 10000);
    assert_null(mapping_load("/nonexistent/mapping.json", &mistakes));
    assert_non_null(strstr(buf_str(&mistakes), "ONEPOOL_CONFIG: /nonexistent/mapping.json"));
    buf_free(&mistakes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_design_is_read),
        cmocka_unit_test(presets_are_safe),
        cmocka_unit_test(every_mistake_is_named_by_its_path),
        cmocka_unit_test(without_the_section_no_products_flow),
        cmocka_unit_test(every_key_of_products_is_read),
        cmocka_unit_test(a_table_has_at_most_2000_entries),
        cmocka_unit_test(several_mistakes_are_reported_together),
        cmocka_unit_test(mistakes_that_do_not_fit_are_mistakes_still),
        cmocka_unit_test(shipping_is_served_where_its_stock_is),
        cmocka_unit_test(the_section_sweep_has_presets_and_limits),
        cmocka_unit_test(a_missing_file_is_a_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
