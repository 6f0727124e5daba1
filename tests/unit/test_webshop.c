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

#include "buf.h"
#include "json.h"
#include "plan.h"
#include "webshop.h"
#include "ban.h"

/* Location 1 shows the pool; 2 and 5 are for collection, 5 by method 7 or where a shipping method is called so. */
static const char mapping_text[] =
    "{\"locations\":[{\"bigcommerce_location_id\":1,\"sitoo_warehouse_ids\":[1,2]}],"
    "\"pickup\":[{\"bigcommerce_location_id\":2,\"sitoo_warehouse_id\":43,\"pickup_method_ids\":[2,3]},"
    "{\"bigcommerce_location_id\":5,\"sitoo_warehouse_id\":44,\"pickup_method_ids\":[7],"
    "\"shipping_method_names\":[\"Collect in Leeds\",\"Hämta i butik\"]}]%s}";
static struct mapping *mapping, *returns_mapping;

static struct mapping *mapping_with(const char *more) {
    struct buf mistakes;
    char text[1000];
    buf_init(&mistakes, 10000);
    (void)snprintf(text, sizeof text, mapping_text, more);
    struct mapping *m = mapping_read(text, strlen(text), &mistakes);
    if (m == NULL) {
        (void)fprintf(stderr, "%s", buf_str(&mistakes));
    }
    buf_free(&mistakes);
    return m;
}

static int set_up(void **state) {
    (void)state;
    mapping = mapping_with("");
    returns_mapping = mapping_with(",\"shipping\":{\"location_id\":9,\"return_only\":true}");
    return mapping != NULL && returns_mapping != NULL ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    mapping_free(mapping);
    mapping_free(returns_mapping);
    return 0;
}

#define HEAD(status)                 \
    "\"id\":9,\"status_id\":" status \
    ",\"default_currency_code\":\"EUR\",\"date_created\":\"Tue, 03 Feb 2026 09:30:00 +0000\""
#define MONEY               "\"total_inc_tax\":\"125.0000\",\"total_ex_tax\":\"100.0000\""
#define COUNTS(quantity)    "\"quantity\":" quantity ",\"quantity_refunded\":0,\"quantity_shipped\":0"
#define LINE(id, sku, more) "{\"id\":" id ",\"sku\":\"" sku "\",\"name\":\"Shirt\",\"type\":\"physical\"," more "}"
#define A                   LINE("1", "A", COUNTS("2") "," MONEY)
#define B                   LINE("2", "B", COUNTS("1") "," MONEY)
#define BOTH(pickups, shipping) \
    "{" HEAD("11") ",\"consignments\":{\"pickups\":[" pickups "],\"shipping\":[" shipping "]}}"
#define EUROS5         "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
#define EUROS          EUROS5 EUROS5 EUROS5 EUROS5 EUROS5
#define PICKUP(place)  BOTH("{\"id\":13," place ",\"line_items\":[" A "]}", "")
#define SHIPPED(lines) BOTH("", "{\"id\":51,\"shipping_method\":\"Parcel\",\"line_items\":[" lines "]}")
#define NAMED(method)  BOTH("", "{\"id\":51,\"shipping_method\":" method ",\"line_items\":[" A "]}")

/* "collect 43 at 2", "ship", ...; then one line a row: "1 A 2-0+0 1250000/1250000 vat 2500 Shirt". */
static char *order_text(const struct web_order *o, bool whole) {
    static const char *const kinds[] = {[WEB_NO_GOODS] = "no goods",
                                        [WEB_PICKUP] = "collect",
                                        [WEB_SHIP] = "ship",
                                        [WEB_RETURN_ONLY] = "returns only",
                                        [WEB_UNCLEAR] = "unclear"};
    struct buf b;
    buf_init(&b, 100000);
    buf_addf(&b, "%s", kinds[o->kind]);
    if (o->kind == WEB_PICKUP) {
        buf_addf(&b, " %lld at %lld", (long long)o->warehouse_id, (long long)o->location_id);
    }
    buf_addf(&b, "%s%s", o->kind == WEB_UNCLEAR ? ": " : "", o->kind == WEB_UNCLEAR ? o->problem : "");
    buf_addf(&b, "%s\n", whole ? "" : " (lines to be read)");
    for (size_t i = 0; i < o->n; i++) {
        const struct web_row *r = &o->rows[i];
        buf_addf(&b, "%lld %s %lld-%lld+%lld %lld/%lld vat %lld %s\n", (long long)r->id, r->sku, (long long)r->quantity,
                 (long long)r->refunded, (long long)r->shipped, (long long)r->total, (long long)r->paid,
                 (long long)r->vat, r->name);
    }
    return buf_take(&b);
}

