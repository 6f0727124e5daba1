#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs the Debian packages that are missing for the sets named: build, run, test, lint, fuzz, bench. Silent and quick when all
# is there. Services that come with the packages (nginx, redis-server) are not started: onepool runs its own copies.
# For the tests, npm also fetches the official Standard Webhooks library into build/standardwebhooks.
set -euo pipefail

# The package, unless its program is there from elsewhere: Debian's npm does not go with another's nodejs.
unless_there() { command -v "$1" >/dev/null || echo "$2"; }

packages_of() {
    case $1 in
        build) echo gcc libc6-dev make pkg-config libfcgi-dev libcurl4-openssl-dev libcjson-dev libhiredis-dev libssl-dev zlib1g-dev ;;
        run) echo nginx-light redis-server python3 python3-aiohttp curl ca-certificates ;;
        test) echo libcmocka-dev python3-pytest python3-aiohttp python3-hypothesis python3-redis faketime stunnel4 openssl \
            python3-prometheus-client python3-aiosmtpd python3-jsonschema python3-yaml python3-pytest-xdist "$(unless_there node nodejs)" "$(unless_there npm npm)" ;;
        lint) echo clang clang-format clang-tidy libclang-rt-14-dev cppcheck shellcheck python3-pyflakes ;;
        fuzz) echo clang libclang-rt-14-dev ;;
        bench) echo wrk python3-redis "$(unless_there node nodejs)" "$(unless_there npm npm)" ;;
        *)
            echo "usage: deploy/setup.sh [build] [run] [test] [lint] [fuzz] [bench]" >&2
            return 2
            ;;
    esac
}

purpose_of() {
    case $1 in
        build) echo "compile onepool" ;;
        run) echo "run it here: nginx, Redis, and Python for the simulators" ;;
        test) echo "run its tests" ;;
        lint) echo "check its style and analyse it" ;;
        fuzz) echo "feed its parsers with made-up input" ;;
        bench) echo "measure it, beside a peer of Node.js" ;;
    esac
}

# Prints those of the packages given that dpkg does not know as installed.
missing() {
    local package state
    for package in "$@"; do
        state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) || state=
        if [ "$state" != installed ]; then echo "$package"; fi
    done
}

# Debian's packages ask this file whether a service may be started; 101 means no.
forbid_services() {
    local policy=/usr/sbin/policy-rc.d
    if [ -e "$policy" ]; then
        "$policy" nginx start >/dev/null 2>&1 || [ $? -ne 101 ] || return 0
        mv "$policy" "$policy.before-onepool"
    fi
    trap allow_services EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
}

allow_services() {
    local policy=/usr/sbin/policy-rc.d
    rm -f "$policy"
    if [ -e "$policy.before-onepool" ]; then mv "$policy.before-onepool" "$policy"; fi
}

# Without this, the services just installed would start at the next boot and take ports 80 and 6379.
disable_services() {
    local package
    command -v systemctl >/dev/null || return 0
    for package in "$@"; do
        case $package in
            nginx-light) systemctl --quiet disable nginx >/dev/null 2>&1 || true ;;
            redis-server) systemctl --quiet disable redis-server >/dev/null 2>&1 || true ;;
        esac
    done
}

apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 "$@"
}

# As root: installs the packages given.
install_packages() {
    local log
    log=$(mktemp)
    forbid_services
    if ! { apt update && apt install --no-install-recommends "$@"; } >"$log" 2>&1; then
        tail -n 30 "$log" >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
    disable_services "$@"
}

# The lock file names versions and digests; which registry serves them is npm's own setting on this machine. Nothing but the
# tests with this library needs it, so these are skipped, loudly, where it cannot be had.
fetch_library() {
    local source=tests/flow/standardwebhooks place=build/standardwebhooks log
    if cmp -s "$source/package-lock.json" "$place/installed.json"; then return 0; fi
    echo "setup: fetching the Standard Webhooks library with npm"
    rm -rf "$place"
    mkdir -p "$place"
    cp "$source/package.json" "$source/package-lock.json" "$source/.npmrc" "$place/"
    log=$place/npm.log
    if ! (cd "$place" && timeout 120 npm ci --include=dev --no-audit --no-fund --fetch-retries=1 --fetch-timeout=20000) >"$log" 2>&1; then
        tail -n 5 "$log" >&2
        echo "setup: WARNING: npm could not fetch the Standard Webhooks library (above, and $log)." >&2
        echo "setup: WARNING: the tests that use it WILL BE SKIPPED. Later: deploy/setup.sh test" >&2
        return 0
    fi
    cp "$source/package-lock.json" "$place/installed.json"
}

# What the sets need besides Debian's packages.
finish() {
    local set
    for set in "$@"; do
        if [ "$set" = test ]; then (cd "$(dirname "$0")/.." && fetch_library); fi
    done
}

give_up() {
    echo "setup: $1. Install the packages yourself, then try again:" >&2
    echo "  apt-get install --no-install-recommends ${packages[*]}" >&2
    exit 1
}

if [ "${1:-}" = --install ]; then
    shift
    install_packages "$@"
    exit 0
fi

packages=()
for set in "${@:-build}"; do
    names=$(packages_of "$set")
    # shellcheck disable=SC2086 # one word per package
    mapfile -t lacking < <(missing $names)
    if [ ${#lacking[@]} -gt 0 ]; then
        echo "setup: to $(purpose_of "$set"), installing ${lacking[*]}"
        packages+=("${lacking[@]}")
    fi
done
if [ ${#packages[@]} -eq 0 ]; then
    finish "$@"
    exit 0
fi

command -v apt-get >/dev/null || give_up "there is no apt-get on this machine"
if [ "$(id -u)" -eq 0 ]; then
    (install_packages "${packages[@]}") || give_up "apt-get failed"
elif command -v sudo >/dev/null; then
    sudo "$0" --install "${packages[@]}" || give_up "apt-get failed"
else
    give_up "only root can install packages, and there is no sudo"
fi
finish "$@"
