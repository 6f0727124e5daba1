/* SPDX-License-Identifier: Apache-2.0 */
#include "signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "quantity.h"
#include "ban.h"

#define MAC_BYTES  32
#define TEXT_BYTES 44 /* base64 of them, padding included */
#define V1         "v1,"

/* What is right for one key; text is empty if it has no bytes. */
struct expected {
    char text[TEXT_BYTES + 1];
    bool matched;
};

const char *signature_verdict_name(enum signature_verdict verdict) {
    switch (verdict) {
    case SIGNATURE_VALID:
        return "valid";
    case SIGNATURE_LATE:
        return "late";
    case SIGNATURE_REPLAYED:
        return "replayed";
    case SIGNATURE_ABSENT:
        return "absent";
    case SIGNATURE_MALFORMED:
        return "malformed";
    case SIGNATURE_NO_MATCH:
        return "no_match";
    case SIGNATURE_TOO_OLD:
        return "too_old";
    case SIGNATURE_TOO_NEW:
        return "too_new";
    case SIGNATURE_NO_KEY:
        return "no_key";
    case SIGNATURE_VERDICTS:
        break;
    }
    return "unknown";
}

static bool given(const char *header) {
    return header != NULL && header[0] != '\0';
}

/* Printable ASCII of at most max bytes; blanks only if allowed. */
static bool printable(const char *s, size_t max, bool blanks) {
    size_t n = 0;
    while (n <= max && (s[n] == ' ' ? blanks : s[n] > 0x20 && s[n] < 0x7f)) {
        n++;
    }
    return n <= max && s[n] == '\0';
}

/*
 * Security: an id with a dot in it is taken, as the official libraries do. It could move the border between id,
 * timestamp and body only towards a body that begins with digits and a dot, which no JSON object does.
 */
static bool well_formed(const struct signature_call *call, int64_t *sent_s) {
    if (!given(call->id) || !given(call->timestamp) || !given(call->signature)) {
        return false;
    }
    size_t digits = strspn(call->timestamp, "0123456789");
    return printable(call->id, SIGNATURE_ID_MAX, false) && printable(call->signature, SIGNATURE_HEADER_MAX, true) &&
           digits <= SIGNATURE_TIME_MAX && call->timestamp[digits] == '\0' &&
           int_parse(call->timestamp, 0, INT64_MAX, sent_s);
}

/* If libcrypto fails, out stays empty and matches nothing. */
static void expect(const struct signature_call *call, const struct signature_key *key, struct expected *out) {
    unsigned char mac[EVP_MAX_MD_SIZE];
    size_t len = sizeof mac;
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, NULL, key->data, key->len);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = pkey != NULL && ctx != NULL && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, pkey) == 1 &&
              EVP_DigestSignUpdate(ctx, call->id, strlen(call->id)) == 1 && EVP_DigestSignUpdate(ctx, ".", 1) == 1 &&
              EVP_DigestSignUpdate(ctx, call->timestamp, strlen(call->timestamp)) == 1 &&
              EVP_DigestSignUpdate(ctx, ".", 1) == 1 &&
              (call->body_len == 0 || EVP_DigestSignUpdate(ctx, call->body, call->body_len) == 1) &&
              EVP_DigestSignFinal(ctx, mac, &len) == 1 && len == MAC_BYTES;
    if (ok) {
        (void)EVP_EncodeBlock((unsigned char *)out->text, mac, MAC_BYTES);
    }
    OPENSSL_cleanse(mac, sizeof mac);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
}

bool signature_sign(const struct signature_call *call, const struct signature_key *key, char out[SIGNATURE_TEXT_SIZE]) {
    struct expected expected = {0};
    if (key->len > 0) {
        expect(call, key, &expected);
    }
    (void)snprintf(out, SIGNATURE_TEXT_SIZE, "%s%s", V1, expected.text);
    return expected.text[0] != '\0';
}

/* Security: the texts are compared, not the bytes decoded from them, so that there is one right spelling; all keys are
 * compared with, whichever was right. */
static void compare(const char *entry, size_t len, struct expected *expected, size_t n) {
    if (len != strlen(V1) + TEXT_BYTES || strncmp(entry, V1, strlen(V1)) != 0) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        bool same = expected[i].text[0] != '\0' && CRYPTO_memcmp(entry + strlen(V1), expected[i].text, TEXT_BYTES) == 0;
        expected[i].matched = expected[i].matched || same;
    }
}

/* False if there are more entries than allowed. */
static bool compare_all(const char *header, struct expected *expected, size_t n) {
    size_t entries = 0;
    while (header[0] != '\0') {
        size_t len = strcspn(header, " ");
        if (len > 0 && ++entries > SIGNATURE_ENTRIES_MAX) {
            return false;
        }
        compare(header, len, expected, n);
        header += len + (header[len] == ' ' ? 1 : 0);
    }
    return true;
}

static enum signature_verdict by_age(int64_t sent_s, const struct signature_times *times) {
    int64_t age_s = times->now_s - sent_s;
    if (age_s < -times->tolerance_s) {
        return SIGNATURE_TOO_NEW;
    }
    return age_s <= times->tolerance_s ? SIGNATURE_VALID : age_s <= times->late_s ? SIGNATURE_LATE : SIGNATURE_TOO_OLD;
}

enum signature_verdict signature_verify(const struct signature_call *call, const struct signature_key *keys, size_t n,
                                        const struct signature_times *times, size_t *key) {
    struct expected expected[SIGNATURE_KEYS_MAX];
    int64_t sent_s = 0;
    bool any = false;
    memset(expected, 0, sizeof expected);
    if (!given(call->id) && !given(call->timestamp) && !given(call->signature)) {
        return SIGNATURE_ABSENT;
    }
    if (!well_formed(call, &sent_s)) {
        return SIGNATURE_MALFORMED;
    }
    n = n < SIGNATURE_KEYS_MAX ? n : SIGNATURE_KEYS_MAX;
    for (size_t i = 0; i < n; i++) {
        if (keys[i].len > 0) {
            any = true;
            expect(call, &keys[i], &expected[i]);
        }
    }
    if (!compare_all(call->signature, expected, n)) {
        return SIGNATURE_MALFORMED;
    }
    for (size_t i = 0; i < n; i++) {
        if (expected[i].matched) {
            if (key != NULL) {
                *key = i;
            }
            return by_age(sent_s, times);
        }
    }
    return any ? SIGNATURE_NO_MATCH : SIGNATURE_NO_KEY;
}
