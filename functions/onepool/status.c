/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <stdio.h>
#include <string.h>

#include "command.h"
#include "json.h"
#include "ban.h"

static int64_t number(const cJSON *o, const char *key) {
    int64_t n = 0;
    return json_int(o, key, &n) ? n : 0;
}

static void print_functions(const cJSON *functions) {
    const cJSON *f = NULL;
    char age[24];
    (void)printf("%-14s %8s %10s %10s %8s   %s\n", "", "waiting", "in work", "put off", "parked", "oldest");
    cJSON_ArrayForEach(f, functions) {
        text_age(number(f, "oldest_age_ms"), age);
        (void)printf("%-14s %8lld %10lld %10lld %8lld   %s\n", f->string, (long long)number(f, "due"),
                     (long long)number(f, "claimed"), (long long)number(f, "deferred"), (long long)number(f, "parked"),
                     number(f, "oldest_age_ms") > 0 ? age : "-");
    }
}

static void print_lag(const cJSON *lags, const char *key, const char *words) {
    const cJSON *lag = json_get(lags, key);
    char median[24], p95[24], worst[24];
    text_age(number(lag, "median"), median);
    text_age(number(lag, "p95"), p95);
    text_age(number(lag, "worst"), worst);
    if (number(lag, "n") > 0) {
        (void)printf("%s: median %s, 95 of 100 within %s, worst %s (last %lld)\n", words, median, p95, worst,
                     (long long)number(lag, "n"));
    }
}

static void print_attention(const cJSON *status) {
    const cJSON *writer = json_get(status, "writer"), *budget = json_get(json_get(status, "budget"), "bigcommerce");
    int64_t parked = number(json_get(status, "parked"), "total");
    char wait[24];
    if (parked > 0) {
        (void)printf("-> %lld case(s) wait for a person: onepool parked\n", (long long)parked);
    }
    if (!cJSON_IsObject(writer)) {
        (void)printf("-> Nobody writes levels: is stock-moved running?\n");
    }
    if (number(budget, "paused_ms") > 0) {
        text_age(number(budget, "paused_ms"), wait);
        (void)printf("-> BigCommerce is not called for another %s (it asked us to wait, or does not answer)\n", wait);
    }
    if (strcmp(json_str(status, "mode") != NULL ? json_str(status, "mode") : "", "shadow") == 0) {
        (void)printf("-> Shadow mode: nothing is written to BigCommerce (ONEPOOL_MODE=live changes that)\n");
    }
}

int command_status(struct app *app, const struct command_line *line) {
    struct reason why = {0};
    cJSON *status = NULL;
    if (status_read(app, &status, &why) != NEXT_DONE) {
        return command_failed(&why);
    }
    if (line->json) {
        command_print_json(status);
    } else {
        print_functions(json_get(status, "functions"));
        (void)printf("Levels written and not yet seen in BigCommerce: %lld\n",
                     (long long)number(status, "unconfirmed_levels"));
        (void)printf("Web orders that hold stock: %lld\n", (long long)number(status, "pending_orders"));
        print_lag(json_get(status, "lag_ms"), "accepted", "Till to BigCommerce accepted");
        print_lag(json_get(status, "lag_ms"), "confirmed", "Till to BigCommerce confirmed");
        print_attention(status);
    }
    cJSON_Delete(status);
    return 0;
}
