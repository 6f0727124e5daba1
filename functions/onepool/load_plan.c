/* SPDX-License-Identifier: Apache-2.0 */
/* What a first load would do, and how it is shown; see load.h. Pure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "baseline.h"
#include "gate.h"
#include "json.h"
#include "load.h"
#include "product_diff.h"
#include "text.h"
#include "ban.h"

#define ID_TEXT_MAX ((size_t)256 * 1024 * 1024)
#define SKU_WIDTH   26
#define WHAT_WIDTH  18

static struct load_row *add(struct load_plan *p, const char *sku, int64_t product_id, const char *what,
                            const char *field) {
    if (p->n == p->cap) {
        p->cap = p->cap > 0 ? 2 * p->cap : 256;
        p->rows = xrealloc(p->rows, p->cap, sizeof *p->rows);
    }
    struct load_row *r = &p->rows[p->n++];
    *r = (struct load_row){.sku = sku, .product_id = product_id, .what = what, .field = field};
    r->before = xstrdup("");
    r->after = xstrdup("");
    return r;
}

static void set(char **text, const char *value) {
    free(*text);
    *text = xstrdup(value);
}

static void set_money(char **text, int64_t hundredths) {
    char money[TILL_MONEY_SIZE] = "";
    if (hundredths >= 0) {
        till_money_format(hundredths, money);
    }
    set(text, money);
}

static void set_int(char **text, int64_t n) {
    char number[24];
    (void)snprintf(number, sizeof number, "%lld", (long long)n);
    set(text, number);
}

/* ---- one SKU ---- */

static void values(struct load_row *r, unsigned field, const struct want *w, const struct till_product *h) {
    switch (field) {
    case FIELD_TITLE:
        set(&r->before, h->title);
        set(&r->after, w->title);
        break;
    case FIELD_PRICE:
        set_money(&r->before, h->price);
        set_money(&r->after, w->price);
        break;
    case FIELD_RETAIL:
        set_money(&r->before, h->retail_price);
        set_money(&r->after, w->retail_price);
        break;
    case FIELD_VAT:
        set_int(&r->before, h->vat_id);
        set_int(&r->after, w->vat_id);
        break;
    case FIELD_BARCODE:
        set(&r->before, h->barcode);
        set(&r->after, w->barcode);
        break;
    case FIELD_ACTIVE:
        set(&r->before, h->active ? "shown" : "hidden");
        set(&r->after, w->active ? "shown" : "hidden");
        break;
    case FIELD_UNIT:
        set(&r->before, h->unit);
        set(&r->after, w->unit);
        break;
    default: /* long ones: that they differ says enough */
        break;
    }
}

/* have: NULL if it is to be made. True if Sitoo's list for sale prices would change. */
static bool compare_sale(struct load_plan *p, const struct shops *s, const struct product_want *w,
                         const struct want *want, const struct till_product *have, bool braked) {
    int64_t now = shops_sale_price(s, want->sku);
    if (now == want->sale_price) {
        return false;
    }
    struct load_row *r = add(p, want->sku, w->product_id, have != NULL ? "change" : "make", "sale_price");
    set_money(&r->before, now);
    set_money(&r->after, want->sale_price);
    r->braked = braked;
    return true;
}

static void compare_fields(struct load_plan *p, const struct shops *s, const struct product_want *w,
                           const struct want *want, const struct till_product *have, int64_t percent) {
    unsigned fields = product_differs(want, have);
    bool hides = (fields & FIELD_ACTIVE) != 0 && !want->active;
    bool held = price_moves_much(have->price, want->price, percent);
    bool sale_held = sale_falls_much(want, have->price, shops_sale_price(s, want->sku), percent);
    for (unsigned bit = 1; bit <= FIELD_DESCRIPTION; bit *= 2) {
        if ((fields & bit) != 0) {
            struct load_row *r = add(p, want->sku, w->product_id, "change", product_field_name(bit, 0));
            values(r, bit, want, have);
            r->braked = (bit == FIELD_ACTIVE && hides) || (bit == FIELD_PRICE && held);
        }
    }
    bool sale = compare_sale(p, s, w, want, have, sale_held);
    p->change += fields != 0 || sale ? 1 : 0;
    p->hide += hides ? 1 : 0;
    p->held += held || (sale && sale_held) ? 1 : 0;
}

