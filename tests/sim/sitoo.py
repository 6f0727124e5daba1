# SPDX-License-Identifier: Apache-2.0
"""Sitoo's REST API v2 as far as stock needs it, with its silences: empty 200s, ignored filters, one call per key."""
import base64
import re
import time

import stockmoves
import tillcatalog
import tillfamilies
import tillimages
import tillprices
from server import Platform, Reply
from sitooorders import TEXTS, OrderWriter, delivery_json, item_json, log_json
from units import decimal3, money2
from webmoney import half_up
from world import ACCOUNT, ESHOP, RECLAIMS, SITE_GUID

PASSWORD = "sim-sitoo-password"
DEFAULT_NUM = 10    # sitoo.md 2: num defaults to 10
LARGEST_NUM = 1000  # sitoo.md U2: the maximum is UNSURE, 1000 is assumed

# sitoo.md 4.1 "Default fields trap": a list answers this subset; no externalid, creditorderid, moneytotal_net/_vat.
DEFAULT_ORDER_FIELDS = (
    "orderid eshopid email namefirst namelast company moneyfinal_net moneyfinal_vat moneytotal_gross_roundoff "
    "moneytotal_gross_all checkouttypename deliverytypename orderdate orderstateid paymentstateid ordertypeid registerid "
    "warehouseid datereserved currencycode additionaldata orderitems payments").split()

REASON_CODES = [{"reasoncodeid": 1, "type": 10, "reasoncode": "101", "name": "Reclaim"},
                {"reasoncodeid": 2, "type": 10, "reasoncode": "102", "name": "Guarantee"},
                {"reasoncodeid": 3, "type": 20, "reasoncode": "RC123", "name": "Changed mind"}]


# (method, route) -> what is written below an order, None: the order itself (sitoo.md 4.5)
WRITES = {("POST", "sites/*/orders"): None, ("PUT", "sites/*/orders/*"): None,
          ("POST", "sites/*/orders/*/orderdeliveries"): "orderdeliveries",
          ("POST", "sites/*/orders/*/orderlogitems"): "orderlogitems"}


class BadValue(Exception):
    """A parameter that should be a number is none."""


def error(status, text):
    """sitoo.md 2, Errors."""
    return Reply(status, {"statuscode": status, "errortext": text})


def envelope(total, items):
    """sitoo.md 2: totalcount is the whole result, not the page."""
    return Reply(200, {"totalcount": total, "items": items})


def numbers(text):
    """A comma separated list of integers."""
    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise BadValue(text) from None


def number(query, name, default=None):
    """An integer parameter; absent or empty is the default."""
    text = query.get(name, "")
    if not text.strip():
        return default
    try:
        return int(text)
    except ValueError:
        raise BadValue(f"{name}={text}") from None


def page(query):
    """(start, num) of a list call."""
    return max(0, number(query, "start", 0)), min(LARGEST_NUM, max(0, number(query, "num", DEFAULT_NUM)))


def choose(item, fields):
    """The fields asked for; unknown names are ignored."""
    return {name: item[name] for name in fields if name in item}


def wanted_fields(query):
    return [f for f in query.get("fields", "").split(",") if f] or None


