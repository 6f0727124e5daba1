# SPDX-License-Identifier: Apache-2.0
"""Permits of Sitoo: one call at a time per key (shared/lua)."""
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis as client

from redis_library import LEASE, LONG, Pool, wait_until


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
