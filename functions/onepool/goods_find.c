/* SPDX-License-Identifier: Apache-2.0 */
/* What of our own bookings Sitoo's ledger shows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "goods_in.h"
#include "json.h"
#include "platform.h"
#include "quantity.h"
#include "ban.h"

#define MOVE_IN   10
#define PAGES_MAX 500
#define FIELDS    "warehousetransactionid,warehouseid,datecreated,transactiontype,externalid,items"

void goods_in_founds_free(struct goods_founds *f) {
    for (size_t i = 0; i < f->n; i++) {
        free(f->list[i].sku);
    }
    free(f->list);
    memset(f, 0, sizeof *f);
}

static bool take_items(const cJSON *row, int64_t id, const char *reference, struct goods_founds *out) {
    const cJSON *items = json_array(row, "items"), *item = NULL;
    cJSON_ArrayForEach(item, items) {
        const char *sku = json_str(item, "sku"), *quantity = json_str(item, "decimalquantity");
        struct goods_found found = {.transaction = id};
        if (sku == NULL || quantity == NULL || !quantity_parse(quantity, &found.thousandths) ||
            !str_copy(found.reference, sizeof found.reference, reference)) {
            return false;
        }
        found.sku = xstrdup(sku);
        out->list = xrealloc(out->list, out->n + 1, sizeof *out->list);
        out->list[out->n++] = found;
    }
    return items != NULL;
}

bool goods_in_take_page(const cJSON *items, int64_t order, struct goods_founds *out, int64_t *last) {
    char ours[40];
    const cJSON *row = NULL;
    (void)snprintf(ours, sizeof ours, GOODS_IN_PREFIX "%lld-", (long long)order);
    cJSON_ArrayForEach(row, items) {
        const char *reference = json_str(row, "externalid");
        int64_t id = 0;
        if (!json_int(row, "warehousetransactionid", &id) || id <= *last) {
            return false;
        }
        *last = id;
        if (reference != NULL && strncmp(reference, ours, strlen(ours)) == 0 && !take_items(row, id, reference, out)) {
            return false;
        }
    }
    return true;
}

static enum next take_answer(const cJSON *json, int64_t order, struct goods_founds *out, int64_t *last, bool *more,
                             struct reason *why) {
    const cJSON *items = json_array(json, "items");
    int64_t total = -1, n = cJSON_GetArraySize(items);
    if (items == NULL || !json_int(json, "totalcount", &total) || total < n || (n == 0 && total > 0) ||
        !goods_in_take_page(items, order, out, last)) {
        return reason_set(why, NEXT_DEFER, "incomplete_read",
                          "Sitoo's stock ledger after row %lld cannot be read whole", (long long)*last);
    }
    *more = total > n;
    return NEXT_DONE;
}

enum next goods_in_search(struct app *app, int64_t order, int64_t from_ms, struct goods_founds *out,
                          struct reason *why) {
    int64_t last = 0;
    bool more = true;
    memset(out, 0, sizeof *out);
    for (int page = 0; more; page++) {
        char path[400];
        const char *paths[] = {path};
        struct answer answer;
        if (page == PAGES_MAX) {
            return reason_set(why, NEXT_PARK, "incomplete_read", "Sitoo's stock ledger has too many rows to search");
        }
        (void)snprintf(path, sizeof path,
                       "/sites/%lld/warehousetransactions.json?datecreatedfrom=%lld&transactiontype=%d"
                       "&warehousetransactionidfrom=%lld&sort=warehousetransactionid&num=%lld&fields=" FIELDS,
                       (long long)app->set->sitoo_site_id, (long long)(from_ms > 0 ? from_ms / 1000 : 0), MOVE_IN,
                       (long long)last + 1, (long long)app->set->mapping->sitoo_page_size);
        enum next next = sitoo_get(app, paths, &answer, 1, why);
        if (next != NEXT_DONE) {
            return next;
        }
        next = take_answer(answer.json, order, out, &last, &more, why);
        answer_free(&answer);
        if (next != NEXT_DONE) {
            return next;
        }
    }
    return NEXT_DONE;
}

int64_t goods_in_answer(const cJSON *json, const char **text) {
    int64_t id = -1, status = 0;
    *text = NULL;
    if (json_item_int(json, &id)) {
        return id > 0 ? id : -1;
    }
    const cJSON *one = cJSON_IsArray(json) && cJSON_GetArraySize(json) == 1 ? json->child : NULL;
    if (!json_int(one, "statuscode", &status)) {
        return -1;
    }
    if (status != 200) {
        *text = json_str(one, "errortext");
        *text = *text != NULL ? *text : "no reason given";
        return 0;
    }
    return json_id(one, "return", &id) && id > 0 ? id : -1;
}
