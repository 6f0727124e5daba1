/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include <curl/curl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "buf.h"
#include "clock.h"
#include "faultpoint.h"
#include "http_headers.h"
#include "ban.h"

#define TICK_MS 100
/* Handles kept for the next call; more calls at once than this make and drop their own. */
#define IDLE_MAX 8
/* All header lines of one answer; the platforms send about 2 KiB. */
#define HEADER_BYTES_MAX (64 * 1024)
/* Robustness: a connection that was idle for longer is not used again, since the other side is about to close it. */
#define IDLE_CONNECTION_MAX_S 20L
#define CONNECTIONS_KEPT      16L

struct http {
    CURLM *multi; /* owns the connections */
    CURL *idle[IDLE_MAX];
    size_t idle_count;
    bool allow_plain;
    long connect_timeout_ms;
    char *user_agent;
};

/* One request under way. */
struct call {
    const struct http_request *request;
    struct http_answer *answer;
    CURL *easy; /* NULL once it has ended */
    struct curl_slist *headers;
    struct buf body;
    size_t header_bytes;
    int sendings; /* how often libcurl was about to send it */
    int64_t begin_ms;
    char error[CURL_ERROR_SIZE];
};

/* ---- callbacks ---- */

/* Runs when a connection stands and the request is about to be sent, so also before libcurl's silent second time. */
static int on_sending(void *arg, char *peer, char *local, int peer_port, int local_port) {
    struct call *c = arg;
    (void)peer, (void)local, (void)peer_port, (void)local_port;
    c->sendings++;
    return c->sendings > 1 && !c->request->may_repeat ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg) {
    struct call *c = arg;
    buf_add(&c->body, data, size * n);
    return buf_overflowed(&c->body) ? 0 : size * n;
}

/* The values are read when the transfer has ended; here only their sum is watched. */
static size_t on_header(char *data, size_t size, size_t n, void *arg) {
    struct call *c = arg;
    (void)data;
    c->header_bytes += size * n;
    return c->header_bytes > HEADER_BYTES_MAX ? 0 : size * n;
}

/* ---- options of one call ---- */

/* For the functions below: sets one option of easy and remembers a failure in ok. */
#define SET(option, value) (ok = curl_easy_setopt(easy, option, value) == CURLE_OK && ok)

static long to_long_ms(int64_t ms) {
    /* libcurl takes 0 for "no limit", and there is always one. */
    return ms < 1 ? 1 : ms > INT_MAX ? INT_MAX : (long)ms;
}

static bool set_limits(const struct http *h, CURL *easy, const struct http_request *q) {
    bool plain = strncasecmp(q->url, "http:", 5) == 0;
    bool ok = true;
    SET(CURLOPT_URL, q->url);
    SET(CURLOPT_PROTOCOLS_STR, plain ? "http" : "https");
    SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    /* Security: no proxy from the environment; the settings alone decide where credentials go. */
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, h->connect_timeout_ms);
    SET(CURLOPT_TIMEOUT_MS, to_long_ms(q->timeout_ms));
    SET(CURLOPT_MAXAGE_CONN, IDLE_CONNECTION_MAX_S);
    SET(CURLOPT_USERAGENT, h->user_agent);
    /* A compressed answer could grow beyond any maximum while it is unpacked. */
    SET(CURLOPT_ACCEPT_ENCODING, NULL);
    return ok;
}

#ifdef ONEPOOL_FAULTS
/* A place to fail at (faultpoint.h): the whole request is on its way, and no byte of an answer was read. */
static int on_debug(CURL *easy, curl_infotype type, char *data, size_t size, void *arg) {
    const struct call *c = arg;
    (void)easy;
    (void)data;
    if (size > 0 && (type == CURLINFO_DATA_OUT || (type == CURLINFO_HEADER_OUT && c->request->body_len == 0))) {
        fault_point_of("http.sent.", c->request->method);
    }
    return 0;
}
#endif

static bool set_callbacks(CURL *easy, struct call *c) {
    bool ok = true;
    SET(CURLOPT_PRIVATE, c);
    SET(CURLOPT_ERRORBUFFER, c->error);
    SET(CURLOPT_PREREQFUNCTION, on_sending);
    SET(CURLOPT_PREREQDATA, c);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, c);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, c);
