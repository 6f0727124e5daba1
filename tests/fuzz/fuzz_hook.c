/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/stock-moved/hooks.c tests/fuzz/fake.c */
/*
 * BigCommerce's webhook bodies: whatever an authentic call brings is stored once, with its bytes, and answered 200
 * and has its item looked at, is counted or is a case; without the secret nothing is stored.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fake.h"
#include "tests/fuzz/fuzz.h"
#include "buf.h"
#include "fcgi.h"
#include "functions/stock-moved/hooks.h"
#include "json.h"
#include "quantity.h"
#include "ban.h"

static const char *secret_header(const void *ctx, const char *name) {
    return strcmp(name, "X_ONEPOOL_SECRET") == 0 ? ctx : NULL;
}

static bool mapped(int64_t location) {
    return location == 0 || location == 1 || location == 5 || location == 7; /* fuzz_app */
}

/* What a body asks for, read a second time: to look at its item, or nothing (a location that is not mapped), or a case
 * for what names no product. */
static void check_stored(const char *body, size_t size) {
    char error[160], entity[64];
    int64_t product = 0, variant = 0, location = 0, count = 0;
    const struct args *stored = fake_accepted_args();
    struct args effects = {0};
    cJSON *json = json_read(body, size, error, sizeof error);
    const cJSON *data = json_get(json, "data");
    const char *hash = json_str(json, "hash");
    FUZZ_CHECK(stored->n > 6 && int_parse(stored->argv[5], 1, 100, &count));
    FUZZ_CHECK(strcmp(stored->argv[2], hash != NULL && strlen(hash) <= 64 ? hash : "") == 0);
    FUZZ_CHECK(stored->len[3] == size && memcmp(stored->argv[3], body, size) == 0);
    for (size_t i = 6; i < stored->n; i++) {
        args_add_bytes(&effects, stored->argv[i], stored->len[i]);
    }
    bool good = json_id(data, "product_id", &product) && product > 0;
    (void)json_id(data, "variant_id", &variant);
    (void)json_id(data, "location_id", &location);
    (void)snprintf(entity, sizeof entity, "%lld:%lld", (long long)product, (long long)variant);
    bool marked = fuzz_has_effect(&effects, "mark", 1, "item", 2, entity);
    bool counted = fuzz_has_effect(&effects, "count", 1, "events:unmapped_location", 2, "1");
    bool parked = fuzz_has_effect(&effects, "case", 1, "bad_hook", 1, "bad_hook");
    FUZZ_CHECK(parked == !good);
    FUZZ_CHECK(marked == (good && mapped(location)) && counted == (good && !mapped(location)));
    args_free(&effects);
    cJSON_Delete(json);
}

static int post(const char *body, size_t len, const char *secret) {
    const struct fcgi_call call = {.method = "POST",
                                   .path = "/hooks/bigcommerce/stock-changed",
                                   .body = body,
                                   .body_len = len,
                                   .whole = true,
                                   .header = secret_header,
                                   .ctx = secret};
    struct fcgi_reply reply = {.status = 503};
    hooks_accept(fuzz_app(), &call, &reply);
    return reply.status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *body = xmalloc(size + 1);
    if (size > 0) {
        memcpy(body, data, size);
    }
    body[size] = '\0';
    fake_begin(data, size);
    FUZZ_CHECK(post(body, size, "another secret") == 401 && fake_accepted() == 0);
    FUZZ_CHECK(post(body, size, FUZZ_SECRET) == 200 && fake_accepted() == 1);
    check_stored(body, size);
    free(body);
    return 0;
}
