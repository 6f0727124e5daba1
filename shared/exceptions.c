/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing both catalogs; see exceptions.h. */
#include "exceptions.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "exceptions_member.h"
#include "quantity.h"
#include "ban.h"

#define PERCENT_WHOLE INT64_C(1000000) /* 100 % */

static const char *const names[EXCEPTION_KINDS] = {
    [EXCEPTION_ONLY_IN_SITOO] = "only_in_sitoo",     [EXCEPTION_ONLY_IN_WEB] = "only_in_bigcommerce",
    [EXCEPTION_NEAR_DUPLICATE] = "near_duplicate",   [EXCEPTION_BARCODE_TWICE] = "barcode_duplicate",
    [EXCEPTION_BARCODE_MISSING] = "barcode_missing", [EXCEPTION_PRICE] = "price_differs",
    [EXCEPTION_PRICE_UNDERCUT] = "price_undercut",   [EXCEPTION_VAT] = "vat_differs",
    [EXCEPTION_NO_SKU] = "variant_without_sku",      [EXCEPTION_REFUSED] = "product_problem"};

const char *exception_name(enum exception_kind k) {
    return k >= 0 && k < EXCEPTION_KINDS ? names[k] : "";
}

bool exception_kind_read(const char *name, enum exception_kind *out) {
    for (int k = 0; k < EXCEPTION_KINDS; k++) {
        if (strcmp(names[k], name) == 0) {
            *out = (enum exception_kind)k;
            return true;
        }
    }
    return false;
}

/* ---- parts ---- */

struct exception *finding_add(struct finding *f, enum exception_kind kind, const struct member *m) {
    struct exceptions *e = f->out;
    bool money = kind == EXCEPTION_PRICE || kind == EXCEPTION_PRICE_UNDERCUT || kind == EXCEPTION_VAT;
    if (e->n == e->cap) {
        e->cap = e->cap > 0 ? 2 * e->cap : 64;
        e->list = xrealloc(e->list, e->cap, sizeof *e->list);
    }
    struct exception *x = &e->list[e->n++];
    *x = (struct exception){.kind = kind,
                            .sku = xstrdup(m->sku),
                            .other = xstrdup(""),
                            .product_id = m->product_id,
                            .variant_id = m->variant_id,
                            .till_id = m->till != NULL ? m->till->id : 0,
                            .web_price = -1,
                            .till_price = -1,
                            .units_sold = -1,
                            .stake = -1,
                            .owner = money ? f->mapping->owner_money : f->mapping->owner_mapping};
    e->by_kind[kind]++;
    return x;
}

int64_t finding_sold(const struct finding *f, const char *sku) {
    size_t low = 0, high = f->sold->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int c = strcmp(f->sold->list[middle].sku, sku);
        if (c == 0) {
            return f->sold->list[middle].thousandths;
        }
        low = c < 0 ? middle + 1 : low;
        high = c < 0 ? high : middle;
    }
    return 0;
}

int64_t finding_stake(int64_t thousandths, int64_t hundredths) {
    if (thousandths < 0 || hundredths < 0) {
        return -1;
    }
    if (hundredths > 0 && thousandths > INT64_MAX / hundredths) {
        return INT64_MAX / QUANTITY_ONE;
    }
    return thousandths * hundredths / QUANTITY_ONE;
}

int64_t vat_percent(const struct product_rules *r, int64_t group) {
    for (size_t i = 0; i < r->vat_group_count; i++) {
        if (r->vat_groups[i].id == group) {
            return r->vat_groups[i].percent;
        }
    }
    return -1;
}

/* ---- every SKU of both ---- */

static int by_sku(const void *a, const void *b) {
    const struct member *x = a, *y = b;
    int c = strcmp(x->sku, y->sku);
    /* What can be wanted before a mere problem of the same SKU, then the older product. */
    c = c != 0 ? c : (x->want == NULL ? 1 : 0) - (y->want == NULL ? 1 : 0);
    return c != 0 ? c : (x->product_id > y->product_id ? 1 : 0) - (x->product_id < y->product_id ? 1 : 0);
}

