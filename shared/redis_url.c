/* SPDX-License-Identifier: Apache-2.0 */
#include "redis_url.h"

#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "buf.h"
#include "quantity.h"
#include "redis.h"
#include "ban.h"

#define PORT_DEFAULT 6379
#define DB_MAX       9999

void redis_url_free(struct redis_url *url) {
    if (url->password != NULL) {
        explicit_bzero(url->password, strlen(url->password));
    }
    free(url->path);
    free(url->host);
    free(url->user);
    free(url->password);
    memset(url, 0, sizeof *url);
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The decoded copy of len bytes, or NULL for a lone % and for %00. */
static char *percent_decode(const char *s, size_t len) {
    char *out = xmalloc(len + 1);
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        int c = (unsigned char)s[i];
        if (c == '%') {
            int high = len - i > 2 ? hex_digit(s[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(s[i + 2]) : -1;
            c = low >= 0 ? high * 16 + low : 0;
            i += 2;
        }
        if (c == 0) {
            free(out);
            return NULL;
        }
        out[n++] = (char)c;
    }
    out[n] = '\0';
    return out;
}

static bool number(const char *s, size_t len, int min, int max, int *out) {
    char text[8];
    int64_t n = 0;
    if (len >= sizeof text) {
        return false;
    }
    memcpy(text, s, len);
    text[len] = '\0';
    if (!int_parse(text, min, max, &n)) {
        return false;
    }
    *out = (int)n;
    return true;
}

/* Each of these returns what is wrong, or NULL. */

static const char *credentials_fault(const char *s, size_t len, struct redis_url *url) {
    const char *colon = memchr(s, ':', len);
    if (colon == NULL) {
        return "before the @ there must be user:password (the user may be empty)";
    }
    size_t user_len = (size_t)(colon - s);
    url->user = user_len > 0 ? percent_decode(s, user_len) : NULL;
    url->password = percent_decode(colon + 1, len - user_len - 1);
    if ((user_len > 0 && url->user == NULL) || url->password == NULL) {
        return "user or password hold a wrong percent sign";
    }
    return NULL;
}

static const char *host_fault(const char *s, size_t len, struct redis_url *url) {
    const char *end = s + len;
    const char *close = len > 0 && s[0] == '[' ? memchr(s, ']', len) : NULL;
    const char *begin = close != NULL ? s + 1 : s;
    const char *stop = close != NULL ? close : memchr(s, ':', len);
    stop = stop != NULL ? stop : end;
    const char *port = close != NULL ? close + 1 : stop;
    if (stop == begin || (len > 0 && s[0] == '[' && close == NULL)) {
        return "the host is missing";
    }
    url->host = xstrndup(begin, (size_t)(stop - begin));
    url->port = PORT_DEFAULT;
    if (port < end && (*port != ':' || !number(port + 1, (size_t)(end - port - 1), 1, 65535, &url->port))) {
        return "the port is not a number from 1 to 65535";
    }
    return NULL;
}

static const char *tcp_fault(const char *s, struct redis_url *url) {
    size_t len = strcspn(s, "/");
    size_t at = len;
    while (at > 0 && s[at - 1] != '@') {
        at--;
    }
    const char *fault = at > 0 ? credentials_fault(s, at - 1, url) : NULL;
    if (fault == NULL) {
        fault = host_fault(s + at, len - at, url);
    }
    const char *db = s[len] == '/' ? s + len + 1 : "";
    if (fault == NULL && *db != '\0' && !number(db, strlen(db), 0, DB_MAX, &url->db)) {
        fault = "after the host there may only be / and the number of the database";
    }
    return fault;
}

static const char *unix_fault(const char *s, struct redis_url *url) {
    const char *query = strchr(s, '?');
    size_t len = query != NULL ? (size_t)(query - s) : strlen(s);
    if (s[0] != '/' || len < 2) {
        return "unix:// must be followed by a path that begins with /";
    }
    url->path = percent_decode(s, len);
    /* Robustness: hiredis would cut a longer path and connect to another one. */
    if (url->path == NULL || strlen(url->path) >= sizeof((struct sockaddr_un *)NULL)->sun_path) {
        return "the path is too long for a socket, or holds a wrong percent sign";
    }
    if (query != NULL &&
        (strncmp(query, "?db=", 4) != 0 || !number(query + 4, strlen(query + 4), 0, DB_MAX, &url->db))) {
        return "after the path there may only be ?db= and the number of the database";
    }
    return NULL;
}

bool redis_url_parse(const char *text, struct redis_url *url, char *error, size_t error_size) {
    const char *fault = "it must begin with redis:// or unix:// (TLS is not supported)";
    memset(url, 0, sizeof *url);
    if (text != NULL && strncmp(text, "redis://", 8) == 0) {
        fault = tcp_fault(text + 8, url);
    } else if (text != NULL && strncmp(text, "unix://", 7) == 0) {
        fault = unix_fault(text + 7, url);
    }
    if (fault != NULL) {
        redis_url_free(url);
        if (error != NULL && error_size > 0) {
            (void)str_copy(error, error_size, fault);
        }
    }
    return fault == NULL;
}

bool redis_url_valid(const char *text, char *error, size_t error_size) {
    struct redis_url url;
    if (!redis_url_parse(text, &url, error, error_size)) {
        return false;
    }
    redis_url_free(&url);
    return true;
}
