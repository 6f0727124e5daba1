/* SPDX-License-Identifier: Apache-2.0 */
/* How exceptions are found, between exceptions.c, exceptions_pairs.c and exceptions_text.c. */
#ifndef ONEPOOL_EXCEPTIONS_MEMBER_H
#define ONEPOOL_EXCEPTIONS_MEMBER_H

#include "exceptions.h"

/* One SKU of either catalog, exactly as it is written. */
struct member {
    const char *sku;
    char *fold;
    int64_t product_id, variant_id; /* 0 = not in BigCommerce */
    const struct want *want;        /* NULL = not in BigCommerce, or nothing can be wanted of it */
    const struct till_product *till;
    bool bad_barcode; /* BigCommerce has one that Sitoo cannot take */
    bool near;        /* one of a pair of near-duplicates */
};

struct finding {
    const struct shops *shops;
    const struct mapping *mapping;
    const struct sold *sold;
    struct member *members; /* every SKU once, ascending by SKU */
    size_t n;
    struct exceptions *out;
};

/* Nothing is to be said for a SKU that a till does not offer. */
static inline bool member_in_till(const struct member *m) {
    return m->till != NULL && m->till->active;
}

/* A new exception of the SKU, all else empty. */
struct exception *finding_add(struct finding *f, enum exception_kind kind, const struct member *m);
/* Thousandths sold, 0 if none. */
int64_t finding_sold(const struct finding *f, const char *sku);
/* thousandths x hundredths, as hundredths; -1 if either is below 0. */
int64_t finding_stake(int64_t thousandths, int64_t hundredths);

/* The pairs: near-duplicates (which it marks) and barcodes that two SKUs have. */
void find_near(struct finding *f);
void find_barcodes(struct finding *f);

/* ---- what is said of each ---- */

/* x->sku, other, prices and kind are there already. */
void say_only_in_till(struct exception *x, const struct finding *f, const struct till_product *t);
void say_only_in_web(struct exception *x, const struct finding *f);
void say_near(struct exception *x, const struct member *one, const struct member *two);
void say_barcode_twice(struct exception *x, const char *barcode, bool other_in_web);
void say_barcode_missing(struct exception *x);
void say_price(struct exception *x, const struct finding *f);
/* sale: what the list for sale prices has, -1 = nothing. */
void say_sale_price(struct exception *x, const struct finding *f, int64_t sale);
void say_undercut(struct exception *x, const struct finding *f, const struct till_list *list);
void say_vat(struct exception *x, const struct finding *f, int64_t web_group, int64_t till_group);
void say_problem(struct exception *x, const struct want_problem *p);

/* The percentage of a product group, as in product_rules; -1 if it is not known. */
int64_t vat_percent(const struct product_rules *r, int64_t group);

#endif
