/* SPDX-License-Identifier: Apache-2.0 */
/* links: tests/unit/plan.c */
/* Rows name what they mean and leave the rest. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "exceptions.h"
#include "json.h"
#include "plan.h"
#include "ban.h"

/* ---- two shops, made of rows ---- */

#define ROWS 6

/* A variant that is wanted; its product has the same number. */
struct web {
    int64_t id;
    const char *sku;
    int64_t price, vat, sale;
    const char *barcode;
    bool hidden, no_barcode;
};
struct till {
    int64_t id;
    const char *sku;
    int64_t price, vat;
    const char *barcode;
    bool hidden;
};
struct trouble {
    int64_t product, variant;
    enum want_cause cause;
    const char *sku;
};
struct other_price {
    int64_t list;
    const char *sku;
    int64_t price;
};
struct row {
    const char *name;
    struct web web[ROWS];
    struct till till[ROWS];
    struct trouble trouble[ROWS]; /* one without variant and SKU leaves the SKU `left` of its product */
    const char *left;
    struct other_price prices[ROWS];
    const char *sold; /* SKU of which 3 units were sold; NULL = none */
    const char *want; /* a line each, see line_of */
};

/* 2: 25 %, 3: 12 %, 4: 25 % as a service. */
static struct product_rules rules_of(const struct mapping_products *map) {
    struct product_rules r = {.map = map, .currency = "SEK", .web_with_tax = true, .vat_group_count = 3};
    r.vat_groups = xcalloc(3, sizeof *r.vat_groups);
    for (int i = 0; i < 3; i++) {
        r.vat_groups[i].id = i + 2;
        r.vat_groups[i].percent = i == 1 ? 120000 : 250000;
    }
    return r;
}

static struct till_list lists[] = {
    {.id = 1, .name = (char[]){"Default"}, .active = true, .currency = "SEK"},
    {.id = 5, .name = (char[]){"Sale"}, .active = true, .currency = "SEK"},
    {.id = 6, .name = (char[]){"Staff"}, .active = true, .tagged = true, .currency = "SEK"},
    {.id = 7, .name = (char[]){"Old"}, .active = false, .currency = "SEK"},
    {.id = 8, .name = (char[]){"Abroad"}, .active = true, .currency = "EUR"},
    {.id = 9, .name = (char[]){"Outlet"}, .active = true, .currency = "SEK"},
};
#define LISTS (sizeof lists / sizeof lists[0])

static void add_web(struct shops *s, const struct web *w) {
    struct product_want *p = &s->wants[s->n++];
    p->product_id = w->id;
    p->list = xcalloc(1, sizeof *p->list);
    p->list[p->n++] = (struct want){.variant_id = w->id + 100,
                                    .sku = xstrdup(w->sku),
                                    .title = xstrdup("Jar"),
                                    .price = w->price != 0 ? w->price : 5900,
                                    .sale_price = w->sale != 0 ? w->sale : WANT_NONE,
                                    .retail_price = WANT_NONE,
                                    .vat_id = w->vat != 0 ? w->vat : 2,
                                    .barcode = w->no_barcode ? NULL : xstrdup(w->barcode != NULL ? w->barcode : w->sku),
                                    .active = !w->hidden,
                                    .manufacturer_id = WANT_NONE};
}

static void add_till(struct shops *s, const struct till *t) {
    s->till.list[s->till.n++] = (struct till_product){.id = t->id,
                                                      .sku = xstrdup(t->sku),
                                                      .title = xstrdup("Jar"),
                                                      .barcode = xstrdup(t->barcode != NULL ? t->barcode : t->sku),
                                                      .unit = xstrdup(""),
                                                      .description = xstrdup(""),
                                                      .price = t->price != 0 ? t->price : 5900,
                                                      .retail_price = -1,
                                                      .vat_id = t->vat != 0 ? t->vat : 2,
                                                      .active = !t->hidden};
}

static void add_trouble(struct shops *s, const struct trouble *t) {
    struct product_want *p = NULL;
    for (size_t i = 0; i < s->n; i++) {
        p = s->wants[i].product_id == t->product ? &s->wants[i] : p;
    }
    if (p == NULL) {
        p = &s->wants[s->n++];
        p->product_id = t->product;
    }
    p->problems = xrealloc(p->problems, p->problem_count + 1, sizeof *p->problems);
    p->problems[p->problem_count++] = (struct want_problem){
        .cause = t->cause, .variant_id = t->variant, .sku = xstrdup(t->sku), .text = "Product: something is wrong"};
}

