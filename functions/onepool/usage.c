/* SPDX-License-Identifier: Apache-2.0 */
/* What `onepool --help` says. */
#include <stdio.h>

#include "command.h"
#include "ban.h"

/* clang-format off */
static const char *const lines[] = {
    "usage: onepool status [--json]               what is going on, and what needs attention",
    "       onepool check [--json]                can this work? each line with what to do",
    "              --hooks                        what to enter in Sitoo and BigCommerce",
    "       onepool hooks [--json]                our webhooks at BigCommerce: are they right?",
    "              --repair                       create what is missing, put right what differs",
    "              --dry-run                      show what --repair would do",
    "       onepool parked [--json] [--cause C]   what waits for a person",
    "              --show ID                      the bytes as they were received",
    "              --retry ID                     try it again, close the case",
    "              --close ID                     close the case, do nothing",
    "              --ignore ID | --unignore ID    only count it from now on; or no longer so",
    "       onepool brake [--json] [--release]    is a write held? let one pass",
    "       onepool returns [--json] [RETURN]     what became of the last returns, or of one",
    "       onepool withheld [--json] [--sku S] [--aged]   returned units that are not on sale",
    "              --release RETURN:ITEM [--quantity N]   let them be sold",
    "       onepool returns [--json] --goods-in ORDER --sku SKU --quantity N --warehouse W",
    "                                             book goods of a refunded web order into Sitoo",
    "       onepool load [--json] [--rows N] [--csv FILE]   first load of products; shows it, writes nothing",
    "              --apply ID                     does what the look of this id showed; goes on if killed",
    "       onepool exceptions [--json] [--rows N]   where both catalogs do not fit",
    "              --kind KIND                    only these, such as price_differs",
    "              --csv FILE                     all of them, for a spreadsheet",
    "              --sweep                        read both shops now",
    "       onepool sweep [--json]                what no event told of, and levels that had drifted",
    "              --now WORK                     do this work of the sweep now",
    "       onepool replay [--json] [--rows N] ID...   what was received, or is parked, once more; shows it",
    "              --sku S | --order N | --from TIME --to TIME | --parked CAUSE   choose; --source sitoo",
    "              --show ID                      the bytes as they were received",
    "              --apply ID [--by NAME]         does what the look of this id showed; goes on if killed",
    "       onepool shadow [--json] [--rows N] [--csv FILE]   what a time in shadow mode says",
    "              --since TIME                   only what would have been written from then on",
    "              --settled MINUTES              so long another number must have stayed to count [60]",
    "       onepool ledger verify [--json] [--fetch] [--ties FILE] [--from PATH...]   is it whole and complete?",
    "              sku SKU [--at TIME] [--rows N] [--names] [--from PATH...]   the history of one SKU",
    "              export --to FOLDER [--until TIME]   sealed files of what is new",
    "              keep [DAYS]                    how long entries are kept",
    "       onepool windows [--json] [--since TIME] [--limit N]   the longest oversell windows, and why",
    "       onepool notify [--json]               who is told of urgent cases",
    "              --test                         sends a message to try it",
    "       onepool baseline [--json] [--rows N] [--csv FILE]   compare both shops; writes nothing",
    "              --propose                      a mapping file to begin with; only printed",
    "              --again                        read everything anew",
    "              --export-orders FILE           the open orders with their classes, to be edited",
    "              --orders FILE                  take the classes of such a file",
    "              --accept ID                    go live with the report of this id",
    "       onepool --help | --version",
    "An ID is cause:entity as listed; with --cause C the entity is enough.",
    "Settings come from the environment; deploy/env.example lists them.",
    "Exit status: 0 fine, 1 something is wrong, 2 wrong usage, 100 wrong settings.",
};
/* clang-format on */

int command_usage(FILE *out, int status) {
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        (void)fprintf(out, "%s\n", lines[i]);
    }
    return status;
}
