/* SPDX-License-Identifier: Apache-2.0 */
#include "products.h"

#include "ban.h"

enum next products_work(struct app *app, int64_t *wait_ms, struct reason *why) {
    (void)app;
    (void)wait_ms;
    (void)why;
    return NEXT_DONE;
}

int products_invoke(struct app *app, const char *payload, size_t len, bool dry_run) {
    (void)app;
    (void)payload;
    (void)len;
    (void)dry_run;
    return 0;
}
