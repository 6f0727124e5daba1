#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# nginx/render.sh machine|replicas NAME=VALUE...: prints nginx's configuration, made of nginx/onepool.conf.in. Fails if a value is
# missing or one is given that nobody asks for.
#
#   both      HTTP_PORT INTERNAL_PORT, RUN (folder of the pid file), TMP (folder of temporary files), ERROR_LOG, ACCESS_LOG,
#             USER_LINE (empty, or which user the workers are)
#   machine   RUN is the folder of the sockets, too
#   replicas  RESOLVER (address of the name server), PORT_A PORT_B (the functions' ports), LISTEN (file with the public listener), SERVERS
#             (files with further servers)
set -euo pipefail

fail() {
    echo "nginx/render.sh: $*" >&2
    exit 1
}

case ${1:-} in
    machine) keep=MACHINE drop=REPLICAS function=\$function ;;
    replicas) keep=REPLICAS drop=MACHINE function=\$function:@PORT_A@ ;;
    *) fail "usage: nginx/render.sh machine|replicas NAME=VALUE..." ;;
esac
shift

text=$(sed -e "/^@$drop:/d" -e "s/^@$keep://" "$(dirname "$0")/onepool.conf.in")
text=${text//@FUNCTION@/"$function"}
for pair in "$@"; do
    name=${pair%%=*}
    value=${pair#*=}
    # These would end the quotes around the value, or be a variable of nginx.
    if [[ $name != USER_LINE && $value == *[\"\'\$\\\;]* ]]; then fail "$name holds a quote, a dollar sign, a backslash or a semicolon"; fi
    if [[ $text != *"@$name@"* ]]; then fail "$name is not asked for"; fi
    text=${text//"@$name@"/"$value"}
done
if [[ $text =~ @[A-Z_]+[@:] ]]; then fail "${BASH_REMATCH[0]} has no value"; fi
printf '%s\n' "$text"
