# SPDX-License-Identifier: Apache-2.0
"""Authentic requests at a steady rate, on a clock and not after one another (open loop): is any refused?"""
import asyncio
import base64
import collections
import json
import os
import time

import aiohttp

from figures import Progress, say
from shop import flow, shop

TICK_S = 0.01
CONNECTIONS = 64
TIMEOUT_S = 15  # Sitoo's own
TOKEN = base64.b64encode(f"{flow.EVENTS_USER}:{flow.EVENTS_PASSWORD}".encode()).decode()
HEADERS = {"Content-Type": "application/json", "Authorization": f"Basic {TOKEN}"}


class Load:
    """Requests in flight and what came of them. Lags are from the planned moment, so that waiting counts."""

    def __init__(self, url, orders):
        self.url, self.orders = url, orders
        self.run = os.urandom(4).hex()
        self.statuses = collections.Counter()
        self.lags_s = []
        self.sent = 0

    def body(self, number):
        return json.dumps([{"event_id": f"{self.run}{number:024x}", "event_type": "order",
                            "event_date": int(time.time()), "account_id": 1500,
                            "data": {"eshop_id": 1, "order_id": self.orders[number % len(self.orders)],
                                     "order_event_type": "update", "warehouse_id": 1}}])

    async def one(self, session, number, planned):
        try:
            async with session.post(self.url, data=self.body(number), headers=HEADERS) as answer:
                await answer.read()
                self.statuses[str(answer.status)] += 1
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as problem:
            self.statuses[type(problem).__name__] += 1
        self.lags_s.append(time.monotonic() - planned)

    async def play(self, rate, seconds, progress):
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        connector = aiohttp.TCPConnector(limit=CONNECTIONS)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            begin, flying = time.monotonic(), set()
            while self.sent < rate * seconds:
                due = min(rate * seconds, int((time.monotonic() - begin) * rate) + 1)
                for number in range(self.sent, due):
                    task = asyncio.create_task(self.one(session, number, begin + number / rate))
                    flying.add(task)
                    task.add_done_callback(flying.discard)
                self.sent = due
                progress.show(lambda: f"{self.sent:,} sent, {dict(self.statuses)}")
                await asyncio.sleep(TICK_S)
            if flying:
                await asyncio.wait(flying)
            return time.monotonic() - begin


def run(out, set_):
    """set_: rate, seconds."""
    say(f"steady: {set_['rate']} authentic requests per second for {set_['seconds']} s, one event each")
    progress = Progress()
    with shop(out, skus=60, warehouses=4, latency_ms=20) as one:
        orders = [one.control("/sale", sale)["order_id"] for sale in
                  ({"rows": [{"sku": sku, "quantity": 1}], "warehouse": warehouse}
                   for sku, warehouse, _ in one.sellable()[:30])]
        one.stack.wait_quiet(60)
        load, redis = Load(one.stack.url("/hooks/sitoo"), orders), one.stack.redis()
        before = redis.xlen(one.stack.key("journal"))
        took = asyncio.run(load.play(set_["rate"], set_["seconds"], progress))
        progress.end()
        stored = redis.xlen(one.stack.key("journal")) - before
    lags = sorted(load.lags_s)
    refused = load.sent - load.statuses["200"]
    out.add("steady", "requests", "requests", load.sent)
    out.add("steady", "rate", f"per second (wanted {set_['rate']})", load.sent / took, "/s")
    out.add("steady", "refused", "refused, or without an answer", refused, aim=0)
    out.add("steady", "p50", "p50, from the planned moment", lags[len(lags) // 2] * 1000, "ms")
    out.add("steady", "p99", "p99, from the planned moment", lags[len(lags) * 99 // 100] * 1000, "ms")
    out.detail("steady", {"parameters": set_, "statuses": dict(load.statuses), "stored": stored})
    if stored < load.statuses["200"]:
        out.problem("steady", f"{load.statuses['200']} were acknowledged, {stored} stored")
