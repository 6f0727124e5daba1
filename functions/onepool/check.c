/* SPDX-License-Identifier: Apache-2.0 */
/* onepool check: can this work? Settings are valid if it gets this far; each line says what to do otherwise. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "command.h"
#include "json.h"
#include "ops.h"
#include "platform.h"
#include "ban.h"

#define OFFSET_MAX_S 30

struct report {
    struct app *app;
    bool json;
    int failed;
    cJSON *lines;
};

static void line(struct report *r, const char *result, const char *what, const char *fmt, ...) PRINTF_LIKE(4, 5);

static void line(struct report *r, const char *result, const char *what, const char *fmt, ...) {
    char text[400];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    r->failed += strcmp(result, "fail") == 0 ? 1 : 0;
    if (r->json) {
        cJSON *o = json_new_object();
        json_add_str(o, "result", result);
        json_add_str(o, "what", what);
        json_add_str(o, "text", text);
        (void)cJSON_AddItemToArray(r->lines, o);
    } else {
        (void)printf("%-5s %-22s %s\n", result, what, text);
    }
}

static void check_redis(struct report *r) {
    struct reason why = {0};
    enum next next = ops_redis_guard(r->app, false, &why);
    if (next == NEXT_DONE) {
        line(r, "ok", "Redis", "reachable; every acknowledged event is on disk (append-only file, fsync always)");
    } else {
        line(r, next == NEXT_STOP && r->app->set->dev ? "warn" : "fail", "Redis", "%s", why.text);
    }
}

/* One read; false if it failed, which is reported. */
static bool ask_bigcommerce(struct report *r, const char *what, const char *path, struct answer *answer) {
    struct reason why = {0};
    if (bigcommerce_get(r->app, path, answer, &why) != NEXT_DONE) {
        line(r, "fail", what, "%s", why.text);
        return false;
    }
    if (answer->status != 200 || answer->json == NULL) {
        line(r, "fail", what, "BigCommerce answered %d; compare BIGCOMMERCE_STORE_HASH and the scopes of the token",
             answer->status);
        answer_free(answer);
        return false;
    }
    return true;
}

static void check_clock(struct report *r) {
    struct answer answer;
    int64_t time_s = 0;
    if (!ask_bigcommerce(r, "BigCommerce", "/v2/time", &answer)) {
        return;
    }
    if (!json_int(answer.json, "time", &time_s)) {
        line(r, "warn", "clock", "BigCommerce's time cannot be read");
    } else {
        int64_t offset = clock_wall_ms() / 1000 - time_s;
        bool good = offset >= -OFFSET_MAX_S && offset <= OFFSET_MAX_S;
        line(r, "ok", "BigCommerce", "store and token are right");
        line(r, good ? "ok" : "warn", "clock", "this machine is %lld s ahead of BigCommerce%s", (long long)offset,
             good ? "" : "; set its clock (NTP)");
    }
    answer_free(&answer);
}

static void check_store_settings(struct report *r) {
    struct answer answer;
    if (!ask_bigcommerce(r, "stock settings", "/v3/settings/inventory", &answer)) {
        return;
    }
    const cJSON *data = json_get(answer.json, "data");
    const char *when = json_str(data, "update_stock_behavior");
    bool restocks = json_bool(data, "refund_order_stock_adjustment", false);
    line(r, restocks ? "fail" : "ok", "restock on refund",
         restocks ? "refund_order_stock_adjustment is on: a return would be put back twice; switch it off"
                  : "off, as it must be");
    bool placed = when != NULL && strcmp(when, "order_placed") == 0;
    line(r, placed ? "ok" : "warn", "stock leaves when", "%s%s", when != NULL ? when : "unknown",
         placed ? "" : "; should be order_placed, else sold units stay on offer");
    answer_free(&answer);
}

static bool has_id(const cJSON *list, const char *key, int64_t id, const cJSON **found) {
    const cJSON *item = NULL;
    int64_t n = 0;
    cJSON_ArrayForEach(item, list) {
        if (json_id(item, key, &n) && n == id) {
            *found = item;
            return true;
        }
    }
    return false;
}

