/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_page.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "keys.h"
#include "ban.h"

void ledger_page_free(struct ledger_page *p) {
    for (size_t i = 0; i < p->chain_count; i++) {
        free(p->chains[i].sku);
    }
    free(p->chains);
    args_free(&p->effects);
    args_free(&p->seen);
    memset(p, 0, sizeof *p);
}

bool ledger_page_has(const struct ledger_page *p, int64_t id) {
    char text[24];
    (void)snprintf(text, sizeof text, "%lld", (long long)id);
    for (size_t i = 0; i < p->seen.n; i++) {
        if (strcmp(p->seen.argv[i], text) == 0) {
            return true;
        }
    }
    return false;
}

/* FNV-1a: a page may name tens of thousands of SKUs, and each is looked for among those before it. */
static uint64_t hash_of(const char *sku) {
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *sku != '\0'; sku++) {
        hash = (hash ^ (unsigned char)*sku) * UINT64_C(1099511628211);
    }
    return hash;
}

static struct page_chain *find(const struct ledger_page *p, int64_t warehouse, const char *sku, uint64_t hash) {
    for (size_t i = 0; i < p->chain_count; i++) {
        struct page_chain *one = &p->chains[i];
        if (one->hash == hash && one->warehouse == warehouse && strcmp(one->sku, sku) == 0) {
            return one;
        }
    }
    return NULL;
}

enum next ledger_page_chain(struct app *app, const struct ledger_page *p, int64_t warehouse, const char *sku,
                            struct chain *c, struct reason *why) {
    const struct page_chain *here = find(p, warehouse, sku, hash_of(sku));
    struct args a = {0};
    char name[64], text[80] = "";
    redisReply *reply = NULL;
    memset(c, 0, sizeof *c);
    if (here != NULL) {
        *c = here->last;
        return NEXT_DONE;
    }
    (void)snprintf(name, sizeof name, KEY_CHAIN, (long long)warehouse);
    args_add(&a, "HGET");
    args_add_key(&a, app->redis, name);
    args_add(&a, sku);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    if (reply->type == REDIS_REPLY_STRING && str_copy(text, sizeof text, reply->str)) {
        chain_read(text, c);
    }
    freeReplyObject(reply);
    return NEXT_DONE;
}

void ledger_page_set_chain(struct ledger_page *p, int64_t warehouse, const char *sku, int64_t id, int64_t total,
                           int64_t seen_ms) {
    uint64_t hash = hash_of(sku);
    struct page_chain *one = find(p, warehouse, sku, hash);
    if (one == NULL) {
        p->chains = xrealloc(p->chains, p->chain_count + 1, sizeof *p->chains);
        one = &p->chains[p->chain_count++];
        *one = (struct page_chain){.warehouse = warehouse, .hash = hash, .sku = xstrdup(sku)};
    }
    one->last = (struct chain){.known = true, .id = id, .total = total, .seen_ms = seen_ms};
}

enum next ledger_page_store(struct app *app, const struct ledger_page *p, int64_t cursor, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    if (p->effects.n == 0 && p->seen.n == 0 && p->chain_count == 0 && cursor == 0) {
        return NEXT_DONE;
    }
    if (cursor > 0) {
        args_add_int(&a, cursor);
    } else {
        args_add(&a, "");
    }
    args_add_int(&a, (int64_t)p->seen.n);
    args_append(&a, &p->seen);
    args_add_int(&a, (int64_t)p->chain_count);
    for (size_t i = 0; i < p->chain_count; i++) {
        const struct page_chain *one = &p->chains[i];
        args_add_int(&a, one->warehouse);
        args_add(&a, one->sku);
        args_addf(&a, "%lld %lld %lld", (long long)one->last.id, (long long)one->last.total,
                  (long long)one->last.seen_ms);
    }
    args_append(&a, &p->effects);
    enum next next = redis_fcall(app->redis, "ledger_page", &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}
