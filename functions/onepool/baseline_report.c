/* SPDX-License-Identifier: Apache-2.0 */
/* The report as a table, as JSON and as CSV. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "baseline.h"
#include "command.h"
#include "json.h"
#include "text.h"
#include "ban.h"

#define PAGE_MAX    ((size_t)64 * 1024 * 1024) /* 200,000 lines of 300 bytes */
#define NAME_WIDTH  28
#define HINT_MAX    ((size_t)200)
#define PRICE_SCALE 10000

/* ---- money ---- */

static bool money_of(const struct difference *d, int64_t *minor) {
    int64_t units = d->level - d->was;
    if (d->price < 0 || units > INT64_C(1000000000) || units < -INT64_C(1000000000)) {
        return false;
    }
    *minor = units * (d->price / 100); /* hundredths */
    return true;
}

static void format_money(int64_t hundredths, char out[40]) {
    int64_t size = hundredths < 0 ? -hundredths : hundredths;
    (void)snprintf(out, 40, "%s%lld.%02lld", hundredths < 0 ? "-" : "", (long long)(size / 100),
                   (long long)(size % 100));
}

/* ---- CSV ---- */

bool baseline_write_file(const char *path, const struct buf *text) {
    struct buf part;
    buf_init(&part, 4200);
    buf_addf(&part, "%.4000s.part", path);
    FILE *f = fopen(buf_str(&part), "wb");
    bool good = f != NULL && fwrite(text->data != NULL ? text->data : "", 1, text->len, f) == text->len;
    good = f != NULL && fclose(f) == 0 && good;
    good = good && rename(buf_str(&part), path) == 0;
    if (!good) {
        (void)fprintf(stderr, "onepool: %s: %s\n", path, strerror(errno));
        (void)remove(buf_str(&part));
    }
    buf_free(&part);
    return good;
}

static void csv_difference(const struct model *m, const struct difference *d, const char *currency, struct buf *out) {
    struct buf hints;
    char price[40] = "", money[40] = "";
    int64_t minor = 0;
    buf_init(&hints, HINT_MAX);
    model_hints(m, d->sku_index, &hints);
    if (money_of(d, &minor)) {
        format_money(d->price / 100, price);
        format_money(minor, money);
    }
    csv_cell(out, d->sku);
    buf_addf(out, ",%lld,", (long long)d->location_id);
    csv_cell(out, d->name);
    /* Numbers, so no guard against formulas: a minus is meant. */
    buf_addf(out, ",%lld,%lld,%lld,%s,%s,%s,", (long long)d->was, (long long)d->level, (long long)(d->level - d->was),
             price, money, money[0] != '\0' ? currency : "");
    csv_cell(out, buf_str(&hints));
    buf_add_str(out, "\r\n");
    buf_free(&hints);
}

static void csv_report(const struct model *m, const struct comparison *c, const char *currency, struct buf *out) {
    buf_add_str(out, "sku,location,name,bigcommerce,computed,difference,price,money,currency,causes\r\n");
    for (size_t i = 0; i < c->diff_count; i++) {
        csv_difference(m, &c->diffs[i], currency, out);
    }
    for (size_t i = 0; i < c->unmapped_count; i++) {
        csv_cell(out, c->unmapped[i].sku);
        buf_addf(out, ",,,%lld,,,,,,", (long long)c->unmapped[i].units);
        csv_cell(out, c->unmapped[i].cause);
        buf_add_str(out, "\r\n");
    }
}

/* ---- table ---- */

static void table_row(const struct model *m, const struct difference *d, size_t sku_width, struct buf *out) {
    struct buf hints;
    char money[40] = "";
    int64_t minor = 0;
    buf_init(&hints, HINT_MAX);
    model_hints(m, d->sku_index, &hints);
    if (money_of(d, &minor)) {
        format_money(minor, money);
    }
    text_padded(out, d->sku, sku_width);
    buf_addf(out, " %8lld  ", (long long)d->location_id);
    text_padded(out, d->name, NAME_WIDTH);
    buf_addf(out, " %10lld %10lld %+11lld %14s  %s\n", (long long)d->was, (long long)d->level,
             (long long)(d->level - d->was), money, buf_str(&hints));
    buf_free(&hints);
}

