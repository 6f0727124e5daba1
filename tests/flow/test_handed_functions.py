# SPDX-License-Identifier: Apache-2.0
"""The part of the Redis Function library about web orders that stand in Sitoo (shared/lua/80_pending.lua): what is pending
falls by what was seen there, taken over by the writer; what is there no more counts at once."""
import json
import random

import pytest
import redis as client

DAY_MS = 86400 * 1000


def pending_put(pool, order, *rows, status="11", modified="1000"):
    return pool("pending_put", order, status, modified, len(rows), *[x for row in rows for x in row])


def handed_put(pool, order, *rows, done=0, seen=""):
    """rows: (sku, warehouse, open, delivered, reserved)"""
    return pool("handed_put", order, done, seen, len(rows), *[x for row in rows for x in row])


def take(pool, limit=100):
    return pool("handed_take", limit)


def pending(pool):
    return {field: int(n) for field, n in pool.redis.hgetall(pool.key("pending:qty")).items()}


def handed_open(pool):
    return {field: int(n) for field, n in pool.redis.hgetall(pool.key("handed:open")).items()}


def known(pool, order):
    text = pool.redis.hget(pool.key("handed"), order)
    return json.loads(text) if text else None


def settled(pool, queue):
    """What was due in a queue so far; nothing is, from now on."""
    claims = pool.claim(queue, 100)[1]
    pool.complete(claims, queue=queue)
    return sorted(c.entity for c in claims)


# ---- staged, then taken over

def test_what_was_seen_in_sitoo_counts_once_the_writer_takes_it_over(pool):
    pending_put(pool, 7, ("2|S1", 3000))
    settled(pool, "sku")
    assert handed_put(pool, 7, ("S1", 2, 3000, 0, 3000)) == [1]
    assert pending(pool) == {"2|S1": 3000}, "not before the writer reads Sitoo"
    assert pool.redis.smembers(pool.key("handed:due")) == {"7"}
    assert settled(pool, "sku") == ["S1"], "the writer is woken for it"
    assert take(pool) == 1
    assert pending(pool) == {} and pool.redis.hget(pool.key("pending:orders"), "7") is None
    assert settled(pool, "sku") == ["S1"], "and reads the warehouse anew"
    assert take(pool) == 0


def test_the_warehouse_is_read_anew_where_it_was_seen(pool):
    pending_put(pool, 7, ("0|S1", 1000))
    settled(pool, "sku")
    handed_put(pool, 7, ("S1", 12, 1000, 0, 1000))
    take(pool)
    assert "w12" in pool.job("S1", "sku")["hint"].split()


def test_seen_again_before_it_was_taken_over_counts_once(pool):
    pending_put(pool, 7, ("2|S1", 3000))
    for _ in range(3):
        handed_put(pool, 7, ("S1", 2, 3000, 0, 3000))
    assert handed_open(pool) == {"2|S1": 3000}
    assert take(pool) == 1
    assert pending(pool) == {}
    handed_put(pool, 7, ("S1", 2, 3000, 0, 3000))
    assert take(pool) == 0, "nothing new"


def test_what_is_there_no_more_counts_at_once(pool):
    pending_put(pool, 7, ("2|S1", 3000))
    handed_put(pool, 7, ("S1", 2, 3000, 0, 3000))
    take(pool)
    settled(pool, "sku")
    assert handed_put(pool, 7, ("S1", 2, 3000, 0, 2000)) == [0]
    assert pending(pool) == {"2|S1": 3000}, "its reservation is gone"
    assert "w2" in pool.job("S1", "sku")["hint"].split(), "no event told of it: the warehouse is read anew"
    assert settled(pool, "sku") == ["S1"]
    assert handed_put(pool, 7, ("S1", 2, 3000, 0, 3000)) == [1]
    assert pending(pool) == {"2|S1": 3000}
    take(pool)
    assert pending(pool) == {}


def test_cancelled_in_sitoo_is_pending_again_at_once(pool):
    pending_put(pool, 7, ("2|S1", 3000))
    handed_put(pool, 7, ("S1", 2, 3000, 0, 3000))
    take(pool)
    handed_put(pool, 7, done=1)
    assert (pending(pool), handed_open(pool)) == ({"2|S1": 3000}, {})
    assert pool.redis.smembers(pool.key("handed:due")) == set()


