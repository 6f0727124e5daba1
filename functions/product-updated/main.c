/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A product, a variant or a price changed in BigCommerce: it is read again, and Sitoo's products for it follow. A
 * change in the control panel makes several webhooks, an import thousands; so a product is worked on some time after
 * the first of them, once for all. What no webhook told is found by comparing both catalogs. Without the mapping's
 * section "products" nothing flows.
 */
#include "function.h"
#include "keys.h"
#include "product_hook.h"
#include "products.h"

static const struct function function = {
    .name = "product-updated",
    .needs = NEED_REDIS | NEED_SITOO | NEED_BIGCOMMERCE | NEED_MAPPING | NEED_HOOK_SECRET,
    .budget = BUDGET_REST,
    .accept = product_hook_accept,
    .routes = {"/hooks/bigcommerce/product-updated", NULL},
    .queues = {QUEUE_PRODUCT, QUEUE_IMAGE, QUEUE_CATALOG, NULL},
    .work = products_work,
    .leave = products_leave,
    .invoke = products_invoke,
};

int main(int argc, char **argv) {
    return function_main(argc, argv, &function);
}
