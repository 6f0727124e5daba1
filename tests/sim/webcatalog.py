# SPDX-License-Identifier: Apache-2.0
"""What merchants do with BigCommerce's catalog, its price lists and tax classes, and the webhooks of it (bigcommerce.md 5.5, 8)."""
import time
from decimal import Decimal

from units import Refused

TAX_CLASSES = [(0, "Default Tax Class"), (1, "Books"), (2, "Shipping")]
PRODUCT_PRICES = ("price", "sale_price", "retail_price")
PRODUCT_FIELDS = ("name", "tax_class_id", "brand_id", "categories", "is_visible", "availability", "upc", "gtin", "type", "description")
VARIANT_FIELDS = ("upc", "gtin", "purchasing_disabled")
# Changes of these raise no product/updated (bigcommerce.md 5.5).
SILENT = {"gtin", "mpn"}


def minor(value):
    """Hundredths of a decimal text or number; None stays None."""
    return None if value is None else int(Decimal(str(value)) * 100)


class WebCatalog:
    """shop.catalog as staff change it; tells hooks, the inventory, the oracle of levels."""

    def __init__(self, shop):
        self.shop, self.catalog = shop, shop.catalog
        self.lists = {}  # id -> {"name", "active", "records": {(variant id, currency): {price, sale_price}}}
        shop.world.on_sku = self.till_sku

    def tell(self, scope, data, wanted=True):
        if wanted:
            self.shop.platforms["bigcommerce"].webhooks.raise_event(scope, data)

    # ---------------------------------------------------------------- Sitoo's SKU of a variant

    def till_sku(self, index, old, new):
        """A SKU came, went or changed its name in Sitoo: which variant's level is it?"""
        variant = self.catalog.of_world.pop(index, None)
        if variant is not None:
            variant.world_index = None
        if new is not None:
            self._link(self.catalog.by_sku.get(new.lower()), index)
        self.shop.oracle.forget()

    def _link(self, variant, index):
        if variant is not None and variant.world_index is None and index is not None:
            variant.world_index = index
            self.catalog.of_world[index] = variant
        self.shop.oracle.forget()

    def _unlink(self, variant):
        if variant.world_index is not None:
            self.catalog.of_world.pop(variant.world_index, None)
            variant.world_index = None
        self.shop.oracle.forget()

    # ---------------------------------------------------------------- products

    def _find(self, body):
        if "product_id" in body:
            product = self.catalog.products.get(int(body["product_id"]))
        else:
            variant = self.catalog.by_sku.get(body["sku"].lower())
            product = variant.product if variant else None
        if product is None:
            raise Refused("there is no such product")
        return product

    def _set_product(self, product, body):
        changed = []
        for name in PRODUCT_PRICES:
            if name in body:
                setattr(product, name, minor(body[name]) or (0 if name != "price" else 0))
                changed.append(name)
        for name in PRODUCT_FIELDS:
            if name in body:
                setattr(product, name, body[name])
                changed.append(name)
        if changed:
            product.modified = time.time()
        return changed

    def _set_variant(self, variant, body):
        changed = []
        for name, member in (("price", "own_price"), ("sale_price", "sale_price"), ("retail_price", "retail_price")):
            if name in body:
                setattr(variant, member, minor(body[name]))
                changed.append(name)
        for name in VARIANT_FIELDS:
            if name in body:
                setattr(variant, name, body[name])
                changed.append(name)
        if "options" in body:
            variant.options = [(o["name"], o["label"]) for o in body["options"]]
            changed.append("options")
        if "new_sku" in body:
            self._unlink(variant)
            self.catalog.rename(variant, body["new_sku"])
            self._link(variant, self.shop.world.index_of.get(variant.sku))
            changed.append("sku")
        return changed

    def _add_variant(self, product, body):
        if not body.get("sku") and product.single:
            raise Refused("a SKU is missing")
        if body.get("sku") and body["sku"].lower() in self.catalog.by_sku:
            raise Refused(f"there is a SKU {body['sku']} already")  # bigcommerce.md 8: unique whatever the case
        variant = self.catalog.add_variant(product, body.get("sku", ""))
        variant.own_price = None
        self._set_variant(variant, body)
        self.shop.inventory.grow()
        self._link(variant, self.shop.world.index_of.get(variant.sku))
        return variant

    def _tell_sku(self, what, variant, hooks):
        self.tell(f"store/sku/{what}", {"type": "sku", "id": variant.sku_id, "sku": {
            "product_id": variant.product.id, "variant_id": variant.id}}, hooks)

    def add(self, body):
        variants = body.get("variants")
        hooks = body.get("hooks", True)
        product = self.catalog.add_product(body["name"], body.get("sku", ""), "variant" if variants else "product", not variants)
        self._set_product(product, {"price": "0", **body})
        made = [self._add_variant(product, one) for one in (variants or [{"sku": body.get("sku", ""), **{
            k: body[k] for k in ("upc", "gtin") if k in body}}])]
        self.tell("store/product/created", {"type": "product", "id": product.id}, hooks)
        for variant in made if variants else ():
            self._tell_sku("created", variant, hooks)
        return {"product_id": product.id, "variant_ids": [v.id for v in made]}

    def edit(self, body):
        product, hooks = self._find(body), body.get("hooks", True)
        changed = self._set_product(product, body)
        if product.single and set(changed) & {"upc", "gtin"}:
            self._set_variant(product.variants[0], {k: body[k] for k in ("upc", "gtin") if k in body})
        for one in body.get("variants", ()):
            found = [v for v in product.variants if v.id == one.get("variant_id") or ("sku" in one and v.sku == one["sku"])]
            if not found:
                raise Refused(f"product {product.id} has no variant {one.get('sku', one.get('variant_id'))}")
            names = self._set_variant(found[0], one)
            if "sku" in names and product.single:
                product.sku = found[0].sku
            if set(names) - SILENT:
                self._tell_sku("updated", found[0], hooks)
            changed += [n for n in names if n == "sku"]
        for one in body.get("add_variants", ()):
            self._tell_sku("created", self._add_variant(product, one), hooks)
        for sku in body.get("remove_variants", ()):
            variant = self.catalog.by_sku[sku.lower()]
            self._unlink(variant)
            self.catalog.drop_variant(variant)
            self._tell_sku("deleted", variant, hooks)
        if set(changed) - SILENT:
            self.tell("store/product/updated", {"type": "product", "id": product.id}, hooks)
        return {"product_id": product.id, "variant_ids": [v.id for v in product.variants]}

    def delete(self, body):
        product = self._find(body)
        for variant in list(product.variants):
            self._unlink(variant)
            self.catalog.drop_variant(variant)
        del self.catalog.products[product.id]
        self.tell("store/product/deleted", {"type": "product", "id": product.id}, body.get("hooks", True))
        return {"product_id": product.id}

    def change_prices(self, body):
        """A new price for many products at once, each with its webhook (an import fires one per record, bigcommerce.md 5.1)."""
        done = 0
        for product in list(self.catalog.products.values())[:body["count"]]:
            product.price = product.price * body["factor_percent"] // 100
            for variant in product.variants:
                if variant.own_price is not None:
                    variant.own_price = variant.own_price * body["factor_percent"] // 100
            product.modified = time.time()
            self.tell("store/product/updated", {"type": "product", "id": product.id}, body.get("hooks", True))
            done += 1
        return {"products": done}

    # ---------------------------------------------------------------- price lists

    def price_list(self, body):
        """Price lists raise events of their own, and none of products (bigcommerce.md 5.5)."""
        one = self.lists.setdefault(int(body["id"]), {"name": f"List {body['id']}", "active": True, "records": {}})
        for name in ("name", "active"):
            one[name] = body.get(name, one[name])
        touched = []
        for record in body.get("records", ()):
            variant = self.catalog.by_sku[record["sku"].lower()]
            one["records"][variant.id, record["currency"]] = {"price": minor(record.get("price")), "sale_price": minor(record.get("sale_price"))}
            touched.append({"price_list_id": int(body["id"]), "variant_id": variant.id, "currency": record["currency"]})
        gone = []
        for sku in body.get("remove", ()):
            variant = self.catalog.by_sku[sku.lower()]
            for key in [k for k in one["records"] if k[0] == variant.id]:
                del one["records"][key]
                gone.append({"price_list_id": int(body["id"]), "variant_id": key[0], "currency": key[1]})
        for what, rows in (("updated", touched), ("deleted", gone)):
            if len(rows) == 1:
                self.tell(f"store/priceList/record/{what}", rows[0], body.get("hooks", True))
            elif rows:
                self.tell(f"store/priceList/records/{what}", rows, body.get("hooks", True))
        return {"records": len(one["records"])}


def routes(shop):
    """{(method, path): function} for control.Control."""
    web, till = shop.web_catalog, shop.platforms["sitoo"]
    return {("POST", "/bc-product"): lambda b, q, r: web.add(b), ("PUT", "/bc-product"): lambda b, q, r: web.edit(b),
            ("DELETE", "/bc-product"): lambda b, q, r: web.delete(b), ("PUT", "/bc-prices"): lambda b, q, r: web.change_prices(b),
            ("PUT", "/bc-price-list"): lambda b, q, r: web.price_list(b),
            ("POST", "/till-product"): lambda b, q, r: till.by_staff(b, True), ("PUT", "/till-product"): lambda b, q, r: till.by_staff(b, False),
            ("PUT", "/till-price-list"): lambda b, q, r: till.staff_list(b),
            ("GET", "/till-products"): lambda b, q, r: till.look([s for s in q.get("sku", "").split(",") if s]),
            ("GET", "/catalog-oracle"): lambda b, q, r: shop.catalog_oracle.check()}
