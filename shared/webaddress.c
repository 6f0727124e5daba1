/* SPDX-License-Identifier: Apache-2.0 */
#include "webaddress.h"

#include <stdio.h>
#include <string.h>

#include "gate.h"
#include "json.h"
#include "ban.h"

#define FIELD_SIZE   128
#define MESSAGE_SIZE 1001

static const struct {
    const char *bigcommerce, *sitoo;
} parts[] = {{"street_1", "delivery_address"}, {"street_2", "delivery_address2"},
             {"zip", "delivery_zip"},          {"city", "delivery_city"},
             {"state", "delivery_state"},      {"country_iso2", "delivery_countryid"}};

/* Copies what fits, never within a character; control characters become spaces. */
static void copy_text(const char *from, char *out, size_t size) {
    size_t n = from != NULL ? strlen(from) : 0;
    if (n >= size) {
        n = size - 1;
        while (n > 0 && ((unsigned char)from[n] & 0xC0) == 0x80) {
            n--;
        }
    }
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)from[i];
        out[i] = c < 0x20 || c == 0x7f ? ' ' : from[i];
    }
    out[n] = '\0';
}

static const cJSON *recipient(const struct web_order *o) {
    return cJSON_GetArrayItem(json_array(json_get(o->json, "consignments"), "shipping"), 0);
}

void web_address_digest(const struct web_order *o, char out[WEB_ADDRESS_SIZE]) {
    char line[sizeof parts / sizeof parts[0] * (FIELD_SIZE + 1)] = "";
    size_t used = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char text[FIELD_SIZE];
        copy_text(json_str(recipient(o), parts[i].bigcommerce), text, sizeof text);
        int n = snprintf(line + used, sizeof line - used, "%s|", text);
        used += n > 0 ? (size_t)n : 0;
    }
    gate_digest(line, out);
}

void web_address_add(const struct web_order *o, cJSON *json) {
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char text[FIELD_SIZE];
        copy_text(json_str(recipient(o), parts[i].bigcommerce), text, sizeof text);
        json_add_str(json, parts[i].sitoo, text);
    }
}

static void add_field(cJSON *json, const char *name, const cJSON *from, const cJSON *otherwise, const char *key) {
    char text[FIELD_SIZE];
    const char *value = json_str(from, key);
    copy_text(value != NULL && value[0] != '\0' ? value : json_str(otherwise, key), text, sizeof text);
    if (text[0] != '\0') {
        json_add_str(json, name, text);
    }
}

void web_customer_add(const struct web_order *o, const struct mapping_web *w, cJSON *json) {
    const cJSON *billing = json_get(o->json, "billing_address");
    const cJSON *person = o->kind == WEB_SHIP ? recipient(o) : billing;
    if (w->name) {
        add_field(json, "namefirst", person, billing, "first_name");
        add_field(json, "namelast", person, billing, "last_name");
        add_field(json, "company", person, billing, "company");
    }
    if (w->phone) {
        add_field(json, "phone", person, billing, "phone");
    }
    if (w->email) {
        add_field(json, "email", person, billing, "email");
    }
    if (w->message) {
        char text[MESSAGE_SIZE];
        copy_text(json_str(o->json, "customer_message"), text, sizeof text);
        if (text[0] != '\0') {
            json_add_str(json, "comment", text);
        }
    }
}
