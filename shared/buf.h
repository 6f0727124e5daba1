/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer with a stated maximum. Overflow is sticky: once a byte did not fit, every later
 * append is ignored and buf_overflowed() is true, so a caller checks once at the end.
 * The data are always NUL-terminated (the NUL does not count into len).
 * Allocation failure ends the process: events are safe in Redis, so that loses nothing.
 */
#ifndef ONEPOOL_BUF_H
#define ONEPOOL_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct buf {
    char *data;
    size_t len;
    size_t cap;
    size_t max; /* bytes, without the NUL */
    bool overflow;
};

/* Ready to use, allocates nothing yet. max_bytes: the most that may ever be held. */
void buf_init(struct buf *b, size_t max_bytes);
/* Releases the memory; b may be used again after buf_init. Accepts a zeroed struct. */
void buf_free(struct buf *b);
/* Empties it, keeps the memory, clears the overflow mark. */
void buf_reset(struct buf *b);
void buf_add(struct buf *b, const void *data, size_t len);
void buf_add_str(struct buf *b, const char *s);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Percent-encodes everything but A-Z a-z 0-9 - _ . ~ (RFC 3986 unreserved), comma and plus included. */
void buf_add_url(struct buf *b, const char *s);
bool buf_overflowed(const struct buf *b);
/* The text; never NULL ("" when empty). Valid until the next append. */
const char *buf_str(const struct buf *b);
/* Gives the memory to the caller, who frees it; b is empty after. Never NULL. */
char *buf_take(struct buf *b);

/* malloc, calloc, realloc, strdup that end the process with a message when memory is out. */
void *xmalloc(size_t size) NODISCARD;
void *xcalloc(size_t n, size_t size) NODISCARD;
void *xrealloc(void *p, size_t n, size_t size) NODISCARD;
char *xstrdup(const char *s) NODISCARD;
char *xstrndup(const char *s, size_t len) NODISCARD;
/* len without a UTF-8 character that the text's end cuts in two: a text cut elsewhere stays valid JSON. */
size_t str_whole(const char *s, size_t len);
/*
 * Copies s into dst of size bytes, always terminated, cutting it between characters if need be; returns false if it
 * was cut.
 */
bool str_copy(char *dst, size_t size, const char *s);

#endif
