/* SPDX-License-Identifier: Apache-2.0 */
/* links: tests/fuzz/fake.c functions/onepool/hooks_report.c functions/onepool/text.c
 * functions/order-updated/hooks_timer.c functions/order-updated/exception_hook.c */
/*
 * What BigCommerce says of our webhooks: pages of GET /v3/hooks, then /v3/hooks/admin. Not whole is a reason; else each
 * wanted webhook is right, or what is wrong has words; what would be sent to put it right is JSON with our address and
 * secret; effects are well formed; neither the page nor the JSON that a person gets holds the secret.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fake.h"
#include "tests/fuzz/fuzz.h"
#include "buf.h"
#include "functions/onepool/hooks.h"
#include "functions/order-updated/hooks_timer.h"
#include "hooks_repair.h"
#include "json.h"
#include "ban.h"

/* In place of main.c's: the page of `onepool hooks`. No escape sequence reaches a terminal. */
void command_print(struct buf *text) {
    const char *page = buf_str(text);
    FUZZ_CHECK(!buf_overflowed(text));
    for (const char *s = page; *s != '\0'; s++) {
        FUZZ_CHECK((unsigned char)*s >= 0x20 || *s == '\n');
        FUZZ_CHECK(*s != 0x7f);
    }
    buf_free(text);
}

static void check_body(const struct hooks_line *l) {
    char error[160];
    char *body = hooks_body(l, FUZZ_SECRET);
    FUZZ_CHECK(body != NULL || (l->wrong & ~(unsigned)HOOKS_TWICE) == 0 || (l->wrong & HOOKS_NO_ROOM) != 0);
    cJSON *json = json_read(body != NULL ? body : "{}", body != NULL ? strlen(body) : 2, error, sizeof error);
    const char *destination = json_str(json, "destination"), *scope = json_str(json, "scope");
    const char *secret = json_str(json_get(json, "headers"), HOOKS_HEADER);
    FUZZ_CHECK(json != NULL);
    FUZZ_CHECK(destination == NULL || strcmp(destination, l->destination) == 0);
    FUZZ_CHECK((scope != NULL) == (body != NULL && l->found == NULL));
    FUZZ_CHECK(json_get(json, "headers") == NULL || (secret != NULL && strcmp(secret, FUZZ_SECRET) == 0));
    cJSON_Delete(json);
    free(body);
}

static void check_line(const struct hooks_line *l) {
    FUZZ_CHECK(!l->unused || (l->wrong == 0 && l->twice_count == 0));
    FUZZ_CHECK(l->unused || (l->found == NULL) == ((l->wrong & HOOKS_MISSING) != 0));
    FUZZ_CHECK((l->wrong != 0) == (hooks_wrong_word(l->wrong, 0) != NULL));
    FUZZ_CHECK((l->twice_count > 0) == ((l->wrong & HOOKS_TWICE) != 0) && l->twice_count <= HOOKS_PER_SCOPE);
    FUZZ_CHECK(l->wrong != 0 || !hooks_heals_itself(l, true));
    FUZZ_CHECK(hooks_silent_since(l, 0) >= 0);
    check_body(l);
}

static void check_report(const struct settings *set, const struct hooks_view *view) {
    const struct command_line line = {0};
    struct hooks_report r = {.line = &line, .set = set, .mode = MODE_LIVE, .before = *view};
    cJSON *json = hooks_report_json(&r);
    char *text = json_print(json);
    FUZZ_CHECK(text != NULL && json_bool(json, "ok", false) == hooks_report_ok(&r));
    int wanted = 0;
    for (size_t i = 0; i < HOOKS_WANTED; i++) {
        wanted += view->lines[i].unused ? 0 : 1;
    }
    FUZZ_CHECK(cJSON_GetArraySize(json_array(json, "hooks")) == wanted);
    free(text);
    cJSON_Delete(json);
    hooks_report_print(&r);
}

static void check(const char *url, const uint8_t *data, size_t size) {
    static char api[] = "https://api.bigcommerce.com";
    struct settings set = *fuzz_app()->set;
    struct mapping mapping = *set.mapping;
    mapping.products.on = mapping.products.from_price_list = url != NULL; /* without: their webhooks are not wanted */
    set.mapping = &mapping;
    char *address = url != NULL ? xstrdup(url) : NULL;
    set.public_url = address;
    set.bigcommerce_api_url = api;
    struct app app = *fuzz_app();
    app.set = &set;
    struct hooks_view view;
    struct reason why = {0};
    fake_begin(data, size);
    enum next next = hooks_read(&app, &view, &why);
    FUZZ_CHECK(next == NEXT_DONE || (next == NEXT_DEFER && why.text[0] != '\0'));
    if (next == NEXT_DONE) {
        struct args effects = {0};
        struct hooks_work work = {0};
        for (size_t i = 0; i < HOOKS_WANTED; i++) {
            check_line(&view.lines[i]);
        }
        hooks_timer_plan(&set, &view, &work, &effects);
        fuzz_check_effects(&effects, 0, effects.n);
        check_report(&set, &view);
        args_free(&effects);
    }
    hooks_view_free(&view);
    free(address);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    check("https://shop.example", data, size);
    check(NULL, data, size);
    return 0;
}
