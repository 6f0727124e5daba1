/* SPDX-License-Identifier: Apache-2.0 */
#include "feed.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "buf.h"
#include "clock.h"
#include "json.h"
#include "keys.h"
#include "log.h"
#include "queue.h"
#include "ban.h"

#define BASIC_MAX 512 /* bytes of decoded credentials */

const char *feed_act_name(enum feed_act act) {
    switch (act) {
    case FEED_ORDER:
        return "order";
    case FEED_LEDGER:
        return "ledger";
    case FEED_IGNORED:
        return "ignored";
    case FEED_FOREIGN:
        return "foreign";
    case FEED_BAD:
        return "bad";
    }
    return "bad";
}

static void bad(struct feed_event *out, const char *problem) {
    out->act = FEED_BAD;
    (void)str_copy(out->problem, sizeof out->problem, problem);
}

/* order, booking and order-delivery events name an order; so may types that do not exist yet, which only count. */
static bool names_order(const char *type) {
    return strcmp(type, "order") == 0 || strcmp(type, "booking") == 0 || strcmp(type, "order-delivery") == 0;
}

static bool moves_stock(const char *type) {
    return strcmp(type, "warehouse-transaction") == 0 || strcmp(type, "shipment") == 0 ||
           strcmp(type, "shipment-v3") == 0;
}

static void plan_order(const cJSON *element, int64_t site_id, struct feed_event *out) {
    const cJSON *data = json_get(element, "data");
    const char *what = json_str(data, "order_event_type");
    int64_t site = 0;
    if (!cJSON_IsObject(data)) {
        bad(out, "data: must be an object");
        return;
    }
    if (what != NULL && strcmp(what, "email-receipt") == 0) {
        out->act = FEED_IGNORED;
        return;
    }
    if (!json_int(data, "eshop_id", &site)) {
        bad(out, "data.eshop_id: must be a whole number");
    } else if (site != site_id) {
        out->act = FEED_FOREIGN;
    } else if (!json_int(data, "order_id", &out->order_id) || out->order_id <= 0) {
        bad(out, "data.order_id: must be a whole number above 0");
    } else {
        out->act = FEED_ORDER;
    }
}

void feed_plan(const cJSON *element, int64_t account_id, int64_t site_id, struct feed_event *out) {
    int64_t account = 0;
    const char *id = json_str(element, "event_id"), *type = json_str(element, "event_type");
    memset(out, 0, sizeof *out);
    if (!cJSON_IsObject(element)) {
        bad(out, "the element is not an object");
    } else if (id == NULL || id[0] == '\0') {
        bad(out, "event_id: missing or not a text");
    } else if (strlen(id) > FEED_EVENT_ID_MAX) {
        bad(out, "event_id: longer than 128 bytes");
    } else if (type == NULL) {
        bad(out, "event_type: missing or not a text");
    } else if (!json_int(element, "account_id", &account)) {
        bad(out, "account_id: must be a whole number");
    } else {
        (void)str_copy(out->id, sizeof out->id, id);
        if (account != account_id) {
            out->act = FEED_FOREIGN;
        } else if (names_order(type)) {
            plan_order(element, site_id, out);
        } else {
            out->act = moves_stock(type) ? FEED_LEDGER : FEED_IGNORED;
        }
    }
}

/* Short digest that names raw bytes in a case id. */
static void digest(const char *data, size_t len, char out[17]) {
    unsigned char sum[SHA256_DIGEST_LENGTH];
    (void)SHA256((const unsigned char *)data, len, sum);
    for (size_t i = 0; i < 8; i++) {
        (void)snprintf(out + 2 * i, 3, "%02x", (unsigned)sum[i]);
    }
}

static void case_raw(const struct app *app, struct args *effects, const char *cause, const char *text,
                     const char *bytes, size_t len) {
    char entity[40], sum[17];
    digest(bytes, len, sum);
    (void)snprintf(entity, sizeof entity, "event %s", sum);
    const struct parked p = {.cause = cause,
                             .owner = app->set->mapping != NULL ? app->set->mapping->owner_stock : "operations",
                             .entity = entity,
                             .text = text,
                             .effect =
                                 "One event of Sitoo was not acted on; the ledger is still read, so stock stays right",
                             .step = "Show the bytes to the integrator; then run: onepool parked --close",
                             .queue = "",
                             .job = "",
                             .bytes = bytes,
                             .bytes_len = len};
    effect_case(effects, &p);
}

void feed_effects(const struct app *app, const struct feed_event *e, const char *bytes, size_t len,
                  struct args *effects) {
    char order[24];
    switch (e->act) {
    case FEED_ORDER:
        (void)snprintf(order, sizeof order, "%lld", (long long)e->order_id);
        effect_mark(effects, QUEUE_ORDER, order, 0, "", "");
        effect_told(effects, FEED_SOURCE, order);
        effect_mark(effects, QUEUE_LEDGER, "main", 0, "", "");
        break;
    case FEED_LEDGER:
        effect_mark(effects, QUEUE_LEDGER, "main", 0, "", "");
        break;
    case FEED_IGNORED:
        effect_count(effects, "events:ignored", 1);
        break;
    case FEED_FOREIGN:
        effect_count(effects, "events:foreign", 1);
        break;
    case FEED_BAD:
        effect_count(effects, "events:bad", 1);
        case_raw(app, effects, e->whole_body ? "bad_batch" : "bad_event", e->problem, bytes, len);
        if (e->whole_body) {
            effect_mark(effects, QUEUE_LEDGER, "main", 0, "", "");
        }
        break;
    }
}

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Where the element that begins at `at` ends: its comma, or the bracket that ends the list; end if there is none. Looks
 * at brackets and texts alone, so that an element that is no JSON harms no other. */
