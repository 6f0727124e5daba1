# SPDX-License-Identifier: Apache-2.0
"""Which Sitoo orders stand for which web order, and what follows for the levels.

A web order's unit counts once (design, pending rows): it is pending until an open Sitoo order of the web order reserves it, or
one has delivered it with its stock. The reference is BC-{order}, or BC-{order}-{part}r{rev}; the prefix is the mapping's.

WebOrders goes on saying what a web order wants, and where; this module gives back to the pool what its Sitoo orders cover. It is
told of every change on both sides, so nothing is ever counted anew but in recount().
"""
import re
from contextlib import contextmanager

from units import now_ms
from weborders import WebOrders


class Handover:
    """By web order id. active: --web-orders; otherwise it only knows, and changes no level."""

    def __init__(self, world, orders, mapping, active):
        self.world, self.orders, self.mapping, self.active = world, orders, mapping, active
        self.pattern = re.compile(re.escape(mapping.order_prefix) + r"([1-9]\d{0,15})(?:-\d+r\d+)?")
        self.of = {}       # web order -> [Sitoo order]
        self.wanted = {}   # web order -> {(sku index, warehouse or None): thousandths that WebOrders counts as pending}
        self.given = {}    # web order -> the part of it that is covered, and was given back to the pool
        self.since = {}    # web order -> ms from which it has wanted something without a break
        self.current = None
        world.follower = self
        world.pool.on_pending = self._noted

    # ---------------------------------------------------------------- what Sitoo does

    def web_id(self, externalid):
        """The web order of a reference of ours, or None."""
        match = self.pattern.fullmatch(externalid or "")
        return int(match.group(1)) if match else None

    def made(self, order):
        number = self.web_id(order.externalid)
        if number is not None:
            self.of.setdefault(number, []).append(order)
            self.settle(number)

    def forget(self, order):
        """Before it is renamed."""
        number = self.web_id(order.externalid)
        if number is not None:
            self.of[number].remove(order)
            self.settle(number)

    def covers(self, order):
        """It covers more or less than before."""
        number = self.web_id(order.externalid)
        if number is not None:
            self.settle(number)

    # ---------------------------------------------------------------- what the web shop does

    def _noted(self, index, warehouse, quantity):
        """The pool was told of something pending; by settle() itself if no web order is at work."""
        if self.current is not None:
            wanted = self.wanted.setdefault(self.current, {})
            wanted[index, warehouse] = wanted.get((index, warehouse), 0) + quantity
            if not wanted[index, warehouse]:
                del wanted[index, warehouse]

    @contextmanager
    def following(self, number):
        """Whatever the pool hears inside belongs to this web order."""
        before, self.current = self.current, number
        try:
            yield
        finally:
            self.current = before
        if not self.wanted.get(number):
            self.wanted.pop(number, None)
            self.since.pop(number, None)
        else:
            self.since.setdefault(number, now_ms())
        self.settle(number)

    # ---------------------------------------------------------------- the levels

    def covered(self, number):
        """{sku index: thousandths} that open orders reserve or that were delivered with their stock."""
        world, found = self.world, {}
        for order in self.of.get(number, ()):
            if world.ignores_stock(order):
                continue
            live = order.reserving and order.state == 0
            for row in order.rows:
                index = world.index_of.get(row.sku)
                amount = (row.moved + (world.rest(row) if live else 0)) * row.one
                if index is not None and amount:
                    found[index] = found.get(index, 0) + amount
        return found

    def _to_give(self, number):
        """Of what is wanted, what is covered: {(index, warehouse): thousandths}."""
        wanted = self.wanted.get(number)
        if not wanted or number not in self.of:
            return {}
        covered, found = self.covered(number), {}
        for index, warehouse in sorted(wanted, key=lambda key: (key[0], key[1] or 0)):
            part = min(wanted[index, warehouse], covered.get(index, 0))
            if part > 0:
                covered[index] -= part
                found[index, warehouse] = part
        return found

    def settle(self, number):
        """Brings the pool up to date for one web order."""
        if not self.active:
            return
        now, before = self._to_give(number), self.given.get(number, {})
        if now == before:
            return
        if now:
            self.given[number] = now
        else:
            del self.given[number]
        for key in sorted({*now, *before}, key=lambda key: now.get(key, 0) < before.get(key, 0)):
            self._give(*key, now.get(key, 0) - before.get(key, 0))

    def _give(self, index, warehouse, quantity):
        """Takes so much out of pending (negative: puts it back)."""
        if not quantity:
            return
        pool = self.world.pool
        places = self.mapping.free_at if warehouse is None else self.mapping.of.get(warehouse, ())
        before = pool.levels(index, places)
        pool.add_pending(index, warehouse, -quantity)
        if self.world.tracker is not None:
            self.world.tracker.lowered(now_ms(), index, before, pool.levels(index, places), "web")

    def recount(self):
        """Web orders for which the running sums are wrong: none unless the simulator itself is wrong."""
        if not self.active:
            return []
        return [number for number in {*self.wanted, *self.given} if self._to_give(number) != self.given.get(number, {})]


class FollowedOrders(WebOrders):
    """Web orders whose pending is told to a Handover. handover is set right after construction. Whatever tells the pool of
    something pending has to pass through here."""

    handover = None

    def _moved(self, order):
        with self.handover.following(order.id):
            super()._moved(order)

    def let_go(self, order, some):
        with self.handover.following(order.id):
            super().let_go(order, some)
