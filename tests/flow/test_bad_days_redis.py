# SPDX-License-Identifier: Apache-2.0
"""Redis that refuses, sleeps, has forgotten our functions or has no disk left. tests/flow/README.md says where each fault
has its test.

What must hold: 503 as long as an event cannot be stored, nothing acknowledged is lost, one line says why, and everything
goes on by itself when Redis does.
"""
import contextlib
import os
import signal
import subprocess
import time
import uuid

import pytest

from stack import shop_mapping

ROUTES = ["/hooks/sitoo", "/hooks/sitoo/events", "/hooks/sitoo/sale", "/hooks/sitoo/return"]
STOCK_CHANGED = "/hooks/bigcommerce/stock-changed"
LOGS = ("sitoo-events", "sale", "return")


@pytest.fixture(scope="module")
def shop(module_stack):
    return module_stack(mapping=shop_mapping(bigcommerce={"confirm_delay_ms": 200}),
                        simulator_args=("--quota", "5000", "--lag-ms", "50", "--latency-ms", "2"))


def event():
    """One that nothing follows from."""
    return {"event_id": uuid.uuid4().hex, "event_type": "z-report", "event_date": 1587110960, "account_id": 1500,
            "data": {"eshop_id": 1, "z_report_id": 1}}


def hook():
    return {"scope": "store/channel/*/inventory/product/stock_changed", "producer": "stores/simstore",
            "hash": uuid.uuid4().hex + "00000000", "created_at": 1682624640, "store_id": "1234567890",
            "data": {"variant_id": 5009, "product_id": 205, "location_id": 1}}


class Trouble:
    """A sale is rung up while Redis is in trouble: check() sees that it comes through afterwards, once."""

    def __init__(self, shop):
        self.shop, self.sku = shop, shop.fresh_sku({1: 1})
        self.before = shop.levels(self.sku)[1]
        self.lines = {name: len(shop.logs(name)) for name in LOGS}
        self.refused = []

    def refuse_everything(self, cause, text=""):
        """Posts everywhere: 503 each time, and the log says why."""
        self.order = self.shop.control("POST", "/sale", {"rows": [{"sku": self.sku, "quantity": 1}], "warehouse": 1})["order_id"]
        for path in ROUTES:
            self.refused.append(event())
            assert self.shop.post(path, [self.refused[-1]]).status == 503
        assert self.shop.post(STOCK_CHANGED, hook()).status == 503
        assert self.shop.get("/ready").status == 503
        assert self.shop.get("/health").status == 200
        for name in LOGS:
            new = [line for line in self.shop.logs(name)[self.lines[name]:].splitlines() if "batch not stored" in line]
            assert new and all(f"cause={cause}" in line and text in line for line in new), new

    def check(self, stored_once=(0,)):
        self.shop.wait_until(lambda: self.shop.get("/ready").status == 200, 15, "GET /ready = 200")
        self.shop.wait_levels(self.sku, {1: self.before - 1}, timeout=20)
        self.shop.wait_until(lambda: self.shop.sales(self.order), 10, "the sale is recorded")
        self.shop.wait_quiet()
        assert self.shop.sales(self.order) == [(self.sku, "1.000", 1)]
        assert all(len(self.shop.journal(one["event_id"])) in stored_once for one in self.refused)
        for path, one in zip(ROUTES, self.refused):  # as Sitoo does: the same again
            assert self.shop.post(path, [one]).status == 200
            assert len(self.shop.journal(one["event_id"])) == 1
        assert self.shop.control("GET", "/stats")["events_lost"] == 0


def test_redis_that_is_read_only_is_503_and_nothing_is_lost(shop):
    """A replica, as after a fail-over."""
    trouble = Trouble(shop)
    shop.wait_quiet()
    try:
        shop.redis().execute_command("REPLICAOF", "127.0.0.1", "9")  # nobody is there, so the data stay
        trouble.refuse_everything("redis_refuses", "READONLY")
    finally:
        shop.redis().execute_command("REPLICAOF", "NO", "ONE")
    trouble.check()


def test_redis_out_of_memory_is_503_and_nothing_is_lost(shop):
    trouble = Trouble(shop)
    shop.wait_quiet()
    keys = shop.redis().dbsize()
    try:
        shop.redis().config_set("maxmemory", "1mb")
        trouble.refuse_everything("redis_refuses", "OOM")
        assert shop.redis().dbsize() >= keys - 20, "nothing was thrown away to make room (some keys end by themselves)"
    finally:
        shop.redis().config_set("maxmemory", "0")
    trouble.check()


