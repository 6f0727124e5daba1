/* SPDX-License-Identifier: Apache-2.0 */
#include "notify_send.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "json.h"
#include "mail.h"
#include "random.h"
#include "signature.h"
#include "ban.h"

#define TEXT_MAX     ((size_t)256 * 1024)
#define FIELD_MAX    400 /* bytes of one text of a case */
#define ANSWER_MAX   ((size_t)64 * 1024)
#define TIMEOUT_MS   INT64_C(10000)
#define BASE64_WORD  "whsec_"
#define KEY_BYTES    4096
#define HEADER_BYTES 200

void notify_new_id(char out[NOTIFY_ID_SIZE]) {
    (void)snprintf(out, NOTIFY_ID_SIZE, "msg_%08x%08x%08x", (unsigned)random_bits(), (unsigned)random_bits(),
                   (unsigned)random_bits());
}

bool notify_webhook_on(const struct settings_notify *n) {
    return n->url != NULL;
}

bool notify_email_on(const struct settings_notify *n) {
    return n->email != NULL;
}

/* ---- what is said ---- */

static const char *word(const cJSON *o, const char *key) {
    const char *s = json_str(o, key);
    return s != NULL ? s : "";
}

static int64_t number(const cJSON *o, const char *key) {
    int64_t n = 0;
    return json_int(o, key, &n) ? n : 0;
}

static void add_field(struct buf *out, const char *name, const char *text) {
    if (text[0] != '\0') {
        buf_addf(out, "   %s: ", name);
        buf_add(out, text, strlen(text) > FIELD_MAX ? str_whole(text, FIELD_MAX) : strlen(text));
        buf_add_str(out, "\n");
    }
}

char *notify_text(const struct notify_message *m) {
    struct buf out;
    const cJSON *c = NULL;
    char since[CLOCK_TEXT_SIZE];
    buf_init(&out, TEXT_MAX);
    cJSON_ArrayForEach(c, m->cases) {
        clock_format(number(c, "first_ms"), since);
        since[10] = ' '; /* 2026-11-23 06:42, cut after the minute */
        since[16] = '\0';
        buf_addf(&out, "%s: ", word(c, "case"));
        buf_add(&out, word(c, "entity"), str_whole(word(c, "entity"), strlen(word(c, "entity"))));
        buf_addf(&out, " (for %s, since %s UTC", word(c, "owner"), since);
        if (number(c, "count") > 1) {
            buf_addf(&out, ", %lld times", (long long)number(c, "count"));
        }
        buf_add_str(&out, ")\n");
        add_field(&out, "Effect", word(c, "effect"));
        add_field(&out, "Next", word(c, "step"));
    }
    if (m->left_out > 0) {
        buf_addf(&out, "And %lld more.\n", (long long)m->left_out);
    }
    buf_add_str(&out, "All of them: onepool parked\n");
    return buf_take(&out);
}

char *notify_subject(const char *tenant, const struct notify_message *m) {
    struct buf out;
    const cJSON *first = cJSON_GetArrayItem(m->cases, 0);
    int64_t more = cJSON_GetArraySize(m->cases) - 1 + m->left_out;
    buf_init(&out, TEXT_MAX);
    buf_addf(&out, "[onepool %s] %s: %.60s", tenant, word(first, "case"), word(first, "entity"));
    if (more > 0) {
        buf_addf(&out, " and %lld more", (long long)more);
    }
    return buf_take(&out);
}

char *notify_body(const char *tenant, const struct notify_message *m) {
    cJSON *body = json_new_object(), *member = NULL;
    const cJSON *first = cJSON_GetArrayItem(m->cases, 0), *c = NULL;
    char *text = notify_text(m);
    json_add_str(body, "id", m->id);
    json_add_str(body, "tenant", tenant);
    cJSON_ArrayForEach(c, first) {
        member = cJSON_Duplicate(c, true);
        (void)cJSON_AddItemToObject(body, c->string, member);
    }
    json_add_str(body, "text", text);
    cJSON *more = json_add_array(body, "more");
    for (int i = 1; i < cJSON_GetArraySize(m->cases); i++) {
        member = cJSON_Duplicate(cJSON_GetArrayItem(m->cases, i), true);
        (void)cJSON_AddItemToArray(more, member);
    }
    json_add_int(body, "left_out", m->left_out);
    char *out = json_print(body);
    cJSON_Delete(body);
    free(text);
    return out;
}

/* ---- the webhook ---- */

/* What follows whsec_ is the base64 of the key, as the specification writes keys; anything else is the key itself.
 * bytes: where they are decoded. No length: it is not base64. */
