/* SPDX-License-Identifier: Apache-2.0 */
/* onepool notify: who is told of urgent cases, and a test message. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "command.h"
#include "json.h"
#include "notify_send.h"
#include "status.h"
#include "text.h"
#include "ban.h"

#define PAGE_MAX ((size_t)64 * 1024)

static const struct {
    const char *name, *words;
    bool (*on)(const struct settings_notify *n);
    enum notify_fate (*send)(struct app *app, const struct notify_message *m, char error[NOTIFY_ERROR_SIZE]);
} channels[] = {{"webhook", "ONEPOOL_NOTIFY_URL", notify_webhook_on, notify_webhook},
                {"email", "ONEPOOL_NOTIFY_EMAIL", notify_email_on, notify_email}};
#define CHANNELS (sizeof channels / sizeof channels[0])

static cJSON *test_cases(void) {
    cJSON *list = cJSON_CreateArray(), *c = json_new_object();
    json_add_str(c, "case", "test");
    json_add_str(c, "entity", "onepool notify --test");
    json_add_str(c, "owner", "whoever reads this");
    json_add_str(c, "effect", "None: this only shows that messages arrive");
    json_add_str(c, "step", "Nothing to do");
    json_add_int(c, "count", 1);
    json_add_int(c, "first_ms", clock_wall_ms());
    (void)cJSON_AddItemToArray(list, c);
    char *text = json_print(list), error[80];
    cJSON_Delete(list);
    list = json_read(text, strlen(text), error, sizeof error);
    free(text);
    return list;
}

/* Sends to every channel that is set; false if one failed, or if there is none. */
static bool test(struct app *app, cJSON *out) {
    cJSON *cases = test_cases(), *list = json_add_array(out, "sent");
    char id[NOTIFY_ID_SIZE];
    size_t tried = 0, good = 0;
    notify_new_id(id);
    const struct notify_message m = {.id = id, .at_ms = clock_wall_ms(), .cases = cases};
    for (size_t i = 0; i < CHANNELS; i++) {
        char error[NOTIFY_ERROR_SIZE] = "";
        if (channels[i].on(&app->set->notify)) {
            bool sent = channels[i].send(app, &m, error) == NOTIFY_SENT;
            cJSON *o = json_new_object();
            json_add_str(o, "channel", channels[i].name);
            json_add_str(o, "id", id);
            json_add_bool(o, "ok", sent);
            json_add_str(o, "why", sent ? NULL : error);
            (void)cJSON_AddItemToArray(list, o);
            tried++;
            good += sent ? 1 : 0;
        }
    }
    cJSON_Delete(cases);
    return tried > 0 && tried == good;
}

static void print_test(const cJSON *out) {
    struct buf page;
    const cJSON *o = NULL;
    buf_init(&page, PAGE_MAX);
    cJSON_ArrayForEach(o, json_get(out, "sent")) {
        bool ok = json_bool(o, "ok", false);
        buf_addf(&page, "%-8s %s ", json_str(o, "channel"), ok ? "ok  " : "FAIL");
        text_safe(&page, ok ? "the message was taken; look whether it arrived" : json_str(o, "why"));
        buf_add_str(&page, "\n");
    }
    if (cJSON_GetArraySize(json_get(out, "sent")) == 0) {
        buf_add_str(&page, "Nobody is told: neither ONEPOOL_NOTIFY_URL nor ONEPOOL_NOTIFY_EMAIL is set.\n");
    }
    command_print(&page);
}

static void print_channel(struct buf *page, const struct settings_notify *n, size_t i, const cJSON *o) {
    char age[TEXT_AGE_SIZE];
    int64_t now = clock_wall_ms(), at = 0;
    buf_addf(page, "%-8s ", channels[i].name);
    if (!channels[i].on(n)) {
        buf_addf(page, "off (%s is not set)\n", channels[i].words);
        return;
    }
    if (json_int(o, "failing_since_ms", &at)) {
        text_age(now - at, age);
        buf_addf(page, "FAILS for %s: ", age);
        text_safe(page, json_str(o, "why") != NULL ? json_str(o, "why") : "");
    } else if (json_int(o, "ok_ms", &at)) {
        text_age(now - at, age);
        buf_addf(page, "ok, last message %s ago", age);
    } else {
        buf_add_str(page, "on, no message so far");
    }
    buf_addf(page, "; %lld waiting\n", (long long)status_int(o, "waiting"));
}

static int show(struct app *app, const struct command_line *line) {
    struct reason why = {0};
    cJSON *status = NULL;
    bool failing = false;
    if (status_read(app, &status, &why) != NEXT_DONE) {
        return command_failed(line, &why);
    }
    const cJSON *list = json_get(status, "notify");
    if (line->json) {
        cJSON *out = json_new_object();
        (void)cJSON_AddItemToObject(out, "notify", cJSON_Duplicate(list, true));
        command_print_json(out);
        cJSON_Delete(out);
    } else {
        struct buf page;
        buf_init(&page, PAGE_MAX);
        for (size_t i = 0; i < CHANNELS; i++) {
            print_channel(&page, &app->set->notify, i, cJSON_GetArrayItem(list, (int)i));
        }
        command_print(&page);
    }
    for (size_t i = 0; i < CHANNELS; i++) {
        failing = failing || (channels[i].on(&app->set->notify) &&
                              status_int(cJSON_GetArrayItem(list, (int)i), "failing_since_ms") > 0);
    }
    cJSON_Delete(status);
    return failing ? 1 : 0;
}

int command_notify(struct app *app, const struct command_line *line) {
    if (line->action == NULL) {
        return show(app, line);
    }
    cJSON *out = json_new_object();
    bool good = test(app, out);
    if (line->json) {
        command_print_json(out);
    } else {
        print_test(out);
    }
    cJSON_Delete(out);
    return good ? 0 : 1;
}
