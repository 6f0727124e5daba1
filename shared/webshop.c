/* SPDX-License-Identifier: Apache-2.0 */
#include "webshop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "json.h"
#include "money.h"
#include "platform.h"
#include "sku.h"
#include "weborder.h"
#include "ban.h"

#define PAGES_MAX   40
#define UNITS_MAX   INT64_C(1000000000)
#define NAME_MAX    ((size_t)200)
#define OPTIONS_MAX 12
#define LABEL_MAX   ((size_t)60)
#define VALUE_MAX   ((size_t)80)
#define VAT_SNAP    15 /* hundredths of a percent: prices of a few cents give no exact percentage */
#define VAT_MAX     10000
#define VAT_EXACT   INT64_C(100000000000) /* times VAT_MAX is within 64 bits */
#define DROPPED     INT64_C(-1)

void web_order_free(struct web_order *o) {
    for (size_t i = 0; i < o->n; i++) {
        free(o->rows[i].sku);
        free(o->rows[i].name);
    }
    free(o->rows);
    cJSON_Delete(o->json);
    memset(o, 0, sizeof *o);
}

int64_t web_row_wanted(const struct web_row *r) {
    return r->quantity > r->refunded ? r->quantity - r->refunded : 0;
}

int64_t web_row_share(const struct web_row *r, int64_t amount, int64_t n) {
    return r->quantity <= 0 || n >= r->quantity ? amount
                                                : amount / r->quantity * n + amount % r->quantity * n / r->quantity;
}

static enum next bad(int64_t id, const char *what, struct reason *why) {
    return reason_set(why, NEXT_DEFER, "bad_web_order", "BigCommerce order %lld: %s", (long long)id, what);
}

/* ---- lines ---- */

/* As many bytes as fit, never within a character: what is no UTF-8 would make the whole order unreadable. */
static void add_cut(struct buf *b, const char *text, size_t max) {
    size_t len = strlen(text);
    buf_add(b, text, len > max ? str_whole(text, max) : len);
}

/* "Shirt (Size: S, Color: Orange)": what staff look for on the shelf; control characters become spaces. */
static char *row_name(const cJSON *line) {
    const cJSON *option = NULL;
    const char *name = json_str(line, "name"), *sku = json_str(line, "sku");
    struct buf b;
    int n = 0;
    buf_init(&b, 8000);
    buf_add_str(&b, name != NULL && name[0] != '\0' ? name : sku != NULL ? sku : "");
    cJSON_ArrayForEach(option, json_array(line, "product_options")) {
        const char *label = json_str(option, "display_name"), *value = json_str(option, "display_value");
        if (label != NULL && value != NULL && value[0] != '\0' && n < OPTIONS_MAX) {
            buf_add_str(&b, n++ == 0 ? " (" : ", ");
            add_cut(&b, label, LABEL_MAX);
            buf_add_str(&b, ": ");
            add_cut(&b, value, VALUE_MAX);
        }
    }
    buf_add_str(&b, n > 0 ? ")" : "");
    char *text = buf_take(&b);
    size_t len = strlen(text);
    if (len > NAME_MAX) {
        len = NAME_MAX;
        while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80) {
            len--; /* not within a character */
        }
        text[len] = '\0';
    }
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f) {
            text[i] = ' ';
        }
    }
    return text;
}

/* The row's own tax, since orders do not name tax classes: 25.00 % is 2500. */
static int64_t row_vat(const cJSON *line) {
    int64_t with = 0, without = 0;
    if (!money_get(line, "total_inc_tax", &with) || !money_get(line, "total_ex_tax", &without) || without <= 0 ||
        with <= without) {
        return 0;
    }
    for (; without > VAT_EXACT; without /= 10) {
        with /= 10;
    }
    if (with - without >= without) {
        return VAT_MAX;
    }
    int64_t vat = ((with - without) * 10000 + without / 2) / without;
    int64_t whole = (vat + 50) / 100 * 100;
    vat = vat - whole <= VAT_SNAP && whole - vat <= VAT_SNAP ? whole : vat;
    return vat < VAT_MAX ? vat : VAT_MAX;
}

