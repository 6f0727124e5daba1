/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics of work by cause, lags as histograms, windows, loss, what the sweep found, notifications and Redis. */
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "metrics.h"
#include "metrics_line.h"
#include "status.h"
#include "ban.h"

/* Counts by cause of each function, in the member `key`. */
static void write_causes(const cJSON *functions, const char *key, const char *name, const char *help, struct buf *out) {
    const cJSON *f = NULL, *cause = NULL;
    int64_t n = 0;
    line_head(out, name, "gauge", help);
    cJSON_ArrayForEach(f, functions) {
        cJSON_ArrayForEach(cause, json_get(f, key)) {
            const char *const labels[][2] = {{"function", f->string}, {"cause", cause->string}};
            line_begin(out, name, labels, 2);
            line_whole(out, json_item_int(cause, &n) ? n : 0);
        }
    }
}

/* ---- lags, windows ---- */

static void write_histogram(const cJSON *all, const char *until, struct buf *out) {
    char bound[32], sum[48];
    int64_t le = 0;
    const cJSON *b = NULL;
    cJSON_ArrayForEach(b, json_array(all, until)) {
        bool last = !json_int(b, "le_ms", &le);
        /* 0.25, 0.5, 1: as short as can be, since a bound's text is its name for ever. */
        (void)snprintf(bound, sizeof bound, "%.10g", (double)le / 1000.0);
        const char *const labels[][2] = {{"until", until}, {"le", last ? "+Inf" : bound}};
        line_begin(out, "lag_seconds_bucket", labels, 2);
        line_whole(out, status_int(b, "n"));
    }
    const char *const labels[][2] = {{"until", until}};
    (void)snprintf(sum, sizeof sum, "%s_sum_ms", until);
    line_begin(out, "lag_seconds_sum", labels, 1);
    line_seconds(out, status_int(all, sum));
    const cJSON *list = json_array(all, until);
    line_begin(out, "lag_seconds_count", labels, 1);
    line_whole(out, status_int(cJSON_GetArrayItem(list, cJSON_GetArraySize(list) - 1), "n"));
}

static void write_lag_histograms(const cJSON *buckets, struct buf *out) {
    if (buckets == NULL) {
        return;
    }
    line_head(out, "lag_seconds", "histogram",
              "From till time to the level accepted or confirmed; without tills that were offline.");
    write_histogram(buckets, "accepted", out);
    write_histogram(buckets, "confirmed", out);
}

static void counter(struct buf *out, const char *name, const char *help, int64_t n) {
    line_head(out, name, "counter", help);
    line_begin(out, name, NULL, 0);
    line_whole(out, n);
}

static void write_windows(const cJSON *status, struct buf *out) {
    const cJSON *windows = json_get(status, "windows"), *counts = json_get(status, "counts");
    counter(out, "windows_total", "Oversell windows that ended: a movement was seen in the web shop.",
            status_int(counts, "windows"));
    counter(out, "windows_offline_total", "The same of tills that were offline, which windows_total leaves out.",
            status_int(counts, "windows:offline"));
    line_gauge_seconds(out, "window_worst_seconds", "The longest oversell window that ended today (UTC).",
                       status_int(windows, "worst_ms"));
}

/* ---- counters by a part of their name ---- */

/* Counts named prefix + value: one label. presets: values that are 0 when they are not counted yet. */
static void write_by_label(const cJSON *counts, const char *prefix, const char *name, const char *label,
                           const char *const *presets, const char *help, struct buf *out) {
    const cJSON *item = NULL;
    char key[96];
    int64_t n = 0;
    line_head(out, name, "counter", help);
    for (size_t i = 0; presets[i] != NULL; i++) {
        (void)snprintf(key, sizeof key, "%s%s", prefix, presets[i]);
        if (json_get(counts, key) == NULL) {
            const char *const labels[][2] = {{label, presets[i]}};
            line_begin(out, name, labels, 1);
            line_whole(out, 0);
        }
    }
    cJSON_ArrayForEach(item, counts) {
        if (strncmp(item->string, prefix, strlen(prefix)) == 0) {
            const char *const labels[][2] = {{label, item->string + strlen(prefix)}};
            line_begin(out, name, labels, 1);
            line_whole(out, json_item_int(item, &n) ? n : 0);
        }
    }
}

/* ---- loss ---- */

