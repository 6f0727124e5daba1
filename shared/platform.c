/* SPDX-License-Identifier: Apache-2.0 */
#include "platform.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "faultpoint.h"
#include "json.h"
#include "log.h"
#include "random.h"
#include "ban.h"

#define SITOO_PERMIT_MS     (PLATFORM_TIMEOUT_MS + 5000) /* a dead holder loses the key after this */
#define URL_MAX             16000                        /* bytes; callers keep filters near 4,000 */
#define CREDENTIALS_WAIT_MS INT64_C(30000)
#define OTHER_KEY_WAIT_MS   INT64_C(1000)
#define WAVE_MAX            ((size_t)SITOO_KEYS_MAX * 10)

void answer_free(struct answer *a) {
    cJSON_Delete(a->json);
    free(a->text);
    memset(a, 0, sizeof *a);
}

static int64_t jitter_percent(void) {
    return random_below(101);
}

static void trace_call(struct app *app, const char *platform, const char *method, const char *path,
                       const struct http_answer *a) {
    LOG(LOG_DEBUG, "call", {"platform", platform}, {"method", method}, {"status", log_int(a->status)},
        {"took_ms", log_int(a->took_ms)});
    if (app->trace == NULL) {
        return;
    }
    cJSON *o = json_new_object();
    json_add_str(o, "platform", platform);
    json_add_str(o, "method", method);
    json_add_str(o, "path", path);
    json_add_int(o, "status", a->status);
    json_add_int(o, "took_ms", a->took_ms);
    char *text = json_print(o);
    app->trace("call", text);
    free(text);
    cJSON_Delete(o);
}

static enum next refused(const char *platform, const char *path, const struct http_answer *h, struct answer *a,
                         struct reason *why) {
    a->text = xstrndup(h->body, h->body_len < 300 ? h->body_len : 300);
    why->not_its_fault = true;
    if (h->status == 401 || h->status == 403) {
        why->wait_ms = CREDENTIALS_WAIT_MS;
        return reason_set(why, NEXT_DEFER, "credentials",
                          "%s answered %d: check its password or token, its scopes, and whether our address is allowed",
                          platform, h->status);
    }
    if (h->status == 429 || h->status >= 500) {
        return reason_set(why, NEXT_DEFER, h->status == 429 ? "quota" : "platform_down", "%s answered %d", platform,
                          h->status);
    }
    why->not_its_fault = false;
    return reason_set(why, NEXT_PARK, "refused", "%s answered %d to %.80s: %.200s", platform, h->status, path, a->text);
}

static bool looks_like_json(const char *body, size_t len) {
    size_t i = 0;
    while (i < len && strchr(" \t\r\n", body[i]) != NULL) {
        i++;
    }
    return i < len && (body[i] == '{' || body[i] == '[');
}

/* Turns a transport result into the meaning of platform.h. */
static enum next understand(const char *platform, const char *path, const struct http_answer *h, struct answer *a,
                            struct reason *why) {
    char error[120];
    memset(a, 0, sizeof *a);
    a->status = h->status;
    a->date_ms = h->date_ms;
    a->took_ms = h->took_ms;
    if (h->fate != HTTP_ANSWERED) {
        why->not_its_fault = true;
        why->ambiguous = h->fate == HTTP_AMBIGUOUS;
        return reason_set(why, NEXT_DEFER, "platform_down", "%s: %s", platform, h->error);
    }
    if (h->status == 404) {
        a->text = xstrndup(h->body, h->body_len < 300 ? h->body_len : 300);
        return NEXT_DONE;
    }
    if (h->status < 200 || h->status > 299) {
        return refused(platform, path, h, a, why);
    }
    if (h->status == 204 || h->body_len == 0) {
        return NEXT_DONE;
    }
    a->json = json_read(h->body, h->body_len, error, sizeof error);
    if (a->json == NULL) {
        /* A maintenance page, however often, says nothing about what was asked for. */
        why->not_its_fault = !looks_like_json(h->body, h->body_len);
        return reason_set(why, NEXT_DEFER, "not_json", "%s answered %d to %.80s with something that is not JSON (%s)",
                          platform, h->status, path, error);
    }
    return NEXT_DONE;
}

