/* SPDX-License-Identifier: Apache-2.0 */
#include "images.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "catalog.h"
#include "faultpoint.h"
#include "json.h"
#include "keys.h"
#include "log.h"
#include "mode.h"
#include "picture.h"
#include "quantity.h"
#include "worker.h"
#include "ban.h"

#define PRODUCTS_PER_ROUND 5
#define IMAGES_PER_ROUND   20 /* what is left of a product comes in the next round */
#define MARKS_AT_ONCE      500
#define REFUSED            '-'
#define SHADOW_WAIT_MS     INT64_C(600000)
#define PATH_SIZE          160

/* One round. */
struct images {
    struct app *app;
    struct sync *sync;
    int left; /* images that may still be written */
    /* the image that was fetched last: variants of a product share one */
    char *url, *base64;
    bool stored; /* Sitoo has it as a resource */
};

/* One SKU whose image is not known to be as wanted. */
struct due {
    const struct want *want;
    char name[PICTURE_NAME_SIZE];
};

/* ---- what is not as wanted ---- */

/* known: the name of what was brought, or REFUSED and the name of what could not be; NULL = nothing. */
static bool is_due(const char *known, const char *name, bool person) {
    known = known != NULL ? known : "";
    return strcmp(known, name) != 0 && (person || known[0] != REFUSED || strcmp(known + 1, name) != 0);
}

/* person: what could not be brought is tried again. The caller frees *out. */
static enum next find_due(struct app *app, const struct product_want *w, bool person, struct due **out, size_t *n,
                          struct reason *why) {
    const char **skus = xcalloc(w->n + 1, sizeof *skus);
    char **known = xcalloc(w->n + 1, sizeof *known);
    struct due *list = xcalloc(w->n + 1, sizeof *list);
    *n = 0;
    for (size_t i = 0; i < w->n; i++) {
        skus[i] = w->list[i].sku;
    }
    enum next next = w->n > 0 ? known_fields(app, KEY_PRODUCT_IMAGES, skus, w->n, known, why) : NEXT_DONE;
    for (size_t i = 0; i < w->n; i++) {
        struct due *d = &list[*n];
        d->want = &w->list[i];
        if (next == NEXT_DONE && d->want->image != NULL) {
            picture_name(d->want->image, d->name);
            *n += is_due(known[i], d->name, person) ? 1 : 0;
        }
        free(known[i]);
    }
    free(known);
    free(skus);
    *out = list;
    return next;
}

static void mark(struct args *effects, int64_t product_id) {
    char id[24];
    (void)snprintf(id, sizeof id, "%lld", (long long)product_id);
    effect_mark(effects, QUEUE_IMAGE, id, 0, "", "");
}

static enum next mark_some(struct app *app, const struct product_want *wants, size_t n, struct reason *why) {
    struct args effects = {0};
    enum next next = NEXT_DONE;
    for (size_t i = 0; next == NEXT_DONE && i < n; i++) {
        struct due *list = NULL;
        size_t count = 0;
        next = find_due(app, &wants[i], false, &list, &count, why);
        free(list);
        if (count > 0) {
            mark(&effects, wants[i].product_id);
        }
    }
    next = next == NEXT_DONE ? effects_apply(app->redis, &effects, why) : next;
    args_free(&effects);
    return next;
}

enum next images_mark(struct app *app, const struct product_want *wants, size_t n, struct reason *why) {
    enum next next = NEXT_DONE;
    n = app->set->mapping->products.images ? n : 0;
    for (size_t i = 0; next == NEXT_DONE && i < n; i += MARKS_AT_ONCE) {
        next = mark_some(app, wants + i, n - i < MARKS_AT_ONCE ? n - i : MARKS_AT_ONCE, why);
    }
    return next;
}

/* ---- Sitoo's list of one product ---- */

static void path_of(const struct images *m, int64_t product_id, const char *rest, char out[PATH_SIZE]) {
    (void)snprintf(out, PATH_SIZE, "/sites/%lld/products/%lld/images%s", (long long)m->app->set->sitoo_site_id,
                   (long long)product_id, rest);
}

/* One read; NULL and NEXT_DONE: 404. The caller deletes. */
static enum next read_json(struct images *m, const char *path, cJSON **out, struct reason *why) {
    const char *const paths[] = {path};
    struct answer answer;
    *out = NULL;
    enum next next = sitoo_get(m->app, paths, &answer, 1, why);
    if (next == NEXT_DONE && answer.status != 404) {
        *out = answer.json;
        answer.json = NULL;
    }
    if (next == NEXT_DONE) {
        answer_free(&answer);
    }
    return next;
}

