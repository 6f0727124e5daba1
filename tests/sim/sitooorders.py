# SPDX-License-Identifier: Apache-2.0
"""Orders that are written through Sitoo's API: POST and PUT of orders, deliveries, log items (sitoo.md 4.1, 4.2, 4.5, 5).

Strict: a field that cannot be written, a wrong type or a missing one is 400 and changes nothing. The texts of the errors
are assumed, after the one that is known ("Missing required field 'active'.").
"""
import json
import re

from orderlife import CANCELLED, CLOSED, LOG_EVENTS, OPEN
from server import Reply
from units import decimal3, money2
from webmoney import half_up
from world import Row

ADDRESS = ("address", "address2", "zip", "city", "state", "countryid")
PERSONAL_FIELDS = ("email", "namefirst", "namelast", "personalid", "company", "phone",
                   *(f"{kind}_{part}" for kind in ("invoice", "delivery") for part in ADDRESS))
TEXTS = (*PERSONAL_FIELDS, "comment", "commentinternal", "customerref", "checkoutref")
NUMBERS = {"ordertypeid": (10, 100, 110), "orderstateid": (OPEN, CLOSED, CANCELLED),
           "paymentstateid": (0, 10, 15, 20, 30, 40)}
DATES = ("orderdate", "datereserved")
WRITABLE = {*TEXTS, *NUMBERS, *DATES, "externalid", "creditorderid", "warehouseid", "currencycode", "additionaldata",
            "orderitems", "payments", "reservedpayments"}
ITEM_TEXTS = ("productattributes", "externalinput", "externalinputtitle", "unitlabel", "deliveryinfo", "vouchercode",
              "vouchername", "vouchercomment")
ITEM_WRITABLE = {*ITEM_TEXTS, "orderitemtype", "productname", "sku", "quantity", "decimalunitquantity", "moneypriceorg",
                 "vatvalue", "vouchervalue", "salestaxes", "moneyrowprice", "moneyrowdiscount", "additionaldata"}
PAYMENT_TEXTS = ("externalid", "reftype", "refid", "cardissuer", "reservedpaymentid")
MONEY = re.compile(r"[-+]?[0-9]{1,12}\.[0-9]{2}")
REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,40}")
LATEST = 4102444800  # 2100: a date beyond it is a mistake, such as milliseconds
MOST_UNITS = 1000000


class Wrong(Exception):
    """Answered with this text; status 400 unless told otherwise."""

    def __init__(self, text, status=400):
        super().__init__(text)
        self.status = status


def whole(value):
    """JSON's true is no number."""
    return isinstance(value, int) and not isinstance(value, bool)


def only(body, allowed, where=""):
    if not isinstance(body, dict):
        raise Wrong(f"Invalid value in '{where or 'body'}'.")
    for name in body:
        if name not in allowed:
            raise Wrong(f"Unknown or read-only field '{where}{name}'.")


def text(body, name, where="", pattern=None):
    """A text or None."""
    value = body.get(name)
    if value is not None and (not isinstance(value, str) or (pattern and value and not pattern.fullmatch(value))):
        raise Wrong(f"Invalid value in '{where}{name}'.")
    return value


def need(body, name, where=""):
    if body.get(name) is None:
        raise Wrong(f"Missing required field '{where}{name}'.")
    return body[name]


def hundredths(body, name, where=""):
    """Exactly two decimals: "230" is refused (sitoo.md 2). Absent or null is 0."""
    value = text(body, name, where)
    if value is None:
        return 0
    if not MONEY.fullmatch(value):
        raise Wrong(f"Invalid value in '{where}{name}'.")
    return int(value.replace(".", ""))


def strings(body, name="additionaldata", where=""):
    """All values are strings (sitoo.md 4.4)."""
    value = body.get(name)
    if name in body and (not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values())):
        raise Wrong(f"Invalid value in '{where}{name}'.")
    return dict(value or {})


def objects(body, name, where=""):
    value = body.get(name)
    if value is not None and (not isinstance(value, list) or not all(isinstance(one, dict) for one in value)):
        raise Wrong(f"Invalid value in '{where}{name}'.")
    return value or []


def payment(part, number):
    where = f"payments[{number}]."
    only(part, {"name", "moneyamount", "additionaldata", *PAYMENT_TEXTS}, where)
    if not isinstance(need(part, "name", where), str) or not part["name"]:
        raise Wrong(f"Invalid value in '{where}name'.")
    need(part, "moneyamount", where)
    amount = hundredths(part, "moneyamount", where)
    return {"name": part["name"], "moneyamount": money2(amount),
            **{name: text(part, name, where) for name in PAYMENT_TEXTS if name != "reservedpaymentid"},
            "additionaldata": strings(part, where=where)}


