# SPDX-License-Identifier: Apache-2.0
"""BigCommerce's calls that read web orders (bigcommerce.md 9): lists, lines, consignments, addresses, taxes; and archiving."""
from exchanges import NOT_OURS
from server import Reply, as_json
from shipments import refuse
from weborderbody import consignments_json, line_json, shipping_addresses_json, taxes_json


class OrderCalls:
    """Part of BigCommerce. Needs orders, counters and _page() of it."""

    @staticmethod
    def _shape(call):
        return call.query.get("include", "").split(","), call.query.get("consignment_structure") == "object"

    def order_list(self, call):
        """An empty v2 list, and a page past the last, are 204 without a body (bigcommerce.md 2)."""
        number, limit = self._page(call, 50, self.v2_page, clamp=True)
        found = self.orders.select(call.query)
        if found is None:
            raise refuse(400, "The filter or sort given is not valid.")
        part = found[(number - 1) * limit:number * limit]
        if not part:
            return Reply(204)
        include, structured = self._shape(call)
        return self._read(call, part, b"[" + b",".join(self.orders.body(o, include, structured) for o in part) + b"]")

    @staticmethod
    def _read(call, orders, body):
        """An answer that shows the status of these orders; they count as read once it is handed over, unless to a test."""
        shown = [(order, order.human) for order in orders]

        def on_sent(_):
            for order, human in shown if NOT_OURS not in call.request.headers else ():
                order.seen = max(order.seen, human)

        return Reply(200, body, on_sent=on_sent)

    def order_count(self, call):
        found = self.orders.select(call.query)
        if found is None:
            raise refuse(400, "Input is invalid.")
        return Reply(200, {"count": len(found)})

    def _order(self, number):
        order = self.orders.get(number)
        if order is None:
            raise refuse(404, "The requested resource was not found.")
        return order

    def order(self, call, number):
        order = self._order(number)
        return self._read(call, [order], self.orders.body(order, *self._shape(call)))

    def order_products(self, call, number):
        """50 lines by default (bigcommerce.md 9); past the end 204 (UNSURE for sub-lists, treated alike)."""
        page, limit = self._page(call, 50, 250, clamp=True)
        order = self._order(number)
        part = order.lines[(page - 1) * limit:page * limit]
        if not part:
            return Reply(204)
        return Reply(200, as_json([line_json(order, line) for line in part]))

    def order_consignments(self, call, number):
        include, _ = self._shape(call)
        return Reply(200, consignments_json(self._order(number), "consignments.line_items" in include))

    def order_addresses(self, call, number):
        """None is 204, as of other v2 lists (UNSURE for this one)."""
        page, limit = self._page(call, 50, 250, clamp=True)
        part = shipping_addresses_json(self._order(number))[(page - 1) * limit:page * limit]
        return Reply(200, as_json(part)) if part else Reply(204)

    def order_taxes(self, call, number):
        page, limit = self._page(call, 50, 250, clamp=True)
        part = taxes_json(self._order(number), call.query.get("details") == "true")[(page - 1) * limit:page * limit]
        return Reply(200, as_json(part)) if part else Reply(204)

    def order_archive(self, call, number):
        """DELETE archives (bigcommerce.md 9)."""
        self.counters.numbers["orders_archived"] += 1
        self.orders.archive(self._order(number).id)
        return Reply(204)

    def orders_archive(self, call):
        """DELETE without an id archives every order: it must never be called."""
        self.counters.numbers["all_orders_archived"] += 1
        for order in self.orders.orders:
            self.orders.archive(order.id)
        return Reply(204)


ROUTES = {
    ("GET", ("v2", "orders")): OrderCalls.order_list,
    ("GET", ("v2", "orders", "count")): OrderCalls.order_count,
    ("GET", ("v2", "orders", "*")): OrderCalls.order,
    ("GET", ("v2", "orders", "*", "products")): OrderCalls.order_products,
    ("GET", ("v2", "orders", "*", "consignments")): OrderCalls.order_consignments,
    ("GET", ("v2", "orders", "*", "shipping_addresses")): OrderCalls.order_addresses,
    ("GET", ("v2", "orders", "*", "taxes")): OrderCalls.order_taxes,
    ("DELETE", ("v2", "orders")): OrderCalls.orders_archive,
    ("DELETE", ("v2", "orders", "")): OrderCalls.orders_archive,  # what a blank id makes of it
    ("DELETE", ("v2", "orders", "*")): OrderCalls.order_archive,
}
