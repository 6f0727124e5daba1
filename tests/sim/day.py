# SPDX-License-Identifier: Apache-2.0
"""A day in the shops, played in real time: a quiet morning, a rush with an outage of BigCommerce inside, an evening."""
import asyncio
import random

from returnsday import ReturnsDay
from units import now_ms
from world import SPECIAL

OUTAGE_START_S, OUTAGE_S = 8, 12


class Phase:
    """Rates are per second; outage: (start, length) in seconds from the beginning of the phase, or None."""

    def __init__(self, name, seconds, sales=0.0, web_orders=0.0, returns=0.0, outage=None, extras=()):
        self.name, self.seconds, self.sales, self.web_orders, self.returns = name, seconds, sales, web_orders, returns
        self.outage, self.extras = outage, extras


def default_phases(scale):
    """Lengths are multiplied by scale, rates are not."""
    return [
        Phase("quiet", 15 * scale, sales=0.5),
        Phase("rush", 30 * scale, sales=10, web_orders=1, outage=(OUTAGE_START_S * scale, OUTAGE_S * scale)),
        Phase("evening", 15 * scale, sales=1, returns=0.3, extras=("booking", "parked_basket")),
    ]


def phase_of(data):
    """A phase from the control interface."""
    outage = data.get("outage")
    return Phase(data["name"], float(data["seconds"]), data.get("sales", 0), data.get("web_orders", 0),
                 data.get("returns", 0), tuple(outage) if outage else None, tuple(data.get("extras", ())))


class Day(ReturnsDay):
    """One day; run() plays it. describe() may be asked at any time."""

    def __init__(self, world, orders, feed, faults, seed, phases, duplicate=0.05, refunds=None):
        """refunds: those of BigCommerce, if the last phase is to have returns of every kind."""
        self.refunds, self.awaited = refunds, []
        self.world, self.orders, self.feed, self.faults = world, orders, feed, faults
        self.rng = random.Random(seed)
        self.phases, self.duplicate = phases, duplicate
        self.phase, self.started_ms, self.ended_ms = None, None, None
        self.phase_started_ms = None
        self.outage = False
        self.outage_ms = None  # from, to
        self.error = None
        self.counts = {"sales": 0, "web_orders": 0, "web_orders_refused": 0, "returns": 0, "bookings": 0,
                       "parked_baskets": 0, "sales_unknown_to_bigcommerce": 0, "sales_of_wrong_tracking_mode": 0}
        if refunds is not None:
            self.counts.update(returns_left_out=0, returns_of_every_kind={})
        self.plain = [s.sku for s in world.skus if s.index >= len(SPECIAL) and s.kind in ("variant", "simple")]
        # A few are bought again and again, so that tills and web meet.
        self.favourites = self.plain[:max(5, len(self.plain) // 20)]

    def describe(self):
        length = sum(p.seconds for p in self.phases)
        end = self.ended_ms or now_ms()
        return {"running": self.started_ms is not None and self.ended_ms is None, "finished": self.ended_ms is not None,
                "phase": self.phase.name if self.phase else None, "outage": self.outage, "outage_ms": self.outage_ms, "error": self.error,
                "seconds": (end - self.started_ms) / 1000 if self.started_ms else 0, "planned_seconds": length,
                "progress": min(1.0, (end - self.started_ms) / 1000 / length) if self.started_ms and length else 0.0,
                "phase_seconds": (end - self.phase_started_ms) / 1000 if self.phase_started_ms else 0,
                "phases": [{"name": p.name, "seconds": p.seconds, "sales": p.sales, "web_orders": p.web_orders,
                            "returns": p.returns, "outage": p.outage} for p in self.phases],
                "counts": self.counts}

    # ---------------------------------------------------------------- playing

    async def run(self):
        self.started_ms = now_ms()
        before = self.feed.duplicate
        self.feed.duplicate = self.duplicate
        try:
            for phase in self.phases:
                await self._play(phase)
            while self.look_at_handed():
                await asyncio.sleep(0.05)
        except Exception as problem:  # a day that dies must say so: nobody awaits it
            self.error = f"{type(problem).__name__}: {problem}"
            raise
        finally:
            self.feed.duplicate = before
            self.ended_ms = now_ms()

    async def _play(self, phase):
        self.phase, self.phase_started_ms = phase, now_ms()
        loop = asyncio.get_running_loop()
        start = loop.time()
        jobs = [[rate, action, 0.0] for rate, action in (
            (phase.sales, self._sale), (phase.web_orders, self._web_order), (phase.returns, self._return)) if rate]
        for job in jobs:
            job[2] = self.rng.expovariate(job[0])
        extras = [(name, getattr(self, "_" + name)) for name in phase.extras]
        if self.refunds is not None and phase is self.phases[-1]:
            extras += self.returns_of_every_kind()
        extras = [((i + 1) * phase.seconds / (len(extras) + 1), action) for i, (_, action) in enumerate(extras)]
        outage = phase.outage
        while True:
            now = loop.time() - start
            if now >= phase.seconds:
                break
            if outage and now >= outage[0]:
                self.faults.load({"rules": [{"kind": "outage", "seconds": outage[1]}]})
                self.outage_ms = [now_ms(), now_ms() + int(outage[1] * 1000)]
                outage = None
            self.outage = self.faults.outage_left() > 0
            for job in jobs:
                while job[2] <= now:
                    job[1]()
                    job[2] += self.rng.expovariate(job[0])
            while extras and extras[0][0] <= now:
                extras.pop(0)[1]()
            self.look_at_handed()
            await asyncio.sleep(0.01)
        self.outage = self.faults.outage_left() > 0

    def _sku(self):
        return self.rng.choice(self.favourites if self.rng.random() < 0.4 else self.plain)

    def _warehouse(self):
        return self.rng.choice(self.world.warehouses[:-1])  # not Reclaims

    def _sale(self):
        dice = self.rng.random()
        rows = [{"sku": self._sku(), "quantity": 1 + (self.rng.random() < 0.2)}]
        if dice < 0.02:
            rows = [{"sku": "SITOO-ONLY-1", "quantity": 1}]
            self.counts["sales_unknown_to_bigcommerce"] += 1
        elif dice < 0.04:
            rows = [{"sku": "WRONG-1-RED", "quantity": 1}]
            self.counts["sales_of_wrong_tracking_mode"] += 1
        elif dice < 0.06:
            rows = [{"sku": "KILO-1", "quantity": "0.350"}]
        elif dice < 0.2:
            rows.append({"sku": self._sku(), "quantity": 1, "discount": 500})
        offline = -self.rng.randrange(600, 7200) if self.rng.random() < 0.03 else 0
        self.world.sale(rows, self._warehouse(), offline)
        self.counts["sales"] += 1

    def _web_order(self):
        pickups = sorted(self.orders.mapping.pickup)
        pickup = self.rng.choice(pickups) if pickups and self.rng.random() < 0.3 else None
        placed = self.orders.place([{"sku": self._sku(), "quantity": 1}], 11, pickup)
        self.counts["web_orders" if placed else "web_orders_refused"] += 1

    def _return(self):
        damaged = self.rng.random() < 0.5
        self.world.give_back([{"sku": self._sku(), "quantity": 1}], self._warehouse(),
                             9 if damaged else None, "101" if damaged else "RC123")
        self.counts["returns"] += 1

    def _booking(self):
        self.world.booking([{"sku": self._sku(), "quantity": 1}], 1)
        self.counts["bookings"] += 1

    def _parked_basket(self):
        self.world.parked_basket([{"sku": self._sku(), "quantity": 1}], 1)
        self.counts["parked_baskets"] += 1
