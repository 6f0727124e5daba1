/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks_plan.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "fcgi.h"
#include "json.h"
#include "ban.h"

/* The sum of the documented waits between twelve attempts (bigcommerce.md 5.2). */
#define RETRIES_MS INT64_C(173040000)

#define ORDER_UPDATED   "/hooks/bigcommerce/order-updated"
#define PRODUCT_UPDATED "/hooks/bigcommerce/product-updated"
#define CATALOG_LATE    "a change of a product is noticed by the daily comparison of both catalogs only"
#define PRICES_LATE     "a change in the price list is noticed by the daily comparison of both catalogs only"

const struct hooks_wanted hooks_wanted[HOOKS_WANTED] = {
    {"store/order/created", "/hooks/bigcommerce/order-created",
     "a new order is noticed when orders are next read, seconds later", HOOKS_ALWAYS},
    {"store/order/updated", ORDER_UPDATED, "a changed order is noticed when orders are next read, seconds later",
     HOOKS_ALWAYS},
    {"store/order/statusUpdated", ORDER_UPDATED,
     "a new status of an order is noticed when orders are next read, seconds later", HOOKS_ALWAYS},
    {"store/order/archived", ORDER_UPDATED, "that an order was archived may be noticed late", HOOKS_ALWAYS},
    {"store/order/refund/created", ORDER_UPDATED, "a refund that is made in BigCommerce is found up to a day later",
     HOOKS_ALWAYS},
    {"store/channel/*/inventory/product/stock_changed", "/hooks/bigcommerce/stock-changed",
     "a level that is changed by hand stays wrong until something touches the SKU", HOOKS_ALWAYS},
    {"store/product/created", PRODUCT_UPDATED, CATALOG_LATE, HOOKS_PRODUCTS},
    {"store/product/updated", PRODUCT_UPDATED, CATALOG_LATE, HOOKS_PRODUCTS},
    {"store/product/deleted", PRODUCT_UPDATED, CATALOG_LATE, HOOKS_PRODUCTS},
    {"store/sku/created", PRODUCT_UPDATED, CATALOG_LATE, HOOKS_PRODUCTS},
    {"store/sku/updated", PRODUCT_UPDATED, CATALOG_LATE, HOOKS_PRODUCTS},
    {"store/sku/deleted", PRODUCT_UPDATED, CATALOG_LATE, HOOKS_PRODUCTS},
    {"store/priceList/record/created", PRODUCT_UPDATED, PRICES_LATE, HOOKS_PRICE_LIST},
    {"store/priceList/record/updated", PRODUCT_UPDATED, PRICES_LATE, HOOKS_PRICE_LIST},
    {"store/priceList/record/deleted", PRODUCT_UPDATED, PRICES_LATE, HOOKS_PRICE_LIST},
    {"store/priceList/records/created", PRODUCT_UPDATED, PRICES_LATE, HOOKS_PRICE_LIST},
    {"store/priceList/records/updated", PRODUCT_UPDATED, PRICES_LATE, HOOKS_PRICE_LIST},
    {"store/priceList/records/deleted", PRODUCT_UPDATED, PRICES_LATE, HOOKS_PRICE_LIST},
    {HOOKS_EXCEPTION, "/hooks/bigcommerce/delivery-exception",
     "that BigCommerce stopped calling is noticed up to a quarter of an hour later", HOOKS_ALWAYS}};

bool hooks_is_wanted(const struct settings *s, size_t i) {
    const struct mapping_products *p = s->mapping != NULL ? &s->mapping->products : NULL;
    switch (hooks_wanted[i].use) {
    case HOOKS_PRODUCTS:
        return p != NULL && p->on;
    case HOOKS_PRICE_LIST:
        return p != NULL && p->on && p->from_price_list;
    case HOOKS_ALWAYS:
    default:
        return true;
    }
}

void hooks_view_free(struct hooks_view *view) {
    cJSON_Delete(view->list);
    cJSON_Delete(view->admin);
    memset(view, 0, sizeof *view);
}

/* ---- one webhook ---- */

static bool ends_with(const char *text, const char *end) {
    size_t a = strlen(text), b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

static bool is_header(const cJSON *item) {
    return item->string != NULL && strcasecmp(item->string, HOOKS_HEADER) == 0;
}

/* The value of our header; names do not differ by case. */
static const char *secret_of(const cJSON *hook) {
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, json_get(hook, "headers")) {
        if (is_header(item) && cJSON_IsString(item)) {
            return item->valuestring;
        }
    }
    return NULL;
}

static bool has_scope(const cJSON *hook, const char *scope) {
    const char *text = json_str(hook, "scope");
    return text != NULL && json_str(hook, "destination") != NULL && strcmp(text, scope) == 0;
}

/* Does it come to our host? Below the public address there is nothing but ours under /hooks/. */
static bool comes_to(const cJSON *hook, const char *base) {
    const char *destination = json_str(hook, "destination");
    size_t len = base != NULL ? strlen(base) : 0;
    return len > 0 && destination != NULL && strncmp(destination, base, len) == 0 &&
           strncmp(destination + len, "/hooks/", 7) == 0;
}

