/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "ban.h"

#define LINE_MAX_BYTES ((size_t)8192) /* one write of this size to a pipe may be split, but stays one line */
#define NUMBERS        8

static struct {
    const char *function, *role;
    enum log_level lowest;
} setup = {.function = "onepool", .lowest = LOG_INFO};

void log_setup(const char *function, enum log_level lowest) {
    setup.function = function;
    setup.lowest = lowest;
}

void log_role(const char *role) {
    setup.role = role;
}

const char *log_int(long long n) {
    static char texts[NUMBERS][24];
    static unsigned next;
    char *text = texts[next++ % NUMBERS];
    (void)snprintf(text, sizeof texts[0], "%lld", n);
    return text;
}

static const char *level_name(enum log_level level) {
    switch (level) {
    case LOG_DEBUG:
        return "debug";
    case LOG_INFO:
        return "info";
    case LOG_WARN:
        return "warn";
    case LOG_ERROR:
        return "error";
    case LOG_ALARM:
        return "alarm";
    }
    return "error";
}

static bool plain(const char *value) {
    for (const char *c = value; *c != '\0'; c++) {
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f || *c == '"' || *c == '=' || *c == '\\') {
            return false;
        }
    }
    return value[0] != '\0';
}

/* Security: text from outside can neither end the line nor look like another key. */
static void add_value(struct buf *b, const char *value) {
    if (plain(value)) {
        buf_add_str(b, value);
        return;
    }
    buf_add(b, "\"", 1);
    for (; *value != '\0'; value++) {
        if (*value == '"' || *value == '\\') {
            buf_addf(b, "\\%c", *value);
        } else if ((unsigned char)*value < ' ' || (unsigned char)*value == 0x7f) {
            buf_addf(b, "\\x%02x", (unsigned)(unsigned char)*value);
        } else {
            buf_add(b, value, 1);
        }
    }
    buf_add(b, "\"", 1);
}

static void add_pair(struct buf *b, const char *key, const char *value) {
    if (value != NULL) {
        buf_addf(b, " %s=", key);
        add_value(b, value);
    }
}

void log_line(enum log_level level, const char *msg, const struct log_pair *pairs, size_t n) {
    struct buf b;
    char time[CLOCK_TEXT_SIZE];
    if (level < setup.lowest) {
        return;
    }
    buf_init(&b, LINE_MAX_BYTES);
    clock_format(clock_wall_ms(), time);
    buf_addf(&b, "ts=%s level=%s fn=%s pid=%ld", time, level_name(level), setup.function, (long)getpid());
    add_pair(&b, "role", setup.role);
    add_pair(&b, "msg", msg);
    for (size_t i = 0; i < n; i++) {
        add_pair(&b, pairs[i].key, pairs[i].value);
    }
    buf_add(&b, "\n", 1);
    if (buf_overflowed(&b)) {
        buf_reset(&b);
        buf_addf(&b, "ts=%s level=%s fn=%s pid=%ld msg=\"line too long\"\n", time, level_name(level), setup.function,
                 (long)getpid());
    }
    ssize_t ignored = write(STDERR_FILENO, buf_str(&b), b.len);
    (void)ignored;
    buf_free(&b);
}
