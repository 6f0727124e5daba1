#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# deploy/compose.sh image|up|down: what `make image`, `make compose-up` and `make compose-down` do, with the docker that
# is here.
# deploy/compose.sh update [--no-build] [FUNCTION...]: a rolling update of what runs, one function after the other: new replicas
# beside the old ones, until they are healthy; then the old ones end, having finished what they had in hand. nginx,
# Redis and the simulators stay. --no-build: the image of ONEPOOL_TAG is there already (a rollback).
# deploy/compose.sh backup FOLDER | restore COPY: a copy of all that Redis holds, while it runs; and its way back, for which
# everything is stopped (docs/operations.md, "Redis: users, network, copies").
#
# ONEPOOL_INSTANCE, from the environment or .env, says what is started (docker-compose.yml). Without it, or "simulated":
# with simulated platforms, whose world begins anew each time, so the Redis that remembers the time before is emptied
# with them. That of any other instance never is.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "compose: $*"; }
fail() {
    echo "compose: $*" >&2
    exit 1
}

# setting NAME DEFAULT: as docker compose reads it, the environment before .env.
setting() {
    local value=${!1:-}
    if [ -z "$value" ] && [ -r .env ]; then value=$(sed -n "s/^$1=//p" .env | tail -n 1); fi
    echo "${value:-$2}"
}

check_docker() {
    docker info >/dev/null 2>&1 ||
        fail "no docker engine answers; install one (Debian: docker.io), or start it, or join the group that may use it"
    if [ "${1:-}" != engine ]; then
        docker compose version >/dev/null 2>&1 ||
            fail "docker compose 2 is missing (Debian 12 has only version 1); see https://docs.docker.com/compose/install/"
    fi
}

versions() {
    ONEPOOL_VERSION=$(setting ONEPOOL_VERSION "$(sed -n 's/^#define RELEASE *"\(.*\)"/\1/p' shared/release.h)")
    ONEPOOL_REVISION=$(setting ONEPOOL_REVISION "$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)")
    export ONEPOOL_VERSION ONEPOOL_REVISION
}

image() {
    local name
    check_docker engine
    versions
    name=$(setting ONEPOOL_IMAGE onepool):$(setting ONEPOOL_TAG latest)
    docker build -f deploy/Dockerfile --target runtime -t "$name" \
        --build-arg "VERSION=$ONEPOOL_VERSION" --build-arg "REVISION=$ONEPOOL_REVISION" .
    docker image inspect -f 'size {{.Size}} bytes, {{len .RootFS.Layers}} layers' "$name"
    docker history --format 'table {{.Size}}\t{{.CreatedBy}}' "$name"
}

compose() {
    if [ "$INSTANCE" = simulated ]; then docker compose --profile sim "$@"; else docker compose "$@"; fi
}

check_files() {
    local file
    for file in "deploy/compose/$INSTANCE.env" "deploy/compose/$INSTANCE.json"; do
        [ -r "$file" ] || fail "$file is missing; ONEPOOL_INSTANCE is $INSTANCE (docs/operations.md, \"With docker compose\")"
    done
}

up() {
    check_docker
    check_files
    versions
    deploy/secrets.sh "$INSTANCE"
    build
    if [ "$INSTANCE" = simulated ]; then compose down -v --remove-orphans; fi
    compose up -d --wait --remove-orphans || {
        compose ps -a
        fail "not everything is healthy; docker compose logs <service> says why, make compose-down stops it"
    }
    say "up: instance $INSTANCE, calls at http://127.0.0.1:$(setting ONEPOOL_HTTP_PORT 8080)," \
        "status at http://127.0.0.1:$(setting ONEPOOL_INTERNAL_PORT 8081)/status"
    say "what is going on:  docker compose exec stock-moved onepool status"
    if [ "$INSTANCE" = simulated ]; then
        say "a day in the shops: curl -X POST -d '{\"scale\": 1.0}' http://127.0.0.1:$(setting ONEPOOL_SIM_PORT 8090)/day"
        say "are levels right?   curl http://127.0.0.1:$(setting ONEPOOL_SIM_PORT 8090)/oracle"
    fi
}

