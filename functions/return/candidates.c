/* SPDX-License-Identifier: Apache-2.0 */
#include "candidates.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "log.h"
#include "platform.h"
#include "ban.h"

#define PATH "/v2/orders?include=consignments.line_items&consignment_structure=object&sort=id:desc&limit=50"

static bool wanted(const char *sku, const char *const *skus, size_t n) {
    for (size_t i = 0; sku != NULL && i < n; i++) {
        if (strcmp(sku, skus[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* consignments: groups ("shipping", "pickups", ...) of lists of {line_items}. */
static bool holds(const cJSON *order, const char *const *skus, size_t n) {
    const cJSON *group = NULL, *one = NULL, *line = NULL;
    bool found = false;
    cJSON_ArrayForEach(group, json_get(order, "consignments")) {
        cJSON_ArrayForEach(one, group) {
            cJSON_ArrayForEach(line, json_array(one, "line_items")) {
                found = found || wanted(json_str(line, "sku"), skus, n);
            }
        }
    }
    return found;
}

void candidates_find(struct app *app, const char *const *skus, size_t n, char *out, size_t size) {
    struct answer answer;
    struct reason why = {0};
    const cJSON *order = NULL;
    int64_t id = 0;
    int count = 0;
    out[0] = '\0';
    if (bigcommerce_get(app, PATH, &answer, &why) != NEXT_DONE) {
        (void)snprintf(out, size, "not known, BigCommerce could not be asked");
        return;
    }
    cJSON_ArrayForEach(order, answer.json) {
        size_t len = strlen(out);
        if (count < CANDIDATES_MAX && json_id(order, "id", &id) && holds(order, skus, n)) {
            (void)snprintf(out + len, size - len, "%s%lld", len > 0 ? ", " : "", (long long)id);
            count++;
        }
    }
    answer_free(&answer);
}