static bool is_named(const cJSON *image, const char *name) {
    const char *text = json_str(image, "resourceid");
    return text != NULL && strcmp(text, name) == 0;
}

static enum next remove_at(struct images *m, int64_t product_id, int64_t index, const char *name, bool *removed,
                           struct reason *why) {
    char path[PATH_SIZE], rest[40];
    cJSON *image = NULL;
    struct answer answer;
    bool shadowed = false;
    (void)snprintf(rest, sizeof rest, "/%lld.json", (long long)index);
    path_of(m, product_id, rest, path);
    enum next next = read_json(m, path, &image, why);
    *removed = next == NEXT_DONE && is_named(image, name);
    cJSON_Delete(image);
    if (*removed) {
        next = sync_send(m->sync, "DELETE", path, NULL, 1, &answer, &shadowed, why);
        answer_free(&answer);
    }
    return next;
}

/* Old ones of ours, the last first, so that the places of the others stay what they are. */
static enum next remove_old(struct images *m, int64_t product_id, const cJSON *items, const char *name,
                            struct reason *why) {
    enum next next = NEXT_DONE;
    for (int at = cJSON_GetArraySize(items) - 1; next == NEXT_DONE && at >= 0; at--) {
        const char *old = json_str(cJSON_GetArrayItem(items, at), "resourceid");
        bool removed = false;
        if (old == NULL || strncmp(old, PICTURE_PREFIX, sizeof PICTURE_PREFIX - 1) != 0 || strcmp(old, name) == 0) {
            continue;
        }
        for (int first = 0; next == NEXT_DONE && !removed && first <= 1; first++) {
            next = remove_at(m, product_id, at + first, old, &removed, why);
        }
        if (next == NEXT_DONE && !removed) {
            LOG(LOG_WARN, "an old image of ours is not found again; it stays", {"sitoo_product", log_int(product_id)},
                {"image", old});
        }
    }
    return next;
}

/* ---- an image on its way ---- */

static void forget_picture(struct images *m) {
    free(m->url);
    free(m->base64);
    m->url = m->base64 = NULL;
    m->stored = false;
}

static enum next fetch(struct images *m, const char *url, struct reason *why) {
    if (m->url != NULL && strcmp(m->url, url) == 0) {
        return NEXT_DONE;
    }
    forget_picture(m);
    enum next next = picture_fetch(m->app, url, &m->base64, why);
    if (next == NEXT_DONE) {
        m->url = xstrdup(url);
    }
    return next;
}

static enum next post(struct images *m, const char *path, const struct due *d, bool with_data, struct reason *why) {
    struct answer answer;
    bool shadowed = false;
    cJSON *o = json_new_object();
    json_add_str(o, "resourceid", d->name);
    if (with_data) {
        json_add_str(o, "filedata", m->base64);
    }
    char *body = json_print(o);
    cJSON_Delete(o);
    enum next next = sync_send(m->sync, "POST", path, body, 1, &answer, &shadowed, why);
    if (next == NEXT_PARK) {
        char said[300];
        (void)str_copy(said, sizeof said, answer.text != NULL ? answer.text : why->text);
        next = reason_set(why, NEXT_PARK, "image_refused", "Sitoo refuses the image of SKU %.100s: %.250s",
                          d->want->sku, said);
    }
    answer_free(&answer);
    free(body);
    return next;
}

static enum next add(struct images *m, int64_t product_id, const struct due *d, struct reason *why) {
    char path[PATH_SIZE];
    enum next next = fetch(m, d->want->image, why);
    path_of(m, product_id, ".json", path);
    if (next != NEXT_DONE) {
        return next;
    }
    next = m->stored ? post(m, path, d, false, why) : NEXT_PARK;
    if (next == NEXT_PARK) {
        next = post(m, path, d, true, why);
    }
    m->stored = next == NEXT_DONE;
    fault_point(m->app, "products.image");
    return next;
}

