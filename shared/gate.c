/* SPDX-License-Identifier: Apache-2.0 */
#include "gate.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "faultpoint.h"
#include "json.h"
#include "keys.h"
#include "log.h"
#include "random.h"
#include "ban.h"

#define SHADOW_KEEP_MS (INT64_C(90) * 86400 * 1000)

void gate_digest(const char *text, char out[17]) {
    unsigned char sum[SHA256_DIGEST_LENGTH];
    (void)SHA256((const unsigned char *)text, strlen(text), sum);
    for (size_t i = 0; i < 8; i++) {
        (void)snprintf(out + 2 * i, 3, "%02x", (unsigned)sum[i]);
    }
}

static enum next shadow(struct app *app, const struct gate_write *w, struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    args_add(&a, "XADD");
    args_add_key(&a, app->redis, KEY_SHADOW);
    args_add(&a, "MINID");
    args_add(&a, "~");
    args_add_int(&a, clock_wall_ms() - SHADOW_KEEP_MS);
    args_add(&a, "*");
    args_add(&a, "kind");
    args_add(&a, w->kind);
    args_add(&a, "path");
    args_add(&a, w->path);
    args_add(&a, "intent");
    args_add(&a, w->intent);
    enum next next = redis_command(app->redis, &a, false, &reply, why);
    args_free(&a);
    if (next == NEXT_DONE) {
        freeReplyObject(reply);
    }
    return next;
}

/* A person's release lets one write through, within ten minutes. */
static enum next brake(struct app *app, const struct gate_write *w, bool *released, struct reason *why) {
    const struct mapping *m = app->set->mapping;
    struct args a = {0};
    redisReply *reply = NULL;
    if (w->zeroed <= m->brake_max_zeroed_skus && w->units_moved <= m->brake_max_units_moved) {
        return NEXT_DONE;
    }
    args_add(&a, "GETDEL");
    args_add_key(&a, app->redis, KEY_BRAKE);
    enum next next = redis_command(app->redis, &a, false, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        return next;
    }
    *released = reply->type == REDIS_REPLY_STRING;
    freeReplyObject(reply);
    if (*released) {
        LOG(LOG_WARN, "brake released for one write", {"zeroed", log_int(w->zeroed)},
            {"units", log_int(w->units_moved)});
        return NEXT_DONE;
    }
    return reason_set(
        why, NEXT_PARK, "brake",
        "one write would set %lld SKUs to zero (limit %lld) and move %lld units (limit %lld); nothing was sent",
        (long long)w->zeroed, (long long)m->brake_max_zeroed_skus, (long long)w->units_moved,
        (long long)m->brake_max_units_moved);
}

static enum next open_intent(struct app *app, const struct gate_write *w, char id[GATE_INTENT_SIZE],
                             struct reason *why) {
    struct args a = {0};
    redisReply *reply = NULL;
    if (w->id == NULL || !str_copy(id, GATE_INTENT_SIZE, w->id)) {
        (void)snprintf(id, GATE_INTENT_SIZE, "%s:%lld:%08x", w->kind, (long long)clock_wall_ms(),
                       (unsigned)random_bits());
    }
    args_add(&a, id);
    args_add(&a, w->intent);
    args_add(&a, w->lease);
    args_add(&a, w->lease_token);
    enum next next = redis_fcall(app->redis, "intent_open", &a, true, &reply, why);
    args_free(&a);
    if (next != NEXT_DONE) {
        app->unclosed++;
        return next;
    }
    bool fenced = reply_int(reply) < 0;
    freeReplyObject(reply);
    if (fenced) {
        why->not_its_fault = true;
        return reason_set(why, NEXT_STOP, "fenced", "another process holds the %s lease now", w->lease);
    }
    return NEXT_DONE;
}

/* The call as a row of the ledger. */
static void note(const struct gate_write *w, enum next next, const struct reason *why, struct gate_outcome *out) {
    if (next == NEXT_DONE && strcmp(w->kind, "levels") == 0) {
        return;
    }
    cJSON *json = json_new_object();
    json_add_str(json, "type", "write");
    json_add_str(json, "id", out->intent_id);
    json_add_str(json, "to", w->platform == GATE_SITOO ? "sitoo" : "bigcommerce");
    json_add_str(json, "kind", w->kind);
    json_add_str(json, "method", w->method);
    char *path = xstrndup(w->path, strcspn(w->path, "?"));
    json_add_str(json, "path", path);
    json_add_int(json, "status", out->answer.status);
    json_add_str(json, "outcome",
                 next == NEXT_DONE   ? "applied"
                 : why->ambiguous    ? "unknown"
                 : next == NEXT_PARK ? "refused"
                                     : "not_now");
    char *text = json_print(json);
    if (!str_copy(out->note, sizeof out->note, text)) {
        out->note[0] = '\0'; /* no path is that long */
    }
    free(text);
    free(path);
    cJSON_Delete(json);
}

enum next gate_send(struct app *app, const struct gate_write *w, struct gate_outcome *out, struct reason *why) {
    memset(out, 0, sizeof *out);
    if (app->mode != MODE_LIVE) {
        out->shadowed = true;
        return shadow(app, w, why);
    }
    enum next next = brake(app, w, &out->released, why);
    if (next == NEXT_DONE) {
        fault_point_of("gate.before_intent.", w->kind);
        next = open_intent(app, w, out->intent_id, why);
        fault_point_of("gate.intent.", w->kind);
    }
    if (next != NEXT_DONE) {
        out->intent_id[0] = '\0';
        return next;
    }
    next = w->platform == GATE_SITOO ? sitoo_write(app, w->method, w->path, w->body, &out->answer, why)
                                     : bigcommerce_write(app, w->method, w->path, w->body, &out->answer, why);
    note(w, next, why, out);
    fault_point_of("gate.answered.", w->kind);
    return next;
}

void gate_close(struct app *app, const struct gate_outcome *out) {
    struct args a = {0};
    struct reason why = {0};
    redisReply *reply = NULL;
    if (out->intent_id[0] == '\0') {
        return;
    }
    fault_point(app, "gate.before_close");
    args_add(&a, out->intent_id);
    if (out->note[0] != '\0' || out->answer.status != 0) {
        args_add(&a, out->note);
    }
    if (redis_fcall(app->redis, "intent_close", &a, true, &reply, &why) == NEXT_DONE) {
        freeReplyObject(reply);
    } else {
        app->unclosed++;
        LOG(LOG_WARN, "intent stays open; it will be reconciled", {"intent", out->intent_id}, {"why", why.text});
    }
    args_free(&a);
}
