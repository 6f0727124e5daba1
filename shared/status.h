/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is going on, as JSON; for GET /status, /metrics and `onepool status`.
 *
 *   {"mode":"live","mode_is_set":false,"tenant":"default",
 *    "functions":{"sitoo-events":{"due":0,"claimed":0,"deferred":0,"parked":0,"oldest_age_ms":0},
 *                 "sale":{...},"return":{...},"stock-moved":{...}},
 *    "unconfirmed_levels":0,"pending_orders":0,"open_intents":0,
 *    "writer":{"holder":"host-stock-moved-12-4","lease_ms":29000} or null,
 *    "parked":{"total":2,"ignored":0,"by_cause":{"unknown_sku":1,"brake":1}},
 *    "brake":{"held":true,"released_ms":0},
 *    "lag_ms":{"accepted":{"n":10,"median":300,"p95":900,"worst":1200},"confirmed":{"n":0,"median":null,...}},
 *    "budget":{"bigcommerce":{"quota":150,"left":90,"reset_in_ms":4000,"paused_ms":0},
 *              "sitoo":[{"key":1,"paused_ms":0}]},
 *    "baseline":{"state":"none|reading|read|accepted","phase":"read","report":"0123456789abcdef","accepted":null,
 *                "begun":false,"read_ms":0,"differences":300,"unclassed":0,"done":90000,"total":90000,"accepted_ms":null},
 *    "epoch":{"state":"new|lossy|whole|unknown","levels_held":true,"since_ms":0,"age_ms":0,"cause":"why it is lossy",
 *             "rebuild":{"step":"refunds|orders|web_orders|skus","done":1000,"total":5200,"problem":"","lost_since_ms":0}},
 *    "withheld":{"entries":3,"oldest_age_ms":86400000,"aged_days":14,"aged":0},
 *    "counts":{"accepted:sitoo":10,...},
 *    "loss":{"routes":[{"route":"sitoo","left_ms":86000000 or null,"refused":3,"first_ms":0,"last_ms":0,"why":"...",
 *                       "idle_left_ms":null}],
 *            "hooks":[{"entity":"hook 7 90001","left_ms":172000000}]},
 *    "shops":[{"warehouse":3,"last_ms":0,"missed":4}],
 *    "notify":[{"channel":"webhook","waiting":0,"ok_ms":0,"failing_since_ms":null,"why":""},{"channel":"email",...}],
 *    "windows":{"today":12,"today_ms":30000,"worst_ms":4000,"offline":1},
 *    "lag_buckets":{"accepted":[{"le_ms":250,"n":4},...,{"le_ms":null,"n":9}],"accepted_sum_ms":3000,...},
 *    "redis":{"version":"7.0.15","rung":"R1","last_write":"ok","appendonly":"yes","used_memory":1000000,"max_memory":0}}
 *
 * Each function further has deferred_causes and parked_causes: {"quota":3}; "waits" is waiting on purpose.
 * loss: left_ms is the time until the platform drops the first of what it was not answered 200 for; null = nothing
 * waits. lag_buckets count up to their bound, each with all below it; their last one counts all.
 *
 * epoch (docs/adr/0011): whether Redis holds what it held. levels_held: no level is written, because it does not and is
 * rebuilt, or because nobody has looked; rebuild is null otherwise, or before its first step. total is null if unknown.
 *
 * quota and left are null until BigCommerce named them. Lags are over the last 10,000 levels of at most 7 days; till
 * times have whole seconds, so they are up to a second too long. Of a queue 2,000 entities are looked at; what is
 * beyond them counts as due. by_cause looks at the oldest 5,000 cases.
 */
#ifndef ONEPOOL_STATUS_H
#define ONEPOOL_STATUS_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"

/* NEXT_DONE: *out is set, the caller frees it. NEXT_DEFER: Redis is away. */
enum next status_read(struct app *app, cJSON **out, struct reason *why) NODISCARD;

/* The smallest value that at least `percent` of the n values do not exceed; sorts values. 0 if n is 0. */
int64_t status_percentile(int64_t *values, size_t n, int percent);

/* A whole number of the status; 0 if it is absent or null. */
int64_t status_int(const cJSON *o, const char *key);

/* Adds "withheld":{"entries":3,"oldest_age_ms":86400000,"aged_days":14,"aged":0}: rows of returns whose units are not
 * on sale, and how many for longer than returns.aged_days; both null without a mapping file. Part of status_read. */
enum next status_withheld(struct app *app, cJSON *status, struct reason *why) NODISCARD;

/* Adds "loss", "notify", "shops", "windows" and "lag_buckets" (status_loss.c). Part of status_read. */
enum next status_loss(struct app *app, cJSON *status, struct reason *why) NODISCARD;
/* Adds "sweep":{"now_ms":..., "works":{"stock":{"last_ms":...,"took_ms":12,"next_ms":...,"position":500,"total":20000,
 * "problem":null},...}, "missed":{"sitoo_order":2}, "drift":{"changed_in_bigcommerce":1}, "suspects":0, "waiting":0}:
 * when each work of the sweep last ended and is due again, what no event told of, levels that were not as they should
 * be by their cause, levels that wait for a second look, orders whose event may still come. Part of status_read. */
enum next status_sweep(struct app *app, cJSON *status, struct reason *why) NODISCARD;

#endif