/* Brings one SKU's image. */
static enum next bring(struct images *m, int64_t product_id, const struct due *d, struct reason *why) {
    char path[PATH_SIZE];
    cJSON *list = NULL;
    const cJSON *item = NULL;
    bool there = d->name[0] == '\0';
    path_of(m, product_id, ".json?start=0&num=100&fields=resourceid", path);
    enum next next = read_json(m, path, &list, why);
    const cJSON *items = json_array(list, "items");
    if (next == NEXT_DONE && items == NULL) {
        next = reason_set(why, NEXT_DEFER, "incomplete_read", "Sitoo's images of SKU %.100s are no list", d->want->sku);
    }
    cJSON_ArrayForEach(item, items) {
        there = there || is_named(item, d->name);
    }
    next = next == NEXT_DONE && !there ? add(m, product_id, d, why) : next;
    next = next == NEXT_DONE ? remove_old(m, product_id, items, d->name, why) : next;
    cJSON_Delete(list);
    return next;
}

/* ---- one product ---- */

static void case_of(struct images *m, int64_t product_id, const struct due *d, const struct reason *cause,
                    struct args *effects) {
    char job[24];
    (void)snprintf(job, sizeof job, "%lld", (long long)product_id);
    const struct parked p = {.cause = cause->cause,
                             .owner = m->app->set->mapping->owner_mapping,
                             .entity = d->want->sku,
                             .text = cause->text,
                             .effect = "The tills show no image of it, or an old one; all else of it was brought",
                             .step =
                                 "Give it another image in BigCommerce; the case then closes by itself. Or mend what "
                                 "the text names and run: onepool parked --retry with the case's id",
                             .queue = QUEUE_IMAGE,
                             .job = job};
    effect_case(effects, &p);
}

static void keep_done(const struct due *d, struct args *effects) {
    effect_keep_image(effects, d->want->sku, d->name);
    effect_close(effects, "image_refused", d->want->sku);
    effect_close(effects, "image_unreadable", d->want->sku);
}

static enum next read_till(struct images *m, const struct due *list, size_t n, struct till_products *till,
                           struct reason *why) {
    const char **skus = xcalloc(n + 1, sizeof *skus);
    for (size_t i = 0; i < n; i++) {
        skus[i] = list[i].want->sku;
    }
    enum next next = n > 0 ? till_read(m->app, skus, n, till, why) : NEXT_DONE;
    till_sort(till);
    free(skus);
    return next;
}

/* One SKU: what became of it goes into effects. NEXT_DONE also if its image cannot be brought: a case says why. */
static enum next bring_due(struct images *m, int64_t product_id, int64_t sitoo_id, const struct due *d,
                           struct args *effects, struct reason *why) {
    struct reason cause = {0};
    char refused[PICTURE_NAME_SIZE + 1];
    m->left--;
    enum next next = bring(m, sitoo_id, d, &cause);
    if (next == NEXT_DONE) {
        keep_done(d, effects);
    } else if (next == NEXT_PARK) {
        (void)snprintf(refused, sizeof refused, "%c%s", REFUSED, d->name);
        effect_keep_image(effects, d->want->sku, refused);
        case_of(m, product_id, d, &cause, effects);
        next = NEXT_DONE;
    } else {
        *why = cause;
    }
    return next;
}

/* What was done, and cases, are appended to effects, also if it ends early. A SKU that Sitoo does not have comes again
 * when it is made. */
static enum next bring_all(struct images *m, const struct product_want *w, bool person, struct args *effects,
                           struct reason *why) {
    struct due *list = NULL;
    struct till_products till = {0};
    size_t n = 0;
    bool more = false;
    enum next next = find_due(m->app, w, person, &list, &n, why);
    next = next == NEXT_DONE ? read_till(m, list, n, &till, why) : next;
    for (size_t i = 0; next == NEXT_DONE && !more && i < n; i++) {
        const struct till_product *have = till_find(&till, list[i].want->sku);
        more = have != NULL && m->left <= 0 && !person;
        if (have != NULL && !more) {
            next = bring_due(m, w->product_id, have->id, &list[i], effects, why);
        }
    }
    if (next == NEXT_DONE && more) {
        mark(effects, w->product_id);
    }
    till_free(&till);
    free(list);
    return next;
}

static void end_claim(struct images *m, const struct claim *c, enum next next, struct args *effects,
                      const struct reason *cause) {
    struct reason why = {0};
    size_t fenced = 0;
    enum next ended = NEXT_DONE;
    if (next == NEXT_DONE) {
        ended = queue_complete(m->app->redis, QUEUE_IMAGE, c, 1, effects->n > 0 ? effects : NULL, &fenced, &why);
    } else {
        ended = effects_apply(m->app->redis, effects, &why);
        worker_unsettled(m->app, QUEUE_IMAGE, c, 1, next, cause, m->app->set->mapping->owner_mapping);
    }
    if (ended != NEXT_DONE) {
        LOG(LOG_WARN, "images not settled; they are looked at again", {"product", c->entity}, {"why", why.text});
    }
}

