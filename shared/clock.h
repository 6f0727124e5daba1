/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time. Stamps come from the wall clock, durations from the monotonic clock, both int64_t milliseconds.
 * Leases and due times are not decided here but by Redis TIME inside the Redis functions.
 */
#ifndef ONEPOOL_CLOCK_H
#define ONEPOOL_CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

#define CLOCK_TEXT_SIZE 32

int64_t clock_wall_ms(void);
int64_t clock_mono_ms(void);
/* 2026-11-23T06:42:35.123Z */
void clock_format(int64_t wall_ms, char out[CLOCK_TEXT_SIZE]);
/* 2026-11-23T06:42:35+00:00: the ISO-8601 with offset that BigCommerce date filters take. */
void clock_format_iso_s(int64_t wall_ms, char out[CLOCK_TEXT_SIZE]);
/* Parses an RFC 2822 date in UTC or with offset ("Tue, 05 Mar 2019 21:40:11 +0000", also "GMT"). */
bool clock_parse_rfc2822(const char *s, int64_t *wall_ms);
/* Parses ISO 8601 with an offset or Z ("2026-11-23T10:00:00+00:00"); fractions of a second are dropped. */
bool clock_parse_iso(const char *s, int64_t *wall_ms);

#endif
