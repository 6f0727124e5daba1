/* SPDX-License-Identifier: Apache-2.0 */
/* The digest of product_want.h. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "product_want.h"
#include "ban.h"

/* Taken piece by piece: a limit on the whole text would make long ones equal. */
static void take(EVP_MD_CTX *d, const void *data, size_t len) {
    if (EVP_DigestUpdate(d, data, len) != 1) {
        abort(); /* memory is out */
    }
}

static void take_int(EVP_MD_CTX *d, int64_t n) {
    char text[24];
    take(d, text, (size_t)snprintf(text, sizeof text, "%lld;", (long long)n));
}

/* With its length before it, so that no two lists of texts look the same; not owned is another than empty. */
static void take_text(EVP_MD_CTX *d, const char *s) {
    take_int(d, s != NULL ? (int64_t)strlen(s) : WANT_NONE);
    take(d, s != NULL ? s : "", s != NULL ? strlen(s) : 0);
}

static void take_want(EVP_MD_CTX *d, const struct want *one, size_t group_count) {
    take_text(d, one->sku);
    take_text(d, one->title);
    take_int(d, one->price);
    take_int(d, one->sale_price);
    take_int(d, one->retail_price);
    take_int(d, one->vat_id);
    take_text(d, one->barcode);
    take_int(d, one->active ? 1 : 0);
    take_text(d, one->unit);
    take_text(d, one->description);
    take_int(d, one->manufacturer_id);
    if (one->image != NULL) { /* so that nothing of before changes where images are off */
        take_text(d, one->image);
    }
    take_int(d, (int64_t)one->category_count);
    for (size_t i = 0; i < one->category_count; i++) {
        take_int(d, one->categories[i]);
    }
    for (size_t g = 0; g < group_count; g++) {
        take_text(d, one->attributes[g]);
    }
}

void product_want_digest(const struct product_want *w, char out[17]) {
    unsigned char sum[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *d = EVP_MD_CTX_new();
    if (d == NULL || EVP_DigestInit_ex(d, EVP_sha256(), NULL) != 1) {
        abort(); /* memory is out */
    }
    take_int(d, (int64_t)w->group_count);
    for (size_t g = 0; g < w->group_count; g++) {
        take_text(d, w->groups[g]);
    }
    take_int(d, (int64_t)w->n);
    for (size_t i = 0; i < w->n; i++) {
        take_want(d, &w->list[i], w->group_count);
    }
    if (EVP_DigestFinal_ex(d, sum, NULL) != 1) {
        abort();
    }
    EVP_MD_CTX_free(d);
    for (size_t i = 0; i < 8; i++) {
        (void)snprintf(out + 2 * i, 3, "%02x", (unsigned)sum[i]);
    }
}
