/* SPDX-License-Identifier: Apache-2.0 */
#include "money.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "ban.h"

#define DECIMALS 4

static bool digit(char c) {
    return c >= '0' && c <= '9';
}

bool money_parse(const char *s, int64_t *out) {
    int64_t n = 0;
    int decimals = -1; /* before the point */
    bool negative = s != NULL && s[0] == '-';
    if (s == NULL || !digit(s[negative ? 1 : 0])) {
        return false;
    }
    for (s += negative ? 1 : 0; *s != '\0'; s++) {
        if (*s == '.' && decimals < 0 && digit(s[1])) {
            decimals = 0;
            continue;
        }
        if (!digit(*s) || decimals == DECIMALS || n > MONEY_MAX) {
            return false;
        }
        n = n * 10 + (*s - '0');
        decimals += decimals >= 0 ? 1 : 0;
    }
    for (int i = decimals < 0 ? 0 : decimals; i < DECIMALS && n <= MONEY_MAX; i++) {
        n *= 10;
    }
    if (n > MONEY_MAX) {
        return false;
    }
    *out = negative ? -n : n;
    return true;
}

bool money_get(const cJSON *o, const char *key, int64_t *out) {
    const cJSON *item = json_get(o, key);
    if (cJSON_IsString(item)) {
        return money_parse(item->valuestring, out);
    }
    if (!cJSON_IsNumber(item) || fabs(item->valuedouble) > (double)MONEY_MAX / MONEY_ONE) {
        return false;
    }
    /* A sum that the platform made in floating point (20.830000000000002) is taken for what it means. */
    double scaled = item->valuedouble * MONEY_ONE, whole = round(scaled);
    if (fabs(scaled - whole) > 1e-3) {
        return false;
    }
    *out = (int64_t)whole;
    return true;
}

/* words: codes of three letters, one space between each. */
static bool among(const char *words, const char *code) {
    const char *at = strstr(words, code);
    return at != NULL && (at - words) % 4 == 0;
}

int money_decimals(const char *currency) {
    static const char none[] = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
    static const char three[] = "BHD IQD JOD KWD LYD OMR TND";
    if (currency == NULL || strlen(currency) != 3) {
        return 2;
    }
    return among(none, currency) ? 0 : among(three, currency) ? 3 : 2;
}

int64_t money_minor(const char *currency) {
    int64_t minor = MONEY_ONE;
    for (int i = money_decimals(currency); i > 0; i--) {
        minor /= 10;
    }
    return minor;
}

void money_format(int64_t amount, const char *currency, char out[MONEY_TEXT_SIZE]) {
    int64_t n = amount < 0 ? -amount : amount, minor = money_minor(currency);
    int decimals = n % minor == 0 ? money_decimals(currency) : DECIMALS;
    int64_t scale = decimals == DECIMALS ? 1 : minor;
    if (decimals == 0) {
        (void)snprintf(out, MONEY_TEXT_SIZE, "%s%lld", amount < 0 ? "-" : "", (long long)(n / MONEY_ONE));
        return;
    }
    (void)snprintf(out, MONEY_TEXT_SIZE, "%s%lld.%0*lld", amount < 0 ? "-" : "", (long long)(n / MONEY_ONE), decimals,
                   (long long)(n % MONEY_ONE / scale));
}
