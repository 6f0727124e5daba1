/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/onepool/baseline_csv.c functions/onepool/baseline_class.c functions/onepool/baseline_orders.c */
/* links: functions/onepool/baseline_propose.c functions/onepool/baseline_progress.c functions/onepool/text.c */
/* links: functions/onepool/baseline_store.c functions/onepool/baseline_list.c tests/unit/plan.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "functions/onepool/command.h"
#include "buf.h"
#include "json.h"
#include "plan.h"
#include "ban.h"

#define DAY_MS (INT64_C(86400) * 1000)

/* Of main.c. */
int command_failed(const struct command_line *line, const struct reason *why) {
    (void)line;
    (void)why;
    return 1;
}
void command_print_json(const cJSON *o) {
    (void)o;
}
void command_print(struct buf *text) {
    buf_free(text);
}

/* ---- the file of orders ---- */

/* Orders 1 to 3; 2 was found in Sitoo. */
static struct open_order three[3];
static struct open_orders orders_of_three(void) {
    memset(three, 0, sizeof three);
    for (int i = 0; i < 3; i++) {
        three[i] = (struct open_order){.id = i + 1, .status = 11, .units = 1500, .created_ms = 1463041119000};
    }
    three[1].class = WEBORDER_IN_SITOO;
    (void)str_copy(three[1].by, sizeof three[1].by, "sitoo");
    return (struct open_orders){.list = three, .n = 3};
}

static void classes_are_taken_by_column_name(void **state) {
    static const struct {
        const char *name, *text;
        size_t set;
        enum weborder_class want[3];
    } rows[] = {
        {"as exported, and filled in",
         "order,status,created,units,class,by,note\r\n1,11,,,hand_over,,\r\n2,11,,,in_sitoo,sitoo,\r\n",
         1,
         {WEBORDER_HAND_OVER, WEBORDER_IN_SITOO, WEBORDER_UNCLASSED}},
        {"columns the other way round",
         "class,order\nsubtract,3\n",
         1,
         {WEBORDER_UNCLASSED, WEBORDER_IN_SITOO, WEBORDER_SUBTRACT}},
        {"semicolons and a byte order mark",
         "\xef\xbb\xbforder;class\n1;subtract\n",
         1,
         {WEBORDER_SUBTRACT, WEBORDER_IN_SITOO, WEBORDER_UNCLASSED}},
        {"quoted, with a line end inside",
         "order,note,class\n\"1\",\"a \"\"b\"\",\nc\",\"subtract\"\n",
         1,
         {WEBORDER_SUBTRACT, WEBORDER_IN_SITOO, WEBORDER_UNCLASSED}},
        {"a person takes a class away",
         "order,class\n2,\n",
         1,
         {WEBORDER_UNCLASSED, WEBORDER_UNCLASSED, WEBORDER_UNCLASSED}},
        {"empty lines, no line end",
         "order,class\n\n3,subtract",
         1,
         {WEBORDER_UNCLASSED, WEBORDER_IN_SITOO, WEBORDER_SUBTRACT}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf mistakes;
        struct open_orders o = orders_of_three();
        buf_init(&mistakes, 1000);
        size_t set = orders_csv_read(rows[i].text, &o, &mistakes);
        if (mistakes.len > 0 || set != rows[i].set) {
            fail_msg("%s: %zu set, %s", rows[i].name, set, buf_str(&mistakes));
        }
        for (size_t k = 0; k < 3; k++) {
            if (three[k].class != rows[i].want[k]) {
                fail_msg("%s: order %zu is %s", rows[i].name, k + 1, weborder_class_name(three[k].class));
            }
        }
        buf_free(&mistakes);
    }
}

static void one_mistake_and_nothing_is_taken(void **state) {
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"", "line 1: the file is empty"},
        {"order\n1\n", "line 1: the first line must name the columns order and class"},
        {"order,class\n1,subtract\nx,subtract\n", "line 3: is no order number: \"x\""},
        {"order,class\n1,subtract\n4,subtract\n", "line 3: no open order has the number \"4\""},
        {"order,class\n1,subtract\n3,Subtract\n",
         "line 3: must be in_sitoo, subtract, hand_over or empty, not \"Subtract\""},
        {"order,class\n1,subtract\n3,subtract now\n", "line 3: must be"},
        {"order,class\n1,subtract\n1,subtract\n", "line 3: order stands in the file twice: \"1\""},
        {"order,class\n1,subtract\n3\n", "line 3: has too few columns"},
        {"order,class\n1,subtract\n3,\"subtract\n", "line 3: a quote is not closed"},
        {"order,class\n1,subtract\n\"3\"4,subtract\n", "line 3: there is text behind a closing quote"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf mistakes;
        struct open_orders o = orders_of_three();
        buf_init(&mistakes, 1000);
        assert_int_equal(orders_csv_read(rows[i].text, &o, &mistakes), 0);
        if (strstr(buf_str(&mistakes), rows[i].want) == NULL) {
            fail_msg("%s: %s", rows[i].want, buf_str(&mistakes));
        }
        assert_int_equal(three[0].class, WEBORDER_UNCLASSED);
        buf_free(&mistakes);
    }
}