def test_staged_and_gone_before_the_writer_came_is_never_taken_over(pool):
    pending_put(pool, 7, ("2|S1", 3000))
    handed_put(pool, 7, ("S1", 2, 3000, 0, 3000))
    handed_put(pool, 7, done=1)
    assert take(pool) == 0
    assert pending(pool) == {"2|S1": 3000}


def test_delivered_stays_covered_without_a_reservation(pool):
    pending_put(pool, 7, ("2|S1", 3000))
    handed_put(pool, 7, ("S1", 2, 3000, 0, 3000))
    take(pool)
    assert handed_put(pool, 7, ("S1", 2, 1000, 2000, 1000)) == [1]
    assert (pending(pool), handed_open(pool)) == ({}, {"2|S1": 1000})
    assert handed_put(pool, 7, ("S1", 2, 0, 3000, ""), done=1) == [1]
    assert (pending(pool), handed_open(pool)) == ({}, {})
    assert pending_put(pool, 7, status="5") == 0, "cancelled after all was handed over: nothing is pending"


def test_part_of_an_order_is_covered(pool):
    pending_put(pool, 7, ("0|S1", 3000), ("0|S2", 1000))
    handed_put(pool, 7, ("S1", 2, 2000, 0, 2000))
    take(pool)
    assert pending(pool) == {"0|S1": 1000, "0|S2": 1000}


def test_rows_of_one_sku_in_two_targets(pool):
    """Covered in the order of the rows, and never more than there is."""
    pending_put(pool, 7, ("2|S1", 1000), ("3|S1", 2000))
    handed_put(pool, 7, ("S1", 2, 1000, 0, 1000), ("S1", 3, 1000, 0, 1000))
    take(pool)
    assert (pending(pool), handed_open(pool)) == ({"3|S1": 1000}, {"2|S1": 1000, "3|S1": 1000})
    handed_put(pool, 7, ("S1", 2, 1000, 0, 1000), ("S1", 3, 5000, 0, 5000))
    take(pool)
    assert pending(pool) == {}


def test_the_same_row_twice_in_the_order_and_in_sitoo(pool):
    pending_put(pool, 7, ("2|S1", 1000), ("2|S1", 2000))
    handed_put(pool, 7, ("S1", 2, 1000, 0, 3000), ("S1", 2, 2000, 0, 3000))
    take(pool)
    assert (pending(pool), handed_open(pool)) == ({}, {"2|S1": 3000})
    handed_put(pool, 7, ("S1", 2, 1000, 0, 2999), ("S1", 2, 2000, 0, 2999))
    assert pending(pool) == {"2|S1": 3000}, "two rows share what is reserved"


def test_two_orders_share_what_is_reserved(pool):
    for order in (7, 8):
        pending_put(pool, order, ("2|S1", 1000))
    assert handed_put(pool, 7, ("S1", 2, 1000, 0, 1000)) == [1]
    assert handed_put(pool, 8, ("S1", 2, 1000, 0, 1000)) == [0], "one unit is reserved, two should be"
    assert handed_put(pool, 8, ("S1", 2, 1000, 0, 2000)) == [1]
    take(pool)
    assert pending(pool) == {}
    handed_put(pool, 7, done=1)
    assert handed_open(pool) == {"2|S1": 1000}
    assert handed_put(pool, 8, ("S1", 2, 1000, 0, 1000)) == [1]


def test_an_order_that_lacked_its_reservation_is_due_again_when_another_one_leaves_its_place(pool):
    """8 was closed in Sitoo, which took its reservation, before we knew: so 7's seemed to be missing, and 9's is another place's."""
    for order, place in ((7, "2|S1"), (8, "2|S1"), (9, "3|S1")):
        pending_put(pool, order, (place, 1000))
    handed_put(pool, 8, ("S1", 2, 1000, 0, 1000))
    handed_put(pool, 9, ("S1", 3, 1000, 0, 0))
    assert handed_put(pool, 7, ("S1", 2, 1000, 0, 1000)) == [0]
    settled(pool, "handover")
    handed_put(pool, 8, ("S1", 2, 0, 1000, 0), done=1)
    assert settled(pool, "handover") == ["7"]
    assert handed_put(pool, 7, ("S1", 2, 1000, 0, 1000)) == [1]
    handed_put(pool, 7, ("S1", 2, 1000, 0, 1000))
    handed_put(pool, 8, ("S1", 2, 0, 1000, 0), done=1)
    assert settled(pool, "handover") == [], "once: nothing left anybody's place"