static const char *element_end(const char *at, const char *end) {
    size_t depth = 0;
    bool text = false;
    for (; at < end; at++) {
        if (text) {
            text = *at != '"';
            at += *at == '\\' && at + 1 < end ? 1 : 0;
        } else if (*at == '"') {
            text = true;
        } else if (*at == '[' || *at == '{') {
            depth++;
        } else if (depth == 0 && (*at == ',' || *at == ']' || *at == '}')) {
            return at;
        } else if (*at == ']' || *at == '}') {
            depth--;
        }
    }
    return end;
}

struct span {
    const char *bytes;
    size_t len;
};

/* The elements of a list, as received and without the white space around them. NULL if the body is none, or has more
 * than FEED_BATCH_MAX, which problem then says. The caller frees. */
static struct span *split(const char *body, size_t len, size_t *n, char *problem, size_t problem_size) {
    const char *at = body, *end = body + len;
    struct span *list = xcalloc(FEED_BATCH_MAX, sizeof *list);
    bool more = true, good = true;
    *n = 0;
    for (; at < end && is_space(*at); at++) {
    }
    good = at < end && *at++ == '[';
    while (good && more) {
        const char *stop = element_end(at, end), *last = stop;
        for (; at < last && is_space(*at); at++) {
        }
        for (; last > at && is_space(last[-1]); last--) {
        }
        more = stop < end && *stop == ',';
        good = stop < end && *stop != '}' && (last > at || (*n == 0 && !more));
        if (good && last > at && *n == FEED_BATCH_MAX) {
            (void)snprintf(problem, problem_size, "the batch has more than %d elements", FEED_BATCH_MAX);
            good = false;
        } else if (good && last > at) {
            list[(*n)++] = (struct span){.bytes = at, .len = (size_t)(last - at)};
        }
        at = good ? stop + 1 : at;
    }
    for (; good && at < end && is_space(*at); at++) {
    }
    if (!good || at < end) {
        free(list);
        return NULL;
    }
    return list;
}

void feed_element(const struct app *app, const char *bytes, size_t len, struct feed_event *e) {
    *e = (struct feed_event){.act = FEED_BAD};
    cJSON *element = json_read(bytes, len, e->problem, sizeof e->problem);
    if (element != NULL) {
        feed_plan(element, app->set->sitoo_account_id, app->set->sitoo_site_id, e);
    }
    cJSON_Delete(element);
}

size_t feed_read(const struct app *app, const char *body, size_t len, feed_take *take, void *arg) {
    struct feed_event e = {.act = FEED_BAD, .whole_body = true};
    size_t n = 0;
    struct span *list = split(body, len, &n, e.problem, sizeof e.problem);
    if (list == NULL) {
        if (e.problem[0] == '\0') {
            (void)str_copy(e.problem, sizeof e.problem, "the body is not a JSON array");
            cJSON_Delete(json_read(body, len, e.problem, sizeof e.problem));
        }
        take(arg, &e, body, len);
        return 1;
    }
    for (size_t i = 0; i < n; i++) {
        feed_element(app, list[i].bytes, list[i].len, &e);
        take(arg, &e, list[i].bytes, list[i].len);
    }
    free(list);
    return n;
}

/* ---- the accept command ---- */

struct batch {
    const struct app *app;
    struct args *args;
    size_t taken;
};

static void trace_event(const struct app *app, const struct feed_event *e, size_t index) {
    char line[160];
    (void)snprintf(line, sizeof line, "{\"event\":%zu,\"act\":\"%s\",\"order\":%lld}", index, feed_act_name(e->act),
                   (long long)e->order_id);
    app->trace("plan", line);
}

static void log_event(const struct feed_event *e, size_t number, size_t len) {
    if (e->whole_body) {
        LOG(LOG_ALARM, "batch of events is not what Sitoo documents; stored raw", {"problem", e->problem},
            {"bytes", log_int((long long)len)});
    } else if (e->act == FEED_FOREIGN || e->act == FEED_BAD) {
        LOG(LOG_WARN, "event stored, not acted on", {"element", log_int((long long)number)}, {"event", e->id},
            {"act", feed_act_name(e->act)}, {"problem", e->problem[0] != '\0' ? e->problem : NULL});
    }
}

