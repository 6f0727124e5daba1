/* SPDX-License-Identifier: Apache-2.0 */
/* Families of variants: read, merged, never a row less; see product_diff.h. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "product_diff.h"
#include "ban.h"

#define FRIENDLY_MAX       100
#define FRIENDLY_TITLE_MAX 79   /* leaves room for '-' and an id */
#define NAME_SIZE          1100 /* WANT_TITLE_MAX characters and a number */

static bool same_text(const char *a, const char *b) {
    return strcmp(a, b) == 0;
}

static const char *shown_name(const struct product_want *w, size_t group) {
    return w->groups[group][0] != '\0' ? w->groups[group] : "Option";
}

/* BigCommerce may show two options of a product by one name, or none; Sitoo tells groups apart by it. */
static void group_name(const struct product_want *w, size_t group, char out[NAME_SIZE]) {
    const char *name = shown_name(w, group);
    size_t nth = 1;
    for (size_t g = 0; g < group; g++) {
        nth += same_text(shown_name(w, g), name) ? 1 : 0;
    }
    if (nth > 1) {
        (void)snprintf(out, NAME_SIZE, "%.1050s %zu", name, nth);
    } else {
        (void)snprintf(out, NAME_SIZE, "%.1050s", name);
    }
}

bool family_is_right(const struct product_want *w, const struct till_product *const *have) {
    for (size_t i = 0; w->group_count > 0 && i < w->n; i++) {
        const struct till_product *h = have[i];
        if (h->parent_id == 0 || h->parent_id != have[0]->parent_id || h->attribute_count != w->group_count) {
            return false;
        }
        for (size_t g = 0; g < w->group_count; g++) {
            char name[NAME_SIZE];
            group_name(w, g, name);
            if (!same_text(h->attributes[g].name, name) ||
                !same_text(h->attributes[g].value, w->list[i].attributes[g])) {
                return false;
            }
        }
    }
    return true;
}

/* ---- rows ---- */

/* A name for addresses, unique by the product's id: lower-case letters, digits and '-'. A SKU is none: those that
 * differ in other characters or in letter case alone would share a name. */
static void friendly(const struct want *w, int64_t id, char out[FRIENDLY_MAX + 1]) {
    size_t n = 0;
    for (const char *c = w->title; *c != '\0' && n < FRIENDLY_TITLE_MAX; c++) {
        bool plain = isalnum((unsigned char)*c) != 0 && (unsigned char)*c < 128;
        if (plain || (n > 0 && out[n - 1] != '-')) {
            out[n++] = plain ? (char)tolower((unsigned char)*c) : '-';
        }
    }
    if (n > 0 && out[n - 1] != '-') {
        out[n++] = '-';
    }
    (void)snprintf(out + n, FRIENDLY_MAX + 1 - n, "%lld", (long long)id);
}

static const cJSON *row_of(const cJSON *current, const struct till_product *have) {
    const cJSON *row = NULL;
    int64_t id = 0;
    cJSON_ArrayForEach(row, json_array(current, "variants")) {
        if (json_int(row, "productid", &id) && id == have->id) {
            return row;
        }
    }
    return NULL;
}

static void add_text(cJSON *o, const char *key, const cJSON *row, const char *otherwise) {
    const char *text = json_str(row, key);
    json_add_str(o, key, text != NULL ? text : otherwise);
}

static void add_money(cJSON *o, const char *key, int64_t hundredths) {
    char text[TILL_MONEY_SIZE];
    till_money_format(hundredths, text);
    json_add_str(o, key, text);
}

/* One that is not ours: the row's; of a product that joins the family, its own (-1 = none). */
static void keep_money(cJSON *o, const char *key, const cJSON *row, int64_t own) {
    char text[TILL_MONEY_SIZE];
    till_money_format(own >= 0 ? own : 0, text);
    add_text(o, key, row, text);
}

/* "" is none: two rows may not share a name. */
static void add_friendly(cJSON *o, const struct want *w, const struct till_product *have, const cJSON *row) {
    char made[FRIENDLY_MAX + 1];
    const char *name = json_str(row, "friendly");
    if (name == NULL || name[0] == '\0') {
        name = have->friendly;
    }
    friendly(w, have->id, made);
    json_add_str(o, "friendly", name != NULL && name[0] != '\0' ? name : made);
}