static int by_sku(const void *a, const void *b) {
    return strcmp(((const struct till_product *)a)->sku, ((const struct till_product *)b)->sku);
}

static void add_price(struct shops *s, const struct other_price *p) {
    for (size_t i = 0; i < LISTS; i++) {
        struct shops_list *l = &s->prices[i];
        l->list = &lists[i];
        if (lists[i].id == p->list) {
            l->prices.list = xrealloc(l->prices.list, l->prices.n + 1, sizeof *l->prices.list);
            l->prices.list[l->prices.n++] = (struct till_price){.sku = xstrdup(p->sku), .price = p->price};
        }
    }
}

static void build(const struct row *row, struct shops *s) {
    s->wants = xcalloc(2 * ROWS, sizeof *s->wants);
    s->till.list = xcalloc(ROWS, sizeof *s->till.list);
    s->prices = xcalloc(LISTS, sizeof *s->prices);
    for (size_t i = 0; i < ROWS && row->web[i].sku != NULL; i++) {
        add_web(s, &row->web[i]);
    }
    for (size_t i = 0; i < ROWS && row->till[i].sku != NULL; i++) {
        add_till(s, &row->till[i]);
    }
    for (size_t i = 0; i < ROWS && row->trouble[i].sku != NULL; i++) {
        add_trouble(s, &row->trouble[i]);
        if (row->left != NULL && row->trouble[i].variant == 0) {
            struct product_want *p = &s->wants[s->n - 1];
            p->left = xcalloc(1, sizeof *p->left);
            p->left[p->left_count++] = xstrdup(row->left);
        }
    }
    for (size_t i = 0; i < ROWS && row->prices[i].sku != NULL; i++) {
        add_price(s, &row->prices[i]);
        s->price_count = LISTS;
    }
    qsort(s->till.list, s->till.n, sizeof *s->till.list, by_sku);
}

/* The lists belong to the test. */
static void tear_down(struct shops *s) {
    for (size_t i = 0; i < LISTS; i++) {
        for (size_t k = 0; k < s->prices[i].prices.n; k++) {
            free(s->prices[i].prices.list[k].sku);
        }
        free(s->prices[i].prices.list);
    }
    s->price_count = 0;
    shops_free(s);
}

/* "price_differs A/ product 1 till 2: 59.00/49.00 sold 3.000 stake 30.00 finance" */
static void line_of(const cJSON *o, struct buf *out) {
    static const char *const money[] = {"web_price", "till_price"};
    int64_t product = 0, till = 0;
    (void)json_int(o, "product", &product);
    (void)json_int(o, "sitoo_product", &till);
    buf_addf(out, "%s %s/%s %lld %lld:", json_str(o, "kind"), json_str(o, "sku"), json_str(o, "other"),
             (long long)product, (long long)till);
    for (size_t i = 0; i < 2; i++) {
        buf_addf(out, " %s", json_str(o, money[i]) != NULL ? json_str(o, money[i]) : "-");
    }
    buf_addf(out, " sold %s stake %s %s\n", json_str(o, "units_sold") != NULL ? json_str(o, "units_sold") : "-",
             json_str(o, "stake") != NULL ? json_str(o, "stake") : "-", json_str(o, "owner"));
}

static void lines_of(const struct exceptions *e, struct buf *out) {
    cJSON *json = exceptions_json(e, "SEK");
    char *text = json_print(json), error[80];
    cJSON *read = json_read(text, strlen(text), error, sizeof error);
    const cJSON *o = NULL;
    assert_non_null(read); /* also: no text is cut within a character */
    cJSON_ArrayForEach(o, json_array(read, "exceptions")) {
        line_of(o, out);
        assert_true(json_str(o, "text")[0] != '\0' && json_str(o, "step")[0] != '\0');
    }
    cJSON_Delete(read);
    cJSON_Delete(json);
    free(text);
}

static void find(const struct row *row, const struct mapping *m, struct exceptions *e) {
    struct shops s = {.rules = rules_of(&m->products)};
    struct sold sold = {0};
    if (row->sold != NULL) {
        sold.list = xcalloc(1, sizeof *sold.list);
        sold.list[sold.n].sku = xstrdup(row->sold);
        sold.list[sold.n++].thousandths = 3000;
    }
    build(row, &s);
    exceptions_find(&s, m, &sold, e);
    sold_free(&sold);
    tear_down(&s);
}

