/* SPDX-License-Identifier: Apache-2.0 */
#include "json_check.h"

#include <stdint.h>
#include <string.h>

#include "ban.h"

struct scan {
    const unsigned char *data;
    size_t len, at;
    const char *problem;
};

static bool fail(struct scan *s, const char *problem) {
    s->problem = problem;
    return false;
}

static unsigned peek(const struct scan *s, size_t ahead) {
    return s->at + ahead < s->len ? s->data[s->at + ahead] : 0;
}

/* One UTF-8 sequence of RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF. */
static bool utf8(struct scan *s) {
    unsigned c = peek(s, 0), second = peek(s, 1);
    size_t more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
    if (c < 0xc2 || c > 0xf4 || (c == 0xe0 && second < 0xa0) || (c == 0xed && second > 0x9f) ||
        (c == 0xf0 && second < 0x90) || (c == 0xf4 && second > 0x8f)) {
        return fail(s, "invalid UTF-8");
    }
    for (size_t i = 1; i <= more; i++) {
        if ((peek(s, i) & 0xc0) != 0x80) {
            return fail(s, "invalid UTF-8");
        }
    }
    s->at += more + 1;
    return true;
}

static bool hex4(const struct scan *s, size_t ahead, unsigned *value) {
    *value = 0;
    for (size_t i = 0; i < 4; i++) {
        unsigned c = peek(s, ahead + i);
        unsigned n = c >= '0' && c <= '9'   ? c - '0'
                     : c >= 'a' && c <= 'f' ? c - 'a' + 10
                     : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                            : 16;
        if (n == 16) {
            return false;
        }
        *value = *value * 16 + n;
    }
    return true;
}

/* After a backslash. */
static bool escape(struct scan *s) {
    unsigned value = 0, low = 0;
    if (peek(s, 1) != 'u') {
        s->at += 2; /* cJSON knows which letters are allowed */
        return true;
    }
    if (!hex4(s, 2, &value)) {
        return fail(s, "bad \\u escape");
    }
    if (value == 0) {
        return fail(s, "\\u0000 in a string");
    }
    s->at += 6;
    if (value >= 0xdc00 && value <= 0xdfff) {
        return fail(s, "lone surrogate");
    }
    if (value >= 0xd800 && value <= 0xdbff) {
        if (peek(s, 0) != '\\' || peek(s, 1) != 'u' || !hex4(s, 2, &low) || low < 0xdc00 || low > 0xdfff) {
            return fail(s, "lone surrogate");
        }
        s->at += 6;
    }
    return true;
}

static bool string(struct scan *s) {
    s->at++;
    while (s->at < s->len) {
        unsigned c = peek(s, 0);
        if (c == '"') {
            s->at++;
            return true;
        }
        if (c < 0x20) {
            return fail(s, "control character in a string");
        }
        if (c == '\\' ? !escape(s) : c >= 0x80 ? !utf8(s) : (s->at++, false)) {
            return false;
        }
    }
    return fail(s, "string without an end");
}

static bool digits(struct scan *s) {
    size_t from = s->at;
    while (peek(s, 0) >= '0' && peek(s, 0) <= '9') {
        s->at++;
    }
    return s->at > from;
}

/* -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)? */
static bool number(struct scan *s) {
    s->at += peek(s, 0) == '-' ? 1 : 0;
    if (peek(s, 0) == '0' && peek(s, 1) >= '0' && peek(s, 1) <= '9') {
        return fail(s, "number with a leading zero");
    }
    if (!digits(s)) {
        return fail(s, "bad number");
    }
    if (peek(s, 0) == '.') {
        s->at++;
        if (!digits(s)) {
            return fail(s, "bad number");
        }
    }
    if (peek(s, 0) == 'e' || peek(s, 0) == 'E') {
        s->at++;
        s->at += peek(s, 0) == '+' || peek(s, 0) == '-' ? 1 : 0;
        if (!digits(s)) {
            return fail(s, "bad number");
        }
    }
    return true;
}

static bool token(struct scan *s, size_t *depth, size_t depth_max) {
    unsigned c = peek(s, 0);
    if (c == '"') {
        return string(s);
    }
    if (c == '-' || (c >= '0' && c <= '9')) {
        return number(s);
    }
    if (c == '[' || c == '{') {
        if (++*depth > depth_max) {
            return fail(s, "nested too deep");
        }
    } else if ((c == ']' || c == '}') && *depth > 0) {
        --*depth;
    } else if (c == 0 || c >= 0x80 || (strchr(" \t\r\n:,", (int)c) == NULL && (c < 'a' || c > 'z'))) {
        return fail(s, "unexpected character"); /* letters make true, false, null: cJSON checks the words */
    }
    s->at++;
    return true;
}

bool json_check(const char *data, size_t len, size_t depth_max, const char **problem, size_t *at) {
    struct scan s = {.data = (const unsigned char *)data, .len = len};
    size_t depth = 0;
    while (s.at < len) {
        if (!token(&s, &depth, depth_max)) {
            *problem = s.problem;
            *at = s.at;
            return false;
        }
    }
    return true;
}
