#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# deploy/stack.sh up|down|status: the whole of onepool on this machine, on loopback, with its state under var/.
#
#   var/onepool.env   the settings in use (mode 0600; KEY='value' lines for `.` in a shell)
#   var/run/          sockets, pid files       var/log/    logs
#   var/redis/        Redis's data             var/mapping.json   written by the simulators
#
# Without BIGCOMMERCE_API_URL and SITOO_API_URL both platforms are simulated. The simulators begin anew each time they
# start, so a Redis that remembers the day before would contradict them: it then lives in var/redis-simulated, which
# `up` empties when it starts the simulators. var/redis, used with real platforms, is never emptied.
set -euo pipefail

ROOT=$(cd "$(dirname "$0")/.." && pwd -P)
VAR=$ROOT/var
RUN=$VAR/run
LOG=$VAR/log
ENV_FILE=$VAR/onepool.env
FUNCTIONS=(sitoo-events sale return stock-moved order-created order-updated pickup-updated product-updated sweep)
START_LIMIT_S=30
STOP_LIMIT_S=35 # a function ends what it has in hand within 25 s (DRAIN_LIMIT_MS of shared/supervise.c)

say() { echo "stack: $*"; }
fail() {
    echo "stack: $*" >&2
    exit 1
}

# ---------------------------------------------------------------- processes

# A text that only the named part of this checkout has in its command line.
mark_of() {
    case $1 in
        redis) echo "$RUN/redis.sock" ;;
        nginx) echo "$VAR/nginx/onepool.conf" ;;
        simulators) echo "$ROOT/tests/sim/main.py" ;;
        *) echo "$ROOT/build/$1" ;;
    esac
}

# Prints the pid of a part if its pid file names a process that is still that program.
pid_of() {
    local pid
    [ -r "$RUN/$1.pid" ] || return 1
    read -r pid <"$RUN/$1.pid" || return 1
    [[ $pid =~ ^[0-9]+$ ]] || return 1
    [[ $(command_line "$pid") == *"$(mark_of "$1")"* ]] || return 1
    echo "$pid"
}

