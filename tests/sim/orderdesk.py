# SPDX-License-Identifier: Apache-2.0
"""The part of the control interface that is about web orders in Sitoo: what shop staff do with them, and how they compare."""
from handoverreport import HandoverReport
from orderlife import OPEN, READY, REJECTED
from units import Refused


class OrderDesk:
    """Routes over one shop. An order is named by order_id (Sitoo's), externalid, or web_order (BigCommerce's)."""

    def __init__(self, shop):
        self.shop = shop
        self.reporter = HandoverReport(shop.handover)

    def find(self, body):
        """Sitoo's order id. Of a web order: the one that is open; the newest if none is."""
        named = [name for name in ("order_id", "externalid", "web_order") if name in body]
        if len(named) != 1:
            raise Refused("name one of order_id, externalid and web_order")
        if named == ["order_id"]:
            return body["order_id"]
        if named == ["externalid"]:
            order = self.shop.world.by_externalid.get(body["externalid"])
            if order is None:
                raise Refused(f"there is no order with externalid {body['externalid']}")
            return order.id
        known = self.shop.handover.of.get(body["web_order"], [])
        if not known:
            raise Refused(f"no Sitoo order stands for web order {body['web_order']}")
        candidates = [o for o in known if o.state == OPEN] or known[-1:]
        if len(candidates) > 1:
            raise Refused(f"several open Sitoo orders stand for web order {body['web_order']}: {[o.id for o in candidates]}")
        return candidates[0].id

    @staticmethod
    def _made(result):
        return {"order_id": result[0], "at_ms": result[1]}

    @staticmethod
    def _delivered(result):
        order, delivery, at = result
        return {"order_id": order.id, "delivery_id": delivery.id, "open": order.state == OPEN, "at_ms": at}

    def ready(self, body, query, request):
        return self._made(self.shop.world.mark(self.find(body), READY))

    def reject(self, body, query, request):
        return self._made(self.shop.world.mark(self.find(body), REJECTED))

    def collect(self, body, query, request):
        return self._delivered(self.shop.world.collect(self.find(body), body.get("rows")))

    def ship(self, body, query, request):
        return self._delivered(self.shop.world.ship(self.find(body), body.get("rows"), body.get("warehouse")))

    def cancel(self, body, query, request):
        return self._made(self.shop.world.cancel_order(self.find(body)))

    def expire(self, body, query, request):
        return self._made(self.shop.world.expire(self.find(body)))

    def report(self, body, query, request):
        only = int(query["web_order"]) if "web_order" in query else None
        return self.reporter.report(int(query.get("min_age_ms", 0)), only)


def routes(shop):
    """{(method, path): function} for control.Control."""
    desk = OrderDesk(shop)
    return {("POST", "/ready"): desk.ready, ("POST", "/reject"): desk.reject, ("POST", "/collect"): desk.collect,
            ("POST", "/ship"): desk.ship, ("POST", "/cancel-order"): desk.cancel,
            ("POST", "/expire-reservation"): desk.expire, ("GET", "/web-orders-oracle"): desk.report}
