# SPDX-License-Identifier: Apache-2.0
"""Sitoo's price lists and product groups (sitoo.md 6.3, 6.4, recorded/sitoo/pricelist*.json)."""
from decimal import Decimal

from tillcatalog import GROUPS, MONEY, Bad, batch, body_of, error, minor
from units import Refused, money2

DEFAULT_LIST, MOST_LISTS = 1, 100


class PriceList:
    """items: SKU index -> (hundredths, moneypricevolume or None). Those of list 1 are the products' moneyprice."""

    def __init__(self, number, name, currency):
        self.id, self.name, self.currency = number, name, currency
        self.active, self.tags, self.items = True, [], {}


class PriceLists:
    """Part of the simulated Sitoo: reads, writes by the API, writes by staff."""

    def __init__(self, till):
        self.till, self.world = till, till.world
        self.lists = {DEFAULT_LIST: PriceList(DEFAULT_LIST, "Default Price List", None)}
        self.volumes = {}  # SKU index -> moneypricevolume of list 1

    def all(self):
        """GET pricelists."""
        return [{"pricelistid": p.id, "pricelistname": p.name, "pricelistdescription": "", "active": p.active,
                 "externalid": None, "currencycode": p.currency or self.till.settings["list_currency"], "tags": p.tags}
                for p in sorted(self.lists.values(), key=lambda p: p.id)]

    def items(self, number):
        """Ordered by product id."""
        world, found = self.world, self.lists[number]
        if number == DEFAULT_LIST:
            rows = [(i, world.skus[i].price, self.volumes.get(i)) for i in world.live_skus()]
        else:
            rows = [(i, *found.items[i]) for i in sorted(found.items) if i not in world.gone_skus]
        return [{"moneyprice": money2(price), "moneypricevolume": volume, "sku": world.skus[i].sku} for i, price, volume in rows]

    def prices_of(self, index):
        """{list id: price} of every list that holds it."""
        return {str(DEFAULT_LIST): money2(self.world.skus[index].price),
                **{str(p.id): money2(p.items[index][0]) for p in self.lists.values() if index in p.items}}

    # ---------------------------------------------------------------- writes

    def _sku(self, element):
        world = self.world
        if isinstance(element, dict) and element.get("sku") in world.index_of:
            return world.skus[world.index_of[element["sku"]]]
        number = element.get("productid") if isinstance(element, dict) else None
        sku = world.sku_of(number) if type(number) is int else None
        if sku is None:
            raise Bad("Product not found", 404)
        return sku

    def _put(self, number, element):
        sku = self._sku(element)
        price, volume = element.get("moneyprice"), element.get("moneypricevolume")
        if not isinstance(price, str) or not MONEY.fullmatch(price):
            raise Bad("Invalid value in moneyprice")
        if set(element) - {"sku", "productid", "moneyprice", "moneypricevolume"}:
            raise Bad("Unknown field")
        if volume is not None and (not isinstance(volume, list) or not all(
                isinstance(v, dict) and type(v.get("levelstart")) is int and isinstance(v.get("moneyprice"), str)
                and MONEY.fullmatch(v["moneyprice"]) for v in volume)):
            raise Bad("Invalid value in moneypricevolume")
        if number == DEFAULT_LIST:
            sku.price, sku.modified = minor(price), self.world.seconds()
            self.volumes[sku.index] = volume
        else:
            self.lists[number].items[sku.index] = (minor(price), volume)
        self.till.counters.numbers["price_items_written"] += 1
        return True

    def _remove(self, number, element):
        """Of something that is not in the list: assumed to be fine."""
        sku = self._sku(element)
        if number == DEFAULT_LIST:
            raise Bad("The default price list holds every product")
        self.lists[number].items.pop(sku.index, None)
        self.till.counters.numbers["price_items_removed"] += 1
        return True

    def write(self, call, number):
        """PUT and DELETE of pricelistitems: a batch whose return is true."""
        if number not in self.lists:
            return error(404, "Price list not found")
        do = self._put if call.method == "PUT" else self._remove
        return batch(body_of(call), lambda element: do(number, element), self.till.counters)

    def by_staff(self, body):
        """PUT /till-price-list."""
        number = int(body.get("id") or max(self.lists) + 1)
        if number not in self.lists and len(self.lists) >= MOST_LISTS:
            raise Refused(f"at most {MOST_LISTS} lists")
        one = self.lists.setdefault(number, PriceList(number, f"Price List {number}", None))
        one.name, one.active = body.get("name", one.name), bool(body.get("active", one.active))
        one.currency, one.tags = body.get("currency", one.currency), list(body.get("tags", one.tags))
        for name, price in body.get("items", {}).items():
            sku = self.world.skus[self.world.index_of[name]]
            if number == DEFAULT_LIST:
                sku.price = hundredths(price)
            else:
                one.items[sku.index] = (hundredths(price), one.items.get(sku.index, (0, None))[1])
        for name in body.get("remove", []):
            one.items.pop(self.world.index_of[name], None)
        return {"id": number, "items": len(one.items)}


def hundredths(value):
    """Of a decimal text or number in the currency's units."""
    scaled = Decimal(str(value)) * 100
    if scaled != scaled.to_integral_value():
        raise Refused(f"{value!r} has more than two decimals")
    return int(scaled)


def groups():
    """GET productgroups."""
    return [{"vatid": n, "value": percent, "productgrouptype": kind, "productgroupname": name, "comment": ""}
            for n, (percent, kind, name) in GROUPS.items()]
