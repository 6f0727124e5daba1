# SPDX-License-Identifier: Apache-2.0
"""A shop with a sweep whose times are short: what tests of the sweep share."""
import json

from stack import shop_mapping

FUNCTIONS = ("sitoo-events", "sale", "return", "stock-moved", "order-created", "order-updated", "pickup-updated", "sweep")
ORDERS = ("orders", "open")
WEB = ("bigcommerce", "refunds", "web_orders")
LEVELS = ("stock", "levels", "moved")
GRACE_S = 1
SWEEP = {"grace_s": GRACE_S, "orders_minutes": 1440, "bigcommerce_minutes": 1440, "moved_minutes": 1440, "levels_minutes": 10080,
         "stock_hours": 168, "web_orders_hours": 168}


def sweep_mapping(**sections):
    """Works run when a test says so: their intervals are long, what they wait for is short."""
    sections = {"bigcommerce": {"confirm_delay_ms": 200, "confirm_timeout_ms": 1000}, "sweep": SWEEP, **sections}
    return shop_mapping(**sections)


def ready(shop):
    """Every work has run once, so that what is there is history; nothing is under way."""
    shop.wait_until(lambda: all(last(shop, work) for work in ORDERS + WEB + ("timers",)), 30, "the sweep ran once")
    for work in LEVELS:
        now(shop, work)
    for work in LEVELS:
        shop.wait_until(lambda work=work: last(shop, work), 60, f"{work} ran once")
    shop.wait_until(lambda: not shop.redis().exists(shop.key("sweep:suspects")), 30, "no suspects are left")
    shop.wait_quiet()
    return shop


def last(shop, work):
    """When the work last ended, as milliseconds; 0 = never."""
    return int(shop.redis().hget(shop.key("sweep"), f"{work}_last") or 0)


def now(shop, *works):
    """What `onepool sweep --now` does."""
    for work in works:
        shop.fcall("apply", "mark", "sweep", work, "0", "f", "")


def ran(shop, *works, timeout=30):
    """Makes each work run from beginning to end, and waits for that."""
    for work in works:
        before = last(shop, work)
        now(shop, work)
        shop.wait_until(lambda work=work, before=before: last(shop, work) > before, timeout, f"{work} ran: {problem(shop, work)}")


def problem(shop, work):
    return shop.redis().hget(shop.key("sweep"), f"{work}_problem")


def missed(shop):
    return counters(shop, "missed:")


def drift(shop):
    return counters(shop, "drift:")


def counters(shop, prefix):
    found = shop.redis().hgetall(shop.key("count"))
    return {name.removeprefix(prefix): int(n) for name, n in found.items() if name.startswith(prefix) and int(n)}


def report(shop):
    status, out, err = shop.command("sweep", "--json")
    assert status == 0, err
    return json.loads(out)


def settled(shop, timeout=30):
    """No level waits for a second look."""
    shop.wait_until(lambda: not shop.redis().exists(shop.key("sweep:suspects")), timeout,
                    f"suspects: {shop.redis().hgetall(shop.key('sweep:suspects'))}")