def test_of_many_that_lack_their_reservation_a_few_are_due_at_a_time_when_one_leaves(pool):
    """A pre-order of thousands: each that leaves must not make all others look again, nor Redis read them all."""
    pending_put(pool, 1, ("2|S1", 1000))
    handed_put(pool, 1, ("S1", 2, 1000, 0, 1000))
    for order in range(2, 302):
        pending_put(pool, order, ("2|S1", 1000))
        handed_put(pool, order, ("S1", 2, 1000, 0, 1000))
    for _ in range(4):
        settled(pool, "handover")
    handed_put(pool, 1, ("S1", 2, 0, 1000, 0), done=1)
    due = settled(pool, "handover")
    assert 0 < len(due) <= 20 and set(due) <= {str(order) for order in range(2, 302)}
    assert pool.redis.scard(pool.key("handed:lack:2|S1")) == 300
    handed_put(pool, due[0], ("S1", 2, 1000, 0, 299000))
    assert settled(pool, "handover") == [], "still one too few"
    rounds = 0
    while due:
        for order in due:
            handed_put(pool, order, ("S1", 2, 1000, 0, 300000))
        due, rounds = settled(pool, "handover"), rounds + 1
    assert 2 <= rounds <= 30, "all were looked at, a few after the other"
    assert not pool.redis.exists(pool.key("handed:lack:2|S1")), "those that have theirs are kept in no list"


def test_an_order_that_has_its_reservation_is_not_due_when_another_one_leaves_its_place(pool):
    for order in (7, 8):
        pending_put(pool, order, ("2|S1", 1000))
        handed_put(pool, order, ("S1", 2, 1000, 0, 2000))
    settled(pool, "handover")
    handed_put(pool, 8, done=1)
    assert settled(pool, "handover") == []


def test_edited_order_counts_what_is_not_covered(pool):
    pending_put(pool, 7, ("2|S1", 1000))
    handed_put(pool, 7, ("S1", 2, 1000, 0, 1000))
    take(pool)
    settled(pool, "handover")
    assert pending_put(pool, 7, ("2|S1", 3000), modified="2000") == 1
    assert pending(pool) == {"2|S1": 2000}
    assert settled(pool, "handover") == ["7"], "whoever hands it over looks again"
    assert pending_put(pool, 7, ("2|S1", 1000), modified="3000") == 1
    assert pending(pool) == {}


def test_order_is_due_for_its_hand_over_once_for_each_change(pool):
    pending_put(pool, 7, ("2|S1", 1000))
    assert settled(pool, "handover") == ["7"]
    assert pending_put(pool, 7, ("2|S1", 1000)) == 0
    assert settled(pool, "handover") == []
    pending_put(pool, 7, ("2|S1", 1000), status="9")
    assert settled(pool, "handover") == ["7"]
    pending_put(pool, 7, status="5", modified="2000")
    assert settled(pool, "handover") == ["7"]


def test_order_that_was_looked_at_as_it_is_now_is_not_due_again(pool):
    handed_put(pool, 7, ("S1", 2, 1000, 0, 1000), seen="11 1000 1000")
    pending_put(pool, 7, ("2|S1", 1000))
    assert settled(pool, "handover") == []
    handed_put(pool, 7, ("S1", 2, 1000, 0, 1000), seen="11 1000 1000")
    pending_put(pool, 7, ("2|S1", 2000))
    assert settled(pool, "handover") == ["7"], "edited within the same second"


def test_sku_with_a_bar_and_odd_characters(pool):
    sku = "a|b%2F\"'+ å"
    pending_put(pool, 7, (f"2|{sku}", 1000))
    handed_put(pool, 7, (sku, 2, 1000, 0, 1000))
    assert handed_open(pool) == {f"2|{sku}": 1000}
    take(pool)
    assert pending(pool) == {}


# ---- limits, forgetting, older data

def test_the_writer_takes_over_as_many_orders_as_it_says(pool):
    for order in range(5):
        pending_put(pool, order, ("2|S1", 1000))
        handed_put(pool, order, ("S1", 2, 1000, 0, 9000))
    assert [take(pool, 2), take(pool, 2), take(pool, 2)] == [2, 2, 1]
    assert pending(pool) == {}


