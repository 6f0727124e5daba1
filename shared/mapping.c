/* SPDX-License-Identifier: Apache-2.0 */
#include "mapping.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "near.h"
#include "ban.h"

/* A place in the file, for messages: path is what stands before the key. */
struct at {
    const cJSON *object;
    char path[120];
    struct buf *mistakes;
};

static void mistake(const struct at *a, const char *key, const char *text) {
    buf_addf(a->mistakes, "mapping file: %s%s%.80s: %s\n", a->path, a->path[0] != '\0' && key[0] != '\0' ? "." : "",
             key, text);
}

/* Every key of the object must be among `allowed` (NULL-terminated). */
static void check_keys(const struct at *a, const char *const *allowed) {
    const cJSON *member = NULL;
    cJSON_ArrayForEach(member, a->object) {
        bool known = false;
        for (size_t i = 0; allowed[i] != NULL; i++) {
            known = known || strcmp(member->string, allowed[i]) == 0;
        }
        if (!known) {
            const char *likely = near_word(member->string, allowed);
            char text[100];
            (void)snprintf(text, sizeof text, "unknown key%s%.60s%s", likely != NULL ? "; did you mean " : "",
                           likely != NULL ? likely : "", likely != NULL ? "?" : "");
            mistake(a, member->string, text);
        }
    }
}

static struct at enter(const struct at *parent, const char *key) {
    struct at a = {.object = json_get(parent->object, key), .mistakes = parent->mistakes};
    (void)snprintf(a.path, sizeof a.path, "%.80s%s%.30s", parent->path, parent->path[0] != '\0' ? "." : "", key);
    if (a.object != NULL && !cJSON_IsObject(a.object)) {
        mistake(parent, key, "must be an object");
        a.object = NULL;
    }
    return a;
}

static void read_int(const struct at *a, const char *key, int64_t min, int64_t max, int64_t preset, int64_t *out) {
    char text[120];
    const cJSON *item = json_get(a->object, key);
    *out = preset;
    if (item != NULL && (!json_item_int(item, out) || *out < min || *out > max)) {
        (void)snprintf(text, sizeof text, "must be a whole number from %lld to %lld", (long long)min, (long long)max);
        mistake(a, key, text);
        *out = preset;
    }
}

static void read_bool(const struct at *a, const char *key, bool preset, bool *out) {
    const cJSON *item = json_get(a->object, key);
    *out = item != NULL ? cJSON_IsTrue(item) != 0 : preset;
    if (item != NULL && !cJSON_IsBool(item)) {
        mistake(a, key, "must be true or false");
    }
}

static void read_text(const struct at *a, const char *key, const char *preset, char *out, size_t size) {
    const cJSON *item = json_get(a->object, key);
    const char *text = item == NULL ? preset : cJSON_IsString(item) ? item->valuestring : "";
    if (text[0] == '\0' || !str_copy(out, size, text)) {
        mistake(a, key, "must be a text that is neither empty nor too long");
        (void)str_copy(out, size, preset);
    }
}

/* A list of ids above 0, each once. */
static void read_ids(const struct at *a, const char *key, size_t max, bool required, int64_t **ids, size_t *count) {
    const cJSON *list = json_get(a->object, key), *item = NULL;
    *count = 0;
    *ids = NULL;
    if (list == NULL && !required) {
        return;
    }
    if (!cJSON_IsArray(list) || (required && cJSON_GetArraySize(list) == 0) || (size_t)cJSON_GetArraySize(list) > max) {
        mistake(a, key, "must be a list of ids");
        return;
    }
    *ids = xcalloc((size_t)cJSON_GetArraySize(list) + 1, sizeof **ids);
    cJSON_ArrayForEach(item, list) {
        int64_t id = 0;
        char place[64];
        (void)snprintf(place, sizeof place, "%.40s[%zu]", key, *count);
        if (!json_item_int(item, &id) || id <= 0) {
            mistake(a, place, "must be an id: a whole number above 0");
        }
        for (size_t i = 0; i < *count; i++) {
            if ((*ids)[i] == id && id > 0) {
                mistake(a, place, "stands in the list twice");
            }
        }
        (*ids)[(*count)++] = id;
    }
}

