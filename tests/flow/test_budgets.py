# SPDX-License-Identifier: Apache-2.0
"""Who gets the platforms' calls: weighted shares with lending (shared/lua/45_budget.lua, 50_rate.lua).

The first half plays whole hours against the Redis functions alone, with the clock in its hands: clients of four classes, a
platform with windows and other apps, answers that come out of order, all drawn from a seed.
"""
import collections
import heapq
import random

import pytest

from redis_library import LONG, NO_HEADERS, NOW, Pool

CLASSES = ("stock", "orders", "refunds", "rest")
WEIGHTS = {"stock": 60, "orders": 25, "refunds": 10, "rest": 5}
TEXT = "60 25 10 5"
RESERVE = 10
SEEDS = range(6)


class Server:
    """A platform's quota: fixed windows, others that share it, headers on every answer unless told otherwise."""

    def __init__(self, quota=150, window=30_000, others=0):
        self.quota, self.window, self.others = quota, window, others
        self.number, self.begins, self.ends, self.left = -1, 0, 0, 0
        self.windows = []  # per window: calls by class, refused, other apps' calls, quota
        self.headers = True

    def roll(self, at):
        while at >= self.ends:
            self.begins = self.ends
            self.ends = self.begins + self.window
            self.left = self.quota
            self.windows.append({"calls": collections.Counter(), "refused": 0, "others": 0, "quota": self.quota})

    def call(self, at, name):
        """(status, quota, left, reset, window) as our client reads it."""
        self.roll(at)
        now = self.windows[-1]
        if self.left <= 0:
            now["refused"] += name != "others"
            status = 429
        else:
            self.left -= 1
            status = 200
            if name == "others":
                now["others"] += 1
            else:
                now["calls"][name] += 1
        if not self.headers:
            return (status, *NO_HEADERS)
        return status, self.quota, self.left, self.ends - at, self.window

    def change(self, at, **settings):
        """Quota or window change in mid-window: what is left moves with the quota; a new window length begins a window."""
        self.roll(at)
        if "quota" in settings:
            self.left = max(0, min(self.left + settings["quota"] - self.quota, settings["quota"]))
            self.quota = settings["quota"]
            self.windows[-1]["quota"] = max(self.quota, self.windows[-1]["quota"])
        if "window" in settings:
            self.window, self.ends = settings["window"], at


