# SPDX-License-Identifier: Apache-2.0
"""Business beside the calls, and what has to hold at the end."""
import threading

from engine import secret, wait_until
from load import order_created, sitoo_events

SETTLE_LIMIT_S = 60


class Business:
    """Sales at the tills and orders in the web shop, three sales and a web order at a time, until it is closed."""

    def __init__(self, stack, skus):
        self.stack, self.skus = stack, skus
        self.sales = self.web_orders = 0
        self.problem = None
        self.closing = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.closing.set()
        self.thread.join(30)
        assert self.problem is None, self.problem

    def _run(self):
        try:
            turn = 0
            while not self.closing.wait(0.25):
                sku = self.skus[turn % len(self.skus)]
                rows = [{"sku": sku, "quantity": 1}]
                if turn % 4 == 3:
                    self.web_orders += not self.stack.control("POST", "/web-order", {"rows": rows})["refused"]
                else:
                    self.stack.control("POST", "/sale", {"rows": rows, "warehouse": 1})
                    self.sales += 1
                turn += 1
        except (OSError, ValueError, KeyError) as problem:
            self.problem = problem


def plenty(stack, count):
    """SKUs with much stock in warehouse 1."""
    world = stack.control("GET", "/world")
    rows = world["stock"]["1"]
    names = [s["sku"] for s in world["skus"] if s["sku"].startswith("SKU-") and s["kind"] in ("variant", "simple") and rows.get(s["sku"])]
    return names[:count]


def all_200(load):
    counted = load.count()
    return all(set(by_status) == {200} for by_status in counted.values()), counted


def nothing_was_refused(stack, before):
    """What the simulated platforms saw: no delivery failed, nothing was lost."""
    after = stack.stats()
    for name in ("events_lost", "feed_retries", "hook_failures", "hooks_lost"):
        assert after[name] == before[name], f"{name}: {before[name]} before, {after[name]} after"
    return after


def makers(orders):
    _, sold, web = orders
    password = secret("sitoo_events_password")
    return [sitoo_events("/hooks/sitoo", password, sold), sitoo_events("/hooks/sitoo/sale", password, sold),
            sitoo_events("/hooks/sitoo/events", password, sold), order_created(secret("bigcommerce_hook_secret"), web)]


def settle(stack):
    oracle = wait_until(stack.settled, SETTLE_LIMIT_S, "all is settled and every level right")
    assert oracle["ok"] and oracle["checked"] > 100
    web = stack.control("GET", "/web-orders-oracle")
    assert not web["twice"], web["twice"]
