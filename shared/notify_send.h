/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One message about urgent cases, as the sinks get it. The webhook:
 *
 *   POST ONEPOOL_NOTIFY_URL
 *   webhook-id: msg_...              the same when it is sent again
 *   webhook-timestamp, webhook-signature: as of signature.h, key: ONEPOOL_NOTIFY_SECRET ("whsec_" + base64, or its
 * bytes)
 *   {"id":"msg_...","tenant":"default","case":"brake","entity":"levels","owner":"operations","effect":"...","step":"...",
 *    "count":1,"first_ms":1795000000000,"text":"for people, several lines","more":[{"case":...}],"left_out":0}
 *
 * The first case stands at the top; those that opened in the same minute are in `more`, and what is beyond 50 is
 * counted in left_out. Any 2xx is taken for success. No personal data: a case's own text is left out.
 */
#ifndef ONEPOOL_NOTIFY_SEND_H
#define ONEPOOL_NOTIFY_SEND_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "app.h"

#define NOTIFY_ID_SIZE    40
#define NOTIFY_ERROR_SIZE 200

struct notify_message {
    const char *id;
    int64_t at_ms;
    const cJSON *cases; /* {"case","entity","owner","effect","step","count","first_ms"}, at least one */
    int64_t left_out;
};

/* A new id: "msg_" and 24 hex digits. */
void notify_new_id(char out[NOTIFY_ID_SIZE]);

/* The body and, for mails, subject and text. The caller frees. Pure. */
char *notify_body(const char *tenant, const struct notify_message *m);
char *notify_subject(const char *tenant, const struct notify_message *m);
char *notify_text(const struct notify_message *m);

bool notify_webhook_on(const struct settings_notify *n);
bool notify_email_on(const struct settings_notify *n);

/* NOTIFY_REFUSED: the sink can do nothing with the message itself (400, 413, 422), however often it is sent. */
enum notify_fate { NOTIFY_FAILED, NOTIFY_SENT, NOTIFY_REFUSED };

/* Unless it was sent, error says why, in words without any secret. */
enum notify_fate notify_webhook(struct app *app, const struct notify_message *m, char error[NOTIFY_ERROR_SIZE]);
enum notify_fate notify_email(struct app *app, const struct notify_message *m, char error[NOTIFY_ERROR_SIZE]);

#endif
