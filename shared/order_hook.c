/* SPDX-License-Identifier: Apache-2.0 */
#include "order_hook.h"

#include <stdio.h>
#include <string.h>

#include "exception_hook.h"
#include "json.h"
#include "keys.h"
#include "queue.h"
#include "ban.h"

#define REFUND_CREATED "store/order/refund/created"

/* Names of counters. */
static const char *counter_of(const char *scope) {
    static const struct {
        const char *scope, *counter;
    } counters[] = {{"store/order/updated", "hooks:order_updated"},
                    {"store/order/statusUpdated", "hooks:order_status_updated"},
                    {"store/order/archived", "hooks:order_archived"},
                    {REFUND_CREATED, "hooks:refund_created"}};
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
        if (strcmp(counters[i].scope, scope) == 0) {
            return counters[i].counter;
        }
    }
    return "hooks:order_other";
}

void order_hook_plan(const struct app *app, const struct hook *hook, struct args *effects) {
    char order[24];
    int64_t id = 0;
    if (!json_id(hook->data, "id", &id) || id <= 0) {
        hook_effect_bad(hook, app->set->mapping->owner_money,
                        hook->error[0] != '\0' ? hook->error : "data.id is missing, or no id of an order",
                        "A change of a web order was not looked at; if it was a refund, it is found within a day",
                        effects);
        return;
    }
    effect_count(effects, counter_of(hook->scope), 1);
    (void)snprintf(order, sizeof order, "%lld", (long long)id);
    effect_told(effects, "bigcommerce", order);
    effect_mark(effects, QUEUE_WEBORDER, order, 0, "", "");
    if (strcmp(hook->scope, REFUND_CREATED) == 0) {
        effect_mark(effects, QUEUE_REFUND, order, 0, "", "");
    }
}

void order_hook_accept(struct app *app, const struct fcgi_call *call, struct fcgi_reply *reply) {
    hook_accept(app, call, reply, strcmp(call->path, EXCEPTION_PATH) == 0 ? exception_hook_plan : order_hook_plan);
}
