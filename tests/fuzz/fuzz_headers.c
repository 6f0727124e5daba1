/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answer headers that steer the budget. The input is lines "Name: value"; curl_easy_header is played by this file.
 * Each field is absent or within its limit, and a header that stands there twice is absent.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/fuzz/fuzz.h"
#include "buf.h"
#include "http_headers.h"
#include "ban.h"

#define LINES_MAX 64

static struct { char *name, *value; } lines[LINES_MAX];
static size_t line_count;

CURLHcode curl_easy_header(CURL *easy, const char *name, size_t index, unsigned int origin, int request,
                           struct curl_header **out) {
    static struct curl_header found;
    (void)easy;
    (void)origin;
    (void)request;
    found = (struct curl_header){.amount = 0};
    for (size_t i = 0; i < line_count; i++) {
        if (strcasecmp(lines[i].name, name) == 0 && found.amount++ == index) {
            found.name = lines[i].name;
            found.value = lines[i].value;
        }
    }
    *out = &found;
    return found.value != NULL ? CURLHE_OK : CURLHE_MISSING;
}

/* Cuts the text into lines; libcurl takes spaces off both ends of a value. */
static void split(char *text) {
    char *next = text;
    line_count = 0;
    while (next != NULL && line_count < LINES_MAX) {
        char *line = next, *end = strchr(line, '\n'), *colon = NULL;
        next = end != NULL ? end + 1 : NULL;
        if (end != NULL) {
            *end = '\0';
        }
        colon = strchr(line, ':');
        if (colon != NULL) {
            *colon = '\0';
            lines[line_count].name = line;
            lines[line_count++].value = colon + 1 + strspn(colon + 1, " \t");
        }
    }
}

static bool absent_or(int64_t n, int64_t max) {
    return n == HTTP_ABSENT || (n >= 0 && n <= max);
}

static size_t times(const char *name) {
    size_t n = 0;
    for (size_t i = 0; i < line_count; i++) {
        n += strcasecmp(lines[i].name, name) == 0 ? 1 : 0;
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct http_answer a;
    char *text = fuzz_text(data, size);
    memset(&a, 0, sizeof a);
    split(text);
    http_headers_read(NULL, &a);
    FUZZ_CHECK(absent_or(a.date_ms, INT64_C(400000000000000)));
    FUZZ_CHECK(absent_or(a.rate_window_ms, 86400000) && absent_or(a.rate_reset_ms, 86400000));
    FUZZ_CHECK(absent_or(a.rate_quota, 1000000000) && absent_or(a.rate_left, 1000000000));
    FUZZ_CHECK(absent_or(a.retry_after_s, 86400) && absent_or(a.reset_epoch_s, INT64_C(4102444800)));
    FUZZ_CHECK(a.rate_window_ms == HTTP_ABSENT || times("x-rate-limit-time-window-ms") == 1);
    FUZZ_CHECK(a.rate_reset_ms == HTTP_ABSENT || times("x-rate-limit-time-reset-ms") == 1);
    FUZZ_CHECK(a.rate_quota == HTTP_ABSENT || times("x-rate-limit-requests-quota") == 1);
    FUZZ_CHECK(a.rate_left == HTTP_ABSENT || times("x-rate-limit-requests-left") == 1);
    FUZZ_CHECK(a.retry_after_s == HTTP_ABSENT || times("retry-after") == 1 || times("x-retry-after") == 1);
    FUZZ_CHECK(a.reset_epoch_s == HTTP_ABSENT || times("x-rate-limit-reset") == 1);
    FUZZ_CHECK(a.date_ms == HTTP_ABSENT || times("date") == 1);
    free(text);
    return 0;
}
