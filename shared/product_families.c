/* SPDX-License-Identifier: Apache-2.0 */
/* Variants of one product are one family in Sitoo: read, merged, written; see product_row.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "log.h"
#include "product_row.h"
#include "ban.h"

/* The rows of one product that are in Sitoo and still in BigCommerce. */
struct members {
    struct product_want want; /* shares everything but list */
    const struct till_product **have;
    struct till_product *fresh; /* of those made just now */
    size_t fresh_count;
    int64_t parent_id;
    bool any_family; /* one of them is in a family already */
};

static void members_free(struct members *m) {
    free(m->want.list);
    free(m->have);
    free(m->fresh);
}

static void gather(const struct rows *rows, const struct sync_item *item, struct members *m) {
    *m = (struct members){.want = *item->want};
    m->want.list = xcalloc(item->want->n + 1, sizeof *m->want.list);
    m->have = xcalloc(item->want->n + 1, sizeof *m->have);
    m->fresh = xcalloc(item->want->n + 1, sizeof *m->fresh);
    m->want.n = 0;
    for (size_t i = 0; i < rows->n; i++) {
        const struct row *r = &rows->list[i];
        if (r->item != item || r->hide || r->id == 0) {
            continue;
        }
        const struct till_product *have = r->have;
        if (have == NULL) {
            char *sku = r->want.sku, *none = (char *)(uintptr_t) "";
            m->fresh[m->fresh_count] = (struct till_product){.id = r->id,
                                                             .sku = sku,
                                                             .title = r->want.title,
                                                             .barcode = none,
                                                             .unit = none,
                                                             .description = none,
                                                             .price = r->want.price,
                                                             .retail_price = -1,
                                                             .vat_id = r->want.vat_id,
                                                             .active = r->want.active,
                                                             .web_active = r->want.active};
            have = &m->fresh[m->fresh_count++];
        }
        if (have->parent_id > 0 && !m->any_family) {
            m->parent_id = have->parent_id;
            m->any_family = true;
        }
        m->have[m->want.n] = have;
        m->want.list[m->want.n++] = r->want;
    }
    if (!m->any_family && m->want.n > 0) {
        m->parent_id = m->have[0]->id;
    }
}

static void entity_of(const struct sync_item *item, char out[40]) {
    (void)snprintf(out, 40, "product %lld", (long long)item->product_id);
}

static void cannot(struct sync *s, struct sync_item *item, const struct family_plan *plan) {
    char entity[40];
    entity_of(item, entity);
    row_case(
        s, item, "family_conflict", entity, plan->text,
        "The tills show these variants apart, or in another family; they are sold and counted all the same",
        "Arrange the family in Sitoo (moving a row by an interface would delete it); then run: onepool parked --retry "
        "with the case's id");
}

static enum next put(struct sync *s, struct sync_item *item, const struct family_plan *plan, struct reason *why) {
    char path[120], entity[40], text[400];
    struct answer answer;
    bool shadowed = false;
    (void)snprintf(path, sizeof path, "/sites/%lld/products/%lld/productvariants.json",
                   (long long)s->app->set->sitoo_site_id, (long long)plan->parent_id);
    char *body = json_print(plan->body);
    const struct sync_write write = {SYNC_PRODUCTS, "PUT", path, body, plan->rows};
    enum next next = sync_send(s, &write, &answer, &shadowed, why);
    free(body);
    entity_of(item, entity);
    if (next == NEXT_PARK) {
        (void)snprintf(text, sizeof text, "Sitoo refuses the family of product %lld: %.250s",
                       (long long)item->product_id, answer.text != NULL ? answer.text : why->text);
        row_case(s, item, "family_refused", entity, text, "The tills show its variants as single products",
                 "Mend what Sitoo names; then run: onepool parked --retry with the case's id");
        memset(why, 0, sizeof *why);
        next = NEXT_DONE;
    } else if (next == NEXT_DONE && !shadowed) {
        item->family = true;
        row_close(item, "family_refused", entity);
        row_close(item, "family_conflict", entity);
        LOG(LOG_INFO, "family written", {"product", log_int(item->product_id)}, {"parent", log_int(plan->parent_id)},
            {"rows", log_int((long long)plan->rows)}, {"kept", log_int((long long)plan->kept)});
    }
    answer_free(&answer);
    return next;
}

static enum next one_family(struct sync *s, const struct rows *rows, struct sync_item *item, struct reason *why) {
    struct members m;
    struct family_plan plan = {0};
    cJSON *current = NULL;
    enum next next = NEXT_DONE;
    gather(rows, item, &m);
    bool right = m.want.n < 1 ||
                 (m.want.n == 1 && !m.any_family && item->want->n == 1 && item->want->group_count == 0) ||
                 family_is_right(&m.want, m.have);
    if (!right && m.any_family) {
        next = till_read_family(s->app, m.parent_id, &current, why);
    }
    if (next == NEXT_DONE && !right) {
        family_plan(&m.want, m.have, m.parent_id, current, &plan);
        if (plan.verdict == FAMILY_WRITE) {
            next = put(s, item, &plan, why);
        } else if (plan.verdict != FAMILY_SAME) {
            cannot(s, item, &plan);
        }
        cJSON_Delete(plan.body);
    }
    cJSON_Delete(current);
    members_free(&m);
    return next;
}

enum next rows_families(struct sync *s, struct rows *rows, struct sync_item *items, size_t n, struct reason *why) {
    enum next next = NEXT_DONE;
    for (size_t i = 0; next == NEXT_DONE && i < n; i++) {
        if (items[i].want == NULL || items[i].next != NEXT_DONE || items[i].want->group_count == 0) {
            continue;
        }
        struct reason own = {0};
        enum next one = one_family(s, rows, &items[i], &own);
        if (one != NEXT_DONE && strcmp(own.cause, "locked") == 0) {
            items[i].next = one; /* this one alone */
            items[i].why = own;
        } else if (one != NEXT_DONE) {
            *why = own;
            next = one;
        }
    }
    return next;
}
