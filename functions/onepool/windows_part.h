/* SPDX-License-Identifier: Apache-2.0 */
/* Which part of an oversell window took longest, in words. See shared/lua/11_windows.lua for the times. */
#ifndef ONEPOOL_WINDOWS_PART_H
#define ONEPOOL_WINDOWS_PART_H

#include <stdbool.h>
#include <stdint.h>

struct window {
    int64_t till_ms, event_ms, taken_ms, sent_ms, accepted_ms, confirmed_ms; /* 0 = not known */
    int64_t waited;    /* times that the writer had to wait for a call meanwhile */
    const char *cause; /* why it was put off last; "-" = it was not */
    bool offline;      /* the till was offline */
};

struct window_part {
    const char *name; /* "till", "waiting", "round", "answer", "shown" */
    int64_t ms;
    char words[160];
};

/* Pure. */
void window_longest(const struct window *w, struct window_part *out);

#endif
