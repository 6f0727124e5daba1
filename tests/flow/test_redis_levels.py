# SPDX-License-Identifier: Apache-2.0
"""Levels that were written are read back; pending units of web orders; what status counts (shared/lua)."""
import json
import random

import pytest

from redis_library import CHECK, FIELD, GIVE_UP, LONG, NOW, RETRY, case, lags, mark, pending, pending_put, put, refused, seen, stored

# ---- levels ----


def unconfirmed(pool):
    return {field: int(score) - NOW for field, score in pool.redis.zrange(pool.key("unconfirmed"), 0, -1, withscores=True)}


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


# ---- pending ----


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