static void a_written_file_is_read_back_unchanged(void **state) {
    struct buf text, mistakes;
    struct open_orders o = orders_of_three();
    (void)state;
    (void)str_copy(three[0].note, sizeof three[0].note, "=1+2, \"quoted\"");
    buf_init(&text, 10000);
    buf_init(&mistakes, 1000);
    orders_csv_write(&o, &text);
    assert_non_null(strstr(buf_str(&text), "1,11,2016-05-12,1.500,,,\"'=1+2, \"\"quoted\"\"\"\r\n"));
    assert_int_equal(orders_csv_read(buf_str(&text), &o, &mistakes), 0);
    assert_string_equal(buf_str(&mistakes), "");
    assert_string_equal(three[1].by, "sitoo");
    buf_free(&text);
    buf_free(&mistakes);
}

/* ---- rules ---- */

static void the_first_rule_that_fits_counts(void **state) {
    struct mapping m = {0};
    struct open_orders o = orders_of_three();
    int64_t now = 1463041119000 + 100 * DAY_MS;
    (void)state;
    (void)str_copy(m.baseline.status_class[7], MAPPING_CLASS_SIZE, "subtract");
    m.baseline.older_than_days = 90;
    (void)str_copy(m.baseline.older_than_class, MAPPING_CLASS_SIZE, "in_sitoo");
    three[0].status = 7; /* old, too */
    open_orders_rules(&o, &m, now);
    assert_int_equal(three[0].class, WEBORDER_SUBTRACT);
    assert_string_equal(three[0].by, "status");
    assert_string_equal(three[1].by, "sitoo");
    assert_string_equal(three[2].by, "age");
    /* A rule that is gone takes its class with it; a person's word stays. */
    three[0].class = WEBORDER_HAND_OVER;
    (void)str_copy(three[0].by, sizeof three[0].by, "person");
    m.baseline.older_than_days = 0;
    open_orders_rules(&o, &m, now);
    assert_int_equal(three[0].class, WEBORDER_HAND_OVER);
    assert_int_equal(three[2].class, WEBORDER_UNCLASSED);
    assert_int_equal(open_orders_unclassed(&o), 1);
    (void)str_copy(m.baseline.default_class, MAPPING_CLASS_SIZE, "hand_over");
    (void)str_copy(three[2].note, sizeof three[2].note, "order 7 in Sitoo lacks A");
    open_orders_rules(&o, &m, now);
    assert_int_equal(three[2].class, WEBORDER_UNCLASSED); /* odd in Sitoo: for a person, not for a rule */
    three[2].note[0] = '\0';
    open_orders_rules(&o, &m, now);
    assert_string_equal(three[2].by, "default");
}

/* ---- the proposal ---- */