static struct mapping mapping_of(void) {
    struct mapping m = {.owner_mapping = "merchandising", .owner_money = "finance"};
    m.products = (struct mapping_products){.on = true,
                                           .sale_price_list_id = 5,
                                           .prices_include_vat = true,
                                           .barcode_count = 1,
                                           .barcodes = {BARCODE_GTIN}};
    return m;
}

static void check(const struct row *rows, size_t n) {
    const struct mapping m = mapping_of();
    for (size_t i = 0; i < n; i++) {
        struct exceptions e;
        struct buf got;
        buf_init(&got, 100000);
        find(&rows[i], &m, &e);
        lines_of(&e, &got);
        plan_same(rows[i].name, buf_str(&got), rows[i].want);
        buf_free(&got);
        exceptions_free(&e);
    }
}
#define CHECK(rows) check(rows, sizeof(rows) / sizeof(rows)[0])

/* ---- SKUs ---- */

static void skus_of_one_side_alone_are_found(void **state) {
    static const struct row rows[] = {
        {.name = "both have it", .web = {{1, "A"}}, .till = {{21, "A"}}, .want = ""},
        {.name = "made in a till",
         .till = {{21, "A"}},
         .sold = "A",
         .want = "only_in_sitoo A/ 0 21: - 59.00 sold 3.000 stake 177.00 merchandising\n"},
        {.name = "made in a till, not sold",
         .till = {{21, "A"}},
         .want = "only_in_sitoo A/ 0 21: - 59.00 sold 0.000 stake 0.00 merchandising\n"},
        {.name = "made in a till and hidden there", .till = {{21, "A", .hidden = true}}, .want = ""},
        {.name = "its product in BigCommerce has a problem, and says so",
         .till = {{21, "A"}},
         .trouble = {{1, 101, WANT_TAX_CLASS, "A"}},
         .want = "product_problem A/ 1 21: - - sold - stake - merchandising\n"},
        {.name = "its product has a problem as a whole",
         .till = {{21, "A"}},
         .trouble = {{1, 0, WANT_TAX_CLASS, ""}},
         .left = "A",
         .want = "product_problem / 1 0: - - sold - stake - merchandising\n"},
        {.name = "Sitoo lacks it",
         .web = {{1, "A"}},
         .want = "only_in_bigcommerce A/ 1 0: 59.00 - sold - stake - merchandising\n"},
        {.name = "Sitoo lacks what is hidden in the web shop", .web = {{1, "A", .hidden = true}}, .want = ""},
        {.name = "Sitoo has it, hidden", .web = {{1, "A"}}, .till = {{21, "A", .hidden = true}}, .want = ""},
        {.name = "variants without SKU, and other problems",
         .web = {{1, "A"}},
         .till = {{21, "A"}},
         .trouble = {{2, 102, WANT_SKU_MISSING, ""}, {3, 0, WANT_OPTIONS, ""}},
         .want = "variant_without_sku / 2 0: - - sold - stake - merchandising\n"
                 "product_problem / 3 0: - - sold - stake - merchandising\n"},
    };
    (void)state;
    CHECK(rows);
}

