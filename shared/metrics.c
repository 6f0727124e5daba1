/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"

#include <stdio.h>
#include <string.h>

#include "json.h"
#include "signature.h"
#include "status.h"
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

/* ---- one line ---- */

/* A sample's name and labels; ends with the space before the value. */
static void begin(struct buf *out, const char *name, const char *const labels[][2], size_t n) {
    buf_addf(out, "onepool_%s", name);
    for (size_t i = 0; i < n; i++) {
        buf_addf(out, "%s%s=\"", i == 0 ? "{" : ",", labels[i][0]);
        metrics_label(out, labels[i][1] != NULL ? labels[i][1] : "");
        buf_add_str(out, i + 1 == n ? "\"}" : "\"");
    }
    buf_add_str(out, " ");
}

static void head(struct buf *out, const char *name, const char *type, const char *help) {
    buf_addf(out, "# HELP onepool_%s %s\n# TYPE onepool_%s %s\n", name, help, name, type);
}

static void whole(struct buf *out, int64_t n) {
    buf_addf(out, "%lld\n", (long long)n);
}

static void gauge(struct buf *out, const char *name, const char *help, int64_t n) {
    head(out, name, "gauge", help);
    begin(out, name, NULL, 0);
    whole(out, n);
}

/* Milliseconds as seconds, exactly. */
static void seconds(struct buf *out, int64_t ms) {
    int64_t magnitude = ms < 0 ? -ms : ms;
    buf_addf(out, "%s%lld.%03lld\n", ms < 0 ? "-" : "", (long long)(magnitude / 1000), (long long)(magnitude % 1000));
}

static void gauge_seconds(struct buf *out, const char *name, const char *help, int64_t ms) {
    head(out, name, "gauge", help);
    begin(out, name, NULL, 0);
    seconds(out, ms);
}

/* ---- families ---- */

/* Counts by cause of each function, in the member `key`. */
static void write_causes(const cJSON *functions, const char *key, const char *name, const char *help, struct buf *out) {
    const cJSON *f = NULL, *cause = NULL;
    int64_t n = 0;
    head(out, name, "gauge", help);
    cJSON_ArrayForEach(f, functions) {
        cJSON_ArrayForEach(cause, json_get(f, key)) {
            const char *const labels[][2] = {{"function", f->string}, {"cause", cause->string}};
            begin(out, name, labels, 2);
            whole(out, json_item_int(cause, &n) ? n : 0);
        }
    }
}

static void write_functions(const cJSON *functions, struct buf *out) {
    static const char *const states[] = {"due", "claimed", "deferred", "parked"};
    const cJSON *f = NULL;
    head(out, "entities", "gauge", "Entities that are not settled, by function and state.");
    cJSON_ArrayForEach(f, functions) {
        for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
            const char *const labels[][2] = {{"function", f->string}, {"state", states[i]}};
            begin(out, "entities", labels, 2);
            whole(out, status_int(f, states[i]));
        }
    }
    head(out, "oldest_age_milliseconds", "gauge", "Age of the oldest entity that is neither settled nor parked.");
    cJSON_ArrayForEach(f, functions) {
        const char *const labels[][2] = {{"function", f->string}};
        begin(out, "oldest_age_milliseconds", labels, 1);
        whole(out, status_int(f, "oldest_age_ms"));
    }
}

static void write_parked(const cJSON *parked, struct buf *out) {
    const cJSON *cause = NULL;
    int64_t n = 0;
    head(out, "parked_cases", "gauge", "Cases that wait for a person, by cause.");
    cJSON_ArrayForEach(cause, json_get(parked, "by_cause")) {
        const char *const labels[][2] = {{"cause", cause->string}};
        begin(out, "parked_cases", labels, 1);
        whole(out, json_item_int(cause, &n) ? n : 0);
    }
    gauge(out, "ignored_cases", "Cases that a person chose to ignore.", status_int(parked, "ignored"));
}