class Sitoo(Platform):
    """Mounted at /v2/accounts/1500/."""

    name = "sitoo"

    def __init__(self, world, counters, record, latency_ms, seed):
        super().__init__(counters, record, latency_ms, seed)
        self.world = world
        self.busy = {}  # API id -> the call in flight
        self.shrink = {"warehouse": None, "times": 0}  # a list that loses a row while it is read
        self.writer = OrderWriter(world)
        self.till = tillcatalog.TillCatalog(world, counters, seed)
        self.prices = tillprices.PriceLists(self.till)
        self.images = tillimages.Images(self.till)
        self.ignores = frozenset()        # parameters that this Sitoo does not know: ignored, silently (sitoo.md 2)
        self.hidden_orders = frozenset()  # orders that it does not show (yet)
        self.routes = [
            (re.compile(r"orders\.json"), self.orders, "orders"),
            (re.compile(r"reasoncodes\.json"), self.reason_codes, "reasoncodes"),
            (re.compile(r"sites\.json"), self.sites, "sites"),
            (re.compile(r"sites/([^/]+)/orders\.json"), self.site_orders, "sites/*/orders"),
            (re.compile(r"sites/([^/]+)/orders/(\d+)\.json"), self.one_order, "sites/*/orders/*"),
            (re.compile(r"sites/([^/]+)/orders/(\d+)/orderdeliveries\.json"), self.deliveries, "sites/*/orders/*/orderdeliveries"),
            (re.compile(r"sites/([^/]+)/orders/(\d+)/orderlogitems\.json"), self.log_items, "sites/*/orders/*/orderlogitems"),
            (re.compile(r"sites/([^/]+)/warehouses\.json"), self.warehouse_list, "warehouses"),
            (re.compile(r"sites/([^/]+)/warehouses/(\d+)/warehouseitems\.json"), self.warehouse_items, "warehouseitems"),
            (re.compile(r"sites/([^/]+)/warehousetransactions\.json"), self.transactions, "warehousetransactions"),
            (re.compile(r"sites/([^/]+)/warehouses/(\d+)/warehousetransactions\.json"), self.transactions,
             "warehousetransactions"),
            # .json may be left out here: measured on products (sitoo.md 1).
            (re.compile(r"sites/([^/]+)/products(?:\.json)?"), self.products, "products"),
            (re.compile(r"sites/([^/]+)/products/(\d+)(?:\.json)?"), self.one_product, "products/*"),
            (re.compile(r"sites/([^/]+)/products/(\d+)/productvariants\.json"), self.family, "products/*/productvariants"),
            (re.compile(r"sites/([^/]+)/products/(\d+)/images\.json"), self.product_images, "products/*/images"),
            (re.compile(r"sites/([^/]+)/products/(\d+)/images/(\d+)\.json"), self.product_images, "products/*/images/*"),
            (re.compile(r"sites/([^/]+)/pricelists\.json"), self.price_lists, "pricelists"),
            (re.compile(r"sites/([^/]+)/pricelists/(\d+)/pricelistitems\.json"), self.price_items, "pricelists/*/pricelistitems"),
            (re.compile(r"sites/([^/]+)/productgroups\.json"), self.product_groups, "productgroups"),
        ]

    # ---------------------------------------------------------------- the frame

    def failure(self, status, call):
        return error(status, {401: "Unauthorized", 404: "Not Found", 500: "Internal Server Error",
                              502: "Bad Gateway"}.get(status, "Service Unavailable"))

    def refusal(self, with_headers, call):
        reply = error(429, "Too many connections")
        if with_headers == "epoch":
            reply.headers["X-Rate-Limit-Reset"] = str(int(time.time()) + 2)
        elif with_headers:
            reply.headers["Retry-After"] = "1"  # the header's name is UNSURE (sitoo.md 2)
        return reply

    def _find(self, call):
        if call.segments[:3] != ["v2", "accounts", str(ACCOUNT)]:
            return None
        path = "/".join(call.segments[3:])
        for pattern, method, route in self.routes:
            match = pattern.fullmatch(path)
            if match:
                return method, match.groups(), route
        return None

    def classify(self, call):
        found = self._find(call)
        return found[2] if found else "other"

    @staticmethod
    def _key(call):
        """The API id of valid credentials, else None (sitoo.md 1: Basic, {accountid}-{n})."""
        scheme, _, rest = call.request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            user, _, password = base64.b64decode(rest, validate=True).decode().partition(":")
        except ValueError:
            return None
        return user if re.fullmatch(rf"{ACCOUNT}-\d+", user) and password == PASSWORD else None

    def enter(self, call):
        key = self._key(call)
        if key is None:
            return error(401, "Unauthorized")
        other = self.busy.get(key)
        if other is not None and not other.gone():
            # Two requests in flight on one key: 429, nothing done (sitoo.md 2, Rate limits).
            self.counters.numbers["caused_429"] += 1
            return error(429, "Too many connections")
        self.busy[key] = call
        return None

    def leave(self, call):
        for key, other in list(self.busy.items()):
            if other is call:
                del self.busy[key]

    def route(self, call):
        found = self._find(call)
        if found is None:
            return error(404, "Not Found")
        method, parts, route = found
        if call.method == "POST" and route == "warehousetransactions" and len(parts) == 1:
            return stockmoves.add(self.world, call, self._known(*parts))
        if (call.method, route) in WRITES:
            site, *rest = parts
            return self.writer.write(call, self._known(site), *map(int, rest), part=WRITES[call.method, route])
        if call.method != "GET":
            return self._write_catalog(call, route, *parts)
        query = {name: value for name, value in call.query.items() if name not in self.ignores}
        try:
            return method(query, *parts)
        except BadValue as bad:
            return error(400, f"Invalid value '{bad}'.")

    # ---------------------------------------------------------------- sites

    def sites(self, query):
        return envelope(1, [{"siteid": SITE_GUID, "protocol": "https", "server": "store.example.com", "abspath": "/",
                             "siteurl": "https://store.example.com/", "eshopid": ESHOP}])

    def reason_codes(self, query):
        types = numbers(query.get("type", ""))
        items = [r for r in REASON_CODES if not types or r["type"] in types]
        start, num = page(query)
        return envelope(len(items), items[start:start + num])

    @staticmethod
    def _known(site):
        """A GUID or an unknown site: an empty result, no error (sitoo.md 1)."""
        return site == str(ESHOP)

    # ---------------------------------------------------------------- orders

    def _person(self, order):
        """Personal data of full reads; what onepool must never keep. What a POST brought, else made up."""
        if order.given is not None:
            return {name: order.given[name] for name in TEXTS}
        mark = order.person
        return {"email": f"{mark}@example.invalid", "namefirst": f"{mark}-first", "namelast": f"{mark}-last",
                "personalid": f"{mark}-id", "company": "", "phone": f"{mark}-phone"}

    @staticmethod
    def _net(gross):
        """Without 25 % VAT."""
        return half_up(gross * 4, 5)

    @staticmethod
    def _payments(order, gross):
        """sitoo.md 4.3; what a card's terminal says of its holder is personal."""
        if order.given is not None and order.payments is not None:
            return order.payments
        card = {"reftype": "verifonelpp", "refid": f"{order.person}-card", "cardissuer": "Card"}
        if order.payments is None:
            return [{"name": "Card", "moneyamount": money2(gross), "externalid": str(100000 + order.id), **card,
                     "additionaldata": {}}]
        return [{**part, **card} if part["name"] == "Card" else part for part in order.payments]

    def _item(self, position, row):
        """sitoo.md 4.2; all money net per unit at 25 %. The row's net and VAT together are what was paid for it."""
        if row.given is not None:
            return item_json(position, row)
        gross = row.gross
        total = self._net(gross)
        net = self._net(row.price if row.unit is not None else gross // row.quantity)
        return {
            "orderitemid": row.itemid(position),  # from 0: 0 is a real id
            "orderitemtype": 10 if row.sku is not None else 20,  # the number of Discount is UNSURE (U15)
            "productid": row.productid, "productname": row.name, "sku": row.sku, "productattributes": "",
            "externalinput": "", "externalinputtitle": "", "unitlabel": "" if row.unit is None else "kg",
            "quantity": row.quantity, "decimalunitquantity": None if row.unit is None else decimal3(row.unit),
            "moneynetpriceperunit": money2(net), "moneypriceorg": "0.00", "vatvalue": 25, "deliveryinfo": "",
            "moneyitemtotal_net": money2(total), "moneyitemtotal_vat": money2(gross - total), "voucherid": 0,
            "vouchercode": "", "vouchername": "", "moneyoriginalprice": money2(net), "moneydiscountedprice": "0.00",
            "moneydiscount": "0.00", "moneyrowdiscount": money2(row.discount), "salestaxes": [],
            "additionaldata": row.extra, "decimalquantitytotal": decimal3(row.total),
            "moneynetpriceperquantity": money2(net)}

    def _full(self, order):
        """A whole order as GET of one shows it (sitoo.md 4.1)."""
        items = [self._item(i, r) for i, r in enumerate(order.rows)]
        net = sum(int(item["moneyitemtotal_net"].replace(".", "")) for item in items)
        gross = sum(r.gross for r in order.rows)
        person = self._person(order)
        empty = {f"{kind}_{name}": "" for kind in ("invoice", "delivery")
                 for name in ("address", "address2", "zip", "city", "state", "countryid")}
        empty["invoice_address"] = f"{order.person}-street"
        paid = order.payment == 20
        return {
            "orderid": order.id, "eshopid": ESHOP, "externalid": order.externalid, "creditorderid": order.credit,
            "checkouttypeid": 0, "deliverytypeid": 0, **empty, "comment": "", "commentinternal": "",
            "customerref": "", "checkoutref": "", **person, "moneytotal_net": money2(net), "moneytotal_vat": money2(gross - net),
            "moneycheckout_net": "0.00", "moneycheckout_vat": "0.00", "moneytotal_gross_checkout": "0.00",
            "moneydelivery_net": "0.00", "moneydelivery_vat": "0.00", "moneytotal_gross_delivery": "0.00",
            "moneyfinal_net": money2(net), "moneyfinal_vat": money2(gross - net), "moneyfinal_salestax": "0.00",
            "moneytotal_gross_roundoff": money2(order.roundoff), "moneytotal_gross_all": money2(gross + order.roundoff),
            "checkouttypename": "Sitoo POS - Card" if order.register else "", "checkoutmethodid": 0,
            "checkoutmethodsubid": 0, "deliverytypename": "", "orderdate": order.date, "orderstateid": order.state,
            "paymentstateid": order.payment, "ordertypeid": order.type, "userid_staff": None,
            "registerid": order.register, "warehouseid": order.warehouse, "datereserved": order.reserved_until,
            "currencycode": order.currency, "additionaldata": order.extra,
            "orderitems": items,
            "payments": self._payments(order, gross) if paid or order.given is not None else [],
            "reservedpayments": order.given["reservedpayments"] if order.given is not None else [],
            "orderlogitems": [log_json(entry) for entry in order.log]}

    def one_order(self, query, site, text):
        order = self.world.order(int(text)) if self._known(site) else None
        if order is None or order.id in self.hidden_orders:
            return error(404, "Order not found")
        full = self._full(order)
        fields = wanted_fields(query)
        return Reply(200, choose(full, fields) if fields else full)

    def _below(self, query, site, text, make):
        """A list below one order: (order) -> its rows."""
        order = self.world.order(int(text)) if self._known(site) else None
        if order is None or order.id in self.hidden_orders:
            return error(404, "Order not found")
        rows, (start, num) = make(order), page(query)
        return envelope(len(rows), rows[start:start + num])

    def deliveries(self, query, site, text):
        """Oldest first, which is assumed."""
        return self._below(query, site, text, lambda order: [delivery_json(order, d) for d in order.deliveries])

    def log_items(self, query, site, text):
        return self._below(query, site, text, lambda order: [{**log_json(e), "orderid": order.id} for e in order.log])

    def site_orders(self, query, site):
        return self.orders(query) if self._known(site) else envelope(0, [])

    def _by_id(self, query):
        """The ids asked for one by one, or None. receiptid and creditorderid each override orderid (sitoo.md 4.5)."""
        world = self.world
        if query.get("receiptid"):
            found = [world.by_receipt.get(r) for r in query["receiptid"].split(",")]
        elif query.get("creditorderid"):
            found = [i for n in numbers(query["creditorderid"]) for i in world.by_creditorder.get(n, ())]
        elif query.get("orderid"):
            found = numbers(query["orderid"])
        elif query.get("externalid"):
            found = [world.by_externalid[x].id for x in query["externalid"].split(",") if x in world.by_externalid]
        elif query.get("orderstate") == "0":
            return world.open_orders
        else:
            return None
        return sorted({i for i in found if i is not None and world.order(i)})

    def _filters(self, query):
        """What has to be looked at order by order. Unknown parameters are ignored (sitoo.md 2)."""
        tests = []
        for name, of in (("orderstate", lambda o: o.state), ("paymentstate", lambda o: o.payment),
                         ("ordertype", lambda o: o.type), ("warehouseid", lambda o: o.warehouse)):
            if query.get(name):
                tests.append(lambda o, of=of, allowed=frozenset(numbers(query[name])): of(o) in allowed)
        # orderdatefrom inclusive, orderdateto exclusive: documented for ids (sitoo.md 2), assumed for dates.
        first, last = number(query, "orderdatefrom"), number(query, "orderdateto")
        if first is not None:
            tests.append(lambda o: o.date >= first)
        if last is not None:
            tests.append(lambda o: o.date < last)
        if query.get("externalid"):
            names = frozenset(query["externalid"].split(","))
            tests.append(lambda o: o.externalid in names)
        if query.get("email"):
            tests.append(lambda o: self._person(o)["email"] == query["email"])
        return tests

    def orders(self, query):
        """sitoo.md 4.5; newest first unless sort=orderid."""
        world = self.world
        if query.get("eshopid"):
            shops = query["eshopid"].split(",")
            if str(ESHOP) not in shops:
                return envelope(0, [])
        first = number(query, "orderidfrom", world.first_order)  # inclusive
        last = number(query, "orderidto", world.first_order + len(world.orders))  # exclusive (sitoo.md 2)
        ids = self._by_id(query)
        if ids is None:
            lower = max(0, first - world.first_order)
            found = range(lower, max(lower, min(len(world.orders), last - world.first_order)))
        else:
            found = [i - world.first_order for i in ids if first <= i < last]
        tests = self._filters(query)
        if self.hidden_orders:
            tests.append(lambda o: o.id not in self.hidden_orders)
        if tests:
            found = [i for i in found if all(test(world.orders[i]) for test in tests)]
        if query.get("sort", "-orderid") != "orderid":
            found = found[::-1]
        start, num = page(query)
        fields = wanted_fields(query) or DEFAULT_ORDER_FIELDS
        return envelope(len(found), [choose(self._full(world.orders[i]), fields) for i in found[start:start + num]])

    # ---------------------------------------------------------------- stock

    def warehouse_list(self, query, site):
        """sitoo.md 7.1. FIFO (10), or Virtual (20); Reclaims has usetype 40."""
        if not self._known(site):
            return envelope(0, [])
        items = [{"warehouseid": w, "warehousetype": 20 if w in self.world.virtual else 10, "usetype": 40 if w == RECLAIMS else 10,
                  "storeid": None if w == RECLAIMS else w, "sellable": True, "currencycode": "SEK",
                  "name": self.world.warehouse_names.get(w, "Reclaims" if w == RECLAIMS else f"Warehouse {w}"), "address": "", "address2": "", "zip": "",
                  "city": "", "state": "", "countryid": None, "externalid": None} for w in self.world.warehouses]
        start, num = page(query)
        fields = wanted_fields(query)
        items = items if not fields else [choose(i, fields) for i in items]
        return envelope(len(items), items[start:start + num])

    def _stock_row(self, warehouse, index):
        """available = total - reserved, may be negative (sitoo.md 7.2)."""
        world = self.world
        total, reserved = world.pool.total[warehouse][index], world.pool.reserved[warehouse][index]
        return {"warehouseitemid": world.item_number[warehouse][index] + 1, "sku": world.skus[index].sku,
                "binlocation": "", "decimalthreshold": "3.000", "decimaltotal": decimal3(total), "moneytotal": "0.00",
                "datelastmodified": world.item_modified[warehouse][index], "datelaststocktaking": 0,
                "decimalreserved": decimal3(reserved), "decimalavailable": decimal3(total - reserved)}

    def warehouse_items(self, query, site, text):
        world = self.world
        warehouse = int(text)
        # What an unknown warehouse answers is not documented; empty is the answer that hurts.
        if not self._known(site) or warehouse not in world.item_rows:
            return envelope(0, [])
        rows = world.item_rows[warehouse]
        if "sku" in query and query["sku"] != "":
            known = world.item_number[warehouse]
            asked = [world.index_of.get(s) for s in query["sku"].split(",")]
            rows = sorted({i for i in asked if i in known}, key=known.__getitem__)
        if world.gone_skus:
            rows = [i for i in rows if i not in world.gone_skus]
        first, last = number(query, "datelastmodifiedfrom"), number(query, "datelastmodifiedto")
        if first is not None or last is not None:
            modified = world.item_modified[warehouse]
            rows = [i for i in rows if (first is None or modified[i] >= first) and (last is None or modified[i] < last)]
        start, num = page(query)
        if self.shrink["warehouse"] == warehouse and self.shrink["times"] > 0 and start > 0:
            self.shrink["times"] -= 1
            rows = rows[1:]
        items = [self._stock_row(warehouse, i) for i in rows[start:start + num]]
        fields = wanted_fields(query)
        return envelope(len(rows), [choose(i, fields) for i in items] if fields else items)

    def transactions(self, query, site, warehouse=None):
        """sitoo.md 7.3. from inclusive, to exclusive; newest first unless sort=warehousetransactionid."""
        world = self.world
        if not self._known(site):
            return envelope(0, [])
        ledger = world.ledger
        if query.get("warehousetransactionid"):
            ids = sorted({n for n in numbers(query["warehousetransactionid"]) if 1 <= n <= len(ledger)})
        else:
            first = max(1, number(query, "warehousetransactionidfrom", 1))
            ids = range(first, max(first, min(len(ledger) + 1, number(query, "warehousetransactionidto", len(ledger) + 1))))
        tests = []
        if warehouse is not None or query.get("warehouseid"):
            allowed = frozenset([int(warehouse)] if warehouse else numbers(query["warehouseid"]))
            tests.append(lambda t: t["warehouseid"] in allowed)
        if query.get("transactiontype"):
            kinds = frozenset(numbers(query["transactiontype"]))
            tests.append(lambda t: t["transactiontype"] in kinds)
        first_date, last_date = number(query, "datecreatedfrom"), number(query, "datecreatedto")
        if first_date is not None:
            tests.append(lambda t: t["datecreated"] >= first_date)
        if last_date is not None:
            tests.append(lambda t: t["datecreated"] < last_date)
        if tests or world.hidden:
            ids = [n for n in ids if world.ledger_visible(n) and all(test(ledger[n - 1]) for test in tests)]
        if query.get("sort", "-warehousetransactionid") != "warehousetransactionid":
            ids = ids[::-1]
        start, num = page(query)
        items = [ledger[n - 1] for n in ids[start:start + num]]
        fields = wanted_fields(query)
        return envelope(len(ids), [choose(i, fields) for i in items] if fields else items)

    # ---------------------------------------------------------------- products

    def _write_catalog(self, call, route, site, *numbers_):
        """Products, families, images and prices (sitoo.md 6)."""
        number_ = int(numbers_[0]) if numbers_ else None
        if not self._known(site):
            return error(404, "Not Found")
        try:
            if (route, call.method) in ((r, m) for r in ("products", "products/*") for m in ("POST", "PUT", "DELETE")):
                return tillcatalog.write(self.till, call, number_)
            if (route, call.method) == ("products/*/productvariants", "PUT"):
                return tillfamilies.put(self.till, call, number_)
            if route in tillimages.ROUTES:
                return self.images.write(call, *map(int, numbers_))
            if route == "pricelists/*/pricelistitems" and call.method in ("PUT", "DELETE"):
                return self.prices.write(call, number_)
        except tillcatalog.Bad as bad:
            return error(bad.status, bad.args[0])
        return error(404, "Not Found")

    def _part(self, query, items):
        """One page of a list that is made whole."""
        start, num = page(query)
        fields = wanted_fields(query)
        part = items[start:start + num]
        return envelope(len(items), [choose(i, fields) for i in part] if fields else part)

    def family(self, query, site, text):
        if not self._known(site) or self.world.sku_of(int(text)) is None:
            return error(404, "Product not found")
        return Reply(200, tillfamilies.show(self.world, int(text)))

    def product_images(self, query, site, *numbers_):
        """A list, or one image of it."""
        product, *image = map(int, numbers_)
        if not self._known(site):
            return error(404, "Product not found")
        try:
            return Reply(200, self.images.one(product, *image)) if image else self._part(query, self.images.all(product))
        except tillcatalog.Bad as bad:
            return error(bad.status, bad.args[0])

    def price_lists(self, query, site):
        return self._part(query, self.prices.all() if self._known(site) else [])

    def price_items(self, query, site, text):
        if not self._known(site) or int(text) not in self.prices.lists:
            return error(404, "Price list not found")
        return self._part(query, self.prices.items(int(text)))

    def product_groups(self, query, site):
        return self._part(query, tillprices.groups() if self._known(site) else [])

    def _product(self, sku):
        return tillcatalog.product_json(self.world, sku)

    def one_product(self, query, site, text):
        sku = self.world.sku_of(int(text))
        if not self._known(site) or sku is None:
            return error(404, "Product not found")
        fields, full = wanted_fields(query), self._product(sku)
        return Reply(200, choose(full, fields) if fields else full)

    def products(self, query, site):
        """includeinactive defaults to false: an inactive product looks missing (sitoo.md 6.1)."""
        world = self.world
        if not self._known(site):
            return envelope(0, [])
        if query.get("sku"):
            indices = sorted({world.index_of[s] for s in query["sku"].split(",") if s in world.index_of})
        elif query.get("productid"):
            indices = sorted({n - 1000 for n in numbers(query["productid"]) if world.sku_of(n)})
        else:
            indices = world.live_skus()
        if query.get("includeinactive", "false") != "true":
            # Which of the two flags is meant is not documented: the one that hides more.
            indices = [i for i in indices if world.skus[i].active and world.skus[i].activepos]
        if number(query, "datelastmodified") is not None:
            after = number(query, "datelastmodified")
            indices = [i for i in indices if self._product(world.skus[i])["datemodified"] > after]
        start, num = page(query)
        fields = wanted_fields(query) or None
        items = [self._product(world.skus[i]) for i in indices[start:start + num]]
        return envelope(len(indices), [choose(i, fields) for i in items] if fields else items)
