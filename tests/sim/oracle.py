# SPDX-License-Identifier: Apache-2.0
"""Says what every mapped level should be, and compares it with BigCommerce after all writes have landed."""
from units import plain


class Oracle:
    """For every SKU with a usable BigCommerce item and every mapped location."""

    def __init__(self, world, catalog, inventory, mapping):
        self.world, self.catalog, self.inventory, self.mapping = world, catalog, inventory, mapping
        self._checked = None

    @property
    def checked(self):
        """[(SKU index, unit)] of what is compared."""
        if self._checked is None:
            self._checked = [(index, variant.unit) for index in self.world.live_skus()
                             if (variant := self.catalog.usable(index)) is not None]
        return self._checked

    def forget(self):
        """A SKU came, went or changed its name on either side."""
        self._checked = None

    def set_levels_right(self):
        """The shop opens with every level equal to the formula."""
        pool, inventory = self.world.pool, self.inventory
        for location in self.mapping.feeds:
            for index, unit in self.checked:
                inventory.put(location, unit, pool.level(index, location))

    def level(self, index, location):
        """What BigCommerce shows now; None without a usable item or without such a location."""
        variant = self.catalog.usable(index)
        if variant is None or location not in self.inventory.level:
            return None
        return self.inventory.level[location][variant.unit]

    def target(self, index, location):
        """The value of the last write still on its way, or None."""
        variant = self.catalog.usable(index)
        return None if variant is None else self.inventory.target(location, variant.unit)

    def check(self, feed_queue, full=False):
        """{"ok", "checked", "mismatches", "feed_queue", "landing"}; full also proves the running sums."""
        pool, levels = self.world.pool, self.inventory.level
        flying = self.inventory.after_landing()
        wrong, checked = [], 0
        for location in self.mapping.feeds:
            sums, stored = pool.sums[location], levels[location]
            checked += len(self.checked)
            for index, unit in self.checked:
                expected = max(0, sums[index]) // 1000
                actual = stored[unit] if not flying else flying.get((location, unit), stored[unit])
                if expected != actual:
                    wrong.append((index, location, expected, actual))
        answer = {"ok": not wrong, "checked": checked, "wrong": len(wrong), "feed_queue": feed_queue,
                  "landing": len(self.inventory.flying),
                  "mismatches": [{"sku": self.world.skus[i].sku, "location": location, "expected": expected,
                                  "actual": actual, "parts": self.parts(i, location)}
                                 for i, location, expected, actual in wrong[:100]]}
        if full:
            answer["sums_wrong"] = pool.recount()
            answer["covered_wrong"] = self.world.follower.recount() if self.world.follower is not None else []
            answer["ok"] = answer["ok"] and not answer["sums_wrong"] and not answer["covered_wrong"]
        return answer

    def list_wrong(self):
        """Every level that is not right: {"sku", "location", "expected", "actual"}, without the parts."""
        flying, found = self.inventory.after_landing(), []
        for location in self.mapping.feeds:
            for index, unit in self.checked:
                expected = self.world.pool.level(index, location)
                actual = flying.get((location, unit), self.inventory.level[location][unit])
                if expected != actual:
                    found.append({"sku": self.world.skus[index].sku, "location": location, "expected": expected,
                                  "actual": actual})
        return found

    def parts(self, index, location):
        """The sum in words a person can check, quantities as numbers of units."""
        parts = self.world.pool.parts(index, location)
        return {"warehouses": [{k: v if k == "warehouse" else plain(v) for k, v in row.items()}
                               for row in parts["warehouses"]],
                "unallocated_pending": plain(parts["unallocated_pending"]), "sum": plain(parts["sum"])}

    def explain(self, index):
        """Every mapped location of one SKU."""
        flying = self.inventory.after_landing()
        variant = self.catalog.usable(index)
        rows = []
        for location in self.mapping.feeds:
            row = {"location": location, "expected": self.world.pool.level(index, location),
                   "actual": self.level(index, location), "parts": self.parts(index, location)}
            if variant is not None:
                row["after_landing"] = flying.get((location, variant.unit), row["actual"])
                row["safety_stock"] = self.inventory.safety.get((location, variant.unit), 0)
            rows.append(row)
        return {"sku": self.world.skus[index].sku, "usable": variant is not None, "locations": rows}
