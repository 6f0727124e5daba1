/* SPDX-License-Identifier: Apache-2.0 */
/* What the command tells people, as text. Pure: the clock is an argument. */
#ifndef ONEPOOL_COMMAND_TEXT_H
#define ONEPOOL_COMMAND_TEXT_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

#define TEXT_AGE_SIZE 24

/* "850 ms", "12 s", "3 min", "5 h", "2 d"; what is below 0 counts as 0. */
void text_age(int64_t ms, char out[TEXT_AGE_SIZE]);

/*
 * Appends s with every control character and every byte that is no UTF-8 replaced by '?'.
 * Security: SKUs and texts come from outside; an escape sequence among them must not reach a terminal.
 */
void text_safe(struct buf *out, const char *s);

/* The same, at most width characters of it, padded with spaces to that width. */
void text_padded(struct buf *out, const char *s, size_t width);

/* A status (status.h) as a page. */
void text_status(struct buf *out, const cJSON *status);
/* Its last part: one line for each thing that somebody should look at; returns how many. */
size_t text_attention(struct buf *out, const cJSON *status);

/* One parked case (see parked.c) as a paragraph. */
void text_case(struct buf *out, const cJSON *parked, int64_t now_ms);

#endif
