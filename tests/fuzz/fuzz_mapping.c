/* SPDX-License-Identifier: Apache-2.0 */
/* The mapping file: either mistakes, one a line, or a mapping in which everything is within its limits. */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "json.h"
#include "mapping.h"
#include "ban.h"

static void check_ids(const int64_t *ids, size_t n, size_t max) {
    FUZZ_CHECK(n <= max);
    for (size_t i = 0; i < n; i++) {
        FUZZ_CHECK(ids[i] > 0 && ids[i] <= JSON_INT_MAX);
        for (size_t k = 0; k < i; k++) {
            FUZZ_CHECK(ids[k] != ids[i]);
        }
    }
}

/* Two locations of a kind that share a warehouse would both sell its stock. */
static bool share_warehouse(const struct mapping_location *a, const struct mapping_location *b) {
    for (size_t i = 0; i < a->warehouse_count; i++) {
        for (size_t k = 0; k < b->warehouse_count; k++) {
            if (a->warehouse_ids[i] == b->warehouse_ids[k]) {
                return true;
            }
        }
    }
    return false;
}

static void check_locations(const struct mapping *m) {
    FUZZ_CHECK(m->location_count >= 1 && m->location_count <= MAPPING_LOCATIONS_MAX);
    for (size_t i = 0; i < m->location_count; i++) {
        const struct mapping_location *l = &m->locations[i];
        FUZZ_CHECK(l->location_id > 0 && l->warehouse_count >= 1);
        FUZZ_CHECK(!l->is_pickup || l->warehouse_count == 1);
        check_ids(l->warehouse_ids, l->warehouse_count, MAPPING_WAREHOUSES_MAX);
        check_ids(l->pickup_method_ids, l->pickup_method_count, MAPPING_METHODS_MAX);
        for (size_t w = 0; w < l->warehouse_count; w++) {
            FUZZ_CHECK(mapping_warehouse_index(m, l->warehouse_ids[w]) >= 0);
        }
        for (size_t k = 0; k < i; k++) {
            FUZZ_CHECK(m->locations[k].location_id != l->location_id);
            FUZZ_CHECK(m->locations[k].is_pickup != l->is_pickup || !share_warehouse(&m->locations[k], l));
        }
    }
}

static bool within(int64_t n, int64_t min, int64_t max) {
    return n >= min && n <= max;
}

static void check_numbers(const struct mapping *m) {
    FUZZ_CHECK(within(m->sitoo_max_inflight, 1, 10) && within(m->sitoo_min_interval_ms, 0, 60000));
    FUZZ_CHECK(within(m->sitoo_page_size, 10, 5000) && within(m->sitoo_cursor_overlap, 0, 1000));
    FUZZ_CHECK(m->sitoo_bad_auth_status == 401 || m->sitoo_bad_auth_status == 503);
    FUZZ_CHECK(within(m->budget_reserve_percent, 0, 90));
    FUZZ_CHECK(m->weight_stock + m->weight_orders + m->weight_refunds + m->weight_rest == 100);
    FUZZ_CHECK(within(m->brake_max_zeroed_skus, 1, 1000000) && within(m->brake_max_units_moved, 1, 1000000000));
    FUZZ_CHECK(within(m->confirm_delay_ms, 100, 600000) && within(m->orders_overlap_s, 10, 86400));
    FUZZ_CHECK(within(m->confirm_timeout_ms, 1000, 3600000) && within(m->orders_days, 1, 3650));
    FUZZ_CHECK(m->sitoo_order_prefix[0] != '\0' && m->owner_stock[0] != '\0' && m->owner_pickup[0] != '\0');
}

static void check_web(const struct mapping_web *w) {
    FUZZ_CHECK(w->rejected_status == 0 || w->rejected_status == 5 || w->rejected_status == 11 ||
               w->rejected_status == 12);
    FUZZ_CHECK(within(w->uncollected_days, 1, 365) && within(w->repeat_after_s, 10, 3600));
    FUZZ_CHECK(within(w->look_again_hours, 1, 168));
    FUZZ_CHECK(w->return_order_state == 0 || w->return_order_state == 10);
    FUZZ_CHECK(within(w->return_warehouse_id, 0, JSON_INT_MAX));
}

static void check_pairs(const struct mapping_pairs *p, int64_t least) {
    FUZZ_CHECK(p->n <= MAPPING_PAIRS_MAX);
    for (size_t i = 0; i < p->n; i++) {
        FUZZ_CHECK(within(p->list[i].web, least, JSON_INT_MAX) && within(p->list[i].till, 1, JSON_INT_MAX));
        FUZZ_CHECK(mapping_pair(p, p->list[i].web) == p->list[i].till);
    }
}

static void check_products(const struct mapping_products *p) {
    check_pairs(&p->vat_groups, 0);
    check_pairs(&p->manufacturers, 1);
    check_pairs(&p->categories, 1);
    FUZZ_CHECK(within(p->default_vat_group, 0, JSON_INT_MAX) && within(p->price_list_id, 0, JSON_INT_MAX));
    FUZZ_CHECK(within(p->sale_price_list_id, 0, JSON_INT_MAX) && p->sale_price_list_id != 1);
    FUZZ_CHECK(!p->from_price_list || p->price_list_id > 0);
    FUZZ_CHECK(p->barcode_count <= 2 && (p->barcode_count < 2 || p->barcodes[0] != p->barcodes[1]));
    FUZZ_CHECK(within(p->debounce_s, 0, 3600) && within(p->sweep_hours, 1, 168));
}

static void check_warehouses(const struct mapping *m) {
    check_ids(m->warehouses, m->warehouse_count, MAPPING_WAREHOUSES_MAX);
    for (size_t i = 0; i < m->warehouse_count; i++) {
        FUZZ_CHECK(i == 0 || m->warehouses[i - 1] < m->warehouses[i]);
        FUZZ_CHECK(mapping_warehouse_index(m, m->warehouses[i]) == (int64_t)i);
    }
    for (size_t i = 0; i < m->allocate_from_count; i++) {
        FUZZ_CHECK(mapping_warehouse_index(m, m->allocate_from[i]) >= 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct buf mistakes;
    buf_init(&mistakes, 64 * 1024);
    struct mapping *m = mapping_read((const char *)data, size, &mistakes);
    if (m == NULL) {
        FUZZ_CHECK(strncmp(buf_str(&mistakes), "mapping file: ", 14) == 0);
    } else {
        FUZZ_CHECK(mistakes.len == 0 && !buf_overflowed(&mistakes));
        check_locations(m);
        check_warehouses(m);
        check_numbers(m);
        check_web(&m->web);
        check_products(&m->products);
        FUZZ_CHECK(within(m->brake_price_percent, 1, 100000) && within(m->brake_max_deactivated, 1, 1000000));
    }
    mapping_free(m);
    buf_free(&mistakes);
    return 0;
}
