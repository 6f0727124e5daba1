/* SPDX-License-Identifier: Apache-2.0 */
/*
 * onepool exceptions: where both catalogs do not fit, as the last sweep found it, dearest first. In JSON as of
 * exceptions_load. --sweep reads both shops now; it writes to neither.
 */
#include "exceptions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "command.h"
#include "exceptions_sweep.h"
#include "json.h"
#include "keys.h"
#include "reading.h"
#include "quantity.h"
#include "queue.h"
#include "text.h"
#include "ban.h"

#define PAGE_MAX   ((size_t)64 * 1024 * 1024) /* 40,000 exceptions of 1,500 bytes */
#define ROWS       50
#define ROWS_MAX   1000000
#define KIND_WIDTH 19

bool exceptions_words(char **words, struct command_line *line) {
    line->exceptions.rows = ROWS;
    for (; *words != NULL; words++) {
        if (strcmp(*words, "--json") == 0) {
            line->json = true;
        } else if (strcmp(*words, "--sweep") == 0) {
            line->exceptions.sweep = true;
        } else if (strcmp(*words, "--kind") == 0 && words[1] != NULL) {
            line->exceptions.kind = *++words;
        } else if (strcmp(*words, "--csv") == 0 && words[1] != NULL) {
            line->exceptions.csv = *++words;
        } else if (strcmp(*words, "--rows") != 0 || words[1] == NULL ||
                   !int_parse(*++words, 0, ROWS_MAX, &line->exceptions.rows)) {
            return false;
        }
    }
    return true;
}

unsigned exceptions_needs(const struct command_line *line) {
    return line->exceptions.sweep ? NEED_REDIS | NEED_SITOO | NEED_BIGCOMMERCE | NEED_MAPPING : NEED_REDIS;
}

/* ---- the sweep ---- */

static enum next sweep(struct app *app, const struct command_line *line, struct reason *why) {
    struct reading shown = reading_begin(line->json);
    struct exceptions found = {0};
    if (!app->set->mapping->products.on) {
        return reason_set(
            why, NEXT_PARK, "products_off",
            "the mapping file has no section \"products\", so nobody knows what Sitoo should hold: give it "
            "at least \"products\": {\"vat_groups\": {\"0\": 2}}");
    }
    enum next next = exceptions_sweep(app, reading_show, &shown, NULL, &found, why);
    exceptions_free(&found);
    reading_end(&shown);
    /* What differs is put right by product-updated, which looks for itself. */
    struct args effects = {0};
    effect_mark(&effects, QUEUE_CATALOG, CATALOG_SWEEP, 0, "", "");
    next = next == NEXT_DONE ? effects_apply(app->redis, &effects, why) : next;
    args_free(&effects);
    return next;
}

/* ---- what is shown ---- */

static const char *word(const cJSON *o, const char *key) {
    const char *s = json_str(o, key);
    return s != NULL ? s : "";
}

static int64_t stake_of(const cJSON *o) {
    int64_t stake = 0;
    return till_money_parse(word(o, "stake"), &stake) && stake > 0 ? stake : 0;
}

static void drop_other_kinds(cJSON *all, const char *kind) {
    cJSON *kept = cJSON_CreateArray(), *o = cJSON_DetachItemFromObjectCaseSensitive(all, "exceptions");
    for (cJSON *x = o != NULL ? o->child : NULL, *after = NULL; x != NULL; x = after) {
        after = x->next;
        if (strcmp(word(x, "kind"), kind) == 0) {
            (void)cJSON_AddItemToArray(kept, cJSON_DetachItemViaPointer(o, x));
        }
    }
    cJSON_Delete(o);
    (void)cJSON_AddItemToObject(all, "exceptions", kept);
}

static void csv_number(struct buf *out, const cJSON *o, const char *key) {
    int64_t n = 0;
    if (json_int(o, key, &n)) {
        buf_addf(out, "%lld", (long long)n);
    }
    buf_add_str(out, ",");
}

static void csv_row(struct buf *out, const cJSON *o, const char *currency) {
    static const char *const texts[] = {"text", "step", "owner"};
    buf_addf(out, "%s,", word(o, "kind"));
    csv_cell(out, word(o, "sku"));
    buf_add_str(out, ",");
    csv_cell(out, word(o, "other"));
    buf_add_str(out, ",");
    csv_number(out, o, "product");
    csv_number(out, o, "variant");
    csv_number(out, o, "sitoo_product");
    buf_addf(out, "%s,%s,%s,%s,%s", word(o, "web_price"), word(o, "till_price"), word(o, "units_sold"),
             word(o, "stake"), currency);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        buf_add_str(out, ",");
        csv_cell(out, word(o, texts[i]));
    }
    buf_add_str(out, "\r\n");
}

static bool write_csv(const char *path, const cJSON *all) {
    struct buf file;
    const cJSON *o = NULL;
    buf_init(&file, PAGE_MAX);
    buf_add_str(&file, "kind,sku,other,product,variant,sitoo_product,web_price,till_price,units_sold,stake,currency,"
                       "what,next_step,owner\r\n");
    cJSON_ArrayForEach(o, json_array(all, "exceptions")) {
        csv_row(&file, o, word(all, "currency"));
    }
    bool good = !buf_overflowed(&file) && baseline_write_file(path, &file);
    buf_free(&file);
    return good;
}

