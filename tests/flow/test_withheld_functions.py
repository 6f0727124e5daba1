# SPDX-License-Identifier: Apache-2.0
"""The part of the Redis Function library about units withheld from sale (shared/lua/10_effects.lua)."""
import json
import time

import pytest
import redis as client

DAY_MS = 86400 * 1000
START = int(time.time()) * 1000 - DAY_MS  # times below are ms after it


def came_back(pool, ret, units=1000, word="unsellable", at=1000, sku="S1", warehouse=2, ledger=True):
    """A returned row, seen from both sides (or by its order only) and judged; word None: not judged yet."""
    if ledger:
        pool("apply", "hold", f"hold:l:{ret}:0", "l", warehouse, sku, units)
    pool("apply", "hold_return", f"hold:r:{ret}:0", warehouse, sku, units, START + at)
    if word:
        judge(pool, ret, word, units, at, sku, warehouse)


def judge(pool, ret, word, units=1000, at=1000, sku="S1", warehouse=2, reason="RC123"):
    pool("apply", "verdict", ret, 0, warehouse, sku, units, word, reason, START + at)


def moved_out(pool, op, units, at=5000, sku="S1", warehouse=2):
    pool("apply", "moved_out", op, warehouse, sku, units, START + at)


def sides(pool, field="2|S1"):
    return [int(pool.redis.hget(pool.key(f"withheld:{side}"), field) or 0) for side in "lr"]


def entries(pool, field="2|S1"):
    """{return:item: thousandths left}, oldest first; the list of all entries and that of the SKU must agree."""
    ids = pool.redis.zrange(pool.key(f"withheld:of:{field}"), 0, -1)
    assert set(ids) <= set(pool.redis.zrange(pool.key("withheld:rows"), 0, -1))
    assert sorted(pool.key(f"withheld:row:{i}") for i in pool.redis.zrange(pool.key("withheld:rows"), 0, -1)) == \
        sorted(pool.redis.keys(pool.key("withheld:row:*")))
    return {i: int(pool.redis.hget(pool.key(f"withheld:row:{i}"), "left")) for i in ids}


def releases(pool):
    return [(row["how"], row["entry"], int(row["thousandths"])) for row in map(json.loads, pool.ledger())
            if row["type"] == "release"]


def test_the_effect_lets_go_once_per_operation(pool):
    came_back(pool, 11, 3000)
    for _ in range(3):
        pool("apply", "release", "out:5:0", "11:0", 1000, "quarantine")
    assert sides(pool) == [2000, 2000] and entries(pool) == {"11:0": 2000}
    pool("apply", "release", "out:6:0", "11:0", "", "quarantine")
    pool("apply", "release", "out:7:0", "99:0", "", "quarantine")
    assert sides(pool) == [0, 0] and entries(pool) == {}
    assert releases(pool) == [("quarantine", "11:0", 1000), ("quarantine", "11:0", 2000)]


def test_units_moved_out_are_the_oldest_ones(pool):
    came_back(pool, 13, 2000, at=3000)
    came_back(pool, 11, 1000, at=1000)
    came_back(pool, 12, 1000, at=2000, word="unknown")
    assert list(entries(pool)) == ["11:0", "12:0", "13:0"]
    for _ in range(2):
        moved_out(pool, "out:1:0", 1500)
    assert entries(pool) == {"12:0": 500, "13:0": 2000} and sides(pool) == [2500, 2500]
    moved_out(pool, "out:1:1", 9000)
    assert entries(pool) == {} and sides(pool) == [0, 0], "never more than was withheld"
    assert releases(pool) == [("out:1:0", "11:0", 1000), ("out:1:0", "12:0", 500), ("out:1:1", "12:0", 500),
                              ("out:1:1", "13:0", 2000)]


def test_only_that_sku_and_warehouse(pool):
    came_back(pool, 11)
    came_back(pool, 12, warehouse=3)
    came_back(pool, 13, sku="S2")
    moved_out(pool, "out:1:0", 5000)
    assert (sides(pool), sides(pool, "3|S1"), sides(pool, "2|S2")) == ([0, 0], [1000, 1000], [1000, 1000])