/* Who switched it off? Only a plain "inactive" says that it was the owner. */
static bool by_owner(const struct hooks_view *view, int64_t id) {
    const cJSON *item = NULL;
    int64_t n = 0;
    cJSON_ArrayForEach(item, json_array(view->admin, "hooks_list")) {
        if (json_id(item, "id", &n) && n == id) {
            const char *status = json_str(item, "status");
            return status != NULL && strcmp(status, "inactive") == 0;
        }
    }
    return false;
}

/* ---- all of one scope ---- */

#define EXACTLY_OURS 3
/* EXACTLY_OURS; 2: our route elsewhere; 1: another route of ours; 0: none of ours. */
static int likeness(const struct hooks_line *l, const cJSON *hook, const char *base) {
    const char *destination = json_str(hook, "destination");
    if (base != NULL && strcmp(destination, l->destination) == 0) {
        return EXACTLY_OURS;
    }
    if (comes_to(hook, base)) {
        return 1;
    }
    return ends_with(destination, l->wanted->path) ? 2 : 0;
}

/* The one to keep: the most alike, active before switched off, the older one. */
static void choose(struct hooks_line *l, const struct hooks_view *view, const char *base, size_t *same_scope) {
    const cJSON *hook = NULL;
    int best = 0;
    cJSON_ArrayForEach(hook, view->list) {
        if (has_scope(hook, l->wanted->scope)) {
            int like = likeness(l, hook, base), rank = 2 * like + (json_bool(hook, "is_active", true) ? 1 : 0);
            *same_scope += 1;
            if (like > 0 && rank > best) {
                best = rank;
                l->found = hook;
            }
        }
    }
}

/* Without a public address one on another host may be somebody's other copy; with it, one elsewhere is not ours once
 * ours was found. */
static void find_twice(struct hooks_line *l, const struct hooks_view *view, const char *base) {
    const cJSON *hook = NULL;
    int64_t id = 0;
    cJSON_ArrayForEach(hook, view->list) {
        if (hook != l->found && has_scope(hook, l->wanted->scope) && comes_to(hook, base) &&
            json_bool(hook, "is_active", true) && json_id(hook, "id", &id) && l->twice_count < HOOKS_PER_SCOPE) {
            l->twice[l->twice_count++] = id;
        }
    }
}

static unsigned judge(const struct hooks_line *l, const struct hooks_view *view, const char *base, const char *secret,
                      const char *previous) {
    unsigned wrong = l->twice_count > 0 ? HOOKS_TWICE : 0;
    const char *sent = secret_of(l->found);
    if (base != NULL && strcmp(json_str(l->found, "destination"), l->destination) != 0) {
        wrong |= HOOKS_ELSEWHERE;
    }
    if (!secret_equal(sent, secret)) {
        wrong |= secret_equal(sent, previous) ? HOOKS_OLD_HEADER : HOOKS_NO_HEADER;
    }
    if (!json_bool(l->found, "is_active", true)) {
        wrong |= by_owner(view, l->id) ? HOOKS_INACTIVE : HOOKS_DEACTIVATED;
    }
    return wrong;
}

static void find_unused(struct hooks_line *l, const struct hooks_view *view, const char *base) {
    const cJSON *hook = NULL;
    cJSON_ArrayForEach(hook, view->list) {
        if (has_scope(hook, l->wanted->scope) && likeness(l, hook, base) == EXACTLY_OURS) {
            l->found = hook;
            (void)json_id(hook, "id", &l->id);
        }
    }
}

static void fill_line(struct hooks_line *l, const struct hooks_view *view, const struct settings *s) {
    size_t same_scope = 0;
    choose(l, view, s->public_url, &same_scope);
    if (l->found == NULL) {
        size_t room = strcmp(l->wanted->scope, HOOKS_EXCEPTION) == 0 ? 1 : HOOKS_PER_SCOPE;
        l->wrong = same_scope < room ? HOOKS_MISSING : HOOKS_MISSING | HOOKS_NO_ROOM;
        return;
    }
    (void)json_id(l->found, "id", &l->id);
    if (json_id(l->found, "updated_at", &l->updated_ms)) {
        l->updated_ms *= 1000;
    }
    find_twice(l, view, s->public_url);
    l->wrong = judge(l, view, s->public_url, s->hook_secret, s->hook_secret_previous);
}

void hooks_compare(struct hooks_view *view, const struct settings *s) {
    const cJSON *hook = NULL;
    for (size_t i = 0; i < HOOKS_WANTED; i++) {
        struct hooks_line *l = &view->lines[i];
        memset(l, 0, sizeof *l);
        l->wanted = &hooks_wanted[i];
        l->unused = !hooks_is_wanted(s, i);
        if (s->public_url != NULL) {
            (void)snprintf(l->destination, sizeof l->destination, "%s%s", s->public_url, l->wanted->path);
        }
        if (l->unused) {
            find_unused(l, view, s->public_url);
        } else {
            fill_line(l, view, s);
        }
    }
    view->stray = 0;
    cJSON_ArrayForEach(hook, view->list) {
        view->stray += hooks_is_stray(view, hook, s->public_url) ? 1 : 0;
    }
}

