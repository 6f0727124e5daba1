/* SPDX-License-Identifier: Apache-2.0 */
/* What a webhook about a web order causes: {"scope":"store/order/...","data":{"type":"order","id":250}}; the order is
 * due in `queue`. Source: bigcommerce.md 5.5. */
#ifndef ONEPOOL_WEB_HOOK_H
#define ONEPOOL_WEB_HOOK_H

#include "app.h"
#include "hook.h"

/* False if the body names no order: that is a case then. Pure. */
bool web_hook_plan(const struct app *app, const struct hook *hook, const char *queue, struct args *effects);

/* The web order that a payload given by a person names: a hook, or {"order":100301}. 0: none; error says so. Pure. */
int64_t web_hook_payload(const char *payload, size_t len, char *error, size_t size);

/* Of the route order-created: the order is due to be handed to Sitoo. Pure. */
void created_hook_plan(const struct app *app, const struct hook *hook, struct args *effects);

#endif
