#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# deploy/redis-users.sh TENANT PASSWORD_FILE [USER [PREVIOUS_FILE]]: prints an ACL file for Redis (redis-server's setting aclfile) with three
# users. "onepool", or USER, may use the keys and channels of that tenant, with only the commands that onepool sends;
# "backup", with the same password, may only take copies as a replica does (deploy/backup.sh); "health" may only PING. The
# built-in user "default" is switched off. The file holds a digest of the password, not the password; REDIS_URL is then
# redis://onepool:PASSWORD@host:port/0. PREVIOUS_FILE: a password that is accepted too, while it is changed. PASSWORD_FILE "-": users
# without password, for tests on a private socket.
set -euo pipefail

fail() {
    echo "redis-users: $*" >&2
    exit 1
}

case $# in
    2 | 3 | 4) ;;
    *) fail "usage: deploy/redis-users.sh TENANT PASSWORD_FILE [USER [PREVIOUS_FILE]]" ;;
esac
tenant=$1
user=${3:-onepool}
[[ $tenant =~ ^[A-Za-z0-9_-]{1,64}$ ]] || fail "TENANT has other characters than A-Z a-z 0-9 _ -, or more than 64"
[[ $user =~ ^[A-Za-z0-9_-]{1,64}$ ]] || fail "USER has other characters than A-Z a-z 0-9 _ -, or more than 64"

# digest FILE: as Redis keeps a password.
digest() {
    local password
    password=$(<"$1") || fail "$1 cannot be read"
    [ ${#password} -ge 16 ] || fail "the password in $1 has fewer than 16 characters"
    printf '#%s' "$(printf %s "$password" | sha256sum | cut -d ' ' -f 1)"
}

if [ "$2" = - ]; then
    secret=nopass
else
    secret=$(digest "$2")
    if [ -n "${4:-}" ]; then secret+=" $(digest "$4")"; fi
fi

# Connection, time, durability (what onepool checks at its start and when it has the file written anew).
commands=(auth select ping time info 'config|get' bgrewriteaof subscribe unsubscribe publish)
# The functions of shared/lua, which are loaded by the first process that misses them.
commands+=(fcall 'function|load')
# What programs and functions do with keys.
commands+=(exists del unlink copy rename expire pexpire persist pttl type
    get set getdel mget incr
    hget hset hsetnx hdel hexists hgetall hkeys hvals hlen hmget hincrby hscan hstrlen
    lpush rpush lrange ltrim llen
    sadd srem sismember smembers scard srandmember
    zadd zrem zcard zcount zscore zmscore zrange zrangebyscore zremrangebyrank zremrangebyscore zincrby
    xadd xrange xrevrange xlen xtrim)

if [ "$user" != default ]; then echo "user default off"; fi
printf 'user %s on %s ~{%s}* &{%s}* -@all' "$user" "$secret" "$tenant" "$tenant"
printf ' +%s' "${commands[@]}"
printf '\nuser backup on %s resetkeys resetchannels -@all +ping +sync +psync +replconf\n' "$secret"
echo "user health on nopass resetkeys resetchannels -@all +ping"
