/* SPDX-License-Identifier: Apache-2.0 */
/* The section "returns" of the mapping file, and what its tables say. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "mapping.h"
#include "mapping_at.h"
#include "quantity.h"
#include "ban.h"

#define NAME_MAX_BYTES (MAPPING_RULE_SIZE - 1)

static const char *const verdicts[] = {
    [VERDICT_UNKNOWN] = "park", [VERDICT_SELLABLE] = "sellable", [VERDICT_UNSELLABLE] = "unsellable", NULL};
static const char *const payers[] = {
    [PAYER_UNKNOWN] = "park", [PAYER_TILL] = "paid_at_till", [PAYER_BIGCOMMERCE] = "pay_in_bigcommerce", NULL};

const char *verdict_name(enum verdict v) {
    return v == VERDICT_UNKNOWN ? "unknown" : verdicts[v];
}

const char *payer_name(enum payer p) {
    return p == PAYER_UNKNOWN ? "unknown" : payers[p];
}

/* Position of a text in a list of words; -1 if it is none of them. */
static int word_index(const cJSON *item, const char *const *words) {
    for (int i = 0; cJSON_IsString(item) && words[i] != NULL; i++) {
        if (strcmp(item->valuestring, words[i]) == 0) {
            return i;
        }
    }
    return -1;
}

/* A table of words, each member { name: word }. ids: names are ids of warehouses. */
static void read_table(const struct at *at, const char *key, const char *const *words, bool ids,
                       struct mapping_rules *out) {
    const cJSON *table = json_get(at->object, key), *item = NULL;
    char place[120], text[120];
    int64_t id = 0;
    if (table == NULL) {
        return;
    }
    if (!cJSON_IsObject(table) || cJSON_GetArraySize(table) > MAPPING_RULES_MAX) {
        at_mistake(at, key, "must be an object of at most 500 entries");
        return;
    }
    out->list = xcalloc((size_t)cJSON_GetArraySize(table) + 1, sizeof *out->list);
    cJSON_ArrayForEach(item, table) {
        int word = word_index(item, words);
        (void)snprintf(place, sizeof place, "%s.%.80s", key, item->string);
        if (item->string[0] == '\0' || strlen(item->string) > NAME_MAX_BYTES) {
            at_mistake(at, place, "the name must have 1 to 64 bytes");
        } else if (ids && !int_parse(item->string, 1, JSON_INT_MAX, &id)) {
            at_mistake(at, place, "is no id of a Sitoo warehouse");
        } else if (word < 0) {
            (void)snprintf(text, sizeof text, "must be %s, %s or %s", words[1], words[2], words[0]);
            at_mistake(at, place, text);
        } else {
            struct mapping_rule *r = &out->list[out->n++];
            (void)str_copy(r->name, sizeof r->name, item->string);
            r->word = word;
        }
    }
}

static int read_word(const struct at *at, const char *key, const char *const *words) {
    const cJSON *item = json_get(at->object, key);
    int word = word_index(item, words);
    char text[120];
    if (item != NULL && word < 0) {
        (void)snprintf(text, sizeof text, "must be %s, %s or %s", words[0], words[1], words[2]);
        at_mistake(at, key, text);
    }
    return word > 0 ? word : 0;
}

/* null: as if it were left out. */
static void int_or_null(const struct at *at, const char *key, int64_t min, int64_t max, int64_t preset, int64_t *out) {
    *out = preset;
    if (!cJSON_IsNull(json_get(at->object, key))) {
        at_int(at, key, min, max, preset, out);
    }
}

void mapping_read_returns(const cJSON *root, struct mapping *m, struct buf *mistakes) {
    static const char *const keys[] = {"reasons",
                                       "unknown_reason",
                                       "warehouses",
                                       "payments",
                                       "unknown_payment",
                                       "amount_tolerance_minor",
                                       "quarantine_warehouse_id",
                                       "days",
                                       "aged_days",
                                       "goods_back_days",
                                       "repeat_after_s",
                                       NULL};
    struct mapping_returns *r = &m->returns;
    const cJSON *o = json_get(root, "returns");
    struct at at = {.object = cJSON_IsObject(o) ? o : NULL, .path = "returns", .mistakes = mistakes};
    at_keys(&at, keys); /* another type is reported by mapping_read */
    read_table(&at, "reasons", verdicts, false, &r->reasons);
    read_table(&at, "warehouses", verdicts, true, &r->warehouses);
    read_table(&at, "payments", payers, false, &r->payments);
    r->unknown_reason = (enum verdict)read_word(&at, "unknown_reason", verdicts);
    r->unknown_payment = (enum payer)read_word(&at, "unknown_payment", payers);
    int_or_null(&at, "amount_tolerance_minor", 0, 100000, 2, &r->tolerance_minor);
    int_or_null(&at, "quarantine_warehouse_id", 1, JSON_INT_MAX, 0, &r->quarantine_warehouse_id);
    if (r->quarantine_warehouse_id > 0 && mapping_warehouse_index(m, r->quarantine_warehouse_id) >= 0) {
        at_mistake(&at, "quarantine_warehouse_id", "feeds a location, so what is moved there would be sold");
    }
    int_or_null(&at, "days", 1, 365, 30, &r->days);
    int_or_null(&at, "aged_days", 1, 365, 14, &r->aged_days);
    int_or_null(&at, "goods_back_days", 0, 365, 14, &r->goods_back_days);
    int_or_null(&at, "repeat_after_s", 30, 86400, 120, &r->repeat_after_s);
}

void mapping_free_returns(struct mapping_returns *r) {
    free(r->reasons.list);
    free(r->warehouses.list);
    free(r->payments.list);
}

static int rule(const struct mapping_rules *rules, const char *name, int otherwise) {
    for (size_t i = 0; name != NULL && i < rules->n; i++) {
        if (strcmp(rules->list[i].name, name) == 0) {
            return rules->list[i].word;
        }
    }
    return otherwise;
}

enum verdict mapping_verdict(const struct mapping_returns *r, const char *reason, int64_t warehouse_id) {
    char id[24];
    (void)snprintf(id, sizeof id, "%lld", (long long)warehouse_id);
    enum verdict by_warehouse = (enum verdict)rule(&r->warehouses, id, VERDICT_SELLABLE);
    enum verdict by_reason = (enum verdict)rule(&r->reasons, reason, (int)r->unknown_reason);
    if (by_warehouse == VERDICT_UNSELLABLE || by_reason == VERDICT_UNSELLABLE) {
        return VERDICT_UNSELLABLE;
    }
    return by_warehouse == VERDICT_UNKNOWN ? VERDICT_UNKNOWN : by_reason;
}

enum payer mapping_payer(const struct mapping_returns *r, const char *payment_name) {
    return (enum payer)rule(&r->payments, payment_name, (int)r->unknown_payment);
}