@pytest.mark.parametrize("word", ["sellable", "unsellable"])
def test_units_that_left_before_they_were_judged_are_not_withheld_by_the_verdict(pool, word):
    came_back(pool, 11, 2000, word=None, at=1000)
    moved_out(pool, "out:1:0", 500)
    judge(pool, 11, word, 2000, reason="")
    left = 0 if word == "sellable" else 1500
    assert sides(pool) == [left, left] and entries(pool) == ({"11:0": 1500} if left else {})
    assert not pool.redis.exists(pool.key("withheld:gone"))


def test_a_unit_that_came_back_after_the_move_is_withheld(pool):
    came_back(pool, 11, word=None)
    moved_out(pool, "out:1:0", 1000, at=5000)
    came_back(pool, 12, at=6000)
    assert entries(pool) == {"12:0": 1000} and sides(pool) == [1000, 1000]


def test_a_move_where_nothing_is_withheld_leaves_no_trace(pool):
    moved_out(pool, "out:1:0", 1000)
    assert sides(pool) == [0, 0] and not pool.redis.exists(pool.key("withheld:gone"))
    came_back(pool, 11, at=1000)
    assert entries(pool) == {"11:0": 1000} and sides(pool) == [1000, 1000]


def counted(op, field="2|S1"):
    return ["counted", op, field, "stock_count_withheld", "operations", field, "units were counted", "effect",
            "step", "sku", "S1", ""]


def test_a_stock_count_asks_about_withheld_units_until_they_are_gone(pool):
    name = "stock_count_withheld:2|S1"
    pool("apply", *counted("count:1:0"))
    assert pool.case(name) == {}, "nothing is withheld"
    came_back(pool, 11, 1500)
    came_back(pool, 12, 1000)
    for _ in range(2):
        pool("apply", *counted("count:2:0"))
    assert pool.case(name)["text"] == "2.5 units were counted" and pool.case(name)["count"] == "1"
    assert sides(pool) == [2500, 2500], "a count lets nothing go"
    pool("apply", "release", "p1", "11:0", "", "person")
    assert pool.case(name)
    moved_out(pool, "out:3:0", 1000)
    assert pool.case(name) == {} and pool.redis.zcard(pool.key("parked")) == 0


def test_a_verdict_that_becomes_sellable_later_lets_go_what_is_left(pool):
    came_back(pool, 11, 3000, word="unknown")
    pool("apply", "release", "p2", "11:0", 1000, "person")
    judge(pool, 11, "unsellable", 3000, reason="RC1")
    assert pool.redis.hget(pool.key("withheld:row:11:0"), "verdict") == "unsellable"
    for _ in range(2):
        judge(pool, 11, "sellable", 3000, reason="RC1")
    assert sides(pool) == [0, 0] and entries(pool) == {}


