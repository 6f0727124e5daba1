/* SPDX-License-Identifier: Apache-2.0 */
#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ban.h"

#define EXIT_OUT_OF_MEMORY 101

/* Robustness: ending loses nothing, since every event is safe in Redis and leases run out. */
static void *checked(void *p) {
    static const char text[] = "level=error msg=\"out of memory\"\n";
    if (p == NULL) {
        ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
        (void)ignored;
        _exit(EXIT_OUT_OF_MEMORY);
    }
    return p;
}

void *xmalloc(size_t size) {
    return checked(malloc(size > 0 ? size : 1));
}

void *xcalloc(size_t n, size_t size) {
    return checked(calloc(n > 0 ? n : 1, size > 0 ? size : 1));
}

void *xrealloc(void *p, size_t n, size_t size) {
    return checked(reallocarray(p, n > 0 ? n : 1, size > 0 ? size : 1));
}

char *xstrdup(const char *s) {
    return checked(strdup(s));
}

char *xstrndup(const char *s, size_t len) {
    return checked(strndup(s, len));
}

size_t str_whole(const char *s, size_t len) {
    size_t tail = 0; /* continuation bytes at the end */
    while (tail < 3 && tail < len && ((unsigned char)s[len - 1 - tail] & 0xc0) == 0x80) {
        tail++;
    }
    unsigned char lead = tail < len ? (unsigned char)s[len - 1 - tail] : 0;
    size_t want = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
    return want > tail ? len - 1 - tail : len;
}

bool str_copy(char *dst, size_t size, const char *s) {
    size_t len = strlen(s);
    size_t n = len < size ? len : str_whole(s, size - 1);
    memcpy(dst, s, n);
    dst[n] = '\0';
    return n == len;
}

void buf_init(struct buf *b, size_t max_bytes) {
    memset(b, 0, sizeof *b);
    b->max = max_bytes;
}

void buf_free(struct buf *b) {
    free(b->data);
    memset(b, 0, sizeof *b);
}

void buf_reset(struct buf *b) {
    b->len = 0;
    b->overflow = false;
    if (b->data != NULL) {
        b->data[0] = '\0';
    }
}

static void grow(struct buf *b, size_t need) {
    size_t cap = b->cap > 0 ? b->cap : 64;
    while (cap < need) {
        cap *= 2;
    }
    if (cap > b->cap) {
        b->data = xrealloc(b->data, cap, 1);
        b->cap = cap;
    }
}

void buf_add(struct buf *b, const void *data, size_t len) {
    if (b->overflow || len > b->max - b->len) {
        b->overflow = true;
        return;
    }
    grow(b, b->len + len + 1);
    if (len > 0) {
        memcpy(b->data + b->len, data, len);
    }
    b->len += len;
    b->data[b->len] = '\0';
}

void buf_add_str(struct buf *b, const char *s) {
    buf_add(b, s, strlen(s));
}

void buf_addf(struct buf *b, const char *fmt, ...) {
    char small[256];
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(small, sizeof small, fmt, args);
    if (n >= 0 && (size_t)n < sizeof small) {
        buf_add(b, small, (size_t)n);
    } else if (n >= 0) {
        char *large = xmalloc((size_t)n + 1);
        (void)vsnprintf(large, (size_t)n + 1, fmt, again);
        buf_add(b, large, (size_t)n);
        free(large);
    }
    va_end(again);
    va_end(args);
}

void buf_add_url(struct buf *b, const char *s) {
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
    for (; *s != '\0'; s++) {
        if (strchr(unreserved, *s) != NULL) {
            buf_add(b, s, 1);
        } else {
            buf_addf(b, "%%%02X", (unsigned)(unsigned char)*s);
        }
    }
}

bool buf_overflowed(const struct buf *b) {
    return b->overflow;
}

const char *buf_str(const struct buf *b) {
    return b->data != NULL ? b->data : "";
}

char *buf_take(struct buf *b) {
    char *data = b->data != NULL ? b->data : xstrdup("");
    b->data = NULL;
    b->len = 0;
    b->cap = 0;
    return data;
}
