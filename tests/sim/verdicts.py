# SPDX-License-Identifier: Apache-2.0
"""What a right onepool would do with every return, and what was done: per web order, per return, in total.

Stock: sellable only if the reason is and the receiving warehouse is not unsellable. Money, per web order that a return
credits: "refund" with its amount, or "parked" with why, or "stock_only" (a till purchase). It is worked out anew from the
orders on both sides at every call, so a return that was settled keeps the outcome it was settled by.
"""
import re

from webmoney import decimals_of, half_up, share, text
from weborders import UNPAID

REFERENCE = re.compile(r"BC-(\d+)(?:-\d+r\d+)?")  # design: BC-{order}, further parts BC-{order}-{part}r{rev}


class Parked(Exception):
    """A right onepool asks a person; the text says why."""


def stock_verdict(section, reason, warehouse):
    """sellable | unsellable | unknown."""
    if section["warehouses"].get(str(warehouse)) == "unsellable":
        return "unsellable"
    return section["reasons"].get(str(reason), "unknown") if reason is not None else "unknown"


class Verdicts:
    """section: "returns" of the mapping."""

    def __init__(self, world, orders, refunds, section):
        self.world, self.orders, self.refunds, self.section = world, orders, refunds, section

    # ---------------------------------------------------------------- finding the original

    def _original(self, order):
        """The Sitoo order that a return credits; None if it names none; Parked."""
        named = {int(n) for n in (order.credit, order.extra.get("pos-originalsales-orderid")) if n}
        if not named:
            return None
        if len(named) > 1:
            raise Parked("two references that differ")
        original = self.world.order(named.pop())
        if original is None:
            raise Parked("unknown original")
        return original

    def _web_order(self, original):
        """The web order behind a Sitoo order; None: it was sold at a till."""
        match = REFERENCE.fullmatch(original.externalid or "")
        if match is None:
            if original.register is None:
                raise Parked("original is neither a till sale nor a web order")
            return None
        web = self.orders.get(int(match.group(1)))
        if web is None:
            raise Parked("unknown web order")
        return web

    @staticmethod
    def _line(original, web, row):
        """The web order's line of a returned row, by the reference to its row or by the only line of its SKU; Parked."""
        said = row.extra.get("pos-originalsales-orderitemid")
        if row.unit is not None:
            raise Parked("goods by weight")
        if said is None:
            found = {i for i, r in enumerate(original.rows) if r.sku == row.sku}
        else:
            found = {i for i, r in enumerate(original.rows)
                     if r.sku == row.sku and said in (str(r.itemid(i)), str(i))}
        lines = []
        for position in found:
            item = original.rows[position].extra.get("web-itemid")
            lines += [line for line in web.lines
                      if (str(line.id) == item if item else line.variant.sku == row.sku)]
        if len({line.id for line in lines}) != 1:
            raise Parked("row fits several products" if lines else "row fits no product")
        return lines[0]

    # ---------------------------------------------------------------- who paid

    def _payer(self, order):
        """paid_at_till | pay_in_bigcommerce, of all payments that are money; Parked."""
        real = [p for p in order.payments or ([{"name": "Card"}] if order.payments is None else [])
                if p.get("additionaldata", {}).get("virtual-payment") != "true"]
        if order.extra.get("pos-refundsales-orderid") or (order.payments and not real):
            return "paid_at_till"  # an exchange: goods or money were given at the till, never online
        if not real:
            raise Parked("no payment")
        verdicts = {self.section["payments"].get(p["name"], "unknown") for p in real}
        if "unknown" in verdicts:
            raise Parked("unknown payment")
        if len(verdicts) > 1:
            raise Parked("several payers")
        return verdicts.pop()

    # ---------------------------------------------------------------- one return

    def _mine(self, web, order):
        """Refunds through the API of this web order whose items name this return, by Sitoo order id or receipt."""
        number, receipt = re.compile(rf"(?<!\d){order.id}(?!\d)"), order.extra.get("pos-receiptid")
        return [r for r in web.money.refunds if r.by == "api" and any(
            number.search(item[4]) or (receipt and receipt in item[4]) for item in r.items)]

    def _taken_by_hand(self, web, line, before):
        """Units of a line refunded by hand, before the refund of that id if one is given."""
        return sum(item[2] for r in web.money.refunds if r.by == "hand" and not r.reopened
                   and (before is None or r.id < before) for item in r.items if item[:2] == ("PRODUCT", line.id))

    def _money(self, order, web, lines, gross, taken, mine):
        """{"outcome", ...} for the rows of one return that belong to one web order. taken: {line id: units} of returns before."""
        payer = self._payer(order)
        if not mine and (web.status in UNPAID or not web.money.settled):
            raise Parked(f"web order is {UNPAID.get(web.status, 'not settled')}")
        if not mine and order.id <= web.unpaid_until:
            raise Parked("web order was not to be refunded when it came")  # it was a case then, and stays one
        if order.currency != web.money.currency:
            raise Parked("currencies differ")
        amount, before = 0, mine[0].id if mine else None
        for line, units in lines.items():
            gone = taken.get(line.id, 0) + self._taken_by_hand(web, line, before)
            if gone + units > line.quantity:
                raise Parked("more than is left to refund")
            amount += share(line.paid, line.quantity, gone, units)
        told = half_up(gross * 10 ** decimals_of(order.currency), 100)
        if abs(told - amount) > self.section["amount_tolerance_minor"]:
            raise Parked(f"amounts differ: till {text(told, order.currency)}, web order {text(amount, order.currency)}")
        if payer == "paid_at_till" and not mine and not any(
                option[3] for method in web.money.methods(max(amount, 1), self.refunds.rules) for option in method):
            raise Parked("no offline method")
        if amount <= 0:
            raise Parked("nothing to refund")
        return {"outcome": "refund", "offline": payer == "paid_at_till", "amount": amount}

    def _groups(self, order):
        """(web order or None, {line: units}, gross hundredths) and the rows that are parked with why."""
        web, parked, lines, gross = None, [], {}, 0
        original = self._original(order)
        if original is None:
            raise Parked("manual return")
        web = self._web_order(original)
        for position, row in enumerate(order.rows if web is not None else ()):
            if row.sku is None or row.quantity >= 0:
                continue
            try:
                line = self._line(original, web, row)
            except Parked as why:
                parked.append({"row": position, "why": str(why)})
                continue
            lines[line] = lines.get(line, 0) - row.quantity
            gross -= row.gross
        return web, lines, gross, parked

    def _judge(self, order, taken):
        """The money of one return."""
        answer = {"web_order": None, "outcome": "parked", "refunds": [], "parked_rows": []}
        web = None
        try:
            web, lines, gross, answer["parked_rows"] = self._groups(order)
            if web is None:
                return {**answer, "outcome": "stock_only"}
            mine = self._mine(web, order)
            answer.update(web_order=web.id, refunds=[r.id for r in mine], currency=web.money.currency,
                          lines=[{"id": line.id, "quantity": units} for line, units in lines.items()])
            if not lines:
                raise Parked(answer["parked_rows"][0]["why"])
            answer.update(self._money(order, web, lines, gross, taken, mine))
            for line, units in lines.items():
                taken[line.id] = taken.get(line.id, 0) + units
        except Parked as why:
            answer["why"] = str(why)
        return answer

    def _settled_by(self, order):
        """Id of the first refund that names this return; beyond all ids if there is none."""
        found = [r.id for r in self.refunds.list if r in self._mine(r.order, order)]
        return min(found, default=len(self.refunds.list) + 1)

    def returns(self):
        """{Sitoo order id: {"money": ..., "rows": [...]}} of everything that was given back at a till."""
        found, taken = {}, {}
        back = [o for o in self.world.orders if o.register is not None and any(row.quantity < 0 for row in o.rows)]
        # The last unit of a line takes the rounding rest, so those that were refunded come first, in that order.
        for order in sorted(back, key=lambda o: (self._settled_by(o), o.id)):
            rows = []
            for row in order.rows:
                if row.quantity < 0:
                    reason, warehouse = self.world.reason_and_warehouse(order, row)
                    rows.append({"sku": row.sku, "thousandths": -row.total, "reason": reason, "warehouse": warehouse,
                                 "stock": stock_verdict(self.section, reason, warehouse)})
            found[order.id] = {"money": self._judge(order, taken), "rows": rows,
                               "receipt": order.extra.get("pos-receiptid")}
        return found

    # ---------------------------------------------------------------- everything

    def _order(self, web):
        money = web.money

        def total(wanted):
            return money.text(sum(r.total for r in money.refunds if wanted(r)), None)
        return {"status": web.status, "currency": money.currency, "paid": money.text(money.paid, None),
                "refunded": money.text(money.refunded, None), "declined": total(lambda r: r.declined),
                "by_onepool": total(lambda r: r.by == "api" and not r.declined),
                "by_hand": total(lambda r: r.by == "hand" and not r.declined), "staff_notes": money.staff_notes,
                "metafields": [{"namespace": f["namespace"], "key": f["key"], "value": f["value"]} for f in money.metafields],
                "lines": [{"id": line.id, "sku": line.variant.sku, "bought": line.quantity, "refunded": line.refunded,
                           "paid": money.text(line.paid, None),
                           "refunded_amount": money.text(self._refunded_amount(web, line), None)} for line in web.lines],
                "restocked": web.restocked,
                "refunds": [{"id": r.id, "by": "onepool" if r.by == "api" else "hand", "amount": money.text(r.total, None),
                             "declined": r.declined, "at_ms": r.at_ms, "reasons": [item[4] for item in r.items],
                             "offline": all(p[3] for p in r.payments)} for r in money.refunds]}

    @staticmethod
    def _refunded_amount(web, line):
        """What refunds that were not declined gave back for a line."""
        return sum(item[3] for r in web.money.refunds if not r.declined for item in r.items if item[:2] == ("PRODUCT", line.id))

    def _over_rows(self, web):
        """Lines of which more units or more money was refunded than was bought or paid."""
        return [{"web_order": web.id, "line": line.id} for line in web.lines
                if line.refunded > line.quantity or self._refunded_amount(web, line) > line.paid]

    @staticmethod
    def _over(web):
        return web.money.refunded > web.money.paid or any(line.refunded > line.quantity for line in web.lines)

    def report(self):
        """GET /refunds."""
        returns = self.returns()
        concerned = {m["web_order"] for m in (r["money"] for r in returns.values()) if m["web_order"]}
        webs = [w for w in self.orders.orders if w.money.refunds or w.id in concerned]
        expected, refunded, by_id = {}, {}, {r.id: r for r in self.refunds.list}
        faults = {"missing": [], "unexpected": [], "refunded_twice": [], "wrong_amount": [], "paid_online": []}
        for number, one in returns.items():
            self._compare(number, one["money"], by_id, expected, faults)
        named = {i for one in returns.values() for i in one["money"]["refunds"]}
        for refund in self.refunds.list:
            if refund.by == "api" and not refund.declined:
                currency = refund.order.money.currency
                refunded[currency] = refunded.get(currency, 0) + refund.total
        unexplained = [r.id for r in self.refunds.list if r.by == "api" and r.id not in named]
        over, over_rows = [w.id for w in webs if self._over(w)], [row for w in webs for row in self._over_rows(w)]
        return {"ok": not (over or over_rows or unexplained or any(faults.values())),
                "orders": {str(w.id): self._order(w) for w in webs},
                "returns": {str(n): one for n, one in returns.items()}, "over_refunded": over, "over_refunded_rows": over_rows,
                "unexplained": unexplained,
                **faults, "expected_total": {c: text(a, c) for c, a in expected.items()},
                "refunded_total": {c: text(a, c) for c, a in refunded.items()}}

    @staticmethod
    def _compare(number, money, by_id, expected, faults):
        """One return against the refunds that name it; makes its amount a text."""
        made = [by_id[i] for i in money["refunds"]]
        live = [r for r in made if not r.declined]
        if len(live) > 1:
            faults["refunded_twice"].append(number)
        if money["outcome"] != "refund":
            if live:
                faults["unexpected"].append(number)
            return
        amount, currency = money["amount"], money["currency"]
        money["amount"] = text(amount, currency)
        if not any(r.declined for r in made):  # a declined one is a person's matter now
            expected[currency] = expected.get(currency, 0) + amount
        if not made:
            faults["missing"].append(number)
        if any(r.total != amount for r in live):
            faults["wrong_amount"].append(number)
        if money["offline"] and any(not p[3] for r in made for p in r.payments):
            faults["paid_online"].append(number)
