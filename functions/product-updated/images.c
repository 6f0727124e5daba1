/* SPDX-License-Identifier: Apache-2.0 */
#include "images.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "catalog.h"
#include "clock.h"
#include "image_send.h"
#include "json.h"
#include "keys.h"
#include "log.h"
#include "mode.h"
#include "picture.h"
#include "quantity.h"
#include "worker.h"
#include "ban.h"

#define PRODUCTS_PER_ROUND 100
#define IMAGES_PER_ROUND   20            /* what is left of a product comes in a later round */
#define ROUND_MAX_MS       INT64_C(5000) /* prices wait as long */
#define PAUSE_MS           INT64_C(1000) /* between two rounds, at least */
#define TRIES_MAX          10 /* then a case; tried again with another image, daily, or when a person says so */
#define MARKS_AT_ONCE      500
#define REFUSED            '-'

const char *const images_causes[IMAGES_CAUSES] = {PICTURE_UNREADABLE, IMAGE_REFUSED};

/* One round. */
struct images {
    struct app *app;
    struct sync *sync;
    int left;       /* images that may still be written */
    int64_t end_ms; /* monotonic */
    bool fails;     /* a platform or Redis is in trouble: nothing more is tried in this round */
    struct image_sender sender;
};

/* One SKU whose image is not known to be as wanted. */
struct due {
    const struct want *want;
    char name[PICTURE_NAME_SIZE];
    bool refused; /* it could not be brought before */
};

/* Each round brings at least one image. */
static bool is_over(const struct images *m) {
    return m->left <= 0 || (m->left < IMAGES_PER_ROUND && clock_mono_ms() >= m->end_ms) || stop_requested();
}

/* ---- what is not as wanted ---- */

/* known: the name of what was brought, or REFUSED and the name of what could not be; NULL = nothing. */
static void compare(struct due *d, const char *known, size_t *n) {
    picture_name(d->want->image, d->name);
    known = known != NULL ? known : "";
    d->refused = known[0] == REFUSED && strcmp(known + 1, d->name) == 0;
    *n += strcmp(known, d->name) != 0 ? 1 : 0;
}

/* The caller frees *out. */
static enum next find_due(struct app *app, const struct product_want *w, struct due **out, size_t *n,
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
        list[*n].want = &w->list[i];
        if (next == NEXT_DONE && w->list[i].image != NULL) {
            compare(&list[*n], known[i], n);
        }
        free(known[i]);
    }
    free(known);
    free(skus);
    *out = list;
    return next;
}

/* The due ones that were not refused, moved to the front; how many. again: what was refused is forgotten first, and is
 * due as well. */
static enum next choose(struct app *app, struct due *list, size_t *n, bool again, struct reason *why) {
    struct args effects = {0};
    size_t kept = 0;
    for (size_t i = 0; i < *n; i++) {
        if (list[i].refused && again) {
            effect_keep_image(&effects, list[i].want->sku, "");
        }
        if (!list[i].refused || again) {
            list[kept++] = list[i];
        }
    }
    *n = kept;
    enum next next = effects.n > 0 ? effects_apply(app->redis, &effects, why) : NEXT_DONE;
    args_free(&effects);
    return next;
}

/* hint: f (what was refused is tried again) */
static void mark(struct args *effects, int64_t product_id, const char *hint) {
    char id[24];
    (void)snprintf(id, sizeof id, "%lld", (long long)product_id);
    effect_mark(effects, QUEUE_IMAGE, id, 0, hint, "");
}

static enum next mark_some(struct app *app, const struct product_want *wants, size_t n, struct reason *why) {
    struct args effects = {0};
    enum next next = NEXT_DONE;
    for (size_t i = 0; next == NEXT_DONE && i < n; i++) {
        struct due *list = NULL;
        size_t count = 0;
        next = find_due(app, &wants[i], &list, &count, why);
        free(list);
        if (count > 0) {
            mark(&effects, wants[i].product_id, "f");
        }
    }
    next = next == NEXT_DONE ? effects_apply(app->redis, &effects, why) : next;
    args_free(&effects);
    return next;
}

