# SPDX-License-Identifier: Apache-2.0
"""BigCommerce's catalog of the simulated shop: which product holds which variant and how its stock is tracked."""
from decimal import ROUND_HALF_UP, Decimal

from world import Sku

# Of a product, with their defaults (bigcommerce.md 8, Fields we use).
FIELDS = {"type": "physical", "tax_class_id": 0, "brand_id": 0, "categories": [], "is_visible": True,
          "availability": "available", "upc": "", "gtin": "", "mpn": "", "description": ""}


class Variant:
    """A variant; a simple product has one, its base variant. unit: index of the variant whose level counts. Money is Decimal
    in units of the currency, None = the product's; options: [(option id, name, value id, label)]; gone: not listed any more; image: as
    of a product."""

    __slots__ = ("index", "id", "sku_id", "sku", "product", "unit", "world_index", "own_price", "sale_price", "retail_price",
                 "upc", "gtin", "mpn", "image", "purchasing_disabled", "options", "gone")

    def __init__(self, index, name, product, world_index, own_price=None):
        self.index, self.sku, self.product, self.world_index = index, name, product, world_index
        self.id = 5000 + index
        self.sku_id = 9000 + index  # v2 SKU id, another number than the variant id (bigcommerce.md 14, trap 2)
        self.own_price, self.sale_price, self.retail_price = own_price, None, None
        self.upc = self.gtin = self.mpn = self.image = ""
        self.purchasing_disabled, self.gone, self.options = False, False, []
        self.unit = index

    @property
    def list_price(self):
        return self.product.price if self.own_price is None else self.own_price

    @property
    def on_sale_at(self):
        """The sale price that counts, None = none. 0 is none (bigcommerce.md 8), of a variant: the product's (assumed)."""
        return self.sale_price or self.product.sale_price or None

    @property
    def effective(self):
        """What a shopper pays by the catalog."""
        price, sale = self.list_price, self.on_sale_at
        return price if sale is None else min(price, sale)

    @property
    def price(self):
        """The same in hundredths."""
        return int((self.effective * 100).to_integral_value(ROUND_HALF_UP))


class Product:
    """tracking: none, product or variant. fields: what GET of a product answers and nothing else looks at. image: name of its picture
    (webimages.py), "" = none."""

    __slots__ = ("id", "name", "sku", "tracking", "variants", "single", "price", "sale_price", "retail_price", "fields",
                 "modified", "option_ids", "image", "image_id", "image_modified")

    def __init__(self, number, name, sku, tracking, single):
        self.id, self.name, self.sku, self.tracking, self.single = number, name, sku, tracking, single
        self.variants = []
        self.price, self.sale_price, self.retail_price = Decimal(0), Decimal(0), Decimal(0)
        self.fields = dict(FIELDS)
        self.modified = None  # seconds, None = long before the start
        self.image, self.image_id, self.image_modified = "", 0, 0
        self.option_ids = {}  # option name -> (id, {label: value id})

    @property
    def base_variant_id(self):
        """null for products with variants (bigcommerce.md 8)."""
        return self.variants[0].id if self.single else None


class Catalog:
    """products by id, variants by id and by SKU (letter case does not count, bigcommerce.md 8)."""

    def __init__(self, skus):
        self.products, self.variants, self.by_id, self.by_sku = {}, [], {}, {}
        self.main_skus = {}  # lower case SKU of a product -> Product
        self.made = 0        # products ever
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
        product = Product(200 + self.made, name, sku, tracking, single)
        self.made += 1
        self.products[product.id] = product
        if sku:
            self.main_skus[sku.lower()] = product
        return product

    def _add(self, sku, product):
        """A variant of the shop's start."""
        price = Decimal(sku.price) / 100
        variant = self.new_variant(product, sku.sku, sku.index if sku.index >= 0 else None, None if product.single else price)
        if not product.variants[1:]:
            product.price = price
        if not product.single:
            variant.options = [(product.id, "Kind", 100 + variant.index, sku.sku)]

    def new_variant(self, product, name, world_index, own_price=None):
        """name may be "": a variant without SKU."""
        variant = Variant(len(self.variants), name, product, world_index, own_price)
        self.variants.append(variant)
        self.by_id[variant.id] = variant
        if name:
            self.by_sku[name.lower()] = variant
        product.variants.append(variant)
        if product.tracking == "product":
            variant.unit = product.variants[0].index
        if world_index is not None:
            self.of_world[world_index] = variant
        return variant

    def listed(self):
        """The variants that are there."""
        return [v for v in self.variants if not v.gone]

    def usable(self, world_index):
        """The variant whose level is this SKU's own, or None: absent, untracked, or sharing a product's level."""
        variant = self.of_world.get(world_index)
        if variant is None or variant.product.tracking == "none":
            return None
        if variant.product.tracking == "product" and not variant.product.single:
            return None
        return variant
