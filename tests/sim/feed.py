# SPDX-License-Identifier: Apache-2.0
"""Sitoo's event sender (sitoo.md 3.4): batches of 1 to 10 in order, one request at a time, head-of-line blocking.

200 removes the batch. 429, 503, 504, no answer within 15 s and network errors are repeated by the schedule. Any other
status removes the batch for good: its events are lost, and counted.
"""
import asyncio
import collections
import json
import random

import aiohttp

LARGEST_BATCH = 10
# Up to 10 retries in the first hour, then hourly, 24 hours in all (sitoo.md 3.4). The spacing within the first hour is
# not documented: growing ones are assumed.
RETRY_AFTER_S = [10, 20, 40, 80, 160, 300, 450, 600, 840, 1100] + [3600] * 23
RETRIED = (429, 503, 504)
SHORTEST_WAIT_S = 0.02


class Feed:
    """The queue and its sender."""

    def __init__(self, counters, seed, url, user, password, retry_scale):
        self.counters = counters
        self.rng = random.Random(seed + 1)
        self.url, self.user, self.password = url, user, password
        self.append_events = False  # whether /events is appended is UNSURE (sitoo.md U4)
        self.paused = False
        self.duplicate = 0.0
        self.reorder = 0.0
        self.timeout_s = 15.0
        self.retry_scale = retry_scale
        self.queue = collections.deque()
        self.held = 0       # made but not in the queue yet: late duplicates and reordered ones
        self.failures = 0   # of the batch at the head
        self.last_error = None
        self.sending = False
        self.wake = asyncio.Event()
        self.acknowledged = []  # (event_id, its bytes) of what was answered 200

    def describe(self):
        return {"url": self.url, "user": self.user, "append_events": self.append_events, "paused": self.paused,
                "duplicate": self.duplicate, "reorder": self.reorder, "timeout_s": self.timeout_s,
                "retry_scale": self.retry_scale, "queued": self.waiting(), "failures_in_a_row": self.failures,
                "last_error": self.last_error}

    def change(self, settings):
        """Any of url, user, password, append_events, paused, duplicate, reorder, timeout_s, retry_scale."""
        known = ("url", "user", "password", "append_events", "paused", "duplicate", "reorder", "timeout_s", "retry_scale")
        for name, value in settings.items():
            if name not in known:
                raise ValueError(f"{name!r} is none of {known}")
            setattr(self, name, value)
        self.wake.set()

    def waiting(self):
        return len(self.queue) + self.held

    # ---------------------------------------------------------------- in

    def push(self, event):
        """Queues an event; now and then twice, or late, if asked to (duplicates: sitoo.md 3.4; reordering is assumed)."""
        if self.reorder and self.rng.random() < self.reorder:
            self._later(event)
        else:
            self.queue.append(event)
        if self.duplicate and self.rng.random() < self.duplicate:
            self.counters.numbers["duplicates_sent"] += 1
            self._later(event)
        self.wake.set()

    def _later(self, event):
        self.held += 1
        asyncio.get_running_loop().call_later(0.05 + 0.3 * self.rng.random(), self._release, event)

    def _release(self, event):
        self.held -= 1
        self.queue.append(event)
        self.wake.set()

    # ---------------------------------------------------------------- out

    async def run(self):
        """Sends until cancelled."""
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
            while True:
                if self.paused or not self.queue or not self.url:
                    self.wake.clear()
                    await self.wake.wait()
                    continue
                batch = [self.queue[i] for i in range(min(LARGEST_BATCH, len(self.queue)))]
                self.sending = True
                outcome = await self._post(session, batch)
                self.sending = False
                if outcome == "retry":
                    await self._wait()
                    continue
                self._remove(len(batch), outcome == "delivered")

    def _remove(self, count, delivered):
        for _ in range(count):
            event = self.queue.popleft()
            if delivered:
                self.acknowledged.append((event.get("event_id"), json.dumps(event)))
        self.failures = 0
        self.counters.numbers["events_delivered" if delivered else "events_lost"] += count

    async def _wait(self):
        """Between two attempts; after 24 hours the batch is dropped. A changed setting ends the wait."""
        if self.failures >= len(RETRY_AFTER_S):
            self._remove(min(LARGEST_BATCH, len(self.queue)), False)
            return
        pause = max(SHORTEST_WAIT_S, RETRY_AFTER_S[self.failures] * self.retry_scale)
        self.failures += 1
        self.counters.numbers["feed_retries"] += 1
        end = asyncio.get_running_loop().time() + pause
        settings = (self.url, self.user, self.password, self.append_events)
        while settings == (self.url, self.user, self.password, self.append_events):
            left = end - asyncio.get_running_loop().time()
            if left <= 0:
                return
            self.wake.clear()
            try:
                await asyncio.wait_for(self.wake.wait(), left)
            except asyncio.TimeoutError:
                return

    async def _post(self, session, batch):
        """delivered, lost or retry."""
        url = self.url.rstrip("/") + "/events" if self.append_events else self.url
        self.counters.numbers["batches"] += 1
        try:
            async with session.post(url, json=batch, auth=aiohttp.BasicAuth(self.user, self.password),
                                    allow_redirects=False,
                                    timeout=aiohttp.ClientTimeout(total=self.timeout_s)) as answer:
                await answer.read()
                status = answer.status
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError) as problem:
            self.last_error = f"{type(problem).__name__}: {problem}"
            return "retry"
        if status == 200:
            return "delivered"
        self.last_error = f"status {status}"
        return "retry" if status in RETRIED else "lost"
