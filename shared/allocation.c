/* SPDX-License-Identifier: Apache-2.0 */
#include "allocation.h"

#include <string.h>

#include "handed.h"
#include "ban.h"

bool hand_allocate(const int64_t *wanted, size_t n, const int64_t *available, size_t w, bool split, int64_t *out) {
    memset(out, 0, w * n * sizeof *out);
    for (size_t i = 0; i < w; i++) {
        bool all = true;
        for (size_t r = 0; r < n; r++) {
            all = all && available[i * n + r] >= wanted[r];
        }
        if (all) {
            memcpy(&out[i * n], wanted, n * sizeof *out);
            return true;
        }
    }
    size_t parts = 0;
    bool enough = split;
    for (size_t r = 0; r < n && split; r++) {
        int64_t left = wanted[r];
        for (size_t i = 0; i < w && left > 0; i++) {
            int64_t has = available[i * n + r] > 0 ? available[i * n + r] : 0, some = has < left ? has : left;
            out[i * n + r] = some;
            left -= some;
        }
        enough = enough && left == 0;
    }
    for (size_t i = 0; i < w; i++) {
        bool used = false;
        for (size_t r = 0; r < n; r++) {
            used = used || out[i * n + r] > 0;
        }
        parts += used;
    }
    return enough && parts <= HANDED_PARTS_MAX;
}
