# SPDX-License-Identifier: Apache-2.0
"""Calls on the hooks at a steady pace, each on a connection of its own; every answer is kept."""
import base64
import collections
import http.client
import json
import threading
import time
import uuid

ANSWER_LIMIT_S = 20.0


class Load:
    """with Load(port, makers, per_second=40) as load: ... Each maker returns (path, headers, body)."""

    def __init__(self, port, makers, per_second, threads=8):
        self.port, self.makers = port, makers
        self.pause = threads / per_second
        self.answers = []  # (path, status or the name of what went wrong, seconds)
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(threads)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(ANSWER_LIMIT_S + 5)

    def _run(self, number):
        turn = number
        while not self.stopping.is_set():
            begun = time.monotonic()
            path, headers, body = self.makers[turn % len(self.makers)]()
            self.answers.append((path, self._post(path, headers, body), time.monotonic() - begun))
            turn += 1
            self.stopping.wait(max(0.0, self.pause - (time.monotonic() - begun)))

    def _post(self, path, headers, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_LIMIT_S)
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException) as problem:
            return type(problem).__name__
        finally:
            connection.close()

    def count(self):
        """{path: {status: number}}."""
        counted = {}
        for path, status, _ in list(self.answers):
            counted.setdefault(path, collections.Counter())[status] += 1
        return counted

    def slowest(self):
        return max(seconds for _, _, seconds in list(self.answers))


def sitoo_events(path, password, order_ids):
    """A maker of batches about orders that exist; each event is a new one to us."""
    token = base64.b64encode(f"onepool:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}

    def make():
        number = order_ids[int(time.monotonic() * 1000) % len(order_ids)]
        events = [{"event_id": uuid.uuid4().hex, "event_type": "order", "event_date": int(time.time()), "account_id": 1500,
                   "data": {"eshop_id": 1, "order_id": number, "warehouse_id": 1, "order_event_type": "add"}}]
        return path, headers, json.dumps(events)
    return make


def order_created(secret, order_ids):
    headers = {"X-Onepool-Secret": secret, "Content-Type": "application/json"}

    def make():
        number = order_ids[int(time.monotonic() * 1000) % len(order_ids)]
        hook = {"producer": "stores/simstore", "hash": uuid.uuid4().hex, "created_at": int(time.time()), "store_id": "1001",
                "scope": "store/order/created", "data": {"type": "order", "id": number}}
        return "/hooks/bigcommerce/order-created", headers, json.dumps(hook)
    return make