static void write_lags(const cJSON *lags, struct buf *out) {
    static const char *const quantiles[][2] = {{"median", "0.5"}, {"p95", "0.95"}, {"worst", "1"}};
    const cJSON *lag = NULL;
    head(out, "lag_milliseconds", "gauge", "From till time to the level accepted or confirmed, over the last levels.");
    cJSON_ArrayForEach(lag, lags) {
        for (size_t i = 0; i < 3 && status_int(lag, "n") > 0; i++) {
            const char *const labels[][2] = {{"until", lag->string}, {"quantile", quantiles[i][1]}};
            begin(out, "lag_milliseconds", labels, 2);
            whole(out, status_int(lag, quantiles[i][0]));
        }
    }
    head(out, "lag_samples", "gauge", "Levels that lag_milliseconds is computed from.");
    cJSON_ArrayForEach(lag, lags) {
        const char *const labels[][2] = {{"until", lag->string}};
        begin(out, "lag_samples", labels, 1);
        whole(out, status_int(lag, "n"));
    }
}

static void write_budget(const cJSON *budget, struct buf *out) {
    const cJSON *bc = json_get(budget, "bigcommerce"), *key = NULL;
    int64_t n = 0;
    if (json_int(bc, "quota", &n)) {
        gauge(out, "quota", "Calls that BigCommerce grants in a window.", n);
    }
    if (json_int(bc, "left", &n)) {
        gauge(out, "quota_left", "Calls left in BigCommerce's window.", n);
    }
    head(out, "paused_milliseconds", "gauge", "How long a platform, or an API key of it, is not called.");
    const char *const labels[][2] = {{"platform", "bigcommerce"}};
    begin(out, "paused_milliseconds", labels, 1);
    whole(out, status_int(bc, "paused_ms"));
    cJSON_ArrayForEach(key, json_get(budget, "sitoo")) {
        const char number[2] = {(char)('0' + status_int(key, "key") % 10), '\0'};
        const char *const of_key[][2] = {{"platform", "sitoo"}, {"key", number}};
        begin(out, "paused_milliseconds", of_key, 2);
        whole(out, status_int(key, "paused_ms"));
    }
}

/* Counts named "<prefix>:<platform>:<budget>". */
static void write_by_budget(const cJSON *counts, const char *prefix, const char *name, const char *help,
                            struct buf *out) {
    static const char *const platforms[] = {"bigcommerce", "sitoo"}, *const budgets[] = {"stock", "orders", "refunds",
                                                                                         "rest"};
    head(out, name, "counter", help);
    for (size_t p = 0; p < 2; p++) {
        for (size_t b = 0; b < 4; b++) {
            char count[64];
            const char *const labels[][2] = {{"platform", platforms[p]}, {"budget", budgets[b]}};
            (void)snprintf(count, sizeof count, "%s:%s:%s", prefix, platforms[p], budgets[b]);
            begin(out, name, labels, 2);
            whole(out, status_int(counts, count));
        }
    }
}

static void write_signatures(const cJSON *counts, struct buf *out) {
    head(out, "hook_signature_total", "counter",
         "BigCommerce's webhooks with the right secret header, by their signature.");
    for (int v = 0; v < SIGNATURE_VERDICTS; v++) {
        char count[64];
        const char *const labels[][2] = {{"verdict", signature_verdict_name((enum signature_verdict)v)}};
        (void)snprintf(count, sizeof count, SIGNATURE_COUNT "%s", labels[0][1]);
        begin(out, "hook_signature_total", labels, 1);
        whole(out, status_int(counts, count));
    }
}

/* The names are those of Redis and of the documents: "accepted:sitoo", "refused:bigcommerce", "sales". */
static void write_counts(const cJSON *counts, struct buf *out) {
    const cJSON *item = NULL;
    int64_t n = 0;
    head(out, "events_total", "counter", "Everything counted, by name.");
    cJSON_ArrayForEach(item, counts) {
        const char *const labels[][2] = {{"name", item->string}};
        begin(out, "events_total", labels, 1);
        whole(out, json_item_int(item, &n) ? n : 0);
    }
}

static void write_epoch(const cJSON *epoch, struct buf *out) {
    static const char *const states[] = {"whole", "lossy", "new"};
    const char *state = json_str(epoch, "state");
    head(out, "redis_epoch", "gauge",
         "1 for the state that Redis's contents are in: whole, lossy (being rebuilt), new.");
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        const char *const labels[][2] = {{"state", states[i]}};
        begin(out, "redis_epoch", labels, 1);
        whole(out, state != NULL && strcmp(state, states[i]) == 0 ? 1 : 0);
    }
    gauge(out, "redis_epoch_seconds", "For how long they are in that state.", status_int(epoch, "age_ms") / 1000);
    gauge(out, "levels_held", "1 if no level is written until Redis's contents are rebuilt.",
          json_bool(epoch, "levels_held", false) ? 1 : 0);
}