static char *take_text(const char *json, const struct mapping *m) {
    struct web_order o = {0};
    struct reason why = {0};
    bool whole = false;
    char *got = NULL;
    cJSON *parsed = plan_parse(json);
    if (web_order_take(parsed, 9, m, &o, &whole, &why) == NEXT_DONE) {
        web_order_goods(&o);
        got = order_text(&o, whole);
    } else {
        assert_string_equal(why.cause, "bad_web_order");
        got = xstrdup(why.text);
    }
    web_order_free(&o);
    cJSON_Delete(parsed);
    return got;
}

struct row {
    const char *name, *json, *want;
};

static void check(const struct row *rows, size_t n, const struct mapping *m) {
    for (size_t i = 0; i < n; i++) {
        char *got = take_text(rows[i].json, m);
        plan_same(rows[i].name, got, rows[i].want);
        free(got);
    }
}
#define CHECK(rows, m) check(rows, sizeof(rows) / sizeof((rows)[0]), m)

#define A_TEXT "1 A 2-0+0 1250000/1250000 vat 2500 Shirt\n"
#define B_TEXT "2 B 1-0+0 1250000/1250000 vat 2500 Shirt\n"

/* ---- where the goods are wanted ---- */

static void place_is_taken_from_the_consignment(void **state) {
    static const struct row rows[] = {
        {"by location", PICKUP("\"location\":{\"id\":2}"), "collect 43 at 2\n" A_TEXT},
        {"by location, the method is another's", PICKUP("\"location\":{\"id\":2},\"pickup_method_id\":7"),
         "collect 43 at 2\n" A_TEXT},
        {"by method", PICKUP("\"pickup_method_id\":7"), "collect 44 at 0\n" A_TEXT},
        {"by method, a text", PICKUP("\"location\":{},\"pickup_method_id\":\"3\""), "collect 43 at 0\n" A_TEXT},
        {"unknown location", PICKUP("\"location\":{\"id\":77}"),
         "unclear: it is to be collected at BigCommerce location 77 (pickup method 0), which the mapping file does not "
         "name "
         "under pickup\n" A_TEXT},
        {"unknown method", PICKUP("\"pickup_method_id\":99"),
         "unclear: it is to be collected at BigCommerce location 0 (pickup method 99), which the mapping file does not "
         "name "
         "under pickup\n" A_TEXT},
        {"the pool is no place to collect", PICKUP("\"location\":{\"id\":1}"),
         "unclear: it is to be collected at BigCommerce location 1 (pickup method 0), which the mapping file does not "
         "name "
         "under pickup\n" A_TEXT},
        {"neither", PICKUP("\"name\":\"Leeds\""),
         "unclear: it is to be collected at BigCommerce location 0 (pickup method 0), which the mapping file does not "
         "name "
         "under pickup\n" A_TEXT},
        {"shipped", SHIPPED(A), "ship\n" A_TEXT},
        {"by the shipping method's name", NAMED("\"Collect in Leeds\""), "collect 44 at 5\n" A_TEXT},
        {"its case and blanks do not count", NAMED("\" collect IN leeds \""), "collect 44 at 5\n" A_TEXT},
        {"a name that is not ASCII", NAMED("\"H\\u00e4mta i butik\""), "collect 44 at 5\n" A_TEXT},
        {"a name that begins so", NAMED("\"Collect in Leeds City\""), "ship\n" A_TEXT},
        {"no name", NAMED("null"), "ship\n" A_TEXT},
        {"an empty name", NAMED("\"\""), "ship\n" A_TEXT},
        {"no consignment", BOTH("", ""), "no goods\n"},
        {"two addresses", BOTH("", "{\"id\":51,\"line_items\":[" A "]},{\"id\":52,\"line_items\":[" B "]}"),
         "unclear: it goes to several addresses: a person has to split it\n" A_TEXT B_TEXT},
        {"collected and sent",
         BOTH("{\"id\":13,\"location\":{\"id\":2},\"line_items\":[" A "]}", "{\"id\":51,\"line_items\":[" B "]}"),
         "unclear: it has several consignments, one of them for collection: a person has to split it\n" A_TEXT B_TEXT},
        {"two shops",
         BOTH("{\"location\":{\"id\":2},\"line_items\":[" A "]},{\"location\":{\"id\":5},\"line_items\":[" B "]}", ""),
         "unclear: it has several consignments, one of them for collection: a person has to split it\n" A_TEXT B_TEXT},
    };
    (void)state;
    CHECK(rows, mapping);
}

