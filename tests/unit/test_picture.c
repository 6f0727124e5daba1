/* SPDX-License-Identifier: Apache-2.0 */
/* links: functions/product-updated/picture.c */
/* Names and bytes of images. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "../../functions/product-updated/picture.h"
#include "ban.h"

static void a_name_is_that_of_the_address_without_its_query(void **state) {
    static const struct {
        const char *url, *same, *ending;
    } rows[] = {{"https://cdn11.bigcommerce.com/s-x/products/86/images/286/a__94.386.513.jpg?c=1",
                 "https://cdn11.bigcommerce.com/s-x/products/86/images/286/a__94.386.513.jpg?c=2", ".jpg"},
                {"https://x/a.PNG", "https://x/a.PNG#x", ".png"},
                {"https://x/a.webp", "https://x/a.webp?", ".webp"},
                {"https://x/a.exe", "https://x/a.exe", ".jpg"},
                {"https://x/a", "https://x/a?b=.png", ".jpg"}};
    char name[PICTURE_NAME_SIZE], other[PICTURE_NAME_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        picture_name(rows[i].url, name);
        picture_name(rows[i].same, other);
        assert_string_equal(name, other);
        assert_int_equal(strncmp(name, PICTURE_PREFIX, strlen(PICTURE_PREFIX)), 0);
        assert_string_equal(name + strlen(PICTURE_PREFIX) + 16, rows[i].ending);
    }
    picture_name("https://x/b.png", other);
    picture_name("https://x/a.png", name);
    assert_string_not_equal(name, other);
    picture_name("", name);
    assert_string_equal(name, "");
}

static void only_images_are_images(void **state) {
    static const struct {
        const char *bytes;
        size_t len;
        bool is;
    } rows[] = {{"\xff\xd8\xff\xe0", 4, true},
                {"\x89PNG\r\n\x1a\n...", 11, true},
                {"GIF89a", 6, true},
                {"RIFF\1\2\3\4WEBPVP8 ", 16, true},
                {"RIFF\1\2\3\4WAVEfmt ", 16, false},
                {"<html>", 6, false},
                {"\xff\xd8", 2, false},
                {"\x89PNG\n", 5, false},
                {"", 0, false},
                {"RIFF\1\2\3\4WEB", 11, false}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (picture_is(rows[i].bytes, rows[i].len) != rows[i].is) {
            fail_msg("row %zu", i);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_that_of_the_address_without_its_query),
        cmocka_unit_test(only_images_are_images),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
