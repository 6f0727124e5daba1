/* SPDX-License-Identifier: Apache-2.0 */
#include "mapping.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ban.h"

struct mapping *mapping_load(const char *path, struct buf *mistakes) {
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        buf_addf(mistakes, "ONEPOOL_CONFIG: %s: %s\n", path, strerror(errno));
        return NULL;
    }
    char *text = xmalloc(MAPPING_FILE_MAX + 1);
    size_t len = fread(text, 1, MAPPING_FILE_MAX + 1, f);
    struct mapping *m = NULL;
    if (ferror(f) != 0 || len > MAPPING_FILE_MAX) {
        buf_addf(mistakes, "ONEPOOL_CONFIG: %s: cannot be read or is larger than 1 MiB\n", path);
    } else {
        m = mapping_read(text, len, mistakes);
    }
    (void)fclose(f);
    free(text);
    return m;
}

void mapping_free(struct mapping *m) {
    if (m == NULL) {
        return;
    }
    for (size_t i = 0; i < m->location_count; i++) {
        free(m->locations[i].warehouse_ids);
        free(m->locations[i].pickup_method_ids);
        for (size_t k = 0; k < m->locations[i].shipping_method_name_count; k++) {
            free(m->locations[i].shipping_method_names[k]);
        }
        free(m->locations[i].shipping_method_names);
    }
    free(m->locations);
    free(m->warehouses);
    free(m->allocate_from);
    mapping_free_returns(&m->returns);
    mapping_free_products(&m->products);
    mapping_free_notify(&m->notify);
    free(m);
}
