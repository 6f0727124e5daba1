/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what Sitoo should hold (product_want.h) and what it holds (till_product.h) to the writes in between. Pure: JSON
 * bodies come out, nothing is sent. Nothing is ever deleted; a field that we do not own is never in a body.
 */
#ifndef ONEPOOL_PRODUCT_DIFF_H
#define ONEPOOL_PRODUCT_DIFF_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "product_want.h"
#include "till_product.h"

enum product_field {
    FIELD_TITLE = 1,
    FIELD_PRICE = 2,
    FIELD_VAT = 4,
    FIELD_BARCODE = 8,
    FIELD_ACTIVE = 16,
    FIELD_UNIT = 32,
    FIELD_RETAIL = 64,
    FIELD_MANUFACTURER = 128,
    FIELD_CATEGORIES = 256,
    FIELD_DESCRIPTION = 512,
    FIELD_ALL = 1023
};
/* "title", "price" ...; NULL behind the last one. */
const char *product_field_name(unsigned fields, size_t nth);

/* Owned fields in which have differs from want. */
unsigned product_differs(const struct want *want, const struct till_product *have);

/* Would a price (hundredths; below 0: none) move by more than percent? From none or 0: no. */
bool price_moves_much(int64_t was, int64_t is, int64_t percent);
/* What a till charges, hundredths: the lower of the price and the one in the list for sale prices (WANT_NONE: not in
 * it). */
int64_t till_charges(int64_t price, int64_t sale);
/* Would a sale price lower what the tills charge by more than percent? have_price, have_sale: the two lists now. */
bool sale_falls_much(const struct want *want, int64_t have_price, int64_t have_sale, int64_t percent);

/* The element of POST products.json that makes it, without barcode if without_barcode. */
cJSON *product_create_body(const struct want *want, bool without_barcode);
/* The element of PUT products.json that sets these fields; {"productid":21,"moneyprice":"59.00"}. */
cJSON *product_update_body(const struct want *want, int64_t product_id, unsigned fields);
/* {"productid":21,"activepos":false}, {"productid":21,"barcode":""}. */
cJSON *product_hide_body(int64_t product_id);
cJSON *product_free_barcode_body(int64_t product_id);

/* ---- families ---- */

/*
 * Is the family in Sitoo as wanted: all SKUs of w under one parent, each with its attributes? have[i] belongs to
 * w->list[i], none is NULL. Not wanted (w->group_count is 0): true, since a family is never dissolved.
 */
bool family_is_right(const struct product_want *w, const struct till_product *const *have);

enum family_verdict {
    FAMILY_WRITE,   /* send the body */
    FAMILY_SAME,    /* nothing to do */
    FAMILY_FOREIGN, /* a SKU belongs to another family; moving it would delete it there */
    FAMILY_ROWS     /* rows that others made do not fit the new options; leaving them out would delete them */
};

struct family_plan {
    enum family_verdict verdict;
    int64_t parent_id; /* whose productvariants are written */
    cJSON *body;       /* {"groups":[...],"variants":[...]}; the caller deletes */
    size_t rows, kept; /* rows in the body; those that are not ours and are handed back as they are */
    char text[200];    /* for a case: which SKU, which family */
};

/*
 * current: what GET productvariants of parent_id says, or NULL if it is known that none of the SKUs is in a family.
 * parent_id: the family that already holds any of them, else the product of the first want. Every row of current is in
 * the body again: ours with the wanted values, others untouched (without pricelisthasvolume, barcode null as ""), a SKU
 * of ours that left BigCommerce likewise; only a hidden one with the very values of one of ours gets another value.
 * Groups are those wanted; options: those of all rows. Never leaves a row out.
 */
void family_plan(const struct product_want *w, const struct till_product *const *have, int64_t parent_id,
                 const cJSON *current, struct family_plan *out);

/* ---- barcodes ---- */

/*
 * Codes are unique in Sitoo, so two that change places collide. Of n planned changes (want i, currently have[i], NULL
 * for one that is made anew; fields[i] what is written): free_first[i] is set where have[i]'s code must be cleared
 * before the batch because another one of the batch takes it. Returns how many.
 */
size_t barcodes_to_free(const struct want *const *want, const struct till_product *const *have, const unsigned *fields,
                        size_t n, bool *free_first);

#endif