static bool is_goods(const cJSON *line) {
    const char *type = json_str(line, "type"), *sku = json_str(line, "sku");
    return (type == NULL || strcmp(type, "physical") == 0) && sku != NULL && sku_fits(sku);
}

static enum next take_line(const cJSON *line, struct web_order *out, struct reason *why) {
    struct web_row r = {0};
    const char *sku = json_str(line, "sku");
    int64_t discounts = 0, one = 0;
    const cJSON *discount = NULL;
    if (!json_id(line, "id", &r.id) || !json_id(line, "quantity", &r.quantity) || r.quantity < 0 ||
        r.quantity > UNITS_MAX) {
        return bad(out->id, "a line has no id or no readable quantity", why);
    }
    if (!json_id(line, "quantity_refunded", &r.refunded) || r.refunded < 0 ||
        !json_id(line, "quantity_shipped", &r.shipped) || r.shipped < 0) {
        return bad(out->id, "a line has no readable quantity_refunded or quantity_shipped", why);
    }
    if (is_goods(line) && (!money_get(line, "total_inc_tax", &r.total) || r.total < 0)) {
        return bad(out->id, "a line has no readable total_inc_tax", why);
    }
    cJSON_ArrayForEach(discount, json_array(line, "applied_discounts")) {
        bool fits = money_get(discount, "amount", &one) && discounts <= MONEY_MAX && discounts >= -MONEY_MAX;
        discounts += fits ? one : 0;
    }
    if (!money_get(line, "discounted_total_inc_tax", &r.paid)) {
        r.paid = r.total - discounts;
    }
    r.paid = r.paid < 0 ? 0 : r.paid > r.total ? r.total : r.paid;
    r.vat = row_vat(line);
    (void)json_id(line, "order_address_id", &r.address_id);
    if (!is_goods(line)) {
        r.quantity = DROPPED;
    }
    int64_t parent = 0;
    if (json_id(line, "parent_order_product_id", &parent) && parent > 0) {
        for (size_t i = 0; i < out->n; i++) {
            if (out->rows[i].id == parent) {
                out->rows[i].quantity = DROPPED; /* its components are what lies on the shelf */
            }
        }
    }
    r.sku = xstrdup(sku != NULL ? sku : "");
    r.name = row_name(line);
    out->rows[out->n++] = r;
    return NEXT_DONE;
}

enum next web_order_lines(const cJSON *lines, struct web_order *out, struct reason *why) {
    const cJSON *line = NULL;
    enum next next = NEXT_DONE;
    if (lines != NULL && !cJSON_IsArray(lines)) {
        return bad(out->id, "its lines are not a list", why);
    }
    size_t count = (size_t)cJSON_GetArraySize(lines);
    if (out->n + count > WEBSHOP_ROWS_MAX) {
        return bad(out->id, "more than 2,000 lines", why);
    }
    out->rows = xrealloc(out->rows, out->n + count + 1, sizeof *out->rows);
    cJSON_ArrayForEach(line, lines) {
        next = next == NEXT_DONE ? take_line(line, out, why) : next;
    }
    return next;
}

void web_order_goods(struct web_order *o) {
    size_t kept = 0;
    for (size_t i = 0; i < o->n; i++) {
        if (o->rows[i].quantity == DROPPED) {
            free(o->rows[i].sku);
            free(o->rows[i].name);
        } else {
            o->rows[kept++] = o->rows[i];
        }
    }
    o->n = kept;
    if (kept == 0 && o->kind != WEB_UNCLEAR) {
        o->kind = WEB_NO_GOODS;
    }
}

/* ---- where the goods are wanted ---- */

static void unclear(struct web_order *o, const char *text) {
    o->kind = WEB_UNCLEAR;
    (void)snprintf(o->problem, sizeof o->problem, "%s", text);
}

