/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lexical half of strict reading: what cJSON would let pass. It checks, it does not parse: cJSON does that.
 */
#ifndef ONEPOOL_JSON_CHECK_H
#define ONEPOOL_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* True if the bytes hold no invalid UTF-8, no control characters or \u0000 or lone surrogate in strings, no number with
 * a leading zero, plus or bare dot, and nest no deeper than depth_max. On failure *problem names it and *at is its byte
 * offset. */
bool json_check(const char *data, size_t len, size_t depth_max, const char **problem, size_t *at);

#endif