static void shipping_from_elsewhere_is_for_returns_only(void **state) {
    static const struct row rows[] = {
        {"shipped", SHIPPED(A), "returns only\n" A_TEXT},
        {"collected", PICKUP("\"location\":{\"id\":2}"), "collect 43 at 2\n" A_TEXT},
        {"collected by name", NAMED("\"Collect in Leeds\""), "collect 44 at 5\n" A_TEXT},
    };
    (void)state;
    CHECK(rows, returns_mapping);
}

/* ---- lines ---- */

static void lines_are_read_as_rows(void **state) {
    static const struct row rows[] = {
        {"two lines", SHIPPED(A "," B), "ship\n" A_TEXT B_TEXT},
        {"numbers as texts",
         SHIPPED(
             LINE("\"1\"", "A", "\"quantity\":\"2\",\"quantity_refunded\":\"1\",\"quantity_shipped\":\"1\"," MONEY)),
         "ship\n1 A 2-1+1 1250000/1250000 vat 2500 Shirt\n"},
        {"refunded and shipped",
         SHIPPED(LINE("1", "A", "\"quantity\":5,\"quantity_refunded\":2,\"quantity_shipped\":3," MONEY)),
         "ship\n1 A 5-2+3 1250000/1250000 vat 2500 Shirt\n"},
        {"a download", SHIPPED("{\"id\":3,\"sku\":\"D\",\"type\":\"digital\"," COUNTS("1") "," MONEY "}"),
         "no goods\n"},
        {"a gift certificate",
         SHIPPED(A ",{\"id\":3,\"sku\":\"\",\"type\":\"giftcertificate\"," COUNTS("1") "," MONEY "}"), "ship\n" A_TEXT},
        {"a line without SKU", SHIPPED(A ",{\"id\":3,\"sku\":\"\",\"type\":\"physical\"," COUNTS("1") "," MONEY "}"),
         "ship\n" A_TEXT},
        {"no type is goods", SHIPPED("{\"id\":3,\"sku\":\"C\",\"name\":\"Cap\"," COUNTS("1") "," MONEY "}"),
         "ship\n3 C 1-0+0 1250000/1250000 vat 2500 Cap\n"},
        {"a bundle goes by its components",
         SHIPPED(LINE("1", "BOX", COUNTS("1") "," MONEY) "," LINE(
             "2", "B",
             COUNTS("2") ",\"parent_order_product_id\":1,\"total_inc_tax\":\"0.0000\",\"total_ex_tax\":\"0.0000\"")),
         "ship\n2 B 2-0+0 0/0 vat 0 Shirt\n"},
        {"a parent of no one", SHIPPED(LINE("1", "A", COUNTS("2") ",\"parent_order_product_id\":null," MONEY)),
         "ship\n" A_TEXT},
        {"no quantity is no line", SHIPPED(LINE("1", "A", COUNTS("0") "," MONEY)),
         "ship\n1 A 0-0+0 1250000/1250000 vat 2500 Shirt\n"},
        {"the same SKU twice", SHIPPED(A "," LINE("2", "A", COUNTS("1") "," MONEY)),
         "ship\n" A_TEXT "2 A 1-0+0 1250000/1250000 vat 2500 Shirt\n"},
        {"an option cut between characters",
         SHIPPED(LINE("1", "A",
                      COUNTS("2") "," MONEY
                                  ",\"product_options\":[{\"display_name\":\"x\",\"display_value\":\"" EUROS EUROS
                                  "\"}]")),
         "ship\n1 A 2-0+0 1250000/1250000 vat 2500 Shirt (x: " EUROS "\xe2\x82\xac"
         ")\n"},
        {"neither name nor SKU", SHIPPED("{\"id\":1,\"type\":\"physical\"," COUNTS("2") "," MONEY "}"), "no goods\n"},
        {"a name from the SKU", SHIPPED("{\"id\":1,\"sku\":\"A\",\"type\":\"physical\"," COUNTS("2") "," MONEY "}"),
         "ship\n1 A 2-0+0 1250000/1250000 vat 2500 A\n"},
        {"options",
         SHIPPED(LINE("1", "A",
                      COUNTS("2") "," MONEY
                                  ",\"product_options\":[{\"display_name\":\"Size\",\"display_value\":\"XL\"},"
                                  "{\"display_name\":\"Print\",\"display_value\":\"\"},"
                                  "{\"display_name\":\"Color\",\"display_value\":\"R\\u00f6d\"}]")),
         "ship\n1 A 2-0+0 1250000/1250000 vat 2500 Shirt (Size: XL, Color: R\xc3\xb6"
         "d)\n"},
        {"control characters",
         SHIPPED("{\"id\":1,\"sku\":\"A\",\"name\":\"a\\u0007b\\tc\\nd\\u007f "
                 "\\ud83d\\ude00\",\"type\":\"physical\"," COUNTS("2") "," MONEY "}"),
         "ship\n1 A 2-0+0 1250000/1250000 vat 2500 a b c d  \xf0\x9f\x98\x80\n"},
    };
    (void)state;
    CHECK(rows, mapping);
}