static struct signature_key key_of(const char *secret, unsigned char bytes[KEY_BYTES]) {
    struct signature_key key = {.data = secret, .len = strlen(secret)};
    if (strncmp(secret, BASE64_WORD, strlen(BASE64_WORD)) != 0) {
        return key;
    }
    const char *text = secret + strlen(BASE64_WORD);
    size_t len = strlen(text);
    key = (struct signature_key){.data = bytes};
    if (len == 0 || len % 4 != 0 || len / 4 * 3 > KEY_BYTES) {
        return key;
    }
    int n = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)len);
    int padding = (text[len - 1] == '=' ? 1 : 0) + (text[len - 2] == '=' ? 1 : 0);
    key.len = n > padding ? (size_t)(n - padding) : 0;
    return key;
}

static bool sign(const struct settings_notify *n, const char *id, const char *timestamp, const char *body,
                 char out[SIGNATURE_TEXT_SIZE]) {
    unsigned char bytes[KEY_BYTES];
    const struct signature_key key = key_of(n->secret, bytes);
    const struct signature_call call = {.id = id, .timestamp = timestamp, .body = body, .body_len = strlen(body)};
    bool good = signature_sign(&call, &key, out);
    explicit_bzero(bytes, sizeof bytes);
    return good;
}

/* Only what a sink says of the message: with another address or secret (401, 403, 404) it would be taken. */
static enum notify_fate fate_of(int status) {
    bool refused = status == 400 || status == 413 || status == 422;
    return status >= 200 && status < 300 ? NOTIFY_SENT : refused ? NOTIFY_REFUSED : NOTIFY_FAILED;
}

static enum notify_fate post(struct app *app, const char *headers[4], const char *body, char error[NOTIFY_ERROR_SIZE]) {
    struct http_answer answer;
    struct http_request q = {.method = "POST",
                             .url = app->set->notify.url,
                             .body = body,
                             .body_len = strlen(body),
                             .timeout_ms = TIMEOUT_MS,
                             .response_max = ANSWER_MAX};
    for (size_t i = 0; i < 4; i++) {
        q.headers[i] = headers[i];
    }
    http_perform(app->http, &q, &answer, 1, app->keep, app->keep_arg);
    enum notify_fate fate = answer.fate == HTTP_ANSWERED ? fate_of(answer.status) : NOTIFY_FAILED;
    if (answer.fate == HTTP_ANSWERED) {
        (void)snprintf(error, NOTIFY_ERROR_SIZE, "ONEPOOL_NOTIFY_URL answered %d", answer.status);
    } else {
        (void)snprintf(error, NOTIFY_ERROR_SIZE, "ONEPOOL_NOTIFY_URL did not answer: %.150s", answer.error);
    }
    http_answer_free(&answer);
    return fate;
}

enum notify_fate notify_webhook(struct app *app, const struct notify_message *m, char error[NOTIFY_ERROR_SIZE]) {
    char timestamp[32], signature[SIGNATURE_TEXT_SIZE], id_line[HEADER_BYTES], time_line[HEADER_BYTES],
        sign_line[HEADER_BYTES];
    char *body = notify_body(app->set->tenant, m);
    (void)snprintf(timestamp, sizeof timestamp, "%lld", (long long)(clock_wall_ms() / 1000));
    enum notify_fate fate = NOTIFY_FAILED;
    if (!sign(&app->set->notify, m->id, timestamp, body, signature)) {
        (void)snprintf(error, NOTIFY_ERROR_SIZE,
                       "ONEPOOL_NOTIFY_SECRET begins with whsec_ and is not base64 after that");
    } else {
        (void)snprintf(id_line, sizeof id_line, "webhook-id: %s", m->id);
        (void)snprintf(time_line, sizeof time_line, "webhook-timestamp: %s", timestamp);
        (void)snprintf(sign_line, sizeof sign_line, "webhook-signature: %s", signature);
        const char *headers[4] = {"Content-Type: application/json", id_line, time_line, sign_line};
        fate = post(app, headers, body, error);
    }
    free(body);
    return fate;
}

/* ---- e-mail ---- */

enum notify_fate notify_email(struct app *app, const struct notify_message *m, char error[NOTIFY_ERROR_SIZE]) {
    char *subject = notify_subject(app->set->tenant, m), *text = notify_text(m);
    const struct mail mail = {.id = m->id, .at_ms = m->at_ms, .subject = subject, .text = text};
    enum notify_fate fate = mail_send(app, &mail, error) ? NOTIFY_SENT : NOTIFY_FAILED;
    free(subject);
    free(text);
    return fate;
}
