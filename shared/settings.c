/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http.h"
#include "json.h"
#include "quantity.h"
#include "redis.h"
#include "ban.h"

#define SECRET_MAX     4096 /* bytes of a secret or its file */
#define NOTIFY_URL_MAX 2000
#define PUBLIC_URL_MAX 200 /* the routes are appended to it */

struct reader {
    const char *(*get)(const char *);
    struct buf *mistakes;
};

static const char *from_environment(const char *name) {
    return getenv(name);
}

static void mistake(const struct reader *r, const char *name, const char *text) {
    buf_addf(r->mistakes, "%s: %s\n", name, text);
}

static void wipe(char **secret) {
    if (*secret != NULL) {
        explicit_bzero(*secret, strlen(*secret));
        free(*secret);
        *secret = NULL;
    }
}

/* ---- reading one setting ---- */

static char *read_text(const struct reader *r, const char *name, const char *preset) {
    const char *value = r->get(name);
    return value != NULL && value[0] != '\0' ? xstrdup(value) : preset != NULL ? xstrdup(preset) : NULL;
}

static char *read_file(const struct reader *r, const char *name, const char *path) {
    char text[200], *secret = xcalloc(SECRET_MAX + 2, 1);
    FILE *f = fopen(path, "rb");
    if (f != NULL) {
        (void)setvbuf(f, NULL, _IONBF, 0); /* Security: no copy stays in the stream's own buffer */
    }
    size_t len = f != NULL ? fread(secret, 1, SECRET_MAX + 1, f) : 0;
    if (f == NULL || ferror(f) != 0 || len > SECRET_MAX) {
        (void)snprintf(text, sizeof text, "%.120s: %s", path,
                       f == NULL ? strerror(errno) : "cannot be read or is longer than 4,096 bytes");
        mistake(r, name, text);
        wipe(&secret);
    } else {
        while (len > 0 && (secret[len - 1] == '\n' || secret[len - 1] == '\r')) {
            secret[--len] = '\0';
        }
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    return secret;
}

/* X or X_FILE; NULL if neither is set. */
static char *read_secret(const struct reader *r, const char *name, size_t min) {
    char file_name[80], text[80];
    (void)snprintf(file_name, sizeof file_name, "%s_FILE", name);
    char *path = read_text(r, file_name, NULL), *secret = read_text(r, name, NULL);
    if (path != NULL && secret != NULL) {
        mistake(r, name, "is given twice, as itself and as a file; keep one");
    } else if (path != NULL) {
        secret = read_file(r, file_name, path);
    }
    free(path);
    if (secret != NULL && (strlen(secret) < min || strpbrk(secret, "\r\n") != NULL)) {
        (void)snprintf(text, sizeof text, "must be one line of at least %zu characters", min);
        mistake(r, name, text);
    }
    return secret;
}

static char *need_secret(const struct reader *r, const char *name, size_t min, const char *what) {
    char *secret = read_secret(r, name, min);
    if (secret == NULL) {
        mistake(r, name, what);
    }
    return secret;
}

static int64_t read_int(const struct reader *r, const char *name, int64_t min, int64_t max, int64_t preset) {
    const char *value = r->get(name);
    char text[120];
    int64_t n = preset;
    if (value != NULL && value[0] != '\0' && !int_parse(value, min, max, &n)) {
        (void)snprintf(text, sizeof text, "must be a whole number from %lld to %lld", (long long)min, (long long)max);
        mistake(r, name, text);
        n = preset;
    }
    return n;
}

/* The index of the value among words; `preset` if unset. */
static size_t read_word(const struct reader *r, const char *name, const char *const *words, size_t n, size_t preset) {
    const char *value = r->get(name);
    struct buf text;
    if (value == NULL || value[0] == '\0') {
        return preset;
    }
    for (size_t i = 0; i < n; i++) {
        if (strcmp(value, words[i]) == 0) {
            return i;
        }
    }
    buf_init(&text, 200);
    buf_add_str(&text, "must be one of");
    for (size_t i = 0; i < n; i++) {
        buf_addf(&text, "%s %s", i > 0 ? "," : "", words[i]);
    }
    mistake(r, name, buf_str(&text));
    buf_free(&text);
    return preset;
}

static bool only(const char *text, const char *allowed, size_t max) {
    return text[0] != '\0' && strlen(text) <= max && text[strspn(text, allowed)] == '\0';
}

#define LOWER_DIGITS "abcdefghijklmnopqrstuvwxyz0123456789"
#define NAME_CHARS   LOWER_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZ_-"

/* ---- groups ---- */

/* Security: what is printed and registered with the platforms. https only, also where plain http is allowed for calls,
 * but for loopback, where simulated platforms may call (hooks_plan.h refuses it for others). */
static char *read_public_url(const struct reader *r) {
    static const char name[] = "ONEPOOL_PUBLIC_URL";
    char error[160] = "";
    char *url = read_text(r, name, NULL);
    if (url == NULL) {
        return NULL;
    }
    size_t len = strlen(url);
    bool loopback = strncmp(url, "http://", 7) == 0 && http_url_allowed(url, false, error, sizeof error);
    if (strncmp(url, "https://", 8) != 0 && !loopback) {
        mistake(r, name, "must begin with https://, such as https://hooks.example.com");
    } else if (len > PUBLIC_URL_MAX || url[strcspn(url, "?# \t\r\n\"\\<>")] != '\0') {
        mistake(r, name, "must be an address of at most 200 characters without blanks, ? and #");
    } else if (url[len - 1] == '/') {
        mistake(r, name, "must not end with a slash");
    } else if (!http_url_allowed(url, false, error, sizeof error)) {
        mistake(r, name, error);
    }
    return url;
}

static void read_general(const struct reader *r, struct settings *s, const char *function) {
    static const char *const modes[] = {"shadow", "live"}, *const logs[] = {"debug", "info"},
                             *const flags[] = {"0", "1"};
    char preset[128];
    s->tenant = read_text(r, "ONEPOOL_TENANT", "default");
    if (!only(s->tenant, NAME_CHARS, 64)) {
        mistake(r, "ONEPOOL_TENANT", "may hold letters, digits, _ and -, at most 64");
    }
    s->mode = (enum mode)read_word(r, "ONEPOOL_MODE", modes, 2, MODE_AUTO);
    s->log = (enum log_level)read_word(r, "ONEPOOL_LOG", logs, 2, LOG_INFO);
    s->dev = read_word(r, "ONEPOOL_DEV", flags, 2, 0) == 1;
    s->allow_http = read_word(r, "ONEPOOL_ALLOW_HTTP", flags, 2, 0) == 1;
    s->public_url = read_public_url(r);
    (void)snprintf(preset, sizeof preset, "var/run/%s", function);
    s->listen = read_text(r, "ONEPOOL_LISTEN", preset);
    s->state_dir = read_text(r, "ONEPOOL_STATE_DIR", "");
    s->acceptors = read_int(r, "ONEPOOL_ACCEPTORS", 2, 64, 16);
    s->workers = read_int(r, "ONEPOOL_WORKERS", 0, 16, 1);
}

static void read_redis(const struct reader *r, struct settings *s) {
    char error[160] = "";
    s->redis_url = read_secret(r, "REDIS_URL", 1); /* may hold a password */
    if (s->redis_url == NULL) {
        s->redis_url = xstrdup("redis://127.0.0.1:6379/0");
    }
    if (!redis_url_valid(s->redis_url, error, sizeof error)) {
        mistake(r, "REDIS_URL", error);
    }
}

static char *read_url(const struct reader *r, const struct settings *s, const char *name, const char *preset) {
    char error[160] = "";
    char *url = read_text(r, name, preset);
    while (url[0] != '\0' && url[strlen(url) - 1] == '/') {
        url[strlen(url) - 1] = '\0';
    }
    if (!http_url_allowed(url, s->allow_http, error, sizeof error)) {
        mistake(r, name, error);
    }
    return url;
}

static void read_bigcommerce(const struct reader *r, struct settings *s) {
    s->bigcommerce_api_url = read_url(r, s, "BIGCOMMERCE_API_URL", "https://api.bigcommerce.com");
    s->bigcommerce_store_hash = read_text(r, "BIGCOMMERCE_STORE_HASH", "");
    if (!only(s->bigcommerce_store_hash, LOWER_DIGITS, 32)) {
        mistake(r, "BIGCOMMERCE_STORE_HASH", "missing or wrong; it is the part of the API path after /stores/");
    }
    s->bigcommerce_token =
        need_secret(r, "BIGCOMMERCE_ACCESS_TOKEN", 8, "missing; it is the access token of a store-level API account");
}

static void read_hooks(const struct reader *r, struct settings *s) {
    static const char *const words[] = {"off", "report", "require"};
    s->hook_secret = need_secret(r, "BIGCOMMERCE_HOOK_SECRET", 16,
                                 "missing; it is the value of the header X-Onepool-Secret of our webhooks");
    s->hook_secret_previous = read_secret(r, "BIGCOMMERCE_HOOK_SECRET_PREVIOUS", 16);
    s->signature = (enum signature_mode)read_word(r, "BIGCOMMERCE_SIGNATURE", words, 3, SIGNATURE_REPORT);
    s->client_secret = read_secret(r, "BIGCOMMERCE_CLIENT_SECRET", 16);
    s->client_secret_previous = read_secret(r, "BIGCOMMERCE_CLIENT_SECRET_PREVIOUS", 16);
    if (s->client_secret == NULL && s->signature == SIGNATURE_REQUIRE) {
        mistake(r, "BIGCOMMERCE_CLIENT_SECRET",
                "missing; with BIGCOMMERCE_SIGNATURE=require it is the key of the signatures; BigCommerce shows it "
                "with the "
                "access token of the API account that made the webhooks");
    }
}

static void read_sitoo_ids(const struct reader *r, struct settings *s) {
    const char *account = r->get("SITOO_ACCOUNT_ID"), *site = r->get("SITOO_SITE_ID");
    if (account == NULL || !int_parse(account, 1, JSON_INT_MAX, &s->sitoo_account_id)) {
        mistake(r, "SITOO_ACCOUNT_ID", "missing or not a whole number; it is the part of the API id before the dash");
    }
    if (site == NULL || !int_parse(site, 1, JSON_INT_MAX, &s->sitoo_site_id)) {
        mistake(r, "SITOO_SITE_ID",
                "must be the eshopid, a whole number such as 1; the GUID of GET /sites.json gives empty answers");
    }
}

static void read_keys(const struct reader *r, struct settings *s) {
    for (size_t i = 0; i < SITOO_KEYS_MAX; i++) {
        char id_name[40] = "SITOO_API_ID", password_name[40] = "SITOO_API_PASSWORD";
        if (i > 0) {
            (void)snprintf(id_name, sizeof id_name, "SITOO_API_ID_%zu", i + 1);
            (void)snprintf(password_name, sizeof password_name, "SITOO_API_PASSWORD_%zu", i + 1);
        }
        char *id = read_text(r, id_name, NULL), *password = read_secret(r, password_name, 1);
        if (id == NULL && password == NULL && i > 0) {
            return;
        }
        if (id == NULL || password == NULL) {
            mistake(r, id == NULL ? id_name : password_name,
                    "missing; a Sitoo API key is an id such as 1500-1 and its password");
        } else if (strchr(id, ':') != NULL) {
            mistake(r, id_name, "holds a colon; give the id alone, such as 1500-1");
        }
        s->sitoo_keys[s->sitoo_key_count++] = (struct sitoo_key){.id = id, .password = password};
    }
}

static void read_events(const struct reader *r, struct settings *s) {
    s->events_user = read_text(r, "SITOO_EVENTS_USER", NULL);
    if (s->events_user == NULL || strchr(s->events_user, ':') != NULL) {
        mistake(r, "SITOO_EVENTS_USER",
                "missing, or holds a colon; it is the user of the event subscription, of our own choosing");
    }
    s->events_password = need_secret(r, "SITOO_EVENTS_PASSWORD", 12,
                                     "missing; it is the password of the event subscription, of our own choosing");
    s->events_password_previous = read_secret(r, "SITOO_EVENTS_PASSWORD_PREVIOUS", 12);
}

/* ---- notifications ---- */

#define ADDRESS_MAX   254 /* bytes of one address (RFC 5321) */
#define ADDRESSES_MAX 10

/* Security: nothing but what an address has without quotes, so that none can add a header or an argument. */
static bool is_address(const char *text, size_t len) {
    const char *at = memchr(text, '@', len);
    char word[ADDRESS_MAX + 1];
    if (at == NULL || at == text || len > ADDRESS_MAX || text[0] == '-' || at + 1 == text + len) {
        return false;
    }
    memcpy(word, text, len);
    word[len] = '\0';
    return strspn(word, NAME_CHARS ".+=!#$%&'*/?^`{|}~") == (size_t)(at - text) &&
           strspn(word + (at - text) + 1, NAME_CHARS ".") == len - (size_t)(at - text) - 1;
}

static char *read_addresses(const struct reader *r, const char *name, size_t max) {
    char text[120], *value = read_text(r, name, NULL);
    size_t n = 0;
    for (const char *at = value; at != NULL && at[0] != '\0'; n++) {
        size_t len = strcspn(at, ",");
        if (!is_address(at, len) || n >= max || (at[len] == ',' && at[len + 1] == '\0')) {
            n = SIZE_MAX - 1;
            break;
        }
        at += len + (at[len] == ',' ? 1 : 0);
    }
    if (n > max) {
        (void)snprintf(text, sizeof text, "must be %s such as ops@example.com, without blanks",
                       max > 1 ? "at most 10 addresses with commas between, each" : "one address");
        mistake(r, name, text);
    }
    return value;
}

static char *read_smtp_url(const struct reader *r) {
    static const char name[] = "ONEPOOL_SMTP_URL";
    char *url = read_text(r, name, NULL);
    const char *host = url == NULL                        ? NULL
                       : strncmp(url, "smtp://", 7) == 0  ? url + 7
                       : strncmp(url, "smtps://", 8) == 0 ? url + 8
                                                          : NULL;
    if (url != NULL && (host == NULL || host[0] == '\0' || strlen(url) > PUBLIC_URL_MAX ||
                        host[strspn(host, NAME_CHARS ".:[]")] != '\0')) {
        mistake(r, name, "must be smtp://host:587 or smtps://host:465, without user and path");
    }
    return url;
}

static void read_email(const struct reader *r, struct settings_notify *n) {
    n->email = read_addresses(r, "ONEPOOL_NOTIFY_EMAIL", ADDRESSES_MAX);
    n->from = read_addresses(r, "ONEPOOL_NOTIFY_FROM", 1);
    n->smtp_url = read_smtp_url(r);
    n->smtp_user = read_text(r, "ONEPOOL_SMTP_USER", NULL);
    n->smtp_password = read_secret(r, "ONEPOOL_SMTP_PASSWORD", 1);
    n->sendmail = read_text(r, "ONEPOOL_SENDMAIL", "/usr/sbin/sendmail");
    if (n->email != NULL && n->from == NULL) {
        mistake(r, "ONEPOOL_NOTIFY_FROM", "missing; it is the sender of the mails to ONEPOOL_NOTIFY_EMAIL");
    }
    if ((n->smtp_user == NULL) != (n->smtp_password == NULL)) {
        mistake(r, n->smtp_user == NULL ? "ONEPOOL_SMTP_USER" : "ONEPOOL_SMTP_PASSWORD",
                "missing; give both user and password, or neither");
    }
    if (n->sendmail[0] != '/') {
        mistake(r, "ONEPOOL_SENDMAIL", "must be the path of a program, from / on");
    }
}

static void read_notify(const struct reader *r, struct settings *s) {
    char error[160] = "";
    struct settings_notify *n = &s->notify;
    n->url = read_text(r, "ONEPOOL_NOTIFY_URL", NULL);
    n->secret = read_secret(r, "ONEPOOL_NOTIFY_SECRET", 16);
    if (n->url != NULL &&
        (strlen(n->url) > NOTIFY_URL_MAX || !http_url_allowed(n->url, s->allow_http, error, sizeof error))) {
        mistake(r, "ONEPOOL_NOTIFY_URL", error[0] != '\0' ? error : "must have at most 2,000 characters");
    }
    if (n->url != NULL && n->secret == NULL) {
        mistake(r, "ONEPOOL_NOTIFY_SECRET", "missing; it is the key that ONEPOOL_NOTIFY_URL checks our signature with");
    }
    read_email(r, n);
}

static void free_notify(struct settings_notify *n) {
    wipe(&n->url); /* such addresses often are their own secret */
    wipe(&n->secret);
    wipe(&n->smtp_password);
    free(n->email);
    free(n->from);
    free(n->smtp_url);
    free(n->smtp_user);
    free(n->sendmail);
}

static void read_mapping(const struct reader *r, struct settings *s) {
    s->config_path = read_text(r, "ONEPOOL_CONFIG", NULL);
    if (s->config_path == NULL) {
        mistake(r, "ONEPOOL_CONFIG", "missing; it is the path of the mapping file");
    } else {
        s->mapping = mapping_load(s->config_path, r->mistakes);
    }
}

static void try_mapping(const struct reader *r, struct settings *s) {
    struct buf ignored;
    s->config_path = read_text(r, "ONEPOOL_CONFIG", NULL);
    buf_init(&ignored, (size_t)64 * 1024);
    s->mapping = s->config_path != NULL ? mapping_load(s->config_path, &ignored) : NULL;
    buf_free(&ignored);
}

struct settings *settings_read(unsigned needs, const char *function, const char *(*getenv_fn)(const char *),
                               struct buf *mistakes) {
    const struct reader r = {.get = getenv_fn != NULL ? getenv_fn : from_environment, .mistakes = mistakes};
    struct settings *s = xcalloc(1, sizeof *s);
    size_t before = mistakes->len;
    read_general(&r, s, function);
    if ((needs & NEED_REDIS) != 0) {
        read_redis(&r, s);
    }
    if ((needs & (NEED_EVENTS | NEED_SITOO)) != 0) {
        read_sitoo_ids(&r, s);
    }
    if ((needs & NEED_EVENTS) != 0) {
        read_events(&r, s);
    }
    if ((needs & NEED_SITOO) != 0) {
        s->sitoo_api_url = read_url(&r, s, "SITOO_API_URL", "https://api.mysitoo.com/v2");
        read_keys(&r, s);
    }
    if ((needs & NEED_BIGCOMMERCE) != 0) {
        read_bigcommerce(&r, s);
    }
    if ((needs & NEED_HOOK_SECRET) != 0) {
        read_hooks(&r, s);
    }
    if ((needs & NEED_NOTIFY) != 0) {
        read_notify(&r, s);
    }
    if ((needs & NEED_MAPPING) != 0) {
        read_mapping(&r, s);
    } else if ((needs & LIKES_MAPPING) != 0) {
        try_mapping(&r, s);
    }
    if (mistakes->len > before || buf_overflowed(mistakes)) {
        settings_free(s);
        return NULL;
    }
    return s;
}

void settings_free(struct settings *s) {
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < s->sitoo_key_count; i++) {
        free(s->sitoo_keys[i].id);
        wipe(&s->sitoo_keys[i].password);
    }
    wipe(&s->redis_url); /* may hold a password */
    wipe(&s->bigcommerce_token);
    wipe(&s->hook_secret);
    wipe(&s->hook_secret_previous);
    wipe(&s->client_secret);
    wipe(&s->client_secret_previous);
    wipe(&s->events_password);
    wipe(&s->events_password_previous);
    free(s->events_user);
    free(s->bigcommerce_api_url);
    free(s->bigcommerce_store_hash);
    free(s->sitoo_api_url);
    free(s->tenant);
    free(s->public_url);
    free(s->config_path);
    free(s->listen);
    free(s->state_dir);
    free_notify(&s->notify);
    mapping_free(s->mapping);
    free(s);
}
