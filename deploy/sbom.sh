#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# deploy/sbom.sh VERSION REVISION: prints what is in this image, in SPDX 2.3 (tag-value): onepool itself and every
# Debian package that dpkg knows, with version and source. Licences are those that Debian's copyright files tell; they
# are not judged here.
set -euo pipefail

version=${1:?usage: deploy/sbom.sh VERSION REVISION}
revision=${2:?usage: deploy/sbom.sh VERSION REVISION}
system=$(. /etc/os-release && echo "$ID-$VERSION_ID")

cat <<EOF
SPDXVersion: SPDX-2.3
DataLicense: CC0-1.0
SPDXID: SPDXRef-DOCUMENT
DocumentName: onepool-$version
DocumentNamespace: https://spdx.org/spdxdocs/onepool-$version-$revision-$(cat /proc/sys/kernel/random/uuid)
Creator: Tool: onepool-sbom.sh
Created: $(date -u +%Y-%m-%dT%H:%M:%SZ)

PackageName: onepool
SPDXID: SPDXRef-onepool
PackageVersion: $version
PackageDownloadLocation: NOASSERTION
FilesAnalyzed: false
PackageLicenseConcluded: Apache-2.0
PackageLicenseDeclared: Apache-2.0
PackageCopyrightText: NOASSERTION
PackageComment: <text>revision $revision</text>
Relationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-onepool
EOF

# shellcheck disable=SC2016 # dpkg-query's own fields
dpkg-query -W -f '${binary:Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\t${Maintainer}\n' |
    while IFS=$'\t' read -r name built architecture source source_version maintainer; do
        name=${name%%:*}
        # An identifier may hold letters, digits, dots and dashes.
        id=SPDXRef-deb-${name//[^A-Za-z0-9.-]/-}-$architecture
        cat <<EOF

PackageName: $name
SPDXID: $id
PackageVersion: $built
PackageSupplier: Organization: $maintainer
PackageDownloadLocation: NOASSERTION
FilesAnalyzed: false
PackageSourceInfo: <text>built from the source package $source $source_version</text>
PackageLicenseConcluded: NOASSERTION
PackageLicenseDeclared: NOASSERTION
PackageCopyrightText: NOASSERTION
ExternalRef: PACKAGE-MANAGER purl pkg:deb/${system%%-*}/$name@${built//:/%3A}?arch=$architecture&distro=$system
Relationship: SPDXRef-onepool DEPENDS_ON $id
EOF
    done
