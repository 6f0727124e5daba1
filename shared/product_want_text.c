/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of product_want.h: titles, descriptions, SKUs that look the same. */
#include <string.h>

#include "buf.h"
#include "product_want.h"
#include "product_want_in.h"
#include "ban.h"

/* ---- characters ---- */

/* Takes one character; what is no UTF-8 counts as U+FFFD, byte by byte. */
static uint32_t next_char(const char **s) {
    const unsigned char *u = (const unsigned char *)*s;
    size_t more = u[0] >= 0xf0 && u[0] < 0xf5   ? 3
                  : u[0] >= 0xe0 && u[0] < 0xf0 ? 2
                  : u[0] >= 0xc2 && u[0] < 0xe0 ? 1
                                                : 0;
    uint32_t c = more == 0 ? u[0] : u[0] & (0x3fU >> more);
    for (size_t i = 1; i <= more; i++) {
        if ((u[i] & 0xc0) != 0x80) {
            more = 0;
            c = 0xff;
            break;
        }
        c = c << 6 | (u[i] & 0x3fU);
    }
    *s += 1 + more;
    return more == 0 && c >= 0x80 ? UINT32_C(0xfffd) : c;
}

void want_put_char(struct buf *b, uint32_t c) {
    unsigned char u[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1;) {
        u[i] = (unsigned char)(0x80U | (c & 0x3fU));
        c >>= 6;
    }
    u[0] = (unsigned char)(lead[n] | c);
    buf_add(b, u, n);
}

static bool is_space(uint32_t c) {
    return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
           c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

/* Controls, and the byte order mark that editors leave. */
static bool is_control(uint32_t c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xfeff;
}

/* ---- one line ---- */

struct line {
    struct buf out;
    size_t chars, max; /* one more than max is taken, which says that it has to be cut */
    size_t keep;       /* bytes of what stays if it is */
    bool gap;
};

static void line_begin(struct line *l, size_t max) {
    *l = (struct line){.max = max};
    buf_init(&l->out, 4 * (max + 1));
}

static void line_put(struct line *l, uint32_t c) {
    if (l->chars <= l->max) {
        want_put_char(&l->out, c);
        l->chars++;
        l->keep = l->chars + 3 <= l->max && c != ' ' ? l->out.len : l->keep;
    }
}

static void line_add(struct line *l, uint32_t c) {
    if (is_space(c)) {
        l->gap = true;
    } else if (!is_control(c)) {
        if (l->gap && l->out.len > 0) {
            line_put(l, ' ');
        }
        l->gap = false;
        line_put(l, c);
    }
}

static char *line_end(struct line *l) {
    if (l->chars > l->max) {
        struct buf cut;
        buf_init(&cut, l->keep + 3);
        buf_add(&cut, buf_str(&l->out), l->keep);
        buf_add(&cut, "...", l->max < 3 ? l->max : 3);
        buf_free(&l->out);
        return buf_take(&cut);
    }
    return buf_take(&l->out);
}

char *want_text(const char *text, size_t max) {
    struct line l;
    line_begin(&l, max);
    while (*text != '\0' && l.chars <= max) {
        line_add(&l, next_char(&text));
    }
    return line_end(&l);
}

/* ---- SKUs ---- */

static bool is_dash(uint32_t c) {
    return (c >= 0x2010 && c <= 0x2015) || c == 0x2212 || c == 0xfe63 || c == 0xff0d;
}

static uint32_t lower(uint32_t c) {
    bool latin = c >= 0xc0 && c <= 0xde && c != 0xd7;
    return (c >= 'A' && c <= 'Z') || latin ? c + 32 : c;
}

char *sku_fold(const char *sku) {
    struct buf out;
    buf_init(&out, 3 * strlen(sku)); /* a byte that is no UTF-8 becomes three */
    while (*sku != '\0') {
        uint32_t c = next_char(&sku);
        if (!is_space(c) && c != 0x200b && c != 0xfeff) {
            want_put_char(&out, is_dash(c) ? '-' : lower(c));
        }
    }
    return buf_take(&out);
}

bool sku_allowed(const char *sku) {
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    return sku[0] != '\0' && sku[strspn(sku, allowed)] == '\0';
}
