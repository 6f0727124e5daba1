/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold in Sitoo. Sources: developer.sitoo.com/api-reference (sites, warehouses); sitoo.md 1, 7.1:
 * warehousetype 20 is Virtual; usetype is not told apart, `sellable` is.
 */
#include <stdio.h>

#include "check.h"
#include "json.h"
#include "ban.h"

#define TYPE_VIRTUAL 20
#define LIST_MAX     1000 /* of one answer */

/* A wrong site gives empty answers without an error, so its being there is checked. */
static bool check_site(struct report *r) {
    struct answer answer;
    long long site = (long long)r->app->set->sitoo_site_id;
    if (!report_sitoo(r, "sitoo", "/sites.json?num=1000", &answer)) {
        return false;
    }
    bool found = report_find(json_array(answer.json, "items"), "eshopid", (int64_t)site) != NULL;
    if (found) {
        report_add(r, CHECK_OK, "sitoo", "", "account %lld answers, site %lld is there (%zu API %s)",
                   (long long)r->app->set->sitoo_account_id, site, r->app->set->sitoo_key_count,
                   r->app->set->sitoo_key_count == 1 ? "key" : "keys");
    } else {
        report_add(r, CHECK_FAIL, "sitoo", "SITOO_SITE_ID must be the eshopid of GET /sites.json, a whole number",
                   "no site of this account has eshopid %lld", site);
    }
    answer_free(&answer);
    return found;
}

/* True if it is as it should be; else it is reported. */
static bool check_warehouse(struct report *r, int64_t warehouse_id, const cJSON *found) {
    long long id = (long long)warehouse_id;
    int64_t type = 0;
    if (found == NULL) {
        report_add(r, CHECK_FAIL, "warehouse", "name a warehouseid of this site in the mapping file",
                   "Sitoo has no warehouse %lld", id);
        return false;
    }
    bool is_virtual = json_id(found, "warehousetype", &type) && type == TYPE_VIRTUAL;
    bool sellable = json_bool(found, "sellable", true);
    if (is_virtual) {
        report_add(r, CHECK_WARN, "warehouse", "map a FIFO warehouse, or expect its changes to be seen late",
                   "%lld is Virtual: another system sets its stock, and the ledger may not tell", id);
    }
    if (!sellable) {
        report_add(r, CHECK_WARN, "warehouse", "take it out of the mapping file unless its stock is to be sold online",
                   "%lld is not sellable in Sitoo, but the web shop will offer its stock", id);
    }
    return !is_virtual && sellable;
}

static void check_warehouses(struct report *r) {
    const struct mapping *m = r->app->set->mapping;
    struct answer answer;
    char path[96];
    int64_t total = 0;
    size_t good = 0;
    (void)snprintf(path, sizeof path, "/sites/%lld/warehouses.json?num=%d", (long long)r->app->set->sitoo_site_id,
                   LIST_MAX);
    if (!report_sitoo(r, "warehouses", path, &answer)) {
        return;
    }
    const cJSON *items = json_array(answer.json, "items");
    int64_t listed = cJSON_GetArraySize(items);
    if (json_int(answer.json, "totalcount", &total) && total > listed) {
        report_add(r, CHECK_WARN, "warehouses", "a warehouse reported as missing below may be there",
                   "Sitoo listed %lld of %lld warehouses", (long long)listed, (long long)total);
    }
    for (size_t i = 0; i < m->warehouse_count; i++) {
        good += check_warehouse(r, m->warehouses[i], report_find(items, "warehouseid", m->warehouses[i])) ? 1 : 0;
    }
    if (good > 0) {
        report_add(r, CHECK_OK, "warehouses", "", "%zu of %zu mapped warehouses are there and sellable", good,
                   m->warehouse_count);
    }
    answer_free(&answer);
}

void check_sitoo(struct report *r) {
    if (check_site(r)) {
        check_warehouses(r);
    }
}
