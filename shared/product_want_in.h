/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of product_want.h share. Internal to them. */
#ifndef ONEPOOL_PRODUCT_WANT_IN_H
#define ONEPOOL_PRODUCT_WANT_IN_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "product_want.h"

/* One product in work. */
struct wanting {
    const struct catalog_product *p;
    const struct product_rules *rules;
    struct product_want *out;
    int64_t vat_id, percent; /* of its tax class; percent as in product_rules */
};

/* v and sku: NULL = the product as a whole. */
void want_add_problem(struct wanting *w, const struct catalog_variant *v, const char *sku, enum want_cause cause,
                      const char *fmt, ...) PRINTF_LIKE(5, 6);

/* False: it cannot be said, and there is a problem that says so. (product_want_price.c) */
bool want_vat(struct wanting *w);
bool want_prices(struct wanting *w, const struct catalog_variant *v, struct want *one);
/* The fields that cannot fail. (product_want_fields.c) */
void want_fields(struct wanting *w, const struct catalog_variant *v, bool is_base, struct want *one);

/* Appends a character, U+0001 to U+10FFFF, as UTF-8. (product_want_text.c) */
void want_put_char(struct buf *b, uint32_t c);

#endif