enum next images_mark(struct app *app, const struct product_want *wants, size_t n, struct reason *why) {
    enum next next = NEXT_DONE;
    n = app->set->mapping->products.images && app->mode == MODE_LIVE ? n : 0;
    for (size_t i = 0; next == NEXT_DONE && i < n; i += MARKS_AT_ONCE) {
        next = mark_some(app, wants + i, n - i < MARKS_AT_ONCE ? n - i : MARKS_AT_ONCE, why);
    }
    return next;
}

/* ---- one product ---- */

struct product_in_work {
    int64_t id;
    int64_t tries;
    struct args effects; /* what was done, and cases */
    enum next next;      /* NEXT_DEFER: it comes again */
    struct reason why;
};

static const char *case_cause(const struct reason *cause) {
    bool unreadable = strcmp(cause->cause, PICTURE_UNREADABLE) == 0 || strcmp(cause->cause, PICTURE_SERVER) == 0;
    return unreadable ? PICTURE_UNREADABLE : IMAGE_REFUSED;
}

static void case_of(struct images *m, const struct product_in_work *p, const struct due *d, const struct reason *cause,
                    struct args *effects) {
    char job[24], text[REASON_TEXT_MAX];
    bool unreadable = strcmp(case_cause(cause), PICTURE_UNREADABLE) == 0;
    (void)snprintf(job, sizeof job, "%lld", (long long)p->id);
    (void)snprintf(text, sizeof text, "%s SKU %.100s: %.300s",
                   unreadable ? "The image cannot be read, of" : "Sitoo does not take the image of", d->want->sku,
                   cause->text);
    const struct parked parked = {
        .cause = case_cause(cause),
        .owner = m->app->set->mapping->owner_mapping,
        .entity = d->want->sku,
        .text = text,
        .effect = "The tills show no image of it, or an old one; all else of it was brought",
        .step =
            "Give it another image in BigCommerce, or mend what the text names: it is tried again daily, or at once "
            "by onepool parked --retry with the case's id; the case then closes by itself",
        .queue = QUEUE_IMAGE,
        .job = job};
    effect_case(effects, &parked);
}

static void keep_done(const struct due *d, struct args *effects) {
    effect_keep_image(effects, d->want->sku, d->name);
    for (size_t i = 0; i < IMAGES_CAUSES; i++) {
        effect_close(effects, images_causes[i], d->want->sku);
    }
}

static void keep_refused(struct images *m, struct product_in_work *p, const struct due *d, const struct reason *cause) {
    char refused[PICTURE_NAME_SIZE + 1];
    (void)snprintf(refused, sizeof refused, "%c%s", REFUSED, d->name);
    effect_keep_image(&p->effects, d->want->sku, refused);
    for (size_t i = 0; i < IMAGES_CAUSES; i++) {
        if (strcmp(images_causes[i], case_cause(cause)) != 0) {
            effect_close(&p->effects, images_causes[i], d->want->sku);
        }
    }
    case_of(m, p, d, cause, &p->effects);
}

/* Is it about this image alone, so that the others go on? */
static bool own_fault(const struct reason *cause) {
    static const char *const own[] = {PICTURE_SERVER, "locked", "incomplete_read", "not_json"};
    bool found = cause->ambiguous;
    for (size_t i = 0; !found && i < sizeof own / sizeof own[0]; i++) {
        found = strcmp(cause->cause, own[i]) == 0;
    }
    return found;
}

/* An image that could not be read a moment ago costs nothing more. */
static enum next try(struct images *m, int64_t sitoo_id, const struct due *d, struct reason *why) {
    enum next next = NEXT_DONE;
    if (image_failed(&m->sender, d->want->image, &next, why)) {
        return next;
    }
    m->left--;
    return image_send(&m->sender, sitoo_id, d->want->image, d->name, why);
}

