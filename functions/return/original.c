/* SPDX-License-Identifier: Apache-2.0 */
#include "original.h"

#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "quantity.h"
#include "ban.h"

/* Digits at s until the end or a '-' (a further part or revision). */
static int64_t leading_order(const char *s, const char *tail) {
    char digits[24];
    int64_t id = 0;
    size_t n = strspn(s, "0123456789");
    bool ends = tail != NULL ? strcmp(s + n, tail) == 0 : s[n] == '\0' || s[n] == '-';
    if (!ends || n == 0 || n >= sizeof digits) {
        return 0;
    }
    memcpy(digits, s, n);
    digits[n] = '\0';
    return int_parse(digits, 1, JSON_INT_MAX, &id) ? id : 0;
}

int64_t original_web_order(const char *external_id, const struct mapping *m) {
    size_t prefix = strlen(m->sitoo_order_prefix);
    int64_t id = 0;
    if (external_id == NULL) {
        return 0;
    }
    if (strncmp(external_id, m->sitoo_order_prefix, prefix) == 0) {
        id = leading_order(external_id + prefix, NULL);
    }
    for (size_t i = 0; id == 0 && i < m->baseline.pattern_count; i++) {
        const char *pattern = m->baseline.patterns[i], *mark = strstr(pattern, MAPPING_ORDER_MARK);
        size_t before = mark != NULL ? (size_t)(mark - pattern) : 0;
        if (mark != NULL && strncmp(external_id, pattern, before) == 0) {
            id = leading_order(external_id + before, mark + strlen(MAPPING_ORDER_MARK));
        }
    }
    return id;
}

static const char *extra(const cJSON *json, const char *key) {
    const cJSON *data = json_get(json, "additionaldata");
    return cJSON_IsObject(data) ? json_str(data, key) : NULL;
}

static int64_t web_item(const cJSON *item) {
    const char *text = extra(item, "web-itemid");
    int64_t id = 0;
    return int_parse(text, 1, JSON_INT_MAX, &id) ? id : 0;
}

static bool same_sku(const cJSON *item, const struct credit_row *row) {
    const char *sku = json_str(item, "sku");
    return sku != NULL && strcmp(sku, row->row->sku) == 0;
}

/* The rows of the purchase that the row may mean: by id and by index if it names one, else all of its SKU. Takes the
 * first; false if another one is another order product. */
static const cJSON *find_row(const cJSON *original, const struct credit_row *row, bool *several) {
    const cJSON *item = NULL, *found = NULL;
    int64_t index = 0, id = 0;
    cJSON_ArrayForEach(item, json_array(original, "orderitems")) {
        bool named = (json_int(item, "orderitemid", &id) && id == row->reference) || index == row->reference;
        index++;
        if (!same_sku(item, row) || (row->reference != CREDIT_REFERENCE && !named)) {
            continue;
        }
        *several = *several || (found != NULL && web_item(found) != web_item(item));
        found = found != NULL ? found : item;
    }
    return found;
}

void original_match(const struct credit *c, const struct credit_row *row, const cJSON *const *originals, size_t n,
                    const struct mapping *m, struct match *out) {
    memset(out, 0, sizeof *out);
    out->kind = c->original_count == 0 ? MATCH_MANUAL : n == 0 ? MATCH_MISSING : MATCH_NO_ROW;
    out->original = c->original_count > 0 ? c->originals[0] : 0;
    for (size_t i = 0; i < n; i++) {
        bool several = false;
        const cJSON *item = find_row(originals[i], row, &several);
        if (item == NULL) {
            continue;
        }
        int64_t web = original_web_order(json_str(originals[i], "externalid"), m);
        bool again = out->kind == MATCH_WEB || out->kind == MATCH_TILL || out->kind == MATCH_SEVERAL;
        out->kind = again || (several && web > 0) ? MATCH_SEVERAL : web > 0 ? MATCH_WEB : MATCH_TILL;
        out->web_order = web;
        out->product = web_item(item);
        (void)json_int(originals[i], "orderid", &out->original);
    }
}
