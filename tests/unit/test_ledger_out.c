/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/onepool/ledger_out.c functions/onepool/ledger_file.c functions/onepool/ledger_entry.c */
/* An export file gets its name only if nobody has it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "functions/onepool/ledger_out.h"
#include "ban.h"

static char folder[] = "/tmp/onepool-out-XXXXXX";

static int make(void **state) {
    (void)state;
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int clear(void **state) {
    (void)state;
    return rmdir(folder); /* no file is left over */
}

static bool write_one(char path[1024], char error[1100]) {
    struct ledger_out out;
    struct ledger_entry e = {.ms = 1795000000000};
    char sha256[LEDGER_SHA256_SIZE];
    assert_true(ledger_out_open(&out, folder, &e, "t", "", "", error, 1100));
    ledger_out_path(folder, out.name, path);
    return ledger_out_close(&out, sha256, error, 1100);
}

static void a_file_gets_its_name(void **state) {
    char path[1024], error[1100] = "";
    struct stat is;
    (void)state;
    assert_true(write_one(path, error));
    assert_int_equal(stat(path, &is), 0);
    assert_int_equal(is.st_mode & 0777, 0600);
    assert_int_equal(is.st_nlink, 1);
    assert_false(write_one(path, error));
    assert_non_null(strstr(error, "its name is taken"));
    assert_int_equal(unlink(path), 0);
}

/* access() does not see such a name, as it does not see one that is given a moment later. */
static void a_name_that_leads_nowhere_is_taken(void **state) {
    char path[1024], to[8], error[1100] = "";
    (void)state;
    assert_true(write_one(path, error));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("nowhere", path), 0);
    assert_false(write_one(path, error));
    assert_non_null(strstr(error, "its name is taken"));
    assert_int_equal(readlink(path, to, sizeof to), 7);
    assert_int_equal(unlink(path), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_gets_its_name),
        cmocka_unit_test(a_name_that_leads_nowhere_is_taken),
    };
    return cmocka_run_group_tests(tests, make, clear);
}
