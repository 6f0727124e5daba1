/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One FastCGI request as the functions see it, and the loop that accepts them.
 *
 * Robustness: single-threaded processes, since libfcgi does not stop cleanly in threads. The listener is non-blocking
 * and polled; SIGTERM is blocked but while polling, so it can never cut a body short. Every body is checked to be whole
 * against CONTENT_LENGTH, and FCGX_GetError to be 0.
 */
#ifndef ONEPOOL_FCGI_H
#define ONEPOOL_FCGI_H

#include <stdbool.h>
#include <stddef.h>

#include "app.h"

#define FCGI_BODY_MAX ((size_t)64 * 1024) /* nginx refuses more; checked here as well */

struct fcgi_call {
    const char *method, *path; /* never NULL */
    const char *body;          /* NUL-terminated */
    size_t body_len;
    bool whole; /* false: the body was cut short or too long; never answer 200 then */
    const char *(*header)(const void *ctx, const char *name); /* "AUTHORIZATION" -> value or NULL */
    const void *ctx;
};

struct fcgi_reply {
    int status;       /* preset to 503 */
    const char *type; /* media type of the body, or NULL for an empty answer */
    struct buf *body; /* may be filled */
};

/* Value of an HTTP header of the call; name in upper case with underscores, without HTTP_. NULL if absent. */
const char *fcgi_header(const struct fcgi_call *call, const char *name);

typedef void (*fcgi_handler)(struct app *app, const struct fcgi_call *call, struct fcgi_reply *reply);

/* Accepts on listen_fd until told to stop. Returns the process's exit status. */
int fcgi_run(struct app *app, int listen_fd, fcgi_handler handler);

/* Equal in constant time for equal lengths (the length itself may show). NULL is never equal. */
bool secret_equal(const char *given, const char *wanted);

#endif
