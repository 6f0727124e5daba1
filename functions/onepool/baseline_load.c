/* SPDX-License-Identifier: Apache-2.0 */
/* Brings what was read into memory, by SKU. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "baseline_model.h"
#include "json.h"
#include "keys.h"
#include "quantity.h"
#include "sku.h"
#include "ban.h"

#define NONE ((size_t)-1)

/* ---- SKUs ---- */

static size_t hash_of(const char *s) {
    uint64_t h = UINT64_C(1469598103934665603);
    for (; *s != '\0'; s++) {
        h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
    }
    return (size_t)h;
}

static size_t *slot_of(const struct model *m, const char *sku) {
    size_t i = hash_of(sku) & (m->slot_count - 1);
    while (m->slots[i] != NONE && strcmp(m->rows[m->slots[i]].sku, sku) != 0) {
        i = (i + 1) & (m->slot_count - 1);
    }
    return &m->slots[i];
}

static void grow(struct model *m) {
    m->cap = m->cap > 0 ? 2 * m->cap : 1024;
    m->rows = xrealloc(m->rows, m->cap, sizeof *m->rows);
    free(m->slots);
    m->slot_count = 4 * m->cap;
    m->slots = xmalloc(m->slot_count * sizeof *m->slots);
    for (size_t i = 0; i < m->slot_count; i++) {
        m->slots[i] = NONE;
    }
    for (size_t i = 0; i < m->n; i++) {
        *slot_of(m, m->rows[i].sku) = i;
    }
}

static struct sku_row *row_of(struct model *m, const char *sku) {
    if (m->n == m->cap) {
        grow(m);
    }
    size_t *slot = slot_of(m, sku);
    if (*slot == NONE) {
        *slot = m->n;
        m->rows[m->n++] = (struct sku_row){.sku = xstrdup(sku),
                                           .stock = xcalloc(m->mapping->warehouse_count + 1, sizeof(struct stock)),
                                           .has_row = xcalloc(m->mapping->warehouse_count + 1, sizeof(bool)),
                                           .levels = xcalloc(m->mapping->location_count + 1, sizeof(int64_t))};
    }
    return &m->rows[*slot];
}

static bool good_sku(const char *sku) {
    return sku[0] != ' ' && sku_fits(sku);
}

/* ---- loading ---- */

static void take_sitoo(void *arg, const char *field, const char *value) {
    struct model *m = arg;
    (void)field;
    if (value[0] != '\0' && good_sku(value + 2)) {
        struct sku_row *row = row_of(m, value + 2);
        row->in_sitoo = true;
        row->counted = value[0] == '1';
    }
}

static void take_stock(void *arg, const char *field, const char *value) {
    struct model *m = arg;
    int64_t available = 0;
    if (!good_sku(field)) {
        return;
    }
    struct sku_row *row = row_of(m, field);
    row->has_row[m->warehouse] = true;
    if (int_parse(value, -QUANTITY_MAX, QUANTITY_MAX, &available)) {
        row->stock[m->warehouse].available = available;
    } else {
        row->bad_stock = true;
    }
}

static void add_other(struct model *m, int64_t location, int64_t level) {
    size_t i = 0;
    while (i < m->other_count && m->other_ids[i] != location) {
        i++;
    }
    if (i == m->other_count && i < MAPPING_LOCATIONS_MAX) {
        m->other_ids[m->other_count++] = location;
    }
    if (i < MAPPING_LOCATIONS_MAX) {
        m->other_units[i] += level > 0 ? level : 0;
    }
}

static void take_level(struct model *m, struct sku_row *row, const char *text) {
    char word[64];
    int64_t location = 0, level = 0;
    size_t len = strcspn(text, " ");
    if (len >= sizeof word) {
        return;
    }
    memcpy(word, text, len);
    word[len] = '\0';
    char *colon = strchr(word, ':');
    if (colon == NULL) {
        return;
    }
    *colon = '\0';
    if (!int_parse(word, 1, JSON_INT_MAX, &location) || !int_parse(colon + 1, -JSON_INT_MAX, JSON_INT_MAX, &level)) {
        return;
    }
    for (size_t l = 0; l < m->mapping->location_count; l++) {
        if (m->mapping->locations[l].location_id == location) {
            if (row != NULL) {
                row->levels[l] = level;
            }
            return;
        }
    }
    add_other(m, location, level);
}

/* "5:3 7:2 sku NAME" */
static void take_item(void *arg, const char *field, const char *value) {
    struct model *m = arg;
    const char *sku = strncmp(value, "sku ", 4) == 0 ? value : strstr(value, " sku ");
    sku = sku == NULL ? "" : sku + (sku == value ? 4 : 5);
    struct sku_row *row = good_sku(sku) ? row_of(m, sku) : NULL;
    char ids[64];
    for (const char *at = value; *at != '\0' && strncmp(at, "sku ", 4) != 0;) {
        take_level(m, row, at);
        at += strcspn(at, " ");
        at += *at == ' ' ? 1 : 0;
    }
    if (row == NULL || !str_copy(ids, sizeof ids, field)) {
        m->no_sku++;
        return;
    }
    char *colon = strchr(ids, ':');
    if (colon != NULL) {
        *colon = '\0';
        row->has_item = int_parse(ids, 1, JSON_INT_MAX, &row->product_id) &&
                        int_parse(colon + 1, 0, JSON_INT_MAX, &row->variant_id);
    }
}

