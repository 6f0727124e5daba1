# SPDX-License-Identifier: Apache-2.0
"""Returns and exchanges at a till, the Sitoo orders that stand for web orders, and stock that is moved through the API.

Part of World. Money here is in hundredths, gross, whatever the currency: Sitoo writes two decimals (sitoo.md 2).
"""
import asyncio
from decimal import Decimal, InvalidOperation

from units import Refused, money2, now_ms, thousandths
from webmoney import decimals_of, half_up, share

CLOSED, ORDER = 10, 10
SALES, REFUND = 30, 40
REFERENCES = {"both": (True, True), "creditorderid": (True, False), "pos-originalsales-orderid": (False, True),
              "none": (False, False)}


def hundredths(value):
    """Of a number or a text such as "12.50"."""
    try:
        scaled = Decimal(str(value)) * 100
    except InvalidOperation:
        raise Refused(f"{value!r} is not an amount") from None
    if scaled != scaled.to_integral_value():
        raise Refused(f"{value!r} has more than two decimals")
    return int(scaled)


def payments_of(parts, total):
    """Payments of an order over total (signed). parts: [{"name","amount","virtual","giftcard","index"}], amounts without
    sign; the last one may lack its amount; None: one by card."""
    if parts is None:
        parts = [{"name": "Card"}] if total else []
    if not isinstance(parts, list):
        raise Refused("payments must be a list")
    sign, used, made = -1 if total < 0 else 1, 0, []
    for number, part in enumerate(parts):
        amount = hundredths(part["amount"]) if "amount" in part else abs(total) - used
        used += amount
        extra = {name: str(part[key]) for key, name in (("giftcard", "giftcard-cardnumber"),
                                                        ("index", "pos-originalsales-payment-index")) if key in part}
        virtual = bool(part.get("virtual"))
        if virtual:
            extra["virtual-payment"] = "true"
        made.append({"name": part["name"], "moneyamount": money2(sign * amount),
                     "externalid": None if virtual else str(part.get("externalid", 123400 + number)),
                     "reftype": None, "refid": None, "cardissuer": None, "additionaldata": extra})
    return made


