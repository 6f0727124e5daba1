/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image of BigCommerce: its name in Sitoo, and its bytes.
 *
 * The name is made of the image's address, which changes whenever BigCommerce gets another image: the same name is the
 * same image, and who reads Sitoo's list sees whether it is there. "onepool-4f0c...9a.jpg"
 */
#ifndef ONEPOOL_PICTURE_H
#define ONEPOOL_PICTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "app.h"
#include "err.h"

#define PICTURE_PREFIX     "onepool-"
#define PICTURE_UNREADABLE "image_unreadable" /* causes of picture_fetch */
#define PICTURE_SERVER     "image_server"
#define PICTURE_NAME_SIZE  40
/* What Sitoo takes is not documented. BigCommerce takes files of 8 MB and shows smaller ones made of them
 * (products_catalog.v3.yml, image_file). */
#define PICTURE_BYTES_MAX ((size_t)2 * 1024 * 1024)
#define PICTURE_URL_MAX   2000

/* "" for an address of "". The query string does not count: "?c=1" is about caches. Pure. */
void picture_name(const char *url, char out[PICTURE_NAME_SIZE]);
/* Begins it as JPEG, PNG, GIF or WebP files do? Pure. */
bool picture_is(const char *bytes, size_t len);

/* Its bytes in base64, from BigCommerce's server of images, without credentials; the caller frees. NEXT_PARK
 * ("image_unreadable"): it is not there, too large or no image. NEXT_DEFER ("image_server"):
 * the server does not give it now. */
enum next picture_fetch(struct app *app, const char *url, char **base64, struct reason *why) NODISCARD;

#endif
