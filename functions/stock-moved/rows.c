/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "ban.h"

#define LISTED_MAX 100 /* SKUs named in one row: with the longest ones it is some 100 KB */

static void add(struct args *effects, cJSON *json) {
    char *text = json_print(json);
    effect_log(effects, "", text);
    free(text);
    cJSON_Delete(json);
}

static void push_int(cJSON *list, int64_t n) {
    char text[24];
    (void)snprintf(text, sizeof text, "%lld", (long long)n);
    (void)cJSON_AddItemToArray(list, cJSON_CreateRaw(text));
}

static const struct mapping_location *location_of(const struct facts *f, int64_t location_id) {
    for (size_t k = 0; k < f->mapping->location_count; k++) {
        if (f->mapping->locations[k].location_id == location_id) {
            return &f->mapping->locations[k];
        }
    }
    return NULL;
}

/* "of": [[warehouse, available, pending, withheld], ...] in thousandths, zeros at the end left out; warehouses without
 * anything are left out. */
static void add_parts(cJSON *json, const struct facts *f, const struct level_item *item) {
    const struct mapping_location *l = location_of(f, item->location_id);
    cJSON *of = json_add_array(json, "of");
    for (size_t i = 0; l != NULL && item->fact->stock != NULL && i < l->warehouse_count; i++) {
        int64_t w = mapping_warehouse_index(f->mapping, l->warehouse_ids[i]);
        const struct stock *s = &item->fact->stock[w >= 0 ? w : 0];
        int64_t withheld = s->withheld_ledger > s->withheld_return ? s->withheld_ledger : s->withheld_return;
        int64_t parts[] = {s->available, s->pending, withheld > 0 ? withheld : 0};
        size_t n = parts[2] != 0 ? 3 : parts[1] != 0 ? 2 : parts[0] != 0 ? 1 : 0;
        if (w < 0 || n == 0) {
            continue;
        }
        cJSON *one = cJSON_CreateArray();
        (void)cJSON_AddItemToArray(of, one);
        push_int(one, l->warehouse_ids[i]);
        for (size_t k = 0; k < n; k++) {
            push_int(one, parts[k]);
        }
    }
    if (l != NULL && l->serves_shipping && item->fact->unallocated != 0) {
        json_add_int(json, "unallocated", item->fact->unallocated);
    }
}

void rows_levels(const char *type, const struct facts *f, const struct level_item *items, size_t n, const char *intent,
                 struct args *effects) {
    for (size_t i = 0; i < n; i++) {
        const struct claim *claim = items[i].fact->claim;
        cJSON *json = json_new_object();
        json_add_str(json, "type", type);
        json_add_str(json, "sku", items[i].fact->sku);
        json_add_int(json, "location", items[i].location_id);
        json_add_int(json, "level", items[i].level);
        json_add_int(json, "was", items[i].was);
        json_add_int(json, "till_ms", items[i].till_ms);
        add_parts(json, f, &items[i]);
        if (claim != NULL && claim->hint != NULL && claim->hint[0] != '\0') {
            json_add_str(json, "why", claim->hint);
        }
        json_add_str(json, "intent", intent);
        add(effects, json);
    }
}

void rows_refused(const struct level_item *item, struct args *effects) {
    cJSON *json = json_new_object();
    json_add_str(json, "type", "level_refused");
    json_add_str(json, "sku", item->fact->sku);
    json_add_int(json, "location", item->location_id);
    json_add_int(json, "level", item->level);
    json_add_int(json, "was", item->was);
    add(effects, json);
}

/* Did something say that stock of the SKU in that warehouse moved? */
static bool moved_in(const struct fact *fact, int64_t warehouse) {
    char word[32];
    const char *hint = fact->claim->hint;
    (void)snprintf(word, sizeof word, "v%lld", (long long)warehouse);
    if (hint_has(hint, word)) {
        return true;
    }
    word[0] = 'w';
    return hint_has(hint, word);
}

static bool moved_at(const struct fact *fact, const struct mapping_location *l) {
    for (size_t i = 0; i < l->warehouse_count; i++) {
        if (moved_in(fact, l->warehouse_ids[i])) {
            return true;
        }
    }
    return false;
}

static const char *cause_of(const struct fact *fact) {
    if (fact->cause != NULL) {
        return fact->cause;
    }
    switch (fact->item.state) {
    case IDENTITY_UNKNOWN_SKU:
        return "unknown_sku";
    case IDENTITY_NOT_TRACKED:
        return "not_tracked";
    case IDENTITY_WRONG_TRACKING:
        return "wrong_tracking";
    case IDENTITY_BY_VARIANT:
    case IDENTITY_BY_PRODUCT:
        break;
    }
    return "no_level";
}

/* A row that lists up to LISTED_MAX SKUs. */
struct listing {
    cJSON *json, *same, *none;
    int n;
    struct args *effects;
};

static void flush(struct listing *l) {
    if (l->n > 0) {
        add(l->effects, l->json);
    }
    *l = (struct listing){.effects = l->effects};
}

static cJSON *next_entry(struct listing *l, bool same) {
    if (l->n == LISTED_MAX) {
        flush(l);
    }
    if (l->n++ == 0) {
        l->json = json_new_object();
        json_add_str(l->json, "type", "computed");
        l->same = json_add_array(l->json, "same");
        l->none = json_add_array(l->json, "none");
    }
    cJSON *one = cJSON_CreateArray();
    (void)cJSON_AddItemToArray(same ? l->same : l->none, one);
    return one;
}

static void one_fact(const struct facts *f, const struct fact *fact, struct listing *l) {
    const struct mapping *m = f->mapping;
    for (size_t k = 0; k < m->location_count; k++) {
        if (!moved_at(fact, &m->locations[k]) && (fact->settled || fact->stored[k].state != 'k')) {
            continue;
        }
        if (fact->settled) {
            cJSON *one = next_entry(l, false);
            (void)cJSON_AddItemToArray(one, cJSON_CreateString(fact->sku));
            (void)cJSON_AddItemToArray(one, cJSON_CreateString(cause_of(fact)));
            return; /* it has none anywhere */
        }
        int64_t level = write_level_at(f, fact, k);
        if (!level_must_write(&fact->stored[k], level, fact->force)) {
            cJSON *one = next_entry(l, true);
            (void)cJSON_AddItemToArray(one, cJSON_CreateString(fact->sku));
            push_int(one, m->locations[k].location_id);
            push_int(one, level);
        }
    }
}

void rows_unchanged(const struct facts *f, struct args *effects) {
    struct listing l = {.effects = effects};
    for (size_t i = 0; i < f->n; i++) {
        one_fact(f, &f->list[i], &l);
    }
    flush(&l);
}
