/* SPDX-License-Identifier: Apache-2.0 */
/* onepool windows: the longest oversell windows, which part took longest, and the web orders that fell inside. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "command.h"
#include "json.h"
#include "keys.h"
#include "quantity.h"
#include "text.h"
#include "windows_part.h"
#include "ban.h"

#define HOUR_MS    INT64_C(3600000)
#define DAY_MS     (24 * HOUR_MS)
#define DAYS_MAX   90 /* daily sums are kept so long; single windows for 14 days */
#define LIMIT      20
#define LIMIT_MAX  1000
#define ORDERS_MAX ((size_t)1000) /* looked at for one window */
#define PAGE_MAX   ((size_t)4 * 1024 * 1024)

/* "24h", "7d", or a moment such as 2026-11-23T10:00:00Z. */
static bool read_since(const char *text, int64_t *since_ms) {
    char digits[8];
    int64_t n = 0;
    size_t len = strspn(text, "0123456789");
    if (len > 0 && len < sizeof digits && (strcmp(text + len, "h") == 0 || strcmp(text + len, "d") == 0)) {
        memcpy(digits, text, len);
        digits[len] = '\0';
        if (!int_parse(digits, 1, DAYS_MAX * 24, &n)) {
            return false;
        }
        *since_ms = clock_wall_ms() - n * (text[len] == 'h' ? HOUR_MS : DAY_MS);
    } else if (!clock_parse_iso(text, since_ms)) {
        return false;
    }
    return *since_ms > clock_wall_ms() - (DAYS_MAX + 1) * DAY_MS && *since_ms <= clock_wall_ms();
}

bool windows_words(char **words, struct command_line *line) {
    for (; *words != NULL; words++) {
        if (strcmp(*words, "--json") == 0) {
            line->json = true;
        } else if (strcmp(*words, "--since") == 0 && words[1] != NULL) {
            if (!read_since(*++words, &line->windows.since_ms)) {
                (void)fprintf(
                    stderr,
                    "onepool: --since %s: must be such as 24h, 7d or 2026-11-23T10:00:00Z, within the last %d "
                    "days\n",
                    *words, DAYS_MAX);
                return false;
            }
        } else if (strcmp(*words, "--limit") == 0 && words[1] != NULL) {
            if (!int_parse(*++words, 1, LIMIT_MAX, &line->windows.limit)) {
                (void)fprintf(stderr, "onepool: --limit %s: must be a whole number from 1 to %d\n", *words, LIMIT_MAX);
                return false;
            }
        } else {
            return false;
        }
    }
    return true;
}

/* ---- reading ---- */

struct found {
    cJSON **list; /* as recorded */
    size_t n, cap;
    int64_t since_ms;
};

static int64_t number(const cJSON *o, const char *key) {
    int64_t n = 0;
    return json_id(o, key, &n) ? n : 0;
}

static int64_t duration(const cJSON *o) {
    int64_t ms = number(o, "confirmed") - number(o, "till");
    return ms > 0 ? ms : 0;
}

static int by_duration(const void *a, const void *b) {
    int64_t x = duration(*(cJSON *const *)a), y = duration(*(cJSON *const *)b);
    return x < y ? 1 : x > y ? -1 : 0;
}

static void keep(struct found *f, const char *text) {
    char error[80];
    cJSON *o = json_read(text, strlen(text), error, sizeof error);
    if (o == NULL || number(o, "confirmed") < f->since_ms) {
        cJSON_Delete(o);
        return;
    }
    if (f->n == f->cap) {
        f->cap = f->cap * 2 + 16;
        f->list = xrealloc(f->list, f->cap, sizeof *f->list);
    }
    f->list[f->n++] = o;
}

static void found_free(struct found *f) {
    for (size_t i = 0; i < f->n; i++) {
        cJSON_Delete(f->list[i]);
    }
    free(f->list);
}

static enum next command(struct app *app, struct args *a, redisReply **reply, struct reason *why) {
    enum next next = redis_command(app->redis, a, true, reply, why);
    args_free(a);
    return next;
}

