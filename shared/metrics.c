/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"

#include <stdio.h>
#include <string.h>

#include "json.h"
#include "metrics_line.h"
#include "signature.h"
#include "status.h"
#include "ban.h"

/* ---- families ---- */

static void write_functions(const cJSON *functions, struct buf *out) {
    static const char *const states[] = {"due", "claimed", "deferred", "parked"};
    const cJSON *f = NULL;
    line_head(out, "entities", "gauge", "Entities that are not settled, by function and state.");
    cJSON_ArrayForEach(f, functions) {
        for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
            const char *const labels[][2] = {{"function", f->string}, {"state", states[i]}};
            line_begin(out, "entities", labels, 2);
            line_whole(out, status_int(f, states[i]));
        }
    }
    line_head(out, "oldest_age_milliseconds", "gauge", "Age of the oldest entity that is neither settled nor parked.");
    cJSON_ArrayForEach(f, functions) {
        const char *const labels[][2] = {{"function", f->string}};
        line_begin(out, "oldest_age_milliseconds", labels, 1);
        line_whole(out, status_int(f, "oldest_age_ms"));
    }
}

static void write_parked(const cJSON *parked, struct buf *out) {
    const cJSON *cause = NULL;
    int64_t n = 0;
    line_head(out, "parked_cases", "gauge", "Cases that wait for a person, by cause.");
    cJSON_ArrayForEach(cause, json_get(parked, "by_cause")) {
        const char *const labels[][2] = {{"cause", cause->string}};
        line_begin(out, "parked_cases", labels, 1);
        line_whole(out, json_item_int(cause, &n) ? n : 0);
    }
    line_gauge(out, "ignored_cases", "Cases that a person chose to ignore.", status_int(parked, "ignored"));
}

static void write_lags(const cJSON *lags, struct buf *out) {
    static const char *const quantiles[][2] = {{"median", "0.5"}, {"p95", "0.95"}, {"worst", "1"}};
    const cJSON *lag = NULL;
    line_head(out, "lag_milliseconds", "gauge",
              "From till time to the level accepted or confirmed, over the last levels.");
    cJSON_ArrayForEach(lag, lags) {
        for (size_t i = 0; i < 3 && status_int(lag, "n") > 0; i++) {
            const char *const labels[][2] = {{"until", lag->string}, {"quantile", quantiles[i][1]}};
            line_begin(out, "lag_milliseconds", labels, 2);
            line_whole(out, status_int(lag, quantiles[i][0]));
        }
    }
    line_head(out, "lag_samples", "gauge", "Levels that lag_milliseconds is computed from.");
    cJSON_ArrayForEach(lag, lags) {
        const char *const labels[][2] = {{"until", lag->string}};
        line_begin(out, "lag_samples", labels, 1);
        line_whole(out, status_int(lag, "n"));
    }
}

static void write_budget(const cJSON *budget, struct buf *out) {
    const cJSON *bc = json_get(budget, "bigcommerce"), *key = NULL;
    int64_t n = 0;
    if (json_int(bc, "quota", &n)) {
        line_gauge(out, "quota", "Calls that BigCommerce grants in a window.", n);
    }
    if (json_int(bc, "left", &n)) {
        line_gauge(out, "quota_left", "Calls left in BigCommerce's window.", n);
    }
    line_head(out, "paused_milliseconds", "gauge", "How long a platform, or an API key of it, is not called.");
    const char *const labels[][2] = {{"platform", "bigcommerce"}};
    line_begin(out, "paused_milliseconds", labels, 1);
    line_whole(out, status_int(bc, "paused_ms"));
    cJSON_ArrayForEach(key, json_get(budget, "sitoo")) {
        const char number[2] = {(char)('0' + status_int(key, "key") % 10), '\0'};
        const char *const of_key[][2] = {{"platform", "sitoo"}, {"key", number}};
        line_begin(out, "paused_milliseconds", of_key, 2);
        line_whole(out, status_int(key, "paused_ms"));
    }
}

/* Counts named "<prefix>:<platform>:<budget>". */
static void write_by_budget(const cJSON *counts, const char *prefix, const char *name, const char *help,
                            struct buf *out) {
    static const char *const platforms[] = {"bigcommerce", "sitoo"}, *const budgets[] = {"stock", "orders", "refunds",
                                                                                         "rest"};
    line_head(out, name, "counter", help);
    for (size_t p = 0; p < 2; p++) {
        for (size_t b = 0; b < 4; b++) {
            char count[64];
            const char *const labels[][2] = {{"platform", platforms[p]}, {"budget", budgets[b]}};
            (void)snprintf(count, sizeof count, "%s:%s:%s", prefix, platforms[p], budgets[b]);
            line_begin(out, name, labels, 2);
            line_whole(out, status_int(counts, count));
        }
    }
}

