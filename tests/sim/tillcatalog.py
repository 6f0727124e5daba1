# SPDX-License-Identifier: Apache-2.0
"""Sitoo's products, families and price lists as they are written (sitoo.md 6). Part of Sitoo."""
import json
import random
import re

from server import Reply
from units import money2
from world import Sku

CHARACTERS = re.compile(r"[A-Za-z0-9_+\-/]+")
MONEY = re.compile(r"[-+]?[0-9]+\.[0-9][0-9]")
LARGEST_BATCH = 1000  # sitoo.md U17: taken for products too
GROUPS = [{"vatid": 2, "value": 25, "productgrouptype": 10, "productgroupname": "Common Goods", "comment": ""},
          {"vatid": 3, "value": 6, "productgrouptype": 10, "productgroupname": "Books", "comment": ""},
          {"vatid": 4, "value": 0, "productgrouptype": 30, "productgroupname": "Gift Cards", "comment": ""}]
RULES = {"vanish": 0, "refuse_families": False, "refuse_foreign_family": True, "barcode_unique": True, "title_max": 0,
         "list_currency": "SEK"}
COUNTERS = ("products_created", "products_updated", "families_written", "price_items_written", "products_deleted",
            "family_rows_deleted", "created_twice")
ROUTES = {"products", "products/*", "productvariants", "pricelistitems"}
# Fields that are kept as they come; everything else has a member of its own.
PLAIN = {"skumanufacturer": "", "descriptionshort": "", "description": "", "unitlabel": "", "deliveryinfo": "", "manufacturerid": None,
         "custom1": "", "custom2": "", "custom3": "", "custom4": "", "custom5": "", "moneypricein": "0.00", "moneyofferprice": "0.00",
         "categories": [], "defaultcategoryid": None, "barcodealiases": [], "stockcountenable": True, "allowdecimals": False}
MONIES = ("moneyprice", "moneypriceorg", "moneypricein", "moneyofferprice")
ROW_REQUIRED = ("productid", "active", "activepos", "title", "sku", "deliverystatus", "moneyprice", "moneypriceorg", "moneyofferprice",
                "moneypricein", "barcode", "attributes")


class Wrong(Exception):
    """What is wrong with an element."""


def hundredths(text):
    return int(text.replace(".", ""))


