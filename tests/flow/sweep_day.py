# SPDX-License-Identifier: Apache-2.0
"""A day in the shop, hour by hour, with every kind of business that the sweep, or events, have to bring together: what the
tests of one without the other share."""
import random
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import sweep_shop as sweep
import web_shop

RETURNS = {"repeat_after_s": 30, "reasons": {"101": "sellable", "102": "unsellable"}, "payments": {"Card": "pay_in_bigcommerce"}}
SIMULATOR = ("--web-orders", "--skus", "400", "--quota", "20000", "--lag-ms", "50", "--latency-ms", "2", "--retry-scale", "0.001")
WRONG = ("over_refunded", "over_refunded_rows", "unexplained", "refunded_twice", "unexpected", "missing", "wrong_amount",
         "paid_online")


class Hole:
    """Takes Sitoo's events, answers 200 and drops them, as a wrong address does."""

    def __init__(self):
        self.taken = 0
        hole = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                hole.taken += body.count(b'"event_id"')
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Day:
    """Business of a day; what was done is counted. Orders that are to be collected wait until onepool has handed them over."""

    def __init__(self, shop, seed=7):
        self.shop, self.rng = shop, random.Random(seed)
        self.counts, self.handed, self.bookings, self.collected, self.placed = {}, [], [], [], []

    def did(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    def post(self, what, path, body):
        self.did(what)
        return self.shop.control("POST", path, body)

    def sku(self, **free):
        return self.shop.fresh_sku({int(w[1:]): n for w, n in (free or {"w1": 4}).items()})

    def hour(self, number):
        sold = self.sku()
        self.post("sale", "/sale", {"rows": [{"sku": sold, "quantity": 2}], "warehouse": 1})
        self.post("return", "/return", {"rows": [{"sku": self.sku(), "quantity": 1, "reason": "102"}], "warehouse": 2})
        self.post("goods in", "/move", {"sku": self.sku(), "quantity": 3, "to": self.rng.choice((1, 2))})
        if number % 3 == 0:
            self.bookings.append(self.post("booking", "/booking", {"rows": [{"sku": self.sku(), "quantity": 2}], "warehouse": 1}))
        if number % 6 == 5:
            self.post("booking cancelled", "/cancel-order", {"order_id": self.bookings.pop(0)["order_id"]})
        if number < 16:
            self.did("web order")
            self.placed.append(web_shop.order(self.shop, {"sku": self.sku(w3=4), "quantity": 2}, **web_shop.COLLECT))
        self.old_orders(number)

    def old_orders(self, number):
        """What becomes of web orders that stand in Sitoo."""
        for order in [one for one in self.placed if self.is_open(one)]:
            self.placed.remove(order)
            fate = len(self.handed) % 4
            self.handed.append(order)
            if fate == 0:
                self.post("web order cancelled", "/web-order-status", {"order_id": order, "status": 5})
            elif fate == 1:
                self.post("refund in BigCommerce", "/web-refund", {"order_id": order, "row": 0, "quantity": 1})
            else:
                self.post("collected", "/collect", {"web_order": order})
                self.collected.append(order)
        if number % 2 == 1 and self.collected:
            self.give_back(self.collected.pop(0))

    def last_orders(self):
        """After the last hour: however late they were handed over, what is to become of each web order does."""
        while self.placed:
            self.shop.wait_until(lambda: any(self.is_open(order) for order in self.placed), 30, "web orders are handed over")
            self.old_orders(1)
        while self.collected:
            self.give_back(self.collected.pop(0))

    def is_open(self, order):
        return [one for one in web_shop.in_sitoo(self.shop, order) if one["state"] == "open"]

    def give_back(self, order):
        (one,) = [o for o in web_shop.in_sitoo(self.shop, order) if o["state"] == "closed"]
        row = {"sku": one["rows"][0]["sku"], "quantity": 1, "reason": "101"}
        self.post("web purchase given back", "/return", {"rows": [row], "original": one["id"], "warehouse": 3})

    @property
    def events(self):
        return sum(self.counts.values())


def refunds_right(shop):
    """What the oracle finds wrong with money."""
    opinion = shop.control("GET", "/refunds")
    return {name: opinion[name] for name in WRONG if opinion[name]}


def brought_together(shop, timeout=90):
    """Levels, web orders and refunds are right by the simulators' oracle, and nothing is left to do."""
    web_shop.all_right(shop, timeout)
    shop.wait_until(lambda: not refunds_right(shop), 40, f"refunds are right: {refunds_right(shop)}")
    assert shop.control("GET", "/refunds")["refunded_total"], "nothing was refunded at all"


def make(stack, functions=sweep.FUNCTIONS, **sections):
    shop = stack(functions=functions, mapping=sweep.sweep_mapping(returns=RETURNS, **sections), simulator_args=SIMULATOR)
    web_shop.with_hooks(shop)
    return shop
