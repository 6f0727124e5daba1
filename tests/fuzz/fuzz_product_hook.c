/* SPDX-License-Identifier: Apache-2.0 */
/* links: tests/fuzz/fake.c */
/*
 * BigCommerce's webhooks about products, SKUs and price lists: whatever an authentic call brings is stored once and
 * answered 200; without the mapping's section nothing is due and nothing is a case; with it a product is due, or it is
 * known why not, and no more is due than the body can name.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fake.h"
#include "tests/fuzz/fuzz.h"
#include "buf.h"
#include "fcgi.h"
#include "product_hook.h"
#include "json.h"
#include "ban.h"

static const char *secret_header(const void *ctx, const char *name) {
    return strcmp(name, "X_ONEPOOL_SECRET") == 0 ? ctx : NULL;
}

/* The effects that are stored with one call. */
static struct args effects_of(struct mapping_products products, const char *body, size_t len) {
    const struct fcgi_call call = {.method = "POST",
                                   .path = "/hooks/bigcommerce/product-updated",
                                   .body = body,
                                   .body_len = len,
                                   .whole = true,
                                   .header = secret_header,
                                   .ctx = FUZZ_SECRET};
    struct settings set = *fuzz_app()->set;
    struct mapping mapping = *set.mapping;
    struct app app = *fuzz_app();
    struct fcgi_reply reply = {.status = 503};
    struct args effects = {0};
    size_t before = fake_accepted();
    mapping.products = products;
    set.mapping = &mapping;
    app.set = &set;
    product_hook_accept(&app, &call, &reply);
    FUZZ_CHECK(reply.status == 200 && fake_accepted() == before + 1);
    const struct args *stored = fake_accepted_args();
    FUZZ_CHECK(stored->n > 6 && stored->len[3] == len);
    for (size_t i = 6; i < stored->n; i++) {
        args_add_bytes(&effects, stored->argv[i], stored->len[i]);
    }
    fuzz_check_effects(&effects, 0, effects.n);
    return effects;
}

static void check_section(const char *body, size_t len, const cJSON *json) {
    struct args off = effects_of((struct mapping_products){.from_price_list = true, .price_list_id = 1}, body, len);
    struct args on = effects_of((struct mapping_products){.on = true, .debounce_s = 60}, body, len);
    const char *scope = json_str(json, "scope");
    bool product = scope != NULL && strncmp(scope, "store/product/", 14) == 0 && strstr(scope, "/inventory/") == NULL;
    int64_t id = 0;
    bool good = json_id(json_get(json, "data"), "id", &id) && id > 0;
    bool marked = fuzz_has_effect(&on, "mark_in", 1, "product", 1, "product");
    bool parked = fuzz_has_effect(&on, "case", 1, "bad_hook", 1, "bad_hook");
    FUZZ_CHECK(off.n == 5 && on.n >= 5); /* that the call was taken, and a counter, each */
    FUZZ_CHECK(!product || (marked == good && parked == !good));
    FUZZ_CHECK(!marked || !parked);
    args_free(&off);
    args_free(&on);
}

static void check_list(const char *body, size_t len, const cJSON *json) {
    struct mapping_products products = {.on = true, .debounce_s = 60, .from_price_list = true, .price_list_id = 1};
    struct args all = effects_of(products, body, len);
    int elements = cJSON_GetArraySize(json_get(json, "data"));
    /* That the call was taken, a counter, a mark for each element or one for all, and one case. */
    FUZZ_CHECK(all.n <= 2 + 3 + 10 + 6 + 5 * (size_t)elements);
    args_free(&all);
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
    check_section(body, size, json);
    check_list(body, size, json);
    cJSON_Delete(json);
    free(body);
    return 0;
}