static void money_and_tax_of_a_row(void **state) {
#define PAID(money) SHIPPED(LINE("1", "A", COUNTS("2") "," money))
    static const struct row rows[] = {
        {"12.5 per cent", PAID("\"total_inc_tax\":\"11.2500\",\"total_ex_tax\":\"10.0000\""),
         "ship\n1 A 2-0+0 112500/112500 vat 1250 Shirt\n"},
        {"6 per cent", PAID("\"total_inc_tax\":\"106.0000\",\"total_ex_tax\":\"100.0000\""),
         "ship\n1 A 2-0+0 1060000/1060000 vat 600 Shirt\n"},
        {"6 per cent of cents", PAID("\"total_inc_tax\":\"10.6000\",\"total_ex_tax\":\"9.9995\""),
         "ship\n1 A 2-0+0 106000/106000 vat 600 Shirt\n"},
        {"no tax", PAID("\"total_inc_tax\":\"10.0000\",\"total_ex_tax\":\"10.0000\""),
         "ship\n1 A 2-0+0 100000/100000 vat 0 Shirt\n"},
        {"no net price", PAID("\"total_inc_tax\":\"10.0000\""), "ship\n1 A 2-0+0 100000/100000 vat 0 Shirt\n"},
        {"free", PAID("\"total_inc_tax\":\"0.0000\",\"total_ex_tax\":\"0.0000\""), "ship\n1 A 2-0+0 0/0 vat 0 Shirt\n"},
        {"more than 100 per cent", PAID("\"total_inc_tax\":\"30.0000\",\"total_ex_tax\":\"10.0000\""),
         "ship\n1 A 2-0+0 300000/300000 vat 10000 Shirt\n"},
        {"the most there can be", PAID("\"total_inc_tax\":\"1000000000000\",\"total_ex_tax\":\"800000000000\""),
         "ship\n1 A 2-0+0 10000000000000000/10000000000000000 vat 2500 Shirt\n"},
        {"a number", PAID("\"total_inc_tax\":62.6793,\"total_ex_tax\":50.1434"),
         "ship\n1 A 2-0+0 626793/626793 vat 2500 Shirt\n"},
        {"a discount",
         PAID(MONEY
              ",\"applied_discounts\":[{\"id\":\"x\",\"amount\":\"9.9900\"},{\"id\":\"y\",\"amount\":\"0.0100\"}]"),
         "ship\n1 A 2-0+0 1250000/1150000 vat 2500 Shirt\n"},
        {"a total after discounts", PAID(MONEY ",\"discounted_total_inc_tax\":\"100.0000\""),
         "ship\n1 A 2-0+0 1250000/1000000 vat 2500 Shirt\n"},
        {"the total after discounts counts",
         PAID(MONEY ",\"discounted_total_inc_tax\":\"100.0000\",\"applied_discounts\":[{"
                    "\"amount\":\"1.0000\"}]"),
         "ship\n1 A 2-0+0 1250000/1000000 vat 2500 Shirt\n"},
        {"a discount of more than all", PAID(MONEY ",\"applied_discounts\":[{\"amount\":\"200.0000\"}]"),
         "ship\n1 A 2-0+0 1250000/0 vat 2500 Shirt\n"},
        {"a discount that raises the price", PAID(MONEY ",\"applied_discounts\":[{\"amount\":\"-5.0000\"}]"),
         "ship\n1 A 2-0+0 1250000/1250000 vat 2500 Shirt\n"},
    };
    (void)state;
    CHECK(rows, mapping);
}

