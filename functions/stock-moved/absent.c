/* SPDX-License-Identifier: Apache-2.0 */
/*
 * facts_absent: when "no row" may be taken for 0. Only if the SKU exists in Sitoo with stock counting on (inactive
 * products included), and the warehouse has rows at all. A wrong site id or filter answers an empty 200: that proves
 * nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "facts.h"
#include "json.h"
#include "keys.h"
#include "log.h"
#include "platform.h"
#include "sku.h"
#include "ban.h"

#define PROOF_KEEP_S      86400
#define PRODUCTS_PER_CALL ((size_t)100)
#define FILTER_MAX        ((size_t)4000) /* bytes of a call's SKUs, percent-encoded */

enum proof { PROOF_NONE, PROOF_COUNTED, PROOF_NOT_COUNTED, PROOF_NO_PRODUCT };

/* SKUs that need a proof, with what is known of them. */
struct proofs {
    size_t *facts;
    enum proof *proof;
    size_t n;
};

static enum next remember(struct app *app, const char *name, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "SET");
    args_add_key(&a, app->redis, name);
    args_add(&a, "1");
    args_add(&a, "EX");
    args_add_int(&a, PROOF_KEEP_S);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}

/* MGET of n names made by name(i); known[i] = it is there. */
static enum next recall(struct app *app, char **names, size_t n, bool *known, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    if (n == 0) {
        return NEXT_DONE;
    }
    args_add(&a, "MGET");
    for (size_t i = 0; i < n; i++) {
        args_add_key(&a, app->redis, names[i]);
    }
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    args_free(&a);
    for (size_t i = 0; next == NEXT_DONE && i < n; i++) {
        known[i] = reply_str_at(reply, i) != NULL;
    }
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}

/* ---- the SKU exists ---- */

static enum next ask_products(struct app *app, const struct facts *f, struct proofs *p, const size_t *which, size_t n,
                              struct reason *why) {
    struct buf path;
    struct answer answer;
    const cJSON *item = NULL;
    buf_init(&path, (size_t)128 * 1024);
    buf_addf(&path,
             "/sites/%lld/products.json?includeinactive=true&num=%lld&fields=productid,sku,stockcountenable&sku=",
             (long long)app->set->sitoo_site_id, (long long)f->mapping->sitoo_page_size);
    for (size_t k = 0; k < n; k++) {
        buf_add_str(&path, k > 0 ? "," : "");
        buf_add_url(&path, f->list[p->facts[which[k]]].sku);
        p->proof[which[k]] = PROOF_NO_PRODUCT;
    }
    const char *paths[] = {buf_str(&path)};
    enum next next = sitoo_get(app, paths, &answer, 1, why);
    buf_free(&path);
    if (next != NEXT_DONE) {
        return next;
    }
    cJSON_ArrayForEach(item, json_array(answer.json, "items")) {
        const char *sku = json_str(item, "sku");
        for (size_t k = 0; sku != NULL && k < n; k++) {
            if (strcmp(sku, f->list[p->facts[which[k]]].sku) == 0) {
                p->proof[which[k]] = json_bool(item, "stockcountenable", true) ? PROOF_COUNTED : PROOF_NOT_COUNTED;
            }
        }
    }
    answer_free(&answer);
    return NEXT_DONE;
}

static enum next prove_skus(struct app *app, const struct facts *f, struct proofs *p, struct reason *why) {
    char **names = xcalloc(p->n + 1, sizeof *names);
    bool *known = xcalloc(p->n + 1, sizeof *known);
    size_t most = mapping_per_call(f->mapping, PRODUCTS_PER_CALL), which[PRODUCTS_PER_CALL], count = 0, bytes = 0;
    for (size_t i = 0; i < p->n; i++) {
        names[i] = xmalloc(KEY_MAX);
        (void)snprintf(names[i], KEY_MAX, KEY_EXISTS, f->list[p->facts[i]].sku);
    }
    enum next next = recall(app, names, p->n, known, why);
    for (size_t i = 0; next == NEXT_DONE && i <= p->n; i++) {
        size_t more = i < p->n ? 3 * strlen(f->list[p->facts[i]].sku) + 1 : 0;
        if (count == most || (count > 0 && (i == p->n || bytes + more > FILTER_MAX))) {
            next = ask_products(app, f, p, which, count, why);
            for (size_t k = 0; next == NEXT_DONE && k < count; k++) {
                next = p->proof[which[k]] == PROOF_COUNTED ? remember(app, names[which[k]], why) : NEXT_DONE;
            }
            count = bytes = 0;
        }
        if (i < p->n && known[i]) {
            p->proof[i] = PROOF_COUNTED;
        } else if (i < p->n) {
            which[count++] = i;
            bytes += more;
        }
    }
    for (size_t i = 0; i < p->n; i++) {
        free(names[i]);
    }
    free(known);
    free(names);
    return next;
}

