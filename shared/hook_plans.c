/* SPDX-License-Identifier: Apache-2.0 */
#include "hook_plans.h"

#include <string.h>

#include "exception_hook.h"
#include "hooks_plan.h"
#include "json.h"
#include "order_hook.h"
#include "product_hook.h"
#include "stock_hook.h"
#include "web_hook.h"
#include "ban.h"

static const struct {
    const char *path;
    hook_plan plan;
} routes[] = {{"/hooks/bigcommerce/order-created", created_hook_plan},
              {"/hooks/bigcommerce/order-updated", order_hook_plan},
              {EXCEPTION_PATH, exception_hook_plan},
              {"/hooks/bigcommerce/stock-changed", stock_hook_plan},
              {"/hooks/bigcommerce/product-updated", product_hook_plan}};

static hook_plan of_path(const char *path) {
    for (size_t i = 0; path != NULL && i < sizeof routes / sizeof routes[0]; i++) {
        if (strcmp(routes[i].path, path) == 0) {
            return routes[i].plan;
        }
    }
    return NULL;
}

/* "store/channel/7/inventory/product/stock_changed" for the scope "store/channel/ * /inventory/...": one star, of any
 * length. */
static bool fits(const char *wanted, const char *scope) {
    const char *star = strchr(wanted, '*');
    if (star == NULL) {
        return strcmp(wanted, scope) == 0;
    }
    size_t before = (size_t)(star - wanted), after = strlen(star + 1), len = strlen(scope);
    return len >= before + after && strncmp(wanted, scope, before) == 0 && strcmp(scope + len - after, star + 1) == 0;
}

static hook_plan of_scope(const char *scope) {
    for (size_t i = 0; i < HOOKS_WANTED; i++) {
        if (fits(hooks_wanted[i].scope, scope)) {
            return of_path(hooks_wanted[i].path);
        }
    }
    /* Further scopes of a family that a route takes (all of an order, say, with one webhook). */
    return strncmp(scope, "store/order/", 12) == 0 ? order_hook_plan
           : strncmp(scope, "store/product", 13) == 0 || strncmp(scope, "store/sku/", 10) == 0 ||
                   strncmp(scope, "store/priceList", 15) == 0
               ? product_hook_plan
               : NULL;
}

hook_plan hook_plan_of(const char *path, const char *body, size_t len) {
    char error[120];
    hook_plan plan = of_path(path);
    if (plan != NULL) {
        return plan;
    }
    cJSON *json = json_read(body, len, error, sizeof error);
    const char *scope = json_str(json, "scope");
    plan = scope != NULL ? of_scope(scope) : NULL;
    cJSON_Delete(json);
    return plan;
}
