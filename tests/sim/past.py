# SPDX-License-Identifier: Apache-2.0
"""A shop that has been selling for long: open orders, an older connector, Virtual warehouses, wrong levels.

For the baseline: everything here happens at once and without events, as if it had been there before anybody looked.
"""
import random
import time

from array import array

from world import Refused

DAY_S = 86400


def _pieces(shop):
    """Ordinary SKUs that BigCommerce has, by name."""
    return [s.sku for s in shop.world.skus if s.sku.startswith("SKU-") and shop.catalog.usable(s.index) is not None]


def _order(shop, rng, skus, status, pickup, age_s):
    """A web order as placed long ago; BigCommerce took its stock then."""
    orders = shop.orders
    lines = [(shop.catalog.by_sku[name.lower()], rng.randint(1, 3)) for name in rng.sample(skus, rng.randint(1, 3))]
    order = orders._new(lines, status, pickup, -age_s)
    order.old, order.deducted = True, True
    orders.add(order)
    return order


def _hand_over(shop, order, pattern, deliver):
    """The order in Sitoo, as an older connector made it."""
    world = shop.world
    warehouse = shop.mapping.pickup.get(order.pickup) or next(iter(shop.mapping.feeds[shop.mapping.shipping_location]))
    rows = [{"sku": line.variant.sku, "quantity": line.quantity} for line in order.lines]
    reference = pattern.replace("{order}", str(order.id))
    number, _ = world.own_order(reference, rows, warehouse)
    if deliver:
        world.deliver_order(number)
    # With --web-orders, one of our own references covers the order by itself, as long as its Sitoo order does.
    order.handed = not (shop.handover.active and shop.handover.web_id(reference) == order.id)
    return number


def open_orders(shop, count, handed_over=0, pattern="BC-{order}", statuses=(11, 9, 7, 3, 8), seed=1, age_days=(2, 40),
                pickup_every=10, deliver_every=10, numbers=None):
    """count old open orders, the first handed_over of them already in Sitoo. Every level is set right afterwards.

    Returns their ids: {"orders": [...], "handed_over": [...], "sitoo": [...]}.
    """
    rng, skus, made, handed, in_sitoo = random.Random(seed), _pieces(shop), [], [], []
    if not 0 <= handed_over <= count:
        raise Refused("handed_over must be from 0 to count")
    shop.world.silent = True
    for i in range(count):
        pickup = rng.choice(sorted(shop.mapping.pickup)) if shop.mapping.pickup and i % pickup_every == 0 else None
        age_s = rng.randint(int(age_days[0] * DAY_S), int(age_days[1] * DAY_S))
        order = _order(shop, rng, skus, statuses[i % len(statuses)], pickup, age_s)
        made.append(order.id)
        if i < handed_over:
            in_sitoo.append(_hand_over(shop, order, pattern, deliver_every and i % deliver_every == 0))
            handed.append(order.id)
        shop.orders._moved(order)
    shop.world.silent = False
    shop.oracle.set_levels_right()
    return {"orders": made, "handed_over": handed, "sitoo": in_sitoo}


def virtual_warehouse(shop, name="", rows=100, seed=1):
    """A warehouse of type 20 with stock, mapped nowhere."""
    world, rng = shop.world, random.Random(seed)
    number = max(world.warehouses) + 1
    world.warehouses.append(number)
    world.virtual.add(number)
    world.warehouse_names[number] = name
    world.item_rows[number], world.item_number[number], world.item_modified[number] = [], {}, {}
    zeros = bytes(8 * len(world.skus))
    world.pool.total[number], world.pool.reserved[number] = array("q", zeros), array("q", zeros)
    for sku in world.skus[:rows]:
        world._touch(sku.index, number, int(time.time()))
        world.pool.total[number][sku.index] = 1000 * rng.randint(1, 50)
    return {"warehouse": number}


def differences(shop, count, seed=1, largest=40):
    """count levels that are wrong by 1 to largest, never below 0. Returns them."""
    rng, made = random.Random(seed), []
    places = [(name, location) for name in _pieces(shop) for location in shop.mapping.feeds]
    for name, location in rng.sample(places, count):
        index, variant = shop.world.index_of[name], shop.catalog.by_sku[name.lower()]
        right = shop.world.pool.level(index, location)
        wrong = right + rng.randint(1, largest)
        if right > 0 and rng.random() < 0.5:
            wrong = rng.randint(0, right - 1)
        shop.inventory.put(location, variant.unit, wrong)
        made.append({"sku": name, "location": location, "actual": wrong, "expected": right})
    return {"differences": made}
