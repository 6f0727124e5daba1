/* SPDX-License-Identifier: Apache-2.0 */
/* Open orders as a table for a spreadsheet, and back. RFC 4180; a semicolon as separator and a byte order mark, which
 * spreadsheet programs of many countries write, are understood. Pure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "baseline.h"
#include "clock.h"
#include "json.h"
#include "quantity.h"
#include "ban.h"

#define COLUMNS_MAX    64
#define CELL_MAX       ((size_t)1000)
#define MISTAKES_SHOWN 100

void csv_cell(struct buf *out, const char *text) {
    bool formula = text[0] != '\0' && strchr("=+-@\t", text[0]) != NULL;
    if (!formula && strpbrk(text, ",;\"\r\n") == NULL) {
        buf_add_str(out, text);
        return;
    }
    buf_add_str(out, formula ? "\"'" : "\"");
    for (const char *c = text; *c != '\0'; c++) {
        buf_add_str(out, *c == '"' ? "\"" : "");
        buf_add(out, c, 1);
    }
    buf_add_str(out, "\"");
}

void orders_csv_write(const struct open_orders *o, struct buf *out) {
    buf_add_str(out, "order,status,created,units,class,by,note\r\n");
    for (size_t i = 0; i < o->n; i++) {
        const struct open_order *one = &o->list[i];
        char created[CLOCK_TEXT_SIZE] = "", units[QUANTITY_TEXT_SIZE];
        if (one->created_ms > 0) {
            clock_format(one->created_ms, created);
            created[10] = '\0'; /* the day */
        }
        quantity_format(one->units, units);
        buf_addf(out, "%lld,%lld,%s,%s,%s,%s,", (long long)one->id, (long long)one->status, created, units,
                 weborder_class_name(one->class), one->by);
        csv_cell(out, one->note);
        buf_add_str(out, "\r\n");
    }
}

/* ---- reading ---- */

struct reader {
    const char *at;
    char separator;
    int64_t line;
    size_t cells;
    char *cell[COLUMNS_MAX];
    const char *problem; /* of this line, or NULL */
};

static void clear(struct reader *r) {
    for (size_t i = 0; i < r->cells; i++) {
        free(r->cell[i]);
    }
    r->cells = 0;
    r->problem = NULL;
}

static void read_quoted(struct reader *r, struct buf *cell) {
    r->at++;
    while (*r->at != '\0' && !(r->at[0] == '"' && r->at[1] != '"')) {
        buf_add(cell, r->at, 1);
        r->at += *r->at == '"' ? 2 : 1;
    }
    if (*r->at == '\0') {
        r->problem = "a quote is not closed";
        return;
    }
    r->at++;
    if (*r->at != r->separator && strchr("\r\n", *r->at) == NULL) {
        r->problem = "there is text behind a closing quote";
    }
}

static void read_cell(struct reader *r) {
    struct buf cell;
    buf_init(&cell, CELL_MAX);
    if (*r->at == '"') {
        read_quoted(r, &cell);
    }
    while (*r->at != '\0' && *r->at != r->separator && *r->at != '\r' && *r->at != '\n') {
        buf_add(&cell, r->at++, 1);
    }
    if (buf_overflowed(&cell)) {
        r->problem = "a cell is longer than 1,000 characters";
    }
    if (r->cells < COLUMNS_MAX) {
        r->cell[r->cells++] = buf_take(&cell);
    } else {
        r->problem = "more than 64 columns";
        buf_free(&cell);
    }
}

/* False at the end of the text. */
static bool read_line(struct reader *r) {
    clear(r);
    if (*r->at == '\0') {
        return false;
    }
    r->line++;
    read_cell(r);
    while (*r->at == r->separator) {
        r->at++;
        read_cell(r);
    }
    r->at += *r->at == '\r' ? 1 : 0;
    r->at += *r->at == '\n' ? 1 : 0;
    return true;
}

