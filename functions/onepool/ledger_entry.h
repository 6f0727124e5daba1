/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One entry of the ledger, from Redis or from an exported file, and its hash. Pure.
 *
 *   in Redis: stream entry <id> with row = JSON and c = "n gap prev" (shared/lua/00_common.lua)
 *   in a file, one line each: {"id":"1700000000000-0","c":"7 12 <40 hex digits>","row":{...}}
 *   a row that is no JSON object stands as "text":"..."; an entry of before the chain has no c
 *
 * The hash of an entry is the SHA-1 of "id c row", 40 hex digits; prev is that of the entry before it, gap how many ms
 * older that one is.
 */
#ifndef ONEPOOL_LEDGER_ENTRY_H
#define ONEPOOL_LEDGER_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

#define LEDGER_ID_SIZE   44 /* "18446744073709551615-18446744073709551615" */
#define LEDGER_HASH_SIZE 41
#define LEDGER_LINE_MAX  ((size_t)4 * 1024 * 1024)                  /* the longest rows name 100 SKUs of 1,020 bytes */
#define LEDGER_BEGIN     "0000000000000000000000000000000000000000" /* prev of entry 1 */

enum ledger_link { LINK_NONE, LINK_GOOD, LINK_BAD };

struct ledger_entry {
    char id[LEDGER_ID_SIZE];
    int64_t ms, seq; /* of the id */
    enum ledger_link link;
    const char *c, *row; /* as stored; c "" if there is none */
    size_t row_len;
    int64_t n, gap; /* of c */
    char prev[LEDGER_HASH_SIZE];
    char *owned; /* freed with ledger_entry_free: the row of a line with "text" */
};

/* Takes an entry apart; row and c (NULL = none) are borrowed. False if the id is none. */
bool ledger_entry_set(struct ledger_entry *e, const char *id, const char *c, const char *row, size_t row_len);
void ledger_entry_free(struct ledger_entry *e);
/* The same of a line of a file, which is changed and borrowed. */
bool ledger_entry_line(struct ledger_entry *e, char *line, size_t len);
/* Appends the entry as a line, with its end. */
void ledger_entry_print(const struct ledger_entry *e, struct buf *out);
/* Negative, 0 or positive as a stream orders them. */
int ledger_entry_order(const struct ledger_entry *a, const struct ledger_entry *b);

/* Hashes many entries. */
struct ledger_hasher;
struct ledger_hasher *ledger_hasher_new(void);
void ledger_hasher_free(struct ledger_hasher *h);
void ledger_hash(struct ledger_hasher *h, const struct ledger_entry *e, char out[LEDGER_HASH_SIZE]);

#endif
