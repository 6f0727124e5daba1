/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One mail to people, by SMTP (libcurl) or by a sendmail program. Plain SMTP only to loopback or with
 * ONEPOOL_ALLOW_HTTP=1; elsewhere TLS is required, by STARTTLS (smtp://) or from the beginning (smtps://).
 */
#ifndef ONEPOOL_MAIL_H
#define ONEPOOL_MAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"

#define MAIL_ERROR_SIZE 200

struct mail {
    const char *id;      /* of the message; the same when it is sent again */
    int64_t at_ms;       /* when it was made */
    const char *subject; /* what is not printable ASCII becomes "?" */
    const char *text;    /* UTF-8; lines end with \n */
};

/* The whole message; newline: "\r\n" for SMTP, "\n" for sendmail. The caller frees. Pure. */
char *mail_message(const struct settings_notify *n, const struct mail *m, const char *newline);

/* Sends it as the settings say. False: error says why, without any secret. */
bool mail_send(struct app *app, const struct mail *m, char error[MAIL_ERROR_SIZE]);

#endif
