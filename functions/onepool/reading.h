/* SPDX-License-Identifier: Apache-2.0 */
/* How far something long is: one line on standard error that is written over on a terminal, JSON lines with --json. */
#ifndef ONEPOOL_READING_H
#define ONEPOOL_READING_H

#include <stdbool.h>
#include <stdint.h>

struct reading {
    bool json, terminal;
    int64_t shown_ms; /* 0 = nothing yet */
};

struct reading reading_begin(bool json);
/* arg: struct reading. total 0 = not known. Shown now and then only. */
void reading_show(void *arg, const char *what, int64_t done, int64_t total);
/* Ends the line. */
void reading_end(const struct reading *p);

#endif
