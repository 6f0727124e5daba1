# SPDX-License-Identifier: Apache-2.0
"""The Redis Function library (shared/lua) against a real Redis of its own, with the settings that the product demands.

Most tests use the library as it is embedded in the binaries, and time that is Redis' own. Where a test is about minutes,
windows of quota or exact milliseconds, it uses the same source with one change: the clock is a hash that the test sets.
"""
import hashlib
import heapq
import json
import pathlib
import random
import shutil
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
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


@pytest.fixture(scope="module")
def durable_server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("r") / "durable")
    server.redis.execute_command("FUNCTION", "LOAD", "REPLACE", library(VERSION))
    yield server
    server.kill()


@pytest.fixture(scope="module")
def clock_server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("r") / "clock", appendonly=False)
    source = changed(b"redis.call('TIME')", f"redis.call('HMGET', '{CLOCK}', 's', 'us')".encode())
    server.redis.execute_command("FUNCTION", "LOAD", "REPLACE", library("clock", source))
    yield server
    server.kill()


@pytest.fixture
def pool(durable_server):
    """The library as the product loads it, and an empty Redis."""
    durable_server.redis.flushall()
    return Pool(durable_server.redis)


@pytest.fixture
def timed(clock_server):
    """The library with the clock in the hands of the test, and an empty Redis."""
    clock_server.redis.flushall()
    pool = Pool(clock_server.redis, "clock")
    pool.set_time(NOW)
    return pool


# ---- the library ----


def test_every_function_carries_the_version_so_that_two_releases_run_side_by_side(pool):
    pool.redis.execute_command("FUNCTION", "LOAD", library("other"))
    try:
        other = Pool(pool.redis, "other")
        pool.mark("7")
        assert [c.entity for c in other.claim()[1]] == ["7"]
        names = [f[1] for f in pool.redis.execute_command("FUNCTION", "LIST", "LIBRARYNAME", f"onepool_{VERSION}")[0][5]]
        assert names and all(name.endswith("_" + VERSION) for name in names)
    finally:
        pool.redis.execute_command("FUNCTION", "DELETE", "onepool_other")


def test_flushall_keeps_the_functions(pool):
    pool.redis.flushall()
    assert accept(pool, event("a", *mark("7"))) == [1, 0]


# ---- accept ----


def test_accept_stores_journal_entry_idempotency_key_and_due_entity_of_each_event(pool):
    assert accept(pool, event("a", *mark("7")), event("b", *mark("8"), *mark("S1", "sku")), event("c")) == [3, 0]
    assert [(e["source"], e["id"], e["bytes"]) for e in pool.journal()] == [
        ("sitoo", i, f"bytes of {i}") for i in "abc"]
    assert (pool.due(), pool.due("sku")) == (["7", "8"], ["S1"])
    assert pool.job("7")["gen"] == "1"
    assert pool.counter("accepted:sitoo") == 3
    for ident in "abc":
        days = pool.redis.ttl(pool.key(f"idem:sitoo:{ident}")) / 86400
        assert 7.9 < days <= 8, "the key outlives the longest retry of a sender"


def test_accept_keeps_the_bytes_as_received(pool):
    data = bytes(range(256)) + b"\r\n{\"a\":\"\xc3\xa9\"}"
    accept(pool, event("a", data=data))
    assert raw_client(pool).xrange(pool.key("journal"))[0][1][b"bytes"] == data


def test_a_duplicate_id_changes_nothing_more(pool):
    assert accept(pool, event("a", *mark("7"))) == [1, 0]
    assert accept(pool, event("a", *mark("7"), *mark("8"))) == [0, 1]
    assert len(pool.journal()) == 1
    assert (pool.due(), pool.job("7")["gen"]) == (["7"], "1")
    assert (pool.counter("accepted:sitoo"), pool.counter("duplicate:sitoo")) == (1, 1)


def test_a_duplicate_within_one_batch_is_stored_once(pool):
    assert accept(pool, event("a", *mark("7")), event("a", *mark("7")), event("b", *mark("8"))) == [2, 1]
    assert (len(pool.journal()), pool.job("7")["gen"]) == (2, "1")


def test_a_duplicate_of_a_settled_entity_does_not_make_it_due(pool):
    accept(pool, event("a", *mark("7")))
    pool.complete(pool.claim()[1])
    accept(pool, event("a", *mark("7")))
    assert pool.due() == []


def test_the_same_id_from_another_source_is_another_event(pool):
    assert accept(pool, event("a", *mark("7"))) == [1, 0]
    assert accept(pool, event("a", *mark("7")), source="bigcommerce") == [1, 0]
    assert len(pool.journal()) == 2


def test_an_event_without_id_is_always_stored(pool):
    assert accept(pool, event("", *mark("7"))) == [1, 0]
    claimed = pool.claim()[1]
    assert accept(pool, event("", *mark("7"))) == [1, 0]
    assert len(pool.journal()) == 2
    assert pool.complete(claimed) == [0], "due again: the second event came while it was worked on"


def test_fifty_concurrent_posts_of_one_batch_store_it_once(pool):
    batch = [event(f"e{i}", *mark(f"{i}")) for i in range(3)]
    gate = threading.Barrier(50)

    def post(_):
        mine = Pool(client.Redis(unix_socket_path=pool.redis.connection_pool.connection_kwargs["path"]))
        gate.wait()
        answer = accept(mine, *batch)
        mine.redis.close()
        return tuple(answer)

    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(post, range(50)))
    assert sorted(answers) == [(0, 3)] * 49 + [(3, 0)]
    assert [e["id"] for e in pool.journal()] == ["e0", "e1", "e2"]
    assert [pool.job(str(i))["gen"] for i in range(3)] == ["1", "1", "1"]


def test_again_applies_the_effects_of_a_duplicate_without_a_second_journal_entry(pool):
    accept(pool, event("hash", *mark("7"), again=1), source="bigcommerce")
    claimed = pool.claim()[1]
    for _ in range(2):
        accept(pool, event("hash", *mark("7"), again=1), source="bigcommerce")
    assert (len(pool.journal()), pool.counter("duplicate:bigcommerce")) == (1, 2)
    assert pool.complete(claimed) == [0], "due again"


def test_mark_of_what_is_due_already_writes_nothing_and_wakes_nobody(pool):
    accept(pool, event("e1", *mark("7")))
    before, due = pool.job("7"), pool.redis.zrange(pool.key("due:order"), 0, -1, withscores=True)
    listener = pool.redis.pubsub()
    listener.subscribe(pool.key("wake:order"))
    assert listener.get_message(timeout=5)["type"] == "subscribe"
    accept(pool, event("e2", *mark("7")))
    assert (pool.job("7"), pool.redis.zrange(pool.key("due:order"), 0, -1, withscores=True)) == (before, due)
    accept(pool, event("e3", *mark("8")))
    assert listener.get_message(timeout=5)["type"] == "message", "of 8"
    assert listener.get_message(timeout=0.1) is None
    listener.close()


def test_mark_brings_what_was_put_off_forward_and_wakes(pool):
    accept(pool, event("e1", *mark("7")))
    pool.defer(pool.claim()[1], 60000)
    assert pool.claim()[1] == []
    accept(pool, event("e2", *mark("7")))
    assert [one.entity for one in pool.claim()[1]] == ["7"]


def test_mark_in_makes_due_after_its_delay_and_is_not_late_before(timed):
    timed.at(0, "apply", *mark_in("7", 5000, hint="a"))

    def age():
        return timed("status", 10, "order")[0][4]
    timed.set_time(NOW + 4999)
    assert timed.claim() == (1, []) and age() == 0
    timed.set_time(NOW + 7000)
    assert age() == 2000
    [c] = timed.claim()[1]
    assert (c.entity, c.since, c.hints, c.tries) == ("7", NOW + 5000, {"a"}, 1)
    assert timed.complete([c]) == [1]


def test_a_further_mark_in_neither_hurries_nor_postpones(timed):
    timed.at(0, "apply", *mark_in("7", 5000, hint="a"))
    for at, delay in ((1000, 5000), (2000, 0), (4000, 60000)):
        timed.at(at, "apply", *mark_in("7", delay, hint=f"b{at}"))
    timed.set_time(NOW + 4999)
    assert timed.claim()[1] == []
    timed.at(5000, "apply", *mark_in("7", 5000))
    [c] = timed.claim()[1]
    assert (c.since, c.hints) == (NOW + 5000, {"a", "b1000", "b2000", "b4000"})
    assert timed.complete([c]) == [1], "what came while it waited is done with it"


def test_a_mark_in_of_what_is_due_or_deferred_leaves_its_time(timed):
    timed.at(0, "apply", *mark("7"), *mark("8"))
    timed.at(10, "apply", *mark_in("7", 5000))
    [seven, eight] = timed.claim()[1]
    assert (seven.entity, seven.since) == ("7", NOW)
    assert timed.defer([seven, eight], 2000) == [1, 1]
    timed.at(20, "apply", *mark_in("7", 0), *mark_in("8", 60000))
    timed.set_time(NOW + 2009)
    assert timed.claim()[1] == []
    timed.set_time(NOW + 2010)
    assert [c.entity for c in timed.claim()[1]] == ["7", "8"]


def test_a_mark_in_during_the_lease_runs_the_entity_again_after_complete(pool):
    pool.mark("7")
    [c] = pool.claim()[1]
    pool("apply", *mark_in("7", 60000, hint="a"))
    assert pool.claim()[1] == [] and pool.complete([c]) == [0], "due again"
    [c] = pool.claim()[1]
    assert c.hints == {"a"} and pool.complete([c]) == [1]