static void write_withheld(const cJSON *withheld, struct buf *out) {
    int64_t aged = 0;
    gauge(out, "withheld_rows", "Rows of returns whose units are not on sale.", status_int(withheld, "entries"));
    gauge(out, "withheld_oldest_seconds", "How long the oldest of them has been so.",
          status_int(withheld, "oldest_age_ms") / 1000);
    if (json_int(withheld, "aged", &aged)) {
        gauge(out, "withheld_rows_aged", "Of them those that are older than returns.aged_days.", aged);
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
        begin(out, "lag_seconds_bucket", labels, 2);
        whole(out, status_int(b, "n"));
    }
    const char *const labels[][2] = {{"until", until}};
    (void)snprintf(sum, sizeof sum, "%s_sum_ms", until);
    begin(out, "lag_seconds_sum", labels, 1);
    seconds(out, status_int(all, sum));
    const cJSON *list = json_array(all, until);
    begin(out, "lag_seconds_count", labels, 1);
    whole(out, status_int(cJSON_GetArrayItem(list, cJSON_GetArraySize(list) - 1), "n"));
}

static void write_lag_histograms(const cJSON *buckets, struct buf *out) {
    if (buckets == NULL) {
        return;
    }
    head(out, "lag_seconds", "histogram",
         "From till time to the level accepted or confirmed; without tills that were offline.");
    write_histogram(buckets, "accepted", out);
    write_histogram(buckets, "confirmed", out);
}

static void counter(struct buf *out, const char *name, const char *help, int64_t n) {
    head(out, name, "counter", help);
    begin(out, name, NULL, 0);
    whole(out, n);
}

static void write_windows(const cJSON *status, struct buf *out) {
    const cJSON *windows = json_get(status, "windows"), *counts = json_get(status, "counts");
    counter(out, "windows_total", "Oversell windows that ended: a movement was seen in the web shop.",
            status_int(counts, "windows"));
    counter(out, "windows_offline_total", "The same of tills that were offline, which windows_total leaves out.",
            status_int(counts, "windows:offline"));
    gauge_seconds(out, "window_worst_seconds", "The longest oversell window that ended today (UTC).",
                  status_int(windows, "worst_ms"));
}

/* ---- loss ---- */

static void write_loss(const cJSON *loss, struct buf *out) {
    const cJSON *r = NULL;
    int64_t left = 0;
    head(out, "time_to_loss_seconds", "gauge",
         "Until the platform drops the first event that it was not answered 200 for; +Inf if it holds none.");
    cJSON_ArrayForEach(r, json_array(loss, "routes")) {
        const char *const labels[][2] = {{"route", json_str(r, "route")}};
        begin(out, "time_to_loss_seconds", labels, 1);
        if (json_int(r, "left_ms", &left)) {
            seconds(out, left);
        } else {
            buf_add_str(out, "+Inf\n");
        }
    }
    head(out, "refused_calls", "gauge", "Calls of a platform that were not taken since the last one that was.");
    cJSON_ArrayForEach(r, json_array(loss, "routes")) {
        const char *const labels[][2] = {{"route", json_str(r, "route")}};
        begin(out, "refused_calls", labels, 1);
        whole(out, status_int(r, "refused"));
    }
    left = INT64_MAX;
    cJSON_ArrayForEach(r, json_array(loss, "hooks")) {
        left = status_int(r, "left_ms") < left ? status_int(r, "left_ms") : left;
    }
    cJSON_ArrayForEach(r, json_array(loss, "routes")) {
        int64_t idle = 0;
        left = json_int(r, "idle_left_ms", &idle) && idle < left ? idle : left;
    }
    head(out, "hook_deactivation_seconds", "gauge",
         "Until BigCommerce switches a webhook of ours off: calls fail, or none came for long; +Inf if none is in "
         "danger.");
    begin(out, "hook_deactivation_seconds", NULL, 0);
    if (left == INT64_MAX) {
        buf_add_str(out, "+Inf\n");
    } else {
        seconds(out, left);
    }
}