static void lines_that_are_cut_off_are_read_apart(void **state) {
    static const struct row rows[] = {
        {"a warning in a consignment", BOTH("", "{\"id\":51,\"__warning__\":\"more than 50\",\"line_items\":[" A "]}"),
         "no goods (lines to be read)\n"},
        {"a link", BOTH("", "{\"id\":51,\"line_items\":{\"url\":\"https://...\"}}"), "no goods (lines to be read)\n"},
        {"no list", BOTH("", "{\"id\":51}"), "no goods (lines to be read)\n"},
        {"a line without quantity", SHIPPED("{\"id\":1,\"sku\":\"A\",\"total_inc_tax\":\"1.0000\"}"),
         "no goods (lines to be read)\n"},
        {"a line without price", SHIPPED("{\"id\":1,\"sku\":\"A\",\"quantity\":1}"), "no goods (lines to be read)\n"},
        {"a pickup's", BOTH("{\"id\":13,\"location\":{\"id\":77}}", ""),
         "unclear: it is to be collected at BigCommerce location 77 (pickup method 0), which the mapping file does not "
         "name "
         "under pickup (lines to be read)\n"},
    };
    (void)state;
    CHECK(rows, mapping);
}

static void what_cannot_be_read_is_named(void **state) {
    static const struct row rows[] = {
        {"another order", "{\"id\":10}", "BigCommerce order 9: another order came, or none"},
        {"no object", "[]", "BigCommerce order 9: another order came, or none"},
        {"no status", "{\"id\":9,\"default_currency_code\":\"EUR\"}",
         "BigCommerce order 9: status_id or default_currency_code is missing"},
        {"no currency", "{\"id\":9,\"status_id\":11}",
         "BigCommerce order 9: status_id or default_currency_code is missing"},
        {"a currency too long", "{\"id\":9,\"status_id\":11,\"default_currency_code\":\"EUROPEAN\"}",
         "BigCommerce order 9: status_id or default_currency_code is missing"},
        {"no date", "{\"id\":9,\"status_id\":11,\"default_currency_code\":\"EUR\"}",
         "BigCommerce order 9: date_created cannot be read"},
        {"a date that is none",
         "{\"id\":9,\"status_id\":11,\"default_currency_code\":\"EUR\",\"date_created\":\"yesterday\"}",
         "BigCommerce order 9: date_created cannot be read"},
        {"no consignments", "{" HEAD("11") "}", "BigCommerce order 9: its consignments are missing"},
        {"consignments as a link", "{" HEAD("11") ",\"consignments\":{\"url\":\"https://...\"}}",
         "BigCommerce order 9: its consignments are missing"},
        {"consignments as a list", "{" HEAD("11") ",\"consignments\":[]}",
         "BigCommerce order 9: its consignments are missing"},
        {"consignments cut off",
         "{" HEAD("11") ",\"consignments\":{\"pickups\":[],\"shipping\":[],\"__warning__\":\"cut\"}}",
         "BigCommerce order 9: its consignments are missing"},
        {"no pickups", "{" HEAD("11") ",\"consignments\":{\"shipping\":[]}}",
         "BigCommerce order 9: its consignments are missing"},
        {"no id of a line", SHIPPED("{\"sku\":\"A\"," COUNTS("1") "," MONEY "}"),
         "BigCommerce order 9: a line has no id or no readable quantity"},
        {"half a unit", SHIPPED(LINE("1", "A", COUNTS("1.5") "," MONEY)),
         "BigCommerce order 9: a line has no id or no readable quantity"},
        {"less than nothing", SHIPPED(LINE("1", "A", COUNTS("-1") "," MONEY)),
         "BigCommerce order 9: a line has no id or no readable quantity"},
        {"less than no money", SHIPPED(LINE("1", "A", COUNTS("1") ",\"total_inc_tax\":\"-0.0001\"")),
         "BigCommerce order 9: a line has no readable total_inc_tax"},
        {"too many units", SHIPPED(LINE("1", "A", COUNTS("1000000001") "," MONEY)),
         "BigCommerce order 9: a line has no id or no readable quantity"},
        {"no quantity_refunded", SHIPPED(LINE("1", "A", "\"quantity\":1,\"quantity_shipped\":0," MONEY)),
         "BigCommerce order 9: a line has no readable quantity_refunded or quantity_shipped"},
        {"a negative quantity_shipped",
         SHIPPED(LINE("1", "A", "\"quantity\":1,\"quantity_refunded\":0,\"quantity_shipped\":-1," MONEY)),
         "BigCommerce order 9: a line has no readable quantity_refunded or quantity_shipped"},
        {"a price that is none", SHIPPED(LINE("1", "A", COUNTS("1") ",\"total_inc_tax\":\"free\"")),
         "BigCommerce order 9: a line has no readable total_inc_tax"},
    };
    (void)state;
    CHECK(rows, mapping);
}