static void warehouses_are_placed_by_name_or_left_out(void **state) {
    static const struct {
        const char *name, *locations, *warehouses, *want, *note;
    } rows[] = {
        {"equal names", "[{\"id\":1,\"label\":\"Web\"},{\"id\":4,\"label\":\" York  Street\"}]",
         "[{\"warehouseid\":7,\"name\":\"york street \"}]",
         "[{\"bigcommerce_location_id\":4,\"sitoo_warehouse_ids\":[7]}]", "location 4 has the same name"},
        {"one location", "[{\"id\":3,\"label\":\"Web\"}]",
         "[{\"warehouseid\":7,\"name\":\"A\"},{\"warehouseid\":8,\"name\":\"B\"}]",
         "[{\"bigcommerce_location_id\":3,\"sitoo_warehouse_ids\":[7,8]}]", "the only location, 3"},
        {"one that is enabled", "[{\"id\":3,\"label\":\"Web\"},{\"id\":4,\"label\":\"A\",\"enabled\":false}]",
         "[{\"warehouseid\":7,\"name\":\"A\"}]", "[{\"bigcommerce_location_id\":3,\"sitoo_warehouse_ids\":[7]}]",
         "(disabled): left out"},
        {"a guess", "[{\"id\":1,\"label\":\"Web\"},{\"id\":4,\"label\":\"B\"}]", "[{\"warehouseid\":7,\"name\":\"A\"}]",
         "[{\"bigcommerce_location_id\":1,\"sitoo_warehouse_ids\":[7]}]", "a guess"},
        {"nothing fits", "[{\"id\":3,\"label\":\"Web\"},{\"id\":4,\"label\":\"B\"}]",
         "[{\"warehouseid\":7,\"name\":\"A\"}]", "[]", "no location fits"},
        {"Virtual", "[{\"id\":1,\"label\":\"A\"}]", "[{\"warehouseid\":7,\"name\":\"A\",\"warehousetype\":20}]", "[]",
         "is Virtual"},
        {"no name", "[{\"id\":1,\"label\":\"\"}]", "[{\"warehouseid\":7,\"name\":\" \"}]", "[]", "has no name"},
        {"not sellable", "[{\"id\":1,\"label\":\"A\"}]", "[{\"warehouseid\":7,\"name\":\"A\",\"sellable\":false}]",
         "[]", "not sellable"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cJSON *l = plan_parse(rows[i].locations), *w = plan_parse(rows[i].warehouses), *notes = cJSON_CreateArray();
        cJSON *mapping = propose_mapping(l, w, notes);
        char *text = json_print(json_get(mapping, "locations")), *told = json_print(notes);
        plan_same(rows[i].name, text, rows[i].want);
        if (strstr(told, rows[i].note) == NULL) {
            fail_msg("%s: %s", rows[i].name, told);
        }
        free(text);
        free(told);
        cJSON_Delete(mapping);
        cJSON_Delete(notes);
        cJSON_Delete(w);
        cJSON_Delete(l);
    }
}

/* ---- progress ---- */

static void rate_and_time_left_are_of_this_run(void **state) {
    struct progress p = {.done_before = 1000, .done = 3000, .total = 9000, .begun_ms = 500};
    int64_t rate = 0, left = 0;
    (void)state;
    progress_figures(&p, 2500, &rate, &left);
    assert_int_equal(rate, 1000);
    assert_int_equal(left, 6000);
    p.done = 1000;
    progress_figures(&p, 2500, &rate, &left);
    assert_int_equal(rate, -1);
    assert_int_equal(left, -1);
    p.done = p.total;
    progress_figures(&p, 2500, &rate, &left);
    assert_int_equal(left, 0);
}

static void classes_have_names(void **state) {
    enum weborder_class class = WEBORDER_UNCLASSED;
    (void)state;
    assert_true(weborder_class_read("in_sitoo sitoo", &class));
    assert_int_equal(class, WEBORDER_IN_SITOO);
    assert_string_equal(weborder_class_name(WEBORDER_HAND_OVER), "hand_over");
    assert_false(weborder_class_read("in_sit", &class));
    assert_false(weborder_class_read("", &class));
    assert_false(weborder_class_read(NULL, &class));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_are_taken_by_column_name),
        cmocka_unit_test(one_mistake_and_nothing_is_taken),
        cmocka_unit_test(a_written_file_is_read_back_unchanged),
        cmocka_unit_test(the_first_rule_that_fits_counts),
        cmocka_unit_test(warehouses_are_placed_by_name_or_left_out),
        cmocka_unit_test(rate_and_time_left_are_of_this_run),
        cmocka_unit_test(classes_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