static int find_column(const struct reader *r, const char *name) {
    for (size_t i = 0; i < r->cells; i++) {
        if (strcmp(r->cell[i], name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

struct wish {
    struct open_order *order;
    enum weborder_class class;
};

struct import {
    struct open_orders *orders;
    struct wish *wishes; /* one per open order at most */
    size_t n;
    struct buf *mistakes;
    size_t mistaken;
};

static void mistake(struct import *im, int64_t line, const char *text, const char *what) {
    if (im->mistaken++ < MISTAKES_SHOWN) {
        buf_addf(im->mistakes, "line %lld: %s%s%.60s%s\n", (long long)line, text, what[0] != '\0' ? " \"" : "", what,
                 what[0] != '\0' ? "\"" : "");
    }
}

static void take_line(struct import *im, const struct reader *r, int order_column, int class_column) {
    int64_t id = 0;
    enum weborder_class class = WEBORDER_UNCLASSED;
    if (r->problem != NULL) {
        mistake(im, r->line, r->problem, "");
        return;
    }
    if (r->cells == 1 && r->cell[0][0] == '\0') {
        return; /* an empty line */
    }
    if ((size_t)order_column >= r->cells || (size_t)class_column >= r->cells) {
        mistake(im, r->line, "has too few columns", "");
        return;
    }
    const char *text = r->cell[order_column], *name = r->cell[class_column];
    if (!int_parse(text, 1, JSON_INT_MAX, &id)) {
        mistake(im, r->line, "is no order number:", text);
        return;
    }
    struct open_order *one = open_orders_find(im->orders, id);
    if (one == NULL) {
        mistake(im, r->line, "no open order has the number", text);
    } else if (name[0] != '\0' && (strchr(name, ' ') != NULL || !weborder_class_read(name, &class))) {
        mistake(im, r->line, "must be in_sitoo, subtract, hand_over or empty, not", name);
    } else if (one->in_file) {
        mistake(im, r->line, "order stands in the file twice:", text);
    } else {
        one->in_file = true;
        im->wishes[im->n++] = (struct wish){.order = one, .class = class};
    }
}

static bool read_header(struct reader *r, struct import *im, int *order_column, int *class_column) {
    size_t first = strcspn(r->at, "\r\n");
    r->separator = memchr(r->at, ',', first) == NULL && memchr(r->at, ';', first) != NULL ? ';' : ',';
    if (!read_line(r) || r->problem != NULL) {
        mistake(im, 1, r->problem != NULL ? r->problem : "the file is empty", "");
        return false;
    }
    *order_column = find_column(r, "order");
    *class_column = find_column(r, "class");
    if (*order_column < 0 || *class_column < 0) {
        mistake(im, 1, "the first line must name the columns order and class", "");
        return false;
    }
    return true;
}

/* What a rule had said already is not a person's word just because it stands in the exported file. */
static size_t apply(const struct import *im) {
    size_t set = 0;
    for (size_t i = 0; i < im->n; i++) {
        const struct wish *w = &im->wishes[i];
        if (w->class == w->order->class) {
            continue;
        }
        w->order->class = w->class;
        (void)str_copy(w->order->by, sizeof w->order->by, w->class != WEBORDER_UNCLASSED ? "person" : "");
        set++;
    }
    return set;
}

size_t orders_csv_read(const char *text, struct open_orders *o, struct buf *mistakes) {
    struct reader r = {.at = strncmp(text, "\xef\xbb\xbf", 3) == 0 ? text + 3 : text};
    struct import im = {.orders = o, .wishes = xcalloc(o->n + 1, sizeof *im.wishes), .mistakes = mistakes};
    int order_column = -1, class_column = -1;
    size_t set = 0;
    if (read_header(&r, &im, &order_column, &class_column)) {
        while (read_line(&r)) {
            take_line(&im, &r, order_column, class_column);
        }
    }
    clear(&r);
    if (im.mistaken > MISTAKES_SHOWN) {
        buf_addf(mistakes, "and %zu more\n", im.mistaken - MISTAKES_SHOWN);
    }
    if (im.mistaken == 0) {
        set = apply(&im);
    }
    free(im.wishes);
    return set;
}
