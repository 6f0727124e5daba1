/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is the ledger's chain whole? Entries are given in order; every fault is named by the entry that it is in. Pure.
 *
 * An entry whose row, id or link was changed has another hash than the next one holds. A link that was changed also
 * does not fit what is before it: then two in a row do not fit, and the one in the middle is named.
 */
#ifndef ONEPOOL_LEDGER_CHAIN_H
#define ONEPOOL_LEDGER_CHAIN_H

#include "ledger_entry.h"

#define LEDGER_FAULTS_MAX 100 /* kept; all are counted */
#define LEDGER_TEXT_SIZE  400

struct ledger_fault {
    int64_t n;  /* the entry; 0 = it has none */
    int64_t ms; /* its time; 0 = unknown */
    char id[LEDGER_ID_SIZE];
    char type[40], sku[260]; /* of its row, where they can be read; "" */
    char text[LEDGER_TEXT_SIZE];
    bool changed; /* a hash did not fit */
};

struct ledger_chain {
    struct ledger_hasher *hasher;
    bool restarts_allowed;             /* files may hold more than one chain: Redis was empty between */
    int64_t entries, unlinked, linked; /* unlinked: from before the chain */
    int64_t restarts;
    int64_t first_ms, last_ms;
    int64_t first_n, before_ms; /* of the first link, and the time of the entry before it */
    int64_t last_n;
    char head[LEDGER_HASH_SIZE]; /* hash of the last entry with a link */
    struct ledger_fault faults[LEDGER_FAULTS_MAX];
    size_t fault_count;
    /* the last entry, to be named if the next one does not fit */
    struct ledger_entry last;
    struct buf last_row, last_c;
};

void ledger_chain_init(struct ledger_chain *c);
void ledger_chain_free(struct ledger_chain *c);
void ledger_chain_take(struct ledger_chain *c, const struct ledger_entry *e);
/* What is said elsewhere of the newest entry: its number and hash. where: "Redis" or a file's name. */
void ledger_chain_end(struct ledger_chain *c, int64_t n, const char *head, const char *where);
/* Entries are kept since floor_ms: what was cut off in front must be older. */
void ledger_chain_begin_at(struct ledger_chain *c, int64_t floor_ms);
/* A fault that is seen elsewhere (files). */
void ledger_chain_fault(struct ledger_chain *c, const char *text);

#endif
