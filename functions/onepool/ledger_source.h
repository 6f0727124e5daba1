/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger's entries in order, from Redis or from exported files, a page or a line at a time.
 *
 * A file is gzip (or plain) text: a first line, the entries (ledger_entry.h), a last line.
 *
 *   {"onepool_ledger":1,"tenant":"default","previous":{"file":"ledger-...gz","sha256":"<64 hex digits>"} or null}
 *   {"end":{"entries":1000,"n":1000,"head":"<40 hex digits>"}}          n and head of the newest link; 0 and "" if none
 */
#ifndef ONEPOOL_LEDGER_SOURCE_H
#define ONEPOOL_LEDGER_SOURCE_H

#include "app.h"
#include "ledger_entry.h"

#define LEDGER_FILE_SUFFIX ".jsonl.gz"
#define LEDGER_SHA256_SIZE 65
#define LEDGER_NAME_SIZE   128
#define LEDGER_FILES_MAX   ((size_t)100000)

/* Takes one entry; false: enough. */
typedef bool ledger_take(void *arg, const struct ledger_entry *e);

/* What ledger:chain says of the newest entry; known false: there is none. days: how long entries are kept; cut_ms:
 * those older may be gone though they are younger than that, since fewer days were asked for once. */
struct ledger_head {
    bool known;
    int64_t n, days, cut_ms;
    char head[LEDGER_HASH_SIZE];
};
enum next ledger_head_read(struct app *app, struct ledger_head *h, struct reason *why) NODISCARD;

/* Every entry of Redis from *from (an id, or "(" and an id: after it; "-" = the first) to `to` ("+" = the last). *from
 * moves on, so that another call gives what came since. */
enum next ledger_read_redis(struct app *app, char from[LEDGER_ID_SIZE + 1], const char *to, ledger_take *take,
                            void *arg, struct reason *why) NODISCARD;

struct ledger_file {
    char path[1024];
    char name[LEDGER_NAME_SIZE];            /* last part of the path */
    char sha256[LEDGER_SHA256_SIZE];        /* of its bytes */
    char before[LEDGER_NAME_SIZE];          /* the file before it, as its first line says; "" = none */
    char before_sha256[LEDGER_SHA256_SIZE]; /* and that one's digest */
    char first[LEDGER_ID_SIZE], last[LEDGER_ID_SIZE];
    int64_t entries, n; /* n: number of its newest link, as its last line says */
    char head[LEDGER_HASH_SIZE];
};

/* First line and first entry: enough to put files in order. False: error says why. */
bool ledger_file_open(struct ledger_file *f, const char *path, char *error, size_t error_size);
/* All of it. False: it cannot be read to its end; what could be was given. */
bool ledger_file_read(struct ledger_file *f, ledger_take *take, void *arg, char *error, size_t error_size);
/* The SHA-256 of a file's bytes; false and errno if it cannot be read. */
bool ledger_file_digest(const char *path, char out[LEDGER_SHA256_SIZE]);

/* Files and folders (their ledger-*.jsonl.gz) as files in the order of their entries; NULL and error. The caller frees.
 */
struct ledger_file *ledger_files(char *const *paths, size_t *n, char *error, size_t error_size);

#endif
