#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# deploy/secrets.sh [INSTANCE]                 makes the secret files of docker-compose.yml that are missing, with random values
# deploy/secrets.sh [INSTANCE] --rotate NAME   a new value; the old one stays accepted as NAME_previous. NAME: bigcommerce_hook_secret,
#                                              sitoo_events_password, redis_password
# deploy/secrets.sh [INSTANCE] --end NAME      the previous value of one of these counts no more
# deploy/secrets.sh [INSTANCE] --set NAME      asks for a value that was handed out to you (or reads one line). NAME:
#                                              bigcommerce_access_token, sitoo_api_password, sitoo_api_password_2 to _8,
#                                              notify_secret, smtp_password, bigcommerce_client_secret
#                                              (deploy/compose/signatures.yml), of which the old one stays as NAME_previous
#
# INSTANCE: $ONEPOOL_INSTANCE, else what .env says, else "simulated". Files: deploy/secrets/<instance>/NAME, one value
# each; no value is ever printed. What the platforms hand out (sitoo_api_password, bigcommerce_access_token) is asked
# for, without echo.
#
# The containers run as user 10001 and read these files. Started by root, the files belong to that user, mode 0600.
# Started by anybody else, they have mode 0644 in folders of mode 0700: on this machine only the owner gets that far.
set -euo pipefail
umask 077

ROOT=$(cd "$(dirname "$0")/.." && pwd -P)
CONTAINER_USER=10001

fail() {
    echo "secrets: $*" >&2
    exit 1
}

# As docker compose reads it: the environment wins over .env.
instance_of_env_file() { sed -n 's/^ONEPOOL_INSTANCE=//p' "$ROOT/.env" 2>/dev/null | tail -n 1; }

instance=${ONEPOOL_INSTANCE:-}
if [ -n "${1:-}" ] && [[ $1 != -* ]]; then
    instance=$1
    shift
fi
if [ -z "$instance" ]; then instance=$(instance_of_env_file || true); fi
instance=${instance:-simulated}
[[ $instance =~ ^[A-Za-z0-9][A-Za-z0-9_-]{0,30}$ ]] || fail "the instance's name may hold letters, digits, _ and -, at most 31"
folder=$ROOT/deploy/secrets/$instance

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

# write NAME: standard input becomes the file, whole or not at all.
write() {
    local part=$folder/.$1.part
    cat >"$part"
    if [ "$(id -u)" -eq 0 ]; then
        chown "$CONTAINER_USER:$CONTAINER_USER" "$part"
        chmod 600 "$part"
    else
        chmod 644 "$part"
    fi
    mv "$part" "$folder/$1"
    echo "secrets: wrote ${folder#"$ROOT"/}/$1"
}

there() { [ -s "$folder/$1" ]; }

# made NAME: random, if it is missing.
made() { there "$1" || random | write "$1"; }

# given NAME WHAT: asked for, if it is missing.
given() {
    local value=
    if there "$1"; then return; fi
    case $instance:$1 in
        simulated:sitoo_api_password) value=sim-sitoo-password ;;
        simulated:bigcommerce_access_token) value=sim-bc-token ;;
        *)
            [ -t 0 ] || fail "${folder#"$ROOT"/}/$1 is missing: $2. Run this in a terminal, which asks for it"
            value=$(asked "$2")
            ;;
    esac
    [ -n "$value" ] || fail "$1 is empty"
    printf '%s' "$value" | write "$1"
}

# asked WHAT: a line, without echo.
asked() {
    local value=
    if [ -t 0 ]; then
        read -r -s -p "$1: " value
        echo >&2
    else
        IFS= read -r value || true
    fi
    printf '%s' "$value"
}

tenant_of_env_file() { sed -n 's/^ONEPOOL_TENANT=//p' "$ROOT/deploy/compose/$instance.env" 2>/dev/null | tail -n 1; }

# The password of Redis: where the functions go, and its digest with what they may do (deploy/redis-users.sh), which is made
# anew each time, since a release may need other rights.
redis_files() {
    local tenant previous_redis=
    made redis_password
    if there redis_password_previous; then previous_redis=$folder/redis_password_previous; fi
    tenant=$(tenant_of_env_file || true)
    "$ROOT/deploy/redis-users.sh" "${tenant:-default}" "$folder/redis_password" onepool \
        ${previous_redis:+"$previous_redis"} >"$folder/.users.part"
    if ! cmp -s "$folder/.users.part" "$folder/redis_acl"; then write redis_acl <"$folder/.users.part"; fi
    rm -f "$folder/.users.part"
    there redis_url || printf 'redis://onepool:%s@redis:6379/0' "$(<"$folder/redis_password")" | write redis_url
}

# previous NAME: the value before, or, at first, the same.
previous() { there "$1_previous" || write "$1_previous" <"$folder/$1"; }

make_missing() {
    made bigcommerce_hook_secret
    made sitoo_events_password
    previous bigcommerce_hook_secret
    previous sitoo_events_password
    redis_files
    given sitoo_api_password "the password of Sitoo's API key"
    given bigcommerce_access_token "the access token of BigCommerce's API account"
}

again="it counts after: deploy/compose.sh update --no-build"

rotate() {
    case $1 in
        bigcommerce_hook_secret | sitoo_events_password | redis_password) ;;
        *) fail "--rotate \"$1\": only bigcommerce_hook_secret, sitoo_events_password and redis_password have a previous value" ;;
    esac
    there "$1" || fail "${folder#"$ROOT"/}/$1 is missing; nothing to rotate"
    write "$1_previous" <"$folder/$1"
    random | write "$1"
    if [ "$1" = redis_password ]; then
        rm -f "$folder/redis_url"
        redis_files
        echo "secrets: $again, which starts Redis again first; then deploy/secrets.sh --end redis_password, and update once more"
    else
        echo "secrets: both values: $again. Then give the new one to the platform"
    fi
}

end() {
    case $1 in
        bigcommerce_hook_secret | sitoo_events_password) write "$1_previous" <"$folder/$1" ;;
        redis_password)
            rm -f "$folder/$1_previous"
            redis_files
            ;;
        *) fail "--end \"$1\": only bigcommerce_hook_secret, sitoo_events_password and redis_password have a previous value" ;;
    esac
    echo "secrets: $again"
}

# set_value NAME: what was handed out to you, new or for the first time.
set_value() {
    local value
    case $1 in
        bigcommerce_access_token | sitoo_api_password | sitoo_api_password_[2-8] | bigcommerce_client_secret) ;;
        notify_secret | smtp_password) ;;
        *) fail "--set \"$1\" is none of bigcommerce_access_token, sitoo_api_password, sitoo_api_password_2 to _8," \
            "bigcommerce_client_secret, notify_secret, smtp_password" ;;
    esac
    value=$(asked "$1")
    [ -n "$value" ] || fail "$1 is empty; nothing was changed"
    if [ "$1" = bigcommerce_client_secret ]; then
        if there "$1"; then write "$1_previous" <"$folder/$1"; else printf '%s' "$value" | write "$1_previous"; fi
    fi
    printf '%s' "$value" | write "$1"
    echo "secrets: $again"
}

mkdir -p "$folder"
chmod 700 "$ROOT/deploy/secrets" "$folder"
case ${1:-} in
    '') make_missing ;;
    --rotate) rotate "${2:-}" ;;
    --end) end "${2:-}" ;;
    --set) set_value "${2:-}" ;;
    *) fail "usage: deploy/secrets.sh [INSTANCE] [--rotate NAME | --end NAME | --set NAME]" ;;
esac
