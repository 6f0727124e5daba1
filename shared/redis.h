/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Redis over hiredis 0.14: one connection, argv commands only, time limits on everything.
 *
 * Robustness: redisReconnect of hiredis 0.14 forgets its time-outs and can block for ever, so a connection
 * with an error is freed and a new one made. A time-out shows as REDIS_ERR_IO with EAGAIN; a context with err
 * set is dead, since a late reply would answer the next command.
 *
 * Refusals such as OOM, MISCONF, READONLY, LOADING, BUSY, NOREPLICAS, CLUSTERDOWN, NOAUTH defer; other error
 * replies are bugs.
 */
#ifndef ONEPOOL_REDIS_H
#define ONEPOOL_REDIS_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct redis; /* a connection that is made on first use and made again after an error */

struct redis_options {
    const char *url;            /* redis://[user:password@]host:port/db | unix:///path[?db=n]; copied */
    const char *tenant;         /* goes into the hash tag: keys are {tenant}:name; copied */
    int64_t connect_timeout_ms; /* 500 for acceptors */
    int64_t command_timeout_ms; /* 1000 for acceptors */
};

/* NULL and a text in error if the url is not understood. Does not connect yet. */
struct redis *redis_new(const struct redis_options *options, char *error, size_t error_size);
void redis_free(struct redis *r);
/* Checks a url without connecting. */
bool redis_url_valid(const char *url, char *error, size_t error_size);

/* A command under construction. Copies what it is given. Preset: {0}. */
struct args {
    char **argv;
    size_t *len;
    size_t n;
    size_t cap;
};
void args_add(struct args *a, const char *s); /* NULL counts as "" */
void args_add_bytes(struct args *a, const void *data, size_t len);
void args_add_int(struct args *a, int64_t n);
void args_addf(struct args *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Appends all of b to a; b stays as it is. */
void args_append(struct args *a, const struct args *b);
void args_free(struct args *a);
/* "{tenant}:" + name, in place of args_add for a key. */
void args_add_key(struct args *a, const struct redis *r, const char *name);

/*
 * Sends one command and reads its reply. NEXT_DONE: *reply is set (never an error reply), the caller frees it with
 * freeReplyObject. NEXT_DEFER: Redis is away, slow or refuses; why says so (not_its_fault is set). NEXT_BUG: any other
 * error reply. With repeatable, a lost connection or time-out is answered by one new connection and the same command
 * again; give it only to commands that may run twice.
 */
enum next redis_command(struct redis *r, const struct args *a, bool repeatable, redisReply **reply,
                        struct reason *why) NODISCARD;

/*
 * Sends n commands in one go and reads n replies (a pipeline, not a transaction). All or nothing towards the caller: on
 * NEXT_DONE replies[0..n-1] are set, else all are NULL. Repeatable as above.
 */
enum next redis_pipeline(struct redis *r, const struct args *cmds, size_t n, bool repeatable, redisReply **replies,
                         struct reason *why) NODISCARD;
/* Frees n commands and those of their replies that there are, not the two arrays. */
void redis_pipeline_free(struct args *cmds, redisReply **replies, size_t n);

/*
 * One page of a hash (HSCAN): fields and values by turns in element 1 of *reply, which the caller frees. cursor: "" or
 * "0" begins; redis_hash_ended says whether this was the last page. A field may come twice.
 */
#define REDIS_CURSOR_SIZE 32
enum next redis_hash_page(struct redis *r, const char *key, int64_t count, char cursor[REDIS_CURSOR_SIZE],
                          redisReply **reply, struct reason *why) NODISCARD;
bool redis_hash_ended(const char *cursor);

/* Redis's clock. */
enum next redis_time(struct redis *r, int64_t *ms, struct reason *why) NODISCARD;

/*
 * Calls a function of the embedded library (shared/lua): FCALL <name>_<version> 1 {tenant} args... Loads the library
 * (FUNCTION LOAD REPLACE) and repeats if Redis does not know it.
 */
enum next redis_fcall(struct redis *r, const char *function, const struct args *args, bool repeatable,
                      redisReply **reply, struct reason *why) NODISCARD;

/* Subscribes this connection to {tenant}:name (it can then only be used with redis_wait). */
enum next redis_subscribe(struct redis *r, const char *name, struct reason *why) NODISCARD;
/* How many connections were made: a change means that Redis may have been started anew meanwhile. */
uint64_t redis_connections(const struct redis *r);
/* The socket of a connected r, or -1. */
int redis_fd(const struct redis *r);
/* Reads whatever messages have arrived on a subscribed connection without waiting; returns false if it is dead (it is
 * then closed, subscribe again). */
bool redis_drain_messages(struct redis *r);

/* Helpers over replies: element i of an array as integer or text; 0 / NULL when absent. */
int64_t reply_int(const redisReply *r);
int64_t reply_int_at(const redisReply *r, size_t i);
const char *reply_str_at(const redisReply *r, size_t i);
const char *reply_str(const redisReply *r);

/* Version of the embedded function library: eight hex digits of its SHA-256. */
extern const char lua_version[];
extern const char lua_source[];
extern const size_t lua_source_len;

#endif
