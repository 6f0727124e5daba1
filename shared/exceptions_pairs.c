/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions between two SKUs: near-duplicates, and one barcode for both. */
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "exceptions_member.h"
#include "ban.h"

/* SKUs of one fold that are compared each with each; a made-up catalog must not cost the square of its size. */
#define GROUP_MAX ((size_t)50)

/* ---- near-duplicates ---- */

static int by_fold(const void *a, const void *b) {
    const struct member *const *x = a, *const *y = b;
    int c = strcmp((*x)->fold, (*y)->fold);
    return c != 0 ? c : strcmp((*x)->sku, (*y)->sku);
}

/* Hidden in the POS is how a person settles it, so two count only while both are offered; one that Sitoo lacks would be
 * made beside the other, hidden or not. */
static bool is_pair(const struct member *a, const struct member *b) {
    if (a->till != NULL && b->till != NULL) {
        return a->till->active && b->till->active;
    }
    const struct member *web = a->till == NULL ? a : b, *till = a->till == NULL ? b : a;
    return till->till != NULL && (web->want == NULL || web->want->active || till->till->active);
}

/* First the one that is right: what BigCommerce has. */
static bool comes_first(const struct member *a, const struct member *b) {
    if ((a->product_id != 0) != (b->product_id != 0)) {
        return a->product_id != 0;
    }
    if ((a->till == NULL) != (b->till == NULL)) {
        return a->till == NULL;
    }
    return strcmp(a->sku, b->sku) < 0;
}

static void add_pair(struct finding *f, struct member *a, struct member *b) {
    struct member *one = comes_first(a, b) ? a : b, *two = one == a ? b : a;
    struct exception *x = finding_add(f, EXCEPTION_NEAR_DUPLICATE, one);
    one->near = two->near = true;
    free(x->other);
    x->other = xstrdup(two->sku);
    x->till_id = two->till->id;
    /* What is rung up under it is missing on the right one, as with a SKU that is only in Sitoo. */
    if (two->till->active && two->product_id == 0) {
        x->till_price = two->till->price;
        x->units_sold = finding_sold(f, two->sku);
        x->stake = finding_stake(x->units_sold, x->till_price);
    }
    say_near(x, one, two);
}

void find_near(struct finding *f) {
    struct member **order = xcalloc(f->n + 1, sizeof(struct member *));
    for (size_t i = 0; i < f->n; i++) {
        order[i] = &f->members[i];
    }
    qsort(order, f->n, sizeof(struct member *), by_fold);
    for (size_t first = 0, i = 1; i < f->n; i++) {
        if (strcmp(order[i]->fold, order[first]->fold) != 0) {
            first = i;
        }
        for (size_t k = first; k < i && k < first + GROUP_MAX; k++) {
            if (is_pair(order[k], order[i])) {
                add_pair(f, order[k], order[i]);
            }
        }
    }
    free(order);
}

/* ---- barcodes ---- */

struct holder {
    const char *code;
    const struct member *member;
    bool web;
};

/* Wants first, so that the first of a code is what BigCommerce says. */
static int by_code(const void *a, const void *b) {
    const struct holder *x = a, *y = b;
    int c = strcmp(x->code, y->code);
    c = c != 0 ? c : (x->web ? 0 : 1) - (y->web ? 0 : 1);
    return c != 0 ? c : strcmp(x->member->sku, y->member->sku);
}

static void add_barcode(struct finding *f, const struct holder *first, const struct holder *other) {
    /* Of two that are wanted, the later one is the one that Sitoo refuses. */
    const struct holder *refused = other->web ? other : first, *has = other->web ? first : other;
    struct exception *x = finding_add(f, EXCEPTION_BARCODE_TWICE, refused->member);
    free(x->other);
    x->other = xstrdup(has->member->sku);
    say_barcode_twice(x, first->code, has->web);
}

void find_barcodes(struct finding *f) {
    struct holder *holders = xcalloc(f->n + 1, sizeof *holders);
    size_t n = 0;
    for (size_t i = 0; i < f->n; i++) {
        const struct member *m = &f->members[i];
        if (m->want != NULL && m->want->barcode != NULL && m->want->barcode[0] != '\0') {
            holders[n++] = (struct holder){m->want->barcode, m, true};
        } else if (m->want == NULL && member_in_till(m) && m->till->barcode[0] != '\0') {
            /* Of a SKU that is wanted the code is about to become the wanted one: nothing for a person. */
            holders[n++] = (struct holder){m->till->barcode, m, false};
        }
    }
    qsort(holders, n, sizeof *holders, by_code);
    for (size_t first = 0, i = 1; i < n; i++) {
        if (strcmp(holders[i].code, holders[first].code) != 0) {
            first = i;
        } else if (holders[first].web) { /* two that are both Sitoo's own: it would not take them */
            add_barcode(f, &holders[first], &holders[i]);
        }
    }
    free(holders);
}