static void every_status_and_currency_is_kept(void **state) {
    static const char *const currencies[] = {"EUR", "SEK", "JPY", "KWD", "XTS"};
    (void)state;
    for (size_t i = 0; i < sizeof currencies / sizeof currencies[0]; i++) {
        for (int status = 0; status <= 14; status++) {
            char text[900];
            struct web_order o = {0};
            struct reason why = {0};
            bool whole = false;
            (void)snprintf(text, sizeof text,
                           "{\"id\":9,\"status_id\":%d,\"default_currency_code\":\"%s\",\"is_deleted\":%s,"
                           "\"date_created\":\"Tue, 03 Feb 2026 09:30:00 +0000\","
                           "\"consignments\":{\"pickups\":[],\"shipping\":[]}}",
                           status, currencies[i], status % 2 == 0 ? "true" : "false");
            cJSON *json = plan_parse(text);
            assert_int_equal(web_order_take(json, 9, mapping, &o, &whole, &why), NEXT_DONE);
            assert_true(o.found && whole && o.archived == (status % 2 == 0));
            assert_int_equal(o.status_id, status);
            assert_string_equal(o.currency, currencies[i]);
            assert_int_equal(o.created_ms, INT64_C(1770111000000));
            web_order_free(&o);
            cJSON_Delete(json);
        }
    }
}

static void a_name_of_two_thousand_bytes_is_cut_between_characters(void **state) {
    char text[4000], name[2400] = "";
    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        size_t used = 0;
        memset(name, 'x', shift);
        for (used = shift; used < 2000; used += 4) {
            memcpy(name + used, "\xf0\x9f\x9a\xb2", 5);
        }
        (void)snprintf(text, sizeof text,
                       "[{\"id\":1,\"sku\":\"A\",\"name\":\"%s\",\"type\":\"physical\"," COUNTS("1") "," MONEY "}]",
                       name);
        cJSON *lines = plan_parse(text);
        struct web_order o = {.id = 9};
        struct reason why = {0};
        assert_int_equal(web_order_lines(lines, &o, &why), NEXT_DONE);
        assert_in_range(strlen(o.rows[0].name), 197, 200);
        assert_int_equal((strlen(o.rows[0].name) - shift) % 4, 0);
        web_order_free(&o);
        cJSON_Delete(lines);
    }
}

