# SPDX-License-Identifier: Apache-2.0
"""A simulated shop with the release build in front of it, and a generator of sales at an even pace."""
import contextlib
import http.client
import json
import os
import random
import sys
import time
import urllib.parse

from machine import ROOT, cpu_seconds, group_of

os.environ["ONEPOOL_TEST_BUILD"] = str(ROOT / "build")
sys.path.insert(0, str(ROOT / "tests" / "flow"))
import stack as flow  # noqa: E402 (the build has to be chosen before)

SPECIAL_SKUS = 7  # of the simulators, which make trouble and are not sold here
TICK_S = 0.02


class Shop:
    """A started Stack; sizes and speeds of the platforms as given."""

    def __init__(self, skus, warehouses, latency_ms, quota=150, window_ms=30000, functions=flow.FUNCTIONS,
                 env=None, nginx=True):
        arguments = {"--skus": skus + SPECIAL_SKUS, "--warehouses": warehouses, "--latency-ms": latency_ms,
                     "--quota": quota, "--window-ms": window_ms}
        self.latency_ms, self.quota, self.window_ms = latency_ms, quota, window_ms
        self.stack = flow.Stack(functions=functions, env={"ONEPOOL_LOG": "info", **(env or {})}, nginx=nginx,
                                simulator_args=[x for pair in arguments.items() for x in pair])

    def start(self):
        self.stack.start()
        return self

    def control(self, path, body=None):
        return self.stack.control("GET" if body is None else "POST", path, body)

    def settings(self, changes):
        """Of the simulators (PUT /settings)."""
        return self.stack.control("PUT", "/settings", changes)

    def cpu(self):
        """{part: processor seconds so far}; each part with its children."""
        return {name: cpu_seconds(group_of(process.pid)) for name, process in self.stack.processes.items()}

    def sellable(self):
        """[(sku, warehouse, units)] of ordinary SKUs with something to sell."""
        world = self.control("/world")
        plain = {s["sku"] for s in world["skus"]
                 if s["sku"].startswith("SKU-") and s["kind"] in ("variant", "simple")}
        return [(sku, int(warehouse), row["on_hand"] // 1000)
                for warehouse, rows in world["stock"].items() if int(warehouse) in self.mapped(world)
                for sku, row in rows.items() if sku in plain and row["on_hand"] - row["reserved"] >= 1000]

    @staticmethod
    def mapped(world):
        return {w for warehouses in world["mapped"].values() for w in warehouses}


def note_redis(out, stack):
    """Says in the result how the Redis in use syncs its file; anything but "always" makes the figures worthless."""
    policy = stack.redis().config_get("appendfsync")["appendfsync"]
    out.data["machine"]["redis_appendfsync"] = policy
    if policy != "always":
        out.problem("redis", f"appendfsync is {policy}, not always")


@contextlib.contextmanager
def shop(out, **options):
    """A started Shop that is stopped and removed at the end; when something goes wrong, the ends of its logs
    are shown."""
    one = Shop(**options)
    try:
        one.start()
        note_redis(out, one.stack)
        yield one
    except BaseException:
        print(one.stack.log_tails(15), file=sys.stderr)
        raise
    finally:
        one.stack.stop()
        one.stack.remove()


def plan_sales(places, count, seed):
    """count sales of one unit, evenly spread over the places; no more units of a SKU in a warehouse than there are."""
    rng = random.Random(seed)
    left = {(sku, warehouse): units for sku, warehouse, units in places}
    order = list(left)
    sales = []
    while len(sales) < count:
        rng.shuffle(order)
        taken = order[:count - len(sales)]
        if not taken:
            raise ValueError(f"the shop has only {len(sales)} units to sell, not {count}")
        for place in taken:
            left[place] -= 1
            sales.append({"rows": [{"sku": place[0], "quantity": 1}], "warehouse": place[1]})
        order = [place for place in order if left[place] > 0]
    return sales


class Seller:
    """Rings up sales at an even pace whatever the answers take (open loop), and says what pace it really kept."""

    def __init__(self, control_url):
        parts = urllib.parse.urlsplit(control_url)
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        self.made_ms = []   # when the simulator rang each sale up
        self.late_s = 0.0   # the worst delay of a sale behind its plan

    def _post(self, sales):
        self.connection.request("POST", "/sales", json.dumps(sales), {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"POST /sales: {answer.status} {text[:300]!r}")
        self.made_ms += [one["at_ms"] for one in json.loads(text)["sales"]]

    def run(self, sales, seconds, meanwhile):
        """meanwhile(sold) is called between two ticks; it has to be quick."""
        begin = time.monotonic()
        sent = 0
        while sent < len(sales):
            passed = time.monotonic() - begin
            due = min(len(sales), int(passed / seconds * len(sales)) + 1)
            if due > sent:
                planned = begin + sent / len(sales) * seconds
                self._post(sales[sent:due])
                self.late_s = max(self.late_s, time.monotonic() - planned)
                sent = due
            meanwhile(sent)
            time.sleep(max(0.0, TICK_S - (time.monotonic() - begin - passed)))
        self.connection.close()

    def rate(self):
        """Sales per second, over the time from the first to the last."""
        span = (self.made_ms[-1] - self.made_ms[0]) / 1000
        return len(self.made_ms) / span if span > 0 else float(len(self.made_ms))
