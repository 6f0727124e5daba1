/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logfmt lines on standard error: ts=... level=info fn=sale pid=123 msg="..." key=value ...
 * Values are quoted and escaped when they hold a space, quote, equals sign or control character, so that
 * text from outside can never forge a line. Never log customer data: ids only.
 */
#ifndef ONEPOOL_LOG_H
#define ONEPOOL_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_ALARM };

/* One key and its value. */
struct log_pair {
    const char *key;
    const char *value;
};

/* Names the process in every line ("sale"), and sets the lowest level that is written. */
void log_setup(const char *function, enum log_level lowest);
/* Role within the process: "parent", "acceptor", "worker"; NULL leaves it out. */
void log_role(const char *role);
/* One line; msg is a fixed text. A pair with a NULL value is left out. */
void log_line(enum log_level level, const char *msg, const struct log_pair *pairs, size_t n);
/* LOG(LOG_INFO, "order settled", {"order", id}, {"rows", rows}); at least one pair. */
#define LOG(level, msg, ...)                                                            \
    do {                                                                                \
        const struct log_pair log_pairs_[] = {__VA_ARGS__};                             \
        log_line((level), (msg), log_pairs_, sizeof log_pairs_ / sizeof log_pairs_[0]); \
    } while (0)
#define LOG_MSG(level, msg) log_line((level), (msg), NULL, 0)
/* "%lld" of n in one of eight rotating static buffers: for use inside LOG only. */
const char *log_int(long long n);

#endif