static void take_pickup(const cJSON *pickup, const struct mapping *m, struct web_order *o) {
    o->own_pickup = true;
    (void)json_id(json_get(pickup, "location"), "id", &o->location_id);
    (void)json_id(pickup, "pickup_method_id", &o->pickup_method_id);
    const struct mapping_location *l = mapping_pickup(m, o->location_id, o->pickup_method_id);
    if (l != NULL && l->warehouse_count == 1) {
        o->kind = WEB_PICKUP;
        o->warehouse_id = l->warehouse_ids[0];
        return;
    }
    o->kind = WEB_UNCLEAR;
    (void)snprintf(
        o->problem, sizeof o->problem,
        "it is to be collected at BigCommerce location %lld (pickup method %lld), which the mapping file does "
        "not name under pickup",
        (long long)o->location_id, (long long)o->pickup_method_id);
}

static void take_shipping(const cJSON *one, const struct mapping *m, struct web_order *o) {
    const struct mapping_location *named = mapping_pickup_named(m, json_str(one, "shipping_method"));
    if (named != NULL && named->warehouse_count == 1) {
        o->kind = WEB_PICKUP;
        o->location_id = named->location_id;
        o->warehouse_id = named->warehouse_ids[0];
    } else {
        o->kind = m->return_only ? WEB_RETURN_ONLY : WEB_SHIP;
    }
}

static bool lines_whole_of(const cJSON *group) {
    const cJSON *one = NULL, *line = NULL;
    cJSON_ArrayForEach(one, group) {
        const cJSON *lines = json_array(one, "line_items");
        if (lines == NULL || json_get(one, "__warning__") != NULL) {
            return false;
        }
        cJSON_ArrayForEach(line, lines) {
            if (json_get(line, "quantity") == NULL || json_get(line, "total_inc_tax") == NULL) {
                return false; /* a link, or cut off */
            }
        }
    }
    return true;
}

static void take_place(const cJSON *consignments, const struct mapping *m, struct web_order *o) {
    const cJSON *pickups = json_array(consignments, "pickups"), *shipping = json_array(consignments, "shipping");
    int p = cJSON_GetArraySize(pickups), s = cJSON_GetArraySize(shipping);
    if (p + s == 0) {
        o->kind = WEB_NO_GOODS;
    } else if (p + s > 1) {
        unclear(o, p > 0 ? "it has several consignments, one of them for collection: a person has to split it"
                         : "it goes to several addresses: a person has to split it");
    } else if (p == 1) {
        take_pickup(cJSON_GetArrayItem(pickups, 0), m, o);
    } else {
        take_shipping(cJSON_GetArrayItem(shipping, 0), m, o);
    }
}

enum next web_order_take(const cJSON *json, int64_t id, const struct mapping *m, struct web_order *out,
                         bool *lines_whole, struct reason *why) {
    const char *currency = json_str(json, "default_currency_code"), *created = json_str(json, "date_created");
    const cJSON *consignments = json_get(json, "consignments"), *group = NULL, *one = NULL;
    if (!json_id(json, "id", &out->id) || out->id != id) {
        out->id = id;
        return bad(id, "another order came, or none", why);
    }
    if (!json_id(json, "status_id", &out->status_id) || currency == NULL ||
        !str_copy(out->currency, sizeof out->currency, currency)) {
        return bad(id, "status_id or default_currency_code is missing", why);
    }
    if (created == NULL || !clock_parse_rfc2822(created, &out->created_ms)) {
        return bad(id, "date_created cannot be read", why);
    }
    const char *modified = json_str(json, "date_modified");
    if (modified == NULL || !clock_parse_rfc2822(modified, &out->modified_ms)) {
        out->modified_ms = 0;
    }
    out->archived = json_bool(json, "is_deleted", false);
    if (!cJSON_IsObject(consignments) || json_get(consignments, "__warning__") != NULL ||
        json_array(consignments, "pickups") == NULL || json_array(consignments, "shipping") == NULL) {
        return bad(id, "its consignments are missing", why);
    }
    out->found = true;
    take_place(consignments, m, out);
    *lines_whole =
        lines_whole_of(json_array(consignments, "pickups")) && lines_whole_of(json_array(consignments, "shipping"));
    static const char *const groups[] = {"pickups", "shipping"};
    for (size_t i = 0; *lines_whole && i < 2; i++) {
        group = json_array(consignments, groups[i]);
        cJSON_ArrayForEach(one, group) {
            enum next next = web_order_lines(json_array(one, "line_items"), out, why);
            if (next != NEXT_DONE) {
                return next;
            }
        }
    }
    return NEXT_DONE;
}