int64_t load_braked(const struct load_plan *p, int64_t after) {
    int64_t n = 0;
    for (size_t i = 0; i < p->n; i++) {
        n += p->rows[i].braked && p->rows[i].product_id > after ? 1 : 0;
    }
    return n;
}

/* ---- SKUs that are written otherwise ---- */

struct folded {
    char *key;
    const char *sku;
};

static int by_key(const void *a, const void *b) {
    const struct folded *x = a, *y = b;
    return strcmp(x->key, y->key);
}

static const char *near_of(const struct folded *list, size_t n, const char *sku) {
    const struct folded key = {.key = sku_fold(sku)};
    const struct folded *found = n > 0 ? bsearch(&key, list, n, sizeof key, by_key) : NULL;
    free(key.key);
    return found != NULL && strcmp(found->sku, sku) != 0 ? found->sku : NULL;
}

static struct folded *fold_all(const struct till_products *till) {
    struct folded *list = xcalloc(till->n + 1, sizeof *list);
    for (size_t i = 0; i < till->n; i++) {
        list[i] = (struct folded){.key = sku_fold(till->list[i].sku), .sku = till->list[i].sku};
    }
    qsort(list, till->n, sizeof *list, by_key);
    return list;
}

/* ---- one product ---- */

static bool family_differs(const struct product_want *w, const struct till_product *const *have, size_t missing) {
    return w->group_count > 0 && w->n > 0 && (missing > 0 || !family_is_right(w, have));
}

static void compare_product(struct load_plan *p, const struct shops *s, const struct product_want *w, int64_t percent,
                            const struct folded *folded) {
    const struct till_product **have = xcalloc(w->n + 1, sizeof *have);
    size_t missing = 0;
    for (size_t i = 0; i < w->n; i++) {
        const struct want *want = &w->list[i];
        have[i] = till_find(&s->till, want->sku);
        const char *near = have[i] == NULL ? near_of(folded, s->till.n, want->sku) : NULL;
        missing += have[i] == NULL ? 1 : 0;
        if (near != NULL) {
            set(&add(p, want->sku, w->product_id, "near_duplicate", "")->before, near);
            p->problems++;
        } else if (have[i] == NULL) {
            set_money(&add(p, want->sku, w->product_id, "make", "")->after, want->price);
            (void)compare_sale(p, s, w, want, NULL, false);
            p->make++;
        } else {
            compare_fields(p, s, w, want, have[i], percent);
        }
    }
    if (family_differs(w, have, missing)) {
        struct load_row *r = add(p, w->list[0].sku, w->product_id, "family", "");
        set_int(&r->after, (int64_t)w->n);
        p->families++;
    }
    for (size_t i = 0; i < w->problem_count; i++) {
        const struct want_problem *problem = &w->problems[i];
        set(&add(p, problem->sku, w->product_id, want_cause_name(problem->cause), "")->after, problem->text);
        p->problems++;
    }
    free(have);
}

void load_compare(const struct shops *s, int64_t max_price_percent, struct load_plan *out) {
    struct folded *folded = fold_all(&s->till);
    *out = (struct load_plan){.products = (int64_t)s->n, .variants = s->variants};
    for (size_t i = 0; i < s->n; i++) {
        compare_product(out, s, &s->wants[i], max_price_percent, folded);
    }
    for (size_t i = 0; i < s->till.n; i++) {
        free(folded[i].key);
    }
    free(folded);
}

