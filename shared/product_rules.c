/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What both shops say about themselves, as far as prices and tax need it.
 *
 *   GET /v2/store                                   {"currency":"SEK","is_price_entered_with_tax":true, ...}
 *   GET /v2/tax_classes?limit=250                   [{"id":0,"name":"Default Tax Class"}, ...]; 204: none
 *   GET /sites/{site}/productgroups.json {"totalcount":3,"items":[{"vatid":2,"value":25,"productgrouptype":10}]} GET
 * /sites/{site}/pricelists.json               see till_product.h
 *
 * Sources: bigcommerce.md 8 (store_information.v2, tax_classes.v2.yml, 2026-04-01); sitoo.md 6.3, 6.4.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "money.h"
#include "platform.h"
#include "product_shops.h"
#include "ban.h"

#define PERCENT_MAX (1000 * MONEY_ONE)

static enum next not_whole(const char *what, struct answer *answer, struct reason *why) {
    enum next next = reason_set(why, NEXT_DEFER, "incomplete_read",
                                "%s: the answer (status %d) is not what was asked for", what, answer->status);
    answer_free(answer);
    return next;
}

static enum next read_store(struct app *app, struct product_rules *out, struct reason *why) {
    struct answer answer;
    enum next next = bigcommerce_get(app, "/v2/store", &answer, why);
    if (next != NEXT_DONE) {
        return next;
    }
    const char *currency = json_str(answer.json, "currency");
    const cJSON *with_tax = json_get(answer.json, "is_price_entered_with_tax");
    /* A guess about tax would put every price off by it. */
    if (currency == NULL || strlen(currency) != 3 || !cJSON_IsBool(with_tax)) {
        return not_whole("Currency and tax of the BigCommerce store", &answer, why);
    }
    (void)str_copy(out->currency, sizeof out->currency, currency);
    out->web_with_tax = cJSON_IsTrue(with_tax);
    answer_free(&answer);
    return NEXT_DONE;
}

static enum next read_tax_classes(struct app *app, struct product_rules *out, struct reason *why) {
    struct answer answer;
    const cJSON *item = NULL;
    enum next next = bigcommerce_get(app, "/v2/tax_classes?limit=250", &answer, why);
    if (next != NEXT_DONE) {
        return next;
    }
    if (answer.json != NULL && !cJSON_IsArray(answer.json)) {
        answer_free(&answer); /* 404: a shop without them; names are for messages only */
        return NEXT_DONE;
    }
    out->tax_classes = xcalloc((size_t)cJSON_GetArraySize(answer.json) + 1, sizeof *out->tax_classes);
    cJSON_ArrayForEach(item, answer.json) {
        int64_t id = 0;
        const char *name = json_str(item, "name");
        if (json_id(item, "id", &id)) {
            out->tax_classes[out->tax_class_count].id = id;
            (void)str_copy(out->tax_classes[out->tax_class_count].name, sizeof out->tax_classes[0].name,
                           name != NULL ? name : "");
            out->tax_class_count++;
        }
    }
    answer_free(&answer);
    return NEXT_DONE;
}

static bool take_group(const cJSON *item, struct product_rules *out) {
    int64_t id = 0, percent = 0, type = 0;
    /* A number such as 25 or 12.5, read as money is: exactly, as ten-thousandths. */
    if (!json_id(item, "vatid", &id) || !money_get(item, "value", &percent) || percent < 0 || percent > PERCENT_MAX) {
        return false;
    }
    (void)json_int(item, "productgrouptype", &type);
    out->vat_groups[out->vat_group_count].id = id;
    out->vat_groups[out->vat_group_count].percent = percent;
    out->vat_groups[out->vat_group_count].type = type;
    out->vat_group_count++;
    return true;
}

static enum next read_vat_groups(struct app *app, struct product_rules *out, struct reason *why) {
    struct answer answer;
    char path[96];
    const char *paths = path;
    const cJSON *item = NULL;
    int64_t total = 0;
    (void)snprintf(path, sizeof path, "/sites/%lld/productgroups.json?start=0&num=1000",
                   (long long)app->set->sitoo_site_id);
    enum next next = sitoo_get(app, &paths, &answer, 1, why);
    if (next != NEXT_DONE) {
        return next;
    }
    const cJSON *items = json_array(answer.json, "items");
    if (items == NULL || !json_int(answer.json, "totalcount", &total) || cJSON_GetArraySize(items) != total) {
        return not_whole("Sitoo's product groups", &answer, why);
    }
    out->vat_groups = xcalloc((size_t)total + 1, sizeof *out->vat_groups);
    bool good = true;
    cJSON_ArrayForEach(item, items) {
        good = take_group(item, out) && good;
    }
    if (!good) {
        return not_whole("Sitoo's product groups", &answer, why);
    }
    answer_free(&answer);
    return NEXT_DONE;
}

static enum next judge_lists(const struct product_rules *r, const struct till_lists *lists, struct reason *why) {
    const struct till_list *first = till_list(lists, TILL_DEFAULT_LIST), *sale = NULL;
    long long sale_id = (long long)r->map->sale_price_list_id;
    if (first == NULL || strcmp(first->currency, r->currency) != 0) {
        return reason_set(
            why, NEXT_PARK, "price_currency",
            "The web shop's prices are in %s, those of Sitoo's default price list %lld in %s; no price is "
            "written. Both must have the same currency: change it in Sitoo, or ask Sitoo's support",
            r->currency, (long long)TILL_DEFAULT_LIST,
            first == NULL ? "no currency, for the list was not found" : first->currency);
    }
    if (sale_id == 0) {
        return NEXT_DONE;
    }
    sale = till_list(lists, r->map->sale_price_list_id);
    if (sale == NULL) {
        return reason_set(why, NEXT_PARK, "sale_price_list",
                          "Sitoo has no price list %lld, which the mapping file names as products.sale_price_list_id",
                          sale_id);
    }
    if (!sale->active || strcmp(sale->currency, r->currency) != 0) {
        return reason_set(
            why, NEXT_PARK, "sale_price_list",
            "Sitoo's price list %lld (products.sale_price_list_id of the mapping file) must be active and "
            "in %s; it is %s and in %s",
            sale_id, r->currency, sale->active ? "active" : "not active", sale->currency);
    }
    return NEXT_DONE;
}

enum next product_rules_read(struct app *app, struct product_rules *out, struct reason *why) {
    struct till_lists lists = {0};
    *out = (struct product_rules){.map = &app->set->mapping->products};
    enum next next = read_store(app, out, why);
    next = next == NEXT_DONE ? read_tax_classes(app, out, why) : next;
    next = next == NEXT_DONE ? read_vat_groups(app, out, why) : next;
    next = next == NEXT_DONE ? till_read_lists(app, &lists, why) : next;
    next = next == NEXT_DONE ? judge_lists(out, &lists, why) : next;
    till_lists_free(&lists);
    return next;
}