def test_forgotten_after_90_days(timed):
    timed.at(0, "pending_put", 7, "11", "1000", 1, "2|S1", 1000)
    timed.at(0, "handed_put", 7, 1, "", 1, "S1", 2, 0, 1000, "")
    timed.at(1, "pending_put", 8, "11", "1000", 1, "2|S1", 1000)
    timed.at(1, "handed_put", 8, 0, "", 1, "S1", 2, 1000, 0, 1000)
    timed.at(2, "handed_take", 10)
    timed.at(90 * DAY_MS - 1, "handed_take", 10)
    assert known(timed, 7) and known(timed, 8)
    timed.at(90 * DAY_MS, "handed_take", 10)
    assert known(timed, 7) is None and known(timed, 8), "what is open is kept"
    assert timed.redis.zrange(timed.key("handed:done"), 0, -1) == []
    assert (pending(timed), handed_open(timed)) == ({}, {"2|S1": 1000})


def test_opened_again_within_90_days_is_not_forgotten(timed):
    timed.at(0, "handed_put", 7, 1, "", 1, "S1", 2, 0, 1000, "")
    timed.at(DAY_MS, "handed_put", 7, 0, "", 1, "S1", 2, 1000, 1000, 1000)
    timed.at(100 * DAY_MS, "handed_take", 10)
    assert known(timed, 7)


def test_redis_of_a_release_that_knew_nothing_of_sitoo(pool):
    """Pending orders without `handed`: read again they stay as they are, and what is seen is taken over."""
    rows = [["2|S1", "1000"], ["0|S2", "2000"]]
    pool.redis.hset(pool.key("pending:orders"), "7", json.dumps({"status": "11", "modified": "1000", "rows": rows}))
    pool.redis.hset(pool.key("pending:qty"), mapping={"2|S1": 1000, "0|S2": 2000})
    assert pending_put(pool, 7, *rows) == 0
    assert pending(pool) == {"2|S1": 1000, "0|S2": 2000}
    handed_put(pool, 7, ("S1", 2, 1000, 0, 1000), ("S2", 1, 2000, 0, 2000))
    take(pool)
    assert pending(pool) == {}
    assert pool.redis.exists(pool.key("pending:orders")) == 0


def test_redis_of_such_a_release_seen_in_sitoo_first(pool):
    """Nothing is known of what the order holds until BigCommerce was read again, so nothing is let go before."""
    pool.redis.hset(pool.key("pending:orders"), "7", json.dumps({"status": "11", "modified": "1000", "rows": [["2|S1", "1000"]]}))
    pool.redis.hset(pool.key("pending:qty"), "2|S1", 1000)
    handed_put(pool, 7, ("S1", 2, 1000, 0, 1000))
    pending_put(pool, 7, ("2|S1", 1000))
    take(pool)
    assert pending(pool) == {}


# ---- bad calls

BAD = {
    "pending: rows missing": ("pending_put", 7, "11", "1000", 2, "2|S1", 1000),
    "pending: rows too many": ("pending_put", 7, "11", "1000", 0, "2|S1", 1000),
    "pending: number of rows": ("pending_put", 7, "11", "1000", "x"),
    "pending: no number of rows": ("pending_put", 7, "11", "1000"),
    "pending: negative number of rows": ("pending_put", 7, "11", "1000", -1),
    "pending: quantity": ("pending_put", 7, "11", "1000", 1, "2|S1", "1.5"),
    "pending: empty quantity": ("pending_put", 7, "11", "1000", 1, "2|S1", ""),
    "pending: second row": ("pending_put", 7, "11", "1000", 2, "2|S1", 1000, "2|S2", "many"),
    "pending: no target": ("pending_put", 7, "11", "1000", 1, "S1", 1000),
    "pending: no SKU": ("pending_put", 7, "11", "1000", 1, "2|", 1000),
    "pending: status": ("pending_put", 7, "", "1000", 1, "2|S1", 1000),
    "pending: time": ("pending_put", 7, "11", "now", 1, "2|S1", 1000),
    "pending: order": ("pending_put", "", "11", "1000", 1, "2|S1", 1000),
    "pending: nothing": ("pending_put",),
    "handed: rows missing": ("handed_put", 7, 0, "", 2, "S1", 2, 1000, 0, 1000),
    "handed: row cut short": ("handed_put", 7, 0, "", 1, "S1", 2, 1000, 0),
    "handed: done": ("handed_put", 7, "yes", "", 1, "S1", 2, 1000, 0, 1000),
    "handed: warehouse": ("handed_put", 7, 0, "", 1, "S1", "two", 1000, 0, 1000),
    "handed: SKU": ("handed_put", 7, 0, "", 1, "", 2, 1000, 0, 1000),
    "handed: open": ("handed_put", 7, 0, "", 1, "S1", 2, "", 0, 1000),
    "handed: delivered": ("handed_put", 7, 0, "", 1, "S1", 2, 1000, "0.5", 1000),
    "handed: reserved": ("handed_put", 7, 0, "", 1, "S1", 2, 1000, 0, "none"),
    "handed: second row": ("handed_put", 7, 0, "", 2, "S1", 2, 1000, 0, 1000, "S2", 2, "1e3", 0, 1000),
    "handed: order": ("handed_put", "", 0, "", 0),
    "handed: what was seen": ("handed_put", 7, 0, "11 now", 0),
    "handed: nothing": ("handed_put",),
    "take: limit": ("handed_take", "all"),
    "take: negative limit": ("handed_take", -1),
    "take: nothing": ("handed_take",),
}


