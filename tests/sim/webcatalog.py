# SPDX-License-Identifier: Apache-2.0
"""Edits of BigCommerce's catalog by its staff, and the webhooks that they raise (bigcommerce.md 5.5, 8)."""
import copy
import time
from decimal import Decimal

from units import Refused
from webimages import picture_name
from webprices import amount

# Changes that store/product/updated is raised for; image: the first thumbnail. Not in the list: GTIN, MPN, anything of a variant
# (bigcommerce.md 5.5).
TELLING = {"name", "sku", "upc", "price", "sale_price", "retail_price", "tax_class_id", "is_visible", "availability",
           "categories", "brand_id", "description", "inventory_tracking", "image"}
SILENT = {"gtin", "mpn", "type"}
MONEY = ("price", "sale_price", "retail_price")
VARIANT_TEXTS = ("upc", "gtin", "mpn")
VARIANT_FIELDS = {*MONEY, *VARIANT_TEXTS, "purchasing_disabled", "options", "image"}
COLOURS = ("Red", "Blue", "Green", "Black", "White", "Grey", "Pink", "Brown")
SIZES = ("XS", "S", "M", "L", "XL", "XXL")
MOST_VARIANTS = 600


def ean(number):
    """An EAN-13 with its check digit, of the range for use within a shop."""
    digits = f"20{number:010d}"
    return digits + str(-sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(digits)) % 10)


