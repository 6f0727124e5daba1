/* SPDX-License-Identifier: Apache-2.0 */
#include "fcgi.h"

#include <errno.h>
#include <fcgiapp.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "buf.h"
#include "faultpoint.h"
#include "log.h"
#include "quantity.h"
#include "ban.h"

#define REPLY_MAX   ((size_t)4 * 1024 * 1024) /* /metrics and /status stay far below */
#define BODY_WAIT_S 5                         /* nginx has a body whole before it calls us */

bool secret_equal(const char *given, const char *wanted) {
    if (given == NULL || wanted == NULL || strlen(given) != strlen(wanted)) {
        return false;
    }
    return CRYPTO_memcmp(given, wanted, strlen(wanted)) == 0;
}

const char *fcgi_header(const struct fcgi_call *call, const char *name) {
    return call->header != NULL ? call->header(call->ctx, name) : NULL;
}

static const char *param_header(const void *ctx, const char *name) {
    const FCGX_Request *q = ctx;
    char key[80];
    (void)snprintf(key, sizeof key, "HTTP_%s", name);
    return FCGX_GetParam(key, q->envp);
}

/* Reads the body whole; false if it is shorter than CONTENT_LENGTH, longer than allowed, or broken off. */
static bool read_body(FCGX_Request *q, char *body, size_t *len) {
    const char *text = FCGX_GetParam("CONTENT_LENGTH", q->envp);
    int64_t want = 0;
    *len = 0;
    body[0] = '\0';
    if (text != NULL && text[0] != '\0' && !int_parse(text, 0, (int64_t)FCGI_BODY_MAX, &want)) {
        return false;
    }
    while (*len < (size_t)want) {
        int n = FCGX_GetStr(body + *len, (int)((size_t)want - *len), q->in);
        if (n <= 0) {
            break;
        }
        *len += (size_t)n;
    }
    body[*len] = '\0';
    return *len == (size_t)want && FCGX_GetError(q->in) == 0;
}

/* Robustness: a peer that stops in the middle of a body must not hold the acceptor, nor a stop, for ever. */
static void limit_waiting(int fd) {
    const struct timeval limit = {.tv_sec = BODY_WAIT_S};
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0) {
        LOG(LOG_WARN, "no time limit for bodies", {"error", strerror(errno)});
    }
}

static void answer(FCGX_Request *q, const struct fcgi_reply *reply) {
    (void)FCGX_FPrintF(q->out, "Status: %d\r\n", reply->status);
    if (reply->type != NULL) {
        (void)FCGX_FPrintF(q->out, "Content-Type: %s\r\n", reply->type);
    }
    (void)FCGX_FPrintF(q->out, "Content-Length: %d\r\n\r\n", (int)reply->body->len);
    if (reply->body->len > 0) {
        (void)FCGX_PutStr(buf_str(reply->body), (int)reply->body->len, q->out);
    }
}

static void serve(struct app *app, FCGX_Request *q, fcgi_handler handler, char *body, struct buf *out) {
    const char *method = FCGX_GetParam("REQUEST_METHOD", q->envp), *path = FCGX_GetParam("DOCUMENT_URI", q->envp);
    struct fcgi_call call = {.method = method != NULL ? method : "",
                             .path = path != NULL ? path : "",
                             .body = body,
                             .header = param_header,
                             .ctx = q};
    buf_reset(out);
    struct fcgi_reply reply = {.status = 503, .body = out};
    call.whole = read_body(q, body, &call.body_len);
    fault_point(app, "fcgi.body");
    handler(app, &call, &reply);
    fault_point(app, "fcgi.handled");
    answer(q, &reply);
    fault_point(app, "fcgi.answered");
}

int fcgi_run(struct app *app, int listen_fd, fcgi_handler handler) {
    FCGX_Request q;
    struct buf out;
    if (FCGX_Init() != 0 || FCGX_InitRequest(&q, listen_fd, FCGI_FAIL_ACCEPT_ON_INTR) != 0) {
        LOG_MSG(LOG_ERROR, "libfcgi cannot be set up");
        return 1;
    }
    int listener = stop_listener(listen_fd);
    if (listener < 0) {
        LOG(LOG_ERROR, "cannot wait for calls", {"why", strerror(errno)});
        return 1;
    }
    char *body = xmalloc(FCGI_BODY_MAX + 1);
    buf_init(&out, REPLY_MAX);
    while (!stop_requested()) {
        if (!stop_accept(listener, 1000)) {
            continue;
        }
        /* Another acceptor may have been faster: then accept says EAGAIN and the loop goes on. */
        if (FCGX_Accept_r(&q) == 0) {
            limit_waiting(q.ipcFd);
            serve(app, &q, handler, body, &out);
            FCGX_Finish_r(&q);
            fault_point(app, "fcgi.finished");
        }
    }
    FCGX_Free(&q, 1);
    (void)close(listener);
    buf_free(&out);
    free(body);
    return 0;
}
