# SPDX-License-Identifier: Apache-2.0
"""Claims, leases, tokens, deferrals: who works on what is due, and who came too late (shared/lua)."""
import pytest

from redis_library import LEASE, LONG, NOW, OWNER, case, mark, pairs, wait_until

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
