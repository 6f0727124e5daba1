# SPDX-License-Identifier: Apache-2.0
"""BigCommerce's price lists and tax classes (bigcommerce.md 8, Price lists; price_lists.v3.yml, tax_classes.v2.yml)."""
import datetime
import time
from decimal import Decimal

from server import Reply
from units import Refused

TAX_CLASSES = {0: "Default Tax Class", 1: "Books", 2: "Shipping"}
MODIFIED = 1643760000  # 2022-02-02: of what nobody has touched
MONEY = ("price", "sale_price", "retail_price", "map_price")
STATUS_PAGE = "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"


def iso(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).isoformat()


def amount(value):
    """Decimal of a decimal text or JSON number in units of the currency."""
    try:
        return Decimal(str(value))
    except ArithmeticError:
        raise Refused(f"{value!r} is no amount") from None


class PriceLists:
    """lists: {id: {"id","name","active","created","modified","records": {(variant id, currency): {...}}}}."""

    def __init__(self, catalog):
        self.catalog, self.lists = catalog, {}

    def record(self, number, variant, currency):
        """{"price": Decimal, ...} or None: then the catalog's price counts."""
        one = self.lists.get(number)
        return one["records"].get((variant.id, currency)) if one else None

    def change(self, body, tell, currency):
        """PUT /bc-price-list. Raises no product or SKU event whatever happens (bigcommerce.md 5.5)."""
        number, now = int(body["id"]), int(time.time())
        says = tell if body.get("hooks", True) else lambda scope, data: None
        known = number in self.lists
        one = self.lists.setdefault(number, {"id": number, "name": f"Price list {number}", "active": True, "created": now,
                                             "modified": now, "records": {}})
        was_active = one["active"]
        one["name"], one["active"], one["modified"] = body.get("name", one["name"]), bool(body.get("active", was_active)), now
        if not known:
            says("store/priceList/created", {"price_list_id": number})
        elif "name" in body:
            says("store/priceList/updated", {"price_list_id": number})
        if one["active"] != was_active:
            says(f"store/priceList/{'activated' if one['active'] else 'deactivated'}", {"price_list_id": number})
        done = {"created": [], "updated": [], "deleted": []}
        for wanted in body.get("records", []):
            self._put(one, wanted, currency, now, done)
        for name in body.get("remove", []):
            variant = self._variant(name)
            for key in [k for k in one["records"] if k[0] == variant.id]:
                del one["records"][key]
                done["deleted"].append({"price_list_id": number, "variant_id": variant.id, "currency": key[1]})
        for what, rows in done.items():
            if len(rows) == 1:
                says(f"store/priceList/record/{what}", rows[0])
            elif rows:
                says(f"store/priceList/records/{what}", rows)
        return {"id": number, "records": len(one["records"])}

    def _variant(self, name):
        variant = self.catalog.by_sku.get(name.lower())
        if variant is None:
            raise Refused(f"BigCommerce has no SKU {name}")
        return variant

    def _put(self, one, wanted, currency, now, done):
        variant = self._variant(wanted["sku"])
        key = (variant.id, wanted.get("currency", currency).upper())
        old = one["records"].get(key)
        record = one["records"][key] = {**(old or {"created": now}), "modified": now}
        record.update({name: amount(wanted[name]) for name in MONEY if wanted.get(name) is not None})
        for name in MONEY:
            if name in wanted and wanted[name] is None:
                record.pop(name, None)
        done["updated" if old else "created"].append({"price_list_id": one["id"], "variant_id": key[0], "currency": key[1]})

    def forget(self, variant):
        """A variant that is gone has no records; nothing tells of them (assumed)."""
        for one in self.lists.values():
            for key in [k for k in one["records"] if k[0] == variant.id]:
                del one["records"][key]


class PriceCalls:
    """Part of BigCommerce. Needs price_lists, tax_classes, _page(), _ints() and _v3_list() of it."""

    def tax_class_list(self, call):
        """A v2 list: ids are texts (tax_classes.v2.yml), an empty page is 204."""
        number, limit = self._page(call, 50, 250, True)
        part = sorted(self.tax_classes.items())[(number - 1) * limit:number * limit]
        at = "2018-05-07 20:14:17+00:00"
        return Reply(200, [{"id": str(n), "name": name, "created_at": at, "updated_at": at} for n, name in part]) \
            if part else Reply(204)

    @staticmethod
    def _list_json(one):
        return {"id": one["id"], "name": one["name"], "active": one["active"], "date_created": iso(one["created"]),
                "date_modified": iso(one["modified"])}

    def price_list_all(self, call):
        number, limit = self._page(call, 50, 250)
        return self._v3_list(sorted(self.price_lists.lists.values(), key=lambda p: p["id"]), number, limit, self._list_json)

    def _price_list(self, number):
        return self.price_lists.lists.get(number)

    @staticmethod
    def _no_list():
        return Reply(404, {"status": 404, "title": "Not Found", "type": STATUS_PAGE, "errors": {}})

    def price_list_one(self, call, number):
        one = self._price_list(number)
        return Reply(200, {"data": self._list_json(one), "meta": {}}) if one else self._no_list()

    def price_records(self, call, number):
        """Default and largest limit are not documented: 50 and 1000 are assumed. What is not set is not there."""
        page, limit = self._page(call, 50, 1000)
        one = self._price_list(number)
        if one is None:
            return self._no_list()
        query, by_id = call.query, self.catalog.by_id
        tests = []
        if query.get("variant_id:in"):
            tests.append(lambda key, ids=self._ints(call, "variant_id:in"): key[0] in ids)
        if query.get("product_id:in"):
            tests.append(lambda key, ids=self._ints(call, "product_id:in"): by_id[key[0]].product.id in ids)
        if query.get("currency"):
            tests.append(lambda key: key[1] == query["currency"].upper())
        found = [key for key in sorted(one["records"]) if all(test(key) for test in tests)]

        def make(key):
            variant, record = by_id[key[0]], one["records"][key]
            price = record.get("sale_price", record.get("price"))
            values = {name: float(record[name]) for name in MONEY if name in record}
            return {"price_list_id": number, "variant_id": key[0], "sku": variant.sku, "currency": key[1].lower(),
                    "product_id": variant.product.id, **values, **({} if price is None else {"calculated_price": float(price)}),
                    "date_created": iso(record["created"]), "date_modified": iso(record["modified"])}

        return self._v3_list(found, page, limit, make)


ROUTES = {
    ("GET", ("v2", "tax_classes")): PriceCalls.tax_class_list,
    ("GET", ("v3", "pricelists")): PriceCalls.price_list_all,
    ("GET", ("v3", "pricelists", "*")): PriceCalls.price_list_one,
    ("GET", ("v3", "pricelists", "*", "records")): PriceCalls.price_records,
}
