# SPDX-License-Identifier: Apache-2.0
"""The rows of a web order: what a shopper put into the basket, as lines of an order (bigcommerce.md 9, Line).

A row of the control interface becomes one line, a bundle becomes the line of its parent and one for each component.
"""
from typing import NamedTuple, Optional

from units import Refused

MOST_ROWS = 500  # of one order, components included
TEXT_MAX = 1000  # characters of a name, or of one text of an option
OPTIONS_MAX = 50
KNOWN = {"sku", "quantity", "price", "line_discount", "name", "options", "digital", "gift_certificate", "bundle", "vat",
         "tax_class"}
DIGITAL, GIFT_CERTIFICATE, PHYSICAL = "digital", "giftcertificate", "physical"  # orders.v2, orderProducts.type


class NoProduct:
    """Stands for a product without stock: something to download, a gift certificate, the parent of a bundle that is no
    product of this catalog. id 0, as custom products have (bigcommerce.md 9)."""

    tracking, single, base_variant_id = "none", True, None

    def __init__(self, name, number=0):
        self.id, self.name, self.variants = number, name, []


class NoStock:
    """A variant that has no level: what catalog.Variant has, with nothing behind it."""

    unit = world_index = sku_id = None

    def __init__(self, sku, name, like=None):
        """like: a catalog.Variant whose ids and price it takes over."""
        self.sku = sku
        self.product = NoProduct(like.product.name if like else name, like.product.id if like else 0)
        self.id, self.price = (like.id, like.price) if like else (0, 0)


class Wanted(NamedTuple):
    """One line to be. parent: position of the bundle's line; row: the control row it came from."""

    variant: object
    quantity: int
    row: dict = {}
    kind: str = PHYSICAL
    parent: Optional[int] = None


class Line:
    """One order row. most: the largest quantity that it had. held: units that count as pending now. Money in minor units: price of one, discounts of the line and
    its share of the order's, all with tax. vat: percent, None = the order's. parent: Line of the bundle or None."""

    __slots__ = ("id", "variant", "quantity", "most", "refunded", "held", "shipped", "price", "discount", "order_discount", "kind",
                 "parent", "is_bundle", "name", "options", "vat", "tax_class", "stranger")

    def __init__(self, number, wanted):
        self.id, self.variant, self.quantity, self.kind = number, wanted.variant, wanted.quantity, wanted.kind
        self.most = self.quantity
        self.refunded = self.held = self.shipped = self.discount = self.order_discount = 0
        self.price = wanted.variant.price
        self.parent, self.is_bundle = None, False
        self.stranger = wanted.variant.world_index is None  # Sitoo did not have the SKU when it was ordered
        self.name = wanted.row.get("name") or wanted.variant.product.name
        self.options = wanted.row.get("options", [])
        self.vat, self.tax_class = wanted.row.get("vat"), wanted.row.get("tax_class", 0)

    @property
    def paid(self):
        """What the shopper paid for the line, with tax."""
        return self.quantity * self.price - self.discount - self.order_discount

    @property
    def physical(self):
        return self.kind == PHYSICAL

    @property
    def holds(self):
        """Whether it takes goods: a bundle is counted by its components, never by both (design: pending rows)."""
        return self.physical and not self.is_bundle and self.variant.world_index is not None

    @property
    def to_ship(self):
        """Units that neither left nor were refunded."""
        return max(0, self.quantity - self.shipped - self.refunded) if self.physical else 0


def _text(row, name):
    value = row.get(name, "")
    if not isinstance(value, str) or len(value) > TEXT_MAX:
        raise Refused(f"{name} must be a text of at most {TEXT_MAX} characters")
    return value


def _whole(value, name, least):
    if type(value) is not int or value < least:
        raise Refused(f"{name} must be a whole number {'above 0' if least == 1 else f'from {least}'}")
    return value


def _check(row):
    """Refused, or the row."""
    if not isinstance(row, dict):
        raise Refused("a row must be an object")
    unknown = set(row) - KNOWN
    if unknown:
        raise Refused(f"{sorted(unknown)} are no part of a row")
    _text(row, "name")
    options = row.get("options", [])
    if not isinstance(options, list) or len(options) > OPTIONS_MAX:
        raise Refused(f"options must be a list of at most {OPTIONS_MAX}")
    for option in options:
        if not isinstance(option, dict) or not {"name", "value"} <= set(option):
            raise Refused("an option needs name and value")
        for name in option:
            _text({name: str(option[name])}, name)
    if row.get("vat") is not None and type(row["vat"]) not in (int, float):
        raise Refused("vat must be a number of percent")
    _whole(row.get("tax_class", 0), "tax_class", 0)
    if sum(bool(row.get(name)) for name in ("digital", "gift_certificate", "bundle")) > 1:
        raise Refused("a row is one of digital, gift_certificate and bundle")
    return row


def _one(catalog, row, times=1, parent=None):
    quantity = times * _whole(row.get("quantity", 1), "quantity", 1)
    if row.get("gift_certificate"):
        return Wanted(NoStock("", "Gift certificate"), quantity, row, GIFT_CERTIFICATE, parent)
    sku = str(row["sku"])
    known = catalog.by_sku.get(sku.lower())
    if row.get("digital"):
        return Wanted(NoStock(sku, f"Download {sku}", known), quantity, row, DIGITAL, parent)
    if known is None and row.get("bundle"):
        known = NoStock(sku, f"Bundle {sku}")
    if known is None:
        raise Refused(f"BigCommerce has no SKU {row['sku']}")
    return Wanted(known, quantity, row, PHYSICAL, parent)


def wanted(catalog, rows):
    """[Wanted] of control rows, a bundle's components right behind it. A component's quantity is that of one bundle, and
    its price is 0 unless it has one (recorded/bigcommerce/api_v2_order_products.json)."""
    if not isinstance(rows, list) or not rows:
        raise Refused("rows must not be empty")
    found = []
    for row in rows:
        one = _one(catalog, _check(row))
        position = len(found)
        found.append(one)
        parts = row.get("bundle") or []
        if not isinstance(parts, list):
            raise Refused("bundle must be a list of rows")
        for part in parts:
            if _check(part).get("bundle"):
                raise Refused("a component is no bundle itself")
            found.append(_one(catalog, {"price": 0, **part}, one.quantity, position))
    if len(found) > MOST_ROWS:
        raise Refused(f"an order has at most {MOST_ROWS} rows, not {len(found)}")
    return found


def lines(found, first_id):
    """[Line] of [Wanted], ids rising by one from first_id."""
    made = [Line(first_id + position, one) for position, one in enumerate(found)]
    for line, one in zip(made, found):
        if one.parent is not None:
            line.parent = made[one.parent]
            line.parent.is_bundle = True
    return made
