# SPDX-License-Identifier: Apache-2.0
"""Refunds of web orders: quotes, refunds, what they do to the order, payments that are declined later (bigcommerce.md 10)."""
import asyncio
import datetime
import time

from units import Refused, now_ms
from webmoney import share

TYPES = ("PRODUCT", "SHIPPING", "ORDER")  # what this shop has to refund; HANDLING, FEE, GIFT_WRAPPING and TAX: it has none
REASON_MAX = 1000
CONCURRENT = "Processing multiple concurrent refunds on the same order is not yet supported."


class NotPossible(Exception):
    """A request that is answered 422; the text says why."""


class Refund:
    """items: [(type, id, quantity or None, amount, reason)]; payments: [[payment id, provider, amount, offline]]."""

    __slots__ = ("id", "order", "created", "at_ms", "by", "reason", "total", "tax", "items", "payments", "declined",
                 "reopened", "message", "override")


class Quote:
    """asked: what the items are worth; total: what can be refunded of it; adjustment = total - asked."""

    __slots__ = ("items", "asked", "total", "tax", "order_level", "methods", "units", "shipping")


class Refunds:
    """All refunds of the shop. rules: what PUT /settings {"refunds": {...}} changes."""

    RULES = {"offline_method": True, "storecredit_method": True, "declined_reopens": False, "concurrent_status": 422}

    def __init__(self, orders):
        self.orders = orders
        self.rules = dict(self.RULES)
        self.list = []
        self.next_payment = 1

    def change(self, rules):
        """Any of RULES."""
        for name, value in rules.items():
            if name not in self.RULES:
                raise Refused(f"refunds: {name!r} is none of {sorted(self.RULES)}")
            self.rules[name] = value

    def get(self, number):
        return self.list[number - 1] if 0 < number <= len(self.list) else None

    # ---------------------------------------------------------------- what something is worth

    @staticmethod
    def _line(order, number):
        line = next((part for part in order.lines if part.id == number), None)
        if line is None:
            raise NotPossible(f"Order product {number} does not belong to the order")  # text assumed
        return line

    def _product(self, order, item, quote):
        line, units = self._line(order, item["item_id"]), item["quantity"]
        before = line.refunded + quote.units.get(line.id, 0)
        possible = max(0, min(units, line.quantity - before))
        worth = share(line.paid, line.quantity, before, possible)
        # Units beyond those that were bought are asked for at the price of one (assumed).
        quote.asked += worth + (units - possible) * share(line.paid, line.quantity, 0, 1)
        quote.units[line.id] = quote.units.get(line.id, 0) + units
        return worth

    @staticmethod
    def _shipping(order, item, quote):
        left = order.money.shipping - order.money.shipping_refunded - quote.shipping
        worth = max(0, min(item["amount"], left))
        quote.asked += item["amount"]
        quote.shipping += item["amount"]
        return worth

    def quote(self, order, items, override=None):
        """What a refund of these items would be. items: [{"item_type","item_id","quantity"|"amount","reason"}], amounts minor."""
        money = order.money
        if not money.settled:
            raise NotPossible("The order is not settled yet")  # bigcommerce.md 10: refused; text assumed
        quote = Quote()
        quote.items, quote.asked, quote.units, quote.shipping, quote.order_level = [], 0, {}, 0, 0
        taxed = total = other_tax = 0  # other_tax: of lines that have a VAT of their own
        for item in items:
            if item["item_type"] == "PRODUCT":
                worth = self._product(order, item, quote)
                vat = self._line(order, item["item_id"]).vat
                if vat is None:
                    taxed += worth
                else:
                    other_tax += money.tax_of(worth, vat)
            elif item["item_type"] == "SHIPPING":
                worth = self._shipping(order, item, quote)
                taxed += worth
            else:
                worth = item["amount"]
                quote.asked += worth
                quote.order_level += worth
            total += worth
            quote.items.append((item["item_type"], item["item_id"], item.get("quantity"), worth, item.get("reason", "")))
        quote.total = max(0, min(total, money.paid - money.held))
        quote.tax = money.tax_of(min(taxed, quote.total)) + other_tax
        if override is not None:
            quote.asked, quote.total, quote.tax = override["total_amount"], override["total_amount"], override["total_tax"]
        quote.methods = money.methods(quote.total, self.rules)
        return quote

    def check(self, order, quote):
        """422 for what is more than was bought or paid (assumed, bigcommerce.md 15.8)."""
        for number, units in quote.units.items():
            line = self._line(order, number)
            if line.refunded + units > line.quantity:
                raise NotPossible(f"Quantity of order product {number} exceeds what is left to refund")
        money = order.money
        if quote.asked > quote.total or quote.total > money.paid - money.held:
            raise NotPossible("Refund amount exceeds the remaining amount of the order")
        if quote.total <= 0:
            raise NotPossible("There is nothing to refund")

    def match(self, order, quote, payments):
        """The method of the quote that these payments [(provider, amount, offline)] equal; NotPossible otherwise."""
        if order.money.guest and any(provider == "storecredit" for provider, _, _ in payments):
            if not order.money.paid_by("storecredit"):
                raise NotPossible("Unable to provide store credit for a guest customer.")  # documented
        wanted = sorted(payments)
        for method in quote.methods:
            if sorted((o[0], o[2], o[3]) for o in method) == wanted:
                return method
        raise NotPossible("Payments do not match any of the available refund methods")  # text assumed

    # ---------------------------------------------------------------- refunding

    def by_hand(self, number, rows, provider=None, reason=""):
        """Somebody refunds rows [(position, quantity)] in the control panel, by the way it was paid or by a named provider."""
        order = self.orders.known(number)
        items = []
        for row, quantity in rows:
            if not 0 <= row < len(order.lines):
                raise Refused(f"order {number} has no row {row}")
            line = order.lines[row]
            if not isinstance(quantity, int) or not 0 < quantity <= line.quantity - line.refunded:
                raise Refused(f"row {row} has {line.quantity - line.refunded} left to refund")
            items.append({"item_type": "PRODUCT", "item_id": line.id, "quantity": quantity, "reason": reason})
        try:
            quote = self.quote(order, items)
            self.check(order, quote)
        except NotPossible as problem:
            raise Refused(str(problem)) from None
        methods = [m for m in quote.methods if provider is None or any(o[0] == provider for o in m)]
        if not methods:
            raise Refused("no such method is offered for this refund")
        return self.create(order, quote, [(o[0], o[2], o[3]) for o in methods[-1]], "hand", reason)

    def create(self, order, quote, payments, by, reason="", override=False):
        """Books a checked refund. by: "api" or "hand"."""
        refund = Refund()
        refund.id, refund.order, refund.by, refund.reason = len(self.list) + 1, order, by, reason
        refund.created, refund.at_ms = int(time.time()), int(time.time() * 1000)
        refund.total, refund.tax, refund.items, refund.override = quote.total, quote.tax, quote.items, override
        refund.declined = refund.reopened = False
        refund.message, refund.payments = "", []
        for provider, amount, offline in payments:
            refund.payments.append([self.next_payment, provider, amount, offline])
            self.next_payment += 1
        self.list.append(refund)
        order.money.refunds.append(refund)
        order.money.use([(provider, amount) for provider, amount, _ in payments])
        self._book(order, refund, 1)
        self.orders.event(order, "refund/created", refund={"refund_id": refund.id})
        if by == "hand":
            order.human += 1
            order.human_ms = now_ms()
        self._change_status(order)
        if order.money.decline is not None:
            plan, order.money.decline = order.money.decline, None
            asyncio.get_running_loop().call_later(plan["ms"] / 1000, self.decline, refund, plan["message"])
        return refund

    def _book(self, order, refund, sign):
        for kind, number, quantity, amount, _ in refund.items:
            if kind == "PRODUCT":
                self._line(order, number).refunded += sign * quantity
            elif kind == "SHIPPING":
                order.money.shipping_refunded += sign * amount

    def _change_status(self, order):
        """4 when nothing is left of the goods or of the money, else 14 (bigcommerce.md 10)."""
        everything = all(line.refunded == line.quantity for line in order.lines) or order.money.held >= order.money.paid
        self.orders.change_status(order, 4 if everything else 14)

    def decline(self, refund, message="Declined by the payment provider"):
        """The payment ran after the answer and failed. The record stays; what else happens is not documented (README)."""
        if refund.declined:
            return
        refund.declined, refund.message = True, message
        if self.rules["declined_reopens"]:
            refund.reopened = True
            self._book(refund.order, refund, -1)
            refund.order.money.use([(provider, amount) for _, provider, amount, _ in refund.payments], 1)
        self.orders.changed(refund.order)

    # ---------------------------------------------------------------- bodies

    @staticmethod
    def now_text():
        return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")

    @staticmethod
    def created_text(refund):
        return datetime.datetime.fromtimestamp(refund.created, datetime.timezone.utc).isoformat()

    def hook_body(self, refund):
        """recorded/bigcommerce/webhook_store_order_refund_created.json."""
        return {"scope": "store/order/refund/created", "store_id": "4884",
                "data": {"type": "order", "id": refund.order.id, "refund": {"refund_id": refund.id}},
                "hash": f"{refund.id:040x}", "created_at": refund.created, "producer": "stores/simstore"}
