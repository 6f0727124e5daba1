/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold in BigCommerce. Sources: reference/store_information.v2.yml (/v2/time), reference/locations.v3.yml,
 * docs/start/authentication/api-accounts.mdx (scopes) (2026-04-01); bigcommerce.md 1, 7.1, 12. Nothing documented lists
 * the scopes of a token, so each is tried by a harmless read; that a write is allowed cannot be seen by reading.
 */
#include <string.h>

#include "buf.h"
#include "check.h"
#include "clock.h"
#include "json.h"
#include "keys.h"
#include "quantity.h"
#include "shop.h"
#include "ban.h"

#define PATH_MAX_BYTES ((size_t)8000) /* 200 location ids stay below */

/* One read for each scope; /v2/time wants store_v2_information_read_only and comes first. */
static const struct scope {
    const char *name, *what, *path;
} scopes[] = {
    {"store_inventory", "inventory items", "/v3/inventory/items?limit=1"},
    {"store_locations_read_only", "locations", "/v3/inventory/locations?limit=1"},
    {"store_v2_orders_read_only", "orders", "/v2/orders?limit=1"},
    {"store_v2_products_read_only", "products", "/v3/catalog/products?limit=1"},
};

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
    answer_free(&answer);
    if (!readable) {
        report_add(r, CHECK_FAIL, "bigcommerce", "compare BIGCOMMERCE_API_URL", "the answer to /v2/time names no time");
        return false;
    }
    report_add(r, CHECK_OK, "bigcommerce", "", "store %s answers and takes the token",
               r->app->set->bigcommerce_store_hash);
    check_offset(r, "BigCommerce", offset, r->app->set->mapping->orders_overlap_s * 1000);
    return true;
}

/* ---- scopes ---- */

/* True if it may be read. 204 is an empty v2 list. */
static bool check_scope(struct report *r, const struct scope *s) {
    struct answer answer;
    struct reason why = {0};
    enum next next = NEXT_DONE;
    int tries = 0;
    do {
        next = bigcommerce_get(r->app, s->path, &answer, &why);
    } while (report_wait(r, next, &why, &tries));
    int status = answer.status;
    answer_free(&answer);
    if (next == NEXT_DONE && status != 404) {
        return true;
    }
    if (status == 403) {
        report_add(r, CHECK_FAIL, "scopes", "make an API account with this scope: a token's scopes cannot be changed",
                   "BigCommerce answered 403 to reading %s: the token lacks %s, or a limit of the platform is exceeded",
                   s->what, s->name);
    } else {
        report_add(r, CHECK_FAIL, "scopes", status == 404 ? "compare BIGCOMMERCE_API_URL" : "try again later",
                   "reading %s: %s", s->what, status == 404 ? "BigCommerce answered 404" : why.text);
    }
    return false;
}

/* How many levels were read back as written, ever; 0 if that is not known. */
static int64_t levels_confirmed(struct report *r) {
    struct args a = {0};
    struct reason why = {0};
    redisReply *reply = NULL;
    int64_t n = 0;
    args_add(&a, "HGET");
    args_add_key(&a, r->app->redis, KEY_COUNT);
    args_add(&a, "levels:confirmed");
    if (redis_command(r->app->redis, &a, true, &reply, &why) == NEXT_DONE) {
        const char *text = reply_str(reply);
        if (text == NULL || !int_parse(text, 0, JSON_INT_MAX, &n)) {
            n = 0;
        }
        freeReplyObject(reply);
    }
    args_free(&a);
    return n;
}

static void check_scopes(struct report *r) {
    size_t good = 0, n = sizeof scopes / sizeof scopes[0];
    for (size_t i = 0; i < n; i++) {
        good += check_scope(r, &scopes[i]) ? 1 : 0;
    }
    if (good == n) {
        report_add(r, CHECK_OK, "scopes", "", "inventory items, locations, orders and products can be read");
    }
    int64_t written = levels_confirmed(r);
    if (written > 0) {
        report_add(r, CHECK_OK, "scopes", "", "%lld levels were written and read back so far: writing was allowed",
                   (long long)written);
    } else {
        report_add(r, CHECK_WARN, "scopes", "see that the API account's scope for inventory is modify, not read-only",
                   "no read can prove that the token may write levels (store_inventory), and none was written yet; if "
                   "it may not, the first write waits with the cause credentials");
    }
}

/* ---- settings and locations ---- */

static void check_shop(struct report *r) {
    struct shop shop;
    struct reason why = {0};
    enum next next = NEXT_DONE;
    int tries = 0;
    do {
        next = shop_read(r->app, &shop, &why);
    } while (report_wait(r, next, &why, &tries));
    for (size_t i = 0; i < shop.n; i++) {
        const struct shop_finding *f = &shop.list[i];
        report_add(r, f->right ? CHECK_OK : CHECK_FAIL, "shop settings", f->todo, "%s", f->text);
    }
    if (next != NEXT_DONE) {
        report_add(r, CHECK_FAIL, "shop settings", "the token needs store_v2_information_read_only; or try again later",
                   "%s", why.text);
    }
}

static void read_locations(struct report *r) {
    const struct mapping *m = r->app->set->mapping;
    struct answer answer;
    struct buf path;
    buf_init(&path, PATH_MAX_BYTES);
    buf_add_str(&path, "/v3/inventory/locations?limit=1000&location_id:in=");
    for (size_t i = 0; i < m->location_count; i++) {
        buf_addf(&path, "%s%lld", i > 0 ? "," : "", (long long)m->locations[i].location_id);
    }
    if (report_bigcommerce(r, "locations", buf_str(&path), &answer)) {
        if (json_array(answer.json, "data") != NULL) {
            r->locations = cJSON_Duplicate(json_array(answer.json, "data"), true);
        } else {
            report_add(r, CHECK_FAIL, "locations", "compare BIGCOMMERCE_API_URL", "BigCommerce's answer holds no list");
        }
        answer_free(&answer);
    }
    buf_free(&path);
}

void check_bigcommerce(struct report *r) {
    if (check_time(r)) {
        check_scopes(r);
        check_shop(r);
        read_locations(r);
    }
}
