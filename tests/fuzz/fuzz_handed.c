/* SPDX-License-Identifier: Apache-2.0 */
/* links: tests/fuzz/fake.c */
/*
 * The orders of Sitoo that stand for web order 9: refused with a reason, or each is what was asked for, its rows are
 * those of the answer, and sums over them are sums. Answers in the order of the calls: the list found by externalid,
 * then deliveries of each order that may have some.
 */
#include <string.h>

#include "tests/fuzz/fake.h"
#include "tests/fuzz/fuzz.h"
#include "handed.h"
#include "json.h"
#include "order.h"
#include "sku.h"
#include "ban.h"

#define ORDER 9

static void check_order(const struct handed_order *o, const cJSON *json) {
    const cJSON *item = NULL;
    size_t n = 0;
    FUZZ_CHECK(strcmp(o->name, json_str(json, "externalid")) == 0 && handed_web_order("BC-", o->name) == ORDER);
    FUZZ_CHECK(o->part >= 0 && o->rev >= 0 && o->parts >= 1 && o->parts <= HANDED_PARTS_MAX);
    FUZZ_CHECK(o->reserved_until_ms >= 0 && o->ready_ms >= 0 && o->rejected_ms >= 0);
    FUZZ_CHECK(handed_open(o) == (o->state == ORDER_STATE_OPEN));
    cJSON_ArrayForEach(item, json_get(json, "orderitems")) {
        const char *sku = json_str(item, "sku");
        int64_t quantity = 0;
        if (sku == NULL || sku[0] == '\0') {
            continue;
        }
        FUZZ_CHECK(n < o->n && sku_fits(sku) && json_int(item, "quantity", &quantity));
        FUZZ_CHECK(strcmp(o->rows[n].sku, sku) == 0 && o->rows[n].quantity == quantity);
        FUZZ_CHECK(o->rows[n].web_item >= 0);
        n++;
    }
    FUZZ_CHECK(n == o->n);
}

/* Nothing was delivered beyond what the answers say, and each way of adding up finds the same. */
static void check_sums(const struct handed *h) {
    int64_t rev = -1;
    for (size_t i = 0; i < h->n; i++) {
        rev = h->list[i].rev > rev ? h->list[i].rev : rev;
    }
    FUZZ_CHECK(h->rev == rev);
    for (size_t i = 0; i < h->n; i++) {
        for (size_t k = 0; k < h->list[i].n; k++) {
            const struct handed_row *r = &h->list[i].rows[k];
            int64_t all = handed_delivered(h, r->web_item), units = handed_units(h, h->rev, r->web_item);
            if (r->web_item == 0) {
                continue; /* a till's own row, which may be a return */
            }
            FUZZ_CHECK(r->quantity >= 0 && r->delivered >= 0);
            FUZZ_CHECK(units >= 0 && all >= r->delivered);
            FUZZ_CHECK(handed_delivered_else(h, h->rev, r->web_item) <= all);
            FUZZ_CHECK(handed_delivered_else(h, -1, r->web_item) == all);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct handed h;
    struct reason why = {0};
    int status = 0;
    fake_begin(data, size);
    enum next next = handed_read(fuzz_app(), ORDER, &h, &why);
    FUZZ_CHECK(next == NEXT_DONE || (next == NEXT_DEFER && why.text[0] != '\0'));
    if (next == NEXT_DONE) {
        cJSON *answer = fake_answer(0, 404, &status);
        const cJSON *list = json_array(answer, "items");
        FUZZ_CHECK(list != NULL && h.n == (size_t)cJSON_GetArraySize(list));
        for (size_t i = 0; i < h.n; i++) {
            check_order(&h.list[i], cJSON_GetArrayItem(list, (int)i));
        }
        check_sums(&h);
        cJSON_Delete(answer);
    }
    handed_free(&h);
    return 0;
}
