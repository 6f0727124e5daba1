/* SPDX-License-Identifier: Apache-2.0 */
/* The release of onepool that this is (CHANGELOG.md). */
#ifndef ONEPOOL_RELEASE_H
#define ONEPOOL_RELEASE_H

#define RELEASE "0.1.0"

#endif
