/* SPDX-License-Identifier: Apache-2.0 */
/* Prometheus text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats) of a status (status.h). */
#ifndef ONEPOOL_METRICS_H
#define ONEPOOL_METRICS_H

#include <cjson/cJSON.h>

#include "buf.h"

void metrics_write(const cJSON *status, struct buf *out);
/* Appends a label value with backslash, quote and newline escaped. */
void metrics_label(struct buf *out, const char *value);

#endif