static void write_shops(const cJSON *shops, struct buf *out) {
    const cJSON *s = NULL;
    char id[24];
    head(out, "shop_missed_movements", "gauge",
         "Half-minutes with movements that a warehouse usually has had since its last one.");
    cJSON_ArrayForEach(s, shops) {
        (void)snprintf(id, sizeof id, "%lld", (long long)status_int(s, "warehouse"));
        const char *const labels[][2] = {{"warehouse", id}};
        begin(out, "shop_missed_movements", labels, 1);
        whole(out, status_int(s, "missed"));
    }
}

/* ---- counters by a part of their name ---- */

/* Counts named prefix + value: one label. presets: values that are 0 when they are not counted yet. */
static void write_by_label(const cJSON *counts, const char *prefix, const char *name, const char *label,
                           const char *const *presets, const char *help, struct buf *out) {
    const cJSON *item = NULL;
    char key[96];
    int64_t n = 0;
    head(out, name, "counter", help);
    for (size_t i = 0; presets[i] != NULL; i++) {
        (void)snprintf(key, sizeof key, "%s%s", prefix, presets[i]);
        if (json_get(counts, key) == NULL) {
            const char *const labels[][2] = {{label, presets[i]}};
            begin(out, name, labels, 1);
            whole(out, 0);
        }
    }
    cJSON_ArrayForEach(item, counts) {
        if (strncmp(item->string, prefix, strlen(prefix)) == 0) {
            const char *const labels[][2] = {{label, item->string + strlen(prefix)}};
            begin(out, name, labels, 1);
            whole(out, json_item_int(item, &n) ? n : 0);
        }
    }
}

/* Counts named "deferred:<queue>:<cause>". */
static void write_retries(const cJSON *counts, struct buf *out) {
    const cJSON *item = NULL;
    char queue[48];
    int64_t n = 0;
    head(out, "retries_total", "counter", "Times that an entity was put off to be tried again, by queue and cause.");
    cJSON_ArrayForEach(item, counts) {
        const char *rest = strncmp(item->string, "deferred:", 9) == 0 ? item->string + 9 : NULL;
        const char *colon = rest != NULL ? strchr(rest, ':') : NULL;
        if (colon != NULL && (size_t)(colon - rest) < sizeof queue) {
            memcpy(queue, rest, (size_t)(colon - rest));
            queue[colon - rest] = '\0';
            const char *const labels[][2] = {{"queue", queue}, {"cause", colon + 1}};
            begin(out, "retries_total", labels, 2);
            whole(out, json_item_int(item, &n) ? n : 0);
        }
    }
}

static void write_found(const cJSON *counts, struct buf *out) {
    static const char *const kinds[] = {"sitoo_order", "web_order", "refund", NULL}, *const classes[] = {"unknown",
                                                                                                         NULL};
    write_by_label(counts, "missed:", "missed_by_webhook_total", "kind", kinds,
                   "What the sweep found and no webhook had told.", out);
    write_by_label(counts, "drift:", "drift_total", "class", classes,
                   "Levels that differed from what they should be, by cause class.", out);
}

/* ---- notifications, Redis ---- */

static void write_notify(const cJSON *status, struct buf *out) {
    static const char *const channels[] = {"webhook", "email", NULL};
    const cJSON *c = NULL, *counts = json_get(status, "counts");
    head(out, "notify_waiting", "gauge", "Urgent cases, and a message on its way, that nobody was told of yet.");
    cJSON_ArrayForEach(c, json_get(status, "notify")) {
        const char *const labels[][2] = {{"channel", json_str(c, "channel")}};
        begin(out, "notify_waiting", labels, 1);
        whole(out, status_int(c, "waiting"));
    }
    head(out, "notify_failing", "gauge", "1 if the last message could not be delivered.");
    cJSON_ArrayForEach(c, json_get(status, "notify")) {
        const char *const labels[][2] = {{"channel", json_str(c, "channel")}};
        begin(out, "notify_failing", labels, 1);
        whole(out, status_int(c, "failing_since_ms") > 0 ? 1 : 0);
    }
    write_by_label(counts, "notify:sent:", "notify_sent_total", "channel", channels, "Messages delivered.", out);
    write_by_label(counts, "notify:failed:", "notify_failures_total", "channel", channels,
                   "Attempts to deliver a message that failed.", out);
}

