/* SPDX-License-Identifier: Apache-2.0 */
#include "levels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "platform.h"
#include "ban.h"

#define IDS_PER_CALL       ((size_t)500)
#define ROWS_MAX           1000          /* the page asked for; an item at a location may be a row of its own */
#define ODD_ANSWER_WAIT_MS INT64_C(5000) /* it may be a moment's inconsistency */

static int64_t id_of(const struct identity *i, bool by_variant) {
    return by_variant ? i->variant_id : i->product_id;
}

/* Items tracked by product carry a variant_id as well (bigcommerce.md 6.1), so one call serves both. */
static bool of_kind(const struct level_query *q, bool by_variant) {
    return (q->item->variant_id > 0) == by_variant;
}

static void take_item(struct level_query *q, size_t n, bool by_variant, const cJSON *item) {
    int64_t id = 0, location = 0, level = 0;
    const cJSON *l = NULL;
    if (!json_id(json_get(item, "identity"), by_variant ? "variant_id" : "product_id", &id)) {
        return;
    }
    cJSON_ArrayForEach(l, json_array(item, "locations")) {
        if (!json_id(l, "location_id", &location) || !json_int(l, "total_inventory_onhand", &level)) {
            continue;
        }
        for (size_t i = 0; i < n; i++) {
            if (of_kind(&q[i], by_variant) && id_of(q[i].item, by_variant) == id && q[i].location_id == location) {
                q[i].found = true;
                q[i].level = level;
            }
        }
    }
}

/* Appends x to ids unless it is there; false if there is no room. */
static bool add_id(int64_t *ids, size_t *count, size_t max, int64_t x) {
    for (size_t i = 0; i < *count; i++) {
        if (ids[i] == x) {
            return true;
        }
    }
    if (*count == max) {
        return false;
    }
    ids[(*count)++] = x;
    return true;
}

/* Robustness: no row means "the level is 0", so the list must be whole. Without a total (it is documented) there must
 * be an item for each id that was asked for. */
static enum next check_whole(const struct answer *answer, size_t asked, struct reason *why) {
    const cJSON *data = json_array(answer->json, "data");
    int64_t total = (int64_t)asked;
    if (data == NULL) {
        return reason_set(why, NEXT_DEFER, "bad_levels", "BigCommerce's inventory list has no data (status %d)",
                          answer->status);
    }
    (void)json_int(json_get(json_get(answer->json, "meta"), "pagination"), "total", &total);
    if (cJSON_GetArraySize(data) < total) {
        why->not_its_fault = true;
        why->wait_ms = ODD_ANSWER_WAIT_MS;
        return reason_set(why, NEXT_DEFER, "incomplete_read",
                          "BigCommerce gave %d of %lld inventory items; an incomplete read changes no level",
                          cJSON_GetArraySize(data), (long long)total);
    }
    return NEXT_DONE;
}

static void add_list(struct buf *b, const int64_t *ids, size_t n) {
    for (size_t i = 0; i < n; i++) {
        buf_addf(b, "%s%lld", i > 0 ? "," : "", (long long)ids[i]);
    }
}

/* One call for q[*from..]: as many as its id lists hold. */
static enum next query_some(struct app *app, struct level_query *q, size_t n, size_t *from, bool by_variant,
                            struct reason *why) {
    int64_t ids[IDS_PER_CALL], places[MAPPING_LOCATIONS_MAX];
    size_t id_count = 0, place_count = 0, i = *from, first = *from;
    struct answer answer;
    struct buf path;
    const cJSON *item = NULL;
    for (; i < n && id_count * (place_count + 1) <= ROWS_MAX; i++) {
        if (of_kind(&q[i], by_variant) && (!add_id(ids, &id_count, IDS_PER_CALL, id_of(q[i].item, by_variant)) ||
                                           !add_id(places, &place_count, MAPPING_LOCATIONS_MAX, q[i].location_id))) {
            break;
        }
    }
    *from = i;
    if (id_count == 0) {
        return NEXT_DONE;
    }
    buf_init(&path, 15000);
    buf_addf(&path, "/v3/inventory/items?limit=1000&%s=", by_variant ? "variant_id:in" : "product_id:in");
    add_list(&path, ids, id_count);
    buf_add_str(&path, "&location_id:in=");
    add_list(&path, places, place_count);
    enum next next = bigcommerce_get(app, buf_str(&path), &answer, why);
    buf_free(&path);
    if (next != NEXT_DONE) {
        return next;
    }
    next = check_whole(&answer, id_count, why);
    cJSON_ArrayForEach(item, json_array(answer.json, "data")) {
        take_item(q + first, i - first, by_variant, item);
    }
    answer_free(&answer);
    return next;
}

enum next levels_query(struct app *app, struct level_query *q, size_t n, struct reason *why) {
    enum next next = NEXT_DONE;
    for (int kind = 0; kind < 2; kind++) {
        for (size_t from = 0; next == NEXT_DONE && from < n;) {
            next = query_some(app, q, n, &from, kind == 0, why);
        }
    }
    return next;
}
