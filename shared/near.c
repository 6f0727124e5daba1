/* SPDX-License-Identifier: Apache-2.0 */
#include "near.h"

#include <stddef.h>
#include <string.h>

#include "ban.h"

#define WORD_MAX  ((size_t)40) /* longer words are near to nothing */
#define SLIPS_MAX ((size_t)2)
#define BEGIN_MIN ((size_t)4)

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Levenshtein distance, one row of the table at a time. */
static size_t slips(const char *a, const char *b) {
    size_t row[WORD_MAX + 1], n = strlen(b);
    for (size_t k = 0; k <= n; k++) {
        row[k] = k;
    }
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t k = 0; k < n; k++) {
            size_t above = row[k + 1];
            row[k + 1] = least(least(above, row[k]) + 1, diagonal + (a[i] == b[k] ? 0 : 1));
            diagonal = above;
        }
    }
    return row[n];
}

const char *near_word(const char *given, const char *const *words) {
    const char *likely = NULL;
    size_t len = strlen(given), best = least(SLIPS_MAX, len / 2) + 1; /* a short word is not near to every other */
    if (len > WORD_MAX) {
        return NULL;
    }
    for (size_t i = 0; words[i] != NULL; i++) {
        size_t n = strlen(words[i]) <= WORD_MAX ? slips(given, words[i]) : best;
        if (n < best) {
            best = n;
            likely = words[i];
        }
    }
    for (size_t i = 0; words[i] != NULL && likely == NULL && len >= BEGIN_MIN; i++) {
        likely = strncmp(words[i], given, len) == 0 ? words[i] : NULL;
    }
    return likely;
}
