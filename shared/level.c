/* SPDX-License-Identifier: Apache-2.0 */
#include "level.h"

#include <string.h>

#include "buf.h"
#include "quantity.h"
#include "ban.h"

int64_t level_net(const struct stock *s) {
    int64_t withheld = s->withheld_ledger > s->withheld_return ? s->withheld_ledger : s->withheld_return;
    return s->available - s->pending - (withheld > 0 ? withheld : 0);
}

int64_t level_compute(const struct stock *const *warehouses, size_t n, int64_t unallocated) {
    int64_t sum = -unallocated;
    for (size_t i = 0; i < n; i++) {
        sum += level_net(warehouses[i]);
    }
    int64_t units = quantity_whole_units(sum);
    return units > LEVEL_MAX ? LEVEL_MAX : units;
}

bool level_stored_read(const char *text, struct level_stored *out) {
    char level[32];
    memset(out, 0, sizeof *out);
    const char *space = text != NULL ? strchr(text, ' ') : NULL;
    if (space == NULL || (size_t)(space - text) >= sizeof level) {
        return false;
    }
    memcpy(level, text, (size_t)(space - text));
    level[space - text] = '\0';
    out->state = space[1];
    out->known =
        out->state != '\0' && strchr("wusck", out->state) != NULL && int_parse(level, 0, LEVEL_MAX, &out->level);
    return out->known;
}

bool level_must_write(const struct level_stored *stored, int64_t level, bool forced) {
    return !stored->known || forced || stored->state == 'u' || stored->level != level;
}

bool hint_has(const char *words, const char *word) {
    size_t len = strlen(word);
    for (const char *at = words; at != NULL && *at != '\0';) {
        size_t n = strcspn(at, " ");
        if (n == len && strncmp(at, word, len) == 0) {
            return true;
        }
        at += n + strspn(at + n, " ");
    }
    return false;
}
