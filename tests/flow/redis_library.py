# SPDX-License-Identifier: Apache-2.0
"""The Redis Function library (shared/lua) against a real Redis of its own, with the settings that the product demands.

Most tests use the library as it is embedded in the binaries, and time that is Redis' own. Where a test is about minutes,
windows of quota or exact milliseconds, it uses the same source with one change: the clock is a hash that the test sets.
conftest.py has the fixtures "pool" and "timed".
"""
import hashlib
import pathlib
import signal
import subprocess
import time

import redis as client

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = b"".join(path.read_bytes() for path in sorted((ROOT / "shared" / "lua").glob("*.lua")))
VERSION = hashlib.sha256(SOURCE).hexdigest()[:8]
TENANT = "{t}"
CLOCK = "test:clock"
NOW = 1_800_000_000_000  # where the clock of a test begins, in ms
OWNER = "operations"
LEASE = 30  # ms; short, for leases that are meant to end
LONG = 60_000  # ms; for those that are not


def library(version, source=SOURCE):
    return f"#!lua name=onepool_{version}\nlocal VERSION = '{version}'\n".encode() + source


def changed(old, new):
    """The source with one change; fails if there is not exactly one place for it."""
    assert SOURCE.count(old) == 1, f"{old!r} is not in the library exactly once"
    return SOURCE.replace(old, new)


class Server:
    """redis-server on a Unix socket, in a folder of its own."""

    def __init__(self, folder, appendonly=True):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.socket = folder / "redis.sock"
        self.socket.unlink(missing_ok=True)
        argv = ["/usr/bin/redis-server", "--port", "0", "--unixsocket", self.socket, "--dir", folder, "--save", "",
                "--maxmemory-policy", "noeviction", "--appendonly", "yes" if appendonly else "no",
                "--appendfsync", "always", "--aof-load-truncated", "yes"]
        with open(folder / "redis.log", "ab") as log:
            self.process = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.redis = client.Redis(unix_socket_path=str(self.socket), decode_responses=True)
        try:
            wait_until(self.answers, "Redis answers")
        except BaseException:
            self.kill()
            raise

    def answers(self):
        assert self.process.poll() is None, "Redis ended: " + (self.folder / "redis.log").read_text()[-2000:]
        try:
            return self.redis.ping()
        except (client.ConnectionError, client.BusyLoadingError):
            return False

    def kill(self):
        self.redis.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Pool:
    """Calls of the library, and what tests look at."""

    def __init__(self, redis, version=VERSION):
        self.redis, self.version = redis, version

    def __call__(self, function, *args):
        return self.redis.execute_command("FCALL", f"{function}_{self.version}", 1, TENANT, *args)

    @staticmethod
    def key(name):
        return f"{TENANT}:{name}"

    def set_time(self, ms):
        self.redis.hset(CLOCK, mapping={"s": ms // 1000, "us": ms % 1000 * 1000})

    def at(self, ms, function, *args):
        """The call with the clock at NOW + ms. Only with the library whose clock is set."""
        self.set_time(NOW + ms)
        return self(function, *args)

    def claim(self, queue="order", limit=10, lease=LONG, tries=12):
        """(wait in ms, claims)"""
        wait, *claims = self("claim", queue, limit, lease, tries, OWNER)
        return wait, [Claim(*c) for c in claims]

    def claim_one(self, queue="order", lease=LONG, tries=12):
        """Waits until one entity is due and claims it."""
        found = []

        def claimed():
            found.extend(self.claim(queue, 1, lease, tries)[1])
            return found

        wait_until(claimed, f"something of {queue} is due")
        return found[0]

    def complete(self, claims, *effects, queue="order"):
        return self("complete", queue, len(claims), *pairs(claims), *effects)

    def defer(self, claims, delay, counted=1, cause="", queue="order"):
        return self("defer", queue, delay, counted, cause, len(claims), *pairs(claims))

    def mark(self, entity, queue="order", **more):
        return self("apply", *mark(entity, queue, **more))

    def due(self, queue="order"):
        return self.redis.zrange(self.key(f"due:{queue}"), 0, -1)

    def job(self, entity, queue="order"):
        return self.redis.hgetall(self.key(f"job:{queue}:{entity}"))

    def journal(self):
        return [row for _, row in self.redis.xrange(self.key("journal"))]

    def ledger(self):
        return [row["row"] for _, row in self.redis.xrange(self.key("ledger"))]

    def counter(self, name):
        return int(self.redis.hget(self.key("count"), name) or 0)

    def case(self, name):
        return self.redis.hgetall(self.key(f"case:{name}"))

    def parked(self):
        return self.redis.zrange(self.key("parked"), 0, -1)

    def contents(self):
        """All keys of the tenant with their values, for "nothing changed"."""
        return {k: self.redis.dump(k) for k in sorted(self.redis.keys(TENANT + "*"))}


class Claim:
    """What a worker got."""

    def __init__(self, entity, token, tries, till, hint, data, since):
        self.entity, self.token, self.tries = entity, int(token), int(tries)
        self.till, self.hints, self.data, self.since = int(till), set(hint.split()), data, int(since)


def wait_until(condition, what, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain until " + what
        time.sleep(0.002)


def pairs(claims):
    return [x for c in claims for x in (c.entity, c.token)]


def mark(entity, queue="order", till=0, hint="", data=""):
    return ["mark", queue, entity, till, hint, data]


def mark_in(entity, delay, queue="order", hint=""):
    return ["mark_in", queue, entity, delay, hint]


def case(cause="unknown_sku", entity="order 7", queue="order", job="7", data="", text="No such SKU", name="case"):
    return [name, cause, OWNER, entity, text, "Stock is not corrected", "Map the SKU", queue, job, data]


def notice(**more):
    return case(name="notice", **more)


def event(ident, *effects, data=None, again=0):
    """One event for accept()."""
    return [ident, data if data is not None else f"bytes of {ident}", again, len(effects), *effects]


def accept(pool, *events, source="sitoo"):
    return pool("accept", source, len(events), *[x for e in events for x in e])


def raw_client(pool):
    """A client that leaves bytes as they are."""
    return client.Redis(unix_socket_path=pool.redis.connection_pool.connection_kwargs["path"])


# ---- calls that several modules make ----

RESERVE = 10  # percent
NO_HEADERS = (-1, -1, -1, -1)


def take(pool, cost=1):
    return pool("rate_take", cost, RESERVE)


def pace(pool):
    return pool("rate_pace", 1, RESERVE)


CHECK, RETRY, GIVE_UP = 5000, 2000, 60_000
FIELD = "1|S1"


def put(pool, level, state="w", till=0, not_before=0, mode="live", field=FIELD, effects=()):
    return pool("levels_put", mode, state, CHECK, not_before, 1, field, level, till, *effects)


def stored(pool, field=FIELD, mode="live"):
    return pool.redis.hget(pool.key(f"level:{mode}"), field)


def seen(pool, level, was=None, field=FIELD):
    was = (stored(pool, field) or "") if was is None else was
    return pool("levels_seen", RETRY, GIVE_UP, 1, field, was, level)[0]


def lags(pool, name):
    return [int(x) for x in pool.redis.lrange(pool.key(f"lag:{name}"), 0, -1)]


def refused(pool, sku="S1"):
    return pool.redis.zscore(pool.key("parked"), f"level_refused:{sku}") is not None


def pending_put(pool, order, rows, status="11", modified="1000"):
    return pool("pending_put", order, status, modified, len(rows), *[x for row in rows for x in row])


def pending(pool):
    return {k: int(v) for k, v in pool.redis.hgetall(pool.key("pending:qty")).items()}
