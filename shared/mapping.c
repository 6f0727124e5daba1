/* SPDX-License-Identifier: Apache-2.0 */
#include "mapping.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "mapping_at.h"
#include "ban.h"

/* ---- locations ---- */

static void read_location(const struct at *a, struct mapping *m) {
    static const char *const keys[] = {"bigcommerce_location_id", "sitoo_warehouse_ids", NULL};
    struct mapping_location *l = &m->locations[m->location_count++];
    at_keys(a, keys);
    at_int(a, "bigcommerce_location_id", 1, JSON_INT_MAX, 0, &l->location_id);
    if (json_get(a->object, "bigcommerce_location_id") == NULL) {
        at_mistake(a, "bigcommerce_location_id", "missing, give the id of a BigCommerce location");
    }
    at_ids(a, "sitoo_warehouse_ids", MAPPING_WAREHOUSES_MAX, true, &l->warehouse_ids, &l->warehouse_count);
}

static void read_pickup(const struct at *a, struct mapping *m) {
    static const char *const keys[] = {"bigcommerce_location_id", "sitoo_warehouse_id", "pickup_method_ids",
                                       "shipping_method_names", NULL};
    struct mapping_location *l = &m->locations[m->location_count++];
    at_keys(a, keys);
    l->is_pickup = true;
    l->warehouse_ids = xcalloc(1, sizeof *l->warehouse_ids);
    l->warehouse_count = 1;
    at_int(a, "bigcommerce_location_id", 1, JSON_INT_MAX, 0, &l->location_id);
    at_int(a, "sitoo_warehouse_id", 1, JSON_INT_MAX, 0, &l->warehouse_ids[0]);
    if (json_get(a->object, "bigcommerce_location_id") == NULL || json_get(a->object, "sitoo_warehouse_id") == NULL) {
        at_mistake(a, "", "needs bigcommerce_location_id and sitoo_warehouse_id");
    }
    at_ids(a, "pickup_method_ids", MAPPING_METHODS_MAX, false, &l->pickup_method_ids, &l->pickup_method_count);
    at_texts(a, "shipping_method_names", MAPPING_METHODS_MAX, &l->shipping_method_names,
             &l->shipping_method_name_count);
}