# Empty if there is no such process, or if it has ended and only its parent does not know yet. A process that is just
# becoming another program has none for a moment, too; that moment is waited for.
command_line() {
    local words=() stat _
    for _ in {1..100}; do
        { mapfile -d '' -t words <"/proc/$1/cmdline" && read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
        if [ ${#words[@]} -gt 0 ] || [[ ${stat##*) } == [ZX]* ]]; then break; fi
        sleep 0.01
    done
    echo "${words[*]}"
}

alive() { pid_of "$1" >/dev/null; }

# start NAME LOGFILE COMMAND...: in the background, in a session of its own, so that it outlives the terminal.
start() {
    local name=$1 log=$2
    shift 2
    setsid "$@" </dev/null >>"$log" 2>&1 9>&- &
    echo $! >"$RUN/$name.pid"
    wait_until 5 became_a_program $! || fail "$name cannot be started"
}

# False while the new process is still a copy of this shell.
became_a_program() { [[ $(command_line "$1") != *"$0 "* ]]; }

# Ends the children of a part whose first process was killed (nginx's workers go on without their master and keep the
# port). They are known by the group that the first process led, and by the folder they run in.
clear_leftovers() {
    local leader file stat pid state group
    if alive "$1" || [ ! -r "$RUN/$1.pid" ]; then return; fi
    read -r leader <"$RUN/$1.pid" || return 0
    for file in /proc/[0-9]*/stat; do
        { read -r stat <"$file"; } 2>/dev/null || continue
        read -r state _ group _ <<<"${stat##*) }"
        pid=${stat%% *}
        if [ "$group" = "$leader" ] && [ "$state" != Z ] && [ "$(readlink "/proc/$pid/cwd")" = "$ROOT" ]; then
            say "$1: ending process $pid, left over by its parent"
            kill -s KILL "$pid" 2>/dev/null || true
            wait_until 5 ended "$pid" || fail "process $pid cannot be stopped"
        fi
    done
}

ended() { [ -z "$(command_line "$1")" ]; }

# wait_until SECONDS COMMAND...
wait_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        if [ "$SECONDS" -ge "$end" ]; then return 1; fi
        sleep 0.1
    done
}

gone() { ! alive "$1"; }

# stop SIGNAL NAME...: the signal to all, then waits for all.
stop() {
    local signal=$1 name pid
    shift
    for name in "$@"; do
        if pid=$(pid_of "$name"); then kill -s "$signal" "$pid" 2>/dev/null || true; fi
    done
    for name in "$@"; do
        if ! wait_until "$STOP_LIMIT_S" gone "$name"; then
            say "$name did not stop within $STOP_LIMIT_S s and is killed; see $LOG/$name.log"
            if pid=$(pid_of "$name"); then kill -s KILL -- "-$pid" 2>/dev/null || true; fi
            wait_until 5 gone "$name" || fail "$name (pid $pid) cannot be stopped"
        fi
        clear_leftovers "$name"
        rm -f "$RUN/$name.pid"
    done
}

show_logs_and_fail() {
    local file
    for file in "$LOG"/*.log; do
        if [ ! -s "$file" ] || [ "$file" = "$LOG/nginx-access.log" ]; then continue; fi
        echo "---- ${file#"$ROOT"/}" >&2
        tail -n 15 "$file" >&2
    done
    fail "$*; what was started is still there: deploy/stack.sh down stops it"
}

# ---------------------------------------------------------------- settings

simulated() { [ -z "${BIGCOMMERCE_API_URL:-}${SITOO_API_URL:-}" ]; }
own_redis() { [ -z "${REDIS_URL:-}${REDIS_URL_FILE:-}" ]; }

random_secret() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

# secret NAME: unless NAME or NAME_FILE is set, the value of the time before, or a new one.
secret() {
    local name=$1 file_name=$1_FILE before=
    if [ -n "${!name:-}${!file_name:-}" ]; then return; fi
    # shellcheck disable=SC1090
    if [ -r "$ENV_FILE" ]; then before=$(unset "$name" && . "$ENV_FILE" && echo "${!name:-}"); fi
    export "$name=${before:-$(random_secret)}"
}

default_settings() {
    unset ONEPOOL_LISTEN # each function has its own
    export ONEPOOL_STATE_DIR=${ONEPOOL_STATE_DIR:-$ROOT/var/state}
    mkdir -p "$ONEPOOL_STATE_DIR"
    # A shell that has read var/onepool.env of a simulated stack: those addresses ended with it.
    if [ -n "${ONEPOOL_SIM_CONTROL_URL:-}" ]; then unset SITOO_API_URL BIGCOMMERCE_API_URL ONEPOOL_SIM_CONTROL_URL; fi
    if [ "${REDIS_URL:-}" = "unix://$RUN/redis.sock" ]; then unset REDIS_URL; fi
    export ONEPOOL_HTTP_PORT=${ONEPOOL_HTTP_PORT:-8080} ONEPOOL_INTERNAL_PORT=${ONEPOOL_INTERNAL_PORT:-8081}
    export SITOO_EVENTS_USER=${SITOO_EVENTS_USER:-onepool}
    secret SITOO_EVENTS_PASSWORD
    secret BIGCOMMERCE_HOOK_SECRET
    SIMULATED=0
    OWN_REDIS=0
    if simulated; then
        SIMULATED=1
        export ONEPOOL_SIM_CONTROL_URL=starting # known once they run
    fi
    if own_redis; then
        OWN_REDIS=1
        export REDIS_URL=unix://$RUN/redis.sock
    fi
}

# What the simulators know us by, and where they are.
simulator_settings() {
    local ready=$RUN/simulators.ready
    url() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" "$ready" | head -n 1; }
    export SITOO_API_ID=1500-1 SITOO_API_PASSWORD=sim-sitoo-password SITOO_ACCOUNT_ID=1500 SITOO_SITE_ID=1
    export BIGCOMMERCE_STORE_HASH=simstore BIGCOMMERCE_ACCESS_TOKEN=sim-bc-token
    unset SITOO_API_PASSWORD_FILE BIGCOMMERCE_ACCESS_TOKEN_FILE
    export ONEPOOL_MODE=${ONEPOOL_MODE:-live} ONEPOOL_CONFIG=${ONEPOOL_CONFIG:-$VAR/mapping.json}
    SITOO_API_URL=$(url sitoo)
    BIGCOMMERCE_API_URL=$(url bigcommerce)
    ONEPOOL_SIM_CONTROL_URL=$(url control)
    export SITOO_API_URL BIGCOMMERCE_API_URL ONEPOOL_SIM_CONTROL_URL
}

write_env_file() {
    local name value
    (
        umask 077
        {
            echo "# Settings in use, written by deploy/stack.sh up; holds secrets."
            while read -r name; do
                value=${!name}
                printf "%s='%s'\n" "$name" "${value//\'/\'\\\'\'}"
            done < <(compgen -e | grep -E '^(ONEPOOL_|SITOO_|BIGCOMMERCE_|REDIS_URL)' | sort)
        } >"$ENV_FILE.part"
    )
    chmod 600 "$ENV_FILE.part"
    mv "$ENV_FILE.part" "$ENV_FILE"
}

# What was decided at the last `up`, for a part that has to be started again.
read_env_file() {
    [ -r "$ENV_FILE" ] || fail "${ENV_FILE#"$ROOT"/} is missing while parts are running; deploy/stack.sh down, then up"
    set -a
    # shellcheck disable=SC1090
    . "$ENV_FILE"
    set +a
    unset ONEPOOL_LISTEN
}

# ---------------------------------------------------------------- checks before anything is started

check_port() {
    local name=$1 port=${!1}
    if ! [[ $port =~ ^[0-9]{1,5}$ ]] || [ "$port" -lt 1 ] || [ "$port" -gt 65535 ]; then
        fail "$name is \"$port\"; it must be a port from 1 to 65535"
    fi
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
        fail "port $port is in use by another program; choose a free one, for example: $name=$((port + 1000)) make up"
    fi
}

check_before_start() {
    local name longest=$RUN/sitoo-events.a.sock
    [ ${#longest} -lt 108 ] || fail "$longest is too long for a socket (107 bytes); move the checkout to a shorter path"
    [[ $ROOT != *[\"\'\$\\]* ]] || fail "the path $ROOT holds a quote, a dollar sign or a backslash; move the checkout"
    for name in "${FUNCTIONS[@]}"; do
        [ -x "$ROOT/build/$name" ] || fail "build/$name is missing; run make all"
    done
    if alive nginx; then return; fi
    [ "$ONEPOOL_HTTP_PORT" != "$ONEPOOL_INTERNAL_PORT" ] || fail "ONEPOOL_HTTP_PORT and ONEPOOL_INTERNAL_PORT are both $ONEPOOL_HTTP_PORT"
    check_port ONEPOOL_HTTP_PORT
    check_port ONEPOOL_INTERNAL_PORT
}

# ---------------------------------------------------------------- parts

start_redis() {
    local folder=$1
    mkdir -p "$folder"
    rm -f "$RUN/redis.sock"
    start redis "$LOG/redis.log" redis-server "$ROOT/deploy/redis.conf" --dir "$folder" --unixsocket "$RUN/redis.sock"
    wait_until 15 redis_answers || show_logs_and_fail "Redis does not answer"
}

redis_answers() {
    alive redis && [ "$(redis-cli -s "$RUN/redis.sock" ping 2>/dev/null)" = PONG ]
}

simulators_ready() { grep -q '"ready": *true' "$RUN/simulators.ready" 2>/dev/null; }
simulators_settled() { simulators_ready || gone simulators; }

start_simulators() {
    rm -f "$RUN/simulators.ready"
    # Their one line on standard output says where they listen.
    # shellcheck disable=SC2016 # expanded by the inner shell
    start simulators "$LOG/simulators.log" \
        sh -c 'out=$1; shift; exec "$@" >"$out"' sh "$RUN/simulators.ready" \
        /usr/bin/python3 -B "$ROOT/tests/sim/main.py" --sitoo-port 0 --bigcommerce-port 0 --control-port 0 \
        --feed-url "http://127.0.0.1:$ONEPOOL_HTTP_PORT/hooks/sitoo" --feed-user "$SITOO_EVENTS_USER" \
        --feed-password "${SITOO_EVENTS_PASSWORD:-$(cat "${SITOO_EVENTS_PASSWORD_FILE:-/dev/null}")}" \
        --seed 1 --returns --web-orders --products --write-mapping "$VAR/mapping.json" --mapping "$VAR/mapping.json"
    wait_until 15 simulators_settled || true
    simulators_ready || show_logs_and_fail "the simulators did not start"
}

render_nginx() {
    local user_line=
    # nginx's workers must reach sockets and logs in this checkout. As root they therefore stay root: the checkout may lie
    # in a folder that is closed to everybody else. An ordinary user's nginx runs as that user anyway.
    if [ "$(id -u)" -eq 0 ]; then user_line='user root;'; fi
    "$ROOT/nginx/render.sh" machine HTTP_PORT="$ONEPOOL_HTTP_PORT" INTERNAL_PORT="$ONEPOOL_INTERNAL_PORT" RUN="$RUN" \
        TMP="$VAR/nginx" ERROR_LOG="$LOG/nginx-error.log" ACCESS_LOG="$LOG/nginx-access.log" USER_LINE="$user_line" \
        >"$VAR/nginx/onepool.conf"
}

start_nginx() {
    render_nginx
    start nginx "$LOG/nginx-error.log" "$(nginx_program)" -e "$LOG/nginx-error.log" -p "$VAR/nginx" -c "$VAR/nginx/onepool.conf"
}

# Debian keeps it in /usr/sbin, which is not on an ordinary user's path.
nginx_program() { PATH=$PATH:/usr/sbin command -v nginx; }

start_function() {
    rm -f "$RUN/$1.a.sock" "$RUN/$1.b.sock"
    start "$1" "$LOG/$1.log" env ONEPOOL_LISTEN="$RUN/$1" "$ROOT/build/$1"
}

# ---------------------------------------------------------------- up, down, status

parts() {
    if [ "$OWN_REDIS" = 1 ]; then echo redis; fi
    if [ "$SIMULATED" = 1 ]; then echo simulators; fi
    echo nginx
    printf '%s\n' "${FUNCTIONS[@]}"
}

answers_200() {
    [ "$(curl -s -o /dev/null -m 2 -w '%{http_code}' "http://127.0.0.1:$1")" = 200 ]
}

ready() {
    local name
    for name in "${FUNCTIONS[@]}"; do
        [ -S "$RUN/$name.a.sock" ] && [ -S "$RUN/$name.b.sock" ] || return 1
    done
    answers_200 "$ONEPOOL_HTTP_PORT/ready" && answers_200 "$ONEPOOL_INTERNAL_PORT/status"
}

# A part that ended while we wait will not come up any more.
ready_or_ended() {
    local name
    for name in nginx "${FUNCTIONS[@]}"; do
        if gone "$name"; then return 0; fi
    done
    ready
}

wait_for_ready() {
    local name
    wait_until "$START_LIMIT_S" ready_or_ended || show_logs_and_fail "not ready after $START_LIMIT_S s"
    for name in nginx "${FUNCTIONS[@]}"; do
        alive "$name" || show_logs_and_fail "$name ended; its log says why"
    done
}

started_parts() {
    local name
    for name in redis simulators nginx "${FUNCTIONS[@]}"; do
        if alive "$name"; then echo "$name"; fi
    done
}

# Of the stack that runs: from what was written at its start.
decisions_of_running_stack() {
    read_env_file
    SIMULATED=0
    OWN_REDIS=0
    if [ -n "${ONEPOOL_SIM_CONTROL_URL:-}" ]; then SIMULATED=1; fi
    if [ "${REDIS_URL:-}" = "unix://$RUN/redis.sock" ]; then OWN_REDIS=1; fi
}

# Simulators and their Redis belong together: one without the other is started anew with it.
pair_is_broken() {
    [ "$SIMULATED" = 1 ] || return 1
    ! simulators_ready || gone simulators || { [ "$OWN_REDIS" = 1 ] && gone redis; }
}

start_missing() {
    local name redis_folder=$VAR/redis
    # Before anything runs, so that what is running is always described by the file, even after a failed start.
    write_env_file
    if [ "$SIMULATED" = 1 ] && gone simulators; then
        redis_folder=$VAR/redis-simulated
        rm -rf "$redis_folder"
        if [ "$OWN_REDIS" = 0 ]; then say "the simulators begin anew: the Redis at REDIS_URL should be empty"; fi
        start_simulators
    fi
    if [ "$SIMULATED" = 1 ]; then simulator_settings; fi
    if [ "$OWN_REDIS" = 1 ] && gone redis; then start_redis "$redis_folder"; fi
    write_env_file
    for name in "${FUNCTIONS[@]}"; do
        if gone "$name"; then start_function "$name"; fi
    done
    if gone nginx; then start_nginx; fi
}

up() {
    local running wanted part
    running=$(started_parts)
    if [ -n "$running" ]; then
        (decisions_of_running_stack) || exit 1
        if (decisions_of_running_stack && pair_is_broken); then
            say "the simulated world is incomplete; everything is started anew"
            down
        fi
    fi
    if [ -n "$(started_parts)" ]; then
        decisions_of_running_stack
        wanted=$(parts)
        if [ "$(started_parts)" = "$wanted" ] && ready; then
            say "already up at http://127.0.0.1:$ONEPOOL_HTTP_PORT (internal: $ONEPOOL_INTERNAL_PORT)"
            return
        fi
    else
        default_settings
    fi
    for part in redis simulators nginx "${FUNCTIONS[@]}"; do clear_leftovers "$part"; done
    check_before_start
    start_missing
    wait_for_ready
    say "up at http://127.0.0.1:$ONEPOOL_HTTP_PORT (internal: $ONEPOOL_INTERNAL_PORT), mode ${ONEPOOL_MODE:-shadow until a baseline is accepted}," \
        "settings in var/onepool.env"
}

down() {
    local running
    running=$(started_parts)
    # What takes events goes first, what it needs goes last.
    stop TERM "${FUNCTIONS[@]}"
    stop TERM nginx
    stop TERM simulators
    stop TERM redis
    rm -f "$RUN/simulators.ready" "$RUN"/*.sock
    if [ -n "$running" ]; then say "down"; else say "nothing was running"; fi
}

status() {
    local name pid all=0
    for name in redis simulators nginx "${FUNCTIONS[@]}"; do
        if pid=$(pid_of "$name"); then
            echo "$name: running, pid $pid"
        else
            echo "$name: not running"
            case $name in redis | simulators) ;; *) all=3 ;; esac
        fi
    done
    return "$all"
}

main() {
    local folder
    for folder in "$VAR" "$RUN" "$LOG" "$VAR/nginx"; do
        if [ ! -d "$folder" ]; then mkdir -m 700 "$folder"; fi
    done
    cd "$ROOT"
    # One at a time; what is started does not inherit the lock (9>&- above).
    exec 9>"$RUN/stack.lock"
    flock 9
    case ${1:-} in
        up) up ;;
        down) down ;;
        status) status ;;
        *)
            echo "usage: deploy/stack.sh up|down|status" >&2
            exit 2
            ;;
    esac
}

main "$@"
