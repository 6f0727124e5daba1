/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/stock-moved/hooks.c tests/fuzz/fake.c */
/*
 * BigCommerce's webhook bodies: whatever an authentic call brings is stored once, with its bytes, and answered 200
 * (what is handed to Redis is checked by fake.c); without the secret nothing is stored.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fake.h"
#include "tests/fuzz/fuzz.h"
#include "buf.h"
#include "fcgi.h"
#include "functions/stock-moved/hooks.h"
#include "ban.h"

static const char *secret_header(const void *ctx, const char *name) {
    return strcmp(name, "X_ONEPOOL_SECRET") == 0 ? ctx : NULL;
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
    free(body);
    return 0;
}