static void check_locations(struct report *r) {
    const struct mapping *m = r->app->set->mapping;
    struct answer answer;
    if (!ask_bigcommerce(r, "locations", "/v3/inventory/locations?limit=1000", &answer)) {
        return;
    }
    for (size_t i = 0; i < m->location_count; i++) {
        const cJSON *found = NULL;
        long long id = (long long)m->locations[i].location_id;
        if (!has_id(json_array(answer.json, "data"), "id", id, &found)) {
            line(r, "fail", "location", "BigCommerce has no location %lld; mend the mapping file", id);
        } else {
            bool enabled = json_bool(found, "enabled", true);
            line(r, enabled ? "ok" : "fail", "location", "%lld shows %zu warehouse(s)%s", id,
                 m->locations[i].warehouse_count,
                 enabled ? "" : ", but it is disabled in BigCommerce: its stock cannot be written");
        }
    }
    answer_free(&answer);
}

static bool ask_sitoo(struct report *r, const char *what, const char *path, struct answer *answer) {
    struct reason why = {0};
    const char *paths[] = {path};
    if (sitoo_get(r->app, paths, answer, 1, &why) != NEXT_DONE) {
        line(r, "fail", what, "%s", why.text);
        return false;
    }
    return true;
}

static void check_site(struct report *r) {
    struct answer answer;
    const cJSON *found = NULL;
    if (!ask_sitoo(r, "Sitoo", "/sites.json?num=1000", &answer)) {
        return;
    }
    bool good = has_id(json_array(answer.json, "items"), "eshopid", r->app->set->sitoo_site_id, &found);
    line(r, good ? "ok" : "fail", "Sitoo",
         good ? "key and site %lld are right"
              : "no site has eshopid %lld; SITOO_SITE_ID must be the eshopid, not the GUID",
         (long long)r->app->set->sitoo_site_id);
    answer_free(&answer);
}

static void check_warehouses(struct report *r) {
    const struct mapping *m = r->app->set->mapping;
    struct answer answer;
    char path[96];
    (void)snprintf(path, sizeof path, "/sites/%lld/warehouses.json?num=1000", (long long)r->app->set->sitoo_site_id);
    if (!ask_sitoo(r, "warehouses", path, &answer)) {
        return;
    }
    for (size_t i = 0; i < m->warehouse_count; i++) {
        const cJSON *found = NULL;
        int64_t type = 0;
        long long id = (long long)m->warehouses[i];
        if (!has_id(json_array(answer.json, "items"), "warehouseid", id, &found)) {
            line(r, "fail", "warehouse", "Sitoo has no warehouse %lld; mend the mapping file", id);
        } else if (json_int(found, "warehousetype", &type) && type == 20) {
            line(r, "warn", "warehouse",
                 "%lld is Virtual: whether it writes the ledger is not known, so its movements may be seen late", id);
        } else if (!json_bool(found, "sellable", true)) {
            line(r, "warn", "warehouse", "%lld is not sellable in Sitoo, but the mapping offers its stock", id);
        } else {
            line(r, "ok", "warehouse", "%lld", id);
        }
    }
    answer_free(&answer);
}

int command_check(struct app *app, const struct command_line *options) {
    cJSON *all = json_new_object();
    struct report r = {.app = app, .json = options->json, .lines = json_add_array(all, "lines")};
    line(&r, "ok", "settings", "complete; mode %s, tenant %s", app->set->mode == MODE_LIVE ? "live" : "shadow",
         app->set->tenant);
    check_redis(&r);
    check_clock(&r);
    check_store_settings(&r);
    check_locations(&r);
    check_site(&r);
    check_warehouses(&r);
    if (r.json) {
        json_add_bool(all, "ok", r.failed == 0);
        command_print_json(all);
    }
    cJSON_Delete(all);
    return r.failed == 0 ? 0 : 1;
}
