# SPDX-License-Identifier: Apache-2.0
"""BigCommerce's calls about money and marks of an order: quotes, refunds, metafields, PUT of an order (bigcommerce.md 9-11)."""
import json

from refunds import CONCURRENT, REASON_MAX, TYPES, NotPossible
from server import Reply
from units import Refused, now_ms, parse_date
from webmoney import minor, number
from weborderbody import STATUS

STATUS_PAGE = "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"
NOTES_MAX = 65535
UNNOTICED_MS = 5000  # longer than what lies between a read and the write that follows from it
METAFIELD_VALUE_MAX, METAFIELD_NAME_MAX, METAFIELDS_MAX = 65535, 64, 250
# Of order_json(); orders.v2 calls them read only, or has them in no request.
READ_ONLY = {"id", "date_modified", "default_currency_code", "default_currency_id", "currency_id", "external_id", "is_deleted",
             "custom_status", "status", "payment_status", "coupon_discount", "store_credit_amount", "gift_certificate_amount",
             "shipping_address_count", "shipping_addresses", "coupons"}
PERMISSIONS = ("app_only", "read", "write", "read_and_sf_access", "write_and_sf_access")


class Answered(Exception):
    """Ends a call with args[0], a Reply."""


def wrapped(status, title):
    """Errors of a refund come inside data[] (bigcommerce.md 2)."""
    return Reply(status, {"data": [{"status": status, "title": title, "type": STATUS_PAGE}]})


def plain(status, title, **more):
    """Any other v3 error."""
    return Reply(status, {"status": status, "title": title, "type": STATUS_PAGE, **more})


def tax_away(order):
    """The documented 503 (recorded/bigcommerce/api_v3_refund_error_503_tax.json)."""
    return Reply(503, {"data": [{"order_id": order.id, "status": 503, "error": "Tax service gone away"}], "meta": {}})


