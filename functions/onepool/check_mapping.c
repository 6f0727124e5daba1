/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mapping, with the names that both platforms show, so that a person sees what is mapped to what. Sources:
 * reference/locations.v3.yml (label, enabled; 2026-04-01), developer.sitoo.com/api-reference (warehouses);
 * sitoo.md 7.1: warehousetype 20 is Virtual; usetype is not told apart, `sellable` is.
 */
#include "buf.h"
#include "check.h"
#include "json.h"
#include "ban.h"

#define TYPE_VIRTUAL 20
#define LINE_MAX     ((size_t)400) /* bytes of names; the rest of a long list is counted */
#define CHECK        "mapping"

/* ---- warehouses ---- */

static void check_warehouse(struct report *r, int64_t warehouse_id, const cJSON *found) {
    long long id = (long long)warehouse_id;
    int64_t type = 0;
    if (found == NULL) {
        report_add(r, CHECK_FAIL, CHECK, "name a warehouseid of this site in the mapping file",
                   "Sitoo has no warehouse %lld", id);
        return;
    }
    const char *name = json_str(found, "name");
    name = name != NULL ? name : "";
    if (json_id(found, "warehousetype", &type) && type == TYPE_VIRTUAL) {
        report_add(r, CHECK_WARN, CHECK, "map a FIFO warehouse, or expect its changes to be seen late",
                   "warehouse %lld \"%.80s\" is Virtual: another system sets its stock, and the ledger may not tell",
                   id, name);
    }
    if (!json_bool(found, "sellable", true)) {
        report_add(r, CHECK_WARN, CHECK, "take it out of the mapping file unless its stock is to be sold online",
                   "warehouse %lld \"%.80s\" is not sellable in Sitoo, but the web shop will offer its stock", id,
                   name);
    }
}

/* ---- locations ---- */

static void add_warehouses(struct buf *line, const struct report *r, const struct mapping_location *l) {
    for (size_t w = 0; w < l->warehouse_count; w++) {
        const char *name = json_str(report_find(r->warehouses, "warehouseid", l->warehouse_ids[w]), "name");
        if (line->len > LINE_MAX - 120) {
            buf_addf(line, ", and %zu more", l->warehouse_count - w);
            return;
        }
        buf_addf(line, "%s%lld \"%.60s\"", w > 0 ? ", " : "", (long long)l->warehouse_ids[w],
                 name != NULL ? name : "?");
    }
}

static void check_location(struct report *r, const struct mapping_location *l) {
    const cJSON *found = report_find(r->locations, "id", l->location_id);
    const char *label = json_str(found, "label");
    long long id = (long long)l->location_id;
    struct buf warehouses;
    buf_init(&warehouses, LINE_MAX);
    add_warehouses(&warehouses, r, l);
    if (r->locations != NULL && found == NULL) {
        report_add(r, CHECK_FAIL, CHECK, "name an id of GET /v3/inventory/locations in the mapping file",
                   "BigCommerce has no location %lld (for %s)", id, buf_str(&warehouses));
    } else if (!json_bool(found, "enabled", true)) {
        report_add(r, CHECK_FAIL, CHECK, "enable it in BigCommerce, or take it out of the mapping file",
                   "location %lld \"%.80s\" is disabled: its stock can be neither written nor sold", id,
                   label != NULL ? label : "");
    } else {
        report_add(r, CHECK_OK, CHECK, "", "location %lld \"%.80s\"%s <- %s %s", id, label != NULL ? label : "?",
                   l->is_pickup ? " (pickup)" : "", l->warehouse_count == 1 ? "warehouse" : "warehouses",
                   buf_str(&warehouses));
    }
    buf_free(&warehouses);
}

void check_mapping(struct report *r) {
    const struct mapping *m = r->app->set->mapping;
    if (r->locations == NULL && r->warehouses == NULL) {
        report_add(r, CHECK_FAIL, CHECK, "mend what fails above first",
                   "not compared: neither platform told its places");
        return;
    }
    for (size_t i = 0; i < m->location_count; i++) {
        check_location(r, &m->locations[i]);
    }
    for (size_t i = 0; r->warehouses != NULL && i < m->warehouse_count; i++) {
        check_warehouse(r, m->warehouses[i], report_find(r->warehouses, "warehouseid", m->warehouses[i]));
    }
}