down() {
    check_docker
    if [ "$INSTANCE" = simulated ]; then compose down -v --remove-orphans; else compose down --remove-orphans; fi
}

# Also what is restarted again and again: an update may be what mends it.
functions_that_run() {
    compose ps --services --status running --status restarting | grep -vxE 'nginx|redis|simulators' || true
}

# build SERVICE...: not what a registry has.
build() { if [ "$(setting ONEPOOL_PULL never)" = never ]; then compose build "$@"; else compose pull "$@"; fi; }

health_of() { docker inspect -f '{{.State.Health.Status}}' "$@" 2>/dev/null | sort | uniq -c | awk '{ printf "%s%s %s", sep, $1, $2; sep = ", " }'; }

# wait_healthy CONTAINER...: within two minutes, else status 1.
wait_healthy() {
    local end=$((SECONDS + 120))
    until [ "$(health_of "$@")" = "$# healthy" ]; do
        if [ "$SECONDS" -ge "$end" ]; then return 1; fi
        sleep 1
    done
}

take_away() {
    docker rm -f "$@" >/dev/null || true
    fail "interrupted; the new ones were taken away again, the old ones go on"
}

# split NAME: its containers, as `old`, which go, and `new`, which are of the image that is to run while others are not: an update
# that was interrupted left them.
split() {
    local one image all
    image=$(docker image inspect -f '{{.Id}}' "$(setting ONEPOOL_IMAGE onepool):$(setting ONEPOOL_TAG latest)" 2>/dev/null || true)
    mapfile -t all < <(compose ps -aq "$1")
    old=() new=()
    for one in "${all[@]}"; do
        if [ "$(docker inspect -f '{{.Image}}' "$one")" = "$image" ]; then new+=("$one"); else old+=("$one"); fi
    done
    if [ ${#old[@]} -eq 0 ]; then
        old=("${new[@]}")
        new=()
    fi
}

# update_one FUNCTION: as many new replicas beside the old ones; when the new ones are healthy, the old ones go.
update_one() {
    local name=$1 old new after one
    split "$name"
    if [ ${#old[@]} -eq 0 ]; then
        say "$name does not run; left alone"
        return
    fi
    say "$name: ${#old[@]} new beside ${#old[@]} that run"
    # Not --wait, which asks the old ones too: they may be what is to be replaced.
    if [ ${#new[@]} -lt ${#old[@]} ]; then
        compose up -d --no-deps --no-recreate --scale "$name=$((2 * ${#old[@]}))" "$name" || true
        mapfile -t after < <(compose ps -aq "$name")
        new=()
        for one in "${after[@]}"; do
            if [[ " ${old[*]} " != *" $one "* ]]; then new+=("$one"); fi
        done
    fi
    ((${#new[@]})) || fail "no new $name could be made (see above); the old one goes on, as do the functions after it"
    trap 'take_away "${new[@]}"' INT TERM
    say "$name: waiting until the new are healthy"
    if ! wait_healthy "${new[@]}"; then
        docker logs --tail 20 "${new[0]}" >&2 || true
        docker rm -f "${new[@]}" >/dev/null || true
        fail "the new $name is not healthy and was taken away again; the old one goes on, as do the functions after it"
    fi
    trap - INT TERM
    sleep 2 # nginx looks names up once a second
    docker stop -t 40 "${old[@]}" >/dev/null
    docker rm "${old[@]}" >/dev/null
}

# The new release may send commands that Redis's users may not use yet: Redis is started again with the new file. Calls meanwhile are
# told 503 and come again.
renew_redis() {
    if [ -z "$(compose ps -q redis)" ]; then return; fi
    if compose exec -T redis cat /run/secrets/redis_acl | cmp -s - "deploy/secrets/$INSTANCE/redis_acl"; then return; fi
    say "redis: started again, since its users' rights or password changed"
    compose up -d --no-deps --force-recreate --wait redis
}

update() {
    local name build=1 names
    if [ "${1:-}" = --no-build ]; then
        build=0
        shift
    fi
    check_docker
    check_files
    versions
    deploy/secrets.sh "$INSTANCE"
    if [ "$build" = 1 ]; then build sitoo-events; fi
    names=("$@")
    if [ ${#names[@]} -eq 0 ]; then mapfile -t names < <(functions_that_run); fi
    renew_redis
    for name in "${names[@]}"; do update_one "$name"; done
    say "updated: ${names[*]}"
}

backup() {
    local name keep copies old
    keep=$(setting KEEP 14)
    [ $# -eq 1 ] || fail "usage: deploy/compose.sh backup FOLDER"
    [[ $keep =~ ^[1-9][0-9]{0,3}$ ]] || fail "KEEP is \"$keep\"; it must be a whole number from 1 to 9999"
    check_docker
    mkdir -p "$1"
    name=$1/onepool-$(date -u +%Y%m%dT%H%M%SZ).rdb
    # shellcheck disable=SC2016 # the container's shell reads the password
    if ! (umask 077 && compose exec -T redis sh -c 'REDISCLI_AUTH=$(cat /run/secrets/redis_password) exec redis-cli --user backup --rdb -' >"$name.part"); then
        rm -f "$name.part"
        fail "Redis did not give a copy; nothing was stored"
    fi
    # On the volume: a copy can be larger than /tmp.
    if ! compose run --rm -T --no-deps redis sh -c 'trap "rm -f /data/.check.rdb" EXIT; cat >/data/.check.rdb && redis-check-rdb /data/.check.rdb >/dev/null' \
        <"$name.part"; then
        rm -f "$name.part"
        fail "the copy is damaged, or there was no room on Redis's volume to check it; nothing was stored"
    fi
    mv "$name.part" "$name"
    (cd "$1" && sha256sum "${name##*/}" >"${name##*/}.sha256")
    mapfile -t copies < <(cd "$1" && printf '%s\n' onepool-*Z.rdb | sort -r)
    for old in "${copies[@]:keep}"; do rm -f "$1/$old" "$1/$old.sha256"; done
    echo "$name"
}

restore() {
    local copy=${1:-} name scales=()
    [ $# -eq 1 ] || fail "usage: deploy/compose.sh restore COPY.rdb"
    [ -r "$copy" ] || fail "$copy cannot be read"
    check_docker
    check_files
    if [ -r "$copy.sha256" ]; then
        (cd "$(dirname "$copy")" && sha256sum --quiet -c "${copy##*/}.sha256") || fail "$copy is not what was stored; take another copy"
    fi
    mapfile -t running < <(functions_that_run)
    for name in "${running[@]}"; do scales+=(--scale "$name=$(compose ps -q "$name" | wc -l)"); done
    say "stopping the functions and Redis"
    compose stop -t 40 "${running[@]}" redis
    compose run --rm -T --no-deps redis sh -c 'trap "rm -f /data/.copy.rdb" EXIT; cat >/data/.copy.rdb && /opt/onepool/restore.sh /data/.copy.rdb /data' \
        <"$copy" || fail "nothing was restored; docker compose up -d starts everything as it was"
    say "starting them again; onepool status says when what happened since the copy is read again"
    compose up -d --wait redis
    compose up -d --wait "${scales[@]}" "${running[@]}" # as many of each as before
}

INSTANCE=$(setting ONEPOOL_INSTANCE simulated)
export ONEPOOL_INSTANCE=$INSTANCE
case ${1:-} in
    image) image ;;
    up) up ;;
    down) down ;;
    update) update "${@:2}" ;;
    backup) backup "${@:2}" ;;
    restore) restore "${@:2}" ;;
    *)
        echo "usage: deploy/compose.sh image|up|down|update|backup|restore" >&2
        exit 2
        ;;
esac