static void check_texts(const struct at *a, const char *key) {
    const cJSON *list = json_get(a->object, key), *item = NULL;
    bool good = list == NULL || cJSON_IsArray(list);
    cJSON_ArrayForEach(item, list) {
        good = good && cJSON_IsString(item);
    }
    if (!good) {
        mistake(a, key, "must be a list of texts");
    }
}

/* ---- locations ---- */

static void read_location(const struct at *a, struct mapping *m) {
    static const char *const keys[] = {"bigcommerce_location_id", "sitoo_warehouse_ids", NULL};
    struct mapping_location *l = &m->locations[m->location_count++];
    check_keys(a, keys);
    read_int(a, "bigcommerce_location_id", 1, JSON_INT_MAX, 0, &l->location_id);
    if (json_get(a->object, "bigcommerce_location_id") == NULL) {
        mistake(a, "bigcommerce_location_id", "missing, give the id of a BigCommerce location");
    }
    read_ids(a, "sitoo_warehouse_ids", MAPPING_WAREHOUSES_MAX, true, &l->warehouse_ids, &l->warehouse_count);
}

static void read_pickup(const struct at *a, struct mapping *m) {
    static const char *const keys[] = {"bigcommerce_location_id", "sitoo_warehouse_id", "pickup_method_ids",
                                       "shipping_method_names", NULL};
    struct mapping_location *l = &m->locations[m->location_count++];
    check_keys(a, keys);
    l->is_pickup = true;
    l->warehouse_ids = xcalloc(1, sizeof *l->warehouse_ids);
    l->warehouse_count = 1;
    read_int(a, "bigcommerce_location_id", 1, JSON_INT_MAX, 0, &l->location_id);
    read_int(a, "sitoo_warehouse_id", 1, JSON_INT_MAX, 0, &l->warehouse_ids[0]);
    if (json_get(a->object, "bigcommerce_location_id") == NULL || json_get(a->object, "sitoo_warehouse_id") == NULL) {
        mistake(a, "", "needs bigcommerce_location_id and sitoo_warehouse_id");
    }
    read_ids(a, "pickup_method_ids", MAPPING_METHODS_MAX, false, &l->pickup_method_ids, &l->pickup_method_count);
    check_texts(a, "shipping_method_names");
}

static void read_list(const struct at *root, const char *key, struct mapping *m,
                      void (*read)(const struct at *, struct mapping *)) {
    const cJSON *list = json_get(root->object, key), *item = NULL;
    size_t i = 0;
    if (list != NULL && (!cJSON_IsArray(list) || (size_t)cJSON_GetArraySize(list) > MAPPING_LOCATIONS_MAX / 2)) {
        mistake(root, key, "must be a list of at most 100 objects");
        return;
    }
    cJSON_ArrayForEach(item, list) {
        struct at a = {.object = item, .mistakes = root->mistakes};
        (void)snprintf(a.path, sizeof a.path, "%.60s[%zu]", key, i++);
        if (cJSON_IsObject(item)) {
            read(&a, m);
        } else {
            mistake(&a, "", "must be an object");
        }
    }
}

