/* SPDX-License-Identifier: Apache-2.0 */
/*
 * onepool check: can this work? Settings are valid if it gets this far. Nothing is changed, but for the library of
 * Redis functions, which is loaded if Redis does not know it, and the key that proves that Redis takes writes.
 */
#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "command.h"
#include "durability.h"
#include "json.h"
#include "text.h"
#include "ban.h"

#define PAGE_MAX       ((size_t)1024 * 1024) /* bytes; some lines for each of 500 warehouses */
#define OFFSET_WARN_MS INT64_C(5000)
#define QUOTA_TRIES    3
#define QUOTA_WAIT_MS  INT64_C(35000) /* a little more than BigCommerce's window */

static const char *const result_names[] = {[CHECK_OK] = "ok", [CHECK_WARN] = "warn", [CHECK_FAIL] = "fail"};

/* ---- lines ---- */

void report_add(struct report *r, enum check_result result, const char *check, const char *todo, const char *fmt, ...) {
    char text[REASON_TEXT_MAX + 80];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    r->warned += result == CHECK_WARN ? 1 : 0;
    r->failed += result == CHECK_FAIL ? 1 : 0;
    cJSON *o = json_new_object();
    json_add_str(o, "check", check);
    json_add_str(o, "result", result_names[result]);
    json_add_str(o, "text", text);
    json_add_str(o, "todo", todo);
    (void)cJSON_AddItemToArray(r->lines, o);
}

static void print_lines(const struct report *r) {
    struct buf page;
    const cJSON *o = NULL;
    buf_init(&page, PAGE_MAX);
    cJSON_ArrayForEach(o, r->lines) {
        bool failed = strcmp(json_str(o, "result"), result_names[CHECK_FAIL]) == 0;
        buf_addf(&page, "%-4s  %s: ", failed ? "FAIL" : json_str(o, "result"), json_str(o, "check"));
        text_safe(&page, json_str(o, "text"));
        if (json_str(o, "todo")[0] != '\0') {
            buf_add_str(&page, "  - ");
            text_safe(&page, json_str(o, "todo"));
        }
        buf_add_str(&page, "\n");
    }
    buf_addf(&page, "%zu failed, %zu to look at.\n", r->failed, r->warned);
    command_print(&page);
}

/* ---- reads ---- */

bool report_wait(struct report *r, enum next next, struct reason *why, int *tries) {
    if (++*tries >= QUOTA_TRIES || next != NEXT_DEFER || strcmp(why->cause, "quota") != 0 ||
        why->wait_ms > QUOTA_WAIT_MS || !app_sleep(r->app, why->wait_ms > 0 ? why->wait_ms : 1000)) {
        return false;
    }
    memset(why, 0, sizeof *why);
    return true;
}

static const char *todo_of(const struct reason *why) {
    if (strcmp(why->cause, "credentials") == 0) {
        return "";
    }
    return strcmp(why->cause, "platform_down") == 0 ? "compare the address in the settings; is the network open?"
                                                    : "try again later";
}

static bool report_answer(struct report *r, const char *check, enum next next, const struct reason *why,
                          struct answer *answer, const char *platform) {
    if (next != NEXT_DONE) {
        report_add(r, CHECK_FAIL, check, todo_of(why), "%s", why->text);
        return false;
    }
    if (answer->status != 200 || answer->json == NULL) {
        report_add(r, CHECK_FAIL, check, "compare the account, store and site in the settings",
                   "%s answered %d without what was asked for", platform, answer->status);
        answer_free(answer);
        return false;
    }
    return true;
}

bool report_bigcommerce(struct report *r, const char *check, const char *path, struct answer *answer) {
    struct reason why = {0};
    enum next next;
    int tries = 0;
    do {
        next = bigcommerce_get(r->app, path, answer, &why);
    } while (report_wait(r, next, &why, &tries));
    return report_answer(r, check, next, &why, answer, "BigCommerce");
}

bool report_sitoo(struct report *r, const char *check, const char *path, struct answer *answer) {
    struct reason why = {0};
    enum next next;
    int tries = 0;
    do {
        next = sitoo_get(r->app, &path, answer, 1, &why);
    } while (report_wait(r, next, &why, &tries));
    return report_answer(r, check, next, &why, answer, "Sitoo");
}

const cJSON *report_find(const cJSON *list, const char *key, int64_t id) {
    const cJSON *item = NULL;
    int64_t n = 0;
    cJSON_ArrayForEach(item, list) {
        if (json_id(item, key, &n) && n == id) {
            return item;
        }
    }
    return NULL;
}

/* ---- settings and Redis ---- */

static void check_settings(struct report *r) {
    const struct settings *s = r->app->set;
    const struct mapping *m = s->mapping;
    size_t pickup = 0;
    for (size_t i = 0; i < m->location_count; i++) {
        pickup += m->locations[i].is_pickup ? 1 : 0;
    }
    report_add(r, CHECK_OK, "settings", "", "complete; tenant %s, mode %s%s", s->tenant,
               s->mode == MODE_LIVE ? "live" : "shadow",
               s->mode == MODE_LIVE   ? ""
               : s->mode == MODE_AUTO ? " until a baseline is accepted"
                                      : " (nothing is written)");
    if (s->dev) {
        report_add(r, CHECK_WARN, "settings", "take ONEPOOL_DEV away where events matter",
                   "ONEPOOL_DEV=1 allows a Redis that may lose events");
    }
    report_add(r, CHECK_OK, "mapping", "",
               "%zu locations (%zu for pickup) show %zu warehouses; the brake holds a write of more than %lld SKUs to "
               "zero or %lld units",
               m->location_count, pickup, m->warehouse_count, (long long)m->brake_max_zeroed_skus,
               (long long)m->brake_max_units_moved);
    report_add(r, CHECK_OK, "budgets", "",
               "%lld%% of BigCommerce's calls are left to other apps; of the rest stock owns %lld%%, orders %lld%%, "
               "refunds %lld%%, the rest %lld%%",
               (long long)m->budget_reserve_percent, (long long)m->weight_stock, (long long)m->weight_orders,
               (long long)m->weight_refunds, (long long)m->weight_rest);
}