static enum next read_day(struct app *app, bool offline, int64_t day, struct found *f, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    char key[64];
    (void)snprintf(key, sizeof key, offline ? KEY_WINDOWS_OFFLINE : KEY_WINDOWS, (long long)day);
    args_add(&a, "ZRANGE");
    args_add_key(&a, app->redis, key);
    args_add_int(&a, 0);
    args_add_int(&a, -1);
    enum next next = command(app, &a, &reply, why);
    for (size_t i = 0; next == NEXT_DONE && i < reply->elements; i++) {
        keep(f, reply_str_at(reply, i));
    }
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}

static enum next read_days(struct app *app, bool offline, struct found *f, struct reason *why) {
    enum next next = NEXT_DONE;
    for (int64_t day = f->since_ms / DAY_MS; next == NEXT_DONE && day <= clock_wall_ms() / DAY_MS; day++) {
        next = read_day(app, offline, day, f, why);
    }
    if (f->n > 1) {
        qsort(f->list, f->n, sizeof *f->list, by_duration);
    }
    return next;
}

/* ---- web orders that fell inside ---- */

/* skus: what the order held when it was placed. */
static bool order_has(const char *skus, const char *sku) {
    char error[80];
    const cJSON *held = NULL;
    bool has = false;
    cJSON *list = json_read(skus, strlen(skus), error, sizeof error);
    cJSON_ArrayForEach(held, list) {
        has = has || (cJSON_IsString(held) && strcmp(held->valuestring, sku) == 0);
    }
    cJSON_Delete(list);
    return has;
}

/* Orders placed from the sale on until the level was accepted, each with its time; dates of orders have whole seconds.
 * One more than is looked at, if there are so many. */
static enum next placed_between(struct app *app, const cJSON *w, redisReply **placed, struct reason *why) {
    struct args a = {0};
    int64_t until = number(w, "accepted");
    args_add(&a, "ZRANGEBYSCORE");
    args_add_key(&a, app->redis, KEY_PLACED);
    args_add_int(&a, number(w, "till") / 1000 * 1000);
    args_add_int(&a, until > 0 ? until : number(w, "confirmed"));
    args_add(&a, "WITHSCORES");
    args_add(&a, "LIMIT");
    args_add_int(&a, 0);
    args_add_int(&a, (int64_t)ORDERS_MAX + 1);
    return command(app, &a, placed, why);
}

/* Those of n orders that held the SKU. */
static enum next add_holders(struct app *app, const redisReply *placed, size_t n, const char *sku, cJSON *list,
                             struct reason *why) {
    struct args *cmds = xcalloc(n + 1, sizeof *cmds);
    redisReply **replies = xcalloc(n + 1, sizeof *replies);
    for (size_t i = 0; i < n; i++) {
        char key[64];
        int64_t at = 0;
        (void)int_parse(reply_str_at(placed, 2 * i + 1), 0, INT64_MAX, &at);
        (void)snprintf(key, sizeof key, KEY_PLACED_SKUS, (long long)(at / DAY_MS));
        args_add(&cmds[i], "HGET");
        args_add_key(&cmds[i], app->redis, key);
        args_add(&cmds[i], reply_str_at(placed, 2 * i));
    }
    enum next next = redis_pipeline(app->redis, cmds, n, true, replies, why);
    for (size_t i = 0; next == NEXT_DONE && i < n; i++) {
        int64_t id = 0;
        const char *skus = reply_str(replies[i]);
        if (skus != NULL && order_has(skus, sku) && int_parse(reply_str_at(placed, 2 * i), 1, JSON_INT_MAX, &id)) {
            (void)cJSON_AddItemToArray(list, cJSON_CreateNumber((double)id));
        }
    }
    redis_pipeline_free(cmds, replies, n);
    free(replies);
    free(cmds);
    return next;
}

static enum next add_orders(struct app *app, const cJSON *w, cJSON *out, struct reason *why) {
    redisReply *placed = NULL;
    cJSON *list = json_add_array(out, "web_orders");
    enum next next = placed_between(app, w, &placed, why);
    if (next != NEXT_DONE) {
        return next;
    }
    size_t n = placed->elements / 2;
    json_add_bool(out, "web_orders_cut", n > ORDERS_MAX);
    n = n > ORDERS_MAX ? ORDERS_MAX : n;
    next = n > 0 ? add_holders(app, placed, n, json_str(w, "sku"), list, why) : NEXT_DONE;
    freeReplyObject(placed);
    return next;
}

/* ---- what is shown ---- */