static size_t gather(const struct shops *s, struct member *m) {
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct product_want *w = &s->wants[i];
        for (size_t k = 0; k < w->n; k++) {
            m[n++] = (struct member){.sku = w->list[k].sku,
                                     .product_id = w->product_id,
                                     .variant_id = w->list[k].variant_id,
                                     .want = &w->list[k]};
        }
        for (size_t k = 0; k < w->left_count; k++) { /* a problem of the whole product, or a download: still its SKUs */
            m[n++] = (struct member){.sku = w->left[k], .product_id = w->product_id};
        }
        for (size_t k = 0; k < w->problem_count; k++) {
            const struct want_problem *p = &w->problems[k];
            if (p->sku != NULL && p->sku[0] != '\0') {
                m[n++] = (struct member){.sku = p->sku,
                                         .product_id = w->product_id,
                                         .variant_id = p->variant_id,
                                         .bad_barcode = p->cause == WANT_BARCODE};
            }
        }
    }
    for (size_t i = 0; i < s->till.n; i++) {
        if (s->till.list[i].sku[0] != '\0') {
            m[n++] = (struct member){.sku = s->till.list[i].sku, .till = &s->till.list[i]};
        }
    }
    return n;
}

/* product_id 0 sorts first, so a product of Sitoo comes before the problem of its SKU, and behind its want. */
static void join(struct member *into, const struct member *m) {
    into->till = into->till != NULL ? into->till : m->till;
    into->bad_barcode = into->bad_barcode || m->bad_barcode;
    if (into->product_id == 0 || (into->product_id == m->product_id && into->variant_id == 0)) {
        into->product_id = m->product_id;
        into->variant_id = m->variant_id;
    }
}

static void collect(struct finding *f) {
    const struct shops *s = f->shops;
    size_t most = s->till.n, n = 0;
    for (size_t i = 0; i < s->n; i++) {
        most += s->wants[i].n + s->wants[i].left_count + s->wants[i].problem_count;
    }
    f->members = xcalloc(most + 1, sizeof *f->members);
    n = gather(s, f->members);
    qsort(f->members, n, sizeof *f->members, by_sku);
    for (size_t i = 0; i < n; i++) {
        if (f->n > 0 && strcmp(f->members[f->n - 1].sku, f->members[i].sku) == 0) {
            join(&f->members[f->n - 1], &f->members[i]);
        } else {
            f->members[f->n++] = f->members[i];
        }
    }
    for (size_t i = 0; i < f->n; i++) {
        f->members[i].fold = sku_fold(f->members[i].sku);
    }
}

/* ---- exceptions of one SKU ---- */

static void find_only(struct finding *f, const struct member *m) {
    if (m->near) {
        return; /* said already, and better */
    }
    if (m->product_id == 0 && member_in_till(m)) {
        struct exception *x = finding_add(f, EXCEPTION_ONLY_IN_SITOO, m);
        x->till_price = m->till->price;
        x->units_sold = finding_sold(f, m->sku);
        x->stake = finding_stake(x->units_sold, x->till_price);
        say_only_in_till(x, f, m->till);
    } else if (m->want != NULL && m->want->active && m->till == NULL) {
        struct exception *x = finding_add(f, EXCEPTION_ONLY_IN_WEB, m);
        x->web_price = m->want->price;
        say_only_in_web(x, f);
    }
}

static struct exception *add_priced(struct finding *f, enum exception_kind kind, const struct member *m,
                                    int64_t web_price, int64_t till_price) {
    struct exception *x = finding_add(f, kind, m);
    x->web_price = web_price;
    x->till_price = till_price;
    x->units_sold = finding_sold(f, m->sku);
    if (till_price >= 0 && x->web_price >= 0) {
        x->stake = finding_stake(x->units_sold,
                                 till_price > x->web_price ? till_price - x->web_price : x->web_price - till_price);
    }
    return x;
}

/* In the default list, or else in the one for sale prices. */
static void find_price(struct finding *f, const struct member *m) {
    int64_t sale = shops_sale_price(f->shops, m->sku), wanted = m->want->sale_price, charged = m->till->price;
    if (m->till->price != m->want->price) {
        say_price(add_priced(f, EXCEPTION_PRICE, m, m->want->price, m->till->price), f);
    } else if (sale != wanted) {
        charged = sale != WANT_NONE && sale < charged ? sale : charged;
        wanted = wanted != WANT_NONE ? wanted : m->want->price;
        say_sale_price(add_priced(f, EXCEPTION_PRICE, m, wanted, charged), f, sale);
    }
}

static void find_undercut(struct finding *f, const struct member *m) {
    const struct till_list *list = NULL;
    int64_t wanted = m->want->sale_price != WANT_NONE ? m->want->sale_price : m->want->price, lowest = wanted;
    for (size_t i = 0; i < f->shops->price_count; i++) {
        const struct shops_list *l = &f->shops->prices[i];
        const struct till_price *p = till_price_find(&l->prices, m->sku);
        bool other = l->list->active && l->list->id != TILL_DEFAULT_LIST &&
                     l->list->id != f->mapping->products.sale_price_list_id &&
                     strcmp(l->list->currency, f->shops->rules.currency) == 0;
        if (other && p != NULL && p->price >= 0 && p->price < lowest) {
            lowest = p->price;
            list = l->list;
        }
    }
    if (list != NULL) {
        say_undercut(add_priced(f, EXCEPTION_PRICE_UNDERCUT, m, wanted, lowest), f, list);
    }
}

