/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTPS calls to the platforms over libcurl. This module reports, it never retries: the delivery engine
 * decides. Set on every call: connect and total time-out, response maximum, no redirects, TLS verified,
 * https only (plain http where the caller says so), no signals, our User-Agent.
 *
 * Robustness: libcurl silently re-sends a request, POST included, when a reused connection dies before the
 * first answer byte (Curl_retry_request in lib/transfer.c). A request that is not safe to repeat therefore
 * gets CURLOPT_PREREQFUNCTION with a counter that aborts the second sending (CURLE_ABORTED_BY_CALLBACK = 42,
 * needs curl 7.80), and the result is HTTP_AMBIGUOUS, never "failed".
 */
#ifndef ONEPOOL_HTTP_H
#define ONEPOOL_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

enum http_fate {
    HTTP_ANSWERED, /* a whole answer was read; see status */
    HTTP_NOT_SENT, /* no byte of the request left: resolving, connecting or TLS failed */
    HTTP_AMBIGUOUS /* sent, at least in part, and no whole answer: it may have been applied */
};

#define HTTP_HEADERS_MAX 8
#define HTTP_ABSENT      INT64_C(-1) /* a header that the answer did not carry, or carried unreadably */

struct http_request {
    const char *method; /* "GET", "PUT", "POST" */
    const char *url;
    const char *headers[HTTP_HEADERS_MAX]; /* "Name: value", NULL-terminated if fewer */
    const char *user;                      /* Basic credentials, or NULL */
    const char *password;
    const char *body; /* NULL = none; not copied, must outlive the call */
    size_t body_len;
    int64_t timeout_ms;  /* whole call; must be shorter than the lease of what is worked on */
    size_t response_max; /* bytes; a longer answer is HTTP_AMBIGUOUS for a write and an error for a read */
    bool may_repeat;     /* true for GET: libcurl's own re-send does no harm */
};

struct http_answer {
    enum http_fate fate;
    int status; /* HTTP status if answered, else 0 */
    char *body; /* NUL-terminated, never NULL after http_perform; owned by the answer */
    size_t body_len;
    bool too_long;   /* not answered, because the answer is longer than response_max */
    char error[200]; /* what libcurl said if not answered; no credentials in it */
    int64_t took_ms;
    int64_t date_ms; /* Date header as wall milliseconds, or HTTP_ABSENT */
    /* BigCommerce: X-Rate-Limit-*; milliseconds and counts (Source: API rate limits page, 2026-04-01) */
    int64_t rate_window_ms, rate_reset_ms, rate_quota, rate_left;
    int64_t retry_after_s; /* Retry-After or X-Retry-After, seconds */
    int64_t reset_epoch_s; /* X-Rate-Limit-Reset, Unix seconds (Sitoo, UNSURE) */
};

struct http; /* one per process: connection cache and handles */

struct http_options {
    bool allow_plain; /* http:// to any host; without it http:// only to 127.0.0.0/8, ::1, localhost */
    int64_t connect_timeout_ms;
    const char *user_agent;
};

/* Called about every 100 ms while calls run (to extend leases). Return false to give up all calls. */
typedef bool (*http_tick)(void *arg);

struct http *http_new(const struct http_options *options);
void http_free(struct http *h);

/*
 * Performs n requests at once and returns when all have ended. answers[i] belongs to requests[i]; release
 * each with http_answer_free. Never fails as a whole: every fate is in the answer.
 */
void http_perform(struct http *h, const struct http_request *requests, struct http_answer *answers, size_t n,
                  http_tick tick, void *arg);
void http_answer_free(struct http_answer *a);

/* True if url is https, or plain http that these options allow. Fills error (if not NULL) otherwise. */
bool http_url_allowed(const char *url, bool allow_plain, char *error, size_t error_size);

#endif
