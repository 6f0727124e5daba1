/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold in Sitoo. Sources: developer.sitoo.com/api-reference (sites, warehouses); sitoo.md 1, 7.1.
 */
#include <stdio.h>

#include "buf.h"
#include "check.h"
#include "clock.h"
#include "http.h"
#include "json.h"
#include "ban.h"

#define LIST_MAX     1000 /* of one answer */
#define ANSWER_SLACK 1000 /* the Date header has no milliseconds */
#define LIMIT_MS     INT64_C(120000)

/* ---- keys ---- */

/* Each API key by itself; true if one of them works. */
static bool check_keys(struct report *r) {
    const struct settings *s = r->app->set;
    size_t good = 0;
    for (size_t k = 0; k < s->sitoo_key_count; k++) {
        struct answer answer;
        char check[40];
        (void)snprintf(check, sizeof check, "sitoo key %zu", k + 1);
        r->app->sitoo_key = (int64_t)k + 1;
        if (report_sitoo(r, check, "/sites.json?num=1", &answer)) {
            report_add(r, CHECK_OK, check, "", "account %lld answers and takes it", (long long)s->sitoo_account_id);
            if (good++ == 0 && answer.date_ms != HTTP_ABSENT) {
                check_offset(r, "Sitoo", clock_wall_ms() - answer.took_ms / 2 - answer.date_ms - ANSWER_SLACK / 2,
                             LIMIT_MS);
            }
            answer_free(&answer);
        }
    }
    r->app->sitoo_key = 0;
    return good > 0;
}

/* ---- site ---- */

/* "1 (store.example.com), 2": the sites that there are. */
static void add_sites(struct buf *out, const cJSON *items) {
    const cJSON *item = NULL;
    int64_t id = 0;
    cJSON_ArrayForEach(item, items) {
        const char *server = json_str(item, "server");
        if (json_id(item, "eshopid", &id)) {
            buf_addf(out, "%s%lld%s%.80s%s", out->len > 0 ? ", " : "", (long long)id, server != NULL ? " (" : "",
                     server != NULL ? server : "", server != NULL ? ")" : "");
        }
    }
}

/* A wrong site, or its GUID, gives empty answers without an error: so that it is there is checked. */
static bool check_site(struct report *r) {
    struct answer answer;
    struct buf sites;
    long long site = (long long)r->app->set->sitoo_site_id;
    if (!report_sitoo(r, "site", "/sites.json?num=1000", &answer)) {
        return false;
    }
    const cJSON *items = json_array(answer.json, "items");
    bool found = report_find(items, "eshopid", (int64_t)site) != NULL;
    buf_init(&sites, REASON_TEXT_MAX);
    add_sites(&sites, items);
    if (found) {
        report_add(r, CHECK_OK, "site", "", "%lld is an eshopid of the account", site);
    } else {
        report_add(r, CHECK_FAIL, "site", "SITOO_SITE_ID must be an eshopid of GET /sites.json, not the siteid GUID",
                   "no site of this account has eshopid %lld; there are: %s", site,
                   sites.len > 0 ? buf_str(&sites) : "none");
    }
    buf_free(&sites);
    answer_free(&answer);
    return found;
}

/* ---- warehouses ---- */

static void read_warehouses(struct report *r) {
    struct answer answer;
    char path[96];
    int64_t total = 0;
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
    if (items != NULL) {
        r->warehouses = cJSON_Duplicate(items, true);
    } else {
        report_add(r, CHECK_FAIL, "warehouses", "compare SITOO_API_URL", "Sitoo's answer holds no list");
    }
    answer_free(&answer);
}

void check_sitoo(struct report *r) {
    if (check_keys(r) && check_site(r)) {
        read_warehouses(r);
    }
}
