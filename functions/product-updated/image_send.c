/* SPDX-License-Identifier: Apache-2.0 */
#include "image_send.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "faultpoint.h"
#include "json.h"
#include "log.h"
#include "picture.h"
#include "platform.h"
#include "ban.h"

#define PATH_SIZE 160

/* ---- Sitoo's list of one product ---- */

static void path_of(const struct image_sender *m, int64_t product_id, const char *rest, char out[PATH_SIZE]) {
    (void)snprintf(out, PATH_SIZE, "/sites/%lld/products/%lld/images%s", (long long)m->app->set->sitoo_site_id,
                   (long long)product_id, rest);
}

/* One read; NULL and NEXT_DONE: 404. The caller deletes. */
static enum next read_json(struct image_sender *m, const char *path, cJSON **out, struct reason *why) {
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
    why->ambiguous = false; /* of a read, nothing is */
    return next;
}

/* The list of a product's images; NULL: there is none. The caller deletes *json. */
static enum next read_list(struct image_sender *m, int64_t product_id, cJSON **json, const cJSON **items,
                           struct reason *why) {
    char path[PATH_SIZE];
    int64_t total = -1;
    path_of(m, product_id, ".json?start=0&num=100&fields=resourceid", path);
    enum next next = read_json(m, path, json, why);
    *items = json_array(*json, "items");
    bool empty = *json == NULL || (json_int(*json, "totalcount", &total) && total == 0);
    if (next == NEXT_DONE && *items == NULL && !empty) {
        next = reason_set(why, NEXT_DEFER, "incomplete_read", "Sitoo's images of its product %lld are no list",
                          (long long)product_id);
    }
    return next;
}

static bool is_named(const cJSON *image, const char *name) {
    const char *text = json_str(image, "resourceid");
    return text != NULL && strcmp(text, name) == 0;
}

/* Removes it if it stands there. */
static enum next remove_at(struct image_sender *m, int64_t product_id, int64_t index, const char *name, bool *removed,
                           struct reason *why) {
    char path[PATH_SIZE], rest[40];
    cJSON *image = NULL;
    struct answer answer;
    bool shadowed = false;
    (void)snprintf(rest, sizeof rest, "/%lld.json", (long long)index);
    path_of(m, product_id, rest, path);
    enum next next = read_json(m, path, &image, why);
    bool there = next == NEXT_DONE && is_named(image, name);
    cJSON_Delete(image);
    if (there) {
        const struct sync_write write = {SYNC_IMAGES, "DELETE", path, NULL, 1};
        next = sync_send(m->sync, &write, &answer, &shadowed, why);
        answer_free(&answer);
    }
    *removed = there && next == NEXT_DONE;
    return next == NEXT_PARK ? NEXT_DONE : next; /* no such number, or not to be removed */
}

/* Old ones of ours, the last first, so that the places of the others stay what they are. */
static enum next remove_old(struct image_sender *m, int64_t product_id, const cJSON *items, const char *name,
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
            LOG(LOG_WARN, "an old image of ours cannot be taken off; it stays", {"sitoo_product", log_int(product_id)},
                {"image", old}, {"why", why->text[0] != '\0' ? why->text : "it is not found again"});
        }
    }
    return next;
}

/* ---- an image on its way ---- */

void image_forget(struct image_sender *m) {
    free(m->url);
    free(m->base64);
    m->url = m->base64 = NULL;
    m->stored = false;
}

static enum next fetch(struct image_sender *m, const char *url, struct reason *why) {
    if (m->url == NULL || strcmp(m->url, url) != 0) {
        image_forget(m);
        m->why_not = (struct reason){0};
        m->fetched = picture_fetch(m->app, url, &m->base64, &m->why_not);
        m->url = xstrdup(url);
    }
    *why = m->why_not;
    return m->fetched;
}

static enum next post(struct image_sender *m, const char *path, const char *name, bool with_data, struct reason *why) {
    struct answer answer;
    bool shadowed = false;
    cJSON *o = json_new_object();
    json_add_str(o, "resourceid", name);
    if (with_data) {
        json_add_str(o, "filedata", m->base64);
    }
    char *body = json_print(o);
    cJSON_Delete(o);
    const struct sync_write write = {SYNC_IMAGES, "POST", path, body, 1};
    enum next next = sync_send(m->sync, &write, &answer, &shadowed, why);
    if (next == NEXT_PARK || answer.status == 409) {
        next =
            reason_set(why, NEXT_PARK, IMAGE_REFUSED, "%.300s", answer.text != NULL ? answer.text : "no reason given");
    }
    answer_free(&answer);
    free(body);
    return next;
}

/* The file goes there once; what Sitoo says to a second copy of the same name is not documented. */
static enum next add(struct image_sender *m, int64_t product_id, const char *url, const char *name,
                     struct reason *why) {
    char path[PATH_SIZE];
    struct reason other = {0};
    enum next next = fetch(m, url, why);
    path_of(m, product_id, ".json", path);
    if (next != NEXT_DONE) {
        return next;
    }
    next = post(m, path, name, !m->stored, why);
    enum next second = next == NEXT_PARK ? post(m, path, name, m->stored, &other) : NEXT_PARK;
    if (second != NEXT_PARK) {
        *why = other;
        next = second;
    }
    m->stored = m->stored || next == NEXT_DONE;
    fault_point(m->app, "products.image");
    return next;
}

bool image_failed(const struct image_sender *m, const char *url, enum next *next, struct reason *why) {
    bool failed = m->url != NULL && strcmp(m->url, url) == 0 && m->fetched != NEXT_DONE;
    if (failed) {
        *why = m->why_not;
        *next = m->fetched;
    }
    return failed;
}

enum next image_send(struct image_sender *m, int64_t product_id, const char *url, const char *name,
                     struct reason *why) {
    cJSON *list = NULL;
    const cJSON *items = NULL, *item = NULL;
    bool there = name[0] == '\0';
    enum next next = read_list(m, product_id, &list, &items, why);
    cJSON_ArrayForEach(item, items) {
        there = there || is_named(item, name);
    }
    next = next == NEXT_DONE && !there ? add(m, product_id, url, name, why) : next;
    next = next == NEXT_DONE ? remove_old(m, product_id, items, name, why) : next;
    cJSON_Delete(list);
    return next;
}
