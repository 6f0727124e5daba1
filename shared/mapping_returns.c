/* SPDX-License-Identifier: Apache-2.0 */
/* The section "returns" of the mapping file, and what its tables say. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "mapping.h"
#include "near.h"
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

static void mistake(struct buf *mistakes, const char *key, const char *text) {
    buf_addf(mistakes, "mapping file: returns.%.110s: %s\n", key, text);
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
static void read_table(const cJSON *o, const char *key, const char *const *words, bool ids, struct mapping_rules *out,
                       struct buf *mistakes) {
    const cJSON *table = json_get(o, key), *item = NULL;
    char place[120], text[120];
    int64_t id = 0;
    if (table == NULL) {
        return;
    }
    if (!cJSON_IsObject(table) || cJSON_GetArraySize(table) > MAPPING_RULES_MAX) {
        mistake(mistakes, key, "must be an object of at most 500 entries");
        return;
    }
    out->list = xcalloc((size_t)cJSON_GetArraySize(table) + 1, sizeof *out->list);
    cJSON_ArrayForEach(item, table) {
        int word = word_index(item, words);
        (void)snprintf(place, sizeof place, "%s.%.80s", key, item->string);
        if (item->string[0] == '\0' || strlen(item->string) > NAME_MAX_BYTES) {
            mistake(mistakes, place, "the name must have 1 to 64 bytes");
        } else if (ids && !int_parse(item->string, 1, JSON_INT_MAX, &id)) {
            mistake(mistakes, place, "is no id of a Sitoo warehouse");
        } else if (word < 0) {
            (void)snprintf(text, sizeof text, "must be %s, %s or %s", words[1], words[2], words[0]);
            mistake(mistakes, place, text);
        } else {
            struct mapping_rule *r = &out->list[out->n++];
            (void)str_copy(r->name, sizeof r->name, item->string);
            r->word = word;
        }
    }
}

static int read_word(const cJSON *o, const char *key, const char *const *words, struct buf *mistakes) {
    const cJSON *item = json_get(o, key);
    int word = word_index(item, words);
    char text[120];
    if (item != NULL && word < 0) {
        (void)snprintf(text, sizeof text, "must be %s, %s or %s", words[0], words[1], words[2]);
        mistake(mistakes, key, text);
    }
    return word > 0 ? word : 0;
}

static void read_int(const cJSON *o, const char *key, int64_t min, int64_t max, int64_t preset, int64_t *out,
                     struct buf *mistakes) {
    char text[80];
    const cJSON *item = json_get(o, key);
    *out = preset;
    if (item == NULL || cJSON_IsNull(item)) {
        return;
    }
    if (!json_item_int(item, out) || *out < min || *out > max) {
        (void)snprintf(text, sizeof text, "must be a whole number from %lld to %lld", (long long)min, (long long)max);
        mistake(mistakes, key, text);
        *out = preset;
    }
}

static void check_keys(const cJSON *o, struct buf *mistakes) {
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
    const cJSON *member = NULL;
    cJSON_ArrayForEach(member, o) {
        bool known = false;
        for (size_t i = 0; keys[i] != NULL; i++) {
            known = known || strcmp(member->string, keys[i]) == 0;
        }
        if (!known) {
            const char *likely = near_word(member->string, keys);
            char text[100];
            (void)snprintf(text, sizeof text, "unknown key%s%.60s%s", likely != NULL ? "; did you mean " : "",
                           likely != NULL ? likely : "", likely != NULL ? "?" : "");
            mistake(mistakes, member->string, text);
        }
    }
}

void mapping_read_returns(const cJSON *root, struct mapping *m, struct buf *mistakes) {
    const cJSON *o = json_get(root, "returns");
    struct mapping_returns *r = &m->returns;
    o = cJSON_IsObject(o) ? o : NULL; /* another type is reported by mapping_read */
    check_keys(o, mistakes);
    read_table(o, "reasons", verdicts, false, &r->reasons, mistakes);
    read_table(o, "warehouses", verdicts, true, &r->warehouses, mistakes);
    read_table(o, "payments", payers, false, &r->payments, mistakes);
    r->unknown_reason = (enum verdict)read_word(o, "unknown_reason", verdicts, mistakes);
    r->unknown_payment = (enum payer)read_word(o, "unknown_payment", payers, mistakes);
    read_int(o, "amount_tolerance_minor", 0, 100000, 2, &r->tolerance_minor, mistakes);
    read_int(o, "quarantine_warehouse_id", 1, JSON_INT_MAX, 0, &r->quarantine_warehouse_id, mistakes);
    if (r->quarantine_warehouse_id > 0 && mapping_warehouse_index(m, r->quarantine_warehouse_id) >= 0) {
        mistake(mistakes, "quarantine_warehouse_id", "feeds a location, so what is moved there would be sold");
    }
    read_int(o, "days", 1, 365, 30, &r->days, mistakes);
    read_int(o, "aged_days", 1, 365, 14, &r->aged_days, mistakes);
    read_int(o, "goods_back_days", 0, 365, 14, &r->goods_back_days, mistakes);
    read_int(o, "repeat_after_s", 30, 86400, 120, &r->repeat_after_s, mistakes);
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