/* Appends one event of the accept command. */
static void take_event(void *arg, const struct feed_event *e, const char *bytes, size_t len) {
    struct batch *b = arg;
    struct args effects = {0};
    feed_effects(b->app, e, bytes, len, &effects);
    args_add(b->args, e->id);
    args_add_bytes(b->args, bytes, len);
    args_add(b->args, "0"); /* a duplicate of Sitoo changes nothing more */
    args_add_int(b->args, (int64_t)effects.n);
    args_append(b->args, &effects);
    args_free(&effects);
    log_event(e, b->taken + 1, len);
    if (b->app->trace != NULL && !e->whole_body) {
        trace_event(b->app, e, b->taken);
    }
    b->taken++;
}

size_t feed_events(const struct app *app, const char *body, size_t len, struct args *args) {
    struct batch b = {.app = app, .args = args};
    size_t n = feed_read(app, body, len, take_event, &b);
    if (n > FEED_EVENTS_MAX) {
        LOG(LOG_WARN, "batch is longer than the documented 10 events; taken", {"events", log_int((long long)n)});
    }
    return n;
}

/* Decodes "Basic base64(user:password)" into user and password; false if it is anything else. A NUL in it would end the
 * password early, and EVP_DecodeBlock passes over white space and counts padding as bytes: none of these is let
 * through. */
static bool basic_read(const char *header, char *out, size_t size, const char **password) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (header == NULL || strncasecmp(header, "Basic ", 6) != 0) {
        return false;
    }
    header += 6 + strspn(header + 6, " ");
    size_t len = strlen(header), digits = strspn(header, alphabet), padding = strspn(header + digits, "=");
    if (len == 0 || len % 4 != 0 || len / 4 * 3 >= size || digits + padding != len || padding > 2) {
        return false;
    }
    int n = EVP_DecodeBlock((unsigned char *)out, (const unsigned char *)header, (int)len);
    if (n < (int)padding) {
        return false;
    }
    n -= (int)padding;
    out[n] = '\0';
    char *colon = memchr(out, ':', (size_t)n);
    if (colon == NULL || strlen(out) != (size_t)n) {
        return false;
    }
    *colon = '\0';
    *password = colon + 1;
    return true;
}

bool feed_authentic(const struct app *app, const char *header) {
    char text[BASIC_MAX];
    const char *password = NULL;
    bool good = false;
    if (basic_read(header, text, sizeof text, &password)) {
        /* Every comparison is made, so that time tells nothing. */
        bool user = secret_equal(text, app->set->events_user);
        bool now = secret_equal(password, app->set->events_password);
        bool before = secret_equal(password, app->set->events_password_previous);
        good = user && (now || before);
    }
    explicit_bzero(text, sizeof text);
    return good;
}

static enum next store(struct app *app, const char *body, size_t len, int64_t *fresh, int64_t *again,
                       struct reason *why) {
    struct args events = {0}, command = {0};
    redisReply *reply = NULL;
    size_t n = feed_events(app, body, len, &events);
    args_add(&command, FEED_SOURCE);
    args_add_int(&command, (int64_t)n);
    args_append(&command, &events);
    /* A lost answer is repeated: the idempotency keys make that safe. */
    enum next next = redis_fcall(app->redis, "accept", &command, true, &reply, why);
    args_free(&events);
    args_free(&command);
    if (next == NEXT_DONE) {
        *fresh = reply_int_at(reply, 0);
        *again = reply_int_at(reply, 1);
        freeReplyObject(reply);
    }
    return next;
}

void feed_accept(struct app *app, const struct fcgi_call *call, struct fcgi_reply *reply) {
    struct reason why = {0};
    int64_t fresh = 0, again = 0;
    if (strcmp(call->method, "POST") != 0 || !call->whole) {
        LOG(LOG_WARN, "refused", {"outcome", "refused"}, {"method", call->method},
            {"problem", call->whole ? "not a POST" : "body is not whole"});
        return;
    }
    const char *credentials = fcgi_header(call, "AUTHORIZATION");
    if (!feed_authentic(app, credentials)) {
        reply->status = app->set->mapping != NULL ? (int)app->set->mapping->sitoo_bad_auth_status : 503;
        LOG(LOG_ALARM, "wrong or missing credentials on the event route; Sitoo keeps its events for about 24 hours",
            {"outcome", "refused"}, {"path", call->path},
            {"do", "compare SITOO_EVENTS_USER and SITOO_EVENTS_PASSWORD with the event subscription"});
        if (credentials == NULL || credentials[0] == '\0') {
            answers_anonymous(app, call->path);
        } else {
            answers_refused(app, call->path,
                            "the credentials are not those of SITOO_EVENTS_USER and SITOO_EVENTS_PASSWORD");
        }
        return;
    }
    enum next next = store(app, call->body, call->body_len, &fresh, &again, &why);
    if (next != NEXT_DONE) {
        LOG(LOG_ERROR, "batch not stored", {"outcome", "refused"}, {"cause", why.cause}, {"why", why.text});
        answers_not_stored(app, call->path, next, &why);
        return;
    }
    reply->status = 200;
    LOG(LOG_INFO, "batch accepted", {"outcome", "accepted"}, {"path", call->path}, {"events", log_int(fresh)},
        {"duplicates", log_int(again)});
}
