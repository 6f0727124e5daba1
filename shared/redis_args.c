/* SPDX-License-Identifier: Apache-2.0 */
/* Commands under construction; see struct args in redis.h. */
#include "redis.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "ban.h"

/* Takes over text, which holds len bytes and a NUL. */
static void push(struct args *a, char *text, size_t len) {
    if (a->n == a->cap) {
        a->cap = a->cap == 0 ? 8 : a->cap * 2;
        a->argv = xrealloc(a->argv, a->cap, sizeof *a->argv);
        a->len = xrealloc(a->len, a->cap, sizeof *a->len);
    }
    a->argv[a->n] = text;
    a->len[a->n] = len;
    a->n++;
}

void args_add_bytes(struct args *a, const void *data, size_t len) {
    char *copy = xmalloc(len + 1);
    if (len > 0) {
        memcpy(copy, data, len);
    }
    copy[len] = '\0';
    push(a, copy, len);
}

void args_add(struct args *a, const char *s) {
    args_add_bytes(a, s, s != NULL ? strlen(s) : 0);
}

void args_add_int(struct args *a, int64_t n) {
    args_addf(a, "%lld", (long long)n);
}

void args_addf(struct args *a, const char *fmt, ...) {
    va_list list, again;
    va_start(list, fmt);
    va_copy(again, list);
    int len = vsnprintf(NULL, 0, fmt, list);
    size_t size = len < 0 ? 1 : (size_t)len + 1;
    char *text = xmalloc(size);
    text[0] = '\0';
    (void)vsnprintf(text, size, fmt, again);
    va_end(again);
    va_end(list);
    push(a, text, size - 1);
}

void args_append(struct args *a, const struct args *b) {
    for (size_t i = 0; i < b->n; i++) {
        args_add_bytes(a, b->argv[i], b->len[i]);
    }
}

void args_free(struct args *a) {
    for (size_t i = 0; i < a->n; i++) {
        free(a->argv[i]);
    }
    free(a->argv);
    free(a->len);
    memset(a, 0, sizeof *a);
}
