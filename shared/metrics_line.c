/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics_line.h"

#include "metrics.h"
#include "ban.h"

void metrics_label(struct buf *out, const char *value) {
    for (; *value != '\0'; value++) {
        if (*value == '\\' || *value == '"') {
            buf_addf(out, "\\%c", *value);
        } else if (*value == '\n') {
            buf_add_str(out, "\\n");
        } else {
            buf_add(out, value, 1);
        }
    }
}

/* A sample's name and labels; ends with the space before the value. */
void line_begin(struct buf *out, const char *name, const char *const labels[][2], size_t n) {
    buf_addf(out, "onepool_%s", name);
    for (size_t i = 0; i < n; i++) {
        buf_addf(out, "%s%s=\"", i == 0 ? "{" : ",", labels[i][0]);
        metrics_label(out, labels[i][1] != NULL ? labels[i][1] : "");
        buf_add_str(out, i + 1 == n ? "\"}" : "\"");
    }
    buf_add_str(out, " ");
}

void line_head(struct buf *out, const char *name, const char *type, const char *help) {
    buf_addf(out, "# HELP onepool_%s %s\n# TYPE onepool_%s %s\n", name, help, name, type);
}

void line_whole(struct buf *out, int64_t n) {
    buf_addf(out, "%lld\n", (long long)n);
}

void line_gauge(struct buf *out, const char *name, const char *help, int64_t n) {
    line_head(out, name, "gauge", help);
    line_begin(out, name, NULL, 0);
    line_whole(out, n);
}

/* Milliseconds as seconds, exactly. */
void line_seconds(struct buf *out, int64_t ms) {
    int64_t magnitude = ms < 0 ? -ms : ms;
    buf_addf(out, "%s%lld.%03lld\n", ms < 0 ? "-" : "", (long long)(magnitude / 1000), (long long)(magnitude % 1000));
}

void line_gauge_seconds(struct buf *out, const char *name, const char *help, int64_t ms) {
    line_head(out, name, "gauge", help);
    line_begin(out, name, NULL, 0);
    line_seconds(out, ms);
}
