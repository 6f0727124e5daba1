/* SPDX-License-Identifier: Apache-2.0 */
#include "products.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "images.h"
#include "json.h"
#include "keys.h"
#include "log.h"
#include "mode.h"
#include "quantity.h"
#include "round.h"
#include "sweep.h"
#include "worker.h"
#include "ban.h"

#define PRODUCTS_PER_ROUND 100
#define ROUND_MIN_MS       INT64_C(200) /* rounds gather what is due, so that many share a call: most of it is echoes */
#define ROUND_MAX_MS       INT64_C(8000)   /* two calls in 8 s: a twentieth of the smallest quota */
#define SETTINGS_WAIT_MS   INT64_C(600000) /* the two shops do not fit: asked again */
#define NOT_NOW_MS         INT64_C(1000)

struct products {
    struct sync sync;
    int64_t last_ms;   /* monotonic: end of the last round */
    int64_t images_ms; /* monotonic: no round of images before it */
    bool fits;         /* the two shops' settings did when they were last looked at, and no case says otherwise */
};

static struct products *products_of(struct app *app) {
    if (app->state == NULL) {
        app->state = xcalloc(1, sizeof(struct products));
    }
    return app->state;
}

void products_leave(struct app *app) {
    if (app->state != NULL) {
        sync_free(&products_of(app)->sync);
        free(app->state);
        app->state = NULL;
    }
}

/* ---- ends of claims ---- */

static void settle_all(struct app *app, const struct claims *claims, const char *outcome) {
    struct reason why = {0};
    size_t fenced = 0;
    if (queue_complete(app->redis, QUEUE_PRODUCT, claims->list, claims->n, NULL, &fenced, &why) == NEXT_DONE) {
        LOG(LOG_INFO, "products settled", {"outcome", outcome}, {"products", log_int((long long)claims->n)});
    } else {
        LOG(LOG_WARN, "products not settled; their leases end by themselves", {"cause", why.cause}, {"why", why.text});
    }
}

/* The settings of the two shops do not fit: one case, not one for each product. */
static void misfit(struct app *app, struct reason *cause) {
    struct args effects = {0};
    struct reason ignored = {0};
    const struct parked p = {.cause = cause->cause,
                             .owner = app->set->mapping->owner_mapping,
                             .entity = "catalog",
                             .text = cause->text,
                             .effect = "Changes of products and prices do not reach the tills; sales and stock go on",
                             .step = "Mend what the text names; it is looked at again by itself within ten minutes",
                             .queue = "",
                             .job = ""};
    effect_notice(&effects, &p);
    if (effects_apply(app->redis, &effects, &ignored) != NEXT_DONE) {
        LOG(LOG_WARN, "a case could not be stored; it is made at the next try", {"why", ignored.text});
    }
    args_free(&effects);
    cause->wait_ms = SETTINGS_WAIT_MS;
    cause->not_its_fault = true;
    products_of(app)->fits = false;
}

/* They fit (again). */
static void fits(struct app *app) {
    static const char *const causes[] = {"price_currency", "sale_price_list", "price_list_missing"};
    struct args effects = {0};
    struct reason ignored = {0};
    if (products_of(app)->fits) {
        return;
    }
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        effect_close(&effects, causes[i], "catalog");
    }
    products_of(app)->fits = effects_apply(app->redis, &effects, &ignored) == NEXT_DONE;
    args_free(&effects);
}

static void end_claim(struct app *app, const struct product_round *r, size_t i) {
    const struct claim *c = &r->claims->list[i];
    struct sync_item *item = round_item(r, i);
    struct reason why = {0};
    size_t fenced = 0;
    if (item != NULL && item->next != NEXT_DONE) {
        worker_unsettled(app, QUEUE_PRODUCT, c, 1, item->next, &item->why, app->set->mapping->owner_mapping);
        return;
    }
    const struct args *effects = item != NULL && item->effects.n > 0 ? &item->effects : NULL;
    if (queue_complete(app->redis, QUEUE_PRODUCT, c, 1, effects, &fenced, &why) != NEXT_DONE) {
        LOG(LOG_WARN, "product not settled; its lease ends by itself", {"product", c->entity}, {"why", why.text});
    } else if (effects != NULL) {
        LOG(LOG_INFO, "product brought to Sitoo", {"outcome", fenced > 0 ? "fenced" : "settled"},
            {"product", c->entity}, {"made", log_int(item->created)}, {"changed", log_int(item->updated)},
            {"hidden", log_int(item->hidden)}, {"refused", log_int(item->refused)},
            {"family", item->family ? "written" : "as it was"});
        args_free(&item->effects); /* once */
    }
}

static void end_claims(struct app *app, const struct product_round *r) {
    struct args counts = {0};
    struct reason ignored = {0};
    for (size_t i = 0; i < r->claims->n; i++) {
        end_claim(app, r, i);
    }
    effect_count(&counts, "products:looked_at", (int64_t)r->n);
    effect_count(&counts, "products:echoes", r->echoes);
    if (effects_apply(app->redis, &counts, &ignored) != NEXT_DONE) {
        LOG(LOG_DEBUG, "counts are lost", {"why", ignored.text});
    }
    args_free(&counts);
}

/* ---- one round ---- */