static enum next read_lines(struct app *app, struct web_order *out, struct reason *why) {
    enum next next = NEXT_DONE;
    int count = WEBORDER_PAGE;
    for (int page = 1; next == NEXT_DONE && count >= WEBORDER_PAGE_SMALLEST && page <= PAGES_MAX; page++) {
        char path[96];
        struct answer answer;
        (void)snprintf(path, sizeof path, "/v2/orders/%lld/products?limit=%d&page=%d", (long long)out->id,
                       WEBORDER_PAGE, page);
        next = bigcommerce_get(app, path, &answer, why);
        if (next == NEXT_DONE) {
            count = cJSON_GetArraySize(answer.json); /* 204, an empty list, has no JSON */
            next = answer.status == 404 ? bad(out->id, "its products are gone", why)
                                        : web_order_lines(answer.json, out, why);
            answer_free(&answer);
        }
    }
    return next;
}

/* A consignment without a location id: BigCommerce knows where its pickup method is (bigcommerce.md 7.2). */
static enum next ask_method(struct app *app, struct web_order *o, struct reason *why) {
    char path[80];
    struct answer answer;
    const cJSON *method = NULL;
    int64_t id = 0, location = 0;
    (void)snprintf(path, sizeof path, "/v3/pickup/methods?id:in=%lld", (long long)o->pickup_method_id);
    enum next next = bigcommerce_get(app, path, &answer, why);
    if (next != NEXT_DONE) {
        return next;
    }
    cJSON_ArrayForEach(method, json_array(answer.json, "data")) {
        if (json_id(method, "id", &id) && id == o->pickup_method_id && json_id(method, "location_id", &location)) {
            const struct mapping_location *l = mapping_pickup(app->set->mapping, location, 0);
            if (l != NULL && l->warehouse_count == 1) {
                o->kind = WEB_PICKUP;
                o->location_id = location;
                o->warehouse_id = l->warehouse_ids[0];
            }
        }
    }
    answer_free(&answer);
    return NEXT_DONE;
}

enum next web_order_read(struct app *app, int64_t id, struct web_order *out, struct reason *why) {
    char path[120];
    struct answer answer;
    bool whole = false;
    memset(out, 0, sizeof *out);
    out->id = id;
    (void)snprintf(path, sizeof path, "/v2/orders/%lld?include=consignments.line_items&consignment_structure=object",
                   (long long)id);
    enum next next = bigcommerce_get(app, path, &answer, why);
    if (next != NEXT_DONE) {
        return next;
    }
    if (answer.status == 404) {
        answer_free(&answer);
        return NEXT_DONE; /* found stays false */
    }
    next = web_order_take(answer.json, id, app->set->mapping, out, &whole, why);
    out->json = answer.json;
    answer.json = NULL;
    answer_free(&answer);
    if (next == NEXT_DONE && !whole) {
        next = read_lines(app, out, why);
    }
    if (next == NEXT_DONE && out->kind == WEB_UNCLEAR && out->pickup_method_id > 0 && out->location_id == 0) {
        next = ask_method(app, out, why);
    }
    if (next == NEXT_DONE) {
        web_order_goods(out);
    }
    return next;
}