static void write_loss(const cJSON *loss, const cJSON *counts, struct buf *out) {
    static const char *const sources[] = {"sitoo", NULL};
    const cJSON *r = NULL;
    int64_t left = 0;
    line_head(out, "time_to_loss_seconds", "gauge",
              "Until the platform drops the first event that it was not answered 200 for; +Inf if it holds none.");
    cJSON_ArrayForEach(r, json_array(loss, "routes")) {
        const char *const labels[][2] = {{"route", json_str(r, "route")}};
        line_begin(out, "time_to_loss_seconds", labels, 1);
        if (json_int(r, "left_ms", &left)) {
            line_seconds(out, left);
        } else {
            buf_add_str(out, "+Inf\n");
        }
    }
    line_head(out, "refused_calls", "gauge", "Calls of a platform that were not taken since the last one that was.");
    cJSON_ArrayForEach(r, json_array(loss, "routes")) {
        const char *const labels[][2] = {{"route", json_str(r, "route")}};
        line_begin(out, "refused_calls", labels, 1);
        line_whole(out, status_int(r, "refused"));
    }
    write_by_label(counts, "anonymous_calls:", "anonymous_calls_total", "route", sources,
                   "Calls without any secret, which no platform makes.", out);
    left = INT64_MAX;
    cJSON_ArrayForEach(r, json_array(loss, "hooks")) {
        left = status_int(r, "left_ms") < left ? status_int(r, "left_ms") : left;
    }
    cJSON_ArrayForEach(r, json_array(loss, "routes")) {
        int64_t idle = 0;
        left = json_int(r, "idle_left_ms", &idle) && idle < left ? idle : left;
    }
    line_head(out, "hook_deactivation_seconds", "gauge",
              "Until BigCommerce switches a webhook of ours off: calls fail, or none came for long; +Inf if none is in "
              "danger.");
    line_begin(out, "hook_deactivation_seconds", NULL, 0);
    if (left == INT64_MAX) {
        buf_add_str(out, "+Inf\n");
    } else {
        line_seconds(out, left);
    }
}

static void write_shops(const cJSON *shops, struct buf *out) {
    const cJSON *s = NULL;
    char id[24];
    line_head(out, "shop_missed_movements", "gauge",
              "Half-minutes with movements that a warehouse usually has had since its last one.");
    cJSON_ArrayForEach(s, shops) {
        (void)snprintf(id, sizeof id, "%lld", (long long)status_int(s, "warehouse"));
        const char *const labels[][2] = {{"warehouse", id}};
        line_begin(out, "shop_missed_movements", labels, 1);
        line_whole(out, status_int(s, "missed"));
    }
}

/* Counts named "deferred:<queue>:<cause>"; a cause with a text behind it was counted by an older release. */
static void write_retries(const cJSON *counts, struct buf *out) {
    const cJSON *item = NULL;
    char queue[48];
    int64_t n = 0;
    line_head(out, "retries_total", "counter",
              "Times that an entity was put off to be tried again, by queue and cause.");
    cJSON_ArrayForEach(item, counts) {
        const char *rest = strncmp(item->string, "deferred:", 9) == 0 ? item->string + 9 : NULL;
        const char *colon = rest != NULL ? strchr(rest, ':') : NULL;
        if (colon != NULL && strchr(colon + 1, ':') == NULL && (size_t)(colon - rest) < sizeof queue) {
            memcpy(queue, rest, (size_t)(colon - rest));
            queue[colon - rest] = '\0';
            const char *const labels[][2] = {{"queue", queue}, {"cause", colon + 1}};
            line_begin(out, "retries_total", labels, 2);
            line_whole(out, json_item_int(item, &n) ? n : 0);
        }
    }
}

static void write_found(const cJSON *counts, struct buf *out) {
    /* The sweep's words (functions/sweep): told as 0 before the first, so that a rise can be seen. */
    static const char *const kinds[] = {"sitoo_order", "bigcommerce_order", "refund", "web_order", NULL};
    static const char *const classes[] = {"changed_in_bigcommerce",
                                          "lost_write",
                                          "never_written",
                                          "missed_movement",
                                          "missed_reservation",
                                          "lost_work",
                                          NULL};
    write_by_label(counts, "missed:", "missed_by_webhook_total", "kind", kinds,
                   "What the sweep found and no webhook had told.", out);
    write_by_label(counts, "drift:", "drift_total", "class", classes,
                   "Levels that differed from what they should be, by cause class.", out);
}

/* ---- the sweep's works ---- */

/* Works that run at intervals. timers ends within minutes of the first start; others may take a day, and are told from
 * when they ended first. */
