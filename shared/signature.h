/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signature of a webhook by the Standard Webhooks specification (github.com/standard-webhooks, version 1.0.0, read
 * 2026-11-23), as BigCommerce advises to check it:
 *
 *   webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek        which message; stays the same when it is sent again
 *   webhook-timestamp: 1614265330                   Unix seconds of the attempt
 *   webhook-signature: v1,g0hM9SsE+OTPJ...= v1a,... one or more, separated by spaces; any that is right is enough
 *
 *   v1 = base64(HMAC-SHA256(key, "<webhook-id>.<webhook-timestamp>.<body as received>"))
 *
 * BigCommerce gives such a library the base64 of the API account's client secret, and the library decodes it: the key
 * is the bytes of the client secret as they are. Source: BigCommerce, "Webhooks over HTTPS", 2025-01-30
 * (bigcommerce.md 5.3).
 *
 * The specification wants the timestamp renewed with every attempt. Whether BigCommerce does so is not documented
 * (docs/unsure.md B3), so a call that is right but older than the tolerance is told apart from a wrong one.
 */
#ifndef ONEPOOL_SIGNATURE_H
#define ONEPOOL_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Limits of the headers, in bytes; a longer one is malformed. A signature has 47 bytes. */
#define SIGNATURE_ID_MAX      256
#define SIGNATURE_TIME_MAX    12 /* digits */
#define SIGNATURE_HEADER_MAX  2048
#define SIGNATURE_ENTRIES_MAX 32 /* all versions together */
#define SIGNATURE_KEYS_MAX    4  /* further keys are left out */

#define SIGNATURE_TOLERANCE_S INT64_C(300) /* what the specification's own libraries take */
/* BigCommerce sends again for 48 h 4 min (eleven retries; bigcommerce.md 5.2); an hour more for queues and clocks. */
#define SIGNATURE_LATE_S (INT64_C(49) * 3600)

enum signature_verdict {
    SIGNATURE_VALID,
    SIGNATURE_LATE,      /* right, older than the tolerance, not older than the last retry */
    SIGNATURE_REPLAYED,  /* late, and seen before: said by hook_signature.h, never by signature_verify */
    SIGNATURE_ABSENT,    /* none of the three headers */
    SIGNATURE_MALFORMED, /* a header is missing or breaks a limit */
    SIGNATURE_NO_MATCH,  /* forged, changed on the way, or another key */
    SIGNATURE_TOO_OLD,   /* right, older than the last retry */
    SIGNATURE_TOO_NEW,   /* right, from the future: then this machine's clock or the sender's is wrong */
    SIGNATURE_NO_KEY,    /* well-formed, and no key to check it with */
    SIGNATURE_VERDICTS
};

#define SIGNATURE_COUNT "hook_signature:" /* counters are named so, and the verdict behind it */

/* "valid", "late" ...: as counted, logged and documented. */
const char *signature_verdict_name(enum signature_verdict verdict);

/* A key's bytes; may hold NULs. Without bytes it is left out. */
struct signature_key {
    const void *data;
    size_t len;
};

/* A call as received. A header that is absent is NULL; an empty one counts as absent. */
struct signature_call {
    const char *id, *timestamp, *signature;
    const void *body;
    size_t body_len; /* bounded by whoever received it */
};

struct signature_times {
    int64_t now_s;       /* Unix seconds */
    int64_t tolerance_s; /* either way */
    int64_t late_s;      /* >= tolerance_s: up to this age a right signature is late, not too old */
};

#define SIGNATURE_TEXT_SIZE 64 /* "v1," and base64 of 32 bytes */

/* The header webhook-signature of a message of ours; call->signature is not looked at. Pure. False: no key, or
 * libcrypto fails. */
bool signature_sign(const struct signature_call *call, const struct signature_key *key, char out[SIGNATURE_TEXT_SIZE]);

/*
 * Pure. Every v1 entry is compared with every key, in constant time; the age is looked at only if one is right, so what
 * it says was signed. *key (may be NULL) is the index of the first key that was right, when one was.
 */
enum signature_verdict signature_verify(const struct signature_call *call, const struct signature_key *keys, size_t n,
                                        const struct signature_times *times, size_t *key);

#endif
