# SPDX-License-Identifier: Apache-2.0
"""How long a movement takes to reach BigCommerce, and what was sold twice meanwhile.

A movement that lowers the right level of a SKU at a location stays open until BigCommerce answered 200 to a write of
the then-right level (accepted) and until a read of the inventory showed onepool that level (confirmed). "Then-right"
is the level right after the movement, or the level right now where something has raised it since.
"""


# A write is computed from what was read a while ago; so long a movement may explain a write that carries too much.
STALE_MS = 15000


class TillRow:
    """One row of a till sale; done when it is done at every location it lowers."""

    __slots__ = ("at", "sku", "order_id", "open_accept", "open_confirm", "accepted", "confirmed")

    def __init__(self, at, sku, order_id):
        self.at, self.sku, self.order_id = at, sku, order_id
        self.open_accept = self.open_confirm = 0
        self.accepted = self.confirmed = None


class Movement:
    """One lowering of one right level."""

    __slots__ = ("at", "limit", "kind", "row", "accepted")

    def __init__(self, at, limit, kind, row):
        self.at, self.limit, self.kind, self.row = at, limit, kind, row
        self.accepted = False


def spread(values):
    """count, median, p95, p99 and worst of a list of milliseconds."""
    if not values:
        return {"count": 0, "median_ms": None, "p95_ms": None, "p99_ms": None, "worst_ms": None}
    values = sorted(values)
    return {"count": len(values), "median_ms": values[len(values) // 2],
            "p95_ms": values[min(len(values) - 1, -(-len(values) * 95 // 100) - 1)],
            "p99_ms": values[min(len(values) - 1, -(-len(values) * 99 // 100) - 1)], "worst_ms": values[-1]}


class Tracker:
    """Fed by the world (movements, web orders) and by the BigCommerce simulator (writes, reads)."""

    def __init__(self, pool, bigcommerce_level, bigcommerce_target):
        self.pool = pool
        self.level_of = bigcommerce_level    # (sku, location) -> level now, None if there is no usable item
        self.target_of = bigcommerce_target  # (sku, location) -> value of the last write not landed yet, or None
        self.reset()

    def reset(self):
        self.open = {}  # (sku, location) -> [Movement]
        self.open_kinds = {}  # sku -> {kind: count}
        self.last = {"till": {}, "web": {}}  # kind -> {sku: ms of its last lowering movement}
        self.rows = []
        self.sold_twice = {"inside": 0, "inside_web": 0, "outside": 0}
        self.sold_twice_rows = []
        self.web_rows = 0

    # ---------------------------------------------------------------- the world moves

    def till_row(self, at, sku, order_id):
        row = TillRow(at, sku, order_id)
        self.rows.append(row)
        return row

    def lowered(self, at, sku, before, after, kind, row=None):
        """before and after: [(location, level)] of the same locations. kind: "till" or "web"."""
        for (location, old), (_, new) in zip(before, after):
            if new >= old:
                continue
            self.last[kind][sku] = at
            offered = self.target_of(sku, location)
            if offered is None:
                offered = self.level_of(sku, location)
            if offered is None or offered <= new:
                continue  # nothing to write: BigCommerce offers no more than this already
            self._open(at, sku, location, new, kind, row)
            if row is not None:
                row.open_accept += 1
                row.open_confirm += 1

    def _open(self, at, sku, location, limit, kind, row):
        self.open.setdefault((sku, location), []).append(Movement(at, limit, kind, row))
        kinds = self.open_kinds.setdefault(sku, {})
        kinds[kind] = kinds.get(kind, 0) + 1

    def web_row(self, at, name, sku, location, quantity, truth, order_id):
        """A shopper bought quantity units where BigCommerce offered enough and the truth was this many units."""
        self.web_rows += 1
        twice = quantity - max(0, truth)
        if twice <= 0:
            return
        kinds = self.open_kinds.get(sku, {})
        window = "inside" if kinds.get("till") else "inside_web" if kinds.get("web") else "outside"
        self.sold_twice[window] += twice
        if len(self.sold_twice_rows) < 1000:
            self.sold_twice_rows.append({"at_ms": at, "sku": name, "location": location, "order_id": order_id,
                                         "quantity": quantity, "truth": truth, "units": twice, "window": window})

    # ---------------------------------------------------------------- onepool writes and reads

    def _accept(self, movement, at):
        movement.accepted = True
        if movement.row is not None:
            movement.row.open_accept -= 1
            if movement.row.open_accept == 0:
                movement.row.accepted = at

    def arrived(self, at, sku, location, value):
        """A write of value was taken. Too high, because a movement came after it was computed: that is open (again)."""
        right = self.pool.level(sku, location) if location in self.pool.sums else value
        if value <= right or (sku, location) in self.open:
            return
        for kind, last in self.last.items():
            if at - last.get(sku, -STALE_MS) < STALE_MS:
                self._open(at, sku, location, right, kind, None)
                return

    def written(self, at, sku, location, value):
        """BigCommerce answered 200 to a write of value."""
        movements = self.open.get((sku, location))
        if movements:
            now_right = self.pool.level(sku, location)
            for movement in movements:
                if not movement.accepted and value <= max(movement.limit, now_right):
                    self._accept(movement, at)

    def shown(self, at, sku, location, value):
        """A read answered this level. A higher write still on its way leaves the matter open."""
        movements = self.open.get((sku, location))
        if not movements:
            return
        now_right = self.pool.level(sku, location)
        target = self.target_of(sku, location)
        rest = []
        for movement in movements:
            limit = max(movement.limit, now_right)
            if value > limit or (target is not None and target > limit):
                rest.append(movement)
                continue
            if not movement.accepted:  # the answer to the write was lost, or BigCommerce lowered it by itself
                self._accept(movement, at)
            self.open_kinds[sku][movement.kind] -= 1
            if movement.row is not None:
                movement.row.open_confirm -= 1
                if movement.row.open_confirm == 0:
                    movement.row.confirmed = at
        if rest:
            self.open[sku, location] = rest
        else:
            del self.open[sku, location]

    # ---------------------------------------------------------------- report

    def settled_otherwise(self):
        """Till rows still open although every level is right and nothing is on its way: no write was needed after all."""
        still = set()
        touched = set()
        for (sku, location), movements in self.open.items():
            right = (self.target_of(sku, location) is None
                     and self.level_of(sku, location) == self.pool.level(sku, location))
            for movement in movements:
                if movement.row is None or movement.accepted:
                    continue
                (touched if right else still).add(id(movement.row))
        return touched - still

    def lags(self, span=None):
        """The two lags of rows rung up within span (from_ms, to_ms), or outside of it if from_ms > to_ms; None: of all rows."""
        def within(row):
            return not span or (span[0] <= row.at < span[1] if span[0] <= span[1] else not span[1] <= row.at < span[0])
        rows = [r for r in self.rows if within(r)]
        return {"till_to_accepted": spread([r.accepted - r.at for r in rows if r.accepted is not None]),
                "till_to_confirmed": spread([r.confirmed - r.at for r in rows if r.confirmed is not None])}

    def report(self):
        counted = [r for r in self.rows if r.accepted is not None or r.open_accept or r.open_confirm]
        otherwise = self.settled_otherwise()
        waiting = [r for r in counted if r.accepted is None and id(r) not in otherwise]
        return {
            "till_rows": len(self.rows),
            "not_applicable": len(self.rows) - len(counted),
            "settled_without_write": len(otherwise),
            "not_accepted_yet": len(waiting),
            "not_confirmed_yet": sum(1 for r in counted if r.confirmed is None and id(r) not in otherwise),
            **self.lags(),
        }