static void write_signatures(const cJSON *counts, struct buf *out) {
    line_head(out, "hook_signature_total", "counter",
              "BigCommerce's webhooks with the right secret header, by their signature.");
    for (int v = 0; v < SIGNATURE_VERDICTS; v++) {
        char count[64];
        const char *const labels[][2] = {{"verdict", signature_verdict_name((enum signature_verdict)v)}};
        (void)snprintf(count, sizeof count, SIGNATURE_COUNT "%s", labels[0][1]);
        line_begin(out, "hook_signature_total", labels, 1);
        line_whole(out, status_int(counts, count));
    }
}

/* The names are those of Redis and of the documents: "accepted:sitoo", "refused:bigcommerce", "sales". */
static void write_counts(const cJSON *counts, struct buf *out) {
    const cJSON *item = NULL;
    int64_t n = 0;
    line_head(out, "events_total", "counter", "Everything counted, by name.");
    cJSON_ArrayForEach(item, counts) {
        const char *const labels[][2] = {{"name", item->string}};
        line_begin(out, "events_total", labels, 1);
        line_whole(out, json_item_int(item, &n) ? n : 0);
    }
}

static void write_epoch(const cJSON *epoch, struct buf *out) {
    static const char *const states[] = {"whole", "lossy", "new"};
    const char *state = json_str(epoch, "state");
    line_head(out, "redis_epoch", "gauge",
              "1 for the state that Redis's contents are in: whole, lossy (being rebuilt), new.");
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        const char *const labels[][2] = {{"state", states[i]}};
        line_begin(out, "redis_epoch", labels, 1);
        line_whole(out, state != NULL && strcmp(state, states[i]) == 0 ? 1 : 0);
    }
    line_gauge(out, "redis_epoch_seconds", "For how long they are in that state.", status_int(epoch, "age_ms") / 1000);
    line_gauge(out, "levels_held", "1 if no level is written until Redis's contents are rebuilt.",
               json_bool(epoch, "levels_held", false) ? 1 : 0);
}

static void write_withheld(const cJSON *withheld, struct buf *out) {
    int64_t aged = 0;
    line_gauge(out, "withheld_rows", "Rows of returns whose units are not on sale.", status_int(withheld, "entries"));
    line_gauge(out, "withheld_oldest_seconds", "How long the oldest of them has been so.",
               status_int(withheld, "oldest_age_ms") / 1000);
    if (json_int(withheld, "aged", &aged)) {
        line_gauge(out, "withheld_rows_aged", "Of them those that are older than returns.aged_days.", aged);
    }
}

void metrics_write(const cJSON *status, struct buf *out) {
    const cJSON *redis = json_get(status, "redis"), *brake = json_get(status, "brake");
    line_gauge(out, "redis_up", "1 if Redis answers.", status != NULL ? 1 : 0);
    if (status == NULL) {
        return;
    }
    const char *const info[][2] = {{"tenant", json_str(status, "tenant")},
                                   {"mode", json_str(status, "mode")},
                                   {"redis_version", json_str(redis, "version")},
                                   {"rung", json_str(redis, "rung")}};
    line_head(out, "info", "gauge", "Always 1; what this is.");
    line_begin(out, "info", info, 4);
    line_whole(out, 1);
    write_functions(json_get(status, "functions"), out);
    write_parked(json_get(status, "parked"), out);
    line_gauge(out, "unconfirmed_levels", "Levels written and not yet seen in BigCommerce.",
               status_int(status, "unconfirmed_levels"));
    line_gauge(out, "pending_orders", "Web orders that hold stock.", status_int(status, "pending_orders"));
    line_gauge(out, "open_intents", "Writes whose outcome is not recorded yet.", status_int(status, "open_intents"));
    line_gauge(out, "writer_present", "1 if a process holds the writer lease.",
               cJSON_IsObject(json_get(status, "writer")) ? 1 : 0);
    line_gauge(out, "brake_held", "1 if the brake holds a write.", json_bool(brake, "held", false) ? 1 : 0);
    write_withheld(json_get(status, "withheld"), out);
    write_epoch(json_get(status, "epoch"), out);
    write_lags(json_get(status, "lag_ms"), out);
    write_budget(json_get(status, "budget"), out);
    write_by_budget(json_get(status, "counts"), "calls", "calls_total",
                    "Calls to a platform, by the budget that they were made for.", out);
    write_by_budget(json_get(status, "counts"), "waits", "waits_total",
                    "Times that a call had to wait for its budget, or for its turn.", out);
    write_signatures(json_get(status, "counts"), out);
    metrics_more(status, out);
    write_counts(json_get(status, "counts"), out);
}