static void work_on(struct app *app, const struct claims *claims) {
    struct products *p = products_of(app);
    struct product_round round = {0};
    struct reason cause = {0};
    struct worker_hold hold;
    int64_t loaded = 0;
    worker_hold_begin(&hold, app, QUEUE_PRODUCT, claims);
    enum next next = mode_refresh(app, &cause);
    next = next == NEXT_DONE ? known_number(app, "loaded", &loaded, &cause) : next;
    if (next == NEXT_DONE && (!app->set->mapping->products.on || loaded == 0)) {
        settle_all(app, claims, "settled: nothing flows before the first load");
        worker_hold_end(&hold);
        return;
    }
    next = next == NEXT_DONE ? sync_begin(app, &p->sync, &cause) : next;
    if (next == NEXT_DONE) {
        next = round_run(app, &p->sync, claims, &round, &cause);
        sync_end(&p->sync);
    }
    if (next == NEXT_PARK) {
        misfit(app, &cause);
        next = NEXT_DEFER;
    }
    if (next == NEXT_DONE) {
        fits(app);
        end_claims(app, &round);
    } else {
        worker_unsettled(app, QUEUE_PRODUCT, claims->list, claims->n, next, &cause, app->set->mapping->owner_mapping);
    }
    round_free(&round);
    worker_hold_end(&hold);
}

/* As with the debounce: who wants it fast gets it fast. */
static int64_t round_every_ms(const struct app *app) {
    int64_t ms = ROUND_MIN_MS + app->set->mapping->products.debounce_s * 800;
    return ms < ROUND_MAX_MS ? ms : ROUND_MAX_MS;
}

static enum next products_round(struct app *app, int64_t *wait_ms, struct reason *why) {
    struct products *p = products_of(app);
    struct claims claims = {0};
    int64_t every = round_every_ms(app), since = clock_mono_ms() - p->last_ms;
    if (p->last_ms > 0 && since < every) {
        *wait_ms = every - since < *wait_ms ? every - since : *wait_ms;
        return NEXT_DONE;
    }
    enum next next = queue_claim(app->redis, QUEUE_PRODUCT, PRODUCTS_PER_ROUND, app->holder,
                                 app->set->mapping->owner_mapping, &claims, why);
    if (next == NEXT_DONE && claims.n > 0) {
        work_on(app, &claims);
        p->last_ms = clock_mono_ms();
        *wait_ms = claims.n == PRODUCTS_PER_ROUND ? NOT_NOW_MS : *wait_ms;
        p->last_ms = claims.n == PRODUCTS_PER_ROUND ? 0 : p->last_ms;
    } else if (next == NEXT_DONE && claims.wait_ms >= 0 && claims.wait_ms < *wait_ms) {
        *wait_ms = claims.wait_ms;
    }
    claims_free(&claims);
    return next;
}

enum next products_work(struct app *app, int64_t *wait_ms, struct reason *why) {
    struct products *p = products_of(app);
    struct reason timer = {0};
    enum next next = products_round(app, wait_ms, why);
    enum next swept = sweep_work(app, &p->sync, wait_ms, next == NEXT_DONE ? why : &timer);
    next = next == NEXT_DONE ? swept : next;
    return next == NEXT_DONE ? images_work(app, &p->sync, &p->images_ms, wait_ms, why) : next;
}

/* ---- invoke ---- */

static int64_t payload_product(const char *payload, size_t len, char *error, size_t size) {
    cJSON *json = json_read(payload, len, error, size);
    const cJSON *data = json_get(json, "data");
    const char *type = json_str(data, "type");
    int64_t id = 0;
    if (json != NULL && !json_id(json, "product", &id) && !json_id(json_get(data, "sku"), "product_id", &id) &&
        !(type != NULL && strcmp(type, "product") == 0 && json_id(data, "id", &id))) {
        (void)snprintf(error, size, "the payload names no product: give a webhook, or {\"product\":192}");
    }
    cJSON_Delete(json);
    return id;
}

int products_invoke(struct app *app, const char *payload, size_t len, bool dry_run) {
    char text[200] = "", entity[24];
    struct reason why = {0};
    struct products *p = products_of(app);
    struct product_round round = {0};
    int64_t id = payload_product(payload, len, text, sizeof text);
    if (id <= 0) {
        (void)fprintf(stderr, "%s\n", text);
        return 1;
    }
    (void)snprintf(text, sizeof text, "{\"queue\":\"" QUEUE_PRODUCT "\",\"product\":%lld}", (long long)id);
    app->trace("plan", text);
    if (dry_run) {
        return 0;
    }
    (void)snprintf(entity, sizeof entity, "%lld", (long long)id);
    char hint[] = "d", none[] = "";
    struct claim claim = {.entity = entity, .hint = hint, .data = none};
    const struct claims claims = {.list = &claim, .n = 1};
    enum next next = mode_refresh(app, &why);
    next = next == NEXT_DONE ? sync_begin(app, &p->sync, &why) : next;
    if (next == NEXT_DONE) {
        next = round_run(app, &p->sync, &claims, &round, &why);
        sync_end(&p->sync);
    }
    struct sync_item *item = next == NEXT_DONE ? round_item(&round, 0) : NULL;
    if (item != NULL && item->next != NEXT_DONE) {
        why = item->why;
        next = item->next;
    }
    next = item != NULL && next == NEXT_DONE ? effects_apply(app->redis, &item->effects, &why) : next;
    if (next == NEXT_DONE && item != NULL) {
        (void)snprintf(text, sizeof text,
                       "{\"made\":%lld,\"changed\":%lld,\"hidden\":%lld,\"refused\":%lld,\"family\":%s}",
                       (long long)item->created, (long long)item->updated, (long long)item->hidden,
                       (long long)item->refused, item->family ? "true" : "false");
        app->trace("outcome", text);
    } else {
        (void)fprintf(stderr, "%s\n", why.text);
    }
    round_free(&round);
    products_leave(app);
    return next == NEXT_DONE ? 0 : 1;
}