static void near_duplicates_are_one_exception_per_pair(void **state) {
    static const struct row rows[] = {
        {.name = "letter case: neither is only on one side",
         .web = {{1, "AB-1"}},
         .till = {{21, "ab-1", .barcode = "7"}},
         .sold = "ab-1",
         .want = "near_duplicate AB-1/ab-1 1 21: - 59.00 sold 3.000 stake 177.00 merchandising\n"},
        {.name = "a space, and a dash that looks alike",
         .web = {{1, "AB-1"}},
         .till = {{21, "AB \xe2\x80\x93"
                       "1"}},
         .want = "near_duplicate AB-1/AB \xe2\x80\x93"
                 "1 1 21: - 59.00 sold 0.000 stake 0.00 merchandising\n"},
        {.name = "Sitoo has it hidden: it would be made a second time",
         .web = {{1, "AB"}},
         .till = {{21, "ab", .barcode = "7", .hidden = true}},
         .want = "near_duplicate AB/ab 1 21: - - sold - stake - merchandising\n"},
        {.name = "neither is offered",
         .web = {{1, "AB", .hidden = true}},
         .till = {{21, "ab", .hidden = true}},
         .want = ""},
        {.name = "two of Sitoo, one of them right",
         .web = {{1, "AB"}},
         .till = {{21, "AB"}, {22, "ab", .barcode = "7"}},
         .want = "near_duplicate AB/ab 1 22: - 59.00 sold 0.000 stake 0.00 merchandising\n"},
        {.name = "two of Sitoo, one of them hidden: that is how it is settled",
         .web = {{1, "AB"}},
         .till = {{21, "AB"}, {22, "ab", .barcode = "7", .hidden = true}},
         .want = ""},
        {.name = "two of Sitoo, neither wanted",
         .till = {{21, "AB"}, {22, "ab", .barcode = "7"}},
         .want = "near_duplicate AB/ab 0 22: - 59.00 sold 0.000 stake 0.00 merchandising\n"},
        {.name = "of a SKU that Sitoo does not take",
         .till = {{21, "AB"}},
         .trouble = {{1, 101, WANT_SKU_CHARACTERS, "A B"}},
         .want = "near_duplicate A B/AB 1 21: - 59.00 sold 0.000 stake 0.00 merchandising\n"
                 "product_problem A B/ 1 0: - - sold - stake - merchandising\n"},
        {.name = "a dash more is another SKU",
         .web = {{1, "AB"}},
         .till = {{21, "A-B"}},
         .want = "only_in_sitoo A-B/ 0 21: - 59.00 sold 0.000 stake 0.00 merchandising\n"
                 "only_in_bigcommerce AB/ 1 0: 59.00 - sold - stake - merchandising\n"},
    };
    (void)state;
    CHECK(rows);
}

/* ---- barcodes ---- */

static void barcodes_are_there_once(void **state) {
    static const struct row rows[] = {
        {.name = "two that are wanted have the same",
         .web = {{1, "A", .barcode = "735"}, {2, "B", .barcode = "735"}},
         .till = {{21, "A"}, {22, "B"}},
         .want = "barcode_duplicate B/A 2 22: - - sold - stake - merchandising\n"},
        {.name = "a SKU of Sitoo alone has it",
         .web = {{1, "A", .barcode = "735"}},
         .till = {{21, "A", .barcode = ""}, {22, "B", .barcode = "735"}},
         .want = "only_in_sitoo B/ 0 22: - 59.00 sold 0.000 stake 0.00 merchandising\n"
                 "barcode_duplicate A/B 1 21: - - sold - stake - merchandising\n"},
        {.name = "a hidden one has it",
         .web = {{1, "A", .barcode = "735"}},
         .till = {{21, "A"}, {22, "B", .barcode = "735", .hidden = true}},
         .want = ""},
        {.name = "a SKU has it that is about to get another",
         .web = {{1, "A", .barcode = "735"}, {2, "B", .barcode = "736"}},
         .till = {{21, "A", .barcode = "736"}, {22, "B", .barcode = "735"}},
         .want = ""},
        {.name = "none",
         .web = {{1, "A", .barcode = ""}, {2, "B", .barcode = "", .hidden = true}},
         .till = {{21, "A"}, {22, "B"}},
         .want = "barcode_missing A/ 1 21: - - sold - stake - merchandising\n"},
        {.name = "none that Sitoo takes",
         .web = {{1, "A", .barcode = ""}},
         .till = {{21, "A"}},
         .trouble = {{1, 101, WANT_BARCODE, "A"}},
         .want = "product_problem A/ 1 21: - - sold - stake - merchandising\n"},
    };
    (void)state;
    CHECK(rows);
}

static void barcodes_that_are_not_ours_are_not_missed(void **state) {
    const struct row row = {.web = {{1, "A", .barcode = ""}}, .till = {{21, "A"}}};
    struct mapping m = mapping_of();
    struct exceptions e;
    (void)state;
    m.products.barcode_count = 0;
    find(&row, &m, &e);
    assert_int_equal(e.n, 0);
    exceptions_free(&e);
}

/* With an empty list a want has none, which is not the code "" (product_want_fields.c). */
static void barcodes_that_are_not_ours_are_not_compared(void **state) {
    const struct row row = {.web = {{1, "A", .no_barcode = true}, {2, "B", .no_barcode = true}},
                            .till = {{21, "A", .barcode = "735"}, {22, "B", .barcode = "736"}}};
    struct mapping m = mapping_of();
    struct exceptions e;
    (void)state;
    m.products.barcode_count = 0;
    find(&row, &m, &e);
    assert_int_equal(e.n, 0);
    exceptions_free(&e);
}

