# SPDX-License-Identifier: Apache-2.0
"""Rows of the ledger as a shop's working day brings them, for tests and for the bench: movements of Sitoo, the sales behind them,
the levels that included them, and their confirmations. The mapping is that of stack.shop_mapping: location 1 has warehouses 1, 2
and 3, location 5 has 3, location 7 has 4."""
import json

LOCATIONS = {1: (1,), 2: (1,), 3: (1, 5), 4: (7,)}
OPENING = 1_000_000  # units on hand at the beginning, so that a level never falls to 0
CONFIRM_EVERY = 4  # batches


def text(row):
    return json.dumps(row, separators=(",", ":"))


class Day:
    """rows(n): JSON texts of about n movements and what belongs to them."""

    def __init__(self, skus=5000, batch=100, first_row=1, start_s=1_790_000_000):
        self.skus, self.batch, self.row, self.start_s = skus, batch, first_row, start_s
        self.on_hand, self.levels, self.unconfirmed, self.batches = {}, {}, [], 0
        self.movements = 0

    def movement(self):
        sku, warehouse = f"SKU-{(self.row * 7919) % self.skus:05d}", self.row % 4 + 1
        place = (warehouse, sku)
        self.on_hand[place] = self.on_hand.get(place, OPENING) - 1
        row = {"type": "movement", "row": self.row, "kind": 30, "warehouse": warehouse, "sku": sku, "quantity": "-1.000",
               "on_hand": f"{self.on_hand[place]}.000", "created_s": self.start_s + self.row // 20}
        self.row += 1
        self.movements += 1
        return place, row

    def one_batch(self, n):
        """A page of the ledger, and the write that follows it."""
        touched = {}
        for _ in range(n):
            (warehouse, sku), row = self.movement()
            if row["row"] % 2:
                yield text({"type": "sale", "order": 10_000 + row["row"], "item": 0, "sku": sku, "quantity": "1.000",
                            "warehouse": warehouse, "till_ms": row["created_s"] * 1000})
            yield text(row)
            for location in LOCATIONS[warehouse]:
                touched.setdefault((location, sku), []).append(warehouse)
        same = []
        for (location, sku), warehouses in touched.items():
            was = self.levels.get((location, sku), 3 * OPENING)
            level = was - len(warehouses)
            if self.batches % 10 == 9:  # a till's sale met a web order's end: nothing to write
                same.append([sku, location, was])
                continue
            self.levels[location, sku] = level
            self.unconfirmed.append([sku, location, level])
            yield text({"type": "level", "sku": sku, "location": location, "level": level, "was": was, "till_ms": 0,
                        "of": [[w, 1000 * self.on_hand[w, sku]] for w in sorted(set(warehouses))], "why": "v1",
                        "intent": f"levels:{self.batches}"})
        if same:
            yield text({"type": "computed", "same": same, "none": []})
        self.batches += 1
        if self.batches % CONFIRM_EVERY == 0:
            yield from self.confirm()

    def confirm(self):
        if self.unconfirmed:
            yield text({"type": "confirmed", "levels": self.unconfirmed})
            self.unconfirmed = []

    def rows(self, n):
        while n > 0:
            yield from self.one_batch(min(n, self.batch))
            n -= self.batch
        yield from self.confirm()


def fill(call, rows, at_once=500):
    """Through the Redis function that everything uses; call(name, *args) calls it. Returns how many rows."""
    args, n = [], 0
    for row in rows:
        args += ["log", "", row]
        n += 1
        if len(args) == 3 * at_once:
            call("apply", *args)
            args = []
    if args:
        call("apply", *args)
    return n