static void add_time(cJSON *out, const char *name, int64_t ms) {
    if (ms > 0) {
        json_add_int(out, name, ms);
    } else {
        json_add_str(out, name, NULL);
    }
}

static enum next add_window(struct app *app, const cJSON *w, bool offline, cJSON *list, struct reason *why) {
    const char *cause = json_str(w, "cause"), *warehouses = json_str(w, "warehouses");
    const struct window times = {.till_ms = number(w, "till"),
                                 .event_ms = number(w, "event"),
                                 .taken_ms = number(w, "taken"),
                                 .sent_ms = number(w, "sent"),
                                 .accepted_ms = number(w, "accepted"),
                                 .confirmed_ms = number(w, "confirmed"),
                                 .waited = number(w, "waited"),
                                 .cause = cause != NULL ? cause : "-",
                                 .offline = offline};
    struct window_part part;
    cJSON *o = json_new_object();
    (void)cJSON_AddItemToArray(list, o);
    window_longest(&times, &part);
    json_add_str(o, "sku", json_str(w, "sku"));
    json_add_int(o, "location", number(w, "location"));
    json_add_str(o, "warehouses", warehouses != NULL && strcmp(warehouses, "-") != 0 ? warehouses : NULL);
    json_add_int(o, "ms", duration(w));
    json_add_int(o, "till_ms", times.till_ms);
    add_time(o, "event_ms", times.event_ms);
    add_time(o, "taken_ms", times.taken_ms);
    add_time(o, "written_ms", times.sent_ms);
    add_time(o, "accepted_ms", times.accepted_ms);
    json_add_int(o, "confirmed_ms", times.confirmed_ms);
    cJSON *longest = json_add_object(o, "longest");
    json_add_str(longest, "part", part.name);
    json_add_int(longest, "ms", part.ms);
    json_add_str(longest, "words", part.words);
    return add_orders(app, w, o, why);
}

static enum next collect(struct app *app, bool offline, int64_t since_ms, int64_t limit, cJSON *list,
                         struct reason *why) {
    struct found f = {.since_ms = since_ms};
    enum next next = read_days(app, offline, &f, why);
    for (size_t i = 0; next == NEXT_DONE && i < f.n && (int64_t)i < limit; i++) {
        next = add_window(app, f.list[i], offline, list, why);
    }
    found_free(&f);
    return next;
}

static enum next collect_sums(struct app *app, int64_t since_ms, cJSON *list, struct reason *why) {
    static const char *const names[] = {"n", "ms", "worst", "offline"}, *const shown[] = {"windows", "sum_ms",
                                                                                          "worst_ms", "offline"};
    enum next next = NEXT_DONE;
    for (int64_t day = since_ms / DAY_MS; next == NEXT_DONE && day <= clock_wall_ms() / DAY_MS; day++) {
        struct args a = {0};
        redisReply *reply = NULL;
        char key[64], date[CLOCK_TEXT_SIZE];
        int64_t n = 0;
        (void)snprintf(key, sizeof key, KEY_WINDOWS_SUM, (long long)day);
        args_add(&a, "HMGET");
        args_add_key(&a, app->redis, key);
        for (size_t i = 0; i < 4; i++) {
            args_add(&a, names[i]);
        }
        next = command(app, &a, &reply, why);
        if (next == NEXT_DONE) {
            cJSON *o = json_new_object();
            clock_format(day * DAY_MS, date);
            date[10] = '\0';
            json_add_str(o, "day", date);
            for (size_t i = 0; i < 4; i++) {
                const char *text = reply_str_at(reply, i);
                json_add_int(o, shown[i], text != NULL && int_parse(text, 0, INT64_MAX, &n) ? n : 0);
            }
            (void)cJSON_AddItemToArray(list, o);
            freeReplyObject(reply);
        }
    }
    return next;
}

/* ---- text ---- */

static void add_clock(struct buf *page, const char *name, const cJSON *w, const char *key) {
    char at[CLOCK_TEXT_SIZE];
    int64_t ms = 0;
    if (json_int(w, key, &ms)) {
        clock_format(ms, at);
        buf_addf(page, "%s %.12s", name, at + 11); /* the time of day */
    } else {
        buf_addf(page, "%s ?", name);
    }
}

