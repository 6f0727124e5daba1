/* SPDX-License-Identifier: Apache-2.0 */
/* One export file being written: under a temporary name, mode 0600, then under its own, which must be free. */
#ifndef ONEPOOL_LEDGER_OUT_H
#define ONEPOOL_LEDGER_OUT_H

#include <stdbool.h>

#include "ledger_source.h"

struct ledger_out {
    void *gz; /* NULL = none is open */
    int fd;
    char folder[800], name[LEDGER_NAME_SIZE], part[1024];
    int64_t day; /* of its entries, since 1970 */
    int64_t entries, n;
    char head[LEDGER_HASH_SIZE], last[LEDGER_ID_SIZE];
};

/* "ledger-20261130T140312.123Z-000000.jsonl.gz", after the file's first entry. */
void ledger_out_name(const struct ledger_entry *first, char out[LEDGER_NAME_SIZE]);
/* "<folder>/<name>" */
void ledger_out_path(const char *folder, const char *name, char out[1024]);

/* Each: false and errno's text in error. before "" = there is no file before it. */
bool ledger_out_open(struct ledger_out *f, const char *folder, const struct ledger_entry *first, const char *tenant,
                     const char *before, const char *before_sha256, char *error, size_t error_size);
/* hash: of the entry, if it has a link. */
bool ledger_out_add(struct ledger_out *f, const struct ledger_entry *e, const char *hash, char *error,
                    size_t error_size);
/* Ends it, and gives it its name; sha256 of its bytes. */
bool ledger_out_close(struct ledger_out *f, char sha256[LEDGER_SHA256_SIZE], char *error, size_t error_size);
/* Gives it up and deletes it, if one is open. */
void ledger_out_drop(struct ledger_out *f);

#endif