def test_a_mark_makes_what_waits_for_its_delay_due_now(timed):
    timed.at(0, "apply", *mark_in("7", 60000))
    timed.at(1000, "apply", *mark("7", data="newest"))
    [c] = timed.claim()[1]
    assert (c.since, c.data) == (NOW + 1000, "newest") and timed.complete([c]) == [1]


def test_again_makes_a_settled_entity_due_once_more(pool):
    accept(pool, event("hash", *mark("7"), again=1))
    assert pool.complete(pool.claim()[1]) == [1]
    accept(pool, event("hash", *mark("7"), again=1))
    assert pool.due() == ["7"]


BAD_EFFECTS = {
    "unknown": ["explode", "x"],
    "unknown after a good one": [*mark("8"), "explode", "x"],
    "cut short": ["mark", "order", "8"],
    "cut short after a good one": [*mark("8"), "count", "x"],
    "no number of ms": ["mark_in", "product", "8", "soon", ""],
    "a delay cut short": ["mark_in", "product", "8", "1000"],
    "empty name": [""],
    "no number": ["count", "x", "many"],
    "no number of units": ["hold", "op1", "l", "1", "S1", "2.5"],
}


@pytest.mark.parametrize("bad", BAD_EFFECTS.values(), ids=BAD_EFFECTS.keys())
def test_a_bad_effect_in_accept_stores_nothing_at_all(pool, bad):
    with pytest.raises(client.ResponseError):
        accept(pool, event("a", *mark("7")), event("b", *bad))
    assert pool.contents() == {}


def test_a_batch_cut_short_stores_nothing_at_all(pool):
    whole = event("b", *mark("8"))
    with pytest.raises(client.ResponseError):
        accept(pool, event("a", *mark("7")), whole[:-2])
    assert pool.contents() == {}


def test_a_bad_effect_in_complete_changes_nothing(pool):
    pool.mark("7")
    claims = pool.claim()[1]
    before = pool.contents()
    with pytest.raises(client.ResponseError):
        pool.complete(claims, "count", "done", 1, "explode", "x")
    assert pool.contents() == before


def test_a_bad_effect_in_complete_leaves_the_claim_as_it_is(pool):
    pool.mark("7")
    claims = pool.claim()[1]
    with pytest.raises(client.ResponseError):
        pool.complete(claims, "explode", "x")
    assert pool.complete(claims) == [1]


def test_too_large_a_backlog_refuses_the_whole_batch_and_stores_nothing(pool):
    source = changed(b"local BACKLOG_MAX = 1000000", b"local BACKLOG_MAX = 2")
    pool.redis.execute_command("FUNCTION", "LOAD", library("small", source))
    try:
        small = Pool(pool.redis, "small")
        assert accept(small, *[event(f"e{i}", *mark(f"{i}")) for i in range(3)]) == [3, 0]
        before = pool.contents()
        with pytest.raises(client.ResponseError, match="BACKLOG"):
            accept(small, event("f", *mark("9")))
        assert pool.contents() == before
        small.complete(small.claim()[1])
        assert accept(small, event("f", *mark("9"))) == [1, 0]
    finally:
        pool.redis.execute_command("FUNCTION", "DELETE", "onepool_small")


def test_marking_wakes_each_queue_once(pool):
    listener = pool.redis.pubsub(ignore_subscribe_messages=True)
    listener.subscribe(pool.key("wake:order"), pool.key("wake:sku"))
    accept(pool, event("a", *mark("7"), *mark("8"), *mark("S1", "sku")))
    pool.redis.publish(pool.key("wake:order"), "end")
    woken = []

    def ended():
        message = listener.get_message(timeout=0.1)
        if message:
            woken.append((message["channel"], message["data"]))
        return woken and woken[-1][1] == "end"

    wait_until(ended, "the last message came")
    listener.close()
    assert sorted(woken[:-1]) == [(pool.key("wake:order"), "1"), (pool.key("wake:sku"), "1")]


# ---- claim, lease, fencing ----


def test_nothing_due_says_so_without_a_wait(pool):
    assert pool.claim() == (-1, [])


def test_claim_hands_over_what_was_marked(pool):
    pool.mark("7", till=NOW, hint="w1 w2", data="rows")
    wait, [c] = pool.claim(lease=LONG)
    assert (c.entity, c.tries, c.till, c.hints, c.data) == ("7", 1, NOW, {"w1", "w2"}, "rows")
    assert LONG - 1000 < wait <= LONG
    assert pool.claim()[1] == []


def test_claim_takes_the_oldest_first_and_no_more_than_its_limit(timed):
    for i, entity in enumerate(["c", "a", "b"]):
        timed.at(i, "apply", *mark(entity))
    timed.set_time(NOW + 10)
    wait, claims = timed.claim(limit=2)
    assert (wait, [c.entity for c in claims]) == (0, ["c", "a"])


def test_a_second_mark_neither_doubles_nor_postpones_an_entity(timed):
    timed.at(0, "apply", *mark("7"))
    timed.at(50, "apply", *mark("7"))
    assert timed.redis.zscore(timed.key("due:order"), "7") == NOW
    [c] = timed.claim()[1]
    assert c.since == NOW
    assert timed.complete([c]) == [1]


def test_hints_are_joined_and_the_earliest_till_is_kept(pool):
    pool.mark("7", till=NOW + 5, hint="w1")
    pool.mark("7", till=NOW, hint="b w1")
    pool.mark("7")
    pool.mark("7", till=NOW + 9, hint="w2", data="newest")
    [c] = pool.claim()[1]
    assert (c.till, c.hints, c.data) == (NOW, {"w1", "w2", "b"}, "newest")


def test_claim_counts_a_try_before_the_work(pool):
    pool.mark("7")
    pool.claim(lease=LEASE)
    assert pool.job("7")["tries"] == "1"
    assert pool.claim_one(lease=LEASE).tries == 2


def test_a_poison_entity_parks_itself_after_the_last_try_and_others_go_on(pool):
    pool.mark("bad", data="rows")
    for tries in (1, 2, 3):
        assert pool.claim_one(lease=LEASE, tries=3).tries == tries
    wait_until(lambda: pool.claim(tries=3)[0] == -1, "the entity is parked")
    assert (pool.due(), pool.job("bad")) == ([], {})
    assert pool.parked() == ["too_many_tries:order bad"]
    poison = pool.case("too_many_tries:order bad")
    assert (poison["count"], poison["owner"], poison["queue"], poison["job"], poison["bytes"]) == (
        "1", OWNER, "order", "bad", "rows")
    assert "the worker died" in poison["text"] and poison["effect"] and poison["step"]
    pool.mark("good")
    assert pool.claim_one(tries=3).entity == "good"


def test_a_poison_case_names_the_last_cause_and_a_retry_starts_afresh(pool):
    pool.mark("7", data="rows")
    for _ in range(2):
        pool.defer([pool.claim_one(tries=2)], 0, 1, "quota: wait")
    assert pool.claim(tries=2)[1] == []
    assert "quota: wait" in pool.case("too_many_tries:order 7")["text"]
    assert pool("unpark", "too_many_tries:order 7", "retry") == 1
    [c] = pool.claim(tries=2)[1]
    assert (c.tries, c.data, c.hints) == (1, "rows", {"f"})


def test_a_poison_entity_fences_the_worker_of_its_last_try(pool):
    pool.mark("7")
    late = pool.claim_one(lease=LEASE, tries=1)
    wait_until(lambda: pool.claim(tries=1)[0] == -1, "the entity is parked")
    assert pool.complete([late], "count", "done", 1) == [-1]
    assert pool.counter("done") == 0


def test_a_due_entity_without_a_job_is_dropped(pool):
    pool.redis.zadd(pool.key("due:order"), {"ghost": 1})
    assert pool.claim() == (-1, [])


def test_the_end_of_a_lease_makes_due_again_and_fences_the_late_worker(pool):
    pool.mark("7")
    late = pool.claim_one(lease=LEASE)
    new = pool.claim_one()
    assert new.token > late.token and new.tries == 2
    before = pool.contents()
    assert pool.complete([late]) == [-1]
    assert pool.complete([late], *mark("8"), "count", "done", 1, *case()) == [-1]
    assert pool.defer([late], 0) == [-1]
    assert pool("extend", "order", LONG, 1, "7", late.token) == 0
    assert pool("tick", "order", "7", late.token, 0) == -1
    assert pool("park", "order", "7", late.token, *case()[1:]) == -1
    assert pool.contents() == before, "a late worker changes nothing"
    assert pool.complete([new], "count", "done", 1) == [1]
    assert pool.counter("done") == 1
    assert (pool.due(), pool.job("7")) == ([], {})


def test_a_worker_cannot_settle_twice_nor_with_a_token_made_up(pool):
    pool.mark("7")
    [c] = pool.claim()[1]
    for token in ("", "0", c.token - 1, c.token + 1, f"0{c.token}"):
        assert pool("complete", "order", 1, "7", token) == [-1]
    assert [pool.complete([c]), pool.complete([c])] == [[1], [-1]]


def test_a_worker_that_gave_back_its_claim_is_fenced(pool):
    pool.mark("7")
    [c] = pool.claim()[1]
    assert pool.defer([c], LONG) == [1]
    assert pool.complete([c]) == [-1]
    assert pool.defer([c], 0) == [-1]
    assert pool("extend", "order", LONG, 1, "7", c.token) == 0


