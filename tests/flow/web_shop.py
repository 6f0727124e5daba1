# SPDX-License-Identifier: Apache-2.0
"""A shop whose web orders are handed to Sitoo: what tests of web orders share."""
import json

from stack import HOOK_SECRET

FUNCTIONS = ("sitoo-events", "sale", "return", "stock-moved", "order-created", "order-updated", "pickup-updated")
SCOPES = {"store/order/created": "order-created", "store/order/updated": "order-updated",
          "store/order/statusUpdated": "order-updated", "store/order/archived": "order-updated",
          "store/order/refund/created": "order-updated", "store/channel/*/inventory/product/stock_changed": "stock-changed"}
NEVER = ("shipments_over_quantity", "pickup_records_twice", "status_overwrote_human", "order_other_fields_put", "catalog_writes",
         "all_orders_archived")
WRONG = ("twice", "missing", "left_open", "wrong_warehouse", "wrong_rows", "address_on_pickup", "unknown_web_order")
COLLECT = {"pickup_location": 5, "status": 11}
QUICK = ("--latency-ms", "2", "--lag-ms", "50", "--retry-scale", "0.001")


def with_hooks(shop):
    """BigCommerce's webhooks are registered and sent."""
    hooks = [{"scope": scope, "destination": f"http://127.0.0.1:{shop.http_port}/hooks/bigcommerce/{route}",
              "headers": {"X-Onepool-Secret": HOOK_SECRET}, "is_active": True} for scope, route in SCOPES.items()]
    shop.control("PUT", "/settings", {"hooks": hooks, "send_hooks": True, "hook_retry_scale": 0.001})


def order(shop, *rows, **more):
    """A web order: its id. rows: SKUs, or rows as the simulator takes them."""
    wanted = [{"sku": row, "quantity": 1} if isinstance(row, str) else row for row in rows]
    made = shop.control("POST", "/web-order", {"rows": wanted, **more})
    assert not made["refused"], made
    return made["order_id"]


def at(shop, units, warehouse=None):
    """A SKU of which there are enough in the pickup shop's warehouse (or the one named) and the rest of the pool."""
    return shop.fresh_sku({warehouse or pickup_warehouse(shop): units})


def pickup_warehouse(shop):
    mapping = json.loads(shop.mapping_file.read_text(encoding="utf-8"))
    return mapping["pickup"][0]["sitoo_warehouse_id"]


def opinion(shop, number=None):
    return shop.control("GET", "/web-orders-oracle" + (f"?web_order={number}" if number else ""))


def in_sitoo(shop, number):
    """The orders of Sitoo that stand for a web order, as the oracle lists them."""
    (one,) = [o for o in opinion(shop, number)["orders"] if o["web_order"] == number]
    return one["sitoo"]


def status_of(shop, number):
    (one,) = [o for o in opinion(shop, number)["orders"] if o["web_order"] == number]
    return one["status"]


def handed(shop, number, count=1, timeout=20):
    """Waits until so many open orders of Sitoo stand for it."""
    return shop.wait_until(lambda: len([o for o in in_sitoo(shop, number) if o["state"] == "open"]) == count and in_sitoo(shop, number),
                           timeout, f"web order {number} is handed over")


def told_of(shop, number, causes):
    """Whether a person was told of the web order by one of these cases."""
    return any(f"{cause}:web order {number}" in shop.cases() for cause in causes)


def web_orders_right(shop, told=()):
    """What the oracle finds wrong, but for web orders that a person was told of."""
    seen = opinion(shop)
    return not [one for name in WRONG for one in seen[name] if not told_of(shop, one["web_order"], told)]


def at_rest(shop, told=()):
    redis, now = shop.redis(), shop.redis().time()
    ms = now[0] * 1000 + now[1] // 1000
    due = any(redis.zcount(shop.key(f"due:{queue}"), "-inf", ms + 20000) for queue in ("handover", "weborder", "pickup"))
    return not due and shop.quiet() and web_orders_right(shop, told) and not redis.scard(shop.key("handed:due")) \
        and not shop.control("GET", "/hook-log")["waiting"]


def all_right(shop, timeout=40, told=(), may=()):
    """Nothing is left to do, every level and every web order is right, and nothing happened that never may. told: causes of
    cases by which a person was told of what else the oracle finds. may: what may have happened all the same."""
    try:
        shop.wait_until(lambda: at_rest(shop, told), timeout, "everything is right")
    except TimeoutError:
        seen = opinion(shop)
        raise AssertionError({
            "wrong": {name: seen[name] for name in WRONG if seen[name]},
            "levels": shop.control("GET", "/oracle?full=1"), "cases": list(shop.cases()),
            "due": {q: shop.redis().zrange(shop.key(f"due:{q}"), 0, 9, withscores=True)
                    for q in ("handover", "weborder", "pickup", "sku", "order")},
            "handed:due": shop.redis().smembers(shop.key("handed:due"))}) from None
    stats = shop.control("GET", "/stats")
    happened = {name: stats[name] for name in NEVER if stats[name] and name not in may}
    assert not happened, happened
    # A late event may have made somebody look once more.
    shop.wait_until(lambda: not shop.redis().hlen(shop.key("intents")), 15, "no write is open")