def reserved_payment(part, number):
    where = f"reservedpayments[{number}]."
    only(part, {"id", "name", "moneyreserved", "externalid", "reftype", "refid", "cardissuer", "additionaldata"}, where)
    for name in ("id", "name", "moneyreserved"):
        need(part, name, where)
        text(part, name, where)
    hundredths(part, "moneyreserved", where)
    strings(part, where=where)
    return dict(part)


def order_item(part, number, world):
    """A Row of an orderitem; moneyrowprice and moneyrowdiscount are gross totals of the row (sitoo.md 4.2)."""
    where = f"orderitems[{number}]."
    only(part, ITEM_WRITABLE, where)
    name, quantity = need(part, "productname", where), need(part, "quantity", where)
    if not isinstance(name, str) or not name:
        raise Wrong(f"Invalid value in '{where}productname'.")
    # Rows that give something back are a till's; that the API refuses them is assumed.
    if not whole(quantity) or not 1 <= quantity <= MOST_UNITS:
        raise Wrong(f"Invalid value in '{where}quantity'.")
    unit = text(part, "decimalunitquantity", where, re.compile(r"[0-9]{1,9}\.[0-9]{3}"))
    vat = part.get("vatvalue")
    for field, low, high in (("vatvalue", 0, 100), ("vouchervalue", -10**9, 10**9), ("orderitemtype", 0, 1000)):
        value = part.get(field)
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high):
            raise Wrong(f"Invalid value in '{where}{field}'.")
    price, discount = hundredths(part, "moneyrowprice", where), hundredths(part, "moneyrowdiscount", where)
    if price < 0 or not 0 <= discount <= price:
        raise Wrong(f"Invalid value in '{where}moneyrowdiscount'.")
    hundredths(part, "moneypriceorg", where)
    objects(part, "salestaxes", where)
    sku = text(part, "sku", where) or None
    index = world.index_of.get(sku)
    row = Row(sku, name, world.skus[index].productid if index is not None else None, quantity,
              None if not unit else int(unit.replace(".", "")), 0, strings(part, where=where), discount)
    row.fixed = price - discount
    if discount:
        row.extra["orderitem-moneyrowdiscount"] = money2(discount)
    row.given = {"vatvalue": 0 if vat is None else vat, "rowprice": price, "moneypriceorg": part.get("moneypriceorg"),
                 "orderitemtype": part.get("orderitemtype"), **{n: text(part, n, where) or "" for n in ITEM_TEXTS}}
    return row


def without_vat(gross, vat):
    """Hundredths, half up; vat in percent, may have decimals."""
    scaled = round(vat * 1000)
    return half_up(gross * 100000, 100000 + scaled)


def item_json(position, row):
    """An order item as it reads back: all money net, most of it per unit (worked out from order-created.json)."""
    given, total = row.given, without_vat(row.fixed, row.given["vatvalue"])
    before = without_vat(given["rowprice"], given["vatvalue"])
    each, usual = half_up(total, row.quantity), half_up(before, row.quantity)
    return {
        "orderitemid": row.itemid(position), "orderitemtype": given["orderitemtype"] or 10, "productid": row.productid,
        "productname": row.name, "sku": row.sku, "quantity": row.quantity,
        "decimalunitquantity": None if row.unit is None else decimal3(row.unit), "vatvalue": given["vatvalue"],
        **{name: given[name] for name in ITEM_TEXTS if name != "vouchercomment"}, "voucherid": 0,
        "moneynetpriceperunit": money2(each), "moneynetpriceperquantity": money2(each),
        "moneypriceorg": given["moneypriceorg"] or "0.00", "moneyitemtotal_net": money2(total),
        "moneyitemtotal_vat": money2(row.fixed - total), "moneyoriginalprice": money2(usual),
        "moneydiscountedprice": money2(each if row.discount else 0), "moneydiscount": money2(usual - each if row.discount else 0),
        "salestaxes": [], "additionaldata": row.extra, "decimalquantitytotal": decimal3(row.total)}