static int compare_ids(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void collect_warehouses(struct mapping *m) {
    size_t total = 0, kept = 0;
    for (size_t i = 0; i < m->location_count; i++) {
        total += m->locations[i].warehouse_count;
    }
    m->warehouses = xcalloc(total + 1, sizeof *m->warehouses);
    for (size_t i = 0; i < m->location_count; i++) {
        for (size_t k = 0; k < m->locations[i].warehouse_count; k++) {
            m->warehouses[m->warehouse_count++] = m->locations[i].warehouse_ids[k];
        }
    }
    qsort(m->warehouses, m->warehouse_count, sizeof *m->warehouses, compare_ids);
    for (size_t i = 0; i < m->warehouse_count; i++) {
        if (kept == 0 || m->warehouses[kept - 1] != m->warehouses[i]) {
            m->warehouses[kept++] = m->warehouses[i];
        }
    }
    m->warehouse_count = kept;
}

static bool has_id(const int64_t *ids, size_t n, int64_t id) {
    for (size_t i = 0; i < n; i++) {
        if (ids[i] == id) {
            return true;
        }
    }
    return false;
}

/* Each pickup method is of one entry: an order with it would be held at the first one only. */
static void check_methods(const struct at *root, const struct mapping *m) {
    size_t first = 0; /* pickups stand behind the pool's locations */
    while (first < m->location_count && !m->locations[first].is_pickup) {
        first++;
    }
    for (size_t i = first; i < m->location_count; i++) {
        const struct mapping_location *a = &m->locations[i];
        for (size_t k = 0; k < a->pickup_method_count; k++) {
            for (size_t j = first; j < i; j++) {
                const struct mapping_location *b = &m->locations[j];
                if (has_id(b->pickup_method_ids, b->pickup_method_count, a->pickup_method_ids[k]) &&
                    a->pickup_method_ids[k] > 0) {
                    buf_addf(root->mistakes,
                             "mapping file: pickup[%zu].pickup_method_ids[%zu]: pickup method %lld is already that of "
                             "pickup[%zu] (BigCommerce locations %lld and %lld); a method belongs to one location\n",
                             i - first, k, (long long)a->pickup_method_ids[k], j - first, (long long)b->location_id,
                             (long long)a->location_id);
                }
            }
        }
    }
}

static void check_locations(const struct at *root, const struct mapping *m) {
    if (m->location_count == 0) {
        mistake(root, "locations", "at least one location must be mapped");
    }
    for (size_t i = 0; i < m->location_count; i++) {
        const struct mapping_location *a = &m->locations[i];
        for (size_t k = 0; k < i; k++) {
            const struct mapping_location *b = &m->locations[k];
            if (a->location_id == b->location_id && a->location_id > 0) {
                buf_addf(root->mistakes, "mapping file: BigCommerce location %lld is mapped twice\n",
                         (long long)a->location_id);
            }
            for (size_t w = 0; w < a->warehouse_count; w++) {
                if (a->is_pickup == b->is_pickup && has_id(b->warehouse_ids, b->warehouse_count, a->warehouse_ids[w]) &&
                    a->warehouse_ids[w] > 0) {
                    buf_addf(root->mistakes,
                             "mapping file: Sitoo warehouse %lld feeds two %s locations (%lld and %lld); its stock "
                             "would be sold twice\n",
                             (long long)a->warehouse_ids[w], a->is_pickup ? "pickup" : "pool",
                             (long long)b->location_id, (long long)a->location_id);
                }
            }
        }
    }
}

/* ---- the rest ---- */

static bool is_mapped(const struct mapping *m, int64_t location_id) {
    for (size_t i = 0; i < m->location_count; i++) {
        if (m->locations[i].location_id == location_id) {
            return true;
        }
    }
    return false;
}

static void read_shipping(const struct at *root, struct mapping *m) {
    static const char *const keys[] = {"location_id", "allocate_from", "allow_split", "return_only", NULL};
    struct at a = enter(root, "shipping");
    check_keys(&a, keys);
    read_int(&a, "location_id", 1, JSON_INT_MAX, 0, &m->shipping_location_id);
    read_ids(&a, "allocate_from", MAPPING_WAREHOUSES_MAX, false, &m->allocate_from, &m->allocate_from_count);
    read_bool(&a, "allow_split", false, &m->allow_split);
    read_bool(&a, "return_only", false, &m->return_only);
    bool mapped = m->shipping_location_id != 0 && is_mapped(m, m->shipping_location_id);
    if (m->shipping_location_id != 0 && !mapped && !m->return_only) {
        mistake(&a, "location_id", "is not among the mapped locations");
    }
    if (m->return_only && mapped) {
        mistake(&a, "return_only",
                "is for a shipping location that is not mapped: else the next level puts back what a web order took");
    }
    for (size_t i = 0; i < m->allocate_from_count; i++) {
        if (m->allocate_from[i] > 0 && mapping_warehouse_index(m, m->allocate_from[i]) < 0) {
            buf_addf(a.mistakes, "mapping file: shipping.allocate_from[%zu]: warehouse %lld feeds no mapped location\n",
                     i, (long long)m->allocate_from[i]);
        }
    }
    for (size_t i = 0; i < m->location_count; i++) {
        struct mapping_location *l = &m->locations[i];
        l->serves_shipping =
            (m->shipping_location_id == 0 && m->allocate_from_count == 0) || l->location_id == m->shipping_location_id;
        for (size_t w = 0; w < l->warehouse_count; w++) {
            l->serves_shipping =
                l->serves_shipping || has_id(m->allocate_from, m->allocate_from_count, l->warehouse_ids[w]);
        }
    }
}

static void read_sitoo(const struct at *root, struct mapping *m) {
    static const char *const keys[] = {"max_inflight",   "min_interval_ms", "page_size",
                                       "cursor_overlap", "ledger_levels",   "reserve_days",
                                       "order_prefix",   "events",          NULL};
    static const char *const event_keys[] = {"bad_auth_status", NULL};
    struct at a = enter(root, "sitoo"), events = enter(&a, "events");
    check_keys(&a, keys);
    check_keys(&events, event_keys);
    read_int(&a, "max_inflight", 1, 10, 1, &m->sitoo_max_inflight);
    read_int(&a, "min_interval_ms", 0, 60000, 0, &m->sitoo_min_interval_ms);
    read_int(&a, "page_size", 10, 5000, 1000, &m->sitoo_page_size);
    read_int(&a, "cursor_overlap", 0, 1000, 50, &m->sitoo_cursor_overlap);
    read_bool(&a, "ledger_levels", true, &m->sitoo_ledger_levels);
    read_int(&a, "reserve_days", 0, 365, 0, &m->sitoo_reserve_days);
    read_text(&a, "order_prefix", "BC-", m->sitoo_order_prefix, sizeof m->sitoo_order_prefix);
    if (m->sitoo_order_prefix[strspn(m->sitoo_order_prefix,
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")] != '\0') {
        mistake(&a, "order_prefix", "may hold letters, digits, _ and - only");
    }
    read_int(&events, "bad_auth_status", 401, 503, 503, &m->sitoo_bad_auth_status);
    if (m->sitoo_bad_auth_status != 401 && m->sitoo_bad_auth_status != 503) {
        mistake(&events, "bad_auth_status", "must be 503 (Sitoo keeps the events) or 401");
    }
}

static void read_budget(const struct at *root, struct mapping *m) {
    static const char *const keys[] = {"reserve_percent", "weights", NULL};
    static const char *const weights[] = {"stock", "orders", "refunds", "rest", NULL};
    struct at a = enter(root, "budget"), w = enter(&a, "weights");
    check_keys(&a, keys);
    check_keys(&w, weights);
    read_int(&a, "reserve_percent", 0, 90, 10, &m->budget_reserve_percent);
    read_int(&w, "stock", 0, 100, 60, &m->weight_stock);
    read_int(&w, "orders", 0, 100, 25, &m->weight_orders);
    read_int(&w, "refunds", 0, 100, 10, &m->weight_refunds);
    read_int(&w, "rest", 0, 100, 5, &m->weight_rest);
    if (m->weight_stock + m->weight_orders + m->weight_refunds + m->weight_rest != 100) {
        mistake(&a, "weights", "must add up to 100");
    }
}

static void read_rules(const struct at *root, struct mapping *m) {
    static const char *const brake_keys[] = {"max_zeroed_skus", "max_units_moved", "max_price_change_percent", NULL};
    static const char *const bc_keys[] = {"confirm_delay_ms", "confirm_timeout_ms", "orders_overlap_s", "orders_days",
                                          NULL};
    static const char *const owner_keys[] = {"mapping", "stock", "money", "pickup", NULL};
    struct at brake = enter(root, "brake"), bc = enter(root, "bigcommerce"), owners = enter(root, "owners");
    int64_t unused = 0;
    check_keys(&brake, brake_keys);
    read_int(&brake, "max_zeroed_skus", 1, 1000000, 200, &m->brake_max_zeroed_skus);
    read_int(&brake, "max_units_moved", 1, 1000000000, 5000, &m->brake_max_units_moved);
    read_int(&brake, "max_price_change_percent", 1, 1000, 50, &unused);
    check_keys(&bc, bc_keys);
    read_int(&bc, "confirm_delay_ms", 100, 600000, 1000, &m->confirm_delay_ms);
    read_int(&bc, "confirm_timeout_ms", 1000, 3600000, 10000, &m->confirm_timeout_ms);
    read_int(&bc, "orders_overlap_s", 10, 86400, 120, &m->orders_overlap_s);
    read_int(&bc, "orders_days", 1, 3650, 30, &m->orders_days);
    check_keys(&owners, owner_keys);
    read_text(&owners, "mapping", "merchandising", m->owner_mapping, sizeof m->owner_mapping);
    read_text(&owners, "stock", "operations", m->owner_stock, sizeof m->owner_stock);
    read_text(&owners, "money", "finance", m->owner_money, sizeof m->owner_money);
    read_text(&owners, "pickup", "store", m->owner_pickup, sizeof m->owner_pickup);
}

static void read_all(const struct at *root, struct mapping *m) {
    static const char *const keys[] = {"locations", "pickup", "shipping", "products",    "returns",  "brake",
                                       "sitoo",     "budget", "owners",   "bigcommerce", "baseline", NULL};
    m->locations = xcalloc(MAPPING_LOCATIONS_MAX + 1, sizeof *m->locations);
    check_keys(root, keys);
    read_list(root, "locations", m, read_location);
    read_list(root, "pickup", m, read_pickup);
    collect_warehouses(m);
    if (m->warehouse_count > MAPPING_WAREHOUSES_MAX) {
        mistake(root, "locations", "more than 500 warehouses");
    }
    check_locations(root, m);
    check_methods(root, m);
    read_shipping(root, m);
    read_sitoo(root, m);
    read_budget(root, m);
    read_rules(root, m);
    mapping_read_baseline(root->object, m, root->mistakes);
    mapping_read_returns(root->object, m, root->mistakes);
    (void)enter(root, "products");
    (void)enter(root, "returns");
}

struct mapping *mapping_read(const char *text, size_t len, struct buf *mistakes) {
    char error[160];
    struct at root = {.mistakes = mistakes};
    size_t before = mistakes->len;
    cJSON *json = json_read(text, len, error, sizeof error);
    if (!cJSON_IsObject(json)) {
        buf_addf(mistakes, "mapping file: %s\n", json == NULL ? error : "must be a JSON object");
        cJSON_Delete(json);
        return NULL;
    }
    struct mapping *m = xcalloc(1, sizeof *m);
    root.object = json;
    read_all(&root, m);
    cJSON_Delete(json);
    if (mistakes->len > before || buf_overflowed(mistakes)) {
        mapping_free(m);
        return NULL;
    }
    return m;
}

int64_t mapping_warehouse_index(const struct mapping *m, int64_t warehouse_id) {
    for (size_t i = 0; i < m->warehouse_count; i++) {
        if (m->warehouses[i] == warehouse_id) {
            return (int64_t)i;
        }
    }
    return -1;
}

const struct mapping_location *mapping_pickup(const struct mapping *m, int64_t location_id, int64_t pickup_method_id) {
    for (size_t i = 0; i < m->location_count; i++) {
        const struct mapping_location *l = &m->locations[i];
        if (!l->is_pickup) {
            continue;
        }
        if (location_id > 0 ? l->location_id == location_id
                            : has_id(l->pickup_method_ids, l->pickup_method_count, pickup_method_id)) {
            return l;
        }
    }
    return NULL;
}