static void print_window(struct buf *page, const cJSON *w) {
    static const char *const times[][2] = {{"    till", "till_ms"},       {", event", "event_ms"},
                                           {", taken", "taken_ms"},       {", written", "written_ms"},
                                           {", accepted", "accepted_ms"}, {", confirmed", "confirmed_ms"}};
    char age[TEXT_AGE_SIZE], day[CLOCK_TEXT_SIZE];
    const cJSON *order = NULL;
    int64_t id = 0;
    text_age(number(w, "ms"), age);
    clock_format(number(w, "till_ms"), day);
    day[10] = '\0';
    buf_addf(page, "%-8s ", age);
    text_safe(page, json_str(w, "sku"));
    buf_addf(page, "  location %lld", (long long)number(w, "location"));
    if (json_str(w, "warehouses") != NULL) {
        buf_addf(page, "  shop %s", json_str(w, "warehouses"));
    }
    buf_addf(page, "  %s\n    ", day);
    text_safe(page, json_str(json_get(w, "longest"), "words"));
    buf_add_str(page, "\n");
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        add_clock(page, times[i][0], w, times[i][1]);
    }
    buf_add_str(page, " UTC\n");
    if (cJSON_GetArraySize(json_get(w, "web_orders")) > 0) {
        buf_add_str(page, "    web orders inside:");
        cJSON_ArrayForEach(order, json_get(w, "web_orders")) {
            buf_addf(page, " %lld", (long long)(json_item_int(order, &id) ? id : 0));
        }
        buf_add_str(page, "\n");
    }
    if (cJSON_IsTrue(json_get(w, "web_orders_cut"))) {
        buf_addf(page, "    more than %zu web orders were placed in between; the others were not looked at\n",
                 ORDERS_MAX);
    }
}

static void print_text(const cJSON *all) {
    struct buf page;
    const cJSON *w = NULL, *day = NULL;
    char worst[TEXT_AGE_SIZE], mean[TEXT_AGE_SIZE];
    buf_init(&page, PAGE_MAX);
    cJSON_ArrayForEach(day, json_get(all, "days")) {
        int64_t n = number(day, "windows");
        text_age(number(day, "worst_ms"), worst);
        text_age(n > 0 ? number(day, "sum_ms") / n : 0, mean);
        buf_addf(&page, "%s  %lld windows, mean %s, longest %s; of offline tills %lld\n", json_str(day, "day"),
                 (long long)n, mean, worst, (long long)number(day, "offline"));
    }
    if (cJSON_GetArraySize(json_get(all, "windows")) > 0) {
        buf_add_str(&page, "\nThe longest, from the sale until the web shop showed it:\n");
    }
    cJSON_ArrayForEach(w, json_get(all, "windows")) {
        print_window(&page, w);
    }
    if (cJSON_GetArraySize(json_get(all, "offline")) > 0) {
        buf_add_str(&page, "\nOf tills that were offline for more than ten minutes:\n");
    }
    cJSON_ArrayForEach(w, json_get(all, "offline")) {
        print_window(&page, w);
    }
    command_print(&page);
}

int command_windows(struct app *app, const struct command_line *line) {
    struct reason why = {0};
    int64_t since = line->windows.since_ms > 0 ? line->windows.since_ms : clock_wall_ms() - DAY_MS;
    int64_t limit = line->windows.limit > 0 ? line->windows.limit : LIMIT;
    cJSON *all = json_new_object();
    json_add_int(all, "since_ms", since);
    enum next next = collect(app, false, since, limit, json_add_array(all, "windows"), &why);
    if (next == NEXT_DONE) {
        next = collect(app, true, since, limit, json_add_array(all, "offline"), &why);
    }
    if (next == NEXT_DONE) {
        next = collect_sums(app, since, json_add_array(all, "days"), &why);
    }
    if (next != NEXT_DONE) {
        cJSON_Delete(all);
        return command_failed(line, &why);
    }
    if (line->json) {
        command_print_json(all);
    } else {
        /* Numbers were added as raw text; read back once, so that they can be asked for. */
        char *text = json_print(all), error[80];
        cJSON *read = json_read(text, strlen(text), error, sizeof error);
        print_text(read);
        cJSON_Delete(read);
        free(text);
    }
    cJSON_Delete(all);
    return 0;
}
