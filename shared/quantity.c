/* SPDX-License-Identifier: Apache-2.0 */
#include "quantity.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

#include "ban.h"

static bool digit(char c) {
    return c >= '0' && c <= '9';
}

bool quantity_parse(const char *s, int64_t *thousandths) {
    bool negative = *s == '-';
    int64_t n = 0, place = QUANTITY_ONE / 10;
    s += *s == '-' || *s == '+' ? 1 : 0;
    if (!digit(*s)) {
        return false;
    }
    for (; digit(*s); s++) {
        n = n * 10 + (*s - '0');
        if (n > QUANTITY_MAX / QUANTITY_ONE) {
            return false;
        }
    }
    n *= QUANTITY_ONE;
    if (*s == '.') {
        s++;
        if (!digit(*s)) {
            return false;
        }
        for (; digit(*s) && place > 0; s++, place /= 10) {
            n += (*s - '0') * place;
        }
    }
    if (*s != '\0' || n > QUANTITY_MAX) {
        return false;
    }
    *thousandths = negative ? -n : n;
    return true;
}

void quantity_format(int64_t thousandths, char out[QUANTITY_TEXT_SIZE]) {
    uint64_t n = thousandths < 0 ? 0 - (uint64_t)thousandths : (uint64_t)thousandths;
    (void)snprintf(out, QUANTITY_TEXT_SIZE, "%s%llu.%03llu", thousandths < 0 ? "-" : "", (unsigned long long)(n / 1000),
                   (unsigned long long)(n % 1000));
}

int64_t quantity_whole_units(int64_t thousandths) {
    return thousandths > 0 ? thousandths / QUANTITY_ONE : 0;
}

bool int_parse(const char *s, int64_t min, int64_t max, int64_t *out) {
    char *end = NULL;
    if (s == NULL || !(digit(s[0]) || (s[0] == '-' && digit(s[1])))) {
        return false;
    }
    errno = 0;
    long long n = strtoll(s, &end, 10);
    if (errno != 0 || *end != '\0' || n < min || n > max) {
        return false;
    }
    *out = n;
    return true;
}

bool ints_parse(const char *s, int64_t *out, size_t n) {
    char text[81];
    if (s == NULL || !str_copy(text, sizeof text, s)) {
        return false;
    }
    char *at = text;
    for (size_t i = 0; i < n; i++) {
        char *space = strchr(at, ' ');
        if ((space == NULL) != (i + 1 == n)) {
            return false;
        }
        if (space != NULL) {
            *space = '\0';
        }
        if (!int_parse(at, INT64_MIN, INT64_MAX, &out[i])) {
            return false;
        }
        at = space != NULL ? space + 1 : at;
    }
    return true;
}