/* One of ours: owned fields as wanted, the others as they are. */
static cJSON *our_row(const struct want *w, const struct till_product *have, const cJSON *row, size_t groups) {
    cJSON *o = json_new_object();
    json_add_int(o, "productid", have->id);
    json_add_bool(o, "active", json_bool(row, "active", have->web_active));
    json_add_bool(o, "activepos", w->active);
    json_add_str(o, "title", w->title);
    json_add_str(o, "sku", w->sku);
    add_text(o, "deliverystatus", row, have->delivery_status != NULL ? have->delivery_status : "");
    add_money(o, "moneyprice", w->price);
    if (w->retail_price != WANT_NONE) {
        add_money(o, "moneypriceorg", w->retail_price);
    } else {
        keep_money(o, "moneypriceorg", row, have->retail_price);
    }
    keep_money(o, "moneypricein", row, have->purchase_price);
    keep_money(o, "moneyofferprice", row, have->offer_price);
    json_add_str(o, "barcode", w->barcode != NULL ? w->barcode : have->barcode);
    if (json_array(row, "barcodealiases") != NULL) {
        (void)cJSON_AddItemToObject(o, "barcodealiases", cJSON_Duplicate(json_array(row, "barcodealiases"), true));
    }
    add_friendly(o, w, have, row);
    cJSON *attributes = json_add_array(o, "attributes");
    for (size_t g = 0; g < groups; g++) {
        (void)cJSON_AddItemToArray(attributes, cJSON_CreateString(w->attributes[g]));
    }
    return o;
}

/* Sitoo gives null for what is empty and refuses to take it (sitoo.md 2). */
static void drop_nulls(cJSON *o) {
    for (cJSON *item = o->child; item != NULL;) {
        cJSON *next = item->next;
        if (cJSON_IsNull(item)) {
            cJSON_Delete(cJSON_DetachItemViaPointer(o, item));
        }
        item = next;
    }
}

/* Where current has each wanted group: by name, those that are left (renamed) in their order. The caller frees. */
static int *group_places(const struct product_want *w, const cJSON *current) {
    const cJSON *groups = json_array(current, "groups");
    int n = (int)w->group_count;
    int *places = xcalloc((size_t)n + 1, sizeof *places);
    bool *taken = xcalloc((size_t)n + 1, sizeof *taken), known = cJSON_GetArraySize(groups) == n;
    for (int g = 0; g < n; g++) {
        char name[NAME_SIZE];
        group_name(w, (size_t)g, name);
        places[g] = known ? -1 : g;
        for (int k = 0; known && places[g] < 0 && k < n; k++) {
            const char *its = json_str(cJSON_GetArrayItem(groups, k), "name");
            if (!taken[k] && its != NULL && same_text(its, name)) {
                places[g] = k;
                taken[k] = true;
            }
        }
    }
    for (int g = 0, next = 0; g < n; g++) {
        while (places[g] < 0 && taken[next]) {
            next++;
        }
        places[g] = places[g] < 0 ? next++ : places[g];
    }
    free(taken);
    return places;
}

/* One value for each group, each with the group that it had. */
static void move_attributes(cJSON *o, const int *places, size_t groups) {
    cJSON *list = cJSON_CreateArray();
    for (size_t g = 0; g < groups; g++) {
        (void)cJSON_AddItemToArray(list,
                                   cJSON_Duplicate(cJSON_GetArrayItem(json_array(o, "attributes"), places[g]), true));
    }
    (void)cJSON_ReplaceItemInObjectCaseSensitive(o, "attributes", list);
}

/* One that is not ours: as it is, in the form that the write takes. */
static cJSON *other_row(const cJSON *row, const int *places, size_t groups) {
    cJSON *o = cJSON_Duplicate(row, true);
    move_attributes(o, places, groups);
    cJSON_DeleteItemFromObjectCaseSensitive(o, "pricelisthasvolume");
    static const struct {
        const char *key, *otherwise;
    } texts[] = {{"barcode", ""},
                 {"deliverystatus", ""},
                 {"moneypriceorg", "0.00"},
                 {"moneypricein", "0.00"},
                 {"moneyofferprice", "0.00"}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (json_str(o, texts[i].key) == NULL) {
            cJSON_DeleteItemFromObjectCaseSensitive(o, texts[i].key);
            json_add_str(o, texts[i].key, texts[i].otherwise);
        }
    }
    drop_nulls(o);
    return o;
}

/* ---- groups ---- */

static bool listed(const cJSON *options, const char *value) {
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, options) {
        if (cJSON_IsString(item) && same_text(item->valuestring, value)) {
            return true;
        }
    }
    return false;
}

/* Options of every row, ours and others, in order of appearance. */
static void add_groups(cJSON *body, const struct product_want *w) {
    const cJSON *row = NULL;
    cJSON *groups = cJSON_CreateArray();
    for (size_t g = 0; g < w->group_count; g++) {
        cJSON *group = json_new_object();
        char name[NAME_SIZE];
        group_name(w, g, name);
        json_add_str(group, "name", name);
        cJSON *options = json_add_array(group, "options");
        cJSON_ArrayForEach(row, json_get(body, "variants")) {
            const cJSON *value = cJSON_GetArrayItem(json_array(row, "attributes"), (int)g);
            if (cJSON_IsString(value) && !listed(options, value->valuestring)) {
                (void)cJSON_AddItemToArray(options, cJSON_CreateString(value->valuestring));
            }
        }
        (void)cJSON_AddItemToArray(groups, group);
    }
    (void)cJSON_AddItemToObject(body, "groups", groups);
}