/* ---- money ---- */

static void prices_and_tax_are_compared(void **state) {
    static const struct row rows[] = {
        {.name = "cheaper in the shops",
         .web = {{1, "A", .price = 5900}},
         .till = {{21, "A", .price = 4900}},
         .sold = "A",
         .want = "price_differs A/ 1 21: 59.00 49.00 sold 3.000 stake 30.00 finance\n"},
        {.name = "dearer in the shops",
         .web = {{1, "A", .price = 5900}},
         .till = {{21, "A", .price = 6150}},
         .sold = "A",
         .want = "price_differs A/ 1 21: 59.00 61.50 sold 3.000 stake 7.50 finance\n"},
        {.name = "none in the shops",
         .web = {{1, "A", .price = 5900}},
         .till = {{21, "A", .price = -1}},
         .want = "price_differs A/ 1 21: 59.00 - sold 0.000 stake - finance\n"},
        {.name = "hidden in the shops",
         .web = {{1, "A"}},
         .till = {{21, "A", .price = 4900, .hidden = true}},
         .want = ""},
        {.name = "to be hidden in the shops",
         .web = {{1, "A", .hidden = true}},
         .till = {{21, "A", .price = 4900}},
         .want = ""},
        {.name = "the lowest of other lists; not ours, an inactive one, or one of another currency",
         .web = {{1, "A", .sale = 5500}},
         .till = {{21, "A"}},
         .prices = {{5, "A", 5500}, {6, "A", 5000}, {7, "A", 200}, {8, "A", 300}, {9, "A", 4500}},
         .sold = "A",
         .want = "price_undercut A/ 1 21: 55.00 45.00 sold 3.000 stake 30.00 finance\n"},
        {.name = "another list is below the price, and not below the sale",
         .web = {{1, "A", .sale = 4000}},
         .till = {{21, "A"}},
         .prices = {{5, "A", 4000}, {9, "A", 4500}},
         .want = ""},
        {.name = "the list for sale prices has another one",
         .web = {{1, "A", .sale = 5000}},
         .till = {{21, "A"}},
         .prices = {{5, "A", 4000}},
         .sold = "A",
         .want = "price_differs A/ 1 21: 50.00 40.00 sold 3.000 stake 30.00 finance\n"},
        {.name = "the list for sale prices has none",
         .web = {{1, "A", .sale = 5000}},
         .till = {{21, "A"}},
         .sold = "A",
         .want = "price_differs A/ 1 21: 50.00 59.00 sold 3.000 stake 27.00 finance\n"},
        {.name = "the list for sale prices has one without a sale",
         .web = {{1, "A"}},
         .till = {{21, "A"}},
         .prices = {{5, "A", 100}},
         .sold = "A",
         .want = "price_differs A/ 1 21: 59.00 1.00 sold 3.000 stake 174.00 finance\n"},
        {.name = "the list for sale prices is dearer, so it does not count",
         .web = {{1, "A"}},
         .till = {{21, "A"}},
         .prices = {{5, "A", 6500}},
         .sold = "A",
         .want = "price_differs A/ 1 21: 59.00 59.00 sold 3.000 stake 0.00 finance\n"},
        {.name = "another list is as dear, or dearer",
         .web = {{1, "A"}},
         .till = {{21, "A"}},
         .prices = {{6, "A", 5900}, {9, "A", 6000}},
         .want = ""},
        {.name = "another rate: 59.00 holds 11.80 of tax at 25 %, 6.32 at 12 %",
         .web = {{1, "A", .vat = 2}},
         .till = {{21, "A", .vat = 3}},
         .sold = "A",
         .want = "vat_differs A/ 1 21: - - sold 3.000 stake 16.44 finance\n"},
        {.name = "another group of the same rate",
         .web = {{1, "A", .vat = 2}},
         .till = {{21, "A", .vat = 4}},
         .sold = "A",
         .want = "vat_differs A/ 1 21: - - sold 3.000 stake 0.00 finance\n"},
        {.name = "a group that nobody knows",
         .web = {{1, "A", .vat = 2}},
         .till = {{21, "A", .vat = 77}},
         .sold = "A",
         .want = "vat_differs A/ 1 21: - - sold 3.000 stake - finance\n"},
    };
    (void)state;
    CHECK(rows);
}

