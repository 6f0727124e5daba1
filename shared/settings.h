/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings from the environment. Any secret X may also be given as X_FILE (a file that holds it; a trailing
 * newline is dropped), and X_PREVIOUS (or X_PREVIOUS_FILE) is accepted beside it during rotation. All mistakes, the
 * mapping file's included, are reported together; the program then exits with 100.
 */
#ifndef ONEPOOL_SETTINGS_H
#define ONEPOOL_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "log.h"
#include "mapping.h"

#define SETTINGS_EXIT  100 /* exit status for wrong settings */
#define SITOO_KEYS_MAX 8

/* What becomes of the signature of BigCommerce's webhooks, see hook_signature.h. */
enum signature_mode { SIGNATURE_OFF, SIGNATURE_REPORT, SIGNATURE_REQUIRE };

/* MODE_AUTO: not set; shadow until a baseline is accepted (mode.h). */
enum mode { MODE_SHADOW, MODE_LIVE, MODE_AUTO };

/* One Sitoo API key: SITOO_API_ID and SITOO_API_PASSWORD, then _2, _3 ... without a gap. */
struct sitoo_key {
    char *id;
    char *password;
};

/* What a process needs, as bits, so that a binary asks only for what it uses. */
enum settings_need {
    NEED_REDIS = 1,
    NEED_EVENTS = 2,      /* SITOO_EVENTS_USER, SITOO_EVENTS_PASSWORD, SITOO_ACCOUNT_ID, SITOO_SITE_ID */
    NEED_SITOO = 4,       /* SITOO_* for REST */
    NEED_BIGCOMMERCE = 8, /* BIGCOMMERCE_* for REST */
    NEED_MAPPING = 16,
    NEED_HOOK_SECRET = 32, /* BIGCOMMERCE_HOOK_SECRET; BIGCOMMERCE_CLIENT_SECRET if signatures are required */
    NEED_NOTIFY = 128,     /* ONEPOOL_NOTIFY_*, ONEPOOL_SMTP_*, ONEPOOL_SENDMAIL; all may be left out */
    LIKES_MAPPING = 64     /* read if ONEPOOL_CONFIG names a right one; else the program goes on without */
};

/* Where urgent cases are told; a NULL is not given. */
struct settings_notify {
    char *url;                       /* ONEPOOL_NOTIFY_URL: https, or http as for the platforms */
    char *secret;                    /* ONEPOOL_NOTIFY_SECRET, secret: key of its signature, at least 16 characters */
    char *email, *from;              /* ONEPOOL_NOTIFY_EMAIL: addresses, commas between; ONEPOOL_NOTIFY_FROM: one */
    char *smtp_url;                  /* ONEPOOL_SMTP_URL: smtp:// or smtps://; NULL = sendmail */
    char *smtp_user, *smtp_password; /* ONEPOOL_SMTP_USER, ONEPOOL_SMTP_PASSWORD (secret) */
    char *sendmail;                  /* ONEPOOL_SENDMAIL [/usr/sbin/sendmail] */
};

struct settings {
    char *tenant;       /* ONEPOOL_TENANT [default]; [A-Za-z0-9_-]{1,64} */
    char *config_path;  /* ONEPOOL_CONFIG */
    enum mode mode;     /* ONEPOOL_MODE=live|shadow [MODE_AUTO] */
    enum log_level log; /* ONEPOOL_LOG=info|debug [info] */
    bool dev;           /* ONEPOOL_DEV=1: a weaker Redis is allowed */
    bool allow_http;    /* ONEPOOL_ALLOW_HTTP=1 */
    char *listen;      /* ONEPOOL_LISTEN [var/run/<function>]: sockets <listen>.a.sock, <listen>.b.sock; or tcp:PORT for
                          PORT and PORT+1 on all addresses */
    int64_t acceptors; /* ONEPOOL_ACCEPTORS [16] 2..64: processes that accept, half on each socket */
    int64_t workers;   /* ONEPOOL_WORKERS [1] 0..16 */

    char *public_url; /* ONEPOOL_PUBLIC_URL: where the platforms reach us, https (http to loopback, for simulated
                         platforms), no trailing slash; NULL = not given */

    char
        *state_dir; /* ONEPOOL_STATE_DIR [none]: a folder of this machine that keeps the epoch last seen, see epoch.h */

    char *redis_url; /* REDIS_URL [redis://127.0.0.1:6379/0] */

    char *bigcommerce_api_url;                /* BIGCOMMERCE_API_URL [https://api.bigcommerce.com], no trailing slash */
    char *bigcommerce_store_hash;             /* BIGCOMMERCE_STORE_HASH [a-z0-9]{1,32} */
    char *bigcommerce_token;                  /* BIGCOMMERCE_ACCESS_TOKEN, secret */
    char *hook_secret, *hook_secret_previous; /* BIGCOMMERCE_HOOK_SECRET, secret, at least 16 characters */
    enum signature_mode signature; /* BIGCOMMERCE_SIGNATURE=off|report|require [report]; require needs the next one */
    char *client_secret, *client_secret_previous; /* BIGCOMMERCE_CLIENT_SECRET, secret, at least 16 characters */

    char *sitoo_api_url;                     /* SITOO_API_URL [https://api.mysitoo.com/v2], no trailing slash */
    int64_t sitoo_account_id, sitoo_site_id; /* integers; a GUID as site id is refused with an explanation */
    struct sitoo_key sitoo_keys[SITOO_KEYS_MAX];
    size_t sitoo_key_count;
    char *events_user;                                /* SITOO_EVENTS_USER */
    char *events_password, *events_password_previous; /* SITOO_EVENTS_PASSWORD, secret; at least 12 characters */

    struct settings_notify notify; /* NEED_NOTIFY */

    struct mapping *mapping; /* NULL unless NEED_MAPPING, or LIKES_MAPPING and it could be read */
};

/*
 * Reads and checks everything that `needs` names. NULL if there is any mistake; then mistakes holds one line each
 * ("SITOO_SITE_ID: must be the eshopid, a whole number such as 1; the GUID of GET /sites.json gives empty answers").
 * A secret's value never appears in a mistake. getenv_fn: NULL for getenv; tests pass their own.
 * function: the default socket's name.
 */
struct settings *settings_read(unsigned needs, const char *function, const char *(*getenv_fn)(const char *),
                               struct buf *mistakes) NODISCARD;
void settings_free(struct settings *s);

#endif
