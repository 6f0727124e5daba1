#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# deploy/compose.sh image|up|down: what `make image`, `make compose-up` and `make compose-down` do, with the docker that
# is here.
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

INSTANCE=$(setting ONEPOOL_INSTANCE simulated)
export ONEPOOL_INSTANCE=$INSTANCE
case ${1:-} in
    image) image ;;
    up) up ;;
    down) down ;;
    *)
        echo "usage: deploy/compose.sh image|up|down" >&2
        exit 2
        ;;
esac
