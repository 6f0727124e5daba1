/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_entry.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "quantity.h"
#include "ban.h"

#define LINE_ID  "{\"id\":\""
#define LINE_C   "\",\"c\":\""
#define LINE_ROW "\",\"row\":"

static bool is_hash(const char *s) {
    return strspn(s, "0123456789abcdef") == LEDGER_HASH_SIZE - 1 && s[LEDGER_HASH_SIZE - 1] == '\0';
}

/* A whole number of at most 16 digits, as it is written: without sign, spaces or zeros in front. */
static bool plain_number(const char *s, size_t len, int64_t *out) {
    char text[20];
    if (len == 0 || len > 16 || (s[0] == '0' && len > 1)) {
        return false;
    }
    memcpy(text, s, len);
    text[len] = '\0';
    return int_parse(text, 0, JSON_INT_MAX, out);
}

/* "n gap prev" */
static bool link_parse(const char *c, struct ledger_entry *e) {
    size_t n = strcspn(c, " ");
    if (c[n] != ' ' || !plain_number(c, n, &e->n) || e->n < 1) {
        return false;
    }
    c += n + 1;
    n = strcspn(c, " ");
    return c[n] == ' ' && plain_number(c, n, &e->gap) && is_hash(c + n + 1) &&
           str_copy(e->prev, sizeof e->prev, c + n + 1);
}

bool ledger_entry_set(struct ledger_entry *e, const char *id, const char *c, const char *row, size_t row_len) {
    *e = (struct ledger_entry){.c = c != NULL ? c : "", .row = row, .row_len = row_len};
    size_t n = id != NULL ? strcspn(id, "-") : 0;
    if (id == NULL || id[n] != '-' || !plain_number(id, n, &e->ms) ||
        !plain_number(id + n + 1, strlen(id + n + 1), &e->seq) || !str_copy(e->id, sizeof e->id, id)) {
        return false;
    }
    if (c != NULL) {
        e->link = link_parse(c, e) ? LINK_GOOD : LINK_BAD;
    }
    return true;
}

void ledger_entry_free(struct ledger_entry *e) {
    free(e->owned);
    *e = (struct ledger_entry){0};
}

/* A line whose row could not stand as it was. */
static bool from_text(struct ledger_entry *e, const char *line, size_t len) {
    char error[80];
    cJSON *json = json_read(line, len, error, sizeof error);
    const char *text = json_str(json, "text"), *id = json_str(json, "id"), *c = json_str(json, "c");
    bool good = text != NULL;
    if (good) {
        /* One piece of memory for both. */
        size_t size = strlen(text) + 1;
        char *owned = xmalloc(size + (c != NULL ? strlen(c) : 0) + 1);
        memcpy(owned, text, size);
        (void)str_copy(owned + size, (c != NULL ? strlen(c) : 0) + 1, c != NULL ? c : "");
        good = ledger_entry_set(e, id, c != NULL ? owned + size : NULL, owned, size - 1);
        e->owned = owned;
    }
    cJSON_Delete(json);
    return good;
}

/* Ends the text at s where `mark` begins, and gives what follows it; NULL if it is not there. */
static char *cut(char *s, const char *mark) {
    char *at = s != NULL ? strstr(s, mark) : NULL;
    if (at == NULL) {
        return NULL;
    }
    *at = '\0';
    return at + strlen(mark);
}

bool ledger_entry_line(struct ledger_entry *e, char *line, size_t len) {
    *e = (struct ledger_entry){0};
    if (strlen(line) != len || strncmp(line, LINE_ID, sizeof LINE_ID - 1) != 0) {
        return false;
    }
    char *id = line + sizeof LINE_ID - 1, *c = NULL, *row = NULL;
    size_t id_len = strcspn(id, "\"");
    if (strncmp(id + id_len, LINE_C, sizeof LINE_C - 1) == 0) {
        c = id + id_len + sizeof LINE_C - 1;
    }
    char *last = c != NULL ? c : id;
    if (strncmp(last + strcspn(last, "\""), LINE_ROW, sizeof LINE_ROW - 1) != 0) {
        return from_text(e, line, len);
    }
    if (line[len - 1] != '}') {
        return false;
    }
    line[len - 1] = '\0';
    row = cut(last, LINE_ROW);
    id[id_len] = '\0';
    return row != NULL && ledger_entry_set(e, id, c, row, strlen(row));
}

void ledger_entry_print(const struct ledger_entry *e, struct buf *out) {
    char error[80];
    cJSON *json = json_read(e->row, e->row_len, error, sizeof error);
    buf_addf(out, LINE_ID "%s", e->id);
    if (e->link != LINK_NONE && strpbrk(e->c, "\"\\\n") == NULL) {
        buf_addf(out, LINE_C "%s", e->c);
    }
    if (cJSON_IsObject(json) && memchr(e->row, '\n', e->row_len) == NULL) {
        buf_add_str(out, LINE_ROW);
        buf_add(out, e->row, e->row_len);
        buf_add_str(out, "}\n");
    } else {
        cJSON *o = json_new_object();
        json_add_str(o, "text", e->row);
        char *text = json_print(o);
        buf_addf(out, "\",%s\n", text + 1);
        free(text);
        cJSON_Delete(o);
    }
    cJSON_Delete(json);
}

int ledger_entry_order(const struct ledger_entry *a, const struct ledger_entry *b) {
    if (a->ms != b->ms) {
        return a->ms < b->ms ? -1 : 1;
    }
    return a->seq == b->seq ? 0 : a->seq < b->seq ? -1 : 1;
}

/* ---- hashes ---- */

struct ledger_hasher {
    EVP_MD_CTX *ctx;
    EVP_MD *sha1;
};

struct ledger_hasher *ledger_hasher_new(void) {
    struct ledger_hasher *h = xcalloc(1, sizeof *h);
    h->ctx = EVP_MD_CTX_new();
    h->sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    if (h->ctx == NULL || h->sha1 == NULL) {
        (void)fputs("onepool: OpenSSL gives no SHA-1\n", stderr);
        abort();
    }
    return h;
}

void ledger_hasher_free(struct ledger_hasher *h) {
    if (h != NULL) {
        EVP_MD_CTX_free(h->ctx);
        EVP_MD_free(h->sha1);
        free(h);
    }
}

void ledger_hash(struct ledger_hasher *h, const struct ledger_entry *e, char out[LEDGER_HASH_SIZE]) {
    static const char digits[] = "0123456789abcdef";
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (EVP_DigestInit_ex(h->ctx, h->sha1, NULL) != 1 || EVP_DigestUpdate(h->ctx, e->id, strlen(e->id)) != 1 ||
        EVP_DigestUpdate(h->ctx, " ", 1) != 1 || EVP_DigestUpdate(h->ctx, e->c, strlen(e->c)) != 1 ||
        EVP_DigestUpdate(h->ctx, " ", 1) != 1 || EVP_DigestUpdate(h->ctx, e->row, e->row_len) != 1 ||
        EVP_DigestFinal_ex(h->ctx, sum, &len) != 1) {
        (void)fputs("onepool: OpenSSL fails at SHA-1\n", stderr);
        abort();
    }
    for (size_t i = 0; i < LEDGER_HASH_SIZE / 2; i++) {
        out[2 * i] = digits[sum[i] >> 4];
        out[2 * i + 1] = digits[sum[i] & 15];
    }
    out[LEDGER_HASH_SIZE - 1] = '\0';
}