#ifdef ONEPOOL_FAULTS
    SET(CURLOPT_DEBUGFUNCTION, on_debug);
    SET(CURLOPT_DEBUGDATA, c);
    SET(CURLOPT_VERBOSE, 1L);
#endif
    return ok;
}

static bool set_content(CURL *easy, const struct http_request *q, struct curl_slist *headers) {
    bool get = strcmp(q->method, "GET") == 0, bare = get || strcmp(q->method, "DELETE") == 0;
    bool ok = true;
    if (bare && q->body == NULL) { /* no Content-Type of libcurl's own */
        SET(CURLOPT_HTTPGET, 1L);
        SET(CURLOPT_CUSTOMREQUEST, get ? NULL : q->method);
    } else {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(q->body != NULL ? q->body_len : 0));
        SET(CURLOPT_POSTFIELDS, q->body != NULL ? q->body : "");
        SET(CURLOPT_CUSTOMREQUEST, q->method);
    }
    if (q->user != NULL) {
        SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        SET(CURLOPT_USERNAME, q->user);
        SET(CURLOPT_PASSWORD, q->password != NULL ? q->password : "");
    }
    SET(CURLOPT_HTTPHEADER, headers);
    return ok;
}

#undef SET

/* False if a header could not be taken: a line break in it would add headers of somebody else's choice. */
static bool headers_build(const struct http_request *q, struct curl_slist **list) {
    /* "Expect:" switches off 100-continue, whose refusal (417) would make libcurl send a second time. */
    *list = curl_slist_append(NULL, "Expect:");
    for (size_t i = 0; i < HTTP_HEADERS_MAX && q->headers[i] != NULL; i++) {
        struct curl_slist *longer = NULL;
        if (strpbrk(q->headers[i], "\r\n") == NULL) {
            longer = curl_slist_append(*list, q->headers[i]);
        }
        if (longer == NULL) {
            return false;
        }
        *list = longer;
    }
    return *list != NULL;
}

/* ---- the life of one call ---- */

static CURL *easy_take(struct http *h) {
    return h->idle_count > 0 ? h->idle[--h->idle_count] : curl_easy_init();
}

/* Forgets all options, credentials included; the connections live on in the multi handle. */
static void easy_give(struct http *h, CURL *easy) {
    if (easy != NULL && h->idle_count < IDLE_MAX) {
        curl_easy_reset(easy);
        h->idle[h->idle_count++] = easy;
    } else {
        curl_easy_cleanup(easy);
    }
}

static void call_release(struct http *h, struct call *c) {
    easy_give(h, c->easy);
    c->easy = NULL;
    curl_slist_free_all(c->headers);
    c->headers = NULL;
    c->answer->body_len = c->body.len;
    c->answer->body = buf_take(&c->body);
    buf_free(&c->body);
    c->answer->took_ms = clock_mono_ms() - c->begin_ms;
}

static void call_explain(const struct call *c, CURLcode rc, char *text, size_t size) {
    if (buf_overflowed(&c->body)) {
        (void)snprintf(text, size, "the answer is longer than %zu bytes", c->request->response_max);
    } else if (c->header_bytes > HEADER_BYTES_MAX) {
        (void)snprintf(text, size, "the headers of the answer are longer than %d bytes", HEADER_BYTES_MAX);
    } else if (rc == CURLE_ABORTED_BY_CALLBACK && c->sendings > 1) {
        (void)str_copy(text, size, "the connection ended before an answer came");
    } else {
        (void)str_copy(text, size, c->error[0] != '\0' ? c->error : curl_easy_strerror(rc));
    }
}

/* No whole answer. What was read of it is dropped. */
static void call_fail(struct http *h, struct call *c, const char *text) {
    c->answer->fate = c->sendings == 0 ? HTTP_NOT_SENT : HTTP_AMBIGUOUS;
    c->answer->too_long = buf_overflowed(&c->body);
    (void)str_copy(c->answer->error, sizeof c->answer->error, text);
    buf_reset(&c->body);
    call_release(h, c);
}

