/* SPDX-License-Identifier: Apache-2.0 */
#include "stock_hook.h"

#include <stdio.h>

#include "json.h"
#include "keys.h"
#include "queue.h"
#include "ban.h"

static bool mapped(const struct mapping *m, int64_t location_id) {
    for (size_t i = 0; i < m->location_count; i++) {
        if (m->locations[i].location_id == location_id) {
            return true;
        }
    }
    return false;
}

void stock_hook_plan(const struct app *app, const struct hook *hook, struct args *effects) {
    char entity[64];
    int64_t product = 0, variant = 0, location = 0;
    (void)json_id(hook->data, "variant_id", &variant);
    (void)json_id(hook->data, "location_id", &location);
    if (!json_id(hook->data, "product_id", &product) || product <= 0) {
        hook_effect_bad(hook, app->set->mapping->owner_stock,
                        hook->error[0] != '\0' ? hook->error : "data.product_id is missing",
                        "A stock change in BigCommerce was not looked at", effects);
    } else if (location != 0 && !mapped(app->set->mapping, location)) {
        effect_count(effects, "events:unmapped_location", 1);
    } else {
        (void)snprintf(entity, sizeof entity, "%lld:%lld", (long long)product, (long long)variant);
        effect_mark(effects, QUEUE_ITEM, entity, 0, "", "");
    }
}
