/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"
#include "buf.h"
#include "json.h"
#include "ban.h"

#define PAYLOAD_MAX ((size_t)64 * 1024)

char *plan_payload(const char *name) {
    char path[160];
    (void)snprintf(path, sizeof path, "tests/payloads/%s", name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fail_msg("%s cannot be opened; run the tests from the top folder", path);
    }
    char *text = xcalloc(PAYLOAD_MAX + 1, 1);
    size_t len = fread(text, 1, PAYLOAD_MAX + 1, file);
    (void)fclose(file);
    assert_in_range(len, 1, PAYLOAD_MAX);
    return text;
}

cJSON *plan_parse(const char *text) {
    char error[120] = "";
    cJSON *json = json_read(text, strlen(text), error, sizeof error);
    if (json == NULL) {
        fail_msg("%s: %s", error, text);
    }
    return json;
}

cJSON *plan_json(const char *name) {
    char *text = plan_payload(name);
    cJSON *json = plan_parse(text);
    free(text);
    return json;
}

struct order *plan_order_text(const char *text) {
    struct order *o = NULL;
    struct reason why = {0};
    cJSON *json = plan_parse(text);
    if (order_read(json, "BC-", &o, &why) != NEXT_DONE) {
        fail_msg("%s", why.text);
    }
    cJSON_Delete(json);
    return o;
}

struct order *plan_order_file(const char *name) {
    char *text = plan_payload(name);
    struct order *o = plan_order_text(text);
    free(text);
    return o;
}

/* How many arguments an effect of this verb takes; 0 = there is no such verb. */
static size_t arity(const char *verb) {
    static const struct {
        const char *verb;
        size_t n;
    } verbs[] = {{"mark", 5},      {"case", 9},        {"case_sold", 9},   {"sold", 1},     {"identified", 1},
                 {"notice", 9},    {"case_first", 10}, {"close", 1},       {"count", 2},    {"sale", 2},
                 {"log", 2},       {"hold", 5},        {"verdict", 8},     {"returned", 2}, {"release", 4},
                 {"moved_out", 5}, {"counted", 11},    {"hold_return", 5}, {"told", 2},     {"found", 3},
                 {"order_read", 2}};
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(verbs[i].verb, verb) == 0) {
            return verbs[i].n;
        }
    }
    return 0;
}

char *plan_text(const struct args *effects) {
    struct buf out;
    buf_init(&out, 1024 * 1024);
    for (size_t i = 0; i < effects->n;) {
        size_t n = arity(effects->argv[i]);
        if (n == 0 || i + n >= effects->n) {
            buf_addf(&out, "? %s\n", effects->argv[i]);
            break;
        }
        buf_add_str(&out, effects->argv[i++]);
        for (size_t end = i + n; i < end; i++) {
            buf_add_str(&out, " [");
            buf_add(&out, effects->argv[i], effects->len[i]);
            buf_add_str(&out, "]");
        }
        buf_add_str(&out, "\n");
    }
    assert_false(buf_overflowed(&out));
    return buf_take(&out);
}

struct args plan_slice(const struct args *a, size_t from, size_t n) {
    if (from + n > a->n) {
        fail_msg("%zu arguments from %zu on are wanted, there are %zu", n, from, a->n);
    }
    return (struct args){.argv = a->argv + from, .len = a->len + from, .n = n};
}

void plan_same(const char *row, const char *got, const char *want) {
    if (got == NULL || want == NULL ? got != want : strcmp(got, want) != 0) {
        fail_msg("%s\n--- got\n%s\n--- want\n%s", row, got != NULL ? got : "NULL", want != NULL ? want : "NULL");
    }
}