static void call_end(struct http *h, struct call *c, CURLcode rc) {
    char text[sizeof c->answer->error];
    long status = 0;
    (void)curl_multi_remove_handle(h->multi, c->easy);
    if (rc != CURLE_OK) {
        call_explain(c, rc, text, sizeof text);
        call_fail(h, c, text);
        return;
    }
    (void)curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    c->answer->fate = HTTP_ANSWERED;
    c->answer->status = (int)status;
    http_headers_read(c->easy, c->answer);
    call_release(h, c);
}

static void call_begin(struct http *h, struct call *c, const struct http_request *q, struct http_answer *a) {
    char text[sizeof a->error];
    memset(a, 0, sizeof *a);
    http_headers_clear(a);
    c->request = q;
    c->answer = a;
    c->begin_ms = clock_mono_ms();
    buf_init(&c->body, q->response_max);
    if (!http_url_allowed(q->url, h->allow_plain, text, sizeof text)) {
        call_fail(h, c, text);
        return;
    }
    c->easy = easy_take(h);
    if (c->easy == NULL || !headers_build(q, &c->headers) || !set_limits(h, c->easy, q) || !set_callbacks(c->easy, c) ||
        !set_content(c->easy, q, c->headers) || curl_multi_add_handle(h->multi, c->easy) != CURLM_OK) {
        call_fail(h, c, "the request could not be set up (a line break in a header?)");
    }
}

/* ---- all calls ---- */

static void collect(struct http *h) {
    int left = 0;
    const CURLMsg *m = NULL;
    while ((m = curl_multi_info_read(h->multi, &left)) != NULL) {
        char *call = NULL;
        CURLcode rc = m->data.result; /* removing the handle makes m invalid */
        if (m->msg == CURLMSG_DONE && curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &call) == CURLE_OK) {
            call_end(h, (struct call *)(void *)call, rc);
        }
    }
}

/* Returns when all calls have ended or the tick says to give up. */
static void run(struct http *h, http_tick tick, void *arg) {
    int64_t next_tick = clock_mono_ms() + TICK_MS;
    int running = 1;
    while (curl_multi_perform(h->multi, &running) == CURLM_OK) {
        collect(h);
        if (running == 0) {
            return;
        }
        int64_t wait = next_tick - clock_mono_ms();
        if (wait <= 0) {
            if (tick != NULL && !tick(arg)) {
                return;
            }
            wait = TICK_MS;
            next_tick = clock_mono_ms() + TICK_MS;
        }
        if (curl_multi_poll(h->multi, NULL, 0, (int)wait, NULL) != CURLM_OK) {
            return;
        }
    }
}

void http_perform(struct http *h, const struct http_request *requests, struct http_answer *answers, size_t n,
                  http_tick tick, void *arg) {
    if (n == 0) {
        return;
    }
    struct call *calls = xcalloc(n, sizeof *calls);
    for (size_t i = 0; i < n; i++) {
        call_begin(h, &calls[i], &requests[i], &answers[i]);
    }
    run(h, tick, arg);
    for (size_t i = 0; i < n; i++) {
        if (calls[i].easy != NULL) {
            (void)curl_multi_remove_handle(h->multi, calls[i].easy);
            call_fail(h, &calls[i], "given up: the process was told to stop, or it lost its lease");
        }
    }
    free(calls);
}

void http_answer_free(struct http_answer *a) {
    if (a != NULL) {
        free(a->body);
        memset(a, 0, sizeof *a);
    }
}

struct http *http_new(const struct http_options *options) {
    struct http *h = xcalloc(1, sizeof *h);
    /* libcurl counts these calls; the matching cleanup is in http_free. */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || (h->multi = curl_multi_init()) == NULL) {
        (void)fputs("libcurl cannot be initialised\n", stderr);
        exit(EXIT_FAILURE);
    }
    (void)curl_multi_setopt(h->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    (void)curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT);
    h->allow_plain = options->allow_plain;
    h->connect_timeout_ms = to_long_ms(options->connect_timeout_ms);
    h->user_agent = xstrdup(options->user_agent);
    return h;
}

void http_free(struct http *h) {
    if (h == NULL) {
        return;
    }
    while (h->idle_count > 0) {
        curl_easy_cleanup(h->idle[--h->idle_count]);
    }
    (void)curl_multi_cleanup(h->multi);
    curl_global_cleanup();
    free(h->user_agent);
    free(h);
}
