# SPDX-License-Identifier: Apache-2.0
"""The part of the Redis Function library about the sweep (shared/lua/89_sweep.lua), with a clock that the test sets."""

GRACE = 60_000
PAGE = 500


def listed(pool, ms, *orders, grace=GRACE):
    """Orders that the sweep has just listed: numbers, or (number, digest)."""
    rows = [order if isinstance(order, tuple) else (order, "-") for order in orders]
    return pool.at(ms, "sweep_orders", grace, "", "0", len(rows), *[x for row in rows for x in row])


def late(pool):
    return set(pool.redis.hkeys(pool.key("sweep:late")))


# ---- many late orders at once

def test_one_call_settles_some_of_many_late_orders_and_says_that_there_are_more(timed):
    total, settled, calls = 1000, 0, 0
    for at in range(0, total, PAGE):
        listed(timed, 0, *range(1 + at, 1 + at + PAGE))
    assert len(late(timed)) == total
    more = 1
    while more:
        missed, waiting, more = listed(timed, GRACE + 1)
        settled, calls = settled + missed, calls + 1
        assert missed <= 200 and waiting == 0 and more == (settled < total), (missed, waiting, more, settled)
    assert calls >= 5
    assert timed.counter("missed:sitoo_order") == total == len(timed.due())
    assert not timed.redis.exists(timed.key("sweep:late"), timed.key("sweep:late:at"))


def test_the_first_seen_are_settled_first_and_the_young_wait(timed):
    listed(timed, 0, *range(300, 0, -1))
    listed(timed, 10, *range(301, 400))
    assert listed(timed, 20, 400) == [0, 400, 0]
    assert listed(timed, GRACE + 1) == [200, 100, 1]
    assert listed(timed, GRACE + 1) == [100, 100, 0]
    assert late(timed) == {str(order) for order in range(301, 401)}


def test_what_came_by_its_event_meanwhile_is_not_missed(timed):
    listed(timed, 0, 7, 8)
    timed.at(10, "apply", "told", "sitoo", "7")
    assert listed(timed, 20, 7, 8) == [0, 1, 0], "an order that is listed again is looked at again"
    timed.at(30, "apply", "told", "sitoo", "8")
    assert listed(timed, GRACE) == [0, 0, 0]
    assert not timed.redis.exists(timed.key("sweep:late"), timed.key("sweep:late:at"))


def test_an_order_that_changes_again_is_given_time_again(timed):
    timed.at(0, "apply", "order_read", "7", "a")
    listed(timed, 10, (7, "b"))
    listed(timed, 20_000, (7, "c"))
    assert listed(timed, GRACE + 10) == [0, 1, 0]
    assert listed(timed, GRACE + 20_000) == [1, 0, 0]
    assert timed.redis.hget(timed.key("orders:open"), "7") == "c"