/* ---- the plan ---- */

static bool is_ours(const struct product_want *w, const struct till_product *const *have, const cJSON *row) {
    int64_t id = 0;
    for (size_t i = 0; json_int(row, "productid", &id) && i < w->n; i++) {
        if (have[i]->id == id) {
            return true;
        }
    }
    return false;
}

/* A member of another family would have to leave it, and a family that is written without a row deletes it. */
static bool is_foreign(const struct product_want *w, const struct till_product *const *have, int64_t parent_id,
                       struct family_plan *out) {
    for (size_t i = 0; i < w->n; i++) {
        if (have[i]->parent_id > 0 && have[i]->parent_id != parent_id) {
            out->verdict = FAMILY_FOREIGN;
            (void)snprintf(out->text, sizeof out->text,
                           "%.80s belongs to the family of product %lld in Sitoo, not to that of %lld", have[i]->sku,
                           (long long)have[i]->parent_id, (long long)parent_id);
            return true;
        }
    }
    return false;
}

/* One value for each group. */
static bool fits(const cJSON *row, size_t groups) {
    const cJSON *list = json_array(row, "attributes"), *item = NULL;
    bool texts = true;
    cJSON_ArrayForEach(item, list) {
        texts = texts && cJSON_IsString(item) && item->valuestring[0] != '\0';
    }
    return texts && (size_t)cJSON_GetArraySize(list) == groups;
}

static bool same_values(const struct product_want *w, const struct want *one, const cJSON *row) {
    for (size_t g = 0; g < w->group_count; g++) {
        if (!same_text(one->attributes[g], cJSON_GetArrayItem(json_array(row, "attributes"), (int)g)->valuestring)) {
            return false;
        }
    }
    return true;
}

/* Sitoo takes the same values once. A hidden row that has those of one of ours, as the old SKU of a variant does, gets
 * "Red (OLD-1)". */
static void make_room(const struct product_want *w, cJSON *row) {
    const char *sku = json_str(row, "sku");
    bool room = sku == NULL || json_bool(row, "activepos", true);
    for (size_t i = 0; !room && i < w->n; i++) {
        cJSON *list = cJSON_GetObjectItemCaseSensitive(row, "attributes");
        int last = (int)w->group_count - 1;
        char value[NAME_SIZE];
        if (same_values(w, &w->list[i], row)) {
            const char *is = cJSON_GetArrayItem(list, last)->valuestring;
            bool whole = strlen(is) + strlen(sku) + 3 <= WANT_TITLE_MAX;
            (void)snprintf(value, sizeof value, "%s (%s)", is, sku);
            (void)cJSON_ReplaceItemInArray(list, last, cJSON_CreateString(whole ? value : sku));
            room = true;
        }
    }
}

static bool add_others(const struct product_want *w, const struct till_product *const *have, const cJSON *current,
                       cJSON *variants, struct family_plan *out) {
    const cJSON *row = NULL;
    int *places = group_places(w, current);
    bool fit = true;
    cJSON_ArrayForEach(row, json_array(current, "variants")) {
        if (!fit || is_ours(w, have, row)) {
            continue;
        }
        if (!fits(row, w->group_count)) {
            const char *sku = json_str(row, "sku");
            out->verdict = FAMILY_ROWS;
            (void)snprintf(out->text, sizeof out->text,
                           "%.80s in the family of product %lld does not have the options of BigCommerce (%zu)",
                           sku != NULL ? sku : "a row", (long long)out->parent_id, w->group_count);
            fit = false;
            continue;
        }
        cJSON *other = other_row(row, places, w->group_count);
        make_room(w, other);
        (void)cJSON_AddItemToArray(variants, other);
        out->kept++;
    }
    free(places);
    return fit;
}

void family_plan(const struct product_want *w, const struct till_product *const *have, int64_t parent_id,
                 const cJSON *current, struct family_plan *out) {
    *out = (struct family_plan){.verdict = FAMILY_SAME, .parent_id = parent_id};
    if (w->group_count == 0 || w->n == 0 || family_is_right(w, have) || is_foreign(w, have, parent_id, out)) {
        return;
    }
    cJSON *body = json_new_object(), *variants = json_add_array(body, "variants");
    for (size_t i = 0; i < w->n; i++) {
        (void)cJSON_AddItemToArray(variants, our_row(&w->list[i], have[i], row_of(current, have[i]), w->group_count));
    }
    if (!add_others(w, have, current, variants, out)) {
        cJSON_Delete(body);
        return;
    }
    add_groups(body, w);
    out->verdict = FAMILY_WRITE;
    out->rows = (size_t)cJSON_GetArraySize(variants);
    out->body = body;
}
