/* SPDX-License-Identifier: Apache-2.0 */
#include "picture.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "buf.h"
#include "gate.h"
#include "http.h"
#include "ban.h"

#define TIMEOUT_MS     INT64_C(10000)
#define SERVER_WAIT_MS INT64_C(60000)

/* ---- names ---- */

static const char *ending_of(const char *address) {
    static const char *const endings[] = {".jpg", ".jpeg", ".png", ".gif", ".webp"};
    const char *dot = strrchr(address, '.');
    for (size_t i = 0; dot != NULL && i < sizeof endings / sizeof endings[0]; i++) {
        if (strcasecmp(dot, endings[i]) == 0) {
            return endings[i];
        }
    }
    return ".jpg";
}

void picture_name(const char *url, char out[PICTURE_NAME_SIZE]) {
    char digest[17];
    if (url[0] == '\0') {
        out[0] = '\0';
        return;
    }
    char *address = xstrndup(url, strcspn(url, "?#"));
    gate_digest(address, digest);
    (void)snprintf(out, PICTURE_NAME_SIZE, PICTURE_PREFIX "%s%s", digest, ending_of(address));
    free(address);
}

/* ---- bytes ---- */

bool picture_is(const char *bytes, size_t len) {
    static const struct {
        size_t at, len;
        const char *bytes;
    } kinds[] = {{0, 3, "\xff\xd8\xff"}, {0, 8, "\x89PNG\r\n\x1a\n"}, {0, 4, "GIF8"}, {8, 4, "WEBP"}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (len >= kinds[i].at + kinds[i].len && memcmp(bytes + kinds[i].at, kinds[i].bytes, kinds[i].len) == 0) {
            return true;
        }
    }
    return false;
}

static enum next unreadable(struct reason *why, const char *url, const char *what) {
    return reason_set(why, NEXT_PARK, PICTURE_UNREADABLE, "%s: %.300s", what, url);
}

static enum next judge(const struct http_answer *a, const char *url, struct reason *why) {
    char text[80];
    if (a->too_long) {
        (void)snprintf(text, sizeof text, "the image is larger than %zu bytes", PICTURE_BYTES_MAX);
        return unreadable(why, url, text);
    }
    if (a->fate != HTTP_ANSWERED || a->status == 429 || a->status >= 500) {
        why->wait_ms = SERVER_WAIT_MS;
        return reason_set(why, NEXT_DEFER, PICTURE_SERVER,
                          "BigCommerce's server of images does not give %.200s: %.150s", url,
                          a->fate == HTTP_ANSWERED ? "busy" : a->error);
    }
    if (a->status != 200) {
        (void)snprintf(text, sizeof text, "BigCommerce's server of images answers %d", a->status);
        return unreadable(why, url, text);
    }
    return picture_is(a->body, a->body_len) ? NEXT_DONE
                                            : unreadable(why, url, "this is no JPEG, PNG, GIF or WebP image");
}

enum next picture_fetch(struct app *app, const char *url, char **base64, struct reason *why) {
    struct http_answer answer;
    const struct http_request q = {
        .method = "GET", .url = url, .timeout_ms = TIMEOUT_MS, .response_max = PICTURE_BYTES_MAX, .may_repeat = true};
    *base64 = NULL;
    if (strlen(url) > PICTURE_URL_MAX || !http_url_allowed(url, app->set->allow_http, NULL, 0)) {
        return unreadable(why, url, "the address of the image is not https, or too long");
    }
    http_perform(app->http, &q, &answer, 1, app->keep, app->keep_arg);
    enum next next = judge(&answer, url, why);
    if (next == NEXT_DONE) {
        *base64 = xmalloc((answer.body_len + 2) / 3 * 4 + 1);
        (void)EVP_EncodeBlock((unsigned char *)*base64, (const unsigned char *)answer.body, (int)answer.body_len);
    }
    http_answer_free(&answer);
    return next;
}
