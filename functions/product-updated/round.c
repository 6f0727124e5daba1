/* SPDX-License-Identifier: Apache-2.0 */
#include "round.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "catalog.h"
#include "json.h"
#include "keys.h"
#include "quantity.h"
#include "ban.h"

/* ---- which products ---- */

static bool has_word(const char *hint, char word) {
    for (const char *c = hint; *c != '\0'; c++) {
        if (*c == word && (c == hint || c[-1] == ' ') && (c[1] == ' ' || c[1] == '\0')) {
            return true;
        }
    }
    return false;
}

/* "v179": remembered, else asked for. */
static enum next product_of_variant(struct app *app, const char *variant, int64_t *out, struct reason *why) {
    char *text = NULL;
    int64_t id = 0;
    enum next next = known_fields(app, KEY_PRODUCT_VARIANTS, &variant, 1, &text, why);
    if (next == NEXT_DONE && !(text != NULL && int_parse(text, 1, JSON_INT_MAX, out)) &&
        int_parse(variant, 1, JSON_INT_MAX, &id)) {
        next = catalog_product_of(app, id, out, why);
    }
    free(text);
    return next;
}

static enum next find_products(struct product_round *r, struct reason *why) {
    enum next next = NEXT_DONE;
    for (size_t i = 0; next == NEXT_DONE && i < r->claims->n; i++) {
        const char *entity = r->claims->list[i].entity;
        if (entity[0] == 'v') {
            next = product_of_variant(r->app, entity + 1, &r->product_of[i], why);
        } else {
            (void)int_parse(entity, 1, JSON_INT_MAX, &r->product_of[i]);
        }
    }
    return next;
}

static size_t position(const struct product_round *r, int64_t id) {
    for (size_t i = 0; i < r->n; i++) {
        if (r->ids[i] == id) {
            return i;
        }
    }
    return r->n;
}

static void collect(struct product_round *r) {
    for (size_t i = 0; i < r->claims->n; i++) {
        const char *hint = r->claims->list[i].hint;
        size_t at = position(r, r->product_of[i]);
        if (r->product_of[i] <= 0) {
            continue;
        }
        if (at == r->n) {
            r->ids[r->n++] = r->product_of[i];
        }
        r->person[at] = r->person[at] || has_word(hint, 'f');
        r->forced[at] = r->forced[at] || r->person[at] || has_word(hint, 'd');
    }
}

struct sync_item *round_item(const struct product_round *r, size_t claim) {
    return r->product_of[claim] > 0 ? &r->items[position(r, r->product_of[claim])] : NULL;
}

/* ---- what differs ---- */

static enum next read_known(struct product_round *r, struct reason *why) {
    char **texts = xcalloc(r->n + 1, sizeof *texts);
    enum next next = known_read(r->app, r->ids, r->n, texts, why);
    for (size_t i = 0; i < r->n; i++) {
        if (next == NEXT_DONE) {
            known_product_parse(texts[i], &r->known[i]);
        }
        free(texts[i]);
    }
    free(texts);
    return next;
}

/* NULL: nothing to do. */
static struct sync_item *compare(struct product_round *r, size_t i) {
    const struct catalog_product *p = catalog_find(&r->catalog, r->ids[i]);
    struct sync_item *item = &r->items[i];
    char digest[17];
    *item = (struct sync_item){.product_id = r->ids[i], .known = &r->known[i], .person = r->person[i]};
    if (p != NULL && p->bad) {
        item->next = reason_set(&item->why, NEXT_PARK, "bad_product", "product %lld of BigCommerce: %s",
                                (long long)p->id, p->problem);
        return NULL;
    }
    if (p == NULL) {
        return r->known[i].digest[0] != '\0' || r->known[i].n > 0 ? item : NULL; /* deleted */
    }
    product_want(p, &r->sync->rules, &r->wants[i]);
    item->want = &r->wants[i];
    product_want_digest(item->want, digest);
    bool changed = strcmp(digest, r->known[i].digest) != 0 || known_left_behind(&r->known[i], item->want);
    return r->forced[i] || changed ? item : NULL;
}

/* sync_items takes them side by side. */
static void bring(struct product_round *r, size_t n) {
    struct sync_item *list = xcalloc(n + 1, sizeof *list);
    for (size_t i = 0; i < n; i++) {
        list[i] = *r->changed[i];
    }
    if (n > 0) {
        sync_items(r->sync, list, n, NULL);
    }
    for (size_t i = 0; i < n; i++) {
        *r->changed[i] = list[i];
    }
    free(list);
}

enum next round_run(struct app *app, struct sync *s, const struct claims *claims, struct product_round *r,
                    struct reason *why) {
    const struct mapping_products *m = &app->set->mapping->products;
    size_t cap = claims->n + 1, changed = 0;
    *r = (struct product_round){.app = app, .sync = s, .claims = claims};
    r->product_of = xcalloc(cap, sizeof *r->product_of);
    r->ids = xcalloc(cap, sizeof *r->ids);
    r->wants = xcalloc(cap, sizeof *r->wants);
    r->known = xcalloc(cap, sizeof *r->known);
    r->forced = xcalloc(cap, sizeof *r->forced);
    r->person = xcalloc(cap, sizeof *r->person);
    r->items = xcalloc(cap, sizeof *r->items);
    r->changed = xcalloc(cap, sizeof(struct sync_item *));
    enum next next = find_products(r, why);
    if (next == NEXT_DONE) {
        collect(r);
        next = r->n > 0 ? catalog_read(app, r->ids, r->n, m->from_price_list ? m->price_list_id : 0, s->rules.currency,
                                       &r->catalog, why)
                        : NEXT_DONE;
    }
    next = next == NEXT_DONE ? read_known(r, why) : next;
    if (next != NEXT_DONE) {
        return next;
    }
    for (size_t i = 0; i < r->n; i++) {
        struct sync_item *item = compare(r, i);
        if (item != NULL) {
            r->changed[changed++] = item;
        } else if (r->items[i].next == NEXT_DONE) {
            r->echoes++;
        }
    }
    bring(r, changed);
    return NEXT_DONE;
}

void round_free(struct product_round *r) {
    for (size_t i = 0; i < r->n; i++) {
        product_want_free(&r->wants[i]);
        known_product_free(&r->known[i]);
        sync_item_free(&r->items[i]);
    }
    catalog_free(&r->catalog);
    free(r->product_of);
    free(r->ids);
    free(r->wants);
    free(r->known);
    free(r->forced);
    free(r->person);
    free(r->items);
    free(r->changed);
}
