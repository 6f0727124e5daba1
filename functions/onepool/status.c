/* SPDX-License-Identifier: Apache-2.0 */
/* onepool status */
#include "status.h"

#include "command.h"
#include "text.h"
#include "ban.h"

#define PAGE_MAX ((size_t)64 * 1024) /* bytes; some 30 lines */

int command_status(struct app *app, const struct command_line *line) {
    struct reason why = {0};
    struct buf page;
    cJSON *status = NULL;
    if (status_read(app, &status, &why) != NEXT_DONE) {
        return command_failed(line, &why);
    }
    if (line->json) {
        command_print_json(status);
    } else {
        buf_init(&page, PAGE_MAX);
        text_status(&page, status);
        command_print(&page);
    }
    cJSON_Delete(status);
    return 0;
}
