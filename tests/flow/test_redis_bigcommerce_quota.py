# SPDX-License-Identifier: Apache-2.0
"""BigCommerce's quota as all processes of a store share it (shared/lua)."""
import heapq
import random

import pytest

from redis_library import NOW, NO_HEADERS, RESERVE, pace, take

QUOTA, WINDOW = 150, 30_000


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