void load_plan_free(struct load_plan *p) {
    for (size_t i = 0; i < p->n; i++) {
        free(p->rows[i].before);
        free(p->rows[i].after);
    }
    free(p->rows);
    memset(p, 0, sizeof *p);
}

/* ---- shown ---- */

void load_csv(const struct load_plan *p, struct buf *out) {
    buf_add_str(out, "product,sku,what,field,in_sitoo,in_bigcommerce\r\n");
    for (size_t i = 0; i < p->n; i++) {
        const struct load_row *r = &p->rows[i];
        const char *const cells[] = {r->sku, r->what, r->field, r->before, r->after};
        buf_addf(out, "%lld", (long long)r->product_id);
        for (size_t k = 0; k < sizeof cells / sizeof cells[0]; k++) {
            buf_add_str(out, ",");
            csv_cell(out, cells[k]);
        }
        buf_add_str(out, "\r\n");
    }
}

void load_plan_id(const struct load_plan *p, char id[17]) {
    struct buf text;
    buf_init(&text, ID_TEXT_MAX);
    load_csv(p, &text);
    gate_digest(buf_str(&text), id);
    buf_free(&text);
}

cJSON *load_json(const struct load_plan *p, const char *id, int64_t rows) {
    cJSON *o = json_new_object();
    json_add_str(o, "id", id);
    json_add_int(o, "products", p->products);
    json_add_int(o, "variants", p->variants);
    json_add_int(o, "make", p->make);
    json_add_int(o, "change", p->change);
    json_add_int(o, "hide", p->hide);
    json_add_int(o, "large_price_changes", p->held);
    json_add_int(o, "families", p->families);
    json_add_int(o, "problems", p->problems);
    json_add_int(o, "differences", (int64_t)p->n);
    cJSON *list = json_add_array(o, "rows");
    for (size_t i = 0; i < p->n && i < (size_t)rows; i++) {
        const struct load_row *r = &p->rows[i];
        cJSON *row = json_new_object();
        json_add_int(row, "product", r->product_id);
        json_add_str(row, "sku", r->sku);
        json_add_str(row, "what", r->what);
        json_add_str(row, "field", r->field);
        json_add_str(row, "in_sitoo", r->before);
        json_add_str(row, "in_bigcommerce", r->after);
        (void)cJSON_AddItemToArray(list, row);
    }
    return o;
}

void load_text(const struct load_plan *p, const char *id, int64_t rows, struct buf *out) {
    buf_addf(out, "BigCommerce has %lld products with %lld SKUs for the tills.\n", (long long)p->products,
             (long long)p->variants);
    buf_addf(out, "To be made in Sitoo      %8lld\n", (long long)p->make);
    buf_addf(out, "To be changed            %8lld   (%lld hidden, %lld with a large change of price)\n",
             (long long)p->change, (long long)p->hide, (long long)p->held);
    buf_addf(out, "Families to be written   %8lld\n", (long long)p->families);
    buf_addf(out, "Cannot be done           %8lld   (each becomes a case: onepool parked)\n\n", (long long)p->problems);
    for (size_t i = 0; i < p->n && i < (size_t)rows; i++) {
        const struct load_row *r = &p->rows[i];
        text_padded(out, r->sku, SKU_WIDTH);
        buf_add_str(out, "  ");
        text_padded(out, r->what, WHAT_WIDTH);
        buf_add_str(out, "  ");
        text_padded(out, r->field, 12);
        buf_add_str(out, "  ");
        text_safe(out, r->before);
        buf_add_str(out, r->before[0] != '\0' && r->after[0] != '\0' ? " -> " : "");
        text_safe(out, r->after);
        buf_add_str(out, "\n");
    }
    if (p->n > (size_t)rows) {
        buf_addf(out, "... and %zu more differences: --rows N shows more, --csv FILE writes all\n",
                 p->n - (size_t)rows);
    }
    buf_addf(out, "\nNothing was written. Look at it; then run: onepool load --apply %s\n", id);
}