static void table(const struct model *m, const struct comparison *c, int64_t rows, struct buf *out) {
    size_t n = (int64_t)c->diff_count < rows ? c->diff_count : (size_t)rows, width = 12;
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(c->diffs[i].sku);
        width = len > width ? (len < 40 ? len : 40) : width;
    }
    if (n > 0) {
        buf_addf(out, "%-*s %8s  %-*s %10s %10s %11s %14s  %s\n", (int)width, "SKU", "location", NAME_WIDTH, "name",
                 "in shop", "computed", "difference", "money", "why");
    }
    for (size_t i = 0; i < n; i++) {
        table_row(m, &c->diffs[i], width, out);
    }
    if (n < c->diff_count) {
        buf_addf(out, "... and %zu more (--rows N, --csv FILE)\n", c->diff_count - n);
    }
}

struct totals {
    int64_t high_money, low_money;
    size_t with_price, skus;
};

static struct totals add_up(const struct comparison *c) {
    struct totals t = {0};
    for (size_t i = 0; i < c->diff_count; i++) {
        int64_t minor = 0;
        if (money_of(&c->diffs[i], &minor)) {
            t.with_price++;
            *(minor < 0 ? &t.high_money : &t.low_money) += minor < 0 ? -minor : minor;
        }
    }
    return t;
}

static void text_totals(const struct comparison *c, const char *currency, struct buf *out) {
    struct totals t = add_up(c);
    char high[40], low[40];
    format_money(t.high_money, high);
    format_money(t.low_money, low);
    buf_addf(out, "%lld SKUs, %lld levels compared; %zu differ: %lld units too many in the shop, %lld too few",
             (long long)c->skus, (long long)c->levels, c->diff_count, (long long)c->too_high, (long long)c->too_low);
    if (t.with_price > 0) {
        buf_addf(out, " (%s and %s %s, by the prices of %zu of them)", high, low, currency, t.with_price);
    }
    buf_add_str(out, "\n");
}

static void text_unmapped(const struct comparison *c, int64_t rows, struct buf *out) {
    if (c->unmapped_count == 0) {
        return;
    }
    buf_addf(out, "\n%zu SKUs have no level of ours and keep what they have:\n", c->unmapped_count);
    for (size_t i = 0; i < c->unmapped_count && (int64_t)i < rows; i++) {
        text_padded(out, c->unmapped[i].sku, 30);
        buf_addf(out, " %10lld  %s\n", (long long)c->unmapped[i].units, c->unmapped[i].cause);
    }
    if ((int64_t)c->unmapped_count > rows) {
        buf_addf(out, "... and %lld more\n", (long long)c->unmapped_count - (long long)rows);
    }
}

static void count_orders(const struct open_orders *o, size_t counts[WEBORDER_CLASSES]) {
    memset(counts, 0, WEBORDER_CLASSES * sizeof counts[0]);
    for (size_t i = 0; i < o->n; i++) {
        counts[o->list[i].class]++;
    }
}

static void text_orders(const struct open_orders *o, struct buf *out) {
    size_t counts[WEBORDER_CLASSES];
    count_orders(o, counts);
    buf_addf(out,
             "%zu open web orders: %zu in Sitoo already, %zu subtract only, %zu to hand over, %zu without a class\n",
             o->n, counts[WEBORDER_IN_SITOO], counts[WEBORDER_SUBTRACT], counts[WEBORDER_HAND_OVER],
             counts[WEBORDER_UNCLASSED]);
}

static void text_next(const struct open_orders *o, const char *id, struct buf *out) {
    size_t unclassed = open_orders_unclassed(o);
    if (unclassed > 0) {
        buf_addf(
            out,
            "\nReport %s cannot be accepted: %zu orders have no class (until then they are subtracted). Give rules "
            "in the mapping file (baseline), or edit what this writes, and give it back with --orders:\n"
            "    onepool baseline --export-orders orders.csv\n",
            id, unclassed);
    } else {
        buf_addf(out,
                 "\nNothing was written. If this is right, stop the older connector, and then:\n    onepool baseline "
                 "--accept %s\n",
                 id);
    }
}

