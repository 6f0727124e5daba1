/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A status (status.h) as Prometheus text. Every name begins with onepool_.
 * Source: prometheus.io/docs/instrumenting/exposition_formats, text format 0.0.4.
 */
#ifndef ONEPOOL_METRICS_H
#define ONEPOOL_METRICS_H

#include <cjson/cJSON.h>

#include "buf.h"

/* status NULL: Redis is away; then only onepool_redis_up 0 is written. Pure. */
void metrics_write(const cJSON *status, struct buf *out);
/* The families of metrics_more.c; part of metrics_write. */
void metrics_more(const cJSON *status, struct buf *out);
/* Appends a label value with backslash, quote and newline escaped. */
void metrics_label(struct buf *out, const char *value);

#endif
