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
    compose build
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

functions_that_run() {
    compose ps --services | grep -vxE 'nginx|redis|simulators' || true
}

# update_one FUNCTION: twice as many replicas for a moment; those of before are the ones that go.
update_one() {
    local name=$1 before fresh
    mapfile -t before < <(compose ps -q "$name")
    if [ ${#before[@]} -eq 0 ]; then
        say "$name does not run; left alone"
        return
    fi
    say "$name: ${#before[@]} new beside ${#before[@]} that run"
    if ! compose up -d --no-deps --no-recreate --wait --wait-timeout 120 --scale "$name=$((2 * ${#before[@]}))" "$name"; then
        mapfile -t fresh < <(compose ps -aq "$name" | grep -vxF "$(printf '%s\n' "${before[@]}")")
        docker logs --tail 20 "${fresh[0]}" >&2 || true
        docker rm -f "${fresh[@]}" >/dev/null || true
        fail "the new $name is not healthy and was taken away again; the old one goes on, as do the functions after it"
    fi
    sleep 2 # nginx looks names up once a second
    docker stop -t 40 "${before[@]}" >/dev/null
    docker rm "${before[@]}" >/dev/null
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
    if [ "$build" = 1 ]; then compose build sitoo-events; fi
    names=("$@")
    if [ ${#names[@]} -eq 0 ]; then mapfile -t names < <(functions_that_run); fi
    for name in "${names[@]}"; do update_one "$name"; done
    say "updated: ${names[*]}"
}

backup() {
    local name
    [ $# -eq 1 ] || fail "usage: deploy/compose.sh backup FOLDER"
    check_docker
    mkdir -p "$1"
    name=$1/onepool-$(date -u +%Y%m%dT%H%M%SZ).rdb
    # shellcheck disable=SC2016 # the container's shell reads the password
    if ! (umask 077 && compose exec -T redis sh -c 'REDISCLI_AUTH=$(cat /run/secrets/redis_password) exec redis-cli --user backup --rdb -' >"$name.part"); then
        rm -f "$name.part"
        fail "Redis did not give a copy; nothing was stored"
    fi
    if ! compose run --rm -T --no-deps redis sh -c 'cat >/tmp/copy.rdb && redis-check-rdb /tmp/copy.rdb >/dev/null' <"$name.part"; then
        rm -f "$name.part"
        fail "the copy is damaged; nothing was stored"
    fi
    mv "$name.part" "$name"
    (cd "$1" && sha256sum "${name##*/}" >"${name##*/}.sha256")
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
    compose run --rm -T --no-deps redis sh -c 'cat >/tmp/copy.rdb && /opt/onepool/restore.sh /tmp/copy.rdb /data' <"$copy" ||
        fail "nothing was restored; docker compose up -d starts everything as it was"
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
