/* SPDX-License-Identifier: Apache-2.0 */
/* links: tests/fuzz/fuzz.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fuzz/fuzz.h"
#include "feed.h"
#include "ban.h"

static void check(const char *name, const char *header, bool want) {
    if (feed_authentic(fuzz_app(), header) != want) {
        fail_msg("%s: %s", name, want ? "refused" : "let through");
    }
}

/* User onepool; passwords "a long password" and, from before, "the one before it". */
static void the_current_and_the_previous_password_pass(void **state) {
    (void)state;
    check("current", "Basic b25lcG9vbDphIGxvbmcgcGFzc3dvcmQ=", true);
    check("previous", "Basic b25lcG9vbDp0aGUgb25lIGJlZm9yZSBpdA==", true);
    check("scheme in lower case", "basic b25lcG9vbDphIGxvbmcgcGFzc3dvcmQ=", true);
    check("several spaces", "Basic   b25lcG9vbDphIGxvbmcgcGFzc3dvcmQ=", true);
}

static void anything_else_is_refused(void **state) {
    static const struct {
        const char *name, *header;
    } rows[] = {{"no header", NULL},
                {"nothing", ""},
                {"no credentials", "Basic "},
                {"another scheme", "Bearer b25lcG9vbDphIGxvbmcgcGFzc3dvcmQ="},
                {"not base64", "Basic ????"},
                {"a NUL and more after the password", "Basic b25lcG9vbDphIGxvbmcgcGFzc3dvcmQA"},
                {"a character missing", "Basic b25lcG9vbDphIGxvbmcgcGFzc3dvcmQ"},
                {"white space in front of the digits", "Basic \tb25lcG9vbDphIGxvbmcgcGFzc3dvcmQ"},
                {"white space behind the digits", "Basic b25lcG9vbDphIGxvbmcgcGFzc3dvcmQ=    "},
                {"padding only", "Basic ===="},
                {"padding in the middle", "Basic b25l=G9vbDphIGxvbmcgcGFzc3dvcmQ="},
                {"no colon", "Basic b25lcG9vbA=="},
                {"an empty password", "Basic b25lcG9vbDo="},
                {"another user", "Basic b25lcG9vbDI6YSBsb25nIHBhc3N3b3Jk"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check(rows[i].name, rows[i].header, false);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_current_and_the_previous_password_pass),
        cmocka_unit_test(anything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
