/* SPDX-License-Identifier: Apache-2.0 */
/* links: tests/fuzz/fake.c */
/*
 * BigCommerce's webhooks about orders and about trouble with webhooks: whatever an authentic call brings is stored once
 * and answered 200; a changed order is looked at, trouble is one case, and what cannot be understood is a case.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fake.h"
#include "tests/fuzz/fuzz.h"
#include "buf.h"
#include "fcgi.h"
#include "exception_hook.h"
#include "order_hook.h"
#include "json.h"
#include "ban.h"

static const char *secret_header(const void *ctx, const char *name) {
    return strcmp(name, "X_ONEPOOL_SECRET") == 0 ? ctx : NULL;
}

static void post(const char *path, const char *body, size_t len) {
    const struct fcgi_call call = {.method = "POST",
                                   .path = path,
                                   .body = body,
                                   .body_len = len,
                                   .whole = true,
                                   .header = secret_header,
                                   .ctx = FUZZ_SECRET};
    struct fcgi_reply reply = {.status = 503};
    size_t before = fake_accepted();
    order_hook_accept(fuzz_app(), &call, &reply);
    FUZZ_CHECK(reply.status == 200 && fake_accepted() == before + 1);
}

/* The effects that were stored with the last call. */
static struct args effects_of(size_t body_len) {
    const struct args *stored = fake_accepted_args();
    struct args effects = {0};
    FUZZ_CHECK(stored->n > 6 && stored->len[3] == body_len);
    for (size_t i = 6; i < stored->n; i++) {
        args_add_bytes(&effects, stored->argv[i], stored->len[i]);
    }
    return effects;
}

static void check_order(const char *body, size_t len, const cJSON *json) {
    char order[24];
    int64_t id = 0;
    const char *scope = json_str(json, "scope");
    bool good = json_id(json_get(json, "data"), "id", &id) && id > 0;
    post("/hooks/bigcommerce/order-updated", body, len);
    struct args effects = effects_of(len);
    (void)snprintf(order, sizeof order, "%lld", (long long)id);
    FUZZ_CHECK(fuzz_has_effect(&effects, "mark", 1, "weborder", 2, order) == good);
    FUZZ_CHECK(fuzz_has_effect(&effects, "mark", 1, "refund", 2, order) ==
               (good && scope != NULL && strcmp(scope, "store/order/refund/created") == 0));
    FUZZ_CHECK(fuzz_has_effect(&effects, "case", 1, "bad_hook", 1, "bad_hook") == !good);
    args_free(&effects);
}

static void check_exception(const char *body, size_t len, const cJSON *json) {
    char entity[64];
    int64_t id = 0, code = 0;
    const char *scope = json_str(json, "scope");
    const cJSON *data = json_get(json, "data");
    bool good = scope != NULL && strcmp(scope, "store/hook/deliveryException") == 0 && json_id(data, "id", &id) &&
                id > 0 && json_id(data, "error_code", &code);
    post(EXCEPTION_PATH, body, len);
    struct args effects = effects_of(len);
    exception_entity(id, code, entity);
    FUZZ_CHECK(fuzz_has_effect(&effects, "case", 1, EXCEPTION_CAUSE, 3, entity) == good);
    FUZZ_CHECK(fuzz_has_effect(&effects, "case", 1, "bad_hook", 1, "bad_hook") == !good);
    FUZZ_CHECK(fuzz_has_effect(&effects, "mark", 1, "hooks", 2, "main") == (good && code != 90001));
    args_free(&effects);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char error[160];
    char *body = xmalloc(size + 1);
    if (size > 0) {
        memcpy(body, data, size);
    }
    body[size] = '\0';
    fake_begin(data, size);
    cJSON *json = json_read(body, size, error, sizeof error);
    check_order(body, size, json);
    check_exception(body, size, json);
    cJSON_Delete(json);
    free(body);
    return 0;
}
