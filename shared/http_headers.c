/* SPDX-License-Identifier: Apache-2.0 */
#include "http_headers.h"

#include "clock.h"
#include "quantity.h"
#include "ban.h"

/* Beyond these a value is not believed. The waits reach further than any wait that is obeyed. */
#define DAY_S     INT64_C(86400)
#define DAY_MS    (DAY_S * 1000)
#define COUNT_MAX INT64_C(1000000000)
#define EPOCH_MAX INT64_C(4102444800) /* the year 2100 */

/* The value of a header that the final answer carries exactly once, else NULL. Case does not matter. */
static const char *header(CURL *easy, const char *name) {
    struct curl_header *h = NULL;
    if (curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &h) != CURLHE_OK || h->amount != 1) {
        return NULL;
    }
    return h->value;
}

static int64_t header_int(CURL *easy, const char *name, int64_t max) {
    const char *value = header(easy, name);
    int64_t n = 0;
    return value != NULL && int_parse(value, 0, max, &n) ? n : HTTP_ABSENT;
}

static int64_t longer(int64_t a, int64_t b) {
    return a > b ? a : b;
}

void http_headers_clear(struct http_answer *a) {
    a->date_ms = HTTP_ABSENT;
    a->rate_window_ms = HTTP_ABSENT;
    a->rate_reset_ms = HTTP_ABSENT;
    a->rate_quota = HTTP_ABSENT;
    a->rate_left = HTTP_ABSENT;
    a->retry_after_s = HTTP_ABSENT;
    a->reset_epoch_s = HTTP_ABSENT;
}

void http_headers_read(CURL *easy, struct http_answer *a) {
    const char *date = header(easy, "Date");
    http_headers_clear(a);
    if (date != NULL && (!clock_parse_rfc2822(date, &a->date_ms) || a->date_ms < 0)) {
        a->date_ms = HTTP_ABSENT;
    }
    a->rate_window_ms = header_int(easy, "X-Rate-Limit-Time-Window-Ms", DAY_MS);
    a->rate_reset_ms = header_int(easy, "X-Rate-Limit-Time-Reset-Ms", DAY_MS);
    a->rate_quota = header_int(easy, "X-Rate-Limit-Requests-Quota", COUNT_MAX);
    a->rate_left = header_int(easy, "X-Rate-Limit-Requests-Left", COUNT_MAX);
    a->retry_after_s = longer(header_int(easy, "Retry-After", DAY_S), header_int(easy, "X-Retry-After", DAY_S));
    a->reset_epoch_s = header_int(easy, "X-Rate-Limit-Reset", EPOCH_MAX);
}
