/* SPDX-License-Identifier: Apache-2.0 */
#include "hook_signature.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "keys.h"
#include "log.h"
#include "queue.h"
#include "ban.h"

#define DIGEST_HEX 32
#define SAID_MS    "60000"

bool hook_signature_passes(enum signature_mode mode, enum signature_verdict verdict) {
    return mode != SIGNATURE_REQUIRE || verdict == SIGNATURE_VALID || verdict == SIGNATURE_LATE;
}

/* Of the route and of all that was signed: the same call on another route is another event. */
static bool digest_of(const char *path, const struct signature_call *call, char hex[DIGEST_HEX + 1]) {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    /* With their NULs, so that no two lists of texts are joined to the same bytes. */
    bool ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
              EVP_DigestUpdate(ctx, path, strlen(path) + 1) == 1 &&
              EVP_DigestUpdate(ctx, call->id, strlen(call->id) + 1) == 1 &&
              EVP_DigestUpdate(ctx, call->timestamp, strlen(call->timestamp) + 1) == 1 &&
              EVP_DigestUpdate(ctx, call->body, call->body_len) == 1 && EVP_DigestFinal_ex(ctx, bytes, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    for (size_t i = 0; ok && i < DIGEST_HEX / 2; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    }
    return ok;
}

static enum next seen(struct app *app, const char *digest, bool *yes, struct reason *why) {
    char key[KEY_MAX];
    struct args a = {0};
    redisReply *reply = NULL;
    (void)snprintf(key, sizeof key, KEY_HOOK, digest);
    args_add(&a, "EXISTS");
    args_add_key(&a, app->redis, key);
    enum next next = redis_command(app->redis, &a, true, &reply, why);
    if (next == NEXT_DONE) {
        *yes = reply_int(reply) == 1;
        freeReplyObject(reply);
    }
    args_free(&a);
    return next;
}

/* True once a minute for each verdict; false also while Redis is away, since that has lines of its own. */
static bool may_say(struct app *app, const char *verdict) {
    char key[KEY_MAX];
    struct args a = {0};
    struct reason why = {0};
    redisReply *reply = NULL;
    bool first = false;
    (void)snprintf(key, sizeof key, KEY_SAID, verdict);
    args_add(&a, "SET");
    args_add_key(&a, app->redis, key);
    args_add(&a, "1");
    args_add(&a, "NX");
    args_add(&a, "PX");
    args_add(&a, SAID_MS);
    if (redis_command(app->redis, &a, false, &reply, &why) == NEXT_DONE) {
        first = reply->type == REDIS_REPLY_STATUS;
        freeReplyObject(reply);
    }
    args_free(&a);
    return first;
}

static void say(struct app *app, const struct fcgi_call *call, enum signature_verdict verdict, bool passes) {
    const char *name = signature_verdict_name(verdict);
    bool keyed = app->set->client_secret != NULL || app->set->client_secret_previous != NULL;
    if (verdict == SIGNATURE_VALID || !keyed || !may_say(app, name)) {
        return;
    }
    LOG(verdict == SIGNATURE_TOO_NEW ? LOG_ALARM : LOG_WARN, "signature of a hook",
        {"outcome", passes ? "accepted" : "refused"}, {"signature", name}, {"path", call->path},
        {"why", verdict == SIGNATURE_TOO_NEW ? "signed in the future: is this machine's clock right?" : NULL});
}

/* What signature.h cannot know: whether a late call was here before. */
static enum next judge(struct app *app, const struct fcgi_call *call, enum signature_verdict *verdict,
                       struct args *effects, struct reason *why) {
    const struct settings *s = app->set;
    const struct signature_call signed_call = {.id = fcgi_header(call, "WEBHOOK_ID"),
                                               .timestamp = fcgi_header(call, "WEBHOOK_TIMESTAMP"),
                                               .signature = fcgi_header(call, "WEBHOOK_SIGNATURE"),
                                               .body = call->body,
                                               .body_len = call->body_len};
    const struct signature_key keys[] = {
        {s->client_secret, s->client_secret != NULL ? strlen(s->client_secret) : 0},
        {s->client_secret_previous, s->client_secret_previous != NULL ? strlen(s->client_secret_previous) : 0}};
    const struct signature_times times = {
        .now_s = clock_wall_ms() / 1000, .tolerance_s = SIGNATURE_TOLERANCE_S, .late_s = SIGNATURE_LATE_S};
    char digest[DIGEST_HEX + 1] = "";
    size_t key = 0;
    bool before = false;
    *verdict = signature_verify(&signed_call, keys, sizeof keys / sizeof keys[0], &times, &key);
    if (*verdict != SIGNATURE_VALID && *verdict != SIGNATURE_LATE) {
        return NEXT_DONE;
    }
    if (!digest_of(call->path, &signed_call, digest)) {
        return reason_set(why, NEXT_DEFER, "crypto", "libcrypto makes no SHA-256");
    }
    if (*verdict == SIGNATURE_LATE) {
        enum next next = seen(app, digest, &before, why);
        if (next != NEXT_DONE) {
            return next;
        }
        *verdict = before ? SIGNATURE_REPLAYED : SIGNATURE_LATE;
    }
    effect_hook_seen(effects, digest);
    if (key == 1) {
        effect_count(effects, SIGNATURE_COUNT "previous_key", 1);
    }
    return NEXT_DONE;
}

enum next hook_signature_check(struct app *app, const struct fcgi_call *call, bool *passes, struct args *effects,
                               struct reason *why) {
    char counter[64];
    enum signature_verdict verdict = SIGNATURE_ABSENT;
    *passes = true;
    if (app->set->signature == SIGNATURE_OFF) {
        return NEXT_DONE;
    }
    enum next next = judge(app, call, &verdict, effects, why);
    if (next != NEXT_DONE) {
        return next;
    }
    *passes = hook_signature_passes(app->set->signature, verdict);
    (void)snprintf(counter, sizeof counter, SIGNATURE_COUNT "%s", signature_verdict_name(verdict));
    effect_count(effects, counter, 1);
    say(app, call, verdict, *passes);
    return NEXT_DONE;
}
