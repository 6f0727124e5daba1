/* SPDX-License-Identifier: Apache-2.0 */
#include "product_hook.h"

#include <stdio.h>
#include <string.h>

#include "json.h"
#include "keys.h"
#include "queue.h"
#include "ban.h"

static void bad(const struct app *app, const struct hook *hook, const char *what, struct args *effects) {
    hook_effect_bad(hook, app->set->mapping->owner_mapping, hook->error[0] != '\0' ? hook->error : what,
                    "A change of a product was not looked at; the daily comparison of both catalogs finds it", effects);
}

static void mark(const struct app *app, const char *before, int64_t id, struct args *effects) {
    char entity[32];
    (void)snprintf(entity, sizeof entity, "%s%lld", before, (long long)id);
    effect_mark_in(effects, QUEUE_PRODUCT, entity, app->set->mapping->products.debounce_s * 1000, "");
}

/* ---- products ---- */

static void plan_product(const struct app *app, const struct hook *hook, const cJSON *from, const char *name,
                         const char *what, struct args *effects) {
    int64_t id = 0;
    if (json_id(from, name, &id) && id > 0) {
        mark(app, "", id, effects);
    } else {
        bad(app, hook, what, effects);
    }
}

/* ---- price lists ---- */

/* Is it about the list that prices come from? One that names no list may be. */
static bool is_ours(const struct mapping_products *p, const cJSON *data) {
    const cJSON *ids = json_array(data, "price_list_ids"), *item = NULL;
    int64_t id = 0;
    if (ids == NULL) {
        return !json_id(data, "price_list_id", &id) || id == p->price_list_id;
    }
    cJSON_ArrayForEach(item, ids) {
        if (!json_item_int(item, &id) || id == p->price_list_id) {
            return true;
        }
    }
    return false;
}

/* False if it names no variant. */
static bool plan_record(const struct app *app, const cJSON *record, struct args *effects) {
    int64_t variant = 0;
    if (!json_id(record, "variant_id", &variant) || variant <= 0) {
        return false;
    }
    if (is_ours(&app->set->mapping->products, record)) {
        mark(app, "v", variant, effects);
    }
    return true;
}

static void plan_records(const struct app *app, const struct hook *hook, struct args *effects) {
    const cJSON *record = NULL;
    size_t n = 0, unreadable = 0;
    cJSON_ArrayForEach(record, hook->data) {
        if (++n <= PRODUCT_HOOK_RECORDS_MAX && !plan_record(app, record, effects)) {
            unreadable++;
        }
    }
    if (!cJSON_IsArray(hook->data)) {
        bad(app, hook, "data is no list of price records", effects);
    } else if (unreadable > 0) {
        bad(app, hook, "data holds records without variant_id", effects);
    } else if (n > PRODUCT_HOOK_RECORDS_MAX) {
        bad(app, hook, "data holds more than 1,000 price records; the first 1,000 are looked at", effects);
    }
}

static void plan_prices(const struct app *app, const struct hook *hook, struct args *effects) {
    if (strncmp(hook->scope, "store/priceList/record/", 23) == 0) {
        if (!plan_record(app, hook->data, effects)) {
            bad(app, hook, "data.variant_id is missing, or no id of a variant", effects);
        }
    } else if (strncmp(hook->scope, "store/priceList/records/", 24) == 0) {
        plan_records(app, hook, effects);
    } else if (is_ours(&app->set->mapping->products, hook->data)) {
        effect_mark(effects, QUEUE_CATALOG, CATALOG_SWEEP, 0, "", "");
    }
}

/* ---- all ---- */

static bool is_price(const char *scope) {
    return strncmp(scope, "store/priceList/", 16) == 0 || strncmp(scope, "store/priceLists/", 17) == 0;
}

/* Counters, and which of them need nothing more. */
static const char *counter_of(const struct mapping_products *p, const char *scope, bool *ignored) {
    *ignored = !p->on || strstr(scope, "/inventory/") != NULL || (is_price(scope) && !p->from_price_list);
    return *ignored ? "hooks:product_ignored" : is_price(scope) ? "hooks:price" : "hooks:product";
}

void product_hook_plan(const struct app *app, const struct hook *hook, struct args *effects) {
    bool ignored = false;
    effect_count(effects, counter_of(&app->set->mapping->products, hook->scope, &ignored), 1);
    if (ignored) {
        return;
    }
    if (strncmp(hook->scope, "store/product/", 14) == 0) {
        plan_product(app, hook, hook->data, "id", "data.id is missing, or no id of a product", effects);
    } else if (strncmp(hook->scope, "store/sku/", 10) == 0) {
        plan_product(app, hook, json_get(hook->data, "sku"), "product_id",
                     "data.sku.product_id is missing, or no id of a product", effects);
    } else if (is_price(hook->scope)) {
        plan_prices(app, hook, effects);
    } else {
        bad(app, hook, "the scope is none of a product, a SKU or a price list", effects);
    }
}

void product_hook_accept(struct app *app, const struct fcgi_call *call, struct fcgi_reply *reply) {
    hook_accept(app, call, reply, product_hook_plan);
}
