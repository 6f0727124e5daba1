/* SPDX-License-Identifier: Apache-2.0 */
/* The address of a Redis, read strictly. For redis.c only. */
#ifndef ONEPOOL_REDIS_URL_H
#define ONEPOOL_REDIS_URL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * redis://[user:password@]host[:port][/db] or unix:///path[?db=n]. User, password and path are percent-decoded;
 * the user may be empty (the default user). Port 6379 and database 0 unless named.
 */
struct redis_url {
    char *path;     /* socket, or NULL */
    char *host;     /* without the brackets of an IPv6 address; NULL with path */
    char *user;     /* NULL = none named */
    char *password; /* NULL = no AUTH */
    int port;
    int db;
};

/* If it is not understood: false, a text in error (no part of the URL, which holds a password), nothing to free. */
bool redis_url_parse(const char *text, struct redis_url *url, char *error, size_t error_size);
/* Wipes the password. Accepts a zeroed struct. */
void redis_url_free(struct redis_url *url);

#endif
