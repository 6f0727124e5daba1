/* SPDX-License-Identifier: Apache-2.0 */
#include "replay_choice.h"

#include "json.h"
#include "ban.h"

cJSON *replay_choice_json(const struct replay_choice *c) {
    cJSON *o = json_new_object(), *ids = json_add_array(o, "ids");
    for (size_t i = 0; i < c->id_count; i++) {
        (void)cJSON_AddItemToArray(ids, cJSON_CreateString(c->ids[i]));
    }
    json_add_str(o, "sku", c->sku);
    json_add_str(o, "order", c->order);
    json_add_str(o, "source", c->source);
    json_add_str(o, "parked", c->parked);
    json_add_int(o, "from_ms", c->from_ms);
    return o;
}

void replay_choice_read(const cJSON *json, struct replay_choice *c) {
    const cJSON *id = NULL;
    *c = (struct replay_choice){.sku = json_str(json, "sku"),
                                .order = json_str(json, "order"),
                                .source = json_str(json, "source"),
                                .parked = json_str(json, "parked")};
    (void)json_int(json, "from_ms", &c->from_ms);
    cJSON_ArrayForEach(id, json_array(json, "ids")) {
        if (cJSON_IsString(id) && c->id_count < REPLAY_IDS_MAX) {
            c->ids[c->id_count++] = id->valuestring;
        }
    }
}