static void read_list(const struct at *root, const char *key, struct mapping *m,
                      void (*read)(const struct at *, struct mapping *)) {
    const cJSON *list = json_get(root->object, key), *item = NULL;
    size_t i = 0;
    if (list != NULL && (!cJSON_IsArray(list) || (size_t)cJSON_GetArraySize(list) > MAPPING_LOCATIONS_MAX / 2)) {
        at_mistake(root, key, "must be a list of at most 100 objects");
        return;
    }
    cJSON_ArrayForEach(item, list) {
        struct at a = {.object = item, .mistakes = root->mistakes};
        (void)snprintf(a.path, sizeof a.path, "%.60s[%zu]", key, i++);
        if (cJSON_IsObject(item)) {
            read(&a, m);
        } else {
            at_mistake(&a, "", "must be an object");
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
        at_mistake(root, "locations", "at least one location must be mapped");
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
    struct at a = at_enter(root, "shipping");
    at_keys(&a, keys);
    at_int(&a, "location_id", 1, JSON_INT_MAX, 0, &m->shipping_location_id);
    at_ids(&a, "allocate_from", MAPPING_WAREHOUSES_MAX, false, &m->allocate_from, &m->allocate_from_count);
    at_bool(&a, "allow_split", false, &m->allow_split);
    at_bool(&a, "return_only", false, &m->return_only);
    bool mapped = m->shipping_location_id != 0 && is_mapped(m, m->shipping_location_id);
    if (m->shipping_location_id != 0 && !mapped && !m->return_only) {
        at_mistake(&a, "location_id", "is not among the mapped locations");
    }
    if (m->return_only && mapped) {
        at_mistake(
            &a, "return_only",
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
    static const char *const keys[] = {"max_inflight",
                                       "min_interval_ms",
                                       "page_size",
                                       "cursor_overlap",
                                       "ledger_levels",
                                       "reserve_days",
                                       "order_prefix",
                                       "events",
                                       "pickup",
                                       "return_orders",
                                       NULL};
    static const char *const event_keys[] = {"bad_auth_status", NULL};
    struct at a = at_enter(root, "sitoo"), events = at_enter(&a, "events");
    at_keys(&a, keys);
    at_keys(&events, event_keys);
    at_int(&a, "max_inflight", 1, 10, 1, &m->sitoo_max_inflight);
    at_int(&a, "min_interval_ms", 0, 60000, 0, &m->sitoo_min_interval_ms);
    at_int(&a, "page_size", 10, 5000, 1000, &m->sitoo_page_size);
    at_int(&a, "cursor_overlap", 0, 1000, 50, &m->sitoo_cursor_overlap);
    at_bool(&a, "ledger_levels", true, &m->sitoo_ledger_levels);
    at_int(&a, "reserve_days", 0, 365, 0, &m->sitoo_reserve_days);
    at_text(&a, "order_prefix", "BC-", m->sitoo_order_prefix, sizeof m->sitoo_order_prefix);
    if (m->sitoo_order_prefix[strspn(m->sitoo_order_prefix,
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")] != '\0') {
        at_mistake(&a, "order_prefix", "may hold letters, digits, _ and - only");
    }
    at_int(&events, "bad_auth_status", 401, 503, 503, &m->sitoo_bad_auth_status);
    if (m->sitoo_bad_auth_status != 401 && m->sitoo_bad_auth_status != 503) {
        at_mistake(&events, "bad_auth_status", "must be 503 (Sitoo keeps the events) or 401");
    }
}

static void read_budget(const struct at *root, struct mapping *m) {
    static const char *const keys[] = {"reserve_percent", "weights", NULL};
    static const char *const weights[] = {"stock", "orders", "refunds", "rest", NULL};
    struct at a = at_enter(root, "budget"), w = at_enter(&a, "weights");
    at_keys(&a, keys);
    at_keys(&w, weights);
    at_int(&a, "reserve_percent", 0, 90, 10, &m->budget_reserve_percent);
    at_int(&w, "stock", 0, 100, 60, &m->weight_stock);
    at_int(&w, "orders", 0, 100, 25, &m->weight_orders);
    at_int(&w, "refunds", 0, 100, 10, &m->weight_refunds);
    at_int(&w, "rest", 0, 100, 5, &m->weight_rest);
    if (m->weight_stock + m->weight_orders + m->weight_refunds + m->weight_rest != 100) {
        at_mistake(&a, "weights", "must add up to 100");
    }
}

static void read_rules(const struct at *root, struct mapping *m) {
    static const char *const brake_keys[] = {"max_zeroed_skus", "max_units_moved", "max_price_change_percent",
                                             "max_deactivated_skus", NULL};
    static const char *const bc_keys[] = {"confirm_delay_ms", "confirm_timeout_ms", "orders_overlap_s", "orders_days",
                                          NULL};
    static const char *const owner_keys[] = {"mapping", "stock", "money", "pickup", NULL};
    struct at brake = at_enter(root, "brake"), bc = at_enter(root, "bigcommerce"), owners = at_enter(root, "owners");
    at_keys(&brake, brake_keys);
    at_int(&brake, "max_zeroed_skus", 1, 1000000, 200, &m->brake_max_zeroed_skus);
    at_int(&brake, "max_units_moved", 1, 1000000000, 5000, &m->brake_max_units_moved);
    at_int(&brake, "max_price_change_percent", 1, 100000, 50, &m->brake_price_percent);
    at_int(&brake, "max_deactivated_skus", 1, 1000000, 200, &m->brake_max_deactivated);
    at_keys(&bc, bc_keys);
    at_int(&bc, "confirm_delay_ms", 100, 600000, 1000, &m->confirm_delay_ms);
    at_int(&bc, "confirm_timeout_ms", 1000, 3600000, 10000, &m->confirm_timeout_ms);
    at_int(&bc, "orders_overlap_s", 10, 86400, 120, &m->orders_overlap_s);
    at_int(&bc, "orders_days", 1, 3650, 30, &m->orders_days);
    at_keys(&owners, owner_keys);
    at_text(&owners, "mapping", "merchandising", m->owner_mapping, sizeof m->owner_mapping);
    at_text(&owners, "stock", "operations", m->owner_stock, sizeof m->owner_stock);
    at_text(&owners, "money", "finance", m->owner_money, sizeof m->owner_money);
    at_text(&owners, "pickup", "store", m->owner_pickup, sizeof m->owner_pickup);
}

static void read_all(const struct at *root, struct mapping *m) {
    static const char *const keys[] = {"locations", "pickup",  "shipping", "products",    "returns",  "brake",
                                       "sitoo",     "budget",  "owners",   "bigcommerce", "baseline", "web_orders",
                                       "notify",    "silence", "sweep",    NULL};
    m->locations = xcalloc(MAPPING_LOCATIONS_MAX + 1, sizeof *m->locations);
    at_keys(root, keys);
    read_list(root, "locations", m, read_location);
    read_list(root, "pickup", m, read_pickup);
    collect_warehouses(m);
    if (m->warehouse_count > MAPPING_WAREHOUSES_MAX) {
        at_mistake(root, "locations", "more than 500 warehouses");
    }
    check_locations(root, m);
    check_methods(root, m);
    read_shipping(root, m);
    read_sitoo(root, m);
    read_budget(root, m);
    read_rules(root, m);
    mapping_read_baseline(root->object, m, root->mistakes);
    mapping_read_returns(root->object, m, root->mistakes);
    mapping_read_web(root, m);
    mapping_read_products(root, m);
    mapping_read_notify(root, m);
    mapping_read_sweep(root, m);
    (void)at_enter(root, "returns");
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

size_t mapping_per_call(const struct mapping *m, size_t most) {
    return m->sitoo_page_size < (int64_t)most ? (size_t)m->sitoo_page_size : most;
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
