# SPDX-License-Identifier: Apache-2.0
"""A shop with both platforms simulated, web orders bought in it and given back at a till: what tests of returns share."""
import contextlib
import json

FUNCTIONS = ("sitoo-events", "sale", "return", "stock-moved", "order-updated")
OPINIONS = ("missing", "unexpected", "wrong_amount", "paid_online", "unexplained", "refunded_twice", "over_refunded",
            "over_refunded_rows")
REFUNDS = "payment_actions/refunds"
QUOTES = "payment_actions/refund_quotes"


def reset(shop):
    """Everything that a test may have changed in the simulators, as it was."""
    shop.control("DELETE", "/faults")
    shop.control("PUT", "/feed", {"duplicate": 0.0, "reorder": 0.0})
    shop.control("PUT", "/settings", {"refund_restock": False, "hidden_orders": [],
                                      "refunds": {"offline_method": True, "concurrent_status": 422}})


def bought(shop, *, units=1, rows=1, handover=None, status=2, row=None, **more):
    """A web order, handed over to Sitoo so that shops can take returns of it. (web order, Sitoo order, SKUs)"""
    skus = [shop.fresh_sku({1: units + 2}) for _ in range(rows)]
    made = shop.control("POST", "/web-order", {"rows": [{"sku": sku, "quantity": units, **(row or {})} for sku in skus],
                                               "status": status, **more})
    assert not made["refused"]
    sitoo = shop.control("POST", "/web-handover", {"order_id": made["order_id"], **(handover or {})})["order_id"]
    return made["order_id"], sitoo, skus


def give_back(shop, sitoo, *skus, quantity=1, reason="101", row=None, **more):
    rows = [{"sku": sku, "quantity": quantity, "reason": reason, **(row or {})} for sku in skus]
    return shop.control("POST", "/return", {"rows": rows, "original": sitoo, "warehouse": 1, **more})["order_id"]


def worked_on(shop, number, timeout=15):
    """What onepool says of a return, once it has worked on it."""
    text = shop.wait_until(lambda: shop.redis().get(shop.key(f"return:{number}")), timeout, f"return {number} is worked on")
    return json.loads(text)


def money(shop, number):
    (one,) = worked_on(shop, number)["money"]
    return one


def refunds(shop, order):
    return shop.control("GET", "/refunds")["orders"].get(str(order), {}).get("refunds", [])


def right(shop, *skus):
    """Money and goods as the oracle wants them, and nothing is left open."""
    shop.wait_quiet()
    opinion = shop.control("GET", "/refunds")
    assert opinion["ok"], {name: opinion[name] for name in OPINIONS}
    for sku in skus:
        for location, row in shop.explain(sku).items():
            assert row["after_landing"] == row["expected"], (sku, location, row)
    assert shop.redis().hgetall(shop.key("intents")) == {}


def parked(shop, number, cause, order=None):
    name = f"{cause}:return {number}" + (f" of web order {order}" if order else "")
    case = shop.wait_until(lambda: shop.cases().get(name), 15, f"{name} is parked")
    assert all(case[field] for field in ("owner", "text", "effect", "step")), case
    return case


def fault(shop, **rule):
    shop.control("PUT", "/faults/bigcommerce", {"rules": [rule]})


def skip_the_wait(shop, number, order):
    """A refund without an answer is not sent again for 120 s; the test does not wait."""
    shop.redis().delete(shop.key(f"settle:R{number}-{order}"))
    shop.redis().zadd(shop.key("due:return"), {str(number): 1})
    shop.redis().publish(shop.key("wake:return"), "1")


def settled_at_last(shop, number, order):
    """Waits until onepool has worked on a return of which a refund was lost, skipping the wait before it is sent again."""
    def done():
        skip_the_wait(shop, number, order)
        return shop.redis().get(shop.key(f"return:{number}"))
    shop.wait_until(done, 60, f"return {number} is worked on")


def posts(shop, order, since, what=REFUNDS):
    """Calls that would refund (or quote) a web order, since that request."""
    return [one for one in shop.requests(since, "bigcommerce")
            if one["method"] == "POST" and one["path"].partition("?")[0].endswith(f"/orders/{order}/{what}")]


def withheld(shop, *words):
    """What `onepool withheld --json` lists."""
    status, out, err = shop.command("withheld", "--json", *words)
    assert status == 0, err
    return json.loads(out)


def stop(shop, name):
    """Ends a function as an operator does; it must end well."""
    process = shop.processes.pop(name)
    assert process.stop(), f"{name} did not end after SIGTERM"
    assert process.killed or process.popen.returncode == 0, f"{name} ended with status {process.popen.returncode}"


@contextlib.contextmanager
def running(shop, *names, env=None):
    """Replicas of the function return, which are gone afterwards whatever the test found."""
    try:
        for name in names:
            shop.start_function("return", process=None if name == "return" else name, env=env)
        yield
    except BaseException:
        for name in names:
            if name in shop.processes:
                shop.processes.pop(name).stop()
        raise
    for name in names:
        stop(shop, name)