/* The tax within a price with tax, or on one without; -1 if it cannot be said. */
static int64_t tax_of(int64_t price, int64_t percent, bool with_tax) {
    if (price < 0 || percent < 0 || (percent > 0 && price > INT64_MAX / percent)) {
        return -1;
    }
    return price * percent / (with_tax ? PERCENT_WHOLE + percent : PERCENT_WHOLE);
}

static void find_vat(struct finding *f, const struct member *m) {
    const struct product_rules *r = &f->shops->rules;
    bool with_tax = f->mapping->products.prices_include_vat;
    int64_t price = m->till->price >= 0 ? m->till->price : m->want->price;
    int64_t web = tax_of(price, vat_percent(r, m->want->vat_id), with_tax);
    int64_t till = tax_of(price, vat_percent(r, m->till->vat_id), with_tax);
    struct exception *x = finding_add(f, EXCEPTION_VAT, m);
    x->units_sold = finding_sold(f, m->sku);
    if (web >= 0 && till >= 0) {
        x->stake = finding_stake(x->units_sold, web > till ? web - till : till - web);
    }
    say_vat(x, f, m->want->vat_id, m->till->vat_id);
}

static void find_of_both(struct finding *f, const struct member *m) {
    if (m->want == NULL || !m->want->active) {
        return;
    }
    if (f->mapping->products.barcode_count > 0 && m->want->barcode[0] == '\0' && !m->bad_barcode) {
        say_barcode_missing(finding_add(f, EXCEPTION_BARCODE_MISSING, m));
    }
    if (!member_in_till(m)) {
        return;
    }
    find_price(f, m);
    if (m->till->vat_id != m->want->vat_id) {
        find_vat(f, m);
    }
    find_undercut(f, m);
}

static void find_problems(struct finding *f, const struct product_want *w) {
    for (size_t i = 0; i < w->problem_count; i++) {
        const struct want_problem *p = &w->problems[i];
        const struct member m = {.sku = p->sku != NULL ? p->sku : "",
                                 .product_id = w->product_id,
                                 .variant_id = p->variant_id,
                                 .till = p->sku != NULL ? till_find(&f->shops->till, p->sku) : NULL};
        say_problem(finding_add(f, p->cause == WANT_SKU_MISSING ? EXCEPTION_NO_SKU : EXCEPTION_REFUSED, &m), p);
    }
}

/* ---- all of them ---- */

static int by_stake(const void *a, const void *b) {
    const struct exception *x = a, *y = b;
    if (x->stake != y->stake) {
        return x->stake > y->stake ? -1 : 1;
    }
    if (x->kind != y->kind) {
        return x->kind < y->kind ? -1 : 1;
    }
    int c = strcmp(x->sku, y->sku);
    c = c != 0 ? c : strcmp(x->other, y->other);
    c = c != 0 ? c : (x->product_id > y->product_id ? 1 : 0) - (x->product_id < y->product_id ? 1 : 0);
    return c != 0 ? c : (x->variant_id > y->variant_id ? 1 : 0) - (x->variant_id < y->variant_id ? 1 : 0);
}

void exceptions_find(const struct shops *s, const struct mapping *m, const struct sold *sold, struct exceptions *out) {
    *out = (struct exceptions){0};
    struct finding f = {.shops = s, .mapping = m, .sold = sold, .out = out};
    collect(&f);
    find_near(&f);
    find_barcodes(&f);
    for (size_t i = 0; i < f.n; i++) {
        find_only(&f, &f.members[i]);
        find_of_both(&f, &f.members[i]);
    }
    for (size_t i = 0; i < s->n; i++) {
        find_problems(&f, &s->wants[i]);
    }
    if (out->n > 0) {
        qsort(out->list, out->n, sizeof *out->list, by_stake);
    }
    for (size_t i = 0; i < f.n; i++) {
        free(f.members[i].fold);
    }
    free(f.members);
}

void exceptions_free(struct exceptions *e) {
    for (size_t i = 0; i < e->n; i++) {
        free(e->list[i].sku);
        free(e->list[i].other);
    }
    free(e->list);
    *e = (struct exceptions){0};
}

void sold_free(struct sold *s) {
    for (size_t i = 0; i < s->n; i++) {
        free(s->list[i].sku);
    }
    free(s->list);
    *s = (struct sold){0};
}