def json_object(call, refuse):
    """The body, or Answered with refuse(status, text)."""
    if "application/json" not in call.request.headers.get("Content-Type", ""):
        raise Answered(refuse(415, "Unsupported Media Type"))
    try:
        body = json.loads(call.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Answered(refuse(400, "Input is invalid"))
    return body


class PaymentActions:
    """Part of BigCommerce. Needs orders, refunds, counters, and _order(), _page(), _v3_list() of it."""

    refunding = ()  # calls in flight that refund something, in order of arrival; the instance has a list

    # ---------------------------------------------------------------- what a request asks for

    @staticmethod
    def _amount(value, currency, name):
        if type(value) not in (int, float):
            raise NotPossible(f"{name} must be a number")
        try:
            return minor(value, currency)
        except Refused as bad:
            raise NotPossible(f"{name}: {bad}") from None

    def _item(self, order, item, position):
        where = f"items.{position}"
        if not isinstance(item, dict) or item.get("item_type") not in TYPES:
            raise NotPossible(f"{where}.item_type is not valid for this order")
        if type(item.get("item_id")) is not int:
            raise NotPossible(f"{where}.item_id must be a whole number")
        reason = item.get("reason", "")
        if not isinstance(reason, str) or len(reason) > REASON_MAX:
            raise NotPossible(f"{where}.reason must be a text of at most {REASON_MAX} characters")
        found = {"item_type": item["item_type"], "item_id": item["item_id"], "reason": reason}
        if item["item_type"] == "PRODUCT":
            if type(item.get("quantity")) is not int or item["quantity"] < 1:
                raise NotPossible(f"{where}.quantity must be a whole number above 0")
            return {**found, "quantity": item["quantity"]}
        if item["item_id"] != (order.address_id if item["item_type"] == "SHIPPING" else order.id):
            raise NotPossible(f"{where}.item_id does not belong to the order")
        found["amount"] = self._amount(item.get("amount"), order.money.currency, f"{where}.amount")
        if found["amount"] <= 0:
            raise NotPossible(f"{where}.amount must be above 0")
        return found

    def _items(self, order, body):
        items = body.get("items")
        if not isinstance(items, list) or not items:
            raise NotPossible("items must be a list that is not empty")  # tax_adjustment_amount is not simulated
        return [self._item(order, item, i) for i, item in enumerate(items)]

    def _override(self, order, body):
        override = body.get("merchant_calculated_override")
        if override is None:
            return None
        if not isinstance(override, dict):
            raise NotPossible("merchant_calculated_override must be an object")
        return {name: self._amount(override.get(name), order.money.currency, name) for name in ("total_amount", "total_tax")}

    def _payments(self, order, body):
        payments = body.get("payments")
        if not isinstance(payments, list) or not payments:
            raise NotPossible("payments must be a list that is not empty")
        found = []
        for i, part in enumerate(payments):
            if not isinstance(part, dict) or not isinstance(part.get("provider_id"), str) \
                    or type(part.get("offline", False)) is not bool:
                raise NotPossible(f"payments.{i} needs provider_id, amount and offline")
            found.append((part["provider_id"], self._amount(part.get("amount"), order.money.currency, f"payments.{i}.amount"),
                          part.get("offline", False)))
        return found

    def _v3_order(self, number_):
        order = self.orders.get(number_)
        if order is None:
            raise Answered(plain(404, "Not Found"))
        return order

    # ---------------------------------------------------------------- quote and refund

    def _quote_json(self, order, quote):
        """RefundQuote_Full of the specification; the guide calls tax_inclusive is_tax_included: both are there."""
        def show(amount):
            return number(amount, order.money.currency)
        return {"order_id": order.id, "total_refund_amount": show(quote.total), "total_refund_tax_amount": show(quote.tax),
                "order_level_refund_amount": show(quote.order_level), "rounding": 0,
                "adjustment": show(quote.total - quote.asked), "tax_inclusive": True, "is_tax_included": True,
                "refund_methods": [[{"provider_id": o[0], "provider_description": o[1], "amount": show(o[2]), "offline": o[3],
                                     "offline_provider": o[4], "offline_reason": o[5]} for o in method]
                                   for method in quote.methods]}

    def refund_quote(self, call, number_):
        order = self._v3_order(number_)
        body = json_object(call, plain)
        fault = call.fault or {}
        if fault.get("kind") == "tax_away":
            return tax_away(order)
        if fault.get("kind") == "quote_refused":
            return plain(422, fault.get("title", "The order cannot be refunded"), errors={})
        try:
            quote = self.refunds.quote(order, self._items(order, body), self._override(order, body))
        except NotPossible as problem:
            return plain(422, str(problem), errors={})
        return Reply(201, {"data": self._quote_json(order, quote), "meta": {}})

    def _refund_fault(self, order, body, fault):
        if fault.get("kind") == "tax_away":
            raise Answered(tax_away(order))
        if fault.get("kind") == "methods_change":
            # From now on this order is not refunded by what is asked for here.
            payments = body.get("payments")
            order.money.gone.add(frozenset(p.get("provider_id") for p in payments if isinstance(p, dict)))

    def refund_create(self, call, number_):
        order = self._v3_order(number_)
        body = json_object(call, wrapped)
        numbers = self.counters.numbers
        if "reason" in body:
            numbers["refund_top_level_reason"] += 1  # there is none (bigcommerce.md 10)
        earlier = self.refunding[:self.refunding.index(call)]
        if any(other.segments == call.segments and not other.gone() for other in earlier):
            numbers["concurrent_refunds"] += 1
            return wrapped(self.refunds.rules["concurrent_status"], CONCURRENT)
        try:
            self._refund_fault(order, body, call.fault or {})
            items, payments = self._items(order, body), self._payments(order, body)
            override = self._override(order, body)
            quote = self.refunds.quote(order, items, override)
            self.refunds.check(order, quote)
            self.refunds.match(order, quote, payments)
        except NotPossible as problem:
            numbers["refused_refunds"] += 1
            return wrapped(422, str(problem))
        refund = self.refunds.create(order, quote, payments, "api", override=override is not None)
        return Reply(201, {"data": self._refund_json(refund), "meta": {}})

    def _refund_json(self, refund):
        """bigcommerce.md 10; reason at the top is read only and empty here: the items carry it."""
        currency = refund.order.money.currency
        items = []
        for kind, number_, quantity, amount, reason in refund.items:
            item = {"item_type": kind, "item_id": number_, "reason": reason, "requested_amount": None}
            if kind == "PRODUCT":
                item["quantity"] = quantity
            else:
                item["requested_amount"] = number(amount, currency)
            items.append(item)
        return {"id": refund.id, "order_id": refund.order.id, "user_id": 0 if refund.by == "api" else 3,
                "created": self.refunds.created_text(refund), "reason": refund.reason,
                "total_amount": number(refund.total, currency), "total_tax": number(refund.tax, currency),
                "uses_merchant_override_values": refund.override, "items": items,
                "payments": [{"id": i, "provider_id": provider, "amount": number(amount, currency), "offline": offline,
                              "is_declined": refund.declined, "declined_message": refund.message,
                              "transaction_id": str(70000 + i)} for i, provider, amount, offline in refund.payments]}

    # ---------------------------------------------------------------- reading refunds

    def order_refunds(self, call, number_):
        """Ascending by id (orders.v3.yml)."""
        found = self._v3_order(number_).money.refunds
        if call.query.get("transaction_id"):
            asked = call.query["transaction_id"]
            found = [r for r in found if any(str(70000 + p[0]) == asked for p in r.payments)]
        return Reply(200, {"data": [self._refund_json(r) for r in found], "meta": {}})

    def all_refunds(self, call):
        """meta is empty (RefundCollection_Resp): the end is a page that is not full. Default limit assumed."""
        page, limit = self._page(call, 50, 250)
        found, query = self.refunds.list, call.query
        for name, of in (("order_id:in", lambda r: r.order.id), ("id:in", lambda r: r.id)):
            if query.get(name):
                asked = self._ints(call, name)
                found = [r for r in found if of(r) in asked]
        for name, sign in (("created:min", 1), ("created:max", -1)):
            if query.get(name):
                bound = parse_date(query[name])
                if bound is None:
                    return plain(422, f"{name} is not a date")
                found = [r for r in found if sign * (r.created - bound) >= 0]
        return Reply(200, {"data": [self._refund_json(r) for r in found[(page - 1) * limit:page * limit]], "meta": {}})

    def one_refund(self, call, number_):
        refund = self.refunds.get(number_)
        if refund is None:
            return plain(404, "Not Found")
        return Reply(200, {"data": self._refund_json(refund), "meta": {}})

    # ---------------------------------------------------------------- metafields

    @staticmethod
    def _wrong_metafield(body):
        """What is wrong with a new metafield, by field."""
        wrong = {}
        if body.get("permission_set") not in PERMISSIONS:
            wrong["permission_set"] = f"must be one of {', '.join(PERMISSIONS)}"
        for name, most in (("namespace", METAFIELD_NAME_MAX), ("key", METAFIELD_NAME_MAX), ("value", METAFIELD_VALUE_MAX)):
            value = body.get(name)
            if not isinstance(value, str) or not 1 <= len(value) <= most:
                wrong[name] = f"must be a text of 1 to {most} characters"
        return wrong

    def metafield_create(self, call, number_):
        """namespace and key are unique per order and client (bigcommerce.md 11)."""
        order = self._v3_order(number_)
        body = json_object(call, lambda status, title: plain(status, title, detail="Syntax error"))
        wrong = self._wrong_metafield(body)
        if wrong:
            return plain(422, "The metafield is not valid.", errors=wrong)
        fields = order.money.metafields
        if any((f["namespace"], f["key"]) == (body["namespace"], body["key"]) for f in fields):
            return plain(409, "Conflict")
        if len(fields) >= METAFIELDS_MAX:
            return plain(422, f"At most {METAFIELDS_MAX} metafields", errors={})
        now = self.refunds.now_text()
        self.next_metafield += 1
        fields.append({"id": self.next_metafield, "key": body["key"], "value": body["value"], "namespace": body["namespace"],
                       "permission_set": body["permission_set"], "resource_type": "order", "resource_id": order.id,
                       "description": body.get("description", ""), "date_created": now, "date_modified": now,
                       "owner_client_id": "simclient"})
        mark = {"metafield_id": self.next_metafield, "resource_id": str(order.id)}
        self.orders.tell("store/order/metafield/created", mark)
        self.orders.tell("store/metafield/created", {**mark, "resource_type": "order"})
        return Reply(200, {"data": fields[-1], "meta": {}})

    def metafields(self, call, number_):
        page, limit = self._page(call, 50, 250)
        found, query = self._v3_order(number_).money.metafields, call.query
        for name in ("key", "namespace"):
            if name in query:
                found = [f for f in found if f[name] == query[name]]
            if query.get(name + ":in"):
                found = [f for f in found if f[name] in query[name + ":in"].split(",")]
        return self._v3_list(found, page, limit, lambda f: f)

    def one_metafield(self, call, number_, field):
        found = [f for f in self._v3_order(number_).money.metafields if f["id"] == field]
        return Reply(200, {"data": found[0], "meta": {}}) if found else plain(404, "Not Found")

    # ---------------------------------------------------------------- PUT of an order

    def order_put(self, call, number_):
        """Merges: status_id, staff_notes, external_order_id. What the answer shows and is not to be written is 400; other
        names are ignored (assumed) and counted."""
        order = self._order(number_)

        def refuse(status, text):
            return Reply(status, [{"status": status, "message": text}])
        body = json_object(call, refuse)
        if "status_id" in body and (type(body["status_id"]) is not int or body["status_id"] not in STATUS):
            return refuse(400, "The field 'status_id' is invalid.")
        for name, most in (("staff_notes", NOTES_MAX), ("external_order_id", 255)):
            if name in body and (not isinstance(body[name], str) or len(body[name]) > most):
                return refuse(400, f"The field '{name}' is invalid.")
        for name in sorted(READ_ONLY & set(body)):  # recorded/bigcommerce/api_v2_error_400_shipping_address.json
            return refuse(400, f"The field '{name}' cannot be written to. Please remove it from your request before trying "
                               f"again.")
        if "products" in body:
            self.counters.numbers["order_products_touched"] += 1
            lines = body["products"] if isinstance(body["products"], list) else []
            self.orders.clear_discounts(order, {line.get("id") for line in lines if isinstance(line, dict)} - {None})
        if "fees" in body:
            self.counters.numbers["order_fees_touched"] += 1  # would be replaced entirely; this shop has none
        if set(body) - {"status_id", "staff_notes", "external_order_id"}:
            self.counters.numbers["order_other_fields_put"] += 1
        if "status_id" in body and body["status_id"] != order.status and order.human > order.seen:
            self.counters.numbers["status_overwrote_human"] += 1  # nobody has read what a person set
            self.counters.numbers["status_overwrote_human_late"] += now_ms() - order.human_ms > UNNOTICED_MS
        order.money.staff_notes = body.get("staff_notes", order.money.staff_notes)
        order.money.external_order_id = body.get("external_order_id", order.money.external_order_id)
        if "status_id" in body:
            self.orders.change_status(order, body["status_id"])
        else:
            self.orders.changed(order)
        return self._read(call, [order], self.orders.body(order, [], False))


ROUTES = {
    ("PUT", ("v2", "orders", "*")): PaymentActions.order_put,
    ("POST", ("v3", "orders", "*", "payment_actions", "refund_quotes")): PaymentActions.refund_quote,
    ("POST", ("v3", "orders", "*", "payment_actions", "refunds")): PaymentActions.refund_create,
    ("GET", ("v3", "orders", "*", "payment_actions", "refunds")): PaymentActions.order_refunds,
    ("GET", ("v3", "orders", "payment_actions", "refunds")): PaymentActions.all_refunds,
    ("GET", ("v3", "orders", "payment_actions", "refunds", "*")): PaymentActions.one_refund,
    ("POST", ("v3", "orders", "*", "metafields")): PaymentActions.metafield_create,
    ("GET", ("v3", "orders", "*", "metafields")): PaymentActions.metafields,
    ("GET", ("v3", "orders", "*", "metafields", "*")): PaymentActions.one_metafield,
}
