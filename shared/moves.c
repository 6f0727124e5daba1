/* SPDX-License-Identifier: Apache-2.0 */
#include "moves.h"

#include <stdio.h>

#include "json.h"
#include "platform.h"
#include "ban.h"

#define PAGES_MAX 500
#define FIELDS    "warehousetransactionid,warehouseid,datecreated,transactiontype,externalid,items"

static void page_path(const struct app *app, int64_t from_ms, int64_t type, int64_t last, char *out, size_t size) {
    char of_type[48] = "";
    if (type > 0) {
        (void)snprintf(of_type, sizeof of_type, "&transactiontype=%lld", (long long)type);
    }
    (void)snprintf(out, size,
                   "/sites/%lld/warehousetransactions.json?datecreatedfrom=%lld%s"
                   "&warehousetransactionidfrom=%lld&sort=warehousetransactionid&num=%lld&fields=" FIELDS,
                   (long long)app->set->sitoo_site_id, (long long)(from_ms > 0 ? from_ms / 1000 : 0), of_type,
                   (long long)last + 1, (long long)app->set->mapping->sitoo_page_size);
}

static enum next take_answer(const cJSON *json, moves_take *take, void *context, int64_t *last, bool *more,
                             struct reason *why) {
    const cJSON *items = json_array(json, "items");
    int64_t total = -1, n = cJSON_GetArraySize(items);
    if (items == NULL || !json_int(json, "totalcount", &total) || total < n || (n == 0 && total > 0) ||
        !take(context, items, last)) {
        return reason_set(why, NEXT_DEFER, "incomplete_read",
                          "Sitoo's stock ledger after row %lld cannot be read whole", (long long)*last);
    }
    *more = total > n;
    return NEXT_DONE;
}

enum next moves_read(struct app *app, int64_t from_ms, int64_t type, moves_take *take, void *context,
                     struct reason *why) {
    int64_t last = 0;
    bool more = true;
    for (int page = 0; more; page++) {
        char path[400];
        const char *paths[] = {path};
        struct answer answer;
        if (page == PAGES_MAX) {
            return reason_set(why, NEXT_PARK, "incomplete_read", "Sitoo's stock ledger has too many rows to search");
        }
        page_path(app, from_ms, type, last, path, sizeof path);
        enum next next = sitoo_get(app, paths, &answer, 1, why);
        if (next != NEXT_DONE) {
            return next;
        }
        next = take_answer(answer.json, take, context, &last, &more, why);
        answer_free(&answer);
        if (next != NEXT_DONE) {
            return next;
        }
    }
    return NEXT_DONE;
}

int64_t moves_answer(const cJSON *json, int i, int count, const char **text) {
    int64_t id = -1, status = 0;
    *text = NULL;
    const cJSON *one = cJSON_IsArray(json) && cJSON_GetArraySize(json) == count ? cJSON_GetArrayItem(json, i) : NULL;
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
