/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The three headers and the body of a signed webhook. Input: id, timestamp and signature, one line each, then the body.
 * Whatever the headers say, a verdict about the age is given if and only if one entry is the signature that a second,
 * separate HMAC makes; with that one put in, only the age is left to decide; with another body, nothing matches.
 */
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "buf.h"
#include "quantity.h"
#include "signature.h"
#include "ban.h"

#define NOW_S INT64_C(1614265330)

static const char secret[] = "client-secret-of-the-fuzz-target";

struct input {
    char *line[3];    /* id, timestamp, signature */
    const char *body; /* of the input itself */
    size_t body_len;
};

static struct input read_input(const uint8_t *data, size_t size) {
    struct input in = {{NULL, NULL, NULL}, (const char *)data, size};
    for (size_t i = 0; i < 3; i++) {
        const char *stop = in.body_len > 0 ? memchr(in.body, '\n', in.body_len) : NULL;
        size_t len = stop != NULL ? (size_t)(stop - in.body) : in.body_len;
        in.line[i] = fuzz_text((const uint8_t *)in.body, len);
        if (in.body_len > 0) {
            in.body += len + (stop != NULL ? 1 : 0);
            in.body_len -= len + (stop != NULL ? 1 : 0);
        }
    }
    return in;
}

/* "v1,..." as it should be, made another way than signature.c does. The caller frees. */
static char *sign(const struct input *in, const char *body) {
    unsigned char mac[EVP_MAX_MD_SIZE], text[64];
    unsigned int len = 0;
    struct buf signed_text, out;
    buf_init(&signed_text, (size_t)64 * 1024);
    buf_init(&out, 100);
    buf_addf(&signed_text, "%s.%s.", in->line[0], in->line[1]);
    buf_add(&signed_text, body, in->body_len);
    FUZZ_CHECK(!buf_overflowed(&signed_text));
    FUZZ_CHECK(HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)buf_str(&signed_text),
                    signed_text.len, mac, &len) != NULL);
    FUZZ_CHECK(len == 32 && EVP_EncodeBlock(text, mac, 32) == 44);
    buf_addf(&out, "v1,%s", (const char *)text);
    buf_free(&signed_text);
    return buf_take(&out);
}

/* Whether one of the entries, which blanks separate, is this one. */
static bool holds(const char *header, const char *entry) {
    size_t len = strlen(entry);
    for (const char *at = strstr(header, entry); at != NULL; at = strstr(at + 1, entry)) {
        if ((at == header || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0')) {
            return true;
        }
    }
    return false;
}

static enum signature_verdict verify(const struct input *in, const char *signature, const char *body) {
    const struct signature_key key = {secret, strlen(secret)};
    const struct signature_times times = {
        .now_s = NOW_S, .tolerance_s = SIGNATURE_TOLERANCE_S, .late_s = SIGNATURE_LATE_S};
    const struct signature_call call = {
        .id = in->line[0], .timestamp = in->line[1], .signature = signature, .body = body, .body_len = in->body_len};
    return signature_verify(&call, &key, 1, &times, NULL);
}

static enum signature_verdict by_age(int64_t sent_s) {
    return sent_s - NOW_S > 300                ? SIGNATURE_TOO_NEW
           : NOW_S - sent_s <= 300             ? SIGNATURE_VALID
           : NOW_S - sent_s <= INT64_C(176400) ? SIGNATURE_LATE
                                               : SIGNATURE_TOO_OLD;
}

/* With the right signature for its only one, and then with a bit of the body turned. */
static void check_signed(const struct input *in, const char *right) {
    int64_t sent_s = 0;
    enum signature_verdict verdict = verify(in, right, in->body);
    if (verdict != SIGNATURE_MALFORMED) {
        FUZZ_CHECK(int_parse(in->line[1], 0, INT64_C(999999999999), &sent_s) && verdict == by_age(sent_s));
        FUZZ_CHECK(in->line[0][0] != '\0' && strlen(in->line[0]) <= 256 && strchr(in->line[0], ' ') == NULL);
    }
    if (in->body_len > 0 && verdict != SIGNATURE_MALFORMED) {
        char *body = xmalloc(in->body_len);
        memcpy(body, in->body, in->body_len);
        body[in->body_len / 2] = (char)(body[in->body_len / 2] ^ 1);
        FUZZ_CHECK(verify(in, right, body) == SIGNATURE_NO_MATCH);
        free(body);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int64_t sent_s = 0;
    struct input in = read_input(data, size < 32768 ? size : 32768);
    char *right = sign(&in, in.body);
    enum signature_verdict verdict = verify(&in, in.line[2], in.body);
    bool nothing = in.line[0][0] == '\0' && in.line[1][0] == '\0' && in.line[2][0] == '\0';
    FUZZ_CHECK((verdict == SIGNATURE_ABSENT) == nothing);
    if (verdict == SIGNATURE_NO_MATCH) {
        FUZZ_CHECK(!holds(in.line[2], right));
    } else if (verdict != SIGNATURE_ABSENT && verdict != SIGNATURE_MALFORMED) {
        FUZZ_CHECK(holds(in.line[2], right) && strlen(in.line[2]) <= 2048);
        FUZZ_CHECK(int_parse(in.line[1], 0, INT64_C(999999999999), &sent_s) && verdict == by_age(sent_s));
    }
    check_signed(&in, right);
    free(right);
    for (size_t i = 0; i < 3; i++) {
        free(in.line[i]);
    }
    return 0;
}
