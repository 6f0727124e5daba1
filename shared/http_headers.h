/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the few answer headers that struct http_answer carries. For http.c only. */
#ifndef ONEPOOL_HTTP_HEADERS_H
#define ONEPOOL_HTTP_HEADERS_H

#include <curl/curl.h>

#include "http.h"

/* Sets all header fields to HTTP_ABSENT. */
void http_headers_clear(struct http_answer *a);
/* Fills them from the final answer of a finished transfer: not from 1xx answers, not from trailers. */
void http_headers_read(CURL *easy, struct http_answer *a);

#endif
