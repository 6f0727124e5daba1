/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* strptime, timegm */
#include "clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "buf.h"
#include "quantity.h"
#include "ban.h"

static int64_t read_ms(clockid_t clock) {
    struct timespec t = {0};
    (void)clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_wall_ms(void) {
    return read_ms(CLOCK_REALTIME);
}

int64_t clock_mono_ms(void) {
    return read_ms(CLOCK_MONOTONIC);
}

/* 2026-11-23T06:42:35 */
static void format_seconds(int64_t wall_ms, char out[CLOCK_TEXT_SIZE]) {
    struct tm tm = {0};
    time_t seconds = (time_t)(wall_ms / 1000);
    out[0] = '\0';
    if (gmtime_r(&seconds, &tm) != NULL) {
        (void)strftime(out, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
    }
}

void clock_format(int64_t wall_ms, char out[CLOCK_TEXT_SIZE]) {
    format_seconds(wall_ms, out);
    size_t len = strlen(out);
    (void)snprintf(out + len, CLOCK_TEXT_SIZE - len, ".%03dZ", (int)(wall_ms % 1000));
}

void clock_format_iso_s(int64_t wall_ms, char out[CLOCK_TEXT_SIZE]) {
    format_seconds(wall_ms, out);
    size_t len = strlen(out);
    (void)snprintf(out + len, CLOCK_TEXT_SIZE - len, "+00:00");
}

/* "+0130", "-0500", "GMT", "UT", "Z": minutes east of UTC. */
static bool parse_zone(const char *s, int64_t *minutes) {
    char hours[3] = {0}, rest[3] = {0};
    int64_t h = 0, m = 0;
    if (strcmp(s, "GMT") == 0 || strcmp(s, "UTC") == 0 || strcmp(s, "UT") == 0 || strcmp(s, "Z") == 0) {
        *minutes = 0;
        return true;
    }
    if ((s[0] != '+' && s[0] != '-') || strlen(s) != 5) {
        return false;
    }
    memcpy(hours, s + 1, 2);
    memcpy(rest, s + 3, 2);
    if (!int_parse(hours, 0, 23, &h) || !int_parse(rest, 0, 59, &m)) {
        return false;
    }
    *minutes = (s[0] == '-' ? -1 : 1) * (h * 60 + m);
    return true;
}

bool clock_parse_rfc2822(const char *s, int64_t *wall_ms) {
    struct tm tm = {0};
    int64_t minutes = 0;
    const char *end = strptime(s, "%a, %d %b %Y %H:%M:%S", &tm);
    if (end == NULL) {
        return false;
    }
    end += strspn(end, " ");
    if (!parse_zone(end, &minutes)) {
        return false;
    }
    *wall_ms = ((int64_t)timegm(&tm) - minutes * 60) * 1000;
    return true;
}

bool clock_parse_iso(const char *s, int64_t *wall_ms) {
    struct tm tm = {0};
    char zone[8];
    int64_t minutes = 0;
    const char *end = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);
    if (end == NULL) {
        return false;
    }
    if (*end == '.') { /* fractions of a second */
        end += 1 + strspn(end + 1, "0123456789");
    }
    if (strlen(end) == 6 && end[3] == ':') {
        (void)snprintf(zone, sizeof zone, "%.3s%.2s", end, end + 4);
    } else if (!str_copy(zone, sizeof zone, end)) {
        return false;
    }
    if (!parse_zone(zone, &minutes)) {
        return false;
    }
    *wall_ms = ((int64_t)timegm(&tm) - minutes * 60) * 1000;
    return true;
}
