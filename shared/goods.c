/* SPDX-License-Identifier: Apache-2.0 */
/* The sums; goods_read.c reads what goes into them. */
#include "goods.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "buf.h"
#include "json.h"
#include "order.h"
#include "quantity.h"
#include "ban.h"

#define LINES_MAX 5000

void goods_free(struct goods *g) {
    for (size_t i = 0; i < g->row_count; i++) {
        free(g->rows[i].sku);
    }
    for (size_t i = 0; i < g->line_count; i++) {
        free(g->lines[i].sku);
    }
    free(g->rows);
    free(g->lines);
    memset(g, 0, sizeof *g);
}

struct goods_row *goods_row(const struct goods *g, const char *sku) {
    for (size_t i = 0; i < g->row_count; i++) {
        if (strcasecmp(g->rows[i].sku, sku) == 0) {
            return &g->rows[i];
        }
    }
    return NULL;
}

static struct goods_row *row_of(struct goods *g, const char *sku) {
    struct goods_row *found = goods_row(g, sku);
    if (found == NULL) {
        g->rows = xrealloc(g->rows, g->row_count + 1, sizeof *g->rows);
        found = &g->rows[g->row_count++];
        *found = (struct goods_row){.sku = xstrdup(sku)};
    }
    return found;
}

const char *goods_sku(const struct goods *g, int64_t order_product_id) {
    for (size_t i = 0; i < g->line_count; i++) {
        if (g->lines[i].id == order_product_id) {
            return g->lines[i].sku;
        }
    }
    return "";
}

bool goods_wanted(const struct goods_question *q, const struct refund *r) {
    bool product = false;
    for (size_t i = 0; i < r->item_count; i++) {
        product = product || (r->items[i].product && r->items[i].quantity > 0);
    }
    return product && r->reference[0] == '\0' && !r->declined && (r->created_ms == 0 || r->created_ms >= q->since_ms);
}

static int64_t units_of(const struct refund *r, int64_t line_id) {
    int64_t units = 0;
    for (size_t i = 0; i < r->item_count; i++) {
        units += r->items[i].product && r->items[i].item_id == line_id ? r->items[i].quantity : 0;
    }
    return units;
}

static int64_t at_most(int64_t n, int64_t most) {
    return n < most ? n : most;
}

/* One line's refunds, never more units than were bought: a refund whose payment failed is often made a second time. */
static void add_refunds(struct goods *g, const struct goods_question *q, const struct goods_line *line,
                        int64_t bought) {
    int64_t ours = 0, by_hand = 0, due = 0;
    for (size_t i = 0; i < q->refunds->n; i++) {
        const struct refund *r = &q->refunds->list[i];
        int64_t units = units_of(r, line->id);
        if (r->reference[0] != '\0') {
            ours += units;
        } else if (goods_wanted(q, r)) {
            by_hand += units;
            due += r->created_ms <= q->due_ms ? units : 0;
        }
    }
    if (ours + by_hand > 0) {
        struct goods_row *row = row_of(g, line->sku);
        by_hand = at_most(by_hand, bought);
        row->ours += ours * QUANTITY_ONE;
        row->by_hand += by_hand * QUANTITY_ONE;
        row->due += at_most(due, by_hand) * QUANTITY_ONE;
    }
}

enum next goods_add_lines(struct goods *g, const struct goods_question *q, const cJSON *lines, struct reason *why) {
    const cJSON *json = NULL;
    cJSON_ArrayForEach(json, lines) {
        const char *sku = json_str(json, "sku"), *type = json_str(json, "type");
        int64_t id = 0, bought = 0;
        if (!json_id(json, "id", &id) || !json_int(json, "quantity", &bought) || bought < 0 ||
            g->line_count >= LINES_MAX) {
            return reason_set(why, NEXT_PARK, "bad_web_order",
                              "BigCommerce order %lld: a line lacks id or quantity, or there are more than %d lines",
                              (long long)q->order_id, LINES_MAX);
        }
        g->lines = xrealloc(g->lines, g->line_count + 1, sizeof *g->lines);
        struct goods_line *line = &g->lines[g->line_count++];
        *line = (struct goods_line){.id = id, .sku = xstrdup(sku != NULL ? sku : "")};
        if (line->sku[0] != '\0' && (type == NULL || strcmp(type, "physical") == 0)) {
            add_refunds(g, q, line, bought);
        }
    }
    return NEXT_DONE;
}

enum next goods_add_return(struct goods *g, const cJSON *json, const char *our_prefix, struct reason *why) {
    struct order *o = NULL;
    enum next next = order_read(json, our_prefix, &o, why);
    if (next != NEXT_DONE) {
        return next;
    }
    for (size_t i = 0; order_kind(o) == ORDER_SOLD && i < o->row_count; i++) {
        if (o->rows[i].thousandths < 0) {
            row_of(g, o->rows[i].sku)->returned -= o->rows[i].thousandths;
        }
    }
    order_free(o);
    return NEXT_DONE;
}

bool goods_add_booked(struct goods *g, const char *text) {
    const char *space = strchr(text, ' ');
    char number[24];
    int64_t thousandths = 0;
    if (space == NULL || space[1] == '\0' || (size_t)(space - text) >= sizeof number) {
        return false;
    }
    memcpy(number, text, (size_t)(space - text));
    number[space - text] = '\0';
    if (!int_parse(number, 1, QUANTITY_MAX, &thousandths)) {
        return false;
    }
    row_of(g, space + 1)->booked += thousandths;
    return true;
}

int64_t goods_missing(const struct goods_row *row, bool due_only) {
    int64_t over = row->returned - row->ours, back = (over > 0 ? over : 0) + row->booked;
    int64_t wanted = due_only ? row->due : row->by_hand;
    return wanted > back ? wanted - back : 0;
}

bool goods_any_missing(const struct goods *g, bool due_only) {
    bool any = false;
    for (size_t i = 0; !g->never_left && i < g->row_count; i++) {
        any = any || goods_missing(&g->rows[i], due_only) > 0;
    }
    return any;
}

void goods_quantity(int64_t thousandths, char out[24]) {
    if (thousandths % QUANTITY_ONE == 0) {
        (void)snprintf(out, 24, "%lld", (long long)(thousandths / QUANTITY_ONE));
    } else {
        char text[QUANTITY_TEXT_SIZE];
        quantity_format(thousandths, text);
        (void)snprintf(out, 24, "%.23s", text);
    }
}

void goods_text(const struct goods *g, bool due_only, char *out, size_t size) {
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < g->row_count; i++) {
        int64_t missing = goods_missing(&g->rows[i], due_only);
        char quantity[24], one[320];
        if (missing == 0) {
            continue;
        }
        goods_quantity(missing, quantity);
        int n = snprintf(one, sizeof one, "%s%.255s x %s", len > 0 ? ", " : "", g->rows[i].sku, quantity);
        if (n < 0 || (size_t)n >= sizeof one || len + (size_t)n + sizeof " ..." > size) {
            (void)snprintf(out + len, size - len, " ...");
            return;
        }
        memcpy(out + len, one, (size_t)n + 1);
        len += (size_t)n;
    }
}
