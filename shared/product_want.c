/* SPDX-License-Identifier: Apache-2.0 */
#include "product_want.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "product_want_in.h"
#include "sku.h"
#include "ban.h"

#define SHOWN_SIZE 60 /* bytes of a SKU or an option in a sentence */

/* ---- problems ---- */

const char *want_cause_name(enum want_cause c) {
    static const char *const names[] = {
        [WANT_SKU_MISSING] = "variant_without_sku", [WANT_SKU_CHARACTERS] = "sku_not_allowed",
        [WANT_TAX_CLASS] = "tax_class_unmapped",    [WANT_VAT_GROUP] = "vat_group_unknown",
        [WANT_CURRENCY] = "price_list_currency",    [WANT_PRICE] = "bad_price",
        [WANT_OPTIONS] = "options_differ",          [WANT_BARCODE] = "barcode_invalid",
        [WANT_UNREADABLE] = "bad_product"};
    return names[c];
}

/* Room for one more: n is the number that there is. */
static void *grown(void *list, size_t n, size_t size) {
    return (n & (n - 1)) == 0 ? xrealloc(list, n > 0 ? 2 * n : 1, size) : list;
}

void want_add_problem(struct wanting *w, const struct catalog_variant *v, const char *sku, enum want_cause cause,
                      const char *fmt, ...) {
    struct product_want *out = w->out;
    char shown[SHOWN_SIZE], said[400], text[500];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(said, sizeof said, fmt, args);
    va_end(args);
    sku = sku != NULL ? sku : "";
    (void)str_copy(shown, sizeof shown, sku);
    (void)snprintf(text, sizeof text, "Product %lld%s%s: %s", (long long)w->p->id, sku[0] != '\0' ? ", SKU " : "",
                   shown, said);
    out->problems = grown(out->problems, out->problem_count, sizeof *out->problems);
    struct want_problem *p = &out->problems[out->problem_count++];
    *p = (struct want_problem){.cause = cause, .variant_id = v != NULL ? v->id : 0, .sku = xstrdup(sku)};
    (void)str_copy(p->text, sizeof p->text, text);
}

/* ---- SKU ---- */

/* It is sold as such, without a choice of options. */
static bool is_base(const struct catalog_product *p, const struct catalog_variant *v) {
    return v->id == p->base_variant_id || (p->variant_count == 1 && v->option_count == 0);
}

static const char *sku_of(const struct catalog_product *p, const struct catalog_variant *v) {
    return v->sku[0] == '\0' && is_base(p, v) ? p->sku : v->sku;
}

/* The variant before v that has the same SKU, or NULL. */
static const struct catalog_variant *twin(const struct catalog_product *p, const struct catalog_variant *v) {
    const char *sku = sku_of(p, v);
    for (const struct catalog_variant *o = p->variants; o < v; o++) {
        if (strcmp(sku_of(p, o), sku) == 0) {
            return o;
        }
    }
    return NULL;
}

static bool sku_good(struct wanting *w, const struct catalog_variant *v, const char *sku) {
    const struct catalog_variant *other = NULL;
    if (sku[0] == '\0') {
        want_add_problem(w, v, sku, WANT_SKU_MISSING, "its variant %lld has no SKU", (long long)v->id);
        return false;
    }
    if (!sku_allowed(sku) || !sku_fits(sku)) {
        want_add_problem(w, v, sku, WANT_SKU_CHARACTERS,
                         "Sitoo takes only A-Z a-z 0-9 _ + - / in a SKU, and at most %d of them", SKU_CHARS_MAX);
        return false;
    }
    other = twin(w->p, v);
    if (other != NULL) {
        want_add_problem(w, v, sku, WANT_SKU_MISSING, "its SKU stands twice, at variants %lld and %lld",
                         (long long)other->id, (long long)v->id);
        return false;
    }
    return true;
}

/* ---- family ---- */

static void begin_family(struct wanting *w) {
    const struct catalog_variant *first = w->p->variants;
    if (w->p->base_variant_id != 0 || w->p->variant_count == 0 || first->option_count == 0) {
        return;
    }
    w->out->groups = xcalloc(first->option_count, sizeof *w->out->groups);
    for (size_t i = 0; i < first->option_count; i++) {
        w->out->groups[w->out->group_count++] = want_text(first->options[i].name, WANT_TITLE_MAX);
    }
}

