/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sitoo's event batches: whatever comes, every byte of it is stored once, each element has one verdict, and what is
 * handed to Redis is well formed.
 */
#define _GNU_SOURCE /* memmem */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "feed.h"
#include "json.h"
#include "quantity.h"
#include "ban.h"

/* Nothing but white space, commas and the brackets of the list is left out. */
static void check_gap(const char *from, const char *to) {
    for (; from < to; from++) {
        FUZZ_CHECK(*from != '\0' && strchr(" \t\r\n[,]", *from) != NULL);
    }
}

/* One event as 20_accept.lua takes it: id, bytes, "0", number of effect arguments, effects. Returns the next position.
 */
static size_t check_event(const struct args *args, size_t at, const char **from, const char *end) {
    int64_t count = 0;
    FUZZ_CHECK(at + 4 <= args->n);
    FUZZ_CHECK(args->len[at] <= FEED_EVENT_ID_MAX);
    FUZZ_CHECK(strcmp(args->argv[at + 2], "0") == 0);
    FUZZ_CHECK(int_parse(args->argv[at + 3], 1, 100, &count));
    /* The bytes as received, in the order of the body. */
    size_t len = args->len[at + 1];
    const char *found = len > 0 ? memmem(*from, (size_t)(end - *from), args->argv[at + 1], len) : *from;
    FUZZ_CHECK(found != NULL);
    check_gap(*from, found);
    *from = found + len;
    fuzz_check_effects(args, at + 4, (size_t)count);
    return at + 4 + (size_t)count;
}

/* What each verdict needs, read a second time. */
static void check_verdict(const cJSON *element, const struct feed_event *e) {
    int64_t account = 0, site = 0, order = 0;
    const cJSON *data = json_get(element, "data");
    bool ours = json_int(element, "account_id", &account) && account == FUZZ_ACCOUNT;
    FUZZ_CHECK(ours || e->act == FEED_FOREIGN || e->act == FEED_BAD);
    if (e->act == FEED_ORDER) {
        FUZZ_CHECK(json_int(data, "eshop_id", &site) && site == FUZZ_SITE);
        FUZZ_CHECK(json_int(data, "order_id", &order) && order == e->order_id && order > 0);
    }
    FUZZ_CHECK(e->act != FEED_FOREIGN || !ours || (json_int(data, "eshop_id", &site) && site != FUZZ_SITE));
}

static void check_plans(const cJSON *batch) {
    const cJSON *element = NULL;
    cJSON_ArrayForEach(element, batch) {
        struct feed_event e;
        feed_plan(element, FUZZ_ACCOUNT, FUZZ_SITE, &e);
        FUZZ_CHECK((e.act == FEED_BAD) == (e.problem[0] != '\0'));
        check_verdict(element, &e);
        FUZZ_CHECK(e.act == FEED_BAD || e.id[0] != '\0');
        FUZZ_CHECK(strlen(e.id) <= FEED_EVENT_ID_MAX && strlen(e.problem) < sizeof e.problem);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *body = (const char *)data, *from = body;
    char error[160];
    struct args args = {0};
    cJSON *batch = json_read(body, size, error, sizeof error);
    /* An element that is not JSON harms no other, so a body that is not JSON may still have several. */
    size_t most = cJSON_IsArray(batch) ? (size_t)cJSON_GetArraySize(batch) : batch != NULL ? 1 : FEED_BATCH_MAX;
    size_t least = batch != NULL && most <= FEED_BATCH_MAX ? most : 1;
    size_t n = feed_events(fuzz_app(), body, size, &args), at = 0;
    FUZZ_CHECK(n >= least && n <= most);
    for (size_t i = 0; i < n; i++) {
        at = check_event(&args, at, &from, body + size);
    }
    FUZZ_CHECK(at == args.n);
    check_gap(from, body + size);
    if (cJSON_IsArray(batch)) {
        check_plans(batch);
    }
    cJSON_Delete(batch);
    args_free(&args);
    return 0;
}
