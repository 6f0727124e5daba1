/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"

#include <string.h>

#include "json.h"
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

static void head(struct buf *out, const char *name, const char *type, const char *help) {
    buf_addf(out, "# HELP onepool_%s %s\n# TYPE onepool_%s %s\n", name, help, name, type);
}

static void sample(struct buf *out, const char *name, const char *label, const char *value, const char *label2,
                   const char *value2, int64_t n) {
    buf_addf(out, "onepool_%s", name);
    if (label != NULL) {
        buf_addf(out, "{%s=\"", label);
        metrics_label(out, value);
        if (label2 != NULL) {
            buf_addf(out, "\",%s=\"%s", label2, value2);
        }
        buf_add_str(out, "\"}");
    }
    buf_addf(out, " %lld\n", (long long)n);
}

static int64_t number(const cJSON *o, const char *key) {
    int64_t n = 0;
    return json_int(o, key, &n) ? n : 0;
}

static void write_functions(const cJSON *functions, struct buf *out) {
    static const char *const states[] = {"due", "claimed", "deferred", "parked"};
    const cJSON *f = NULL;
    head(out, "entities", "gauge", "Entities by function and state.");
    cJSON_ArrayForEach(f, functions) {
        for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
            sample(out, "entities", "function", f->string, "state", states[i], number(f, states[i]));
        }
    }
    head(out, "oldest_age_milliseconds", "gauge", "Age of the oldest entity that is not settled.");
    cJSON_ArrayForEach(f, functions) {
        sample(out, "oldest_age_milliseconds", "function", f->string, NULL, NULL, number(f, "oldest_age_ms"));
    }
}

static void write_lags(const cJSON *lags, struct buf *out) {
    static const char *const quantiles[][2] = {{"median", "0.5"}, {"p95", "0.95"}, {"worst", "1"}};
    const cJSON *lag = NULL;
    head(out, "lag_milliseconds", "gauge", "From till time to the level accepted or confirmed, over the last levels.");
    cJSON_ArrayForEach(lag, lags) {
        for (size_t i = 0; i < 3; i++) {
            sample(out, "lag_milliseconds", "until", lag->string, "quantile", quantiles[i][1],
                   number(lag, quantiles[i][0]));
        }
    }
}

static void write_one(const cJSON *o, const char *key, const char *name, const char *help, struct buf *out) {
    head(out, name, "gauge", help);
    sample(out, name, NULL, NULL, NULL, NULL, number(o, key));
}

void metrics_write(const cJSON *status, struct buf *out) {
    const cJSON *parked = json_get(status, "parked"), *item = NULL;
    const cJSON *budget = json_get(json_get(status, "budget"), "bigcommerce");
    write_functions(json_get(status, "functions"), out);
    write_one(status, "unconfirmed_levels", "unconfirmed_levels", "Levels written and not yet seen in BigCommerce.",
              out);
    write_one(status, "pending_orders", "pending_orders", "Web orders that hold stock.", out);
    write_one(status, "open_intents", "open_intents", "Writes whose outcome is not recorded yet.", out);
    write_one(budget, "left", "quota_left", "Calls left in BigCommerce's window.", out);
    write_one(budget, "paused_ms", "paused_milliseconds", "How long no call goes to BigCommerce.", out);
    head(out, "writer_present", "gauge", "1 if a process holds the writer lease.");
    sample(out, "writer_present", NULL, NULL, NULL, NULL, cJSON_IsObject(json_get(status, "writer")) ? 1 : 0);
    head(out, "parked_cases", "gauge", "Parked cases by cause.");
    cJSON_ArrayForEach(item, json_get(parked, "by_cause")) {
        sample(out, "parked_cases", "cause", item->string, NULL, NULL, (int64_t)item->valuedouble);
    }
    write_lags(json_get(status, "lag_ms"), out);
    head(out, "events_total", "counter", "Everything counted, by name.");
    cJSON_ArrayForEach(item, json_get(status, "counts")) {
        sample(out, "events_total", "name", item->string, NULL, NULL, (int64_t)item->valuedouble);
    }
}
