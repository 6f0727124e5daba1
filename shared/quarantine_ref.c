/* SPDX-License-Identifier: Apache-2.0 */
#include "quarantine_ref.h"

#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "quantity.h"
#include "ban.h"

#define PREFIX "OPQ-"

bool quarantine_ref_write(int64_t return_id, int64_t item_id, char out[QUARANTINE_REF_SIZE]) {
    int len = snprintf(out, QUARANTINE_REF_SIZE, PREFIX "%lld-%lld", (long long)return_id, (long long)item_id);
    if (len < 0 || len >= QUARANTINE_REF_SIZE) {
        out[0] = '\0';
    }
    return out[0] != '\0';
}

bool quarantine_ref_read(const char *text, int64_t *return_id, int64_t *item_id) {
    char number[QUARANTINE_REF_SIZE];
    if (strncmp(text, PREFIX, strlen(PREFIX)) != 0 || !str_copy(number, sizeof number, text + strlen(PREFIX))) {
        return false;
    }
    char *dash = strchr(number, '-');
    if (dash == NULL) {
        return false;
    }
    *dash = '\0';
    return int_parse(number, 1, JSON_INT_MAX, return_id) && int_parse(dash + 1, 0, JSON_INT_MAX, item_id);
}