def test_one_lost_claim_among_several_applies_no_effects_and_keeps_the_others_claimed(pool):
    pool.mark("lost")
    late = pool.claim_one(lease=LEASE)
    pool.claim_one()
    pool.mark("kept")
    [kept] = pool.claim()[1]
    assert pool.complete([kept, late], "count", "done", 1)[1] == -1
    assert pool.counter("done") == 0
    assert pool.job("kept")["lease"] == "1"
    assert pool.complete([kept], "count", "done", 1) == [1]
    assert pool.counter("done") == 1


def test_one_lost_claim_among_several_does_not_hold_up_the_others_without_effects(pool):
    pool.mark("lost")
    late = pool.claim_one(lease=LEASE)
    pool.claim_one()
    pool.mark("kept")
    assert pool.complete([late, pool.claim()[1][0]]) == [-1, 1]
    assert pool.due() == ["lost"]


def test_a_mark_during_the_lease_runs_the_entity_again_after_complete(pool):
    pool.mark("7", hint="w1", till=NOW, data="first")
    [c] = pool.claim()[1]
    pool.mark("7", hint="w2", till=NOW + 1, data="second")
    assert pool.claim()[1] == [], "still leased"
    assert pool.complete([c]) == [0]
    [again] = pool.claim()[1]
    assert (again.tries, again.hints, again.till, again.data) == (1, {"w2"}, NOW + 1, "second")
    assert pool.complete([again]) == [1]


def test_a_mark_by_the_effects_of_complete_itself_runs_the_entity_again(pool):
    pool.mark("7")
    [c] = pool.claim()[1]
    assert pool.complete([c], *mark("7", hint="w9")) == [0]
    assert pool.claim()[1][0].hints == {"w9"}


def test_effects_of_complete_are_applied_with_it(pool):
    pool.mark("7")
    [c] = pool.claim()[1]
    assert pool.complete([c], *mark("S1", "sku", hint="w1"), "sale", "op1", "{}", *case()) == [1]
    assert (pool.due(), pool.due("sku"), pool.parked()) == ([], ["S1"], ["unknown_sku:order 7"])
    assert pool.counter("sales") == 1


def test_hints_and_till_are_not_lost_on_defer(pool):
    pool.mark("7", hint="w1", till=NOW)
    [c] = pool.claim()[1]
    pool.mark("7", hint="w2", till=NOW + 1)
    assert pool.defer([c], 0) == [1]
    [c] = pool.claim()[1]
    assert (c.hints, c.till, c.tries) == ({"w1", "w2"}, NOW, 2)


def test_hints_and_till_are_not_lost_when_the_lease_ends(pool):
    pool.mark("7", hint="w1", till=NOW)
    pool.claim_one(lease=LEASE)
    pool.mark("7", hint="w2", till=NOW - 1, data="rows")
    c = pool.claim_one(lease=LEASE)
    assert (c.hints, c.till, c.data) == ({"w1", "w2"}, NOW - 1, "rows")
    pool.mark("7", hint="w3")
    c = pool.claim_one()
    assert (c.hints, c.till) == ({"w1", "w2", "w3"}, NOW - 1)
    assert pool.complete([c]) == [1], "the third claim knew of every mark"


def test_extend_prolongs_a_lease_and_says_how_many_are_held(pool):
    pool.mark("7")
    pool.mark("8")
    claims = pool.claim(lease=LEASE)[1]
    assert pool("extend", "order", LONG, 3, *pairs(claims), "9", 1) == 2
    wait, more = pool.claim()
    assert more == [] and wait > LONG - 5000


# ---- tokens ----


def test_tokens_strictly_rise_over_all_that_is_fenced(pool):
    tokens = []
    for i in range(20):
        pool.mark("7")
        [c] = pool.claim()[1]
        tokens.append(c.token)
        pool.complete([c])
        tokens.append(pool("lease", f"l{i}", "me", LONG)[1])
        tokens.append(pool("sitoo_take", 1, 20, LONG)[2])
    assert all(a < b for a, b in zip(tokens, tokens[1:]))


