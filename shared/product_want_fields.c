/* SPDX-License-Identifier: Apache-2.0 */
/* Title, barcode, categories and what else of product_want.h cannot fail. */
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "product_want.h"
#include "product_want_in.h"
#include "ban.h"

#define NAME_LEAST      ((size_t)128)         /* characters of a product's name that long options leave it */
#define TITLE_BYTES_MAX ((size_t)1024 * 1024) /* before it is cut; what does not fit is left out */

static size_t characters(const char *utf8) {
    size_t n = 0;
    for (; *utf8 != '\0'; utf8++) {
        n += ((unsigned char)*utf8 & 0xc0) != 0x80 ? 1 : 0;
    }
    return n;
}

/* "Jar Beige L". If it is too long the name is cut first: the options tell the variants of a product apart. */
static char *title_of(const struct catalog_product *p, const struct catalog_variant *v, const char *sku) {
    struct buf raw;
    buf_init(&raw, TITLE_BYTES_MAX);
    for (size_t i = 0; i < v->option_count; i++) {
        buf_add_str(&raw, " ");
        buf_add_str(&raw, v->options[i].label);
    }
    char *options = want_text(buf_str(&raw), WANT_TITLE_MAX - NAME_LEAST - 1);
    char *name = want_text(p->name, WANT_TITLE_MAX - (options[0] != '\0' ? characters(options) + 1 : 0));
    buf_reset(&raw);
    buf_addf(&raw, "%s%s%s", name, name[0] != '\0' && options[0] != '\0' ? " " : "", options);
    char *title = buf_take(&raw);
    free(options);
    free(name);
    if (title[0] == '\0') { /* Sitoo's list would show an empty line */
        free(title);
        title = xstrdup(sku);
    }
    return title;
}

/* ---- barcode ---- */

static char *trimmed(const char *s) {
    static const char spaces[] = " \t\r\n\v\f";
    s += strspn(s, spaces);
    size_t n = strlen(s);
    while (n > 0 && strchr(spaces, s[n - 1]) != NULL) {
        n--;
    }
    return xstrndup(s, n);
}

/* The first source that is not empty; of a base variant each may stand at the product. */
static char *barcode_of(const struct wanting *w, const struct catalog_variant *v, bool is_base) {
    const struct mapping_products *map = w->rules->map;
    for (size_t i = 0; i < map->barcode_count; i++) {
        bool gtin = map->barcodes[i] == BARCODE_GTIN;
        char *code = trimmed(gtin ? v->gtin : v->upc);
        if (code[0] == '\0' && is_base) {
            free(code);
            code = trimmed(gtin ? w->p->gtin : w->p->upc);
        }
        if (code[0] != '\0') {
            return code;
        }
        free(code);
    }
    return xstrdup("");
}

static bool printable(const char *s) {
    while (*s >= 0x20 && *s < 0x7f) {
        s++;
    }
    return *s == '\0';
}

/* Sitoo refuses a code that two products have; the first variant of a product keeps it. */
static const struct want *same_barcode(const struct product_want *out, const char *code) {
    for (size_t i = 0; i < out->n && code[0] != '\0'; i++) {
        if (strcmp(out->list[i].barcode, code) == 0) {
            return &out->list[i];
        }
    }
    return NULL;
}

static void add_barcode(struct wanting *w, const struct catalog_variant *v, bool is_base, struct want *one) {
    if (w->rules->map->barcode_count == 0) {
        return;
    }
    one->barcode = barcode_of(w, v, is_base);
    const struct want *other = same_barcode(w->out, one->barcode);
    if (!printable(one->barcode) || strlen(one->barcode) > WANT_BARCODE_MAX) {
        want_add_problem(w, v, one->sku, WANT_BARCODE,
                         "its barcode \"%s\" has more than %d characters, or some that are not printable", one->barcode,
                         WANT_BARCODE_MAX);
        one->barcode[0] = '\0';
    } else if (other != NULL) {
        want_add_problem(w, v, one->sku, WANT_BARCODE, "its barcode \"%s\" is already that of SKU %s", one->barcode,
                         other->sku);
        one->barcode[0] = '\0';
    }
}

/* ---- the rest ---- */

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void add_categories(const struct wanting *w, struct want *one) {
    size_t n = 0;
    one->categories = xcalloc(w->p->category_count + 1, sizeof *one->categories);
    for (size_t i = 0; i < w->p->category_count; i++) {
        int64_t till = mapping_pair(&w->rules->map->categories, w->p->categories[i]);
        if (till > 0) {
            one->categories[n++] = till;
        }
    }
    qsort(one->categories, n, sizeof *one->categories, by_value);
    for (size_t i = 0; i < n; i++) {
        if (one->category_count == 0 || one->categories[one->category_count - 1] != one->categories[i]) {
            one->categories[one->category_count++] = one->categories[i];
        }
    }
}

/* The variant's own image, else the product's first one. */
static char *want_image(const struct wanting *w, const struct catalog_variant *v) {
    if (!w->rules->map->images || v->image == NULL || (v->image[0] == '\0' && w->p->image == NULL)) {
        return NULL;
    }
    return xstrdup(v->image[0] != '\0' ? v->image : w->p->image);
}

void want_fields(struct wanting *w, const struct catalog_variant *v, bool is_base, struct want *one) {
    const struct mapping_products *map = w->rules->map;
    int64_t manufacturer = w->p->brand_id > 0 ? mapping_pair(&map->manufacturers, w->p->brand_id) : 0;
    one->title = title_of(w->p, v, one->sku);
    one->vat_id = w->vat_id;
    one->active = !v->purchasing_disabled && (map->hidden_stays_active || (w->p->visible && w->p->available));
    one->unit = map->unit_label[0] != '\0' ? xstrdup(map->unit_label) : NULL;
    one->description = map->description ? want_plain_text(w->p->description, WANT_DESCRIPTION_MAX) : NULL;
    one->manufacturer_id = manufacturer > 0 ? manufacturer : WANT_NONE;
    one->image = want_image(w, v);
    add_categories(w, one);
    add_barcode(w, v, is_base, one);
}
