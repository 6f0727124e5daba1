/* SPDX-License-Identifier: Apache-2.0 */
/* links: tests/fuzz/fake.c */
/*
 * One BigCommerce order as it is handed to Sitoo: it is not found, or refused with a reason, or its rows are goods with
 * amounts within their limits and one place where they are wanted; the body made of it is JSON without control
 * characters, has a delivery address only if it is sent, and a refusal that repeats all of it repeats nothing of the
 * customer. Answers in the order of the calls: the order 9, pages of products where they are cut off, pickup methods.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fake.h"
#include "tests/fuzz/fuzz.h"
#include "handover_send.h"
#include "json.h"
#include "money.h"
#include "redact.h"
#include "sku.h"
#include "webaddress.h"
#include "webshop.h"
#include "ban.h"

#define ORDER 9

static void check_text(const char *text, size_t max) {
    FUZZ_CHECK(strlen(text) <= max && str_whole(text, strlen(text)) == strlen(text));
    for (const char *s = text; *s != '\0'; s++) {
        FUZZ_CHECK((unsigned char)*s >= 0x20 && *s != 0x7f);
    }
}

/* However a row is split, no part is less than nothing and all of it is the whole. */
static void check_shares(const struct web_row *r) {
    int64_t half = web_row_share(r, r->paid, r->quantity / 2);
    FUZZ_CHECK(half >= 0 && half <= r->paid);
    FUZZ_CHECK(web_row_share(r, r->paid, r->quantity) == r->paid);
    FUZZ_CHECK(r->quantity == 0 || web_row_share(r, r->paid, 0) == 0);
}

static void check_row(const struct web_row *r) {
    FUZZ_CHECK(r->quantity >= 0 && r->quantity <= 1000000000 && r->refunded >= 0 && r->shipped >= 0);
    FUZZ_CHECK(web_row_wanted(r) >= 0 && web_row_wanted(r) <= r->quantity);
    FUZZ_CHECK(r->total <= MONEY_MAX && r->paid >= 0 && (r->paid <= r->total || r->paid == 0));
    FUZZ_CHECK(r->vat >= 0 && r->vat <= 10000 && sku_fits(r->sku));
    check_text(r->name, 200);
    check_shares(r);
}

static void check_place(const struct web_order *o, const struct mapping *m) {
    FUZZ_CHECK((o->kind == WEB_NO_GOODS) == (o->n == 0 && o->kind != WEB_UNCLEAR) || o->kind == WEB_NO_GOODS);
    FUZZ_CHECK(o->kind != WEB_UNCLEAR || o->problem[0] != '\0');
    FUZZ_CHECK(o->kind != WEB_PICKUP || mapping_warehouse_index(m, o->warehouse_id) >= 0);
    FUZZ_CHECK(o->kind != WEB_PICKUP || mapping_pickup(m, o->location_id, 0) != NULL ||
               mapping_pickup(m, o->location_id, o->pickup_method_id) != NULL);
    FUZZ_CHECK(o->id == ORDER && o->n <= WEBSHOP_ROWS_MAX);
}

/* The whole body, repeated by a refusal: no word of the customer is left. */
static void check_redacted(const cJSON *sent, const char *body) {
    static const char *const fields[] = {"namefirst", "namelast", "company", "phone", "email", "comment"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const char *value = json_str(sent, fields[i]);
        char *left = redact(value != NULL ? value : "", body);
        for (const char *s = left; *s != '\0'; s++) {
            FUZZ_CHECK(!isalnum((unsigned char)*s) && (unsigned char)*s < 0x80);
        }
        free(left);
    }
}

static void check_body(const struct web_order *o, const struct mapping *m) {
    char error[160], digest[WEB_ADDRESS_SIZE];
    const cJSON *item = NULL;
    int64_t *units = xcalloc(o->n + 1, sizeof *units);
    struct hand_part part = {.part = 1, .parts = 1, .warehouse_id = o->warehouse_id, .units = units};
    for (size_t i = 0; i < o->n; i++) {
        units[i] = web_row_wanted(&o->rows[i]);
    }
    web_address_digest(o, digest);
    FUZZ_CHECK(strlen(digest) == WEB_ADDRESS_SIZE - 1);
    char *body = hand_order_body(o, m, &part, INT64_C(1763000000000));
    cJSON *json = json_read(body, strlen(body), error, sizeof error);
    FUZZ_CHECK(json != NULL);
    cJSON_ArrayForEach(item, json) {
        FUZZ_CHECK(strncmp(item->string, "delivery_", 9) != 0 || o->kind == WEB_SHIP);
        /* A currency is a code of BigCommerce's, which Sitoo takes or refuses. */
        if (cJSON_IsString(item) && strcmp(item->string, "currencycode") != 0) {
            check_text(item->valuestring, strcmp(item->string, "comment") == 0 ? 1000 : 127);
        }
    }
    check_redacted(json, body);
    cJSON_Delete(json);
    free(body);
    free(units);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct app *app = fuzz_app();
    struct mapping m = *app->set->mapping;
    struct web_order o;
    struct reason why = {0};
    m.web.message = true;
    fake_begin(data, size);
    enum next next = web_order_read(app, ORDER, &o, &why);
    FUZZ_CHECK(next == NEXT_DONE || (next == NEXT_DEFER && why.text[0] != '\0'));
    if (next == NEXT_DONE && o.found) {
        check_place(&o, &m);
        for (size_t i = 0; i < o.n; i++) {
            check_row(&o.rows[i]);
        }
        check_body(&o, &m);
    } else {
        FUZZ_CHECK(next != NEXT_DONE || o.n == 0);
    }
    web_order_free(&o);
    return 0;
}