/* The label of a group, as the till will show it; NULL if the variant has none. at: where it should stand. */
static char *label_of(const struct catalog_variant *v, const char *group, size_t at) {
    char *label = NULL;
    for (size_t i = 0; label == NULL && i < v->option_count; i++) {
        const struct catalog_option *o = &v->options[(at + i) % v->option_count]; /* two may have the same name */
        char *name = want_text(o->name, WANT_TITLE_MAX);
        label = strcmp(name, group) == 0 ? want_text(o->label, WANT_TITLE_MAX) : NULL;
        free(name);
    }
    return label;
}

static bool add_attributes(struct wanting *w, const struct catalog_variant *v, struct want *one) {
    const struct product_want *out = w->out;
    if (w->p->base_variant_id != 0) {
        return true;
    }
    bool good = v->option_count == out->group_count;
    one->attributes = xcalloc(out->group_count + 1, sizeof *one->attributes);
    for (size_t g = 0; good && g < out->group_count; g++) {
        one->attributes[g] = label_of(v, out->groups[g], g);
        good = one->attributes[g] != NULL && one->attributes[g][0] != '\0';
    }
    if (!good) {
        want_add_problem(w, v, one->sku, WANT_OPTIONS,
                         "its options are not those of the product's first variant, or one has no value");
    }
    return good;
}

/* ---- wants ---- */

static void free_want(struct want *one, size_t group_count) {
    free(one->sku);
    free(one->title);
    free(one->barcode);
    free(one->unit);
    free(one->description);
    free(one->image);
    free(one->categories);
    for (size_t g = 0; one->attributes != NULL && g < group_count; g++) {
        free(one->attributes[g]);
    }
    free(one->attributes);
}

static bool make_want(struct wanting *w, const struct catalog_variant *v, const char *sku, struct want *one) {
    *one = (struct want){.variant_id = v->id, .sku = xstrdup(sku)};
    if (!add_attributes(w, v, one) || !want_prices(w, v, one)) {
        free_want(one, w->out->group_count);
        return false;
    }
    want_fields(w, v, is_base(w->p, v), one);
    return true;
}

static void leave(struct wanting *w, const struct catalog_variant *v) {
    struct product_want *out = w->out;
    const char *sku = sku_of(w->p, v);
    if (sku[0] != '\0' && twin(w->p, v) == NULL) {
        out->left = grown(out->left, out->left_count, sizeof *out->left);
        out->left[out->left_count++] = xstrdup(sku);
    }
}

static void want_all(struct wanting *w) {
    begin_family(w);
    w->out->list = xcalloc(w->p->variant_count + 1, sizeof *w->out->list);
    for (size_t i = 0; i < w->p->variant_count; i++) {
        const struct catalog_variant *v = &w->p->variants[i];
        const char *sku = sku_of(w->p, v);
        if (sku_good(w, v, sku) && make_want(w, v, sku, &w->out->list[w->out->n])) {
            w->out->n++;
        } else {
            leave(w, v);
        }
    }
}

void product_want(const struct catalog_product *p, const struct product_rules *rules, struct product_want *out) {
    struct wanting w = {.p = p, .rules = rules, .out = out};
    *out = (struct product_want){.product_id = p->id};
    if (p->bad) {
        want_add_problem(&w, NULL, NULL, WANT_UNREADABLE, "%s", p->problem);
    } else if (p->physical && want_vat(&w)) {
        want_all(&w);
        return;
    }
    out->download = !p->bad && !p->physical;
    for (size_t i = 0; i < p->variant_count; i++) {
        leave(&w, &p->variants[i]);
    }
}

bool product_want_has(const struct product_want *w, const char *sku) {
    bool found = false;
    for (size_t i = 0; !found && i < w->n; i++) {
        found = strcmp(w->list[i].sku, sku) == 0;
    }
    for (size_t i = 0; !found && !w->download && i < w->left_count; i++) {
        found = strcmp(w->left[i], sku) == 0;
    }
    return found;
}

void product_want_free(struct product_want *w) {
    for (size_t i = 0; i < w->n; i++) {
        free_want(&w->list[i], w->group_count);
    }
    for (size_t i = 0; i < w->group_count; i++) {
        free(w->groups[i]);
    }
    for (size_t i = 0; i < w->problem_count; i++) {
        free(w->problems[i].sku);
    }
    for (size_t i = 0; i < w->left_count; i++) {
        free(w->left[i]);
    }
    free(w->list);
    free(w->groups);
    free(w->problems);
    free(w->left);
    *w = (struct product_want){0};
}

void product_rules_free(struct product_rules *r) {
    free(r->tax_classes);
    free(r->vat_groups);
    *r = (struct product_rules){0};
}