/* ---- Sitoo ---- */

/* The names that the Redis functions know, and the weights as they take them. */
static const char *const budget_names[] = {
    [BUDGET_STOCK] = "stock", [BUDGET_ORDERS] = "orders", [BUDGET_REFUNDS] = "refunds", [BUDGET_REST] = "rest"};

static void add_budget(struct args *a, const struct app *app) {
    const struct mapping *m = app->set->mapping;
    args_add(a, budget_names[app->budget]);
    if (m != NULL) {
        args_addf(a, "%lld %lld %lld %lld", (long long)m->weight_stock, (long long)m->weight_orders,
                  (long long)m->weight_refunds, (long long)m->weight_rest);
    } else {
        args_add(a, "");
    }
}

struct permit {
    int64_t key, slot;
    int64_t refused; /* 401 or 403: Sitoo refuses every key */
    char token[24];
};

/* NEXT_DONE with key 0 and *wait_ms when none is free now; p->refused is then 401 or 403 if that is why. waits: it will
 * ask again. */
static enum next sitoo_permit(struct app *app, bool waits, struct permit *p, int64_t *wait_ms, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add_int(&a, (int64_t)app->set->sitoo_key_count);
    args_add_int(&a, app->set->mapping != NULL ? app->set->mapping->sitoo_max_inflight : 1);
    args_add_int(&a, SITOO_PERMIT_MS);
    args_add(&a, app->holder);
    add_budget(&a, app);
    args_add(&a, waits ? "1" : "0");
    args_add_int(&a, app->sitoo_key);
    enum next next = redis_fcall(app->redis, "sitoo_take", &a, false, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    p->key = reply_int_at(reply, 0);
    p->slot = reply_int_at(reply, 1);
    (void)snprintf(p->token, sizeof p->token, "%lld", (long long)reply_int_at(reply, 2));
    *wait_ms = p->key > 0 ? 0 : p->slot;
    p->refused = p->key > 0 ? 0 : reply_int_at(reply, 2);
    freeReplyObject(reply);
    return NEXT_DONE;
}

/* The platform's own wait in ms from Retry-After or X-Rate-Limit-Reset, whichever is longer; 0 = none named. The reset
 * is a time of the platform's clock, which its Date tells; ours may be off. */
static int64_t sitoo_named_wait_ms(const struct http_answer *h) {
    int64_t wait = h->retry_after_s > 0 ? h->retry_after_s * 1000 : 0;
    if (h->reset_epoch_s > 0) {
        int64_t until = h->reset_epoch_s * 1000 - (h->date_ms != HTTP_ABSENT ? h->date_ms : clock_wall_ms());
        wait = until > wait ? until : wait;
    }
    return wait;
}

static void sitoo_return_permit(struct app *app, const struct permit *p, const struct http_answer *h) {
    struct args a = {0};
    struct reason ignored = {0};
    redisReply *reply = NULL;
    args_add_int(&a, p->key);
    args_add_int(&a, p->slot);
    args_add(&a, p->token);
    args_add_int(&a, h->fate == HTTP_ANSWERED ? h->status : 0);
    args_add_int(&a, sitoo_named_wait_ms(h));
    args_add_int(&a, app->set->mapping != NULL ? app->set->mapping->sitoo_min_interval_ms : 0);
    args_add_int(&a, jitter_percent());
    args_add_int(&a, (int64_t)app->set->sitoo_key_count);
    /* If Redis is away the permit ends by itself. */
    if (redis_fcall(app->redis, "sitoo_give", &a, true, &reply, &ignored) == NEXT_DONE) {
        freeReplyObject(reply);
    }
    args_free(&a);
}

static enum next no_key(const struct permit *p, int64_t wait_ms, struct reason *why) {
    why->wait_ms = wait_ms;
    why->not_its_fault = true;
    if (p->refused != 0) {
        return reason_set(why, NEXT_DEFER, "credentials",
                          "Sitoo answered %lld to every API key: check the passwords, and whether our address is "
                          "allowed; asked again in %lld ms",
                          (long long)p->refused, (long long)wait_ms);
    }
    return reason_set(why, NEXT_DEFER, "quota", "no Sitoo API key is free for another %lld ms", (long long)wait_ms);
}

/* Waits for one permit, then takes what else is free, up to want. */
static enum next sitoo_permits(struct app *app, struct permit *permits, size_t want, size_t *got, struct reason *why) {
    int64_t end = clock_mono_ms() + PLATFORM_WAIT_MAX_MS + PLATFORM_TIMEOUT_MS;
    *got = 0;
    while (*got < want) {
        int64_t wait = 0;
        enum next next = sitoo_permit(app, *got == 0, &permits[*got], &wait, why);
        if (next != NEXT_DONE) {
            return *got > 0 ? NEXT_DONE : next;
        }
        if (wait == 0) {
            (*got)++;
        } else if (*got > 0) {
            break;
        } else if (wait > PLATFORM_WAIT_MAX_MS || clock_mono_ms() > end) {
            return no_key(&permits[*got], wait, why);
        } else if (!app_sleep(app, wait > 10 ? 5 + wait * jitter_percent() / 100 : wait)) {
            why->not_its_fault = true;
            return reason_set(why, NEXT_DEFER, "stopping", "the process was told to stop");
        }
    }
    return NEXT_DONE;
}

static bool tick(void *arg) {
    return app_keep(arg);
}

/* A read; for a write the caller adds method and body. */
static void sitoo_request(struct app *app, struct http_request *q, const struct permit *p, const char *path,
                          char *url) {
    (void)snprintf(url, URL_MAX, "%s/accounts/%lld%s", app->set->sitoo_api_url, (long long)app->set->sitoo_account_id,
                   path);
    *q = (struct http_request){.method = "GET",
                               .url = url,
                               .headers = {"Accept: application/json"},
                               .user = app->set->sitoo_keys[p->key - 1].id,
                               .password = app->set->sitoo_keys[p->key - 1].password,
                               .timeout_ms = PLATFORM_TIMEOUT_MS,
                               .response_max = PLATFORM_ANSWER_MAX,
                               .may_repeat = true};
}

/* One wave: as many of paths[0..n-1] as permits are free. *done says how many were answered as they should. */
static enum next sitoo_wave(struct app *app, const char *const *paths, struct answer *answers, size_t n, size_t *done,
                            struct reason *why) {
    struct permit permits[WAVE_MAX];
    struct http_request requests[WAVE_MAX];
    struct http_answer results[WAVE_MAX];
    size_t got = 0;
    *done = 0;
    enum next next = sitoo_permits(app, permits, n < WAVE_MAX ? n : WAVE_MAX, &got, why);
    if (next != NEXT_DONE) {
        return next;
    }
    char *urls = xmalloc(got * URL_MAX);
    for (size_t i = 0; i < got; i++) {
        sitoo_request(app, &requests[i], &permits[i], paths[i], urls + i * URL_MAX);
    }
    fault_point(app, "platform.permit.sitoo");
    http_perform(app->http, requests, results, got, tick, app);
    fault_point(app, "platform.answered.sitoo");
    for (size_t i = 0; i < got; i++) {
        sitoo_return_permit(app, &permits[i], &results[i]);
        trace_call(app, "sitoo", "GET", paths[i], &results[i]);
        enum next one =
            understand("Sitoo", paths[i], &results[i], &answers[i], next == NEXT_DONE ? why : &(struct reason){0});
        if (one == NEXT_DONE && answers[i].json == NULL && answers[i].status != 404) {
            one = reason_set(why, NEXT_DEFER, "not_json", "Sitoo answered %.80s with an empty body", paths[i]);
        }
        if (next == NEXT_DONE && one != NEXT_DONE && app->set->sitoo_key_count > 1 &&
            (results[i].status == 401 || results[i].status == 403)) {
            why->wait_ms = OTHER_KEY_WAIT_MS; /* this key pauses now; the others do the work */
        }
        next = next == NEXT_DONE ? one : next;
        http_answer_free(&results[i]);
    }
    free(urls);
    *done = got;
    return next;
}

enum next sitoo_get(struct app *app, const char *const *paths, struct answer *answers, size_t n, struct reason *why) {
    size_t done = 0;
    memset(answers, 0, n * sizeof *answers);
    while (done < n) {
        size_t wave = 0;
        enum next next = sitoo_wave(app, paths + done, answers + done, n - done, &wave, why);
        done += wave;
        if (next != NEXT_DONE) {
            for (size_t i = 0; i < done; i++) {
                answer_free(&answers[i]);
            }
            return next;
        }
    }
    return NEXT_DONE;
}

static enum next sitoo_call(struct app *app, const char *method, const char *path, const char *body,
                            struct answer *answer, struct reason *why) {
    struct permit permit;
    struct http_request q;
    struct http_answer h;
    size_t got = 0;
    enum next next = sitoo_permits(app, &permit, 1, &got, why);
    if (next != NEXT_DONE) {
        return next;
    }
    char *url = xmalloc(URL_MAX);
    sitoo_request(app, &q, &permit, path, url);
    q.method = method;
    q.headers[1] = body != NULL ? "Content-Type: application/json" : NULL;
    q.body = body;
    q.body_len = body != NULL ? strlen(body) : 0;
    q.may_repeat = false;
    fault_point(app, "platform.permit.sitoo_write");
    http_perform(app->http, &q, &h, 1, tick, app);
    fault_point(app, "platform.answered.sitoo_write");
    sitoo_return_permit(app, &permit, &h);
    trace_call(app, "sitoo", method, path, &h);
    next = understand("Sitoo", path, &h, answer, why);
    if (next != NEXT_DONE && app->set->sitoo_key_count > 1 && (h.status == 401 || h.status == 403)) {
        why->wait_ms = OTHER_KEY_WAIT_MS;
    }
    http_answer_free(&h);
    free(url);
    return next;
}

enum next sitoo_write(struct app *app, const char *method, const char *path, const char *body, struct answer *answer,
                      struct reason *why) {
    memset(answer, 0, sizeof *answer);
    enum next next = sitoo_call(app, method, path, body, answer, why);
    if (body == NULL && answer->status >= 200 && answer->status <= 299) {
        why->ambiguous = false; /* the status says all */
        return NEXT_DONE;
    }
    if (next == NEXT_DONE && answer->json == NULL && answer->status != 404) {
        next = reason_set(why, NEXT_DEFER, "not_json", "Sitoo answered %.80s with an empty body", path);
    }
    /* Robustness: as in bigcommerce_write. */
    if (answer->status >= 500 || (next != NEXT_DONE && answer->status >= 200 && answer->status <= 299)) {
        why->ambiguous = true;
    }
    if (next == NEXT_DONE && answer->status == 404) {
        return reason_set(why, NEXT_PARK, "refused", "Sitoo answered 404 to %s: %.200s", path,
                          answer->text != NULL ? answer->text : "");
    }
    return next;
}

/* ---- BigCommerce ---- */

/* rate_take or rate_pace: both answer with the milliseconds to wait. */
static enum next ask_budget(struct app *app, const char *function, int64_t cost, int64_t *wait_ms, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add_int(&a, cost);
    args_add_int(&a, app->set->mapping != NULL ? app->set->mapping->budget_reserve_percent : 10);
    add_budget(&a, app);
    enum next next = redis_fcall(app->redis, function, &a, false, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        *wait_ms = reply_int(reply);
        freeReplyObject(reply);
    }
    return next;
}

enum next bigcommerce_pace(struct app *app, int64_t cost, int64_t *wait_ms, struct reason *why) {
    return ask_budget(app, "rate_pace", cost, wait_ms, why);
}

static enum next bigcommerce_permit(struct app *app, struct reason *why) {
    int64_t end = clock_mono_ms() + PLATFORM_WAIT_MAX_MS;
    for (;;) {
        int64_t wait = 0;
        enum next next = ask_budget(app, "rate_take", 1, &wait, why);
        if (next != NEXT_DONE || wait <= 0) {
            return next;
        }
        why->not_its_fault = true;
        if (clock_mono_ms() + wait > end) {
            why->wait_ms = wait;
            return reason_set(why, NEXT_DEFER, "quota",
                              "BigCommerce's quota is used up, kept for other work, or it asked to wait: %lld ms",
                              (long long)wait);
        }
        if (!app_sleep(app, wait)) {
            return reason_set(why, NEXT_DEFER, "stopping", "the process was told to stop");
        }
    }
}

static void bigcommerce_adopt(struct app *app, const struct http_answer *h) {
    struct args a = {0};
    struct reason ignored = {0};
    redisReply *reply = NULL;
    args_add_int(&a, h->fate == HTTP_ANSWERED ? h->status : 0);
    args_add_int(&a, h->rate_quota);
    args_add_int(&a, h->rate_left);
    args_add_int(&a, h->rate_reset_ms);
    args_add_int(&a, h->rate_window_ms);
    args_add_int(&a, h->retry_after_s);
    args_add_int(&a, jitter_percent());
    args_add_int(&a, h->took_ms);
    if (redis_fcall(app->redis, "rate_adopt", &a, true, &reply, &ignored) == NEXT_DONE) {
        freeReplyObject(reply);
    }
    args_free(&a);
}

static enum next bigcommerce_call(struct app *app, const char *method, const char *path, const char *body,
                                  struct answer *answer, struct reason *why) {
    char token[200];
    struct http_answer h;
    memset(answer, 0, sizeof *answer);
    enum next next = bigcommerce_permit(app, why);
    if (next != NEXT_DONE) {
        return next;
    }
    char *url = xmalloc(URL_MAX);
    (void)snprintf(url, URL_MAX, "%s/stores/%s%s", app->set->bigcommerce_api_url, app->set->bigcommerce_store_hash,
                   path);
    (void)snprintf(token, sizeof token, "X-Auth-Token: %s", app->set->bigcommerce_token);
    const struct http_request q = {
        .method = method,
        .url = url,
        .headers = {"Accept: application/json", token, body != NULL ? "Content-Type: application/json" : NULL},
        .body = body,
        .body_len = body != NULL ? strlen(body) : 0,
        .timeout_ms = PLATFORM_TIMEOUT_MS,
        .response_max = PLATFORM_ANSWER_MAX,
        .may_repeat = body == NULL};
    fault_point_of("platform.permit.bigcommerce_", method);
    http_perform(app->http, &q, &h, 1, tick, app);
    fault_point_of("platform.answered.bigcommerce_", method);
    bigcommerce_adopt(app, &h);
    trace_call(app, "bigcommerce", method, path, &h);
    next = understand("BigCommerce", path, &h, answer, why);
    http_answer_free(&h);
    explicit_bzero(token, sizeof token);
    free(url);
    return next;
}

enum next bigcommerce_get(struct app *app, const char *path, struct answer *answer, struct reason *why) {
    enum next next = bigcommerce_call(app, "GET", path, NULL, answer, why);
    if (next != NEXT_DONE) {
        int status = answer->status;
        answer_free(answer);
        answer->status = status;
    }
    return next;
}

enum next bigcommerce_write(struct app *app, const char *method, const char *path, const char *body,
                            struct answer *answer, struct reason *why) {
    enum next next = bigcommerce_call(app, method, path, body, answer, why);
    /* Robustness: a gateway's 502 or 504 says nothing about what the platform behind it did, nor does a 500; an
       unreadable 200 at least tells that it was reached. */
    if (answer->status >= 500 || (next != NEXT_DONE && answer->status >= 200 && answer->status <= 299)) {
        why->ambiguous = true;
    }
    if (next == NEXT_DONE && answer->status == 404) {
        return reason_set(why, NEXT_PARK, "refused", "BigCommerce answered 404 to %s: %.200s", path,
                          answer->text != NULL ? answer->text : "");
    }
    return next;
}
