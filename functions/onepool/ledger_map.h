/* SPDX-License-Identifier: Apache-2.0 */
/* A number and a SKU -> something of a fixed size, zeroed when it is new. Grows; what it gives stays where it is. */
#ifndef ONEPOOL_LEDGER_MAP_H
#define ONEPOOL_LEDGER_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ledger_slot {
    struct ledger_slot *next;
    uint64_t hash;
    int64_t number;
    char *sku;
    void *value;
};

struct ledger_map {
    size_t size; /* of a value */
    struct ledger_slot **buckets;
    size_t bucket_count, n;
};

void ledger_map_init(struct ledger_map *m, size_t value_size);
/* Values are freed, what they point to is not. */
void ledger_map_free(struct ledger_map *m);
void *ledger_map_at(struct ledger_map *m, int64_t number, const char *sku);
/* NULL if there is none. */
void *ledger_map_find(const struct ledger_map *m, int64_t number, const char *sku);
/* The slot after this one (NULL: the first); NULL at the end. */
const struct ledger_slot *ledger_map_next(const struct ledger_map *m, const struct ledger_slot *slot);

#endif
