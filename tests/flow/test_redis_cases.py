# SPDX-License-Identifier: Apache-2.0
"""Parked cases, records that happen once, named leases and intents, the brake on hiding products (shared/lua)."""
import pytest

from redis_library import LEASE, LONG, NOW, OWNER, Pool, case, notice, raw_client, wait_until

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
