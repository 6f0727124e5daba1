/* SPDX-License-Identifier: Apache-2.0 */
/* A scripted HTTP server on the loopback interface, in a thread of the test, and requests to it. */
#ifndef ONEPOOL_TEST_LOOPBACK_H
#define ONEPOOL_TEST_LOOPBACK_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "http.h"

#define REQUEST_MAX  16
#define REQUEST_SIZE 4096
#define URL_SIZE     64

/* Lines of a script: answers to the requests in the order in which they come, over however many connections. */
#define SILENT    "silent" /* reads the request and never answers */
#define CLOSE     "close"  /* reads the request whole and closes without a byte */
#define BYE       "bye:"   /* in front of an answer: close after it */
#define OK_KEPT   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define OK_CLOSED BYE "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

struct server {
    int listener;
    int stop[2];
    int port;
    pthread_t thread;
    const char *const *script; /* ends with NULL; beyond it: SILENT */
    size_t gather;             /* > 0: accept this many connections before the first answer */
    /* Written by the thread; to be read after server_stop. */
    size_t requests;
    size_t connections;
    char seen[REQUEST_MAX][REQUEST_SIZE];
};

/* A listening socket on a free port of 127.0.0.1. */
void listen_on_loopback(int *fd, int *port);
struct server *server_start(const char *const *script, size_t gather);
/* After it the counts and texts stand still. */
void server_stop(struct server *s);
void server_free(struct server *s);
const char *server_url(const struct server *s, char url[URL_SIZE]);

/* A client without allow_plain. */
struct http *client(void);
/* A GET with 5 s and 1000 bytes; a PUT of {"adjust":-2} like it. */
struct http_request get(const char *url);
struct http_request put(const char *url, bool may_repeat);
/* One GET against a server with this one answer. */
void get_once(const char *line, struct http_answer *a);

#endif
