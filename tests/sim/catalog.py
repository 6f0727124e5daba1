# SPDX-License-Identifier: Apache-2.0
"""BigCommerce's catalog of the simulated shop: which product holds which variant and how its stock is tracked."""
from world import Sku


class Variant:
    """A variant; a simple product has one, its base variant. unit: index of the variant whose level counts."""

    __slots__ = ("index", "id", "sku_id", "sku", "product", "unit", "world_index", "price")

    def __init__(self, index, sku, product, world_index):
        self.index, self.sku, self.product, self.world_index = index, sku.sku, product, world_index
        self.id = 5000 + index
        self.sku_id = 9000 + index  # v2 SKU id, another number than the variant id (bigcommerce.md 14, trap 2)
        self.price = sku.price
        self.unit = index


class Product:
    """tracking: none, product or variant."""

    __slots__ = ("id", "name", "sku", "tracking", "variants", "single")

    def __init__(self, number, name, sku, tracking, single):
        self.id, self.name, self.sku, self.tracking, self.single = number, name, sku, tracking, single
        self.variants = []

    @property
    def base_variant_id(self):
        """null for products with variants (bigcommerce.md 8)."""
        return self.variants[0].id if self.single else None


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
        product = Product(200 + len(self.products), name, sku, tracking, single)
        self.products[product.id] = product
        return product

    def _add(self, sku, product):
        variant = Variant(len(self.variants), sku, product, sku.index if sku.index >= 0 else None)
        self.variants.append(variant)
        self.by_id[variant.id] = variant
        self.by_sku[variant.sku.lower()] = variant
        product.variants.append(variant)
        if product.tracking == "product":
            variant.unit = product.variants[0].index
        if variant.world_index is not None:
            self.of_world[variant.world_index] = variant

    def usable(self, world_index):
        """The variant whose level is this SKU's own, or None: absent, untracked, or sharing a product's level."""
        variant = self.of_world.get(world_index)
        if variant is None or variant.product.tracking == "none":
            return None
        if variant.product.tracking == "product" and not variant.product.single:
            return None
        return variant