static void text_report(const struct baseline *b, const struct model *m, const struct comparison *c,
                        const struct open_orders *o, const char *id, const char *currency, const cJSON *notes) {
    struct buf page;
    const cJSON *note = NULL;
    buf_init(&page, PAGE_MAX);
    table(m, c, b->options->rows, &page);
    buf_add_str(&page, c->diff_count > 0 ? "\n" : "");
    text_totals(c, currency, &page);
    text_orders(o, &page);
    cJSON_ArrayForEach(note, notes) {
        buf_add_str(&page, "-> ");
        text_safe(&page, note->valuestring);
        buf_add_str(&page, "\n");
    }
    text_unmapped(c, b->options->rows, &page);
    text_next(o, id, &page);
    command_print(&page);
}

/* ---- JSON ---- */

static void json_difference(cJSON *list, const struct model *m, const struct difference *d) {
    struct buf hints;
    char text[40];
    int64_t minor = 0;
    cJSON *one = json_new_object();
    buf_init(&hints, HINT_MAX);
    model_hints(m, d->sku_index, &hints);
    json_add_str(one, "sku", d->sku);
    json_add_int(one, "location", d->location_id);
    json_add_str(one, "name", d->name);
    json_add_int(one, "bigcommerce", d->was);
    json_add_int(one, "computed", d->level);
    json_add_int(one, "difference", d->level - d->was);
    if (money_of(d, &minor)) {
        format_money(d->price / 100, text);
        json_add_str(one, "price", text);
        format_money(minor, text);
        json_add_str(one, "money", text);
    }
    json_add_str(one, "causes", buf_str(&hints));
    (void)cJSON_AddItemToArray(list, one);
    buf_free(&hints);
}

static void json_report(const struct model *m, const struct comparison *c, const struct open_orders *o, const char *id,
                        const char *currency, const cJSON *notes) {
    size_t counts[WEBORDER_CLASSES];
    cJSON *all = json_new_object();
    count_orders(o, counts);
    json_add_str(all, "report", id);
    json_add_bool(all, "can_be_accepted", counts[WEBORDER_UNCLASSED] == 0);
    json_add_int(all, "skus", c->skus);
    json_add_int(all, "levels", c->levels);
    json_add_int(all, "units_too_many", c->too_high);
    json_add_int(all, "units_too_few", c->too_low);
    json_add_str(all, "currency", currency);
    cJSON *orders = json_add_object(all, "orders");
    json_add_int(orders, "open", (int64_t)o->n);
    for (int k = WEBORDER_IN_SITOO; k < WEBORDER_CLASSES; k++) {
        json_add_int(orders, weborder_class_name((enum weborder_class)k), (int64_t)counts[k]);
    }
    json_add_int(orders, "unclassed", (int64_t)counts[WEBORDER_UNCLASSED]);
    cJSON *list = json_add_array(all, "differences");
    for (size_t i = 0; i < c->diff_count; i++) {
        json_difference(list, m, &c->diffs[i]);
    }
    list = json_add_array(all, "unmapped");
    for (size_t i = 0; i < c->unmapped_count; i++) {
        cJSON *one = json_new_object();
        json_add_str(one, "sku", c->unmapped[i].sku);
        json_add_str(one, "cause", c->unmapped[i].cause);
        json_add_int(one, "units", c->unmapped[i].units);
        (void)cJSON_AddItemToArray(list, one);
    }
    (void)cJSON_AddItemToObject(all, "notes", cJSON_Duplicate(notes, true));
    command_print_json(all);
    cJSON_Delete(all);
}

int baseline_report_print(struct baseline *b, const struct model *m, const struct comparison *c,
                          const struct open_orders *o, const char *id, const cJSON *notes) {
    struct reason ignored = {0};
    struct buf file;
    char currency[16] = "";
    bool good = true;
    if (baseline_get(b, "currency", currency, sizeof currency, &ignored) != NEXT_DONE) {
        currency[0] = '\0';
    }
    buf_init(&file, PAGE_MAX);
    if (b->options->csv != NULL) {
        csv_report(m, c, currency, &file);
        good = baseline_write_file(b->options->csv, &file) && good;
    }
    buf_reset(&file);
    if (b->options->export_orders != NULL) {
        orders_csv_write(o, &file);
        good = baseline_write_file(b->options->export_orders, &file) && good;
    }
    buf_free(&file);
    if (b->json) {
        json_report(m, c, o, id, currency, notes);
    } else {
        text_report(b, m, c, o, id, currency, notes);
    }
    return good ? 0 : 1;
}
