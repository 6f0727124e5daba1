#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# deploy/restore.sh COPY FOLDER: fills FOLDER, Redis's data folder, from a copy of deploy/backup.sh. Redis and all functions must
# be stopped. What the folder holds is moved to FOLDER/before-<time>, never deleted.
#
# Then start Redis and the functions, here or on another machine. They notice that Redis is a copy (docs/adr/0011): no level is raised until what
# happened since the copy is read again from both platforms, and nothing is made twice, since each thing is looked for by our
# own reference first.
set -euo pipefail
umask 077

fail() {
    echo "restore: $*" >&2
    exit 1
}

[ $# -eq 2 ] || fail "usage: deploy/restore.sh COPY.rdb FOLDER"
copy=$1
folder=${2%/}
[ -r "$copy" ] || fail "$copy cannot be read"
if [ -r "$copy.sha256" ]; then
    (cd "$(dirname "$copy")" && sha256sum --quiet -c "$(basename "$copy").sha256") || fail "$copy is not what was stored; take another copy"
else
    echo "restore: there is no $copy.sha256; the copy's own checksum alone is checked" >&2
fi
redis-check-rdb "$copy" >/dev/null || fail "$copy is damaged; take another copy"

# A folder that is a mount cannot be replaced as a whole, so all happens in it.
made=0
if [ ! -d "$folder" ]; then
    mkdir -p "$folder"
    made=1
fi
work=$(mktemp -d "$folder/.restore.XXXXXX")
pid=
stop() {
    if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; then
        kill "$pid"
        wait "$pid" || true
    fi
    rm -rf "$work"
    if [ "$made" = 1 ]; then rmdir "$folder" 2>/dev/null || true; fi
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

ask() { redis-cli -s "$work/redis.sock" "$@"; }
state() { ask info persistence | tr -d '\r' | sed -n "s/^$1://p"; }
# wait_for SECONDS COMMAND...
wait_for() {
    local tries=$(($1 * 10))
    shift
    until "$@"; do
        tries=$((tries - 1))
        if [ "$tries" -le 0 ] || ! kill -0 "$pid" 2>/dev/null; then return 1; fi
        sleep 0.1
    done
}
loaded() { [ "$(ask ping 2>/dev/null)" = PONG ]; }
rewritten() { [ "$(state aof_enabled)$(state aof_rewrite_in_progress)$(state aof_rewrite_scheduled)" = 100 ]; }

# With its append-only file on, Redis does not read a snapshot; so a private one reads it, and is then told to write the file.
mkdir "$work/data"
cp "$copy" "$work/data/dump.rdb"
redis-server --port 0 --unixsocket "$work/redis.sock" --unixsocketperm 700 --dir "$work/data" --appendonly no --save "" \
    --loglevel warning >"$work/log" 2>&1 &
pid=$!
wait_for 600 loaded || fail "Redis cannot read the copy: $(tail -n 3 "$work/log")"
keys=$(ask dbsize)
# On another machine nobody remembers what Redis was, so Redis itself says that it is a copy (shared/lua/95_epoch.lua).
for db in $(ask info keyspace | sed -n 's/^db\([0-9]*\):.*/\1/p'); do
    while read -r key; do ask -n "$db" hset "$key" restored 1 >/dev/null; done < <(ask -n "$db" --scan --pattern '{*}:epoch')
done
ask config set appendonly yes >/dev/null
wait_for 600 rewritten || fail "Redis cannot write its append-only file: $(tail -n 3 "$work/log")"
[ "$(state aof_last_bgrewrite_status)" = ok ] || fail "Redis cannot write its append-only file: $(tail -n 3 "$work/log")"
ask shutdown nosave >/dev/null 2>&1 || true
wait "$pid" || true
rm -f "$work/data/dump.rdb"
[ -d "$work/data/appendonlydir" ] || fail "there is no append-only file; nothing was changed"

before=$folder/before-$(date -u +%Y%m%dT%H%M%SZ)
shopt -s dotglob nullglob
for old in "$folder"/*; do
    case ${old##*/} in
        .restore.* | .copy.rdb | before-*) continue ;;
    esac
    mkdir -p "$before"
    mv "$old" "$before/"
done
if [ -d "$before" ]; then echo "restore: what was there is in $before" >&2; fi
mv "$work/data"/* "$folder/"
echo "restore: $folder holds $keys keys of $(basename "$copy"); start Redis, then the functions" >&2