@pytest.mark.parametrize("call", BAD.values(), ids=BAD)
def test_bad_call_changes_nothing(pool, call):
    pending_put(pool, 7, ("2|S1", 2000))
    handed_put(pool, 7, ("S1", 2, 1000, 0, 1000))
    before = pool.contents()
    with pytest.raises(client.ResponseError, match="BADCALL"):
        pool(*call)
    assert pool.contents() == before


# ---- random histories

class Model:
    """What must be true, told again in Python: per order what it holds, what covers it, what is staged and what is open."""

    def __init__(self):
        self.raw, self.cover, self.staged, self.open = {}, {}, {}, {}

    def see(self, order, rows):
        """rows: [(sku, warehouse, open, delivered, reserved or "")]; the answer, per row whether its reservation is there."""
        self.open[order] = {}
        for sku, warehouse, units, _, _ in rows:
            if units:
                field = f"{warehouse}|{sku}"
                self.open[order][field] = self.open[order].get(field, 0) + units
        there, now = [], {}
        for sku, warehouse, units, delivered, reserved in rows:
            total = sum(o.get(f"{warehouse}|{sku}", 0) for o in self.open.values())
            there.append(int(units == 0 or (reserved != "" and reserved >= total)))
            now[sku] = now.get(sku, 0) + delivered + (units if there[-1] else 0)
        old = self.cover.get(order, {})
        self.cover[order] = {sku: min(n, old.get(sku, 0)) for sku, n in now.items()}
        self.staged[order] = {sku: n for sku, n in now.items() if n > old.get(sku, 0)}
        return there

    def take(self):
        for order, staged in self.staged.items():
            self.cover.setdefault(order, {}).update(staged)
        taken = sum(1 for staged in self.staged.values() if staged)
        self.staged = {}
        return taken

    def pending(self):
        sums = {}
        for order, rows in self.raw.items():
            left = dict(self.cover.get(order, {}))
            for field, units in rows:
                sku = field.partition("|")[2]
                used = min(left.get(sku, 0), units)
                left[sku] = left.get(sku, 0) - used
                sums[field] = sums.get(field, 0) + units - used
        return {field: n for field, n in sums.items() if n}

    def opened(self):
        sums = {}
        for one in self.open.values():
            for field, units in one.items():
                sums[field] = sums.get(field, 0) + units
        return sums


@pytest.mark.parametrize("seed", range(20))
def test_sums_stay_exact_over_random_histories(pool, seed):
    rng, model = random.Random(seed), Model()
    skus, orders, warehouses = ["S1", "S2", "a|b"], range(1, 6), (1, 2, 3)
    for step in range(150):
        order = rng.choice(orders)
        act = rng.random()
        if act < 0.35:
            rows = [(f"{rng.choice((0, *warehouses))}|{rng.choice(skus)}", 1000 * rng.randint(1, 4)) for _ in range(rng.randint(0, 3))]
            if rows or order in model.raw:
                model.raw[order] = rows
            pending_put(pool, order, *rows, status=rng.choice(("11", "8", "9")), modified=str(step))
        elif act < 0.8:
            rows = [(rng.choice(skus), rng.choice(warehouses), 1000 * rng.choice((0, 1, 2)), 1000 * rng.choice((0, 0, 1)),
                     rng.choice(("", 0, 1000, 4000, 90000))) for _ in range(rng.randint(0, 4))]
            assert handed_put(pool, order, *rows, done=rng.choice((0, 0, 1))) == model.see(order, rows)
        else:
            assert take(pool) == model.take()
        assert pending(pool) == model.pending(), (seed, step)
        assert handed_open(pool) == model.opened(), (seed, step)
