# SPDX-License-Identifier: Apache-2.0
"""Events are accepted: journal, idempotency key and due entity in one step (shared/lua)."""
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis as client

from redis_library import NOW, Pool, VERSION, accept, changed, event, library, mark, mark_in, raw_client, wait_until

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
