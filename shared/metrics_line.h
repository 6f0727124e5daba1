/* SPDX-License-Identifier: Apache-2.0 */
/* Single lines of Prometheus text; internal to metrics.c and metrics_more.c. Names are given without onepool_. */
#ifndef ONEPOOL_METRICS_LINE_H
#define ONEPOOL_METRICS_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* A family's two head lines, once before its samples. */
void line_head(struct buf *out, const char *name, const char *type, const char *help);
/* A sample's name and labels; ends with the space before the value. */
void line_begin(struct buf *out, const char *name, const char *const labels[][2], size_t n);
/* A value and the end of the line: a whole number; milliseconds as seconds, exactly. */
void line_whole(struct buf *out, int64_t n);
void line_seconds(struct buf *out, int64_t ms);
/* A whole family of one sample. */
void line_gauge(struct buf *out, const char *name, const char *help, int64_t n);
void line_gauge_seconds(struct buf *out, const char *name, const char *help, int64_t ms);

#endif