class Play:
    """Clients that want calls, in simulated time."""

    def __init__(self, pool, server, seed=1, weights=TEXT, answer_ms=200):
        self.pool, self.server, self.weights, self.answer_ms = pool, server, weights, answer_ms
        self.rnd = random.Random(seed)
        self.events, self.serial = [], iter(range(10 ** 9))
        self.asked = collections.Counter()  # asks by class
        self.waits = []

    def plan(self, at, what, *more):
        heapq.heappush(self.events, (at, next(self.serial), what, more))

    def client(self, name, begin=0, end=10 ** 12, idle=0):
        """Wants one call after the other from begin to end; idle: mean pause in ms after each."""
        self.plan(begin + self.rnd.randrange(20), "take", name, end, idle)

    def others(self, until):
        """Other apps, spread over each window."""
        for i in range(self.server.others * until // self.server.window):
            self.plan(self.rnd.randrange(until), "other")

    def run(self, until):
        while self.events and self.events[0][0] <= until:
            at, _, what, more = heapq.heappop(self.events)
            getattr(self, "on_" + what)(at, *more)
        self.server.roll(until)

    def on_other(self, at):
        self.server.call(at, "others")

    def on_change(self, at, settings):
        self.server.change(at, **settings)

    def on_take(self, at, name, end, idle):
        if at >= end:
            return
        self.asked[name] += 1
        wait = self.pool.at(at, "rate_take", 1, RESERVE, name, self.weights)
        if wait:
            self.waits.append(wait)
            self.plan(at + wait, "take", name, end, idle)
            return
        answer = self.server.call(at, name)
        self.plan(at + 1 + int(self.rnd.random() ** 2 * self.answer_ms), "answer", name, end, idle, at, answer)

    def on_answer(self, at, name, end, idle, since, answer):
        self.pool.at(at, "rate_adopt", *answer, -1, self.rnd.randrange(101), at - since)
        self.plan(at + int(idle * self.rnd.uniform(0.2, 1.8)), "take", name, end, idle)

    def whole(self, skip=1):
        """The windows that were played from begin to end, without the first ones."""
        return self.server.windows[skip:-1]


def budget(quota):
    return quota - -(-quota * RESERVE // 100)


def shares(quota, weights=None):
    weights = weights or WEIGHTS
    return {name: budget(quota) * weight / 100 for name, weight in weights.items()}


def never_above(server, quota=None):
    for number, window in enumerate(server.windows):
        assert sum(window["calls"].values()) <= budget(quota or window["quota"]), f"window {number}: {window}"
        assert window["refused"] == 0, f"window {number}: {window}"


# ---------------------------------------------------------------- shares of a window

@pytest.mark.parametrize("quota, window", [(150, 30_000), (450, 30_000), (40, 2000)])
@pytest.mark.parametrize("seed", SEEDS[:3])
def test_when_all_want_more_than_there_is_each_class_gets_its_share(timed, seed, quota, window):
    play = Play(timed, Server(quota, window), seed)
    for name in CLASSES:
        for _ in range(3 if quota < 400 else 8):
            play.client(name)
    play.run(8 * window)
    never_above(play.server)
    for window in play.whole():
        assert sum(window["calls"].values()) == budget(quota), "nothing is left over"
        for name, share in shares(quota).items():
            assert abs(window["calls"][name] - share) <= 1.001, (name, share, window)


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_alone_has_the_whole_budget(timed, name):
    play = Play(timed, Server(), 3)
    for _ in range(4):
        play.client(name)
    play.run(5 * 30_000)
    never_above(play.server)
    assert [w["calls"][name] for w in play.whole(0)] == [135] * 5


def test_what_one_class_does_not_want_goes_to_the_others_and_comes_back(timed):
    play = Play(timed, Server(), 4)
    for _ in range(4):
        play.client("stock")
        play.client("orders", begin=60_000, end=150_000)
    play.run(240_000)
    never_above(play.server)
    stock = [w["calls"]["stock"] for w in play.server.windows[:8]]
    orders = [w["calls"]["orders"] for w in play.server.windows[:8]]
    assert stock[0] == stock[1] == 135
    for n in (3, 4):
        assert orders[n] >= 33 and stock[n] >= 81 and orders[n] + stock[n] == 135, (n, stock, orders)
    assert stock[6] == stock[7] == 135 and orders[6] == orders[7] == 0


def wants_throughout(play, name, seconds):
    for _ in range(3):
        play.client(name, end=seconds * 1000)


@pytest.mark.parametrize("seed", SEEDS)
def test_random_demand_leaves_every_class_its_share_and_wastes_little(timed, seed):
    """Some classes want all the time, others now and then: the former get their share at least, and together with the
    latter all there is, but for the few calls that are kept for somebody who has just asked."""
    rnd = random.Random(1000 + seed)
    quota, window = rnd.choice([(150, 30_000), (60, 5000), (450, 30_000)])
    play = Play(timed, Server(quota, window), seed, answer_ms=rnd.choice([50, 400]))
    hungry = rnd.sample(CLASSES, rnd.randrange(1, 4))
    for name in CLASSES:
        for _ in range(8 if quota == 450 else 4):
            if name in hungry:
                play.client(name)
            elif rnd.random() < 0.6:
                play.client(name, idle=rnd.choice([300, 2000, 8000]))
    play.run(8 * window)
    never_above(play.server)
    for w in play.whole():
        for name in hungry:
            assert w["calls"][name] >= shares(quota)[name] - 1.001, (hungry, name, w)
        assert sum(w["calls"].values()) >= 0.98 * budget(quota) - 6, (hungry, w)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_class_that_asks_seldom_is_answered_at_once_while_others_want_everything(timed, seed):
    """An order every two seconds is below the share of orders: it need not wait for the next window."""
    play = Play(timed, Server(), seed)
    for _ in range(6):
        play.client("stock")
        play.client("rest")
    play.run(30_000)
    waits = []
    original = play.on_take

    def on_take(at, name, end, idle):
        asked = len(play.waits)
        original(at, name, end, idle)
        if name == "orders":
            waits.extend(play.waits[asked:])
    play.on_take = on_take
    play.client("orders", begin=60_000, idle=2000)
    play.run(240_000)
    never_above(play.server)
    assert sum(w["calls"]["orders"] for w in play.whole(3)) > 50
    assert not [w for w in waits[1:] if w > 1000], waits


@pytest.mark.parametrize("quota, weights", [(10, TEXT), (3, TEXT), (2, "97 1 1 1"), (1, TEXT)])
def test_nobody_starves_however_small_the_quota(timed, quota, weights):
    play = Play(timed, Server(quota, 2000), 5, weights)
    for name in CLASSES:
        for _ in range(1 if name != "stock" else 6):
            play.client(name)
    play.run(2000 * 200)
    total = sum((w["calls"] for w in play.server.windows), collections.Counter())
    if budget(quota) == 0:
        assert sum(total.values()) <= 2, "the reserve is for other apps: no call once its size is known"
        return
    never_above(play.server)
    for name, weight in zip(CLASSES, map(int, weights.split())):
        share = 200 * budget(quota) * weight / 100
        assert total[name] >= 0.8 * share - 1, (total, share)


def test_a_class_of_weight_0_gets_what_others_leave(timed):
    play = Play(timed, Server(), 6, "75 25 0 0")
    for _ in range(4):
        play.client("stock")
        play.client("orders", end=90_000)
        play.client("rest")
    play.run(180_000)
    never_above(play.server)
    assert [w["calls"]["rest"] for w in play.server.windows[1:3]] == [0, 0]
    assert play.server.windows[4]["calls"]["rest"] > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_other_apps_take_from_all_classes_alike(timed, seed):
    """They use half of the quota, spread over the window. What is left is shared by weight."""
    server = Server(150, 30_000, others=70)
    play = Play(timed, server, seed)
    for name in CLASSES:
        for _ in range(3):
            play.client(name, idle=400)
    play.others(300_000)
    play.run(300_000)
    assert sum(w["refused"] for w in server.windows) == 0, "the reserve took what came unseen"
    total = sum((w["calls"] for w in play.whole()), collections.Counter())
    ours = sum(total.values())
    assert ours >= 9 * 60 * 0.9
    for name, weight in WEIGHTS.items():
        assert total[name] >= ours * weight / 100 * 0.6, total


def test_another_app_that_takes_nearly_all_at_once_leaves_each_class_its_part(timed):
    """37 are left of 150: 22 are ours, by weight 13, 5.5, 2, 1; carried over, so that over windows it comes right."""
    play = Play(timed, Server(150, 30_000), 7)
    for n in range(40):
        for _ in range(113):
            play.plan(n * 30_000 + 1, "other")
    for name in CLASSES:
        for _ in range(3):
            play.client(name)
    play.run(40 * 30_000)
    total = sum((w["calls"] for w in play.whole()), collections.Counter())
    ours = sum(total.values())
    assert ours >= 38 * 20
    for name, weight in WEIGHTS.items():
        assert total[name] >= ours * weight / 100 * 0.6, (ours, total)


# ---------------------------------------------------------------- changes, wrong words, storms

@pytest.mark.parametrize("settings", [{"quota": 75}, {"quota": 300}, {"window": 10_000}, {"window": 60_000},
                                      {"quota": 450, "window": 10_000}, {"quota": 20}], ids=str)
@pytest.mark.parametrize("seed", SEEDS[:3])
def test_a_quota_or_window_that_changes_is_adopted(timed, seed, settings):
    """Also in the middle of a window, while answers are on their way. Refused is at most what was on its way."""
    play = Play(timed, Server(150, 30_000), seed)
    clients = 3 * len(CLASSES)
    for name in CLASSES:
        for _ in range(3):
            play.client(name)
    change = 60_000 + play.rnd.randrange(500, 29_000)
    play.plan(change, "change", settings)
    play.run(change + 7 * max(30_000, settings.get("window", 0)))
    server = play.server
    assert sum(w["refused"] for w in server.windows) <= clients
    for w in server.windows[-4:-1]:
        assert w["refused"] == 0
        assert sum(w["calls"].values()) == budget(server.quota), w
        for name, share in shares(server.quota).items():
            assert abs(w["calls"][name] - share) <= 2.001, (name, share, w)


GARBAGE = [(150, -1, -1, -1), (-1, 149, 30_000, 30_000), (0, 0, 0, 0), (150, 149, 0, 30_000), (150, 0, 0, 30_000),
           (150, 100_000, 30_000, 30_000), (150, 149, 86_400_000, 30_000), (150, 149, 30_000, 86_400_000),
           (10 ** 9, 10 ** 9, 1, 1), (1, 0, 3_600_000, 1)]


@pytest.mark.parametrize("seed", SEEDS)
def test_wrong_headers_never_stop_the_calls_for_long_nor_let_them_spin(timed, seed):
    """Now and then an answer's headers are nonsense. What is promised: calls go on, nobody asks without a pause."""
    play = Play(timed, Server(150, 5000), seed)
    rnd = random.Random(seed)
    original = play.server.call

    def call(at, name):
        answer = original(at, name)
        return (answer[0], *rnd.choice(GARBAGE[:6])) if rnd.random() < 0.1 else answer
    play.server.call = call
    for name in CLASSES:
        play.client(name)
    play.run(120_000)
    calls = sum(sum(w["calls"].values()) for w in play.server.windows)
    assert calls > 24 * 40
    assert sum(play.asked.values()) - calls < 120_000 / 50 * len(CLASSES)
    assert min(play.waits, default=1) >= 1


@pytest.mark.parametrize("words", GARBAGE, ids=str)
def test_one_wrong_answer_heals_within_an_hour_at_most(timed, words):
    """Whatever a platform says once: every class can call again."""
    timed("rate_adopt", 200, 150, 149, 30_000, 30_000, -1, 50, 10)
    for name in CLASSES:
        timed("rate_take", 1, RESERVE, name, TEXT)
    timed("rate_adopt", 429, *words, -1, 50, 10)
    at = 3_700_000
    for name in CLASSES:
        wait = timed.at(at, "rate_take", 1, RESERVE, name, TEXT)
        assert wait == 0 or (words[0] == 1 and wait <= 3_600_000), "a quota of 1 leaves nothing beside the reserve"


@pytest.mark.parametrize("headers", [True, False])
def test_a_storm_of_429_is_waited_out_and_shared_fairly_afterwards(timed, headers):
    play = Play(timed, Server(150, 30_000), 8)
    original = play.server.call
    refused = []

    def call(at, name):
        if 40_000 <= at < 80_000:
            refused.append(at)
            play.server.roll(at)
            return (429, *NO_HEADERS) if not headers else (429, 150, 35, 2000, 30_000)
        return original(at, name)
    play.server.call = call
    for name in CLASSES:
        for _ in range(3):
            play.client(name)
    play.run(300_000)
    assert len(refused) < (40 if headers else 20) * 12, "not hammered"
    later = [at for at in refused if at >= 60_000]
    assert len(later) <= 12 * (12 if headers else 3), "and less and less"
    for w in play.server.windows[5:9]:
        assert sum(w["calls"].values()) == 135 and w["refused"] == 0, w
        for name, share in shares(150).items():
            assert abs(w["calls"][name] - share) <= 1.001, w


def test_before_the_first_headers_calls_go_one_at_a_time_in_turn(timed):
    """A platform that never sends headers: still nobody starves."""
    server = Server(10 ** 6, 30_000)
    server.headers = False
    play = Play(timed, server, 9, answer_ms=400)
    for name in CLASSES:
        for _ in range(2):
            play.client(name)
    play.run(120_000)
    total = sum((w["calls"] for w in server.windows), collections.Counter())
    ours = sum(total.values())
    assert ours > 120_000 / (400 + 50) * 0.6
    for name, weight in WEIGHTS.items():
        assert abs(total[name] - ours * weight / 100) <= 0.15 * ours * weight / 100 + 3, total


# ---------------------------------------------------------------- pace

def pace(pool, name, at, cost=3):
    return pool.at(at, "rate_pace", cost, RESERVE, name, TEXT)


def test_pace_spreads_what_the_class_can_have_of_the_window(timed):
    """Alone 135 calls, beside others that want all of theirs 81: a quarter at once, then as the window passes."""
    def spent_at_once(busy):
        timed.redis.flushall()
        timed.set_time(NOW)
        timed("rate_adopt", 200, 150, 150, 30_000, 30_000, -1, 50, 10)
        for name in busy:
            assert timed.at(1, "rate_take", 1, RESERVE, name, TEXT) == 0
        for n in range(200):
            if pace(timed, "stock", 1, 1):
                return n
            assert timed.at(1, "rate_take", 1, RESERVE, "stock", TEXT) == 0
        return 200

    alone, beside = spent_at_once([]), spent_at_once(["orders", "refunds", "rest"])
    assert abs(alone - 135 / 4) <= 2
    assert abs(beside - 81 / 4) <= 2


def test_pace_neither_stops_the_writer_for_good_nor_beyond_the_window(timed):
    play = Play(timed, Server(150, 30_000), 10)
    for name in CLASSES[1:]:
        for _ in range(3):
            play.client(name)
    rounds = []

    def on_round(at):
        wait = pace(timed, "stock", at)
        assert wait <= 30_050
        if wait:
            play.plan(at + min(wait, 500), "round")
            return
        for _ in range(3):
            if timed.at(at, "rate_take", 1, RESERVE, "stock", TEXT) == 0:
                answer = play.server.call(at, "stock")
                timed("rate_adopt", *answer, -1, 50, 1)
                rounds.append(at)
        play.plan(at + 300, "round")
    play.on_round = on_round
    play.plan(5, "round")
    play.run(300_000)
    never_above(play.server)
    for w in play.whole(2):
        assert w["calls"]["stock"] >= 70, w
    gaps = [b - a for a, b in zip(rounds, rounds[1:])]
    assert max(gaps) <= 8000, "a rush slows down, it does not stand still"


# ---------------------------------------------------------------- Sitoo: one call in flight per key

class Slots:
    """Clients of a Sitoo with n keys. Each asks, calls for call_ms, gives back, asks again."""

    def __init__(self, pool, keys=1, seed=1, weights=TEXT, call_ms=(20, 120), slots=1):
        self.pool, self.keys, self.weights, self.call_ms, self.slots = pool, keys, weights, call_ms, slots
        self.rnd = random.Random(seed)
        self.events, self.serial = [], iter(range(10 ** 9))
        self.busy = collections.Counter()
        self.calls, self.by_key, self.asks = collections.Counter(), collections.Counter(), 0
        self.longest = collections.Counter()  # by class: the longest that a client waited
        self.status = lambda at, key: 200

    def plan(self, at, what, *more):
        heapq.heappush(self.events, (at, next(self.serial), what, more))

    def client(self, name, begin=0, end=10 ** 12, idle=0):
        self.plan(begin + self.rnd.randrange(10), "ask", name, end, idle, None)

    def run(self, until):
        while self.events and self.events[0][0] <= until:
            at, _, what, more = heapq.heappop(self.events)
            getattr(self, "on_" + what)(at, *more)

    def on_ask(self, at, name, end, idle, since):
        if at >= end:
            return
        self.asks += 1
        key, slot, token = self.pool.at(at, "sitoo_take", self.keys, self.slots, LONG, "me", name, self.weights, 1)
        since = at if since is None else since
        if key == 0:
            wait = 5 + slot * self.rnd.randrange(101) // 100 if slot > 10 else slot
            self.plan(at + wait, "ask", name, end, idle, since)
            return
        self.longest[name] = max(self.longest[name], at - since)
        self.busy[key] += 1
        assert self.busy[key] <= self.slots, f"two calls at once on key {key}"
        self.calls[name] += 1
        self.by_key[key] += 1
        self.plan(at + self.rnd.randrange(*self.call_ms), "give", name, end, idle, (key, slot, token))

    def on_give(self, at, name, end, idle, permit):
        self.busy[permit[0]] -= 1
        status = self.status(at, permit[0])
        self.pool.at(at, "sitoo_give", *permit, status, 0, 0, self.rnd.randrange(101), self.keys)
        self.plan(at + (int(self.rnd.expovariate(1 / idle)) if idle else 1), "ask", name, end, idle, None)


@pytest.mark.parametrize("seed", SEEDS[:2])
@pytest.mark.parametrize("clients", [1, 4])
def test_waiting_classes_share_a_key_by_weight(timed, seed, clients):
    play = Slots(timed, seed=seed)
    for name in CLASSES:
        for _ in range(clients):
            play.client(name)
    play.run(60_000)
    total = sum(play.calls.values())
    assert total >= 60_000 / (70 + 25) * 0.9, "the key is not left idle"
    for name, weight in WEIGHTS.items():
        assert abs(play.calls[name] / total - weight / 100) <= 0.2 * weight / 100 + 0.01, play.calls


def test_a_class_alone_has_the_key_for_itself(timed):
    play = Slots(timed)
    play.client("rest")
    play.run(60_000)
    assert play.calls["rest"] >= 60_000 / 71 * 0.95


def test_who_no_longer_waits_is_soon_forgotten(timed):
    """Orders' client gives up while it waits (its process died): stock goes on after 300 ms at the latest."""
    held = timed.at(0, "sitoo_take", 1, 1, LONG, "a", "stock", TEXT, 1)
    for _ in range(5):  # stock had much more than its weight
        timed("sitoo_give", *held, 200, 0, 0, 50, 1)
        held = timed("sitoo_take", 1, 1, LONG, "a", "stock", TEXT, 1)
    assert timed("sitoo_take", 1, 1, LONG, "b", "orders", TEXT, 1)[0] == 0
    timed.at(10, "sitoo_give", *held, 200, 0, 0, 50, 1)
    assert timed.at(11, "sitoo_take", 1, 1, LONG, "a", "stock", TEXT, 1)[:2] == [0, 20], "it is orders' turn"
    assert timed.at(299, "sitoo_take", 1, 1, LONG, "a", "stock", TEXT, 1)[0] == 0
    assert timed.at(301, "sitoo_take", 1, 1, LONG, "a", "stock", TEXT, 1)[0] == 1


def test_an_ask_for_one_more_that_would_not_wait_leaves_no_trace(timed):
    timed("sitoo_take", 1, 1, LONG, "a", "orders", TEXT, 1)
    before = timed.contents()
    assert timed("sitoo_take", 1, 1, LONG, "a", "orders", TEXT, 0)[0] == 0
    assert timed.contents() == before


def test_those_who_wait_are_written_down_seldom(timed):
    """Each write is synced to disk: a client that asks every 20 ms must not write each time."""
    timed("sitoo_take", 1, 1, LONG, "a", "stock", TEXT, 1)
    writes = 0
    for at in range(0, 3000, 20):
        before = timed.contents()
        timed.at(at, "sitoo_take", 1, 1, LONG, "b", "orders", TEXT, 1)
        writes += timed.contents() != before
    assert writes <= 3000 / 200 + 2
    assert timed.counter("waits:sitoo:orders") == 1


def test_seldom_orders_wait_for_one_call_beside_a_rush_of_stock(timed):
    play = Slots(timed)
    for _ in range(6):
        play.client("stock")
    play.client("orders", idle=1000)
    play.run(120_000)
    assert play.calls["orders"] > 90
    assert play.longest["orders"] <= 2 * 120 + 60, play.longest


@pytest.mark.parametrize("status", [429, 401, 403])
def test_a_key_that_is_refused_does_not_stop_the_others(timed, status):
    play = Slots(timed, keys=2)
    play.status = lambda at, key: status if key == 1 else 200
    for name in CLASSES:
        play.client(name)
    play.run(120_000)
    assert play.by_key[1] <= 12, "it is asked again now and then"
    assert play.by_key[2] >= 120_000 / 95 * 0.9
    for name, weight in WEIGHTS.items():
        assert play.calls[name] >= sum(play.calls.values()) * weight / 100 * 0.7, play.calls


def test_the_only_key_does_not_pause_for_wrong_credentials(timed):
    """Its user must hear of the credentials, not of a budget."""
    timed("sitoo_give", *timed("sitoo_take", 1, 1, LONG), 401, 0, 0, 50, 1)
    assert timed("sitoo_take", 1, 1, LONG)[0] == 1


def test_that_all_keys_are_refused_is_told_apart_from_a_lack_of_keys(timed):
    for _ in range(2):
        timed("sitoo_give", *timed("sitoo_take", 2, 1, LONG), 401, 0, 0, 100, 2)
    assert timed("sitoo_take", 2, 1, LONG) == [0, 10_000, 401]
    timed.set_time(NOW + 300_001)
    timed("sitoo_give", *timed("sitoo_take", 2, 1, LONG), 429, 0, 0, 100, 2)
    timed("sitoo_give", *timed("sitoo_take", 2, 1, LONG), 401, 0, 0, 100, 2)
    assert timed("sitoo_take", 2, 1, LONG)[2] == 0


def test_one_key_can_be_asked_for(timed):
    assert timed("sitoo_take", 3, 1, LONG, "check", "rest", TEXT, 1, 2)[0] == 2
    assert timed("sitoo_take", 3, 1, LONG, "check", "rest", TEXT, 1, 2)[0] == 0
    assert timed("sitoo_take", 3, 1, LONG, "check", "rest", TEXT, 1, 0)[0] == 1


@pytest.mark.parametrize("weights", ["", "60 25 10", "0 0 0 0", "x", "60 25 10 5 1"])
def test_unreadable_weights_and_classes_do_no_harm(timed, weights):
    timed("rate_adopt", 200, 150, 150, 30_000, 30_000, -1, 50, 10)
    assert timed("rate_take", 1, RESERVE, "no such class", weights) == 0
    assert timed.counter("calls:bigcommerce:rest") == 1
    assert timed("sitoo_take", 1, 1, LONG, "me", "no such class", weights, 1)[0] == 1
    assert timed.counter("calls:sitoo:rest") == 1


def test_calls_and_waits_are_counted_by_class(timed):
    timed("rate_adopt", 200, 10, 10, 30_000, 30_000, -1, 50, 10)
    for _ in range(11):
        timed("rate_take", 1, RESERVE, "orders", TEXT)
    assert (timed.counter("calls:bigcommerce:orders"), timed.counter("waits:bigcommerce:orders")) == (9, 2)
    assert timed.counter("calls:bigcommerce") == 9


def test_a_state_that_cannot_be_read_begins_anew(timed):
    timed("rate_adopt", 200, 150, 150, 30_000, 30_000, -1, 50, 10)
    for text in ("", "garbage", "1 2 3", " ".join(["x"] * 20)):
        timed.redis.hset(Pool.key("rate:bigcommerce"), "shares", text)
        assert timed("rate_take", 1, RESERVE, "stock", TEXT) == 0
