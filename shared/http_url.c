/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "buf.h"
#include "ban.h"

/* By value, not by spelling: 127.0.0.1.example.com is somebody else's machine. */
static bool host_is_loopback(const char *host) {
    char bare[INET6_ADDRSTRLEN];
    struct in_addr v4;
    struct in6_addr v6;
    size_t len = strlen(host);
    if (strcasecmp(host, "localhost") == 0) {
        return true;
    }
    if (inet_pton(AF_INET, host, &v4) == 1) {
        return ntohl(v4.s_addr) >> 24 == 127;
    }
    if (len < 3 || host[0] != '[' || host[len - 1] != ']' || len - 2 >= sizeof bare) {
        return false;
    }
    memcpy(bare, host + 1, len - 2);
    bare[len - 2] = '\0';
    return inet_pton(AF_INET6, bare, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/* What is wrong with the parts of a parsed URL, or NULL. */
static const char *parts_fault(const char *scheme, const char *host, bool allow_plain) {
    if (strcmp(scheme, "https") == 0) {
        return NULL;
    }
    if (strcmp(scheme, "http") != 0) {
        return "the address must begin with https://";
    }
    return allow_plain || host_is_loopback(host) ? NULL : "plain http:// is allowed to this machine only; use https://";
}

/*
 * Security: libcurl's own parser judges, so that what is checked here and what is called later cannot differ.
 * The URL itself is in no text: it may hold a password that somebody put there.
 */
static const char *url_fault(CURLU *u, const char *url, bool allow_plain) {
    char *scheme = NULL;
    char *host = NULL;
    CURLUcode rc = u == NULL ? CURLUE_OUT_OF_MEMORY : curl_url_set(u, CURLUPART_URL, url, CURLU_DISALLOW_USER);
    const char *fault = NULL;
    if (rc == CURLUE_USER_NOT_ALLOWED) {
        fault = "the address must not hold a user name or password";
    } else if (rc != CURLUE_OK || curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
               curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK) {
        fault = "the address is not a URL";
    } else {
        fault = parts_fault(scheme, host, allow_plain);
    }
    curl_free(scheme);
    curl_free(host);
    return fault;
}

bool http_url_allowed(const char *url, bool allow_plain, char *error, size_t error_size) {
    CURLU *u = curl_url();
    const char *fault = url == NULL ? "the address is missing" : url_fault(u, url, allow_plain);
    curl_url_cleanup(u);
    if (fault != NULL && error != NULL && error_size > 0) {
        (void)str_copy(error, error_size, fault);
    }
    return fault == NULL;
}
