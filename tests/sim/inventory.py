# SPDX-License-Identifier: Apache-2.0
"""BigCommerce's stock levels: written asynchronously, lowered by its own orders (bigcommerce.md 6)."""
import asyncio
import collections
import random
import uuid
from array import array

LARGEST_LEVEL = 2147483647
UNMAPPED = 8  # a location that no mapping of ours names: it must never be touched


class Operation:
    """Something that will happen to levels: kind "set" or "add", items [(location, unit, value)], landed() afterwards;
    cause: "absolute" = API or control panel, "relative" = an order (bigcommerce.md 5.5, method)."""

    __slots__ = ("due", "kind", "items", "landed", "cause")

    def __init__(self, due, kind, items, landed=None, cause="absolute"):
        self.due, self.kind, self.items, self.landed, self.cause = due, kind, items, landed, cause


class Inventory:
    """Levels per location and unit. A level may become negative: parse signed (bigcommerce.md 6.2)."""

    def __init__(self, catalog, location_ids, seed, lag_ms):
        self.catalog = catalog
        self.rng = random.Random(seed + 2)
        self.lag = lag_ms / 1000
        self.locations = list(location_ids)
        count = len(catalog.variants)
        self.level = {location: array("q", bytes(8 * count)) for location in self.locations}
        # The level is null, shown as 0, until its first absolute write (bigcommerce.md 6.2).
        self.is_set = {location: bytearray(count) for location in self.locations}
        self.safety = {}   # (location, unit) -> safety stock
        self.flying = []   # operations not landed yet
        self.queued = {}   # (location, unit) -> [writes on their way, value of the last one]
        self.last_due = 0.0
        self.on_land = None  # on_land(cause, [(location, unit, before, after)]), set by main
        self.read_lag = 0.0  # seconds by which reads of the inventory lag (bigcommerce.md 6.1: how much is not documented)
        self.history = collections.deque(maxlen=20000)  # (loop time, location, unit, level before), for read_lag

    def grow(self):
        """The catalog has more variants: their levels are null."""
        more = len(self.catalog.variants) - len(self.level[self.locations[0]])
        for location in self.locations:
            self.level[location].extend([0] * more)
            self.is_set[location].extend(bytes(more))

    def put(self, location, unit, value):
        """At once, for setting up."""
        self._set(location, unit, value)
        self.is_set[location][unit] = 1

    def _set(self, location, unit, value):
        if self.read_lag:
            now = asyncio.get_running_loop().time()
            self.history.append((now, location, unit, self.level[location][unit]))
        self.level[location][unit] = value

    def shown(self):
        """{(location, unit): level} of what a read shows differently from what is so."""
        levels = {}
        if self.read_lag:
            since = asyncio.get_running_loop().time() - self.read_lag
            for at, location, unit, before in reversed(self.history):
                if at < since:
                    break
                levels[location, unit] = before
        return levels

    def available(self, location, unit):
        """available_to_sell = on hand - safety stock (bigcommerce.md 6.1)."""
        return self.level[location][unit] - self.safety.get((location, unit), 0)

    def target(self, location, unit):
        """The value of the last write still on its way, or None."""
        entry = self.queued.get((location, unit))
        return entry[1] if entry else None

    def write(self, items, alone, late=None):
        """An absolute write that will land later; returns its transaction id.

        First in, first handled; two at once have an unpredictable end (bigcommerce.md 6.2, Concurrency semantics).
        late: seconds after which this one lands, out of turn.
        """
        loop = asyncio.get_running_loop()
        due = loop.time() + self.lag * (0.5 + self.rng.random())
        if alone:
            due = max(due, self.last_due + 1e-6)  # timers of the same moment fire in any order
        if late is not None:
            due = loop.time() + late
        else:
            self.last_due = max(due, self.last_due)
        # A value above the limit is not saved and no error says so (bigcommerce.md 6.2).
        items = [item for item in items if item[2] <= LARGEST_LEVEL]
        for location, unit, value in items:
            entry = self.queued.setdefault((location, unit), [0, value])
            entry[0] += 1
            entry[1] = value
        self._start(Operation(due, "set", items))
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def add_later(self, items, delay_s, landed=None, cause="relative"):
        """A relative change after a delay: an order that takes its stock, or a relative adjustment. Then calls landed."""
        self._start(Operation(asyncio.get_running_loop().time() + delay_s, "add", items, landed, cause))

    def _start(self, operation):
        self.flying.append(operation)
        asyncio.get_running_loop().call_at(operation.due, self._land, operation)

    def _land(self, operation):
        self.flying.remove(operation)
        before = [self.level[location][unit] for location, unit, _ in operation.items] if self.on_land else ()
        for location, unit, value in operation.items:
            if operation.kind == "add":
                self._set(location, unit, self.level[location][unit] + value)
                continue
            self.put(location, unit, value)
            entry = self.queued[location, unit]
            entry[0] -= 1
            if entry[0] == 0:
                del self.queued[location, unit]
        if operation.landed:
            operation.landed()
        if self.on_land:
            self.on_land(operation.cause, [(location, unit, old, self.level[location][unit])
                                           for (location, unit, _), old in zip(operation.items, before)])

    def after_landing(self):
        """{(location, unit): level} of everything that will differ once all operations have landed."""
        levels = {}
        for operation in sorted(self.flying, key=lambda o: o.due):
            for location, unit, value in operation.items:
                old = levels.get((location, unit), self.level[location][unit])
                levels[location, unit] = value if operation.kind == "set" else old + value
        return levels