/* What a rung of the ladder promises (durability.h). */
static const char *rung_text(const char *rung) {
    return strcmp(rung, "R1") == 0   ? "what is acknowledged is on disk"
           : strcmp(rung, "R0") == 0 ? "a power failure may lose two seconds of acknowledged events"
           : strcmp(rung, "none") == 0
               ? "a restart may lose everything"
               : "CONFIG is forbidden, so nobody sees how often the file is synced; what INFO tells is right";
}

static void report_durability(struct report *r, const struct durability *d) {
    static const char right[] = "use the settings of deploy/redis.conf";
    const char *rung = durability_rung(d);
    struct buf weak;
    buf_init(&weak, REASON_TEXT_MAX);
    if (durability_weak(d, &weak) > 0) {
        report_add(r, r->app->set->dev ? CHECK_WARN : CHECK_FAIL, "redis durability", right,
                   "rung %s: acknowledged events may be lost: %s", rung, buf_str(&weak));
    } else if (!d->config_known) {
        report_add(r, CHECK_WARN, "redis durability",
                   "make sure that appendfsync is always and no-appendfsync-on-rewrite no", "rung %s: %s", rung,
                   rung_text(rung));
    } else {
        report_add(r, CHECK_OK, "redis durability", "", "rung %s: %s", rung, rung_text(rung));
    }
    buf_free(&weak);
}

/* Asking anything of the library loads it. */
static bool check_library(struct report *r) {
    struct args a = {0};
    struct reason why = {0};
    redisReply *reply = NULL;
    args_add(&a, "1");
    enum next next = redis_fcall(r->app->redis, "parked_counts", &a, true, &reply, &why);
    args_free(&a);
    if (next != NEXT_DONE) {
        report_add(r, CHECK_FAIL, "redis functions", "our user needs FUNCTION LOAD and FCALL (Redis 7.0)", "%s",
                   why.text);
        return false;
    }
    freeReplyObject(reply);
    report_add(r, CHECK_OK, "redis functions", "", "library %s is loaded and answers", lua_version);
    return true;
}

void check_offset(struct report *r, const char *whose, int64_t offset_ms, int64_t limit_ms) {
    int64_t off = offset_ms < 0 ? -offset_ms : offset_ms;
    bool good = off <= OFFSET_WARN_MS;
    report_add(r,
               good             ? CHECK_OK
               : off < limit_ms ? CHECK_WARN
                                : CHECK_FAIL,
               "clock", good ? "" : "set this machine's clock, or the other one's (NTP)", "%lld.%01lld s %s %s's",
               (long long)(off / 1000), (long long)(off % 1000 / 100), offset_ms < 0 ? "behind" : "ahead of", whose);
}

/* Leases and waits go by Redis's clock; only readers of logs and statuses notice that it is off. Always true. */
static bool check_redis_clock(struct report *r) {
    struct reason why = {0};
    int64_t now_ms = 0;
    if (redis_time(r->app->redis, &now_ms, &why) != NEXT_DONE) {
        report_add(r, CHECK_WARN, "clock", "may our user call TIME?", "%s", why.text);
    } else {
        check_offset(r, "Redis", clock_wall_ms() - now_ms, INT64_MAX);
    }
    return true;
}

/* False: no platform can be asked, since the budgets are in Redis. */
static bool check_redis(struct report *r) {
    struct durability d;
    struct reason why = {0};
    enum next next = durability_read(r->app, &d, &why);
    if (next != NEXT_DONE) {
        report_add(r, CHECK_FAIL, "redis", "is it running, is REDIS_URL right, may our user call INFO?", "%s",
                   why.text);
        return false;
    }
    /* Durability is a line of its own, so a write is all that is asked for here. */
    next = durability_ready(r->app, true, &why);
    report_add(r, next == NEXT_DONE ? CHECK_OK : CHECK_FAIL, "redis", next == NEXT_DONE ? "" : "it must take writes",
               next == NEXT_DONE ? "version %s answers and takes writes" : "version %s answers, but: %s", d.version,
               why.text);
    report_durability(r, &d);
    return next == NEXT_DONE && check_library(r) && check_redis_clock(r);
}

int command_check(struct app *app, const struct command_line *line) {
    if (line->action != NULL) {
        return check_print_hooks(app, line);
    }
    cJSON *all = json_new_object();
    struct report r = {.app = app, .lines = json_add_array(all, "checks")};
    check_settings(&r);
    if (check_redis(&r)) {
        check_bigcommerce(&r);
        check_sitoo(&r);
        check_mapping(&r);
        check_hooks(&r);
    } else {
        report_add(&r, CHECK_FAIL, "platforms", "mend Redis first", "not asked: their quotas are kept in Redis");
    }
    if (line->json) {
        json_add_bool(all, "ok", r.failed == 0);
        command_print_json(all);
    } else {
        print_lines(&r);
    }
    cJSON_Delete(all);
    cJSON_Delete(r.locations);
    cJSON_Delete(r.warehouses);
    return r.failed == 0 ? 0 : 1;
}