static void lines_of_several_pages_belong_together(void **state) {
    struct web_order o = {.id = 9, .kind = WEB_SHIP};
    struct reason why = {0};
    cJSON *first =
        plan_parse("[" LINE("1", "BOX", COUNTS("1") "," MONEY) "," LINE("3", "C", COUNTS("1") "," MONEY) "]");
    cJSON *second =
        plan_parse("[" LINE("2", "B", COUNTS("2") ",\"parent_order_product_id\":1,\"total_inc_tax\":\"0.0000\"") "]");
    (void)state;
    assert_int_equal(web_order_lines(first, &o, &why), NEXT_DONE);
    assert_int_equal(web_order_lines(second, &o, &why), NEXT_DONE);
    assert_int_equal(web_order_lines(NULL, &o, &why), NEXT_DONE); /* 204 */
    web_order_goods(&o);
    assert_int_equal(o.kind, WEB_SHIP);
    char *got = order_text(&o, true);
    plan_same("pages", got, "ship\n3 C 1-0+0 1250000/1250000 vat 2500 Shirt\n2 B 2-0+0 0/0 vat 0 Shirt\n");
    free(got);
    web_order_free(&o);
    cJSON_Delete(first);
    cJSON_Delete(second);
}

static void more_lines_than_an_order_can_have_are_refused(void **state) {
    struct web_order o = {.id = 9};
    struct reason why = {0};
    cJSON *lines = cJSON_CreateArray();
    (void)state;
    for (int i = 0; i <= WEBSHOP_ROWS_MAX; i++) {
        (void)cJSON_AddItemToArray(lines, plan_parse(A));
    }
    assert_int_equal(web_order_lines(lines, &o, &why), NEXT_DEFER);
    assert_non_null(strstr(why.text, "more than 2,000 lines"));
    cJSON_DeleteItemFromArray(lines, 0);
    assert_int_equal(web_order_lines(lines, &o, &why), NEXT_DONE);
    assert_int_equal(o.n, WEBSHOP_ROWS_MAX);
    web_order_free(&o);
    cJSON_Delete(lines);
    lines = plan_parse("{\"url\":\"https://...\"}");
    assert_int_equal(web_order_lines(lines, &o, &why), NEXT_DEFER);
    cJSON_Delete(lines);
    web_order_free(&o);
}

/* ---- units and their share ---- */

static void what_is_wanted_is_what_was_not_refunded(void **state) {
    static const struct {
        int64_t quantity, refunded, want;
    } rows[] = {{3, 0, 3}, {3, 1, 2}, {3, 3, 0}, {3, 4, 0}, {0, 0, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct web_row r = {.quantity = rows[i].quantity, .refunded = rows[i].refunded};
        assert_int_equal(web_row_wanted(&r), rows[i].want);
    }
}

static void a_share_goes_by_quantity(void **state) {
    static const struct {
        int64_t quantity, amount, n, want;
    } rows[] = {{3, 1000000, 3, 1000000}, {3, 1000000, 1, 333333},
                {3, 1000000, 2, 666666},  {3, 1000000, 0, 0},
                {1, 1250000, 1, 1250000}, {3, 1000000, 9, 1000000},
                {0, 500, 1, 500},         {7, INT64_C(9999999999999999), 3, INT64_C(4285714285714285)}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct web_row r = {.quantity = rows[i].quantity};
        if (web_row_share(&r, rows[i].amount, rows[i].n) != rows[i].want) {
            fail_msg("row %zu: %lld", i, (long long)web_row_share(&r, rows[i].amount, rows[i].n));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(place_is_taken_from_the_consignment),
        cmocka_unit_test(shipping_from_elsewhere_is_for_returns_only),
        cmocka_unit_test(lines_are_read_as_rows),
        cmocka_unit_test(money_and_tax_of_a_row),
        cmocka_unit_test(lines_that_are_cut_off_are_read_apart),
        cmocka_unit_test(what_cannot_be_read_is_named),
        cmocka_unit_test(every_status_and_currency_is_kept),
        cmocka_unit_test(a_name_of_two_thousand_bytes_is_cut_between_characters),
        cmocka_unit_test(lines_of_several_pages_belong_together),
        cmocka_unit_test(more_lines_than_an_order_can_have_are_refused),
        cmocka_unit_test(what_is_wanted_is_what_was_not_refunded),
        cmocka_unit_test(a_share_goes_by_quantity),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
