/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Sitoo should hold of a product of BigCommerce: the fields that onepool owns, and nothing else. Pure.
 *
 * Mapping section "products" (mapping.h) says where each comes from. What cannot be said (a tax class without a group,
 * a SKU with characters that Sitoo refuses) is a problem: a case for a person; the SKU is then left as it is in Sitoo.
 */
#ifndef ONEPOOL_PRODUCT_WANT_H
#define ONEPOOL_PRODUCT_WANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalog.h"
#include "mapping.h"

#define WANT_TITLE_MAX   250 /* characters; cut with "..." */
#define WANT_NONE        INT64_C(-1)
#define WANT_BARCODE_MAX 14
/* What may be written: 999,999,999.99. Sitoo's own limit is not documented. */
#define WANT_PRICE_MAX       INT64_C(99999999999)
#define WANT_DESCRIPTION_MAX 5000 /* characters; Sitoo's own limit is not documented */

/* What both shops say about themselves, read once in a while. */
struct product_rules {
    const struct mapping_products *map;
    char currency[4];  /* of the web shop */
    bool web_with_tax; /* its prices are entered with tax (GET /v2/store is_price_entered_with_tax) */
    struct {
        int64_t id;
        char name[80];
    } * tax_classes; /* GET /v2/tax_classes, for messages */
    size_t tax_class_count;
    struct {
        int64_t id;
        int64_t percent; /* ten-thousandths of a percent: 250000 = 25 % */
        int64_t type;    /* 10 product, 20 service, 30 gift card */
    } * vat_groups;      /* GET productgroups */
    size_t vat_group_count;
};

/* One SKU as it should be. Texts belong to it. */
struct want {
    int64_t variant_id;
    char *sku, *title;
    int64_t price;        /* hundredths, as Sitoo stores prices; what the default list should say */
    int64_t sale_price;   /* hundredths, for the sale price list; WANT_NONE = must not be in it */
    int64_t retail_price; /* hundredths; WANT_NONE = not owned */
    int64_t vat_id;
    char *barcode;           /* "" = none; NULL = not owned */
    bool active;             /* shown in the POS */
    char *unit;              /* NULL = not owned */
    char *description;       /* NULL = not owned */
    char *image;             /* address of its first image, "" = none; NULL = not owned, or not told */
    int64_t manufacturer_id; /* WANT_NONE = not owned */
    int64_t *categories;     /* not owned if category_count is 0 */
    size_t category_count;
    char **attributes; /* one per group of the family; none for a single product */
};

enum want_cause {
    WANT_SKU_MISSING,    /* "variant_without_sku" */
    WANT_SKU_CHARACTERS, /* "sku_not_allowed" */
    WANT_TAX_CLASS,      /* "tax_class_unmapped" */
    WANT_VAT_GROUP,      /* "vat_group_unknown": the mapping names a group that Sitoo does not have */
    WANT_CURRENCY,       /* "price_list_currency" */
    WANT_PRICE,          /* "bad_price": none, negative, or beyond what can be written */
    WANT_OPTIONS,        /* "options_differ": variants of one product with different options */
    WANT_BARCODE,        /* "barcode_invalid": more than 14 characters, not printable, or that of another variant of the
                            product; it is wanted without one */
    WANT_UNREADABLE      /* "bad_product": BigCommerce's answer about it cannot be read */
};
const char *want_cause_name(enum want_cause c);

struct want_problem {
    enum want_cause cause;
    int64_t variant_id; /* 0 = the product as a whole */
    char *sku;          /* "" = none */
    char text[200];     /* what is wrong, with product id, SKU and value; "Product 192: its tax class 3 (Books) ..." */
};

struct product_want {
    int64_t product_id;
    char **groups; /* names of the options in BigCommerce's order; none: single products */
    size_t group_count;
    struct want *list; /* by variant id; SKUs with a problem that forbids them are left out */
    size_t n;
    char **left; /* BigCommerce's other SKUs of the product, each once: left in Sitoo as they are, neither hidden nor
                    taken for SKUs that are only in Sitoo */
    size_t left_count;
    bool download; /* not physical: those of `left` that were brought before are hidden, as if they were gone */
    struct want_problem *problems;
    size_t problem_count;
};

/*
 * Never fails: what is wrong is in problems. A product that is not physical (a download, a gift certificate) has no
 * wants. A SKU of which nothing can be wanted is only in problems; WANT_BARCODE is the one problem whose SKU is wanted
 * all the same.
 */
void product_want(const struct catalog_product *p, const struct product_rules *rules, struct product_want *out);
void product_want_free(struct product_want *w);
/* Has BigCommerce's product that SKU, be it wanted or left as it is? A download has none. */
bool product_want_has(const struct product_want *w, const char *sku);
void product_rules_free(struct product_rules *r);

/* A digest of everything in w that Sitoo should hold: equal digests, nothing to do. */
void product_want_digest(const struct product_want *w, char out[17]);

/* SKUs that people take for the same: folded to lower case, without spaces, look-alike dashes (U+2010 to U+2015,
 * U+2212, U+FE63, U+FF0D) as "-". out: the caller frees. */
char *sku_fold(const char *sku);
/* True if Sitoo takes all of its characters: A-Z a-z 0-9 _ + - / (sitoo.md 6.1). */
bool sku_allowed(const char *sku);

/* ---- parts, for tests ---- */

/* Hundredths, with tax or without as Sitoo stores it, half up; percent as in product_rules. WANT_NONE: below 0, beyond
 * WANT_PRICE_MAX, or a percent that is none (0 to 1000 %). */
int64_t want_price(int64_t ten_thousandths, bool from_with_tax, bool to_with_tax, int64_t percent);
/* Text of a description: tags removed, the common entities decoded, white space folded, at most max characters. The
 * caller frees. */
char *want_plain_text(const char *html, size_t max);
/* A text on one line: white space folded, control characters dropped, at most max characters, cut with "...". The
 * caller frees. */
char *want_text(const char *text, size_t max);

#endif