static void texts_name_both_values_and_the_list(void **state) {
    const struct row row = {
        .web = {{1, "A", .price = 5900}}, .till = {{21, "A", .price = 4900, .vat = 3}}, .prices = {{6, "A", 4500}}};
    const struct mapping m = mapping_of();
    struct exceptions e;
    (void)state;
    find(&row, &m, &e);
    assert_int_equal(e.n, 3);
    assert_string_equal(e.list[0].text, "SKU A should cost 59.00 SEK by BigCommerce; Sitoo has 49.00 SEK");
    assert_string_equal(
        e.list[1].text,
        "SKU A should cost 59.00 SEK; Sitoo's price list 6 (Staff) sells it for 45.00 SEK, where its tag applies");
    assert_string_equal(e.list[2].text,
                        "SKU A should be in product group 2 (25 %) of Sitoo by its tax class; it is in group 3 (12 %)");
    exceptions_free(&e);
}

static void texts_of_long_skus_stay_whole(void **state) {
    char sku[600], other[600];
    struct mapping m = mapping_of();
    struct exceptions e;
    struct buf out;
    (void)state;
    for (size_t i = 0; i + 3 < sizeof sku; i += 3) {
        memcpy(sku + i, "\xe2\x82\xac", 4);
    }
    (void)str_copy(other, sizeof other, sku);
    other[strlen(other) - 3] = '\0';
    (void)str_copy(other + strlen(other), 5, " \xe2\x82\xac");
    const struct row row = {.web = {{1, sku, .barcode = "735"}}, .till = {{21, other, .barcode = "735"}}};
    find(&row, &m, &e);
    buf_init(&out, 100000);
    lines_of(&e, &out);
    assert_int_equal(e.n, 2); /* near-duplicate and barcode */
    for (size_t i = 0; i < e.n; i++) {
        assert_true(strlen(e.list[i].text) < sizeof e.list[i].text - 1);
        assert_true(strlen(e.list[i].step) < sizeof e.list[i].step - 1);
    }
    buf_free(&out);
    exceptions_free(&e);
}

/* ---- all of them ---- */

static void the_dearest_come_first(void **state) {
    static const struct row rows[] = {
        {.name = "stake, then kind, then SKU",
         .web = {{1, "C", .price = 6000}, {2, "D"}, {3, "B"}},
         .till = {{21, "C"}, {22, "X"}, {23, "W"}},
         .sold = "C",
         .want = "price_differs C/ 1 21: 60.00 59.00 sold 3.000 stake 3.00 finance\n"
                 "only_in_sitoo W/ 0 23: - 59.00 sold 0.000 stake 0.00 merchandising\n"
                 "only_in_sitoo X/ 0 22: - 59.00 sold 0.000 stake 0.00 merchandising\n"
                 "only_in_bigcommerce B/ 3 0: 59.00 - sold - stake - merchandising\n"
                 "only_in_bigcommerce D/ 2 0: 59.00 - sold - stake - merchandising\n"},
    };
    const struct mapping m = mapping_of();
    struct exceptions e;
    (void)state;
    CHECK(rows);
    find(&rows[0], &m, &e);
    assert_int_equal(e.by_kind[EXCEPTION_ONLY_IN_SITOO], 2);
    assert_int_equal(e.by_kind[EXCEPTION_ONLY_IN_WEB], 2);
    assert_int_equal(e.by_kind[EXCEPTION_PRICE], 1);
    exceptions_free(&e);
}

static void kinds_are_read_by_name(void **state) {
    enum exception_kind k = EXCEPTION_KINDS;
    (void)state;
    for (int i = 0; i < EXCEPTION_KINDS; i++) {
        assert_true(exception_kind_read(exception_name((enum exception_kind)i), &k));
        assert_int_equal(k, i);
    }
    assert_false(exception_kind_read("price", &k));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(skus_of_one_side_alone_are_found),
        cmocka_unit_test(near_duplicates_are_one_exception_per_pair),
        cmocka_unit_test(barcodes_are_there_once),
        cmocka_unit_test(barcodes_that_are_not_ours_are_not_missed),
        cmocka_unit_test(barcodes_that_are_not_ours_are_not_compared),
        cmocka_unit_test(prices_and_tax_are_compared),
        cmocka_unit_test(texts_name_both_values_and_the_list),
        cmocka_unit_test(texts_of_long_skus_stay_whole),
        cmocka_unit_test(the_dearest_come_first),
        cmocka_unit_test(kinds_are_read_by_name),
    };
    return cmocka_run_group_tests_name("exceptions", tests, NULL, NULL);
}
