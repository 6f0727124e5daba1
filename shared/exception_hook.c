/* SPDX-License-Identifier: Apache-2.0 */
#include "exception_hook.h"

#include <stdio.h>
#include <string.h>

#include "json.h"
#include "keys.h"
#include "queue.h"
#include "ban.h"

#define SCOPE       "store/hook/deliveryException"
#define MESSAGE_MAX 200 /* bytes of BigCommerce's words */

static const struct code {
    int64_t code;
    const char *what, *effect, *step;
    bool look; /* the webhooks are to be looked at now */
} codes[] = {
    {90001, "a call failed and will be tried again", "Changes in BigCommerce reach us late",
     "See whether onepool and the way to it answer: onepool check, nginx's access log; then run: onepool parked "
     "--close. Comes again if calls go on failing",
     false},
    {90002, "all attempts failed; the webhook is switched off",
     "BigCommerce does not tell of these changes any more; orders are read every few seconds all the same",
     "Find out why calls failed; the timer switches the webhook on again, or run: onepool hooks --repair. The case "
     "closes by itself once the webhook is right",
     true},
    {90003, "our domain is blocked for some minutes, since too many calls failed",
     "BigCommerce tells of no change until then; orders are read every few seconds all the same",
     "See what answered wrongly: onepool hooks lists the reasons. The case closes by itself once the domain is free",
     true}};

static const struct code other = {0, "a code that is not documented", "Changes in BigCommerce may reach us late",
                                  "Run: onepool hooks; then onepool parked --close", true};

void exception_entity(int64_t hook, int64_t code, char out[64]) {
    (void)snprintf(out, 64, "webhook %lld code %lld", (long long)hook, (long long)code);
}

static const struct code *code_of(int64_t code) {
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (codes[i].code == code) {
            return &codes[i];
        }
    }
    return &other;
}

void exception_hook_plan(const struct app *app, const struct hook *hook, struct args *effects) {
    char entity[64], text[REASON_TEXT_MAX], words[MESSAGE_MAX];
    int64_t id = 0, number = 0;
    if (strcmp(hook->scope, SCOPE) != 0 || !json_id(hook->data, "id", &id) || id <= 0 ||
        !json_id(hook->data, "error_code", &number)) {
        hook_effect_bad(hook, app->set->mapping->owner_stock,
                        hook->error[0] != '\0' ? hook->error
                                               : "scope, data.id or data.error_code of a delivery exception is missing",
                        "Trouble with a webhook may be noticed up to a quarter of an hour later", effects);
        return;
    }
    const struct code *c = code_of(number);
    const char *message = json_str(hook->data, "message");
    (void)str_copy(words, sizeof words, message != NULL ? message : "no words");
    exception_entity(id, number, entity);
    (void)snprintf(text, sizeof text, "BigCommerce reports %lld for webhook %lld: %s (%s)", (long long)number,
                   (long long)id, c->what, words);
    const struct parked p = {.cause = EXCEPTION_CAUSE,
                             .owner = app->set->mapping->owner_stock,
                             .entity = entity,
                             .text = text,
                             .effect = c->effect,
                             .step = c->step,
                             .queue = QUEUE_HOOKS,
                             .job = "main",
                             .bytes = hook->body,
                             .bytes_len = hook->body_len};
    effect_count(effects, "hooks:delivery_exception", 1);
    effect_case(effects, &p);
    if (c->look) {
        effect_mark(effects, QUEUE_HOOKS, "main", 0, "", "");
    }
}