class TillReturns:
    """What World can do about goods that come back."""

    def _start_returns(self):
        self.given_back = {}     # (order id, row position) -> units given back so far, validated
        self.verdict_of = None   # (reason, warehouse) -> sellable | unsellable | unknown; None: everything is withheld
        self.moves_release = False

    # ---------------------------------------------------------------- a return

    def _original_row(self, order, row, asked):
        """(position, row) of the original that a returned row comes from, or (None, None)."""
        if order is None:
            return None, None
        if "item" in asked:
            position = int(asked["item"])
            return (position, order.rows[position]) if 0 <= position < len(order.rows) else (None, None)
        fits = [(i, r) for i, r in enumerate(order.rows) if r.sku is not None and r.sku == row.sku and r.quantity > 0]
        free = [(i, r) for i, r in fits if self.given_back.get((order.id, i), 0) < r.quantity]
        return (free or fits or [(None, None)])[0]

    def _refer(self, order, position, row, item_ref):
        """The row's reference to the original's row: id or index (sitoo.md 4.4)."""
        if item_ref not in ("id", "index", "none"):
            raise Refused(f"item_ref must be id, index or none, not {item_ref!r}")
        if position is not None and item_ref != "none":
            number = order.rows[position].itemid(position) if item_ref == "id" else position
            row.extra["pos-originalsales-orderitemid"] = str(number)

    def _worth(self, order, position, original, row, asked):
        """The gross of a returned row: as told, as the original was paid, or the list price."""
        if "amount" in asked:
            row.fixed = -hundredths(asked["amount"])
        elif original is not None and original.unit is None and row.unit is None:
            key = (order.id, position)
            before, units = self.given_back.get(key, 0), -row.quantity
            possible = max(0, min(units, original.quantity - before))
            one = share(original.gross, original.quantity, 0, 1)
            row.fixed = -share(original.gross, original.quantity, before, possible) - (units - possible) * one
            self.given_back[key] = before + units

    def _returned_rows(self, rows, order, item_ref, warehouse, return_warehouse):
        made = self._rows(rows, -1)
        asked = [row for given in rows for row in ([given, {}] if given.get("discount") else [given])]
        for row, told in zip(made, asked):
            position, original = self._original_row(order, row, told)
            self._refer(order, position, row, told.get("item_ref", item_ref))
            if "item_ref_value" in told:
                row.extra["pos-originalsales-orderitemid"] = str(told["item_ref_value"])
            self._worth(order, position, original, row, told)
            receiving = told.get("return_warehouse", return_warehouse)
            if receiving and receiving != warehouse:
                row.extra["return-warehouseid"] = str(receiving)
        return made

    def give_back(self, rows, warehouse=1, return_warehouse=None, reason=None, original=None, date_offset_s=0, **more):
        """A return at a till: negative quantities (sitoo.md 4.7), ledger type 40 in the receiving warehouse.

        more: reference, item_ref, payments, receipt, comment, currency, roundoff, unknown_original; README says what.
        Returns (order id, ms).
        """
        order = self._return_order(rows, warehouse, return_warehouse, reason, original, date_offset_s, **more)
        at, ledger = self._take_back(order)
        self._order_event(order, "add", CLOSED)
        for number, receiving in ledger:
            self._ledger_event(number, receiving)
        return order.id, at

    def _return_order(self, rows, warehouse, return_warehouse, reason, original, date_offset_s, reference="both",
                      item_ref="id", payments=None, receipt=None, comment=None, currency=None, roundoff=0,
                      unknown_original=False, extra=None):
        self._check_warehouse(warehouse)
        for row in [{"return_warehouse": return_warehouse}, *rows]:
            if row.get("return_warehouse"):
                self._check_warehouse(row["return_warehouse"])
        sold = self.order(original) if original else None
        if original and sold is None and not unknown_original:
            raise Refused(f"there is no order {original}")
        if reference not in REFERENCES:
            raise Refused(f"reference must be one of {sorted(REFERENCES)}, not {reference!r}")
        made = self._returned_rows(rows, sold, item_ref, warehouse, return_warehouse)
        by_credit, by_text = REFERENCES[reference]
        extra = dict(extra or {})
        if reason:
            extra["refundreasoncode-reasoncode"] = str(reason)
        if comment:
            extra["refundreasoncode-comment"] = str(comment)
        if original and by_text:
            extra["pos-originalsales-orderid"] = str(original)
        if receipt:
            extra["pos-receiptid"] = str(receipt)
        total = sum(row.gross for row in made)
        roundoff = hundredths(roundoff)
        return self._order(ORDER, CLOSED, 20, warehouse, made, date_offset_s, credit=original if by_credit else None,
                           extra=extra, currency=currency or (sold.currency if sold else "SEK"), roundoff=roundoff,
                           payments=payments_of(payments, total + roundoff))

    def reason_and_warehouse(self, order, row):
        """What decides whether a returned row may be sold again (sitoo.md 4.7)."""
        reason = row.extra.get("reasoncode-return") or order.extra.get("refundreasoncode-reasoncode")
        return reason, int(row.extra.get("return-warehouseid") or order.warehouse)

    def _take_back(self, order):
        """Stock of a return, one ledger row per receiving warehouse. Returns (ms, [(ledger id, warehouse)])."""
        at, by_warehouse = now_ms(), {}
        for row in order.rows:
            if row.sku in self.index_of and row.total < 0:
                reason, receiving = self.reason_and_warehouse(order, row)
                withheld = self.verdict_of is None or self.verdict_of(reason, receiving) != "sellable"
                by_warehouse.setdefault(receiving, []).append((self.index_of[row.sku], -row.total, withheld))
        ledger = []
        for receiving, changes in by_warehouse.items():
            self.deliveries += 1
            number = self._move_ledger(receiving, REFUND, [(i, q) for i, q, _ in changes], at,
                                       withhold=[w for _, _, w in changes], delivery=self.deliveries)
            ledger.append((number, receiving))
        return at, ledger

    def release(self, sku, warehouse, quantity):
        """A person lets withheld units be sold. Returns what is still withheld, in thousandths."""
        self._check_warehouse(warehouse)
        if sku not in self.index_of:
            raise Refused(f"there is no SKU {sku}")
        index, amount = self.index_of[sku], thousandths(quantity)
        held = self.pool.withheld.get((index, warehouse), 0)
        if not 0 < amount <= held:
            raise Refused(f"{sku} has {held} thousandths withheld in warehouse {warehouse}")
        self._change(index, warehouse, now_ms(), withheld=-amount)
        return held - amount

    # ---------------------------------------------------------------- an exchange

    def exchange(self, back, sale, first="refund", delay_ms=0):
        """Two orders that point at each other, balanced by virtual payments (sitoo.md 4.7).

        back: as for give_back; sale: {"rows", "warehouse"}. first: which half's event comes first; the other's follows
        after delay_ms. Returns (refund order id, sale order id, ms).
        """
        if first not in ("refund", "sale"):
            raise Refused("first must be refund or sale")
        back = dict(back)
        warehouse = back.pop("warehouse", 1)
        bought = self._rows(sale["rows"], 1)
        paid = sum(row.gross for row in bought)
        refund = self._return_order(back.pop("rows"), warehouse, back.pop("return_warehouse", None),
                                    back.pop("reason", None), back.pop("original", None), back.pop("date_offset_s", 0), **back)
        worth = -sum(row.gross for row in refund.rows)
        balance = {"name": "Exchange", "amount": money2(min(worth, paid)), "virtual": True}
        rest = {"name": "Card"}
        if "payments" not in back:
            refund.payments = payments_of([balance, rest] if worth > paid else [balance], -worth)
        sold = self._order(ORDER, CLOSED, 20, sale.get("warehouse", warehouse), bought,
                           payments=payments_of([balance, rest] if paid > worth else [balance], paid),
                           extra={"pos-refund-orderid": str(refund.id),
                                  "pos-refund-receiptid": refund.extra["pos-receiptid"]}, currency=refund.currency)
        refund.extra["pos-refundsales-orderid"] = str(sold.id)
        return self._announce_exchange(refund, sold, first, delay_ms)

    def _announce_exchange(self, refund, sold, first, delay_ms):
        at, ledger = self._take_back(refund)
        changes = [(i, -q) for i, q in self._stock_rows(sold)]
        if changes:
            self.deliveries += 1
            tracked = [self.tracker.till_row(at, i, sold.id) for i, _ in changes] if self.tracker is not None else None
            ledger.append((self._move_ledger(sold.warehouse, SALES, changes, at, till_rows=tracked,
                                             delivery=self.deliveries), sold.warehouse))
        halves = [refund, sold] if first == "refund" else [sold, refund]
        self._order_event(halves[0], "add", CLOSED)
        for number, warehouse in ledger:
            self._ledger_event(number, warehouse)
        if delay_ms:
            asyncio.get_running_loop().call_later(delay_ms / 1000, self._order_event, halves[1], "add", CLOSED)
        else:
            self._order_event(halves[1], "add", CLOSED)
        return refund.id, sold.id, at

    # ---------------------------------------------------------------- a web order in Sitoo

    def web_handover(self, web, externalid=None, item_step=1, warehouse=None, prices=None):
        """The closed order that stands for a web order at returns; it moves no stock (sitoo.md 5.3,
        recorded/sitoo/order-ecom-for-return.json). item_step: distance of its orderitemids, so that id and index differ."""
        externalid = externalid or f"BC-{web.id}"
        if externalid in self.by_externalid:
            raise Refused(f"externalid {externalid} exists")
        if warehouse is not None:
            self._check_warehouse(warehouse)
        digits, rows = decimals_of(web.money.currency), []
        for line in web.lines:
            row = self._rows([{"sku": line.variant.sku, "quantity": line.quantity}], 1)[0]
            row.quantity, row.unit = line.quantity, None
            row.fixed = half_up(line.paid * 100, 10 ** digits)
            row.extra["web-itemid"] = str(line.id)
            row.number = len(rows) * int(item_step)
            rows.append(row)
        total = sum(row.gross for row in rows)
        order = self._order(ORDER, CLOSED, 20, warehouse, rows, register=False, externalid=externalid,
                            currency=web.money.currency, payments=payments_of([{"name": "Web"}], total),
                            extra={"weborder": "true", "weborder-return-only": "true", "delivery-ignore-stock": "true",
                                   "bigcommerce-orderid": str(web.id)})
        self._order_event(order, "add", CLOSED)
        return order.id, now_ms()

    def transact(self, warehouse, kind, changes, **texts):
        """A warehouse transaction through the API, with its event. Returns its id."""
        number = self._move_ledger(warehouse, kind, changes, now_ms(), **texts)
        self._ledger_event(number, warehouse)
        return number
