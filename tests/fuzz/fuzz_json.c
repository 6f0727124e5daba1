/* SPDX-License-Identifier: Apache-2.0 */
/* Strict JSON: what is read can be printed, and what was printed reads back as the same; what is refused says where. */
#include <math.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "json.h"
#include "ban.h"

static void check_same(const cJSON *item) {
    char error[160] = "";
    char *text = json_print(item);
    cJSON *again = json_read(text, strlen(text), error, sizeof error);
    FUZZ_CHECK(again != NULL);
    char *second = json_print(again);
    FUZZ_CHECK(strcmp(text, second) == 0);
    cJSON_Delete(again);
    free(second);
    free(text);
}

/* Depth below JSON_DEPTH_MAX + 1, texts without control characters cut off, keys once. */
static void check_tree(const cJSON *item, int depth) {
    const cJSON *child = NULL, *other = NULL;
    int64_t n = 0;
    FUZZ_CHECK(depth <= JSON_DEPTH_MAX + 1);
    FUZZ_CHECK(!cJSON_IsNumber(item) || isfinite(item->valuedouble));
    if (json_item_int(item, &n)) {
        FUZZ_CHECK(n >= -JSON_INT_MAX && n <= JSON_INT_MAX);
        FUZZ_CHECK(fabs((double)n - item->valuedouble) < 0.5 && fabs(item->valuedouble) < 9007199254740992.0);
    }
    cJSON_ArrayForEach(child, item) {
        if (cJSON_IsObject(item)) {
            FUZZ_CHECK(json_get(item, child->string) == child);
            other = child->next;
            FUZZ_CHECK(other == NULL || strcmp(other->string, child->string) != 0);
        }
        check_tree(child, depth + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char error[160] = "";
    cJSON *item = json_read((const char *)data, size, error, sizeof error);
    if (item == NULL) {
        FUZZ_CHECK(strncmp(error, "not JSON: ", 10) == 0);
        FUZZ_CHECK(strlen(error) < sizeof error);
        return 0;
    }
    check_tree(item, 1);
    check_same(item);
    cJSON_Delete(item);
    return 0;
}
