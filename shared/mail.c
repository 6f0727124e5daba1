/* SPDX-License-Identifier: Apache-2.0 */
#include "mail.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "buf.h"
#include "sendmail.h"
#include "ban.h"

#define MESSAGE_MAX     ((size_t)512 * 1024)
#define CONNECT_MS      5000L
#define SMTP_MS         15000L /* shorter than a lease */
#define LINE_MAX_BYTES  900    /* RFC 5322: 998 */
#define RECIPIENT_BYTES 256

/* ---- the message ---- */

static void add_header_text(struct buf *out, const char *s) {
    for (; *s != '\0'; s++) {
        buf_add(out, *s >= ' ' && *s < 0x7f ? s : "?", 1);
    }
}

/* Lines of the text as lines of a mail: none too long, no control character. */
static void add_lines(struct buf *out, const char *text, const char *newline) {
    while (*text != '\0') {
        size_t len = strcspn(text, "\n"), n = len;
        n = n > LINE_MAX_BYTES ? str_whole(text, LINE_MAX_BYTES) : n;
        n = n == 0 && len > 0 ? 1 : n;
        for (size_t i = 0; i < n; i++) {
            buf_add(out, (unsigned char)text[i] < ' ' || text[i] == 0x7f ? "?" : text + i, 1);
        }
        buf_add_str(out, newline);
        text += n + (text[n] == '\n' ? 1 : 0);
    }
}

static void add_date(struct buf *out, int64_t at_ms) {
    char text[64];
    time_t at = (time_t)(at_ms / 1000);
    struct tm tm;
    /* No locale is ever set, so the names are English. */
    if (gmtime_r(&at, &tm) != NULL && strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S +0000", &tm) > 0) {
        buf_add_str(out, text);
    }
}

char *mail_message(const struct settings_notify *n, const struct mail *m, const char *newline) {
    struct buf out;
    buf_init(&out, MESSAGE_MAX);
    buf_addf(&out, "From: <%s>%sTo: ", n->from, newline);
    for (const char *to = n->email; *to != '\0';) {
        size_t len = strcspn(to, ",");
        buf_addf(&out, "%s<%.*s>", to != n->email ? ", " : "", (int)len, to);
        to += len + (to[len] == ',' ? 1 : 0);
    }
    buf_addf(&out, "%sSubject: ", newline);
    add_header_text(&out, m->subject);
    buf_addf(&out, "%sDate: ", newline);
    add_date(&out, m->at_ms);
    buf_addf(&out,
             "%sMessage-ID: <%s@onepool>%sAuto-Submitted: auto-generated%sMIME-Version: 1.0%sContent-Type: text/plain; "
             "charset=utf-8%sContent-Transfer-Encoding: 8bit%s%s",
             newline, m->id, newline, newline, newline, newline, newline, newline);
    add_lines(&out, m->text, newline);
    return buf_take(&out);
}

/* ---- SMTP ---- */

struct upload {
    struct app *app;
    const char *data;
    size_t len, at;
};

static size_t on_read(char *to, size_t size, size_t n, void *arg) {
    struct upload *u = arg;
    size_t room = size * n, left = u->len - u->at, take = left < room ? left : room;
    memcpy(to, u->data + u->at, take);
    u->at += take;
    return take;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    struct upload *u = arg;
    (void)a, (void)b, (void)c, (void)d;
    return app_keep(u->app) ? 0 : 1;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg) {
    (void)data, (void)arg;
    return size * n;
}

static struct curl_slist *recipients(const char *list) {
    struct curl_slist *all = NULL;
    char one[RECIPIENT_BYTES + 8];
    while (*list != '\0') {
        size_t len = strcspn(list, ",");
        (void)snprintf(one, sizeof one, "<%.*s>", (int)len, list);
        struct curl_slist *longer = curl_slist_append(all, one);
        if (longer == NULL) {
            curl_slist_free_all(all);
            return NULL;
        }
        all = longer;
        list += len + (list[len] == ',' ? 1 : 0);
    }
    return all;
}

/* Security: a mail server elsewhere is spoken to by TLS only, as are the platforms. */
static long tls_wanted(const struct settings *set) {
    char http[256];
    bool plain = strncmp(set->notify.smtp_url, "smtp://", 7) == 0;
    (void)snprintf(http, sizeof http, "http://%s", set->notify.smtp_url + (plain ? 7 : 8));
    return plain && http_url_allowed(http, set->allow_http, NULL, 0) ? (long)CURLUSESSL_TRY : (long)CURLUSESSL_ALL;
}

#define SET(option, value) (ok = curl_easy_setopt(easy, option, value) == CURLE_OK && ok)

static bool set_options(CURL *easy, const struct settings *set, struct upload *u, struct curl_slist *to, char *error) {
    const struct settings_notify *n = &set->notify;
    char from[RECIPIENT_BYTES + 8];
    bool ok = true;
    (void)snprintf(from, sizeof from, "<%s>", n->from);
    SET(CURLOPT_URL, n->smtp_url);
    SET(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    SET(CURLOPT_TIMEOUT_MS, SMTP_MS);
    SET(CURLOPT_USE_SSL, tls_wanted(set));
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_MAIL_FROM, from);
    SET(CURLOPT_MAIL_RCPT, to);
    SET(CURLOPT_UPLOAD, 1L);
    SET(CURLOPT_READFUNCTION, on_read);
    SET(CURLOPT_READDATA, u);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, u);
    SET(CURLOPT_ERRORBUFFER, error);
    if (n->smtp_user != NULL) {
        SET(CURLOPT_USERNAME, n->smtp_user);
        SET(CURLOPT_PASSWORD, n->smtp_password);
    }
    return ok;
}

#undef SET

static bool send_smtp(struct app *app, const char *message, char error[MAIL_ERROR_SIZE]) {
    struct upload u = {.app = app, .data = message, .len = strlen(message)};
    struct curl_slist *to = recipients(app->set->notify.email);
    char detail[CURL_ERROR_SIZE] = "";
    CURL *easy = curl_easy_init();
    CURLcode rc = CURLE_FAILED_INIT;
    if (easy != NULL && to != NULL && set_options(easy, app->set, &u, to, detail)) {
        rc = curl_easy_perform(easy);
    }
    if (rc != CURLE_OK) {
        (void)snprintf(error, MAIL_ERROR_SIZE, "SMTP: %.180s", detail[0] != '\0' ? detail : curl_easy_strerror(rc));
    }
    curl_easy_cleanup(easy);
    curl_slist_free_all(to);
    return rc == CURLE_OK;
}

bool mail_send(struct app *app, const struct mail *m, char error[MAIL_ERROR_SIZE]) {
    bool smtp = app->set->notify.smtp_url != NULL;
    char *message = mail_message(&app->set->notify, m, smtp ? "\r\n" : "\n");
    bool sent = smtp ? send_smtp(app, message, error)
                     : sendmail_run(app, app->set->notify.sendmail, message, error, MAIL_ERROR_SIZE);
    free(message);
    return sent;
}