def test_tokens_rise_also_after_redis_was_emptied(pool):
    pool.mark("7")
    late = pool.claim_one()
    writer = pool("lease", "writer", "me", LONG)[1]
    pool.redis.flushall()
    wait_until(lambda: pool.redis.time() > (writer // 10 ** 6, writer % 10 ** 6 + 1000), "time passed the last token")
    pool.mark("7")
    new = pool.claim_one()
    assert new.token > writer > late.token
    assert pool.complete([late]) == [-1]


def test_tokens_rise_after_redis_was_emptied_in_a_burst(timed):
    def burst():
        timed("apply", *[x for i in range(2000) for x in mark(f"{i}")])
        return [c.token for c in timed.claim(limit=2000)[1]]

    first = burst()
    timed.redis.flushall()
    timed.set_time(NOW + 1000)
    assert min(burst()) > max(first)


# ---- defer, tick ----


def test_a_counted_deferral_is_an_attempt_and_one_not_counted_is_not(pool):
    pool.mark("7")
    tries = []
    for counted in (1, 0, 0, 1, 0):
        c = pool.claim_one()
        tries.append(c.tries)
        assert pool.defer([c], 0, counted, "quota") == [1]
    assert tries == [1, 2, 2, 2, 3]
    assert pool.claim_one().tries == 3


def test_deferrals_that_are_not_counted_never_park(pool):
    pool.mark("7")
    for _ in range(20):
        pool.defer([pool.claim_one(tries=1)], 0, 0, "outage")
    assert (pool.parked(), pool.due()) == ([], ["7"])


def test_a_deferred_entity_is_due_after_its_delay(timed):
    timed.mark("7")
    timed.defer(timed.claim()[1], 40)
    assert timed.claim() == (40, [])
    timed.set_time(NOW + 39)
    assert timed.claim() == (1, [])
    timed.set_time(NOW + 40)
    assert timed.claim()[1][0].tries == 2


def test_a_mark_makes_a_deferred_entity_due_now(pool):
    pool.mark("7", hint="w1")
    pool.defer([pool.claim_one()], LONG)
    assert pool.claim()[1] == []
    pool.mark("7", hint="w2")
    [c] = pool.claim()[1]
    assert c.hints == {"w1", "w2"}


def test_tick_never_settles_and_makes_due_after_its_delay(timed):
    timed.mark("main", "ledger")
    for at in (0, 5000, 10000):
        timed.set_time(NOW + at)
        [c] = timed.claim("ledger")[1]
        assert c.tries == 1
        assert timed("tick", "ledger", "main", c.token, 5000) == 1
        assert timed("tick", "ledger", "main", c.token, 5000) == -1
        timed.set_time(NOW + at + 4999)
        assert timed.claim("ledger") == (1, [])


def test_what_waits_on_purpose_is_not_late_before_its_time(timed):
    timed.mark("100301", "refund")
    [c] = timed.claim("refund")[1]
    assert timed("tick", "refund", "100301", c.token, 5000) == 1

    def age():
        return timed("status", 10, "refund")[0][4]
    timed.set_time(NOW + 4000)
    assert age() == 0
    timed.set_time(NOW + 7000)
    assert age() == 2000
    # Asked for early: late from then on.
    [c] = timed.claim("refund")[1]
    assert timed("tick", "refund", "100301", c.token, 5000) == 1
    timed.mark("100301", "refund")
    timed.set_time(NOW + 8000)
    assert age() == 1000


def test_a_case_made_once_stays_closed_and_is_kept_up_to_date_while_open(pool):
    def look(op, text):
        pool("apply", "case_first", op, "refunded_not_back", "operations", "web order 7", text, "effect", "step", "", "", "")
    key = pool.key("case:refunded_not_back:web order 7")
    look("not_back:7:1", "two units")
    look("not_back:7:1", "one unit")
    assert pool.redis.hmget(key, "text", "count") == ["one unit", "1"]
    assert pool("unpark", "refunded_not_back:web order 7", "close") == 1
    look("not_back:7:1", "one unit")
    assert not pool.redis.exists(key)
    look("not_back:7:2", "another one")
    assert pool.redis.hmget(key, "text", "count") == ["another one", "1"]


def test_goods_are_booked_once_per_transaction_and_their_intent_ends(pool):
    pool.redis.hset(pool.key("intents"), "goods-in:1", "{}")
    assert pool("goods_book", "7", "4711", "2000 A B", "goods-in:1", '{"type":"goods_booked_in"}') == 1
    assert pool("goods_book", "7", "4711", "2000 A B", "", '{"type":"goods_booked_in"}') == 0
    assert pool.redis.hgetall(pool.key("goods:7")) == {"4711": "2000 A B"}
    assert pool.redis.xlen(pool.key("ledger")) == 1 and not pool.redis.exists(pool.key("intents"))
    assert pool.redis.zscore(pool.key("due:refund"), "7") is not None and pool.redis.ttl(pool.key("goods:7")) > 365 * 86400


@pytest.mark.parametrize("bad", [("x", "1", "1 A"), ("7", "", "1 A"), ("7", "1", "A"), ("7", "1", "1 ")])
def test_goods_that_are_none_change_nothing(pool, bad):
    with pytest.raises(Exception, match="BADCALL"):
        pool("goods_book", *bad, "", "{}")
    assert not pool.redis.exists(pool.key("ledger")) and not pool.redis.keys(pool.key("goods:*"))


def test_tick_is_due_at_once_if_marked_meanwhile(pool):
    pool.mark("main", "ledger", hint="w1")
    c = pool.claim_one("ledger")
    pool.mark("main", "ledger", hint="w2")
    assert pool("tick", "ledger", "main", c.token, LONG) == 1
    [c] = pool.claim("ledger")[1]
    assert c.hints == {"w2"}


# ---- parked cases ----


def test_one_case_per_cause_and_entity_with_a_counter(timed):
    for at in (0, 1000, 2000):
        timed.at(at, "apply", *case(text=f"at {at}"))
    timed("apply", *case(entity="order 8"), *case(cause="no_location"))
    assert sorted(timed.parked()) == ["no_location:order 7", "unknown_sku:order 7", "unknown_sku:order 8"]
    first = timed.case("unknown_sku:order 7")
    assert (first["count"], first["first"], first["last"], first["text"]) == ("3", str(NOW), str(NOW + 2000), "at 2000")
    assert (first["cause"], first["entity"], first["owner"]) == ("unknown_sku", "order 7", OWNER)
    assert timed.redis.zscore(timed.key("parked"), "unknown_sku:order 7") == NOW
    assert timed.counter("parked") == 3


def test_a_notice_keeps_the_case_but_does_not_count(pool):
    pool("apply", *notice())
    assert pool.case("unknown_sku:order 7")["count"] == "0"
    pool("apply", *case())
    pool("apply", *notice(text="seen again"))
    seen = pool.case("unknown_sku:order 7")
    assert (seen["count"], seen["text"]) == ("1", "seen again")
    assert len(pool.parked()) == 1


def test_a_case_keeps_its_bytes_when_it_comes_again_without(pool):
    pool("apply", *case(data="rows"))
    pool("apply", *case())
    assert pool.case("unknown_sku:order 7")["bytes"] == "rows"


def test_an_ignored_case_is_only_counted(pool):
    pool("apply", *case())
    assert pool("unpark", "unknown_sku:order 7", "ignore") == 1
    before = pool.counter("ignored")
    pool("apply", *case(), *case(), *notice())
    assert (pool.parked(), pool.case("unknown_sku:order 7")) == ([], {})
    assert pool.counter("ignored") == before + 2
    pool("apply", *case(entity="order 8"))
    assert pool.parked() == ["unknown_sku:order 8"]


def test_unpark_close_forgets_the_case_and_it_may_come_again(pool):
    pool("apply", *case())
    assert [pool("unpark", "unknown_sku:order 7", "close") for _ in range(2)] == [1, 0]
    assert (pool.parked(), pool.case("unknown_sku:order 7"), pool.due()) == ([], {}, [])
    pool("apply", *case())
    assert pool.case("unknown_sku:order 7")["count"] == "1"


def test_unpark_retry_makes_due_with_the_bytes_and_the_hint_to_write_again(pool):
    data = bytes(range(256))
    pool("apply", *case(data=data))
    assert pool("unpark", "unknown_sku:order 7", "retry") == 1
    assert pool.parked() == []
    raw = Pool(raw_client(pool))
    [claimed] = raw("claim", "order", 1, LONG, 12, OWNER)[1:]
    assert (claimed[0], claimed[4], claimed[5]) == (b"7", b"f", data)


def test_unpark_retry_of_a_case_without_a_job_only_closes_it(pool):
    pool("apply", *case(queue="", job=""))
    assert pool("unpark", "unknown_sku:order 7", "retry") == 1
    assert pool.redis.keys(pool.key("due:*")) == []
    assert pool.parked() == []


@pytest.mark.parametrize("how", ["retry", "ignore", "close"])
def test_unpark_of_an_unknown_case_changes_nothing(pool, how):
    assert pool("unpark", "unknown_sku:order 7", how) == 0
    assert pool.contents() == {}


def test_unpark_retry_does_not_replace_newer_data(pool):
    pool("apply", *case(queue="sale", data="older rows"))
    pool.mark("7", "sale", data="newer rows")
    pool("unpark", "unknown_sku:order 7", "retry")
    assert pool.claim("sale")[1][0].data == "newer rows"


def test_the_effect_close_closes_a_case(pool):
    pool("apply", *case())
    pool("apply", "close", "unknown_sku:order 7")
    pool("apply", "close", "unknown_sku:order 7")
    assert pool.parked() == []
    assert pool.counter("parked_closed") == 1


def test_park_is_the_case_and_the_completion_in_one_step(pool):
    pool.mark("7")
    [c] = pool.claim()[1]
    assert pool("park", "order", "7", c.token, *case(data="rows")[1:]) == 1
    assert (pool.due(), pool.job("7")) == ([], {})
    assert pool.case("unknown_sku:order 7")["bytes"] == "rows"
    assert pool("park", "order", "7", c.token, *case()[1:]) == -1
    assert pool.case("unknown_sku:order 7")["count"] == "1"


def test_park_of_an_entity_marked_meanwhile_makes_it_due_again(pool):
    pool.mark("7")
    [c] = pool.claim()[1]
    pool.mark("7", hint="w2")
    assert pool("park", "order", "7", c.token, *case()[1:]) == 0
    assert (pool.parked(), pool.due()) == (["unknown_sku:order 7"], ["7"])


# ---- records that happen once ----


def test_withheld_units_are_counted_once_per_operation_and_per_side(pool):
    for _ in range(3):
        pool("apply", "hold", "hold:l:1", "l", 2, "S1", 1000)
        pool("apply", "hold", "hold:r:9", "r", 2, "S1", 1000)
    pool("apply", "hold", "hold:l:2", "l", 2, "S1", 500, "hold", "hold:l:3", "l", 3, "a|b", 1000,
         "hold", "free:r:9", "r", 2, "S1", -1000)
    assert pool.redis.hgetall(pool.key("withheld:l")) == {"2|S1": "1500", "3|a|b": "1000"}
    assert pool.redis.hgetall(pool.key("withheld:r")) == {"2|S1": "0"}


def test_a_sale_is_recorded_once_per_operation(pool):
    for _ in range(3):
        pool("apply", "sale", "sale:7:1", '{"n":1}')
    pool("apply", "sale", "sale:7:2", '{"n":2}')
    assert pool.ledger() == ['{"n":1}', '{"n":2}']
    assert (pool.counter("sales"), pool.counter("sales_again")) == (2, 2)
    assert 89 * 86400 < pool.redis.ttl(pool.key("op:sale:7:1")) <= 90 * 86400


def test_a_log_row_is_recorded_once_per_operation_and_always_without_one(pool):
    pool("apply", "log", "op", "a", "log", "op", "a", "log", "", "b", "log", "", "b")
    assert pool.ledger() == ["a", "b", "b"]


# ---- named leases, intents ----


def test_a_lease_belongs_to_one_holder_who_may_prolong_it(pool):
    got, token = pool("lease", "writer", "me", LONG)
    assert got == 1
    assert pool("lease", "writer", "me", 2 * LONG) == [1, token]
    assert pool.redis.pttl(pool.key("lease:writer")) > LONG
    got, wait = pool("lease", "writer", "you", LONG)
    assert got == 0 and LONG < wait <= 2 * LONG
    assert pool("lease", "other", "you", LONG)[0] == 1


def test_a_lease_ends_by_itself_and_the_next_holder_has_a_higher_token(pool):
    _, token = pool("lease", "writer", "me", LEASE)
    wait_until(lambda: pool("lease", "writer", "you", LONG)[0] == 1, "the lease ended")
    assert pool("lease", "writer", "you", LONG)[1] > token
    assert pool("lease", "writer", "me", LONG)[0] == 0


def test_only_the_holder_gives_a_lease_back(pool):
    _, old = pool("lease", "writer", "me", LEASE)
    wait_until(lambda: pool("lease", "writer", "you", LONG)[0] == 1, "the lease ended")
    _, token = pool("lease", "writer", "you", LONG)
    assert pool("unlease", "writer", old) == 0
    assert pool("lease", "writer", "me", LONG)[0] == 0
    assert [pool("unlease", "writer", token) for _ in range(2)] == [1, 0]
    assert pool("lease", "writer", "me", LONG)[0] == 1


def test_an_intent_is_stored_only_under_the_lease(pool):
    _, token = pool("lease", "writer", "me", LONG)
    assert pool("intent_open", "levels:1", "{}", "writer", token) == 1
    assert pool("lease", "writer", "me", LEASE) == [1, token]
    wait_until(lambda: not pool.redis.exists(pool.key("lease:writer")), "the lease ended")
    assert pool("intent_open", "levels:2", "{}", "writer", token) == -1
    _, other = pool("lease", "writer", "you", LONG)
    assert pool("intent_open", "levels:2", "{}", "writer", token) == -1
    assert pool("intent_open", "levels:3", "{}", "writer", other) == 1
    assert pool.redis.hgetall(pool.key("intents")) == {"levels:1": "{}", "levels:3": "{}"}


def test_an_intent_that_needs_no_lease_is_always_stored_and_closed_once(pool):
    assert pool("intent_open", "i", '{"a":1}', "", "") == 1
    assert [pool("intent_close", "i") for _ in range(2)] == [1, 0]
    assert not pool.redis.exists(pool.key("intents"))


# ---- quota of BigCommerce ----

QUOTA, WINDOW = 150, 30_000
RESERVE = 10  # percent
NO_HEADERS = (-1, -1, -1, -1)


def take(pool, cost=1):
    return pool("rate_take", cost, RESERVE)


def adopt(pool, status=200, quota=QUOTA, left=QUOTA - 1, reset=WINDOW, window=WINDOW, after=-1, jitter=100, took=0):
    return pool("rate_adopt", status, quota, left, reset, window, after, jitter, took)


def adopt_bare(pool, status=200, after=-1, jitter=100):
    """An answer without the headers of the quota."""
    return pool("rate_adopt", status, *NO_HEADERS, after, jitter)


def granted(pool, at_most=1000):
    """How many calls go through now, and then for how long none does."""
    for n in range(at_most):
        wait = take(pool)
        if wait:
            return n, wait
    return at_most, 0


def rate(pool, field):
    return int(pool.redis.hget(pool.key("rate:bigcommerce"), field))


def test_one_call_at_a_time_before_the_first_headers(pool):
    assert take(pool) == 0
    assert take(pool) > 0
    adopt_bare(pool)
    assert take(pool) == 0
    assert take(pool) > 0
    adopt(pool)
    assert granted(pool)[0] == QUOTA - 1 - QUOTA * RESERVE // 100


def test_a_holder_that_died_before_the_first_headers_does_not_block_for_ever(timed):
    assert timed.at(0, "rate_take", 1, RESERVE) == 0
    assert timed.at(14_999, "rate_take", 1, RESERVE) > 0
    assert timed.at(15_000, "rate_take", 1, RESERVE) == 0


def test_the_reserve_is_kept_and_the_wait_is_to_the_end_of_the_window(timed):
    take(timed)
    adopt(timed, reset=20_000)
    n, wait = granted(timed)
    assert n == QUOTA - 1 - 15
    assert 20_000 <= wait <= 20_100
    timed.set_time(NOW + 19_999)
    assert 0 < take(timed) <= 100


@pytest.mark.parametrize("reserve, left, cost, goes", [(0, 1, 1, True), (0, 0, 1, False), (10, 16, 1, True), (10, 15, 1, False),
                                                       (10, 17, 3, False), (10, 18, 3, True), (100, 150, 1, False)])
def test_what_goes_through_beside_the_reserve(timed, reserve, left, cost, goes):
    adopt(timed, left=left)
    assert (timed("rate_take", cost, reserve) == 0) == goes
    assert rate(timed, "left") == (left - cost if goes else left)


def test_a_new_window_gives_the_whole_quota_again(timed):
    adopt(timed, left=20)
    n, wait = granted(timed)
    assert n == 5
    timed.set_time(NOW + wait)
    assert granted(timed)[0] == QUOTA - 15
    timed.set_time(NOW + wait + WINDOW)
    assert granted(timed)[0] == QUOTA - 15


def test_what_other_apps_used_is_adopted(timed):
    adopt(timed, left=100)
    for _ in range(3):
        take(timed)
    adopt(timed, left=40, reset=WINDOW - 10)
    assert granted(timed)[0] == 25


def test_left_never_rises_within_a_window_when_answers_come_out_of_order(timed):
    take(timed)
    adopt(timed)
    for _ in range(50):
        assert take(timed) == 0
    answers = [(QUOTA - 2 - i, WINDOW - i) for i in range(50)]  # as the server made them
    random.Random(7).shuffle(answers)
    left = rate(timed, "left")
    for i, (there, reset) in enumerate(answers):
        timed.set_time(NOW + 100 + i)
        adopt(timed, left=there, reset=reset)
        assert rate(timed, "left") <= left
        left = rate(timed, "left")
    assert left == QUOTA - 51


def test_an_answer_of_a_new_window_counts_those_in_flight_as_used(timed):
    take(timed)
    adopt(timed, left=100, reset=1000)
    for _ in range(10):
        take(timed)
    timed.set_time(NOW + 20_000)
    adopt(timed, left=149, reset=WINDOW)
    assert rate(timed, "left") == 140


@pytest.mark.parametrize("after, reset, least", [(7, -1, 7000), (1, 9000, 9000), (9, 2000, 9000), (-1, 12_000, 12_000),
                                                 (100_000, -1, 600_000), (0, 3_600_000, 600_000)])
def test_a_429_pauses_for_what_the_platform_names_up_to_ten_minutes(timed, after, reset, least):
    adopt(timed, 429, left=0, reset=reset, after=after)
    assert least <= take(timed) <= least + 100
    timed.set_time(NOW + least - 1)
    assert take(timed) > 0
    assert timed.counter("refused:bigcommerce") == 1


def test_a_429_without_headers_pauses_longer_each_time_up_to_a_minute(timed):
    pauses = []
    at = 0
    for _ in range(9):
        timed.set_time(NOW + at)
        adopt_bare(timed, 429)
        pauses.append(take(timed))
        at += pauses[-1]
    assert pauses == [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]
    timed.set_time(NOW + at)
    adopt_bare(timed, 200)
    adopt_bare(timed, 429)
    assert take(timed) == 1000, "a success begins anew"


@pytest.mark.parametrize("jitter, pause", [(0, 500), (50, 750), (100, 1000)])
def test_the_pause_is_spread_between_half_and_whole(timed, jitter, pause):
    adopt_bare(timed, 429, jitter=jitter)
    assert take(timed) == pause


@pytest.mark.parametrize("status", [0, 500, 502, 503, 504])
def test_server_errors_and_no_answer_pause_longer_each_time_up_to_some_seconds(timed, status):
    pauses = []
    at = 0
    for _ in range(7):
        timed.set_time(NOW + at)
        adopt_bare(timed, status)
        pauses.append(take(timed))
        at += pauses[-1]
    assert pauses == [min(250 * 2**n, pauses[-1]) for n in range(7)]
    assert 2000 <= pauses[-1] <= 8000
    assert timed.counter("failed:bigcommerce") == 7


@pytest.mark.parametrize("status", [200, 204, 400, 404, 422])
def test_an_answer_that_is_no_failure_does_not_pause(timed, status):
    adopt(timed, status)
    assert take(timed) == 0


@pytest.mark.parametrize("status", [503, 0, 429])
def test_a_failure_does_not_shorten_a_pause_that_the_platform_named(timed, status):
    adopt_bare(timed, 429, after=60)
    adopt_bare(timed, status)
    assert take(timed) >= 60_000


@pytest.mark.parametrize("reset", [-5, 3_600_001, 86_400_000])
def test_an_absurd_reset_changes_nothing(timed, reset):
    adopt(timed, left=100)
    before = timed.contents()
    adopt(timed, left=140, reset=reset)
    assert timed.contents() == before


@pytest.mark.parametrize("quota, left", [(0, 10), (-1, 10), (150, -1), (-150, -20)])
def test_an_absurd_quota_changes_nothing(timed, quota, left):
    adopt(timed, left=100)
    before = timed.contents()
    adopt(timed, quota=quota, left=left)
    assert timed.contents() == before


def test_reset_zero_neither_blocks_nor_spins(timed):
    adopt(timed, left=0, reset=0)
    wait = take(timed)
    assert 1 <= wait <= 100
    timed.set_time(NOW + wait)
    assert granted(timed)[0] == QUOTA - 15
    adopt(timed, 429, left=0, reset=0)
    assert take(timed) >= 100, "a 429 without a usable reset pauses"


def test_a_left_above_the_quota_is_not_believed(timed):
    adopt(timed, left=100_000)
    assert granted(timed)[0] <= QUOTA - 15


def test_an_absurd_window_does_not_stop_the_calls(timed):
    adopt(timed, left=20, reset=1000, window=86_400_000)
    n, wait = granted(timed)
    timed.set_time(NOW + wait)
    take(timed)
    adopt(timed, left=QUOTA - 1, reset=WINDOW, window=86_400_000)
    assert granted(timed)[1] <= 3_600_000


def test_every_call_that_goes_through_is_counted(pool):
    for _ in range(3):
        assert take(pool) == 0
        adopt_bare(pool)
    assert pool.counter("calls:bigcommerce") == 3


def pace(pool):
    return pool("rate_pace", 1, RESERVE)


def test_pace_spends_a_quarter_at_once_and_the_rest_as_the_window_passes(timed):
    adopt(timed, left=QUOTA)
    budget, used = QUOTA - 15, 0
    for part in (0, 0.25, 0.5, 0.75, 1):
        timed.set_time(NOW + int(part * WINDOW))
        while pace(timed) == 0 and used < budget:
            assert take(timed) == 0
            used += 1
        assert abs(used - budget * (0.25 + 0.75 * part)) <= 2
        assert pace(timed) <= WINDOW * (1 - part) + 100, "not beyond the end of the window"


def test_pace_takes_nothing_and_keeps_to_a_pause(timed):
    assert pace(timed) == 0
    adopt(timed, left=20)
    before = timed.contents()
    assert pace(timed) > 0
    assert timed.contents() == before
    adopt_bare(timed, 429, after=40)
    assert pace(timed) == 40_000


class Platform:
    """A server with a quota per window: fixed windows, or windows that begin with their first call."""

    def __init__(self, quota, window, fixed):
        self.quota, self.window, self.fixed = quota, window, fixed
        self.begins, self.used, self.ours = -10**9, 0, 0
        self.most, self.refused = 0, 0

    def call(self, at, ours=True):
        """(status, left, reset_ms)"""
        if at >= self.begins + self.window:
            self.begins = at - at % self.window if self.fixed else at
            self.used = self.ours = 0
        reset = self.begins + self.window - at
        if self.used >= self.quota:
            self.refused += ours
            return 429, 0, reset
        self.used += 1
        self.ours += ours
        self.most = max(self.most, self.ours)
        return 200, self.quota - self.used, reset


def simulate(pool, seed, platform, workers, until, answer_ms, idle_ms=0, others=0):
    """Workers that call as fast as they may. Answers take up to answer_ms after the call was counted, so they arrive out
    of order; idle_ms: now and then a worker does nothing for so long; others: calls per window of other apps."""
    rnd = random.Random(seed)
    events, serial = [], iter(range(10**9))

    def plan(at, what, *more):
        heapq.heappush(events, (at, next(serial), what, more))

    for _ in range(workers):
        plan(rnd.randrange(platform.window), "take")
    for i in range(others * until // platform.window):
        plan(rnd.randrange(until), "other")
    calls = 0
    while events:
        at, _, what, more = heapq.heappop(events)
        if at > until:
            return calls
        if what == "other":
            platform.call(at, ours=False)
        elif what == "take":
            wait = pool.at(at, "rate_take", 1, RESERVE)
            if wait:
                plan(at + wait, "take")
            else:
                calls += 1
                status, left, reset = platform.call(at)
                plan(at + 1 + int(rnd.random() ** 3 * answer_ms), "answer", status, left, reset)
        else:
            status, left, reset = more
            pool.at(at, "rate_adopt", status, platform.quota, left, reset, platform.window, -1, rnd.randrange(101))
            plan(at + (rnd.randrange(idle_ms) if idle_ms and rnd.random() < 0.1 else 0), "take")
    return calls


@pytest.mark.parametrize("fixed", [True, False], ids=["fixed windows", "windows from the first call"])
@pytest.mark.parametrize("seed", range(10))
def test_calls_per_window_of_the_server_never_exceed_the_quota_less_the_reserve(timed, seed, fixed):
    platform = Platform(40, 2000, fixed)
    calls = simulate(timed, seed, platform, workers=4, until=20_000, answer_ms=300)
    assert platform.most <= 36
    assert platform.refused == 0
    assert calls >= 7 * 36, "the quota is used"


@pytest.mark.parametrize("fixed", [True, False], ids=["fixed windows", "windows from the first call"])
@pytest.mark.parametrize("seed", range(10))
def test_calls_never_exceed_the_quota_with_idle_times_and_other_apps(timed, seed, fixed):
    platform = Platform(40, 2000, fixed)
    simulate(timed, 100 + seed, platform, workers=4, until=20_000, answer_ms=300, idle_ms=3000, others=4)
    assert platform.refused == 0


def test_an_answer_of_the_last_window_does_not_open_another_one(timed):
    adopt(timed, left=100, reset=1000)
    take(timed)  # its answer is slow
    timed.set_time(NOW + 1100)
    take(timed)
    adopt(timed, left=149, reset=WINDOW - 100)
    used = 1 + granted(timed)[0]
    timed.set_time(NOW + 5000)
    adopt(timed, left=99, reset=900, took=4900)  # made at the end of the last window, four seconds ago
    used += granted(timed)[0]
    timed.set_time(NOW + 6100)
    used += granted(timed)[0]
    assert used <= QUOTA - 15


# ---- permits of Sitoo ----


def give(pool, permit, status=200, after=0, interval=0, jitter=100):
    return pool("sitoo_give", *permit, status, after, interval, jitter)


def test_one_call_in_flight_per_key(pool):
    permit = pool("sitoo_take", 1, 1, LONG)
    assert permit[:2] == [1, 1]
    key, wait, _ = pool("sitoo_take", 1, 1, LONG)
    assert key == 0 and 1 <= wait <= 20
    give(pool, permit)
    assert pool("sitoo_take", 1, 1, LONG)[0] == 1


def test_several_keys_and_slots_each_carry_one_call(pool):
    permits = [pool("sitoo_take", 2, 3, LONG) for _ in range(7)]
    assert [p[:2] for p in permits[:6]] == [[k, s] for k in (1, 2) for s in (1, 2, 3)]
    assert permits[6][0] == 0
    assert len({p[2] for p in permits[:6]}) == 6
    give(pool, permits[4])
    assert pool("sitoo_take", 2, 3, LONG)[:2] == [2, 2]


def test_concurrent_takers_never_share_a_slot(pool):
    gate = threading.Barrier(20)

    def grab(_):
        mine = Pool(client.Redis(unix_socket_path=pool.redis.connection_pool.connection_kwargs["path"]))
        gate.wait()
        permit = mine("sitoo_take", 2, 2, LONG)
        mine.redis.close()
        return permit

    with ThreadPoolExecutor(20) as threads:
        permits = [tuple(p[:2]) for p in threads.map(grab, range(20)) if p[0]]
    assert sorted(permits) == [(1, 1), (1, 2), (2, 1), (2, 2)]


def test_the_permit_of_a_dead_holder_comes_back_after_its_time(pool):
    dead = pool("sitoo_take", 1, 1, LEASE)
    assert dead[0] == 1
    new = []

    def taken():
        new[:] = pool("sitoo_take", 1, 1, LONG)
        return new[0] == 1

    wait_until(taken, "the permit came back")
    give(pool, dead)
    assert pool("sitoo_take", 1, 1, LONG)[0] == 0, "a late holder does not give back the permit of another"
    give(pool, new)
    assert pool("sitoo_take", 1, 1, LONG)[0] == 1


@pytest.mark.parametrize("after, pause", [(1, 1000), (999, 1000), (4000, 4000), (600_001, 600_000), (86_400_000, 600_000)])
def test_a_429_of_sitoo_pauses_its_key_from_one_second_to_ten_minutes(timed, after, pause):
    give(timed, timed("sitoo_take", 1, 1, LONG), 429, after)
    assert timed("sitoo_take", 1, 1, LONG)[:2] == [0, min(10_000, pause)]
    assert timed.at(pause - 1, "sitoo_take", 1, 1, LONG)[:2] == [0, 1]
    assert timed.at(pause, "sitoo_take", 1, 1, LONG)[0] == 1
    assert timed.counter("refused:sitoo") == 1


def test_a_paused_key_leaves_the_other_keys_alone(timed):
    give(timed, timed("sitoo_take", 2, 1, LONG), 429, 5000)
    assert timed("sitoo_take", 2, 1, LONG)[0] == 2
    assert timed("sitoo_take", 2, 1, LONG)[:2] == [0, 20]


@pytest.mark.parametrize("status, pauses", [(429, [1000, 2000, 4000]), (503, [250, 500, 1000]), (0, [250, 500, 1000])])
def test_failures_of_sitoo_pause_longer_each_time(timed, status, pauses):
    at = 0
    for pause in pauses:
        give(timed, timed.at(at, "sitoo_take", 1, 1, LONG), status)
        assert timed("sitoo_take", 1, 1, LONG)[:2] == [0, pause]
        at += pause
    give(timed, timed.at(at, "sitoo_take", 1, 1, LONG), 200)
    give(timed, timed("sitoo_take", 1, 1, LONG), status)
    assert timed("sitoo_take", 1, 1, LONG)[:2] == [0, pauses[0]], "a success begins anew"


def test_the_least_interval_between_calls_is_kept(timed):
    give(timed, timed("sitoo_take", 1, 1, LONG), interval=200)
    assert timed("sitoo_take", 1, 1, LONG)[:2] == [0, 200]
    assert timed.at(200, "sitoo_take", 1, 1, LONG)[0] == 1


@pytest.mark.parametrize("status, interval", [(503, 0), (200, 100)], ids=["a failure", "a success with a least interval"])
def test_a_later_answer_does_not_shorten_the_pause_of_a_429_of_sitoo(timed, status, interval):
    first, second = timed("sitoo_take", 1, 2, LONG), timed("sitoo_take", 1, 2, LONG)
    give(timed, first, 429, 60_000)
    give(timed, second, status, interval=interval)
    assert timed.at(59_999, "sitoo_take", 1, 2, LONG)[0] == 0


# ---- levels ----

CHECK, RETRY, GIVE_UP = 5000, 2000, 60_000
FIELD = "1|S1"


def put(pool, level, state="w", till=0, not_before=0, mode="live", field=FIELD, effects=()):
    return pool("levels_put", mode, state, CHECK, not_before, 1, field, level, till, *effects)


def stored(pool, field=FIELD, mode="live"):
    return pool.redis.hget(pool.key(f"level:{mode}"), field)


def seen(pool, level, was=None, field=FIELD):
    was = (stored(pool, field) or "") if was is None else was
    return pool("levels_seen", RETRY, GIVE_UP, 1, field, was, level)[0]


def unconfirmed(pool):
    return {field: int(score) - NOW for field, score in pool.redis.zrange(pool.key("unconfirmed"), 0, -1, withscores=True)}


def lags(pool, name):
    return [int(x) for x in pool.redis.lrange(pool.key(f"lag:{name}"), 0, -1)]


def test_a_written_level_is_read_back_and_confirmed(timed):
    timed.set_time(NOW + 1000)
    assert put(timed, 3, till=NOW, effects=["log", "", "{}"]) == 1
    assert timed.ledger() == ["{}"]
    assert lags(timed, "accepted") == [1000]
    assert timed("levels_due", 10) == [CHECK]
    timed.set_time(NOW + 1000 + CHECK)
    assert timed("levels_due", 10) == [0, FIELD, stored(timed)]
    assert seen(timed, 3) == 1
    assert stored(timed) == f"3 c {NOW + 1000} 0 0"
    assert (timed("levels_due", 10), unconfirmed(timed)) == ([-1], {})
    assert lags(timed, "confirmed") == [1000 + CHECK]


def test_a_level_not_yet_there_is_looked_at_again_and_in_the_end_written_again(timed):
    put(timed, 3)
    timed.set_time(NOW + CHECK)
    assert seen(timed, 4) == 2
    assert unconfirmed(timed) == {FIELD: CHECK + RETRY}
    timed.set_time(NOW + GIVE_UP)
    assert seen(timed, 4) == 2
    timed.set_time(NOW + GIVE_UP + 1)
    assert seen(timed, 4) == 3
    assert unconfirmed(timed) == {FIELD: GIVE_UP + 1 + RETRY}
    assert stored(timed).startswith("3 w "), "it stays unconfirmed until written again"
    assert seen(timed, 3) == 1, "late, but it came"


def refuse(pool, location, sku="S1"):
    pool("apply", "refused", location, *case(cause="level_refused", entity=sku, queue="sku", job=sku)[1:])


def refused(pool, sku="S1"):
    return pool.redis.zscore(pool.key("parked"), f"level_refused:{sku}") is not None


def test_a_refused_level_ends_its_case_when_a_later_write_is_confirmed(timed):
    put(timed, 5)
    timed.set_time(NOW + 10)
    refuse(timed, 1)
    assert seen(timed, 5) == 1 and refused(timed), "the write before the refusal says nothing"
    timed.set_time(NOW + 20)
    assert seen(timed, 5) == 1 and refused(timed), "nor does what was seen before"
    put(timed, 4)
    assert refused(timed), "accepted is not seen yet"
    timed.set_time(NOW + 20 + CHECK)
    assert seen(timed, 5) == 2 and refused(timed)
    assert seen(timed, 4) == 1 and not refused(timed)
    assert timed.redis.exists(timed.key("case:level_refused:S1")) == 0
    refuse(timed, 1)
    assert timed.redis.hget(timed.key("case:level_refused:S1"), "count") == "1", "a new one begins anew"


def test_a_level_refused_at_two_locations_ends_with_the_second(timed):
    refuse(timed, 1)
    refuse(timed, 5)
    refuse(timed, 5, sku="S2")
    timed.set_time(NOW + 10)
    for field in ("7|S1", "5|S1"):
        put(timed, 4, field=field)
        assert seen(timed, 4, field=field) == 1 and refused(timed)
    put(timed, 4)
    assert seen(timed, 4) == 1 and not refused(timed)
    assert refused(timed, "S2")


def test_a_refused_level_on_the_ignore_list_leaves_nothing(timed):
    timed.redis.sadd(timed.key("ignore"), "level_refused:S1")
    refuse(timed, 1)
    assert not refused(timed) and timed.redis.exists(timed.key("case:level_refused:S1")) == 0


def test_an_unsure_level_is_not_confirmed_before_its_time(timed):
    put(timed, 3, "u", till=NOW - 100, not_before=20_000)
    assert lags(timed, "accepted") == [], "nobody accepted it"
    timed.set_time(NOW + CHECK)
    assert seen(timed, 3) == 2
    assert unconfirmed(timed) == {FIELD: 20_000}
    timed.set_time(NOW + 19_999)
    assert (timed("levels_due", 10), seen(timed, 3)) == ([1], 2)
    timed.set_time(NOW + 20_000)
    assert seen(timed, 3) == 1
    assert lags(timed, "confirmed") == [20_100]


def test_a_write_over_an_unsure_level_keeps_its_time_and_its_till(timed):
    put(timed, 3, "u", till=NOW - 100, not_before=20_000)
    timed.set_time(NOW + 1000)
    put(timed, 4, "w", till=NOW + 500)
    assert lags(timed, "accepted") == [1100]
    timed.set_time(NOW + 1000 + CHECK)
    assert seen(timed, 4) == 2, "the lost write may still overwrite it"
    timed.set_time(NOW + 20_000)
    assert seen(timed, 4) == 1
    put(timed, 5, "w")
    timed.set_time(NOW + 20_001)
    assert seen(timed, 5) == 1, "a confirmed level leaves nothing behind"


def test_a_level_changed_meanwhile_is_neither_confirmed_nor_dropped(timed):
    put(timed, 3)
    was = stored(timed)
    timed.set_time(NOW + 100)
    put(timed, 3)
    assert seen(timed, 3, was) == 0
    assert (stored(timed), unconfirmed(timed)) == (f"3 w {NOW + 100} 0 0", {FIELD: 100 + CHECK})
    assert seen(timed, 3) == 1
    assert seen(timed, 3, was) == 0


def test_a_known_level_has_nothing_to_confirm(timed):
    put(timed, 3, "k")
    assert (stored(timed), unconfirmed(timed)) == (f"3 k {NOW} 0 0", {})


def test_shadow_levels_are_kept_apart_and_never_read_back(timed):
    put(timed, 3, till=NOW - 5, mode="shadow")
    assert stored(timed, mode="shadow") == f"3 w {NOW} {NOW - 5} 0"
    assert stored(timed) is None
    assert (unconfirmed(timed), lags(timed, "accepted")) == ({}, [])


@pytest.mark.parametrize("state", ["k", "c"])
def test_a_level_that_the_platform_changed_by_itself_is_written_again(timed, state):
    put(timed, 3, "k" if state == "k" else "w")
    if state == "c":
        assert seen(timed, 3) == 1
    assert timed("levels_check", 2, FIELD, "1|none", CHECK) == 2
    assert unconfirmed(timed) == {FIELD: CHECK}
    assert timed.due("sku") == ["none"], "what was never written has nothing to compare with: it is computed"
    timed.set_time(NOW + CHECK)
    assert timed("levels_due", 10) == [0, FIELD, stored(timed)]
    assert seen(timed, 2) == 3
    assert unconfirmed(timed) == {FIELD: CHECK + RETRY}
    assert seen(timed, 3) == 1
    assert lags(timed, "confirmed") == []


def test_a_check_does_not_postpone_one_that_is_planned(timed):
    put(timed, 3)
    timed.at(1000, "levels_check", 1, FIELD, CHECK)
    assert unconfirmed(timed) == {FIELD: CHECK}


def test_a_check_is_repeated_once_when_reads_that_lag_must_show_the_change(timed):
    put(timed, 3)
    assert seen(timed, 3) == 1
    timed("levels_check", 1, FIELD, CHECK, 40000)
    timed.set_time(NOW + CHECK)
    assert timed("levels_due", 10) == [0, FIELD, stored(timed)]
    assert seen(timed, 3) == 1, "the read still shows the old level"
    timed.set_time(NOW + 39999)
    assert timed("levels_due", 10) == [-1]
    timed.set_time(NOW + 40000)
    assert timed("levels_due", 10) == [0, FIELD, stored(timed)]
    assert seen(timed, 2) == 3
    assert seen(timed, 3) == 1
    timed.set_time(NOW + 80000)
    assert timed("levels_due", 10) == [-1], "once"


def test_levels_due_keeps_to_its_limit_and_several_are_judged_at_once(timed):
    fields = [f"1|S{i}" for i in range(5)]
    timed("levels_put", "live", "w", CHECK, 0, 5, *[x for f in fields for x in (f, 3, 0)])
    timed.set_time(NOW + CHECK)
    due = timed("levels_due", 3)
    assert (due[0], due[1::2]) == (0, fields[:3])
    verdicts = timed("levels_seen", RETRY, GIVE_UP, 3,
                     fields[0], due[2], 3, fields[1], "3 w 1 0 0", 3, fields[2], due[6], 9)
    assert verdicts == [1, 0, 2]


def test_negative_levels_and_bars_in_skus_are_kept(timed):
    put(timed, -2, field="1|a|b c")
    assert seen(timed, -2, field="1|a|b c") == 1
    assert stored(timed, "1|a|b c") == f"-2 c {NOW} 0 0"


def test_a_till_clock_ahead_counts_as_no_lag_and_no_till_as_none(timed):
    put(timed, 3, till=NOW + 5000)
    put(timed, 3, till=0, field="1|S2")
    assert lags(timed, "accepted") == [0]


def test_lag_lists_keep_the_newest_ten_thousand_for_a_week(timed):
    key = timed.key("lag:accepted")
    timed.redis.rpush(key, *range(10_000))
    put(timed, 3, till=NOW - 7)
    assert timed.redis.llen(key) == 10_000
    assert timed.redis.lindex(key, 0) == "7"
    assert 6 * 86400 < timed.redis.ttl(key) <= 7 * 86400


def test_the_accepted_lag_of_a_second_write_is_that_of_its_own_sale(timed):
    timed.set_time(NOW + 100)
    put(timed, 3, till=NOW)
    timed.set_time(NOW + 4000)
    put(timed, 2, till=NOW + 3900)
    assert lags(timed, "accepted") == [100, 100]


# ---- pending ----


def pending_put(pool, order, rows, status="11", modified="1000"):
    return pool("pending_put", order, status, modified, len(rows), *[x for row in rows for x in row])


def pending(pool):
    return {k: int(v) for k, v in pool.redis.hgetall(pool.key("pending:qty")).items()}


def settle_skus(pool):
    """Entities that were due, with their hints; none is due afterwards."""
    claims = pool.claim("sku", 100)[1]
    pool.complete(claims, queue="sku")
    return {c.entity: c.hints for c in claims}


def test_pending_rows_are_summed_over_orders_and_make_their_skus_due(pool):
    assert pending_put(pool, 1, [("2|S1", 1000), ("0|a|b", 2500)]) == 1
    assert pending_put(pool, 2, [("2|S1", 3000), ("2|S1", 1000), ("3|S1", 1000)]) == 1
    assert pending(pool) == {"2|S1": 5000, "0|a|b": 2500, "3|S1": 1000}
    assert settle_skus(pool) == {"S1": {"b"}, "a|b": {"b"}}
    order = json.loads(pool.redis.hget(pool.key("pending:orders"), 1))
    assert (order["status"], order["modified"], order["rows"]) == ("11", "1000", [["2|S1", "1000"], ["0|a|b", "2500"]])


def test_the_same_pending_order_again_changes_nothing(pool):
    rows = [("2|S1", 1000), ("2|S2", 2000)]
    pending_put(pool, 1, rows)
    settle_skus(pool)
    before = pool.contents()
    assert pending_put(pool, 1, rows) == 0
    assert pool.contents() == before


def test_a_changed_pending_order_replaces_its_rows_and_marks_old_and_new_skus(pool):
    pending_put(pool, 1, [("2|S1", 1000), ("2|S2", 2000)])
    pending_put(pool, 9, [("2|S2", 500), ("2|S4", 500)])
    settle_skus(pool)
    assert pending_put(pool, 1, [("2|S2", 1000), ("3|S3", 1000)], modified="2000") == 1
    assert pending(pool) == {"2|S2": 1500, "3|S3": 1000, "2|S4": 500}
    assert set(settle_skus(pool)) == {"S1", "S2", "S3"}


def test_another_status_or_time_of_a_pending_order_marks_its_skus_but_changes_no_sum(pool):
    pending_put(pool, 1, [("2|S1", 1000)])
    settle_skus(pool)
    assert pending_put(pool, 1, [("2|S1", 1000)], status="9") == 1
    assert set(settle_skus(pool)) == {"S1"}, "BigCommerce may have moved stock by itself"
    assert pending_put(pool, 1, [("2|S1", 1000)], status="9", modified="2000") == 1
    assert pending(pool) == {"2|S1": 1000}


def test_no_rows_take_a_pending_order_out(pool):
    pending_put(pool, 1, [("2|S1", 1000)])
    pending_put(pool, 2, [("2|S1", 500)])
    settle_skus(pool)
    assert [pending_put(pool, 1, []), pending_put(pool, 1, [])] == [1, 0]
    assert (pending(pool), settle_skus(pool)) == ({"2|S1": 500}, {"S1": {"b"}})
    assert pending_put(pool, 2, []) == 1
    assert not pool.redis.exists(pool.key("pending:qty"), pool.key("pending:orders"))
    assert pending_put(pool, 3, []) == 0


def test_pending_sums_hold_over_any_sequence_of_changes(timed):
    rnd = random.Random(11)
    model = {}
    for _ in range(300):
        order = rnd.randrange(8)
        rows = [(f"{rnd.randrange(3)}|S{rnd.randrange(4)}", rnd.randrange(1, 9) * 500) for _ in range(rnd.randrange(4))]
        pending_put(timed, order, rows, modified=str(rnd.randrange(3)))
        model[order] = rows
        sums = {}
        for field, quantity in (row for known in model.values() for row in known):
            sums[field] = sums.get(field, 0) + quantity
        assert pending(timed) == sums


# ---- status ----


def test_status_counts_ready_claimed_and_deferred(timed):
    for i, entity in enumerate("abcdef"):
        timed.at(i * 1000, "apply", *mark(entity))
    timed.set_time(NOW + 10_000)
    claims = timed.claim(limit=3)[1]
    timed.defer(claims[:1], LONG)
    assert timed("status", 100, "order", "sku") == [["order", 3, 2, 1, 10_000, 6, ["waits", 1]],
                                                    ["sku", 0, 0, 0, 0, 0, []]]
    timed.set_time(NOW + 10_000 + LONG)
    assert timed("status", 100, "order") == [["order", 6, 0, 0, 10_000 + LONG, 6, []]], "what ended is ready"


def test_status_looks_at_no_more_than_its_limit_but_counts_all(timed):
    for i in range(7):
        timed.mark(f"{i}")
    assert timed("status", 3, "order") == [["order", 3, 0, 0, 0, 7, []]]


# ---- durability ----


def survived(pool, events):
    """Per event: (idempotency key, journal entry, due entity)."""
    journal, due = {e["id"] for e in pool.journal()}, set(pool.due())
    return [(bool(pool.redis.exists(pool.key(f"idem:sitoo:{e}"))), e in journal, f"order-{e}" in due) for e in events]


def test_a_torn_append_only_file_keeps_or_loses_each_batch_as_a_whole(tmp_path_factory):
    home = tmp_path_factory.mktemp("torn")
    server = Server(home / "whole")
    log = None
    batches = [[f"e{b}-{i}" for i in range(1 + b % 3)] for b in range(30)]
    events = [e for batch in batches for e in batch]
    ends = []
    try:
        server.redis.execute_command("FUNCTION", "LOAD", library(VERSION))
        log = max((home / "whole" / "appendonlydir").glob("*.incr.aof"), key=lambda p: int(p.name.split(".")[-3]))
        ends.append(log.stat().st_size)
        for batch in batches:
            effects = [[*mark(f"order-{e}", hint="w1"), *mark("S1", "sku"), "count", "seen", 1] for e in batch]
            sent = [event(e, *x, data="x" * 300) for e, x in zip(batch, effects)]
            assert accept(Pool(server.redis), *sent) == [len(batch), 0]
            ends.append(log.stat().st_size)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
    finally:
        server.kill()
    assert ends == sorted(set(ends)) and log.stat().st_size == ends[-1], "all that was acknowledged is in the file"

    rnd = random.Random(3)
    cuts = [ends[0], ends[-1], ends[-1] - 1, ends[7], ends[7] + 1, ends[19] - 1]
    cuts += [rnd.randrange(ends[0], ends[-1]) for _ in range(40 - len(cuts))]
    partial = 0
    for number, cut in enumerate(cuts):
        copy = home / f"cut{number}"
        shutil.copytree(home / "whole", copy, ignore=shutil.ignore_patterns("redis.sock", "redis.log"))
        with open(copy / "appendonlydir" / log.name, "r+b") as file:
            file.truncate(cut)
        again = Server(copy)
        try:
            pool = Pool(again.redis)
            kept = survived(pool, events)
            assert all(len(set(one)) == 1 for one in kept), f"cut at {cut}: {list(zip(events, kept))}"
            whole = sum(end <= cut for end in ends) - 1
            expected = sum(len(batch) for batch in batches[:whole])
            assert [one[0] for one in kept] == [True] * expected + [False] * (len(events) - expected), f"cut at {cut}"
            assert pool.counter("seen") == pool.counter("accepted:sitoo") == expected
            partial += cut not in ends
            retry = [accept(pool, *[event(e, *mark(f"order-{e}")) for e in batch]) for batch in batches]
            assert [sum(n) for n in zip(*retry)] == [len(events) - expected, expected], "the sender's retry heals it"
            assert set(survived(pool, events)) == {(True, True, True)}
        finally:
            again.kill()
        shutil.rmtree(copy)
    assert partial > 30


# ---- a worker that replaces a dead one ----


def test_what_a_dead_worker_held_is_due_again_at_once_for_whoever_takes_its_place(pool):
    pool.mark("7", hint="w3", till=1000)
    pool.mark("8")
    pool("claim", "order", 1, LONG, 12, "ops", "place-1")
    pool("claim", "order", 1, LONG, 12, "ops", "place-2")
    assert pool("recover", "place-1", "order", "sale") == 1
    wait, *claims = pool("claim", "order", 10, LONG, 12, "ops", "place-1")
    assert [(c[0], c[2]) for c in claims] == [("7", 2)], "the attempt stays counted, the other worker's lease stays"
    assert claims[0][3:5] == ["1000", "w3"]


def test_the_permit_of_a_dead_worker_is_free_for_whoever_takes_its_place(pool):
    assert pool("sitoo_take", 1, 1, LONG, "place-1")[0] == 1
    pool("recover", "place-2", "order")
    assert pool("sitoo_take", 1, 1, LONG, "place-2")[0] == 0
    pool("recover", "place-1", "order")
    assert pool("sitoo_take", 1, 1, LONG, "place-1")[0] == 1


# ---- a level that turns back before it was confirmed ----


def test_a_level_that_turns_back_is_not_believed_at_once_and_looked_at_again(timed):
    put(timed, 5, "k")
    put(timed, 4)
    timed.set_time(NOW + 100)
    put(timed, 5)
    timed.set_time(NOW + 1000)
    assert seen(timed, 5) == 2, "the 5 that is seen may be the one from before both writes"
    timed.set_time(NOW + 5200)
    assert seen(timed, 5) == 1
    assert timed.redis.zrange(timed.key("recheck"), 0, -1) == [FIELD]


def test_levels_that_keep_falling_are_believed_at_once(timed):
    put(timed, 5, "k")
    for level in (4, 3, 2):
        put(timed, level)
    assert seen(timed, 2) == 1


# ---- the brake on hiding products ----


def test_the_catalog_brake_counts_each_sku_once_in_a_window(timed):
    def off(*skus):
        return timed.at(0, "catalog_off", 3, *skus)
    assert [off("A", "B") for _ in range(5)] == [1] * 5, "a try that is made again hides nothing more"
    assert off("C", "D") == 0 and off("B", "C") == 1 and off("D") == 0
    timed.redis.hset(timed.key("catalog"), "released", NOW)
    assert off("D", "E") == 1
    timed.redis.hdel(timed.key("catalog"), "released")
    assert off("E", "A") == 1 and off("F") == 0
    assert 86_000_000 < timed.redis.pttl(timed.key("catalog:off")) <= 86_400_000
    timed.redis.delete(timed.key("catalog:off"))
    assert off("F") == 1