static void write_works(const cJSON *works, struct buf *out) {
    const cJSON *w = NULL;
    int64_t every = 0, last = 0;
    line_head(out, "sweep_interval_seconds", "gauge", "How often the sweep begins a work anew.");
    cJSON_ArrayForEach(w, works) {
        const char *const labels[][2] = {{"work", w->string}};
        if (json_int(w, "every_ms", &every)) {
            line_begin(out, "sweep_interval_seconds", labels, 1);
            line_seconds(out, every);
        }
    }
    line_head(out, "sweep_last_seconds", "gauge", "When the sweep last ended a work, as Unix time.");
    cJSON_ArrayForEach(w, works) {
        const char *const labels[][2] = {{"work", w->string}};
        bool ended = json_int(w, "last_ms", &last);
        if (json_int(w, "every_ms", &every) && (ended || strcmp(w->string, "timers") == 0)) {
            line_begin(out, "sweep_last_seconds", labels, 1);
            line_seconds(out, ended ? last : 0);
        }
    }
    line_head(out, "sweep_problem", "gauge", "1 if the last turn of a work of the sweep failed.");
    cJSON_ArrayForEach(w, works) {
        const char *const labels[][2] = {{"work", w->string}};
        if (json_int(w, "every_ms", &every)) {
            line_begin(out, "sweep_problem", labels, 1);
            line_whole(out, json_str(w, "problem") != NULL ? 1 : 0);
        }
    }
}

/* ---- notifications, Redis ---- */

static void write_notify(const cJSON *status, struct buf *out) {
    static const char *const channels[] = {"webhook", "email", NULL};
    const cJSON *c = NULL, *counts = json_get(status, "counts");
    line_head(out, "notify_waiting", "gauge", "Urgent cases, and a message on its way, that nobody was told of yet.");
    cJSON_ArrayForEach(c, json_get(status, "notify")) {
        const char *const labels[][2] = {{"channel", json_str(c, "channel")}};
        line_begin(out, "notify_waiting", labels, 1);
        line_whole(out, status_int(c, "waiting"));
    }
    line_head(out, "notify_failing", "gauge", "1 if the last message could not be delivered.");
    cJSON_ArrayForEach(c, json_get(status, "notify")) {
        const char *const labels[][2] = {{"channel", json_str(c, "channel")}};
        line_begin(out, "notify_failing", labels, 1);
        line_whole(out, status_int(c, "failing_since_ms") > 0 ? 1 : 0);
    }
    write_by_label(counts, "notify:sent:", "notify_sent_total", "channel", channels, "Messages delivered.", out);
    write_by_label(counts, "notify:failed:", "notify_failures_total", "channel", channels,
                   "Attempts to deliver a message that failed.", out);
    write_by_label(counts, "notify:undeliverable:", "notify_undeliverable_total", "channel", channels,
                   "Urgent cases that nobody is told of: the sink refuses a message with the case alone.", out);
}

static void write_redis(const cJSON *redis, struct buf *out) {
    const char *last = json_str(redis, "last_write"), *aof = json_str(redis, "appendonly");
    static const char *const rungs[] = {"R1", "R0", "none", "unknown"};
    const char *rung = json_str(redis, "rung");
    line_gauge(out, "redis_memory_bytes", "Memory that Redis uses.", status_int(redis, "used_memory"));
    line_gauge(out, "redis_memory_max_bytes", "Its maxmemory; 0 = no limit of its own.",
               status_int(redis, "max_memory"));
    line_gauge(out, "redis_aof_enabled", "1 if Redis keeps an append-only file.",
               aof != NULL && strcmp(aof, "yes") == 0 ? 1 : 0);
    line_gauge(out, "redis_last_write_ok", "1 if its last write to that file succeeded.",
               last != NULL && strcmp(last, "ok") == 0 ? 1 : 0);
    line_head(out, "redis_rung", "gauge", "1 for how durable what is acknowledged is; R1 is right.");
    for (size_t i = 0; i < sizeof rungs / sizeof rungs[0]; i++) {
        const char *const labels[][2] = {{"rung", rungs[i]}};
        line_begin(out, "redis_rung", labels, 1);
        line_whole(out, rung != NULL && strcmp(rung, rungs[i]) == 0 ? 1 : 0);
    }
}

void metrics_more(const cJSON *status, struct buf *out) {
    const cJSON *counts = json_get(status, "counts"), *functions = json_get(status, "functions");
    write_causes(functions, "deferred_causes", "deferred_entities",
                 "Entities put off, by function and cause; waits is on purpose.", out);
    write_causes(functions, "parked_causes", "parked_entities", "Cases that wait for a person, by function and cause.",
                 out);
    write_lag_histograms(json_get(status, "lag_buckets"), out);
    write_windows(status, out);
    write_loss(json_get(status, "loss"), json_get(status, "counts"), out);
    write_shops(json_get(status, "shops"), out);
    write_retries(counts, out);
    write_found(counts, out);
    write_works(json_get(json_get(status, "sweep"), "works"), out);
    write_notify(status, out);
    write_redis(json_get(status, "redis"), out);
}