bool hooks_is_line(const struct hooks_view *view, const cJSON *hook) {
    int64_t id = 0;
    bool known = json_id(hook, "id", &id);
    for (size_t i = 0; i < HOOKS_WANTED; i++) {
        const struct hooks_line *l = &view->lines[i];
        if (!l->unused && l->found == hook) {
            return true;
        }
        for (size_t j = 0; known && j < l->twice_count; j++) {
            if (l->twice[j] == id) {
                return true;
            }
        }
    }
    return false;
}

bool hooks_is_unused(const struct hooks_view *view, const cJSON *hook) {
    for (size_t i = 0; i < HOOKS_WANTED; i++) {
        if (view->lines[i].unused && view->lines[i].found == hook) {
            return true;
        }
    }
    return false;
}

bool hooks_is_stray(const struct hooks_view *view, const cJSON *hook, const char *base) {
    return !hooks_is_line(view, hook) && !hooks_is_unused(view, hook) && comes_to(hook, base) &&
           json_bool(hook, "is_active", true);
}

const char *hooks_wrong_word(unsigned wrong, size_t nth) {
    static const struct {
        unsigned bit;
        const char *word;
    } words[] = {{HOOKS_MISSING, "missing"},
                 {HOOKS_NO_ROOM, "no room for one more of this scope"},
                 {HOOKS_ELSEWHERE, "wrong destination"},
                 {HOOKS_NO_HEADER, "wrong header"},
                 {HOOKS_OLD_HEADER, "previous secret"},
                 {HOOKS_INACTIVE, "inactive"},
                 {HOOKS_DEACTIVATED, "deactivated"},
                 {HOOKS_TWICE, "duplicate"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if ((wrong & words[i].bit) != 0 && nth-- == 0) {
            return words[i].word;
        }
    }
    return NULL;
}

/* ---- what is to be done ---- */

bool hooks_heals_itself(const struct hooks_line *line, bool known) {
    if ((line->wrong & HOOKS_MISSING) != 0) {
        return known && (line->wrong & HOOKS_NO_ROOM) == 0;
    }
    return (line->wrong & HOOKS_DEACTIVATED) != 0 && (line->wrong & HOOKS_ELSEWHERE) == 0;
}

static void add_headers(cJSON *body, const cJSON *found, const char *secret) {
    cJSON *headers = json_add_object(body, "headers");
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, json_get(found, "headers")) {
        if (!is_header(item) && cJSON_IsString(item)) {
            json_add_str(headers, item->string, item->valuestring);
        }
    }
    json_add_str(headers, HOOKS_HEADER, secret);
}

char *hooks_body(const struct hooks_line *line, const char *secret) {
    bool missing = (line->wrong & HOOKS_MISSING) != 0;
    if ((line->wrong & ~(unsigned)HOOKS_TWICE) == 0 || (line->wrong & HOOKS_NO_ROOM) != 0) {
        return NULL;
    }
    cJSON *body = json_new_object();
    if (missing) {
        json_add_str(body, "scope", line->wanted->scope);
    }
    if (missing || (line->wrong & HOOKS_ELSEWHERE) != 0) {
        json_add_str(body, "destination", line->destination);
    }
    if (missing || (line->wrong & (HOOKS_NO_HEADER | HOOKS_OLD_HEADER)) != 0) {
        add_headers(body, line->found, secret);
    }
    if (missing || (line->wrong & HOOKS_OFF) != 0) {
        json_add_bool(body, "is_active", true);
    }
    char *text = json_print(body);
    cJSON_Delete(body);
    return text;
}

int64_t hooks_silent_since(const struct hooks_line *line, int64_t known_ms) {
    int64_t off = (line->wrong & HOOKS_OFF) != 0 ? line->updated_ms : 0;
    int64_t last = off == 0 || (known_ms > 0 && known_ms < off) ? known_ms : off;
    if ((line->wrong & (HOOKS_OFF | HOOKS_MISSING)) == 0 || last <= RETRIES_MS) {
        return 0;
    }
    return last - RETRIES_MS;
}

static bool port_is_443(const char *url) {
    const char *host = url + strlen("https://"), *end = host + strcspn(host, "/");
    const char *bracket = strchr(host, ']'), *colon = strchr(bracket != NULL && bracket < end ? bracket : host, ':');
    return colon == NULL || colon > end || strncmp(colon, ":443", (size_t)(end - colon)) == 0;
}

const char *hooks_url_problem(const struct settings *s) {
    const char *url = s->public_url;
    if (url == NULL) {
        return "ONEPOOL_PUBLIC_URL is not set: it is the address that BigCommerce is to call, such as "
               "https://hooks.example.com";
    }
    if (strncmp(url, "https://", 8) != 0) {
        return strncmp(s->bigcommerce_api_url, "https://", 8) != 0
                   ? NULL
                   : "ONEPOOL_PUBLIC_URL must begin with https://: plain http is for simulated platforms";
    }
    return port_is_443(url) ? NULL : "ONEPOOL_PUBLIC_URL: BigCommerce calls port 443 only; serve it there";
}
