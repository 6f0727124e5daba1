/* SPDX-License-Identifier: Apache-2.0 */
#include "web_hook.h"

#include <stdio.h>

#include "json.h"
#include "keys.h"
#include "queue.h"
#include "ban.h"

bool web_hook_plan(const struct app *app, const struct hook *hook, const char *queue, struct args *effects) {
    char order[24];
    int64_t id = 0;
    if (!json_id(hook->data, "id", &id) || id <= 0) {
        hook_effect_bad(hook, app->set->mapping->owner_pickup,
                        hook->error[0] != '\0' ? hook->error : "data.id is missing, or no id of an order",
                        "A change of a web order was not looked at by this call; it is found by its date", effects);
        return false;
    }
    (void)snprintf(order, sizeof order, "%lld", (long long)id);
    effect_told(effects, "bigcommerce", order);
    effect_mark(effects, queue, order, 0, "", "");
    return true;
}

void created_hook_plan(const struct app *app, const struct hook *hook, struct args *effects) {
    (void)web_hook_plan(app, hook, QUEUE_HANDOVER, effects);
}

int64_t web_hook_payload(const char *payload, size_t len, char *error, size_t size) {
    cJSON *json = json_read(payload, len, error, size);
    int64_t id = 0;
    if (json != NULL && !json_id(json, "order", &id) && !json_id(json_get(json, "data"), "id", &id)) {
        (void)snprintf(error, size, "the payload names no order: give a hook, or {\"order\":100301}");
    }
    cJSON_Delete(json);
    return id;
}