/* One SKU. False: the round ends here. */
static bool bring_due(struct images *m, struct product_in_work *p, int64_t sitoo_id, const struct due *d) {
    struct reason cause = {0};
    enum next next = try(m, sitoo_id, d, &cause);
    if (next == NEXT_DONE) {
        keep_done(d, &p->effects);
        return true;
    }
    bool own = next == NEXT_DEFER && own_fault(&cause);
    if (next == NEXT_PARK || (own && p->tries >= TRIES_MAX)) {
        keep_refused(m, p, d, &cause);
        return true;
    }
    p->next = next;
    p->why = cause;
    if (cause.ambiguous && cause.wait_ms < SYNC_SETTLE_MS) {
        p->why.wait_ms = SYNC_SETTLE_MS;
    }
    p->why.not_its_fault = cause.not_its_fault && !own;
    return own;
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

/* n is not 0. A SKU that Sitoo does not have comes again when it is made. */
static void bring_all(struct images *m, struct product_in_work *p, const struct due *list, size_t n) {
    struct till_products till = {0};
    bool over = is_over(m);
    size_t first = p->tries > 0 ? (size_t)p->tries - 1 : 0; /* another one each time: one may hold up the round */
    p->next = over ? NEXT_DONE : read_till(m, list, n, &till, &p->why);
    m->fails = p->next != NEXT_DONE;
    for (size_t i = 0; !m->fails && !over && i < n; i++) {
        const struct due *d = &list[(i + first) % n];
        const struct till_product *have = till_find(&till, d->want->sku);
        over = have != NULL && is_over(m);
        m->fails = have != NULL && !over && !bring_due(m, p, have->id, d);
    }
    if (over && p->next == NEXT_DONE) {
        mark(&p->effects, p->id, "");
    }
    till_free(&till);
}

static void end_claim(struct images *m, const struct claim *c, struct product_in_work *p) {
    struct reason why = {0};
    size_t fenced = 0;
    enum next ended = NEXT_DONE;
    if (p->next == NEXT_DONE) {
        ended = queue_complete(m->app->redis, QUEUE_IMAGE, c, 1, p->effects.n > 0 ? &p->effects : NULL, &fenced, &why);
    } else {
        ended = effects_apply(m->app->redis, &p->effects, &why);
        worker_unsettled(m->app, QUEUE_IMAGE, c, 1, p->next, &p->why, m->app->set->mapping->owner_mapping);
    }
    if (ended != NEXT_DONE) {
        LOG(LOG_WARN, "images not settled; they are looked at again", {"product", c->entity}, {"why", why.text});
    }
}

/* *why: of what ended the round, if m->fails. */
static void bring_product(struct images *m, const struct catalog *catalog, const struct claim *c, struct reason *why) {
    struct product_in_work p = {.tries = c->tries};
    struct product_want want = {0};
    struct due *list = NULL;
    size_t n = 0;
    (void)int_parse(c->entity, 1, JSON_INT_MAX, &p.id);
    const struct catalog_product *product = catalog_find(catalog, p.id);
    if (product != NULL && !product->bad) { /* else: a case of the product says so, or it is gone */
        product_want(product, &m->sync->rules, &want);
        p.next = find_due(m->app, &want, &list, &n, &p.why);
        p.next = p.next == NEXT_DONE ? choose(m->app, list, &n, strchr(c->hint, 'f') != NULL && c->tries <= 1, &p.why)
                                     : p.next;
    }
    m->fails = p.next != NEXT_DONE;
    if (p.next == NEXT_DONE && n > 0) {
        bring_all(m, &p, list, n);
    }
    end_claim(m, c, &p);
    *why = p.why;
    args_free(&p.effects);
    free(list);
    product_want_free(&want);
}

/* ---- one round ---- */

static enum next read_web(struct images *m, const struct claims *claims, struct catalog *out, struct reason *why) {
    const struct mapping_products *p = &m->app->set->mapping->products;
    int64_t ids[PRODUCTS_PER_ROUND];
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

/* In a turn of the catalog. */
static enum next bring_claims(struct images *m, const struct claims *claims, struct reason *why) {
    struct catalog catalog = {0};
    enum next next = sync_settled(m->sync, SYNC_IMAGES, why);
    next = next == NEXT_DONE ? read_web(m, claims, &catalog, why) : next;
    m->end_ms = clock_mono_ms() + ROUND_MAX_MS;
    for (size_t i = 0; next == NEXT_DONE && i < claims->n; i++) {
        struct reason trouble = {0};
        bring_product(m, &catalog, &claims->list[i], &trouble);
        if (m->fails) {
            trouble.not_its_fault = true; /* of the products behind it */
            worker_unsettled(m->app, QUEUE_IMAGE, &claims->list[i + 1], claims->n - i - 1, NEXT_DEFER, &trouble,
                             m->app->set->mapping->owner_mapping);
            break;
        }
    }
    catalog_free(&catalog);
    image_forget(&m->sender);
    return next;
}

/* Milliseconds until the next round may begin: as long as this one took, so that others get the catalog's lease. */
static int64_t work_on(struct app *app, struct sync *s, const struct claims *claims) {
    struct images m = {.app = app, .sync = s, .left = IMAGES_PER_ROUND, .sender = {.app = app, .sync = s}};
    const struct mapping_products *p = &app->set->mapping->products;
    int64_t began = clock_mono_ms();
    struct worker_hold hold;
    struct reason why = {0};
    worker_hold_begin(&hold, app, QUEUE_IMAGE, claims);
    enum next next = mode_refresh(app, &why);
    bool wanted = p->on && p->images && app->mode == MODE_LIVE; /* else: the comparison marks them, once they are */
    if (next == NEXT_DONE && wanted) {
        next = sync_begin(app, s, &why);
    }
    if (next == NEXT_DONE && wanted) {
        next = bring_claims(&m, claims, &why);
        sync_end(s);
    } else if (next == NEXT_DONE) {
        settle_all(app, claims);
    }
    if (next == NEXT_PARK) { /* the settings of the two shops do not fit: told when a product is next due */
        why.wait_ms = SYNC_RULES_MS;
        why.not_its_fault = true;
        next = NEXT_DEFER;
    }
    if (next != NEXT_DONE) {
        worker_unsettled(app, QUEUE_IMAGE, claims->list, claims->n, next, &why, app->set->mapping->owner_mapping);
    }
    worker_hold_end(&hold);
    int64_t pause = next == NEXT_DONE ? clock_mono_ms() - began : why.wait_ms;
    pause = next == NEXT_DONE && pause > ROUND_MAX_MS ? ROUND_MAX_MS : pause;
    return pause > PAUSE_MS ? pause : PAUSE_MS;
}

enum next images_work(struct app *app, struct sync *s, int64_t *pause_ms, int64_t *wait_ms, struct reason *why) {
    struct claims claims = {0};
    int64_t pause = *pause_ms - clock_mono_ms();
    if (pause > 0) {
        *wait_ms = pause < *wait_ms ? pause : *wait_ms;
        return NEXT_DONE;
    }
    enum next next = queue_claim(app->redis, QUEUE_IMAGE, PRODUCTS_PER_ROUND, app->holder,
                                 app->set->mapping->owner_mapping, &claims, why);
    if (next == NEXT_DONE && claims.n > 0) {
        pause = work_on(app, s, &claims);
        *pause_ms = clock_mono_ms() + pause;
        *wait_ms = pause < *wait_ms ? pause : *wait_ms;
    } else if (next == NEXT_DONE && claims.wait_ms >= 0 && claims.wait_ms < *wait_ms) {
        *wait_ms = claims.wait_ms;
    }
    claims_free(&claims);
    return next;
}