BAD = {
    "release of no number": ["release", "op", "11:0", "many", "person"],
    "moved out of no number": ["moved_out", "op", 2, "S1", "1.5", 1000],
    "release cut short": ["release", "op", "11:0"],
    "count cut short": counted("op")[:-1],
    "hold of a return of no number": ["hold_return", "op", 2, "S1", "1.5", 1000],
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_a_bad_effect_changes_nothing(pool, bad):
    came_back(pool, 11)
    before = pool.contents()
    with pytest.raises(client.ResponseError):
        pool("apply", "count", "x", 1, *bad)
    assert pool.contents() == before


def test_what_left_before_it_was_judged_is_counted_off_what_may_not_be_sold(pool):
    """A sellable unit and two others came back, one unit left: of the two, one is still withheld. Found by a random history."""
    came_back(pool, 1, word=None)
    came_back(pool, 2, units=2000, word=None)
    moved_out(pool, "out:9:0", 1000)
    judge(pool, 1, "sellable", 1000, reason="101")
    judge(pool, 2, "unknown", 2000, reason="999")
    assert sides(pool) == [1000, 1000]
    assert pool.redis.hget(pool.key("withheld:row:2:0"), "left") == "1000"


def test_a_sellable_unit_that_left_before_it_was_judged_frees_no_other(pool):
    came_back(pool, 1, word=None)
    moved_out(pool, "out:9:0", 1000)
    judge(pool, 1, "sellable", 1000, reason="101")
    assert sides(pool) == [0, 0]
    came_back(pool, 2, word=None, at=9000)
    assert sides(pool) == [1000, 1000]


def test_goods_that_left_before_the_return_in_the_ledger_release_nothing_of_it(pool):
    """The return's order is read before the ledger's rows, of which the first is the older move."""
    came_back(pool, 1, ledger=False)
    moved_out(pool, "out:9:0", 1000)
    pool("apply", "hold", "hold:l:10:0", "l", 2, "S1", 1000)
    assert sides(pool) == [1000, 1000]
    assert pool.redis.hget(pool.key("withheld:row:1:0"), "left") == "1000"


def expire(pool, *ops):
    """As if the marks of these operations were made so long ago that they are gone."""
    assert pool.redis.delete(*(pool.key(f"op:{op}") for op in ops)) == len(ops)


@pytest.mark.parametrize("word", ["sellable", "unsellable"])
def test_a_return_whose_marks_are_gone_is_not_judged_again(pool, word):
    """Its marks outlive the age at which it is judged at all: 400 days after it was withheld, 380 days after it came back."""
    old = -378 * DAY_MS
    came_back(pool, 1, word=word, at=old)
    pool("apply", "release", "p1", "1:0", "", "person")
    assert sides(pool) == [0, 0]
    marks = ("hold:r:1:0", "verdict:1:0")
    assert all(pool.redis.pttl(pool.key(f"op:{mark}")) > 399 * DAY_MS for mark in marks)
    came_back(pool, 1, word=word, at=old, ledger=False)
    assert sides(pool) == [0, 0] and entries(pool) == {}
    expire(pool, *marks)
    # The date is moved back, since Redis' clock cannot be moved forward.
    came_back(pool, 1, word=word, at=-380 * DAY_MS, ledger=False)
    assert sides(pool) == [0, 0] and entries(pool) == {}
    assert pool.redis.hget(pool.key("count"), "returns:too_old") == "2"
    assert not pool.redis.exists(*(pool.key(f"op:{mark}") for mark in marks))


def test_a_unit_that_is_withheld_for_years_is_not_counted_twice_and_may_be_judged_sellable(pool):
    came_back(pool, 1, units=2000, word="unknown", at=-370 * DAY_MS)
    expire(pool, "hold:r:1:0", "verdict:1:0")
    old = -800 * DAY_MS
    came_back(pool, 1, units=2000, word="unsellable", at=old, ledger=False)
    assert sides(pool) == [2000, 2000] and entries(pool) == {"1:0": 2000}
    assert pool.redis.hget(pool.key("withheld:row:1:0"), "verdict") == "unsellable"
    judge(pool, 1, "sellable", 2000, old)
    assert sides(pool) == [0, 0] and entries(pool) == {}


def test_marks_of_a_return_that_is_dated_ahead_last_as_much_longer(pool):
    came_back(pool, 1, at=30 * DAY_MS)
    assert all(pool.redis.pttl(pool.key(f"op:{mark}")) > 428 * DAY_MS for mark in ("hold:r:1:0", "verdict:1:0"))


def test_a_return_without_a_date_is_judged(pool):
    came_back(pool, 1, at=-START)
    assert sides(pool) == [1000, 1000] and entries(pool) == {"1:0": 1000}


def test_a_page_of_the_ledger_that_is_read_twice_releases_nothing_that_came_back_later(pool):
    """A unit leaves, then another comes back. Read again, the first row must not take the second one's unit."""
    for _ in range(2):
        moved_out(pool, "out:9:0", 1000, at=1000)
        pool("apply", "hold", "hold:l:10:0", "l", 2, "S1", 1000)
        assert sides(pool) == [1000, 0]
    came_back(pool, 1, at=2000, ledger=False)
    assert sides(pool) == [1000, 1000] and entries(pool) == {"1:0": 1000}
