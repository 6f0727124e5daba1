#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# deploy/backup.sh FOLDER: one consistent copy of all that Redis holds, as FOLDER/onepool-<time>.rdb, with its SHA-256 beside
# it. Redis goes on meanwhile. The copy is taken as a replica takes it, so it needs no access to Redis's own files.
#
# REDIS_URL, or REDIS_URL_FILE, says where Redis is; without both, var/onepool.env of this checkout does. The user needs the
# rights of a replica: REDIS_BACKUP_USER and REDIS_BACKUP_PASSWORD_FILE name another one than the URL does
# (deploy/redis-users.sh makes it). KEEP=n [14] newest copies are kept.
set -euo pipefail
umask 077

fail() {
    echo "backup: $*" >&2
    exit 1
}

[ $# -eq 1 ] || fail "usage: deploy/backup.sh FOLDER"
folder=$1
keep=${KEEP:-14}
[[ $keep =~ ^[1-9][0-9]{0,3}$ ]] || fail "KEEP is \"$keep\"; it must be a whole number from 1 to 9999"
env_file=$(cd "$(dirname "$0")/.." && pwd -P)/var/onepool.env
if [ -n "${REDIS_URL_FILE:-}" ]; then REDIS_URL=$(<"$REDIS_URL_FILE"); fi
if [ -z "${REDIS_URL:-}" ] && [ -r "$env_file" ]; then
    # shellcheck disable=SC1090 # written by stack.sh
    REDIS_URL=$(. "$env_file" && printf %s "$REDIS_URL")
fi
[ -n "${REDIS_URL:-}" ] || fail "REDIS_URL is not set, and nothing was started from this checkout"

# The password goes by the environment: a command line is seen by everybody on the machine.
case $REDIS_URL in
    unix://*)
        path=${REDIS_URL#unix://}
        where=(-s "${path%%\?*}")
        ;;
    redis://*)
        rest=${REDIS_URL#redis://}
        if [[ $rest == *@* ]]; then
            credentials=${rest%@*}
            rest=${rest##*@}
            if [[ $credentials == *:* ]]; then
                user=${credentials%%:*}
                REDISCLI_AUTH=${credentials#*:}
                export REDISCLI_AUTH
            fi
        fi
        address=${rest%%/*}
        port=6379
        if [[ $address == *:* ]]; then port=${address##*:}; fi
        where=(-h "${address%%:*}" -p "$port")
        ;;
    *) fail "REDIS_URL is neither redis:// nor unix://" ;;
esac
user=${REDIS_BACKUP_USER:-${user:-}}
if [ -n "${REDIS_BACKUP_PASSWORD_FILE:-}" ]; then
    REDISCLI_AUTH=$(<"$REDIS_BACKUP_PASSWORD_FILE")
    export REDISCLI_AUTH
fi
if [ -n "$user" ]; then where+=(--user "$user"); fi

mkdir -p "$folder"
name=onepool-$(date -u +%Y%m%dT%H%M%SZ).rdb
part=$folder/.$name.part
trap 'rm -f "$part"' EXIT
redis-cli "${where[@]}" --rdb "$part" >&2 || fail "Redis did not give a copy; nothing was stored"
redis-check-rdb "$part" >/dev/null || fail "the copy is damaged; nothing was stored"
(cd "$folder" && sha256sum ".$name.part" | sed "s/\.$name\.part/$name/" >"$name.sha256")
mv "$part" "$folder/$name"
sync "$folder/$name" "$folder/$name.sha256"

mapfile -t copies < <(cd "$folder" && printf '%s\n' onepool-*Z.rdb | sort -r)
for old in "${copies[@]:keep}"; do rm -f "$folder/$old" "$folder/$old.sha256"; done
echo "$folder/$name"