static void text_top(struct buf *page, const cJSON *all) {
    char age[TEXT_AGE_SIZE], money[TILL_MONEY_SIZE];
    int64_t at = 0, total = 0, n = 0;
    const cJSON *o = NULL;
    (void)json_int(all, "at_ms", &at);
    text_age(clock_wall_ms() - at, age);
    cJSON_ArrayForEach(o, json_array(all, "exceptions")) {
        total += stake_of(o) < INT64_MAX / 2 - total ? stake_of(o) : 0;
        n++;
    }
    till_money_format(total, money);
    buf_addf(page, "%lld %s, %s %s at stake; both shops were read %s ago\n", (long long)n,
             n == 1 ? "exception" : "exceptions", money, word(all, "currency"), age);
    cJSON_ArrayForEach(o, json_get(all, "counts")) {
        if (json_item_int(o, &n) && n > 0) {
            buf_addf(page, "  %-*s %8lld\n", KIND_WIDTH, o->string, (long long)n);
        }
    }
}

static void text_row(struct buf *page, const cJSON *o, size_t width) {
    static const struct {
        const char *key;
        int width;
    } columns[] = {{"web_price", 11}, {"till_price", 11}, {"units_sold", 12}, {"stake", 13}};
    text_padded(page, word(o, "kind"), KIND_WIDTH);
    buf_add_str(page, " ");
    text_padded(page, word(o, "sku"), width);
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        const char *value = word(o, columns[i].key);
        buf_addf(page, " %*s", columns[i].width, value[0] != '\0' ? value : "-");
    }
    buf_add_str(page, "  ");
    text_safe(page, word(o, "text"));
    buf_addf(page, "\n%*s -> ", KIND_WIDTH, "");
    text_safe(page, word(o, "step"));
    buf_add_str(page, "\n");
}

static void text_table(struct buf *page, const cJSON *list, int64_t rows) {
    size_t width = 12, n = (size_t)cJSON_GetArraySize(list), shown = 0;
    const cJSON *o = NULL;
    cJSON_ArrayForEach(o, list) {
        size_t len = strlen(word(o, "sku"));
        width = (int64_t)shown < rows && len > width ? (len < 40 ? len : 40) : width;
        shown++;
    }
    if (n > 0 && rows > 0) {
        buf_addf(page, "\n%-*s %-*s %11s %11s %12s %13s  %s\n", KIND_WIDTH, "kind", (int)width, "SKU", "web price",
                 "till price", "units sold", "at stake", "what, and the next step");
    }
    shown = 0;
    cJSON_ArrayForEach(o, list) {
        if ((int64_t)shown == rows) {
            buf_addf(page, "... and %zu more (--rows N, --kind KIND, --csv FILE)\n", n - shown);
            break;
        }
        text_row(page, o, width);
        shown++;
    }
}

static void print_text(const cJSON *all, const struct command_line *line) {
    struct buf page;
    buf_init(&page, PAGE_MAX);
    text_top(&page, all);
    text_table(&page, json_array(all, "exceptions"), line->exceptions.rows);
    command_print(&page);
}

/* ---- the command ---- */

static enum next good_kind(const char *kind, struct reason *why) {
    enum exception_kind k;
    char list[300] = "";
    if (kind == NULL || exception_kind_read(kind, &k)) {
        return NEXT_DONE;
    }
    for (int i = 0; i < EXCEPTION_KINDS; i++) {
        size_t n = strlen(list);
        (void)snprintf(list + n, sizeof list - n, "%s%s", i > 0 ? ", " : "", exception_name((enum exception_kind)i));
    }
    return reason_set(why, NEXT_PARK, "kind", "--kind: %.40s is none of %s", kind, list);
}

static enum next load(struct app *app, cJSON **all, struct reason *why) {
    enum next next = exceptions_load(app, all, why);
    if (next == NEXT_DONE && *all == NULL) {
        next = reason_set(why, NEXT_PARK, "no_sweep",
                          "both shops were not compared yet; do it now with: onepool exceptions --sweep");
    }
    return next;
}

int command_exceptions(struct app *app, const struct command_line *line) {
    struct reason why = {0};
    cJSON *all = NULL;
    enum next next = good_kind(line->exceptions.kind, &why);
    next = next == NEXT_DONE && line->exceptions.sweep ? sweep(app, line, &why) : next;
    next = next == NEXT_DONE ? load(app, &all, &why) : next;
    if (next != NEXT_DONE) {
        return command_failed(line, &why);
    }
    if (line->exceptions.kind != NULL) {
        drop_other_kinds(all, line->exceptions.kind);
    }
    /* Numbers were added as raw text; read back, so that they are numbers. */
    char *text = json_print(all), error[80];
    cJSON *read = json_read(text, strlen(text), error, sizeof error);
    bool good = line->exceptions.csv == NULL || write_csv(line->exceptions.csv, read);
    if (line->json) {
        command_print_json(all);
    } else {
        print_text(read, line);
    }
    cJSON_Delete(read);
    cJSON_Delete(all);
    free(text);
    return good ? 0 : 1;
}