/* ---- the warehouse has rows ---- */

static enum next prove_warehouse(struct app *app, int64_t warehouse_id, bool *filled, struct reason *why) {
    char name[64], path[128];
    char *names[] = {name};
    struct answer answer;
    int64_t total = 0;
    (void)snprintf(name, sizeof name, KEY_FILLED, (long long)warehouse_id);
    enum next next = recall(app, names, 1, filled, why);
    if (next != NEXT_DONE || *filled) {
        return next;
    }
    (void)snprintf(path, sizeof path, "/sites/%lld/warehouses/%lld/warehouseitems.json?num=1&fields=sku",
                   (long long)app->set->sitoo_site_id, (long long)warehouse_id);
    const char *paths[] = {path};
    next = sitoo_get(app, paths, &answer, 1, why);
    if (next != NEXT_DONE) {
        return next;
    }
    *filled = json_int(answer.json, "totalcount", &total) && total > 0;
    answer_free(&answer);
    return *filled ? remember(app, name, why) : NEXT_DONE;
}

/* ---- verdicts ---- */

static void case_unknown(const struct app *app, struct facts *f, struct fact *fact, enum proof proof,
                         int64_t warehouse) {
    char shown[SKU_SHOWN_SIZE];
    if (proof == PROOF_NOT_COUNTED) {
        facts_case(app, f, fact, "stock_not_counted", "Sitoo does not count the stock of SKU %s",
                   sku_shown(fact->sku, shown));
    } else if (proof == PROOF_NO_PRODUCT) {
        facts_case(app, f, fact, "not_in_sitoo", "SKU %s has no product in Sitoo", sku_shown(fact->sku, shown));
    } else {
        facts_case(
            app, f, fact, "warehouse_empty",
            "SKU %s has no stock row in warehouse %lld, nor has anything else there; its id or the site may be wrong",
            sku_shown(fact->sku, shown), (long long)warehouse);
    }
}

static enum next judge(struct app *app, struct facts *f, const struct proofs *p, struct reason *why) {
    for (size_t w = 0; w < f->mapping->warehouse_count; w++) {
        bool filled = false, asked = false;
        for (size_t i = 0; i < p->n; i++) {
            struct fact *fact = &f->list[p->facts[i]];
            if (fact->settled || fact->have[w] != HAVE_ABSENT) {
                continue;
            }
            enum next next = asked ? NEXT_DONE : prove_warehouse(app, f->mapping->warehouses[w], &filled, why);
            if (next != NEXT_DONE) {
                return next;
            }
            asked = true;
            if (p->proof[i] != PROOF_COUNTED || !filled) {
                case_unknown(app, f, fact, p->proof[i] != PROOF_COUNTED ? p->proof[i] : PROOF_NONE,
                             f->mapping->warehouses[w]);
            } else {
                fact->stock[w].available = 0;
                fact->have[w] = HAVE_STOCK;
                fact->reads++;
                fact->proven = true;
                next = facts_remember(app, f->mapping->warehouses[w], fact->sku, why);
                if (next != NEXT_DONE) {
                    return next;
                }
            }
        }
    }
    return NEXT_DONE;
}

enum next facts_absent(struct app *app, struct facts *f, struct reason *why) {
    struct proofs p = {.facts = xcalloc(f->n + 1, sizeof *p.facts), .proof = xcalloc(f->n + 1, sizeof *p.proof)};
    enum next next = NEXT_DONE;
    for (size_t i = 0; i < f->n; i++) {
        if (!f->list[i].settled && memchr(f->list[i].have, HAVE_ABSENT, f->mapping->warehouse_count) != NULL) {
            p.facts[p.n++] = i;
        }
    }
    if (p.n > 0) {
        next = prove_skus(app, f, &p, why);
        next = next == NEXT_DONE ? judge(app, f, &p, why) : next;
    }
    free(p.facts);
    free(p.proof);
    return next;
}
