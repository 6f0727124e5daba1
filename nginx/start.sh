#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# nginx/start.sh NGINX ARGUMENT...: starts nginx in this process's place, and beside it a watch over the certificate: when the files
# in $ONEPOOL_TLS_FOLDER [/run/tls] changed and nginx takes them, it reads them again (SIGHUP), which drops no request. Looks
# every $ONEPOOL_TLS_LOOK_S [60] seconds.
set -euo pipefail

folder=${ONEPOOL_TLS_FOLDER:-/run/tls}
look=${ONEPOOL_TLS_LOOK_S:-60}
[[ $look =~ ^[1-9][0-9]{0,4}$ ]] || {
    echo "start.sh: ONEPOOL_TLS_LOOK_S is \"$look\"; it must be a whole number of seconds from 1 to 99999" >&2
    exit 100
}

print() { cat "$folder"/*.pem 2>/dev/null | sha256sum; }
say() { echo "ts=$(date -u +%Y-%m-%dT%H:%M:%SZ) level=$1 fn=nginx msg=\"$2\"" >&2; }

watch() {
    local now seen
    seen=$(print)
    while sleep "$look" && kill -0 "$1" 2>/dev/null; do
        now=$(print)
        if [ "$now" = "$seen" ]; then continue; fi
        # Two files are renewed one after the other: they are taken when they fit.
        if "${@:2}" -t -q 2>/dev/null; then
            seen=$now
            kill -HUP "$1"
            say info "the certificate changed and is read again"
        else
            say alarm "the certificate changed and nginx does not take it; the old one stays in use"
        fi
    done
}

watch $$ "$@" &
exec "$@"
