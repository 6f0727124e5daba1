/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Basic header of the event route: exactly the right user with the current or the previous password passes. Held
 * against a decoder of its own.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/fuzz/fuzz.h"
#include "buf.h"
#include "feed.h"
#include "ban.h"

static int digit_of(char c) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c != '\0' ? strchr(alphabet, c) : NULL;
    return found != NULL ? (int)(found - alphabet) : -1;
}

/* RFC 4648 with padding at the end only; out needs 3/4 of the text. False if it is anything else. */
static bool decode(const char *text, char *out, size_t *len) {
    size_t n = strlen(text), padding = 0;
    *len = 0;
    while (padding < 2 && padding < n && text[n - 1 - padding] == '=') {
        padding++;
    }
    for (size_t i = 0; i < n; i += 4) {
        unsigned bits = 0;
        for (size_t k = 0; k < 4; k++) {
            bool pad = i + k >= n - padding;
            int digit = pad ? 0 : digit_of(text[i + k]);
            if (digit < 0) {
                return false;
            }
            bits = bits << 6 | (unsigned)digit;
        }
        for (int shift = 16; shift >= 0; shift -= 8) {
            out[(*len)++] = (char)(bits >> shift & 0xff);
        }
    }
    *len -= padding;
    return n > 0 && n % 4 == 0;
}

static bool expected(const char *header) {
    static const char *const right[] = {FUZZ_USER ":" FUZZ_PASSWORD, FUZZ_USER ":" FUZZ_PREVIOUS};
    bool good = false;
    size_t len = 0;
    if (strncasecmp(header, "Basic ", 6) != 0) {
        return false;
    }
    header += 6 + strspn(header + 6, " ");
    char *out = xmalloc(strlen(header) + 4);
    if (strlen(header) % 4 == 0 && decode(header, out, &len)) {
        for (size_t i = 0; i < 2; i++) {
            good = good || (len == strlen(right[i]) && memcmp(out, right[i], len) == 0);
        }
    }
    free(out);
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *header = fuzz_text(data, size);
    FUZZ_CHECK(!feed_authentic(fuzz_app(), NULL));
    FUZZ_CHECK(feed_authentic(fuzz_app(), header) == expected(header));
    free(header);
    return 0;
}