static void take_product(void *arg, const char *field, const char *value) {
    struct model *m = arg;
    char error[80];
    struct product p = {.price = -1};
    cJSON *json = json_read(value, strlen(value), error, sizeof error);
    if (json != NULL && int_parse(field, 1, JSON_INT_MAX, &p.id)) {
        (void)json_int(json, "price", &p.price);
        p.several = json_bool(json, "several", false);
        (void)str_copy(p.tracking, sizeof p.tracking,
                       json_str(json, "tracking") != NULL ? json_str(json, "tracking") : "");
        p.name = xstrdup(json_str(json, "name") != NULL ? json_str(json, "name") : "");
        if (m->product_count == m->product_cap) {
            m->product_cap = m->product_cap > 0 ? 2 * m->product_cap : 1024;
            m->products = xrealloc(m->products, m->product_cap, sizeof *m->products);
        }
        m->products[m->product_count++] = p;
    }
    cJSON_Delete(json);
}

static void take_withheld(void *arg, const char *field, const char *value) {
    struct model *m = arg;
    char text[SKU_BYTES_MAX + 40];
    int64_t warehouse = 0, units = 0;
    if (!str_copy(text, sizeof text, field)) {
        return;
    }
    char *bar = strchr(text, '|');
    if (bar == NULL) {
        return;
    }
    *bar = '\0';
    int64_t w = int_parse(text, 1, JSON_INT_MAX, &warehouse) ? mapping_warehouse_index(m->mapping, warehouse) : -1;
    if (w >= 0 && good_sku(bar + 1) && int_parse(value, -QUANTITY_MAX, QUANTITY_MAX, &units)) {
        struct stock *s = &row_of(m, bar + 1)->stock[w];
        *(m->side == 0 ? &s->withheld_ledger : &s->withheld_return) = units;
    }
}

/* What an order holds, as take_order of stock-moved would put it into pending. */
static void take_order(struct model *m, const struct open_order *o) {
    const cJSON *line = NULL;
    cJSON_ArrayForEach(line, o->rows) {
        const cJSON *field = cJSON_GetArrayItem(line, 0), *text = cJSON_GetArrayItem(line, 1);
        char target[32];
        int64_t units = 0, warehouse = 0;
        const char *bar = cJSON_IsString(field) ? strchr(field->valuestring, '|') : NULL;
        if (bar == NULL || (size_t)(bar - field->valuestring) >= sizeof target || !cJSON_IsString(text) ||
            !int_parse(text->valuestring, 0, QUANTITY_MAX, &units)) {
            continue;
        }
        memcpy(target, field->valuestring, (size_t)(bar - field->valuestring));
        target[bar - field->valuestring] = '\0';
        struct sku_row *row = row_of(m, bar + 1);
        if (o->class == WEBORDER_IN_SITOO) {
            row->in_sitoo_orders++;
            continue;
        }
        row->subtracted++;
        int64_t w =
            int_parse(target, 1, JSON_INT_MAX, &warehouse) ? mapping_warehouse_index(m->mapping, warehouse) : -1;
        if (w >= 0) {
            row->stock[w].pending += units;
        } else if (warehouse == 0) {
            row->unallocated += units;
        }
    }
}

static int by_id(const void *a, const void *b) {
    const struct product *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

const struct product *model_product(const struct model *m, int64_t id) {
    const struct product key = {.id = id};
    return m->product_count > 0 ? bsearch(&key, m->products, m->product_count, sizeof key, by_id) : NULL;
}

enum next model_load(struct baseline *b, const struct open_orders *orders, struct model **out, struct reason *why) {
    struct model *m = xcalloc(1, sizeof *m);
    static const char *const sides[] = {KEY_WITHHELD_LEDGER, KEY_WITHHELD_RETURN};
    m->mapping = b->app->set->mapping;
    *out = m;
    enum next next = baseline_each(b, KEY_BASELINE_SITOO, take_sitoo, m, why);
    for (; next == NEXT_DONE && m->warehouse < m->mapping->warehouse_count; m->warehouse++) {
        char key[BASELINE_WORD_MAX];
        (void)snprintf(key, sizeof key, KEY_BASELINE_STOCK, (long long)m->mapping->warehouses[m->warehouse]);
        next = baseline_each(b, key, take_stock, m, why);
    }
    next = next == NEXT_DONE ? baseline_each(b, KEY_BASELINE_ITEMS, take_item, m, why) : next;
    next = next == NEXT_DONE ? baseline_each(b, KEY_BASELINE_PRODUCTS, take_product, m, why) : next;
    for (; next == NEXT_DONE && m->side < 2; m->side++) {
        next = baseline_each(b, sides[m->side], take_withheld, m, why);
    }
    if (m->product_count > 0) {
        qsort(m->products, m->product_count, sizeof *m->products, by_id);
    }
    for (size_t i = 0; next == NEXT_DONE && i < orders->n; i++) {
        take_order(m, &orders->list[i]);
    }
    return next;
}

void model_free(struct model *m) {
    if (m == NULL) {
        return;
    }
    for (size_t i = 0; i < m->n; i++) {
        free(m->rows[i].sku);
        free(m->rows[i].stock);
        free(m->rows[i].has_row);
        free(m->rows[i].levels);
    }
    for (size_t i = 0; i < m->product_count; i++) {
        free(m->products[i].name);
    }
    free(m->rows);
    free(m->slots);
    free(m->products);
    free(m);
}