def delivery_json(order, delivery):
    """orderdeliveries-list.json; ids of its items are counted per delivery, which is assumed."""
    return {"orderdeliveryid": delivery.id, "orderid": order.id, "warehouseid": delivery.warehouse,
            "orderdeliveryref": delivery.ref, "datedelivery": delivery.date, "datecancelled": None, "pluginname": "",
            "orderdeliveryitems": [{"orderdeliveryitemid": delivery.id * 1000 + n, "orderdeliveryid": delivery.id,
                                    "orderitemid": item, "quantity": units}
                                   for n, (item, units) in enumerate(delivery.items)]}


def log_json(entry):
    at, kind, said, value = entry
    return {"datelog": at, "orderlogtypeid": kind, "strvalue": said, "fvalue": value}


class OrderWriter:
    """The calls that write. Every method takes the parsed body and returns the answer's JSON value."""

    def __init__(self, world):
        self.world = world

    def write(self, call, known_site, number=None, part=None):
        """Reply to a POST of an order (number None), a PUT of one, or a POST below one (part: its last name)."""
        try:
            if not known_site:
                raise Wrong("Not Found", 404)  # assumed
            try:
                body = json.loads(call.body)
            except ValueError:
                raise Wrong("Invalid JSON.") from None
            order = None if number is None else self.world.order(number)
            if number is not None and order is None:
                raise Wrong("Order not found", 404)
            if number is None:
                return Reply(200, self.add(body))
            if part is None:
                return Reply(200, self.change(order, body))
            if part == "orderdeliveries":
                return Reply(200, self.add_delivery(order, body, call.query.get("ignorestock") == "true"))
            return Reply(200, self.add_log_item(order, body))
        except Wrong as wrong:
            return Reply(wrong.status, {"statuscode": wrong.status, "errortext": str(wrong)})

    # ---------------------------------------------------------------- checking

    def _checked(self, body, order=None):
        """Whatever POST and PUT share. Nothing is changed yet."""
        only(body, WRITABLE)
        for name in TEXTS:
            text(body, name, pattern=re.compile(r"[A-Za-z]{2}") if name.endswith("countryid") else None)
        text(body, "currencycode", pattern=re.compile(r"[A-Z]{3}"))
        for name, allowed in NUMBERS.items():
            if name in body and (not whole(body[name]) or body[name] not in allowed):
                raise Wrong(f"Invalid value in '{name}'.")
        for name in (*DATES, "creditorderid", "warehouseid"):
            if body.get(name) is not None and (not whole(body[name]) or not 0 <= body[name] <= LATEST):
                raise Wrong(f"Invalid value in '{name}'.")
        self._check_reference(body, order)
        rules, place = self.world.order_rules, body.get("warehouseid")
        if place is not None and place not in self.world.pool.total and rules["unknown_warehouse"] == "refuse":
            raise Wrong("Invalid value in 'warehouseid'.")

    def _check_reference(self, body, order):
        externalid = body.get("externalid")
        if externalid is None:
            return
        if not isinstance(externalid, str) or not REFERENCE.fullmatch(externalid):
            raise Wrong("Invalid value in 'externalid'.")
        other = self.world.by_externalid.get(externalid)
        if other is not None and other is not order:
            # What a second order with the same reference answers is UNSURE (sitoo.md U16).
            raise Wrong("Value in 'externalid' is not unique.", self.world.order_rules["duplicate_status"])

    # ---------------------------------------------------------------- writing

    def add(self, body):
        """The order's bare id (sitoo.md 4.5)."""
        world = self.world
        if not isinstance(body, dict):
            raise Wrong("Invalid value in 'body'.")
        need(body, "ordertypeid")
        self._checked(body)
        rows = [order_item(part, n, world) for n, part in enumerate(objects(body, "orderitems"))]
        paid = [payment(part, n) for n, part in enumerate(objects(body, "payments"))]
        held = [reserved_payment(part, n) for n, part in enumerate(objects(body, "reservedpayments"))]
        state = body.get("orderstateid", OPEN)
        given = {name: body.get(name) or "" for name in TEXTS}
        given["reservedpayments"] = held
        place = body.get("warehouseid")
        order = world._order(body["ordertypeid"], state, body.get("paymentstateid", 0), place if place in world.pool.total else None,
                             rows, register=False, externalid=body.get("externalid"), credit=body.get("creditorderid"),
                             extra=strings(body), currency=body.get("currencycode") or "SEK", payments=paid, given=given)
        order.warehouse = place  # an unknown one that was accepted reserves nothing
        if body.get("orderdate") is not None:
            order.date = body["orderdate"]
        world.keep_until(order, body.get("datereserved"))
        world._order_event(order, "add", state)
        return order.id

    def change(self, order, body):
        """Only what is sent (sitoo.md 4.5). An order that is closed or cancelled stays so, and rows cannot be changed: assumed."""
        world = self.world
        self._checked(body, order)
        if "orderitems" in body:
            raise Wrong("Field 'orderitems' cannot be changed.")
        if body.get("ordertypeid", order.type) != order.type:
            raise Wrong("Field 'ordertypeid' cannot be changed.")
        paid = [payment(part, n) for n, part in enumerate(objects(body, "payments"))]
        held = [reserved_payment(part, n) for n, part in enumerate(objects(body, "reservedpayments"))]
        extra, state = strings(body), body.get("orderstateid", order.state)
        if state != order.state and order.state != OPEN:
            raise Wrong("Invalid value in 'orderstateid'.")
        self._set_plain(order, body, paid, held)
        if "additionaldata" in body:
            # Replaced as a whole, as it is sent: assumed. Whether stock is ignored was said when the order was made.
            kept = {name: value for name, value in order.extra.items() if name == "delivery-ignore-stock"}
            order.extra = {**extra, **kept}
        if "externalid" in body and body["externalid"] != order.externalid:
            world.rename(order, body["externalid"])
        if "warehouseid" in body and body["warehouseid"] != order.warehouse:
            world.place_at(order, body["warehouseid"])
        if "datereserved" in body:
            world.keep_until(order, body["datereserved"])
        changed = state if state != order.state else None
        if changed is not None:
            world.end(order, state)
        world._order_event(order, "update", changed)
        return True

    @staticmethod
    def _set_plain(order, body, paid, held):
        """What no stock depends on. Till orders have made-up customers, which the first write replaces."""
        if order.given is None and any(name in body for name in TEXTS):
            order.given = {**{name: "" for name in TEXTS}, "reservedpayments": []}
        for name in TEXTS:
            if name in body:
                order.given[name] = body[name] or ""
        if "payments" in body:
            order.payments = paid
        if "reservedpayments" in body and order.given is not None:
            order.given["reservedpayments"] = held
        for name, attribute in (("paymentstateid", "payment"), ("orderdate", "date"), ("currencycode", "currency"),
                                ("creditorderid", "credit")):
            if body.get(name) is not None:
                setattr(order, attribute, body[name])

    def add_delivery(self, order, body, ignorestock):
        """The delivery's bare id. Closed orders take deliveries too (sitoo.md 5.3); cancelled ones do not, which is assumed."""
        only(body, {"warehouseid", "orderdeliveryref", "orderdeliveryitems"})
        place = need(body, "warehouseid")
        if not whole(place) or place not in self.world.pool.total:
            raise Wrong("Invalid value in 'warehouseid'.")
        ref = text(body, "orderdeliveryref") or ""
        need(body, "orderdeliveryitems")
        positions = {row.itemid(p): p for p, row in enumerate(order.rows)}
        units = {}
        for n, part in enumerate(objects(body, "orderdeliveryitems")):
            where = f"orderdeliveryitems[{n}]."
            only(part, {"orderitemid", "quantity"}, where)
            item, count = need(part, "orderitemid", where), need(part, "quantity", where)
            if not whole(item) or item not in positions:
                raise Wrong(f"Invalid value in '{where}orderitemid'.")
            if not whole(count) or count < 1:
                raise Wrong(f"Invalid value in '{where}quantity'.")
            units[positions[item]] = units.get(positions[item], 0) + count
        if not units:
            raise Wrong("Invalid value in 'orderdeliveryitems'.")
        if order.state == CANCELLED:
            raise Wrong("Order is cancelled.")
        for position, count in units.items():
            if count > self.world.rest(order.rows[position]):
                raise Wrong(f"Quantity of orderitemid {order.rows[position].itemid(position)} exceeds what is not delivered.")
        return self.world.deliver(order, place, units, ref, ignorestock).id

    def add_log_item(self, order, body):
        """true; only 900 and 910 can be written (sitoo.md 4.5)."""
        only(body, {"orderlogtypeid", "strvalue", "fvalue"})
        kind = need(body, "orderlogtypeid")
        if not whole(kind) or kind not in LOG_EVENTS:
            raise Wrong("Invalid value in 'orderlogtypeid'.")
        value = body.get("fvalue")
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
            raise Wrong("Invalid value in 'fvalue'.")
        self.world.log_item(order, kind, text(body, "strvalue"), value)
        return True
