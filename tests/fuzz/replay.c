/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main() of a fuzz target without libFuzzer: runs every file of the folders named through the target once. The last
 * line is "N passed", N files; a crash or a failed check ends the process at the file whose name was printed last. An
 * empty input is always run too. Usage: <target> FOLDER...
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "buf.h"
#include "ban.h"

#define FILE_MAX_BYTES ((size_t)1024 * 1024)

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void run_file(const char *path) {
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        perror(path);
        exit(1);
    }
    uint8_t *data = xmalloc(FILE_MAX_BYTES);
    size_t size = fread(data, 1, FILE_MAX_BYTES, f);
    (void)fclose(f);
    (void)printf("%s\n", path);
    (void)fflush(stdout);
    /* Exactly as large as the input, so that the sanitizer sees a read beyond it. */
    data = xrealloc(data, size > 0 ? size : 1, 1);
    (void)LLVMFuzzerTestOneInput(data, size);
    free(data);
}

/* A folder that is not there holds nothing: most targets have no crash. */
static size_t run_folder(const char *folder) {
    struct dirent **names = NULL;
    size_t count = 0;
    int n = scandir(folder, &names, NULL, by_name);
    for (int i = 0; i < n; i++) {
        if (names[i]->d_name[0] != '.') {
            char path[1024];
            (void)snprintf(path, sizeof path, "%.400s/%.400s", folder, names[i]->d_name);
            run_file(path);
            count++;
        }
        free(names[i]);
    }
    free(names);
    return count;
}

int main(int argc, char **argv) {
    size_t count = 0;
    uint8_t nothing[1] = {0};
    (void)LLVMFuzzerTestOneInput(nothing, 0);
    for (int i = 1; i < argc; i++) {
        count += run_folder(argv[i]);
    }
    (void)printf("%zu passed\n", count);
    return 0;
}
