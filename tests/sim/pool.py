# SPDX-License-Identifier: Apache-2.0
"""The formula: what every mapped BigCommerce location should offer of every SKU.

    net(SKU, w)     = on hand - reserved - pending allocated to w - withheld at w
    level(SKU, loc) = whole units of max(0, sum of net over the warehouses of loc - pending not yet allocated)

The sums are kept up to date change by change, so that reading one is free; recount() computes them anew from the parts.
"""
from array import array


class Pool:
    """All quantities in thousandths, SKUs and warehouses by index in World.skus and by Sitoo's warehouse id."""

    def __init__(self, mapping, sku_count, warehouse_ids):
        self.mapping = mapping
        self.sku_count = sku_count
        zeros = bytes(8 * sku_count)
        self.total = {w: array("q", zeros) for w in warehouse_ids}
        self.reserved = {w: array("q", zeros) for w in warehouse_ids}
        self.sums = {location: array("q", zeros) for location in mapping.feeds}
        self.withheld = {}   # (sku, warehouse) -> thousandths
        self.allocated = {}  # (sku, warehouse) -> thousandths pending there
        self.free = {}       # sku -> thousandths pending nowhere in particular
        self.on_pending = None  # told of every add_pending (handover.Handover)

    def grow(self):
        """Sitoo has one SKU more."""
        self.sku_count += 1
        for column in (*self.total.values(), *self.reserved.values(), *self.sums.values()):
            column.append(0)

    def level(self, sku, location):
        """Whole units."""
        return max(0, self.sums[location][sku]) // 1000

    def levels(self, sku, locations):
        return [(location, self.level(sku, location)) for location in locations]

    def _shift(self, sku, locations, delta):
        for location in locations:
            self.sums[location][sku] += delta

    def add_stock(self, sku, warehouse, total=0, reserved=0, withheld=0):
        """Changes what Sitoo knows of one SKU in one warehouse."""
        self.total[warehouse][sku] += total
        self.reserved[warehouse][sku] += reserved
        if withheld:
            self.withheld[sku, warehouse] = self.withheld.get((sku, warehouse), 0) + withheld
        self._shift(sku, self.mapping.of.get(warehouse, ()), total - reserved - withheld)

    def add_pending(self, sku, warehouse, quantity):
        """A web order row holds this much; warehouse None = not allocated yet."""
        if warehouse is None:
            self.free[sku] = self.free.get(sku, 0) + quantity
            self._shift(sku, self.mapping.free_at, -quantity)
        else:
            self.allocated[sku, warehouse] = self.allocated.get((sku, warehouse), 0) + quantity
            self._shift(sku, self.mapping.of.get(warehouse, ()), -quantity)
        if self.on_pending is not None:
            self.on_pending(sku, warehouse, quantity)

    def parts(self, sku, location):
        """The sum for one level, part by part, in thousandths; computed from the parts alone."""
        rows, net = [], 0
        for w in self.mapping.feeds[location]:
            if w not in self.total:
                continue
            row = {"warehouse": w, "on_hand": self.total[w][sku], "reserved": self.reserved[w][sku],
                   "pending": self.allocated.get((sku, w), 0), "withheld": self.withheld.get((sku, w), 0)}
            row["net"] = row["on_hand"] - row["reserved"] - row["pending"] - row["withheld"]
            net += row["net"]
            rows.append(row)
        free = self.free.get(sku, 0) if location in self.mapping.free_at else 0
        return {"warehouses": rows, "unallocated_pending": free, "sum": net - free,
                "level": max(0, net - free) // 1000, "unit": "thousandths, level in whole units"}

    def recount(self):
        """Places where the running sum differs from the parts: always empty unless the simulator itself is wrong."""
        return [(sku, location) for location in self.sums for sku in range(self.sku_count)
                if self.sums[location][sku] != self.parts(sku, location)["sum"]]