class WebCatalog:
    """Changes the Catalog; levels, the oracle and orders follow. tell(scope, data): the webhooks."""

    def __init__(self, catalog, inventory, world, orders, oracle, price_lists, tell):
        self.catalog, self.inventory, self.world, self.orders = catalog, inventory, world, orders
        self.oracle, self.price_lists, self.tell = oracle, price_lists, tell
        self.last_option, self.last_image = 100000, 300
        self.left = set()  # SKUs that BigCommerce does not have any more although Sitoo had them then
        world.on_sku = self.sitoo_changed

    # ---------------------------------------------------------------- the other side

    def sitoo_changed(self, index, old, new):
        """A SKU came, went or changed its name in Sitoo: its stock belongs to the variant of exactly that SKU."""
        self.oracle.forget()
        before = self.catalog.of_world.pop(index, None)
        if before is not None:
            lines = [(order, line) for order in self.orders.orders for line in order.lines if line.variant.world_index == index]
            for order, line in lines:
                self.orders.let_go(order, [line])
            for variant in {before, *(line.variant for _, line in lines)}:
                variant.world_index = None
        if new is not None:
            self._join(self.catalog.by_sku.get(new.lower()))

    def _join(self, variant):
        index = self.world.index_of.get(variant.sku) if variant is not None else None
        if index is None or variant.world_index is not None:
            return
        variant.world_index = index
        self.catalog.of_world[index] = variant
        self.oracle.forget()
        for order in self.orders.strangers.pop(variant.sku, {}).values():
            for line in order.lines:
                if line.variant.world_index is None and line.variant.sku == variant.sku:
                    line.variant.world_index = index  # one that was renamed since
            self.orders.settle_again(order)

    # ---------------------------------------------------------------- finding

    def product(self, body):
        products = self.catalog.products
        if "product_id" in body:
            product = products.get(int(body["product_id"]))
        else:
            name = str(body["sku"]).lower()
            variant = self.catalog.by_sku.get(name)
            product = variant.product if variant else self.catalog.main_skus.get(name)
        if product is None:
            raise Refused("BigCommerce has no such product")
        return product

    @staticmethod
    def _of(product, row):
        for variant in product.variants:
            if variant.id == row.get("variant_id") or ("variant_id" not in row and variant.sku == row.get("sku")):
                return variant
        raise Refused(f"product {product.id} has no variant {row.get('variant_id', row.get('sku'))}")

    def _free(self, name, product=None):
        """SKUs are unique over products and variants, letter case aside (bigcommerce.md 8)."""
        other = self.catalog.by_sku.get(name.lower())
        main = self.catalog.main_skus.get(name.lower())
        if name and (other is not None and other.product is not product or main is not None and main is not product):
            raise Refused(f"SKU {name} is in use")

    # ---------------------------------------------------------------- fields

    def _set_main_sku(self, product, name):
        self._free(name, product)
        if self.catalog.main_skus.get(product.sku.lower()) is product:
            del self.catalog.main_skus[product.sku.lower()]
        product.sku = name
        if name:
            self.catalog.main_skus[name.lower()] = product
        if product.single and product.variants:
            self._rename(product.variants[0], name)

    def _rename(self, variant, name):
        """Orders keep the SKU that they were placed with: their lines get a copy of the old variant."""
        catalog, old = self.catalog, variant.sku
        if name == old:
            return
        self._free(name, variant.product)
        self._leave(old)
        ghost = copy.copy(variant)
        for order in self.orders.orders:
            for line in order.lines:
                if line.variant is variant:
                    line.variant = ghost
        if catalog.by_sku.get(old.lower()) is variant:
            del catalog.by_sku[old.lower()]
        if variant.world_index is not None and catalog.of_world.get(variant.world_index) is variant:
            del catalog.of_world[variant.world_index]
        variant.sku, variant.world_index = name, None
        if name:
            catalog.by_sku[name.lower()] = variant
        self.oracle.forget()
        self._join(variant)

    def _set_product(self, product, fields):
        """Returns the names that changed."""
        changed = set()
        for name, value in fields.items():
            if name not in TELLING | SILENT:
                raise Refused(f"{name} is no field of a product")
            before = self._field(product, name)
            if name == "sku":
                self._set_main_sku(product, value)
            elif name in MONEY:
                setattr(product, name, Decimal(0) if value is None else amount(value))
            elif name == "name":
                product.name = str(value)
            elif name == "image":
                self._set_image(product, picture_name(value))
            elif name == "inventory_tracking":
                product.tracking = value
                self.oracle.forget()
            else:
                product.fields[name] = value
            if self._field(product, name) != before:
                changed.add(name)
        return changed

    def _set_image(self, product, name):
        """Another picture has another id."""
        if name != product.image:
            self.last_image += 1
            product.image, product.image_id, product.image_modified = name, self.last_image, int(time.time())

    @staticmethod
    def _field(product, name):
        name = "tracking" if name == "inventory_tracking" else name
        return product.fields[name] if name in product.fields else getattr(product, name)

    def _options(self, product, given):
        """[{"name","label"}] as [(option id, name, value id, label)]."""
        made = []
        for one in given:
            if one["name"] not in product.option_ids:
                self.last_option += 1
                product.option_ids[one["name"]] = (self.last_option, {})
            number, labels = product.option_ids[one["name"]]
            if one["label"] not in labels:
                self.last_option += 1
                labels[one["label"]] = self.last_option
            made.append((number, one["name"], labels[one["label"]], one["label"]))
        return made

    def _set_variant(self, variant, fields):
        changed = set()
        for name, value in fields.items():
            if name in ("sku", "variant_id"):
                continue
            if name == "new_sku":
                if value != variant.sku:
                    changed.add("sku")
                    self._rename(variant, value)
                continue
            if name not in VARIANT_FIELDS:
                raise Refused(f"{name} is no field of a variant")
            slot = "own_price" if name == "price" else name
            before = getattr(variant, slot)
            if name in MONEY:
                value = None if value is None else amount(value)
            elif name == "options":
                value = self._options(variant.product, value)
            elif name == "image":
                value = picture_name(value)
            setattr(variant, slot, value)
            if value != before:
                changed.add(name)
        return changed

    # ---------------------------------------------------------------- products

    def _new_variant(self, product, fields):
        if len(product.variants) >= MOST_VARIANTS:
            raise Refused(f"a product has at most {MOST_VARIANTS} variants")
        name = fields.get("sku", "")
        self._free(name, product)
        if name and name.lower() in self.catalog.by_sku:
            raise Refused(f"SKU {name} is in use")
        variant = self.catalog.new_variant(product, name, None)
        self.inventory.grow()
        self._set_variant(variant, fields)
        self._join(variant)
        return variant

    def create(self, body, hooks=True):
        """POST /bc-product. Without variants it is a simple product."""
        fields = {name: value for name, value in body.items() if name not in ("variants", "hooks", "inventory_tracking")}
        rows = body.get("variants") or []
        name = fields.get("sku", "")
        self._free(name)
        if name and name.lower() in self.catalog.by_sku:
            raise Refused(f"SKU {name} is in use")
        tracking = body.get("inventory_tracking", "variant" if rows else "product")
        product = self.catalog._product(fields.pop("name"), fields.pop("sku", ""), tracking, not rows)
        self._set_product(product, fields)
        for row in rows or [{"sku": product.sku}]:
            self._new_variant(product, row)
        product.modified = int(time.time())
        if hooks and body.get("hooks", True):
            self._tell_product("created", product)
            for variant in () if product.single else product.variants:
                self._tell_sku("created", variant)
        return self.answer(product)

    def change(self, body):
        """PUT /bc-product."""
        product = self.product(body)
        fields = {name: value for name, value in body.items() if name not in (
            "product_id", "variants", "add_variants", "remove_variants", "hooks", "new_sku")}
        if "product_id" not in body:
            fields.pop("sku", None)  # it only names the product
        if "new_sku" in body:
            fields["sku"] = body["new_sku"]
        says = body.get("hooks", True)
        changed = self._set_product(product, fields)
        if changed:
            product.modified = int(time.time())
        touched = []
        for row in body.get("variants", []):
            variant = self._of(product, row)
            if product.single and "new_sku" in row:
                row = {**row}
                changed |= self._set_product(product, {"sku": row.pop("new_sku")})
            moved = self._set_variant(variant, row)
            if product.single:
                for name in [n for n in VARIANT_TEXTS if n in row]:
                    product.fields[name] = row[name]
                changed |= moved - {"image"}  # that of the base variant is not the product's
            elif moved - {"gtin", "mpn"}:  # as for products: assumed
                touched.append(variant)
        gone = [self._of(product, {"sku": name}) for name in body.get("remove_variants", [])]
        added = self._add_variants(product, body.get("add_variants", []))
        for variant in gone:
            self._drop(variant)
        if not product.variants:  # without options it is a simple product again
            product.single, product.tracking = True, "product" if product.tracking == "variant" else product.tracking
            self._new_variant(product, {"sku": product.sku})
        if says:
            if changed & TELLING:
                self._tell_product("updated", product)
            for what, some in (("updated", touched), ("created", added), ("deleted", gone)):
                for variant in some:
                    self._tell_sku(what, variant)
        return self.answer(product)

    def _add_variants(self, product, rows):
        """The base variant of a simple product goes when it gets options."""
        if not rows:
            return []
        if product.single:
            names = {row.get("sku", "").lower() for row in rows}
            base = product.variants[0]
            product.single = False
            self._drop(base)
            if product.sku.lower() in names:
                del self.catalog.main_skus[product.sku.lower()]
                product.sku = ""
            if product.tracking == "product":
                product.tracking = "variant"
        return [self._new_variant(product, row) for row in rows]

    def _leave(self, name):
        if name in self.world.index_of:
            self.left.add(name)

    def _drop(self, variant):
        catalog = self.catalog
        self._leave(variant.sku)
        variant.gone = True
        variant.product.variants.remove(variant)
        self.price_lists.forget(variant)
        del catalog.by_id[variant.id]
        if catalog.by_sku.get(variant.sku.lower()) is variant:
            del catalog.by_sku[variant.sku.lower()]
        if catalog.of_world.get(variant.world_index) is variant:
            del catalog.of_world[variant.world_index]
        self.oracle.forget()

    def delete(self, body):
        """DELETE /bc-product."""
        product = self.product(body)
        answer, variants, single = self.answer(product), list(product.variants), product.single
        for variant in variants:
            self._drop(variant)
        if self.catalog.main_skus.get(product.sku.lower()) is product:
            del self.catalog.main_skus[product.sku.lower()]
        del self.catalog.products[product.id]
        if body.get("hooks", True):
            for variant in () if single else variants:
                self._tell_sku("deleted", variant)
            self._tell_product("deleted", product)
        return answer

    def all_prices(self, factor_percent, count=None):
        """PUT /bc-prices: an import that changes many prices, one event each."""
        products = sorted(self.catalog.products.values(), key=lambda p: p.id)[:count]
        factor = amount(factor_percent) / 100

        def times(price):
            return (price * factor).quantize(Decimal("0.01"))

        for product in products:
            product.price = times(product.price)
            product.modified = int(time.time())
            for variant in product.variants:
                if variant.own_price is not None:
                    variant.own_price = times(variant.own_price)
            self._tell_product("updated", product)
        return {"products": len(products)}

    @staticmethod
    def answer(product):
        return {"product_id": product.id, "variant_ids": [v.id for v in product.variants],
                "skus": [v.sku for v in product.variants]}

    def _tell_product(self, what, product):
        self.tell(f"store/product/{what}", {"type": "product", "id": product.id})

    def _tell_sku(self, what, variant):
        """data.id is the v2 SKU id (bigcommerce.md 14, trap 2)."""
        self.tell(f"store/sku/{what}", {"type": "sku", "id": variant.sku_id, "sku": {
            "product_id": variant.product.id, "variant_id": variant.id}})

    # ---------------------------------------------------------------- a catalog that Sitoo has yet to get

    def fill(self, count, family_size):
        """count variants with SKUs WEB-000001 and on, families of family_size; no events."""
        family_size = max(1, min(family_size, len(COLOURS) * len(SIZES)))
        number = 0
        while number < count:
            rows = []
            price = Decimal(100 + number * 37 % 2000)
            for position in range(min(family_size, count - number)):
                number += 1
                rows.append({"sku": f"WEB-{number:06d}", "gtin": ean(number), "options": [
                    {"name": "Color", "label": COLOURS[position // len(SIZES)]},
                    {"name": "Size", "label": SIZES[position % len(SIZES)]}]})
            if family_size == 1:
                self.create({"name": f"Web product {number}", "price": price, "sku": rows[0]["sku"], "gtin": rows[0]["gtin"]}, False)
            else:
                self.create({"name": f"Web family {number}", "price": price, "variants": rows}, False)


def routes(shop):
    """{(method, path): function} for control.Control."""
    web, bigcommerce = shop.web, shop.platforms["bigcommerce"]
    return {
        ("POST", "/bc-product"): lambda body, query, request: web.create(body),
        ("PUT", "/bc-product"): lambda body, query, request: web.change(body),
        ("DELETE", "/bc-product"): lambda body, query, request: web.delete(body),
        ("PUT", "/bc-prices"): lambda body, query, request: web.all_prices(body["factor_percent"], body.get("count")),
        ("PUT", "/bc-price-list"): lambda body, query, request: bigcommerce.price_lists.change(
            body, bigcommerce.webhooks.raise_event, bigcommerce.currency)}
