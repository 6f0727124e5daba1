/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold in BigCommerce. Sources: reference/store_information.v2.yml (/v2/time), reference/settings.v3.yml
 * (/v3/settings/inventory), reference/locations.v3.yml (2026-04-01); bigcommerce.md 6.4, 7.1, 10, 12.
 */
#include <string.h>

#include "buf.h"
#include "check.h"
#include "clock.h"
#include "json.h"
#include "ban.h"

#define OFFSET_WARN_MS INT64_C(5000)
#define PATH_MAX_BYTES ((size_t)8000) /* 200 location ids stay below */

/* Credentials, and how far our clock is off: web orders are read by their modification date. */
static bool check_time(struct report *r) {
    struct answer answer;
    int64_t time_s = 0;
    if (!report_bigcommerce(r, "bigcommerce", "/v2/time", &answer)) {
        return false;
    }
    bool readable = json_int(answer.json, "time", &time_s);
    /* The second is cut off, and the answer took its time: half of both is the best guess. */
    int64_t offset = clock_wall_ms() - answer.took_ms / 2 - (time_s * 1000 + 500);
    int64_t limit = r->app->set->mapping->orders_overlap_s * 1000, off = offset < 0 ? -offset : offset;
    answer_free(&answer);
    if (!readable) {
        report_add(r, CHECK_FAIL, "bigcommerce", "compare BIGCOMMERCE_API_URL", "the answer to /v2/time names no time");
        return false;
    }
    report_add(r, CHECK_OK, "bigcommerce", "", "store %s answers and takes the token",
               r->app->set->bigcommerce_store_hash);
    bool good = off <= OFFSET_WARN_MS;
    report_add(r,
               good          ? CHECK_OK
               : off < limit ? CHECK_WARN
                             : CHECK_FAIL,
               "clock", good ? "" : "set this machine's clock (NTP)", "%lld.%01lld s %s BigCommerce's",
               (long long)(off / 1000), (long long)(off % 1000 / 100), offset < 0 ? "behind" : "ahead of");
    return true;
}

static void check_stock_settings(struct report *r) {
    struct answer answer;
    const char *check = "stock settings";
    if (!report_bigcommerce(r, check, "/v3/settings/inventory", &answer)) {
        return;
    }
    const cJSON *data = json_get(answer.json, "data"), *refund = json_get(data, "refund_order_stock_adjustment");
    const char *when = json_str(data, "update_stock_behavior");
    if (!cJSON_IsBool(refund)) {
        report_add(r, CHECK_FAIL, check, "look at the store's inventory settings",
                   "refund_order_stock_adjustment is not told");
    } else if (cJSON_IsTrue(refund)) {
        report_add(r, CHECK_FAIL, check, "switch it off: Settings > Inventory, for the store and every channel",
                   "refund_order_stock_adjustment is on: a refund would put stock back a second time");
    } else {
        report_add(r, CHECK_OK, check, "", "a refund does not put stock back by itself");
    }
    if (when == NULL || strcmp(when, "order_placed") != 0) {
        report_add(r, CHECK_FAIL, check, "set it to order_placed: Settings > Inventory",
                   "update_stock_behavior is %s: sold units stay on offer until then",
                   when != NULL ? when : "not told");
    } else {
        report_add(r, CHECK_OK, check, "", "an order takes its stock when it is placed");
    }
    answer_free(&answer);
}

static void check_location(struct report *r, const struct mapping_location *l, const cJSON *found) {
    long long id = (long long)l->location_id;
    if (found == NULL) {
        report_add(r, CHECK_FAIL, "location", "name an id of GET /v3/inventory/locations in the mapping file",
                   "BigCommerce has no location %lld", id);
    } else if (!json_bool(found, "enabled", true)) {
        report_add(r, CHECK_FAIL, "location", "enable it in BigCommerce, or take it out of the mapping file",
                   "%lld is disabled: its stock can be neither written nor sold", id);
    } else {
        const char *label = json_str(found, "label");
        report_add(r, CHECK_OK, "location", "", "%lld%s%.80s%s shows %zu %s%s", id, label != NULL ? " (" : "",
                   label != NULL ? label : "", label != NULL ? ")" : "", l->warehouse_count,
                   l->warehouse_count == 1 ? "warehouse" : "warehouses", l->is_pickup ? ", for pickup" : "");
    }
}

static void check_locations(struct report *r) {
    const struct mapping *m = r->app->set->mapping;
    struct answer answer;
    struct buf path;
    buf_init(&path, PATH_MAX_BYTES);
    buf_add_str(&path, "/v3/inventory/locations?limit=1000&location_id:in=");
    for (size_t i = 0; i < m->location_count; i++) {
        buf_addf(&path, "%s%lld", i > 0 ? "," : "", (long long)m->locations[i].location_id);
    }
    if (report_bigcommerce(r, "locations", buf_str(&path), &answer)) {
        for (size_t i = 0; i < m->location_count; i++) {
            const struct mapping_location *l = &m->locations[i];
            check_location(r, l, report_find(json_array(answer.json, "data"), "id", l->location_id));
        }
        answer_free(&answer);
    }
    buf_free(&path);
}

void check_bigcommerce(struct report *r) {
    if (check_time(r)) {
        check_stock_settings(r);
        check_locations(r);
    }
}
