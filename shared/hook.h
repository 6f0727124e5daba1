/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A webhook of BigCommerce as every function takes it:
 *
 *   POST /hooks/bigcommerce/...
 *   {"scope":"store/order/refund/created","store_id":"1025646","producer":"stores/{hash}","hash":"996e...",
 *    "created_at":1682624640,"data":{"type":"order","id":250,"refund":{"refund_id":3}}}
 *
 * Authentic if the header X-Onepool-Secret is right (set when the hook is made), and the signature too if that is
 * required (hook_signature.h). Answers: 200 stored, 401 not authentic, 503 not stored. A body is only a pointer: what
 * it says is read again. Source: bigcommerce.md 5.3, 5.4.
 */
#ifndef ONEPOOL_HOOK_H
#define ONEPOOL_HOOK_H

#include <cjson/cJSON.h>

#include "app.h"
#include "fcgi.h"
#include "redis.h"

/* The bytes and the envelope of an authentic call. */
struct hook {
    const char *body; /* as received, NUL-terminated */
    size_t body_len;
    const char *scope; /* "" if the body names none */
    const cJSON *data; /* an object, of a batch an array; NULL = none */
    char error[120];   /* why the body is no JSON; "" if it is */
};

#define HOOK_SOURCE   "bigcommerce"
#define HOOK_HASH_MAX 64

/* Appends what the call causes; pure. */
typedef void (*hook_plan)(const struct app *app, const struct hook *hook, struct args *effects);

/* The whole answer to one call: authenticity, plan, and one Redis call that stores bytes and effects together. */
void hook_accept(struct app *app, const struct fcgi_call *call, struct fcgi_reply *reply, hook_plan plan);

/* What the body causes by `plan`, appended to effects, and its idempotency key ("" if it carries none); the same
 * whenever it is asked, for a call and for bytes that were stored. Pure. */
void hook_read(const struct app *app, const char *body, size_t len, hook_plan plan, char id[HOOK_HASH_MAX + 1],
               struct args *effects);

/* The case "bad_hook" of a body that cannot be understood: what: what is wrong with it; effect: what is not done. */
void hook_effect_bad(const struct hook *hook, const char *owner, const char *what, const char *effect,
                     struct args *effects);

#endif
