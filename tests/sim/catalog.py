# SPDX-License-Identifier: Apache-2.0
"""BigCommerce's catalog of the simulated shop: which product holds which variant and how its stock is tracked."""
from world import Sku


class Variant:
    """A variant; a simple product has one, its base variant. unit: index of the variant whose level counts. own_price, sale_price,
    retail_price: hundredths, None = the product's. options: [(name, label)]."""

    __slots__ = ("index", "id", "sku_id", "sku", "product", "unit", "world_index", "own_price", "sale_price", "retail_price", "upc",
                 "gtin", "purchasing_disabled", "options")

    def __init__(self, index, sku, product, world_index, price):
        self.index, self.sku, self.product, self.world_index = index, sku, product, world_index
        self.id = 5000 + index
        self.sku_id = 9000 + index  # v2 SKU id, another number than the variant id (bigcommerce.md 14, trap 2)
        self.unit = index
        self.own_price, self.sale_price, self.retail_price = price, None, None
        self.upc = self.gtin = ""
        self.purchasing_disabled = False
        self.options = [] if product.single else [("Kind", sku)]

    @property
    def price(self):
        """What it costs, hundredths."""
        return self.product.price if self.own_price is None else self.own_price


class Product:
    """tracking: none, product or variant. Prices in hundredths; a sale or retail price of 0 is none."""

    __slots__ = ("id", "name", "sku", "tracking", "variants", "single", "price", "sale_price", "retail_price", "tax_class_id", "brand_id",
                 "categories", "is_visible", "availability", "upc", "gtin", "type", "description", "modified")

    def __init__(self, number, name, sku, tracking, single):
        self.id, self.name, self.sku, self.tracking, self.single = number, name, sku, tracking, single
        self.variants = []
        self.price = self.sale_price = self.retail_price = 0
        self.tax_class_id = self.brand_id = 0
        self.categories, self.is_visible, self.availability = [], True, "available"
        self.upc = self.gtin = self.description = ""
        self.type, self.modified = "physical", 1646136000.0

    @property
    def base_variant_id(self):
        """null for products with variants (bigcommerce.md 8)."""
        return self.variants[0].id if self.single and self.variants else None


class Catalog:
    """products by id, variants by id and by SKU (letter case does not count, bigcommerce.md 8)."""

    def __init__(self, skus):
        self.products, self.variants, self.by_id, self.by_sku = {}, [], {}, {}
        self.of_world = {}  # world SKU index -> Variant
        family, size, wrong = None, 0, None
        for sku in skus:
            if sku.kind == "absent":
                continue
            if sku.kind == "simple":
                self._add(sku, self._product(sku.title, sku.sku, "product", True))
            elif sku.kind == "none":
                self._add(sku, self._product(sku.title, sku.sku, "none", True))
            elif sku.kind == "wrong":
                # Tracked by product although it has several variants: a variant SKU has no level of its own.
                wrong = wrong or self._product("Two colours, one stock", "WRONG-1", "product", False)
                self._add(sku, wrong)
            else:
                if family is None or len(family.variants) >= size:
                    family, size = self._product(f"Family of {sku.sku}", "", "variant", False), 1 + sku.index % 5
                self._add(sku, family)
        # One that Sitoo does not know.
        self._add(Sku(-1, "BC-ONLY-1", "web", 1000), self._product("Only on the web", "BC-ONLY-1", "product", True))

    def _product(self, name, sku, tracking, single):
        self.last_product = getattr(self, "last_product", 199) + 1
        product = Product(self.last_product, name, sku, tracking, single)
        self.products[product.id] = product
        return product

    def _add(self, sku, product):
        variant = Variant(len(self.variants), sku.sku, product, sku.index if sku.index >= 0 else None, sku.price)
        product.price = product.price or sku.price
        self._keep(variant)

    def _keep(self, variant):
        product = variant.product
        self.variants.append(variant)
        self.by_id[variant.id] = variant
        if variant.sku:
            self.by_sku[variant.sku.lower()] = variant
        product.variants.append(variant)
        if product.tracking == "product":
            variant.unit = product.variants[0].index
        if variant.world_index is not None:
            self.of_world[variant.world_index] = variant

    # ---------------------------------------------------------------- changed while the shop runs (webcatalog.py)

    def live(self):
        """Variants that are still there; their levels stay where they are."""
        return [v for v in self.variants if v.id in self.by_id]

    def add_product(self, name, sku, tracking, single):
        return self._product(name, sku, tracking, single)

    def add_variant(self, product, sku):
        variant = Variant(len(self.variants), sku, product, None, None)
        self._keep(variant)
        return variant

    def drop_variant(self, variant):
        variant.product.variants.remove(variant)
        del self.by_id[variant.id]
        if variant.sku:
            del self.by_sku[variant.sku.lower()]

    def rename(self, variant, sku):
        if variant.sku:
            del self.by_sku[variant.sku.lower()]
        variant.sku = sku
        if sku:
            self.by_sku[sku.lower()] = variant

    def usable(self, world_index):
        """The variant whose level is this SKU's own, or None: absent, untracked, or sharing a product's level."""
        variant = self.of_world.get(world_index)
        if variant is None or variant.product.tracking == "none":
            return None
        if variant.product.tracking == "product" and not variant.product.single:
            return None
        return variant
