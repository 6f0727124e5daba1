/* SPDX-License-Identifier: Apache-2.0 */
#include "redact.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "buf.h"
#include "json.h"
#include "ban.h"

#define PART_MIN  ((size_t)3) /* shorter ones are in every other word */
#define LONG_ID   6           /* digits: a phone number may be written in other ways than it was sent */
#define TEXT_MAX  ((size_t)64 * 1024)
#define TAKEN_OUT "..."

static const char *const fields[] = {
    "namefirst",    "namelast",         "company",           "phone",         "email",         "comment",
    "delivery_zip", "delivery_address", "delivery_address2", "delivery_city", "delivery_state"};

static bool in_word(char c) {
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* Bytes of the word at s, 0 if there is none. An escape \u00e5 belongs to its word. */
static size_t word_at(const char *s) {
    size_t n = 0;
    while (in_word(s[n]) || (s[n] == '\\' && s[n + 1] == 'u')) {
        n++;
    }
    return n;
}

static bool holds(const char *all, size_t all_len, const char *part, size_t len) {
    for (size_t i = 0; len <= all_len && i <= all_len - len; i++) {
        if (strncasecmp(all + i, part, len) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_number(const char *word, size_t len) {
    size_t digits = 0;
    while (digits < len && isdigit((unsigned char)word[digits])) {
        digits++;
    }
    return digits == len;
}

/* Whether a word is one of the value's, or a part of it. */
static bool of_value(const char *value, const char *word, size_t len) {
    size_t n = strlen(value);
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (in_word(value[i + k])) {
            k++;
        }
        if (k > 0 && ((k == len && strncasecmp(value + i, word, len) == 0) ||
                      (k >= PART_MIN && holds(word, len, value + i, k)))) {
            return true;
        }
        i += k;
    }
    return (len >= PART_MIN || is_number(word, len)) && holds(value, n, word, len);
}

/* Cannot be compared with what was sent. */
static bool unclear(const char *word, size_t len) {
    size_t digits = 0;
    for (size_t i = 0; i < len; i++) {
        digits += isdigit((unsigned char)word[i]) ? 1 : 0;
        if ((unsigned char)word[i] >= 0x80 || word[i] == '\\') {
            return true;
        }
    }
    return digits >= LONG_ID;
}

static bool of_customer(const cJSON *body, const char *word, size_t len) {
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const char *value = json_str(body, fields[i]);
        if (value != NULL && of_value(value, word, len)) {
            return true;
        }
    }
    return false;
}

static bool has_customer(const cJSON *body) {
    bool has = false;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        has = has || json_str(body, fields[i]) != NULL;
    }
    return has;
}

char *redact(const char *text, const char *body) {
    char error[120];
    struct buf out;
    cJSON *sent = json_read(body, strlen(body), error, sizeof error);
    bool all = !has_customer(sent);
    buf_init(&out, TEXT_MAX);
    for (const char *s = text; *s != '\0';) {
        size_t len = word_at(s);
        if (len > 0 && !all && (unclear(s, len) || of_customer(sent, s, len))) {
            buf_add_str(&out, TAKEN_OUT);
        } else {
            len = len > 0 ? len : 1;
            buf_add(&out, s, len);
        }
        s += len;
    }
    cJSON_Delete(sent);
    return buf_take(&out);
}