static void bring_product(struct images *m, const struct catalog *catalog, const struct claim *c) {
    struct product_want want = {0};
    struct args effects = {0};
    struct reason why = {0};
    int64_t id = 0;
    (void)int_parse(c->entity, 1, JSON_INT_MAX, &id);
    const struct catalog_product *p = catalog_find(catalog, id);
    enum next next = NEXT_DONE;
    if (p != NULL && !p->bad) { /* else: a case of the product says so, or it is gone */
        product_want(p, &m->sync->rules, &want);
        next = bring_all(m, &want, strchr(c->hint, 'f') != NULL, &effects, &why);
    }
    end_claim(m, c, next, &effects, &why);
    args_free(&effects);
    product_want_free(&want);
}

/* ---- one round ---- */

static enum next read_web(struct images *m, const struct claims *claims, struct catalog *out, struct reason *why) {
    int64_t ids[PRODUCTS_PER_ROUND];
    const struct mapping_products *p = &m->app->set->mapping->products;
    size_t n = 0;
    for (size_t i = 0; i < claims->n && n < PRODUCTS_PER_ROUND; i++) {
        n += int_parse(claims->list[i].entity, 1, JSON_INT_MAX, &ids[n]) ? 1 : 0;
    }
    return catalog_read(m->app, ids, n, p->from_price_list ? p->price_list_id : 0, m->sync->rules.currency, out, why);
}

static void settle_all(struct app *app, const struct claims *claims) {
    struct reason why = {0};
    size_t fenced = 0;
    if (queue_complete(app->redis, QUEUE_IMAGE, claims->list, claims->n, NULL, &fenced, &why) != NEXT_DONE) {
        LOG(LOG_WARN, "images not settled; their leases end by themselves", {"why", why.text});
    }
}

static void work_on(struct app *app, struct sync *s, const struct claims *claims) {
    struct images m = {.app = app, .sync = s, .left = IMAGES_PER_ROUND};
    struct catalog catalog = {0};
    struct worker_hold hold;
    struct reason why = {0};
    worker_hold_begin(&hold, app, QUEUE_IMAGE, claims);
    enum next next = mode_refresh(app, &why);
    if (next == NEXT_DONE && app->mode != MODE_LIVE) {
        why.wait_ms = SHADOW_WAIT_MS;
        why.not_its_fault = true;
        next = reason_set(&why, NEXT_DEFER, "shadow", "no image is brought in shadow mode");
    }
    next = next == NEXT_DONE ? sync_begin(app, s, &why) : next;
    if (next == NEXT_DONE) {
        next = read_web(&m, claims, &catalog, &why);
        for (size_t i = 0; next == NEXT_DONE && i < claims->n; i++) {
            bring_product(&m, &catalog, &claims->list[i]);
        }
        sync_end(s);
    }
    if (next == NEXT_PARK) { /* the settings of the two shops do not fit, which products.c tells */
        why.wait_ms = SHADOW_WAIT_MS;
        why.not_its_fault = true;
        next = NEXT_DEFER;
    }
    if (next != NEXT_DONE) {
        worker_unsettled(app, QUEUE_IMAGE, claims->list, claims->n, next, &why, app->set->mapping->owner_mapping);
    }
    catalog_free(&catalog);
    forget_picture(&m);
    worker_hold_end(&hold);
}

enum next images_work(struct app *app, struct sync *s, int64_t *wait_ms, struct reason *why) {
    struct claims claims = {0};
    enum next next = queue_claim(app->redis, QUEUE_IMAGE, PRODUCTS_PER_ROUND, app->holder,
                                 app->set->mapping->owner_mapping, &claims, why);
    if (next == NEXT_DONE && claims.n > 0) {
        if (app->set->mapping->products.on && app->set->mapping->products.images) {
            work_on(app, s, &claims);
        } else {
            settle_all(app, &claims);
        }
        *wait_ms = 0;
    } else if (next == NEXT_DONE && claims.wait_ms >= 0 && claims.wait_ms < *wait_ms) {
        *wait_ms = claims.wait_ms;
    }
    claims_free(&claims);
    return next;
}