def test_slow_redis_is_503_in_time_and_nothing_is_counted_twice(shop):
    """It stands still and then does all that it was told meanwhile: what was answered 503 may have been stored after all."""
    trouble = Trouble(shop)
    shop.wait_quiet()
    redis = shop.processes["redis"]
    redis.signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        one = event()
        assert shop.post(ROUTES[0], [one]).status == 503
        assert time.monotonic() - began < 14, "Sitoo waits for 15 s"
    finally:
        redis.signal(signal.SIGCONT)
    shop.wait_until(lambda: "cause=redis_slow" in shop.logs("sitoo-events"), 5, "the log says why")
    shop.wait_until(lambda: shop.post(ROUTES[0], [one]).status == 200, 10, "the next try is taken")
    assert len(shop.journal(one["event_id"])) == 1
    trouble.order = shop.control("POST", "/sale", {"rows": [{"sku": trouble.sku, "quantity": 1}], "warehouse": 1})["order_id"]
    trouble.check()


def test_redis_that_is_busy_for_a_moment_delays_but_refuses_nothing(shop):
    redis = shop.processes["redis"]
    redis.signal(signal.SIGSTOP)
    revive = subprocess.Popen(["sh", "-c", f"sleep 0.4; kill -CONT {redis.pid}"])
    try:
        one = event()
        assert shop.post(ROUTES[0], [one]).status == 200
    finally:
        revive.wait(5)
        redis.signal(signal.SIGCONT)
    assert len(shop.journal(one["event_id"])) == 1


def test_function_library_that_is_gone_is_loaded_again_and_nobody_notices(shop):
    trouble = Trouble(shop)
    shop.wait_quiet()
    for path in ROUTES:
        shop.redis().execute_command("FUNCTION", "FLUSH")
        one = event()
        assert shop.post(path, [one]).status == 200
        assert len(shop.journal(one["event_id"])) == 1
    shop.redis().execute_command("FUNCTION", "FLUSH")
    assert shop.post(STOCK_CHANGED, hook()).status == 200
    shop.redis().execute_command("FUNCTION", "FLUSH")
    trouble.order = shop.control("POST", "/sale", {"rows": [{"sku": trouble.sku, "quantity": 1}], "warehouse": 1})["order_id"]
    shop.redis().execute_command("FUNCTION", "FLUSH")
    trouble.check()


# ---------------------------------------------------------------- disk full

def mount(folder, megabytes):
    """True if a file system of this size is now mounted there (needs root and the right to mount)."""
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(folder)], check=False,
                          capture_output=True)
    return done.returncode == 0


@pytest.fixture
def small_disk(stack):
    """A stack whose Redis has a disk of 3 MB: (stack, fill, free). Where nothing can be mounted, its files may not grow
    any more instead; Redis then dies of a signal in the middle of the write."""
    one = stack(functions=(), redis=False, mapping=shop_mapping(bigcommerce={"confirm_delay_ms": 200}),
                simulator_args=("--lag-ms", "50", "--latency-ms", "2"))
    folder = one.folder / "redis"
    mounted = os.getuid() == 0 and mount(folder, 3)
    filler = folder / "filler"

    def fill():
        if mounted:
            with contextlib.suppress(OSError), open(filler, "wb") as file:
                while True:
                    file.write(b"x" * 4096)
                    file.flush()
        else:
            subprocess.run(["prlimit", "--pid", str(one.processes["redis"].pid), "--fsize=1"], check=True)

    def free():
        filler.unlink(missing_ok=True)

    try:
        one.start_redis()
        for name in ("sitoo-events", "sale", "return", "stock-moved"):
            one.start_function(name)
        one.wait_until(lambda: one.get("/ready").status == 200, 20, "GET /ready = 200")
        yield one, fill, free
    finally:
        if mounted:
            one.stop()
            subprocess.run(["umount", str(folder)], check=True)


def test_full_disk_fails_closed_and_recovers_with_all_that_was_acknowledged(small_disk):
    """With appendfsync always, Redis ends itself when it cannot write its file: it promises nothing that it cannot keep.
    Whoever watches over it starts it again when there is room."""
    one, fill, free = small_disk
    one.wait_quiet()
    sku = one.fresh_sku({1: 1})
    before = one.levels(sku)[1]
    acknowledged, answers = [], []
    fill()
    for _ in range(300):
        events = [event() for _ in range(5)]
        answers.append(one.post(ROUTES[0], events).status)
        acknowledged += events if answers[-1] == 200 else []
        if answers[-10:] == [503] * 10:
            break
    assert set(answers) <= {200, 503} and answers[-1] == 503, "the disk was never full"
    assert one.get("/ready").status == 503
    assert "batch not stored" in one.logs("sitoo-events")
    order = one.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 1})["order_id"]
    free()
    if one.processes["redis"].alive():
        one.stop_redis()
    one.processes["redis"].killed = True
    one.start_redis()
    one.wait_until(lambda: one.get("/ready").status == 200, 15, "GET /ready = 200")
    assert all(len(one.journal(e["event_id"])) == 1 for e in acknowledged)
    one.wait_levels(sku, {1: before - 1}, timeout=20)
    one.wait_until(lambda: one.sales(order), 10, "the sale is recorded")
    one.wait_quiet()
    assert one.control("GET", "/stats")["events_lost"] == 0
