/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_map.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "ban.h"

#define BUCKETS_FIRST ((size_t)1024) /* a power of 2, and doubled from there */

void ledger_map_init(struct ledger_map *m, size_t value_size) {
    *m = (struct ledger_map){.size = value_size, .bucket_count = BUCKETS_FIRST};
    m->buckets = xcalloc(m->bucket_count, sizeof *m->buckets);
}

void ledger_map_free(struct ledger_map *m) {
    for (size_t i = 0; i < m->bucket_count; i++) {
        while (m->buckets[i] != NULL) {
            struct ledger_slot *slot = m->buckets[i];
            m->buckets[i] = slot->next;
            free(slot->value);
            free(slot->sku);
            free(slot);
        }
    }
    free(m->buckets);
    *m = (struct ledger_map){0};
}

/* FNV-1a. */
static uint64_t hash_of(int64_t number, const char *sku) {
    uint64_t hash = UINT64_C(14695981039346656037) ^ (uint64_t)number;
    hash *= UINT64_C(1099511628211);
    for (; *sku != '\0'; sku++) {
        hash = (hash ^ (unsigned char)*sku) * UINT64_C(1099511628211);
    }
    return hash ^ (hash >> 32);
}

static void *find(const struct ledger_map *m, uint64_t hash, int64_t number, const char *sku) {
    for (struct ledger_slot *s = m->buckets[hash & (m->bucket_count - 1)]; s != NULL; s = s->next) {
        if (s->hash == hash && s->number == number && strcmp(s->sku, sku) == 0) {
            return s->value;
        }
    }
    return NULL;
}

static void grow(struct ledger_map *m) {
    size_t count = 2 * m->bucket_count;
    struct ledger_slot **buckets = xcalloc(count, sizeof(struct ledger_slot *));
    for (size_t i = 0; i < m->bucket_count; i++) {
        while (m->buckets[i] != NULL) {
            struct ledger_slot *slot = m->buckets[i];
            m->buckets[i] = slot->next;
            slot->next = buckets[slot->hash & (count - 1)];
            buckets[slot->hash & (count - 1)] = slot;
        }
    }
    free(m->buckets);
    m->buckets = buckets;
    m->bucket_count = count;
}

void *ledger_map_at(struct ledger_map *m, int64_t number, const char *sku) {
    uint64_t hash = hash_of(number, sku);
    void *value = find(m, hash, number, sku);
    if (value != NULL) {
        return value;
    }
    if (m->n >= m->bucket_count) {
        grow(m);
    }
    size_t bucket = hash & (m->bucket_count - 1);
    struct ledger_slot *slot = xcalloc(1, sizeof *slot);
    slot->next = m->buckets[bucket];
    slot->hash = hash;
    slot->number = number;
    slot->sku = xstrdup(sku);
    slot->value = xcalloc(1, m->size);
    m->buckets[bucket] = slot;
    m->n++;
    return slot->value;
}

void *ledger_map_find(const struct ledger_map *m, int64_t number, const char *sku) {
    return find(m, hash_of(number, sku), number, sku);
}

const struct ledger_slot *ledger_map_next(const struct ledger_map *m, const struct ledger_slot *slot) {
    if (slot != NULL && slot->next != NULL) {
        return slot->next;
    }
    for (size_t i = slot != NULL ? (slot->hash & (m->bucket_count - 1)) + 1 : 0; i < m->bucket_count; i++) {
        if (m->buckets[i] != NULL) {
            return m->buckets[i];
        }
    }
    return NULL;
}
