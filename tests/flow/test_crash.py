# SPDX-License-Identifier: Apache-2.0
"""kill -9 of every part during a rush: at the end every level is right, nothing is lost, nothing counted twice.

Source of the scenarios: the fault list of a webhook integration (kill of any child, of a parent, of nginx, of Redis)."""
import json
import random
import re
import signal
import time

import pytest

FUNCTIONS = ("sitoo-events", "sale", "return", "stock-moved")
RUSH = {"scale": 1.0, "seed": 7, "duplicate": 0.1,
        "phases": [{"name": "rush", "seconds": 9, "sales": 14, "web_orders": 1, "returns": 0.5}]}


def settled(stack):
    """Everything handled and every level right."""
    oracle = stack.control("GET", "/oracle?full=1")
    if not oracle["ok"] or oracle["feed_queue"] or oracle["landing"] or oracle.get("sums_wrong"):
        return False
    redis = stack.redis()
    queues = ("order", "sale", "return", "sku", "item")
    return (not any(redis.exists("{default}:due:" + q) for q in queues) and not redis.exists("{default}:unconfirmed")
            and not redis.exists("{default}:intents"))


def wait_settled(stack, timeout=90):
    """Fails with what is left to do or wrong."""
    try:
        stack.wait_until(lambda: settled(stack), timeout)
    except TimeoutError:
        redis, busy = stack.redis(), {}
        for queue in ("order", "sale", "return", "sku", "item"):
            busy[queue] = [(job, score, redis.hgetall(stack.key(f"job:{queue}:{job}")))
                           for job, score in redis.zrange(stack.key(f"due:{queue}"), 0, 4, withscores=True)]
        pytest.fail(f"not settled after {timeout} s: {stack.control('GET', '/oracle?full=1&list=1')}; due: {busy}; unconfirmed: "
                    f"{redis.zrange(stack.key('unconfirmed'), 0, 4, withscores=True)}; intents: "
                    f"{redis.hgetall(stack.key('intents'))}; cases: {list(stack.cases())}; Redis time: {redis.time()}")


def rush(stack, meanwhile):
    """Plays a rush; `meanwhile` is called again and again until it is over."""
    stack.control("POST", "/day", RUSH)
    while not stack.control("GET", "/day")["finished"]:
        meanwhile()
    day = stack.control("GET", "/day")
    assert day["error"] is None
    return day["counts"]


def check(stack, counts, lowest=100):
    """What must hold at the end, whatever was killed."""
    assert counts["sales"] >= lowest
    wait_settled(stack)
    stats = stack.control("GET", "/stats")
    assert stats["events_lost"] == 0
    assert stats["events_queued"] == 0
    assert stats["relative_writes"] == 0
    assert stats["overlapping_writes"] == 0
    assert stats["unmapped_writes"] == 0
    assert stats["quota_violations"] == 0
    assert stack.control("GET", "/report")["units_sold_twice"]["outside"] == 0
    # Every row sold was recorded, and recorded once.
    rows = [row["row"] for _, row in stack.redis().xrange("{default}:ledger") if '"type":"sale"' in row["row"]]
    assert len(rows) == stack.control("GET", "/report")["till_rows"]
    assert len(set(rows)) == len(rows)


def pause(stack, seconds):
    """Lets the rush go on for a moment, or until it is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not stack.control("GET", "/day")["finished"]:
        time.sleep(0.05)


def kill_and_start(stack, name):
    """kill -9 of a function's parent; then it is started again, as a service manager would."""
    stack.kill_parent(name, signal.SIGKILL).popen.wait(10)
    stack.start_function(name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_killing_children_of_a_function_again_and_again_loses_nothing(stack, name):
    running = stack()
    dice = random.Random(name)

    def kill_one():
        pause(running, 0.7)
        children = running.children(name)
        if children:
            running.kill_child(name, pid=dice.choice(sorted(children)))

    check(running, rush(running, kill_one))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_killing_the_parent_of_a_function_loses_nothing(stack, name):
    running = stack()

    def kill_parent():
        pause(running, 3)
        kill_and_start(running, name)

    check(running, rush(running, kill_parent))


def test_killing_nginx_loses_nothing(stack):
    running = stack()

    def kill_nginx():
        pause(running, 3)
        running.restart_nginx()

    check(running, rush(running, kill_nginx))


def test_a_write_that_could_not_be_closed_is_closed_by_the_writer_that_goes_on(stack):
    """Redis was away between the write of a level and the end of its intent; the writer lives on, so nobody takes over."""
    shop = stack()
    sku = shop.fresh_sku({1: 2})
    shop.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 1})
    shop.wait_quiet()
    redis, levels = shop.redis(), shop.levels(sku)
    redis.hset(shop.key("intents"), "levels:1:0000abcd", json.dumps({"digest": "", "at_ms": 1, "levels": {f"1|{sku}": levels[1]}}))
    writers = shop.logs("stock-moved").count("is the store's writer now")
    redis.client_kill_filter(_type="normal", skipme=True)
    shop.wait_until(lambda: not redis.exists(shop.key("intents")), 20, "the intent is closed")
    shop.wait_quiet()
    assert shop.levels(sku) == levels
    assert shop.logs("stock-moved").count("is the store's writer now") == writers


@pytest.mark.long
def test_killing_redis_loses_nothing(stack):
    running = stack()

    def kill_redis():
        pause(running, 3)
        running.restart_redis(kill9=True)

    check(running, rush(running, kill_redis))


@pytest.mark.long
def test_killing_everything_at_random_loses_nothing(stack):
    running = stack()
    dice = random.Random(20261123)

    def kill_anything():
        pause(running, 0.8)
        what = dice.choice(("child", "child", "child", "parent", "nginx", "redis"))
        name = dice.choice(FUNCTIONS)
        if what == "child" and running.children(name):
            running.kill_child(name, pid=dice.choice(sorted(running.children(name))))
        elif what == "parent":
            kill_and_start(running, name)
        elif what == "nginx":
            running.restart_nginx()
        elif what == "redis":
            running.restart_redis(kill9=True)

    check(running, rush(running, kill_anything))


@pytest.mark.long
def test_a_writer_that_is_stopped_beyond_its_lease_does_no_harm(stack):
    """SIGSTOP of the writer, then CONT: another process has taken over meanwhile, and the late one is fenced."""
    running = stack(env={"ONEPOOL_WORKERS": "2"})
    holder = running.wait_until(lambda: running.redis().hget("{default}:lease:writer", "holder"), 10, "a writer")
    pid = int(running.wait_until(lambda: re.findall(r"pid=(\d+) .*store's writer now", running.logs("stock-moved")), 10, "it says so")[-1])

    def freeze():
        pause(running, 2)
        running.kill_child("stock-moved", signal.SIGSTOP, pid=pid)
        pause(running, 20)

    counts = rush(running, freeze)
    running.wait_until(lambda: running.redis().hget("{default}:lease:writer", "holder") not in (holder, None), 40,
                       "another process to be the writer")
    running.kill_child("stock-moved", signal.SIGCONT, pid=pid)
    check(running, counts)