class TillCatalog:
    """Needs world, counters, error and _known() of Sitoo."""

    def start_catalog(self):
        self.product_rules = dict(RULES)
        self.lists = {1: {"name": "Default Price List", "active": True, "tags": [], "currency": None, "items": None}}
        self.rng = random.Random(7)
        self.synced = {}  # product id -> fields that an API write has set, by name

    # ---------------------------------------------------------------- reading

    def product_json(self, sku):
        world = self.world
        family = world.families.get(sku.parent)
        attributes = [{"name": g["name"], "value": v} for g, v in zip(family, sku.attributes)] if family else []
        return {"productid": sku.productid, "sku": sku.sku, "title": sku.title, "moneyprice": money2(sku.price),
                "moneypriceorg": money2(sku.price_org), "active": sku.active, "activepos": sku.activepos, "vatid": sku.vatid,
                "deliverystatus": "", "barcode": sku.barcode or None, "variantparentid": sku.parent, "variant": attributes,
                "vatvalue": next(g["value"] for g in GROUPS if g["vatid"] == sku.vatid), "productgrouptype": 10,
                "stockallowbackorder": True, "friendly": sku.friendly or f"product-{sku.productid}",
                **PLAIN, "unitlabel": "kg" if sku.weight else "", "allowdecimals": sku.weight, **sku.more,
                "datecreated": sku.created or world.started_ms // 1000 - 864000,
                "datemodified": sku.modified or world.started_ms // 1000 - 86400}

    def product_groups(self, query, site):
        return self.page_of(query, GROUPS if self._known(site) else [])

    def price_lists(self, query, site):
        items = [{"pricelistid": number, "pricelistname": one["name"], "pricelistdescription": "", "active": one["active"],
                  "externalid": None, "currencycode": one["currency"] or self.product_rules["list_currency"], "tags": one["tags"]}
                 for number, one in sorted(self.lists.items())]
        return self.page_of(query, items if self._known(site) else [])

    def list_items(self, number):
        if number == 1:
            return {i: self.world.skus[i].price for i in self.world.live_skus()}
        return self.lists[number]["items"]

    def price_list_items(self, query, site, text):
        if int(text) not in self.lists:
            return self.catalog_error(404, "Price list not found")
        items = [{"sku": self.world.skus[i].sku, "productid": 1000 + i, "moneyprice": money2(price), "moneypricevolume": None}
                 for i, price in sorted(self.list_items(int(text)).items()) if i not in self.world.gone_skus]
        return self.page_of(query, items if self._known(site) else [])

    def family(self, query, site, text):
        sku = self.world.sku_of(int(text)) if self._known(site) else None
        if sku is None:
            return self.catalog_error(404, "Product not found")
        groups = self.world.families.get(sku.productid, [])
        rows = [self.family_row(s) for s in self.members(sku.productid)] if groups else []
        return Reply(200, {"groups": groups, "variants": rows})

    def members(self, parent):
        return [self.world.skus[i] for i in self.world.live_skus() if self.world.skus[i].parent == parent]

    def family_row(self, sku):
        full = self.product_json(sku)
        names = ("productid", "active", "activepos", "title", "sku", "deliverystatus", "moneyprice", "moneypriceorg", "moneypricein",
                 "moneyofferprice", "barcode", "barcodealiases", "friendly")
        return {**{name: full[name] for name in names}, "attributes": list(sku.attributes), "pricelisthasvolume": False}

    # ---------------------------------------------------------------- writing

    def catalog_write(self, call, route, site, rest):
        """POST, PUT, DELETE of what belongs to the catalog."""
        if not self._known(site):
            return self.catalog_error(404, "Site not found")
        if "application/json" not in call.request.headers.get("Content-Type", ""):
            return self.catalog_error(400, "Content-Type must be application/json")
        try:
            body = json.loads(call.body)
        except ValueError:
            return self.catalog_error(400, "Invalid JSON")
        made = {("POST", "products"): self.add_products, ("PUT", "products"): self.put_products, ("PUT", "products/*"): self.put_product,
                ("DELETE", "products"): self.delete_products, ("DELETE", "products/*"): self.delete_products,
                ("PUT", "productvariants"): self.put_family, ("PUT", "pricelistitems"): self.put_prices,
                ("DELETE", "pricelistitems"): self.delete_prices}.get((call.method, route))
        if made is None:
            return self.catalog_error(404, "Not Found")
        self.vanish(body)
        return made(body, *map(int, rest))

    def vanish(self, body):
        """A product disappears while a write runs (sitoo.md 6.1: 13 did)."""
        if self.product_rules["vanish"] <= 0:
            return
        self.product_rules["vanish"] -= 1
        named = {e.get("productid") for e in body if isinstance(e, dict)} if isinstance(body, list) else set()
        left = [i for i in self.world.live_skus() if 1000 + i not in named and self.world.skus[i].sku.startswith("SKU-")]
        self.world.drop_sku(self.world.skus[self.rng.choice(left)])

    def batch(self, body, one):
        """One answer per element; the call itself is 200 (sitoo.md 2)."""
        if not isinstance(body, list) or not body or len(body) > LARGEST_BATCH:
            return self.catalog_error(400, f"An array of 1 to {LARGEST_BATCH} elements is expected")
        answers = []
        for element in body:
            try:
                answers.append({"statuscode": 200, "return": one(element)})
            except Wrong as wrong:
                answers.append({"statuscode": 400, "errortext": str(wrong)})
        return Reply(200, answers)

    def add_products(self, body):
        if isinstance(body, dict):
            try:
                return Reply(200, self.add_product(body))
            except Wrong as wrong:
                return self.catalog_error(400, str(wrong))
        return self.batch(body, self.add_product)

    def add_product(self, element):
        world, name = self.world, element.get("sku")
        if not isinstance(name, str) or not CHARACTERS.fullmatch(name):
            raise Wrong("Invalid value in sku")
        if name in world.index_of:
            self.counters.numbers["created_twice"] += 1
            raise Wrong(f"The sku {name} is already in use")  # text assumed
        self.check(element, None)
        sku = Sku(len(world.skus), name, "web", 0)
        sku.created = sku.modified = world.seconds()
        sku.title, sku.price_org = "", 0
        world.add_sku(sku)
        self.set_fields(sku, element)
        self.counters.numbers["products_created"] += 1
        return sku.productid

    def check(self, element, sku):
        for name in MONIES:
            if name in element and not (isinstance(element[name], str) and MONEY.fullmatch(element[name])):
                raise Wrong(f"Invalid value in {name}")
        if "sku" in element and not (isinstance(element["sku"], str) and CHARACTERS.fullmatch(element["sku"])):
            raise Wrong("Invalid value in sku")
        if "vatid" in element and element["vatid"] not in {g["vatid"] for g in GROUPS}:
            raise Wrong("Invalid value in vatid")
        if "title" in element and not isinstance(element["title"], str):
            raise Wrong("Invalid value in title")
        limit = self.product_rules["title_max"]
        if limit and len(element.get("title", "")) > limit:
            raise Wrong("Invalid value in title (too long)")
        if "barcode" in element:
            code = element["barcode"]
            if not isinstance(code, str):
                raise Wrong("Invalid value in barcode (Not string)")
            others = self.world.barcodes.get(code, set()) - ({sku.index} if sku else set())
            if code and others and self.product_rules["barcode_unique"]:
                raise Wrong(f"The barcode {code} is already in use")  # text assumed (sitoo.md 6.1)

    def set_fields(self, sku, element):
        touched = self.synced.setdefault(sku.productid, set())
        for name, value in element.items():
            touched.add(name)
            if name == "moneyprice":
                sku.price = hundredths(value)
            elif name == "moneypriceorg":
                sku.price_org = hundredths(value)
            elif name == "barcode":
                self.world.set_barcode(sku, value)
            elif name in ("title", "activepos", "active", "vatid", "friendly"):
                setattr(sku, name, value)
            elif name in PLAIN:
                sku.more[name] = value
        sku.modified = self.world.seconds()

    def put_element(self, element):
        sku = self.world.sku_of(element.get("productid") or 0)
        if sku is None:
            raise Wrong("Product not found")
        self.check(element, sku)
        if element.get("sku", sku.sku) != sku.sku:
            self.world.rename_sku(sku, element["sku"])
        self.set_fields(sku, {k: v for k, v in element.items() if k not in ("productid", "sku")})
        self.counters.numbers["products_updated"] += 1
        return True

    def put_products(self, body):
        return self.batch(body, self.put_element)

    def put_product(self, body, number):
        try:
            return Reply(200, self.put_element({**body, "productid": number}))
        except Wrong as wrong:
            return self.catalog_error(400, str(wrong))

    def delete_products(self, body, number=None):
        """Exists, so that a test can see that it is never used."""
        for one in [{"productid": number}] if number else body:
            sku = self.world.sku_of(one["productid"])
            if sku is not None:
                self.world.drop_sku(sku)
                self.counters.numbers["products_deleted"] += 1
        return Reply(200, True)

    # ---------------------------------------------------------------- families

    def put_family(self, body, parent):
        """Replaces the family: a row left out is deleted (sitoo.md 6.2)."""
        main = self.world.sku_of(parent)
        if main is None:
            return self.catalog_error(404, "Product not found")
        if self.product_rules["refuse_families"]:
            return self.catalog_error(400, "Invalid value in variants")
        try:
            groups, rows = body["groups"], body["variants"]
            kept = [self.check_row(row, groups, parent) for row in rows]
            if parent not in [s.productid for s in kept if s]:
                raise Wrong("The main variant is missing")
        except (Wrong, KeyError, TypeError) as wrong:
            return self.catalog_error(400, str(wrong) or "Invalid value")
        ids = {s.productid for s in kept if s}
        for sku in self.members(parent):
            if sku.productid not in ids:
                self.world.drop_sku(sku)
                self.counters.numbers["family_rows_deleted"] += 1
        self.world.families[parent] = groups
        for sku, row in zip(kept, rows):
            fields = {k: v for k, v in row.items() if k not in ("productid", "sku", "attributes", "deliverystatus")}
            if sku is None:
                sku = self.world.sku_of(self.add_product({"sku": row["sku"], **fields}))
            else:
                if row["sku"] != sku.sku:
                    self.world.rename_sku(sku, row["sku"])
                changed = {k: v for k, v in fields.items() if self.product_json(sku).get(k) != v and not (k == "barcode" and not v and not sku.barcode)}
                self.set_fields(sku, changed)
            sku.parent, sku.attributes = parent, list(row["attributes"])
        self.counters.numbers["families_written"] += 1
        return Reply(200, True)

    def check_row(self, row, groups, parent):
        missing = [name for name in ROW_REQUIRED if name not in row]
        if missing:
            raise Wrong(f"Missing value: {missing[0]}")
        if "pricelisthasvolume" in row:
            raise Wrong("Invalid property pricelisthasvolume")
        if not isinstance(row["deliverystatus"], str):
            raise Wrong("Invalid value in deliverystatus (Not string)")
        if len(row["attributes"]) != len(groups) or any(v not in g["options"] for v, g in zip(row["attributes"], groups)):
            raise Wrong("Invalid value in attributes")
        if row["productid"] == 0:
            return None
        sku = self.world.sku_of(row["productid"])
        if sku is None:
            raise Wrong(f"Product {row['productid']} not found")
        if sku.parent not in (None, parent) and self.product_rules["refuse_foreign_family"]:
            raise Wrong(f"Product {row['productid']} belongs to another family")  # text assumed
        self.check({k: v for k, v in row.items() if k != "productid"}, sku)
        return sku

    # ---------------------------------------------------------------- prices

    def price_of(self, element):
        index = self.world.index_of.get(element.get("sku"))
        if index is None:
            raise Wrong("Product not found")
        return index

    def put_prices(self, body, number):
        if number not in self.lists:
            return self.catalog_error(404, "Price list not found")

        def one(element):
            index = self.price_of(element)
            self.check({"moneyprice": element.get("moneyprice")}, None)
            if number == 1:
                self.world.skus[index].price = hundredths(element["moneyprice"])
            else:
                self.lists[number]["items"][index] = hundredths(element["moneyprice"])
            self.counters.numbers["price_items_written"] += 1
            return True
        return self.batch(body, one)

    def delete_prices(self, body, number):
        if number not in self.lists or number == 1:
            return self.catalog_error(404, "Price list not found")

        def one(element):
            self.lists[number]["items"].pop(self.price_of(element), None)
            self.counters.numbers["price_items_written"] += 1
            return True
        return self.batch(body, one)

    # ---------------------------------------------------------------- staff in Backoffice

    def by_staff(self, body, new):
        """POST and PUT /till-product. Nothing of it counts as written through the API."""
        world = self.world
        fields = {k: v for k, v in body.items() if k not in ("sku", "new_sku", "family", "attributes", "price")}
        if "price" in body:
            fields["moneyprice"] = body["price"]
        if new:
            sku = Sku(len(world.skus), body["sku"], "web", 0)
            sku.title, sku.price_org, sku.created = "", 0, world.seconds()
            world.add_sku(sku)
        else:
            sku = world.skus[world.index_of[body["sku"]]]
        self.set_fields(sku, fields)
        self.synced.pop(sku.productid, None)
        if body.get("new_sku"):
            world.rename_sku(sku, body["new_sku"])
        if body.get("family"):
            sku.parent, sku.attributes = body["family"], body["attributes"]
            for group, value in zip(world.families[sku.parent], sku.attributes):
                if value not in group["options"]:
                    group["options"].append(value)
        return {"productid": sku.productid}

    def staff_list(self, body):
        """PUT /till-price-list."""
        one = self.lists.setdefault(int(body["id"]), {"name": f"List {body['id']}", "active": True, "tags": [], "currency": None, "items": {}})
        for name in ("name", "active", "tags", "currency"):
            if name in body:
                one[name] = body[name]
        for sku, price in body.get("items", {}).items():
            one["items"][self.world.index_of[sku]] = hundredths(price)
        for sku in body.get("remove", []):
            one["items"].pop(self.world.index_of[sku], None)
        return {"items": len(one["items"] or {})}

    def look(self, names):
        """GET /till-products: everything of a product, with the prices of each list."""
        world = self.world
        wanted = [world.index_of[n] for n in names if n in world.index_of] if names else world.live_skus()
        found = []
        for index in wanted:
            sku = world.skus[index]
            prices = {str(n): money2(self.list_items(n)[index]) for n in self.lists if index in self.list_items(n)}
            parent = world.sku_of(sku.parent) if sku.parent else None
            found.append({**self.product_json(sku), "prices": prices, "family": parent.sku if parent else None})
        return {"products": found}
