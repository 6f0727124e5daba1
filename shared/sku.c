/* SPDX-License-Identifier: Apache-2.0 */
#include "sku.h"

#include <stddef.h>
#include <string.h>

#include "buf.h"
#include "ban.h"

bool sku_fits(const char *s) {
    size_t n = 0;
    for (; *s != '\0' && n <= SKU_CHARS_MAX; s++) {
        n += ((unsigned char)*s & 0xc0) != 0x80 ? 1 : 0; /* continuation bytes begin no character */
    }
    return n > 0 && n <= SKU_CHARS_MAX;
}

const char *sku_shown(const char *s, char out[SKU_SHOWN_SIZE]) {
    if (!str_copy(out, SKU_SHOWN_SIZE - 4, s)) {
        memcpy(out + strlen(out), "...", 4);
    }
    return out;
}