static void write_redis(const cJSON *redis, struct buf *out) {
    const char *last = json_str(redis, "last_write"), *aof = json_str(redis, "appendonly");
    static const char *const rungs[] = {"R1", "R0", "none", "unknown"};
    const char *rung = json_str(redis, "rung");
    gauge(out, "redis_memory_bytes", "Memory that Redis uses.", status_int(redis, "used_memory"));
    gauge(out, "redis_memory_max_bytes", "Its maxmemory; 0 = no limit of its own.", status_int(redis, "max_memory"));
    gauge(out, "redis_aof_enabled", "1 if Redis keeps an append-only file.",
          aof != NULL && strcmp(aof, "yes") == 0 ? 1 : 0);
    gauge(out, "redis_last_write_ok", "1 if its last write to that file succeeded.",
          last != NULL && strcmp(last, "ok") == 0 ? 1 : 0);
    head(out, "redis_rung", "gauge", "1 for how durable what is acknowledged is; R1 is right.");
    for (size_t i = 0; i < sizeof rungs / sizeof rungs[0]; i++) {
        const char *const labels[][2] = {{"rung", rungs[i]}};
        begin(out, "redis_rung", labels, 1);
        whole(out, rung != NULL && strcmp(rung, rungs[i]) == 0 ? 1 : 0);
    }
}

/* What is derived from the status beyond its older parts. */
static void write_more(const cJSON *status, struct buf *out) {
    const cJSON *counts = json_get(status, "counts"), *functions = json_get(status, "functions");
    write_causes(functions, "deferred_causes", "deferred_entities",
                 "Entities put off, by function and cause; waits is on purpose.", out);
    write_causes(functions, "parked_causes", "parked_entities", "Cases that wait for a person, by function and cause.",
                 out);
    write_lag_histograms(json_get(status, "lag_buckets"), out);
    write_windows(status, out);
    write_loss(json_get(status, "loss"), out);
    write_shops(json_get(status, "shops"), out);
    write_retries(counts, out);
    write_found(counts, out);
    write_notify(status, out);
    write_redis(json_get(status, "redis"), out);
}

void metrics_write(const cJSON *status, struct buf *out) {
    const cJSON *redis = json_get(status, "redis"), *brake = json_get(status, "brake");
    gauge(out, "redis_up", "1 if Redis answers.", status != NULL ? 1 : 0);
    if (status == NULL) {
        return;
    }
    const char *const info[][2] = {{"tenant", json_str(status, "tenant")},
                                   {"mode", json_str(status, "mode")},
                                   {"redis_version", json_str(redis, "version")},
                                   {"rung", json_str(redis, "rung")}};
    head(out, "info", "gauge", "Always 1; what this is.");
    begin(out, "info", info, 4);
    whole(out, 1);
    write_functions(json_get(status, "functions"), out);
    write_parked(json_get(status, "parked"), out);
    gauge(out, "unconfirmed_levels", "Levels written and not yet seen in BigCommerce.",
          status_int(status, "unconfirmed_levels"));
    gauge(out, "pending_orders", "Web orders that hold stock.", status_int(status, "pending_orders"));
    gauge(out, "open_intents", "Writes whose outcome is not recorded yet.", status_int(status, "open_intents"));
    gauge(out, "writer_present", "1 if a process holds the writer lease.",
          cJSON_IsObject(json_get(status, "writer")) ? 1 : 0);
    gauge(out, "brake_held", "1 if the brake holds a write.", json_bool(brake, "held", false) ? 1 : 0);
    write_withheld(json_get(status, "withheld"), out);
    write_epoch(json_get(status, "epoch"), out);
    write_lags(json_get(status, "lag_ms"), out);
    write_budget(json_get(status, "budget"), out);
    write_by_budget(json_get(status, "counts"), "calls", "calls_total",
                    "Calls to a platform, by the budget that they were made for.", out);
    write_by_budget(json_get(status, "counts"), "waits", "waits_total",
                    "Times that a call had to wait for its budget, or for its turn.", out);
    write_signatures(json_get(status, "counts"), out);
    write_more(status, out);
    write_counts(json_get(status, "counts"), out);
}
