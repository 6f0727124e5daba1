/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /hooks/bigcommerce/delivery-exception: BigCommerce had trouble in calling us.
 *
 *   {"scope":"store/hook/deliveryException","data":{"type":"webhook","id":1,"error_code":90001,"message":"..."}}
 *
 * 90001: a call failed and is tried again; 90002: all attempts failed and the webhook is switched off; 90003: our
 * domain is blocked. Each is a case; after 90002 and 90003 the webhooks are looked at at once. Source:
 * bigcommerce.md 5.2 (developer.bigcommerce.com, webhook events, 2026-04-01).
 */
#ifndef ONEPOOL_EXCEPTION_HOOK_H
#define ONEPOOL_EXCEPTION_HOOK_H

#include "hook.h"

#define EXCEPTION_PATH  "/hooks/bigcommerce/delivery-exception"
#define EXCEPTION_CAUSE "delivery_exception"

/* The entity of the case of one webhook and code. */
void exception_entity(int64_t hook, int64_t code, char out[64]);

/* What one call causes; pure. */
void exception_hook_plan(const struct app *app, const struct hook *hook, struct args *effects);

#endif
