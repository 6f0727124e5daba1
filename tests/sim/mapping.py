# SPDX-License-Identifier: Apache-2.0
"""The part of onepool's mapping file that says which BigCommerce location is fed by which Sitoo warehouses."""
import json
import os


def default_returns():
    """Which returns may be sold again and who pays (design, mapping file)."""
    return {
        "reasons": {"101": "sellable", "RC123": "unsellable"}, "unknown_reason": "park",
        "warehouses": {"4": "unsellable"},
        "payments": {"Card": "paid_at_till", "Cash": "paid_at_till", "Web": "pay_in_bigcommerce"},
        "unknown_payment": "park", "amount_tolerance_minor": 2, "quarantine_warehouse_id": None,
    }


def default_products():
    """How products of BigCommerce become products of Sitoo (design, mapping file)."""
    return {"vat_groups": {"0": 2, "1": 3}, "default_vat_group": None, "price": "catalog", "prices_include_vat": True,
            "barcode": ["gtin", "upc"], "debounce_s": 10}


def default_mapping(warehouse_ids, returns=False, products=False):
    """The mapping of the simulated shop. Warehouses beyond the fourth feed the web pool; 9 "Reclaims" is mapped nowhere.

    returns, products: with the section about them.
    """
    pool = [w for w in warehouse_ids if w not in (4, 9)]
    more = {"returns": default_returns()} if returns else {}
    if products:
        more["products"] = default_products()
    return {
        **more,
        "locations": [
            {"bigcommerce_location_id": 1, "sitoo_warehouse_ids": pool},
            {"bigcommerce_location_id": 7, "sitoo_warehouse_ids": [4]},
        ],
        "pickup": [{"bigcommerce_location_id": 5, "sitoo_warehouse_id": 3, "pickup_method_ids": [2],
                    "shipping_method_names": ["Collect in Leeds"]}],
        "shipping": {"location_id": 1, "allocate_from": [1, 2], "allow_split": False, "return_only": False},
    }


def write_if_missing(path, mapping):
    """Writes the mapping as JSON unless the file exists."""
    if os.path.exists(path):
        return
    with open(path + ".part", "w", encoding="utf-8") as file:
        json.dump(mapping, file, indent=2)
        file.write("\n")
    os.replace(path + ".part", path)


class Mapping:
    """What the oracle needs of a mapping file.

    feeds      {location: [warehouse, ...]} of "locations" and "pickup"
    of         {warehouse: [location, ...]}, the inverse
    free_at    locations that an order not yet allocated to a warehouse counts at (design: every one that could serve it)
    pickup     {location: warehouse}
    methods    {location: first pickup method id}
    collects   {pickup method id: location}, all of them
    names      {name of a shipping method: warehouse}, of shops that let collect by one ("shipping_method_names")
    order_prefix  what our references in Sitoo begin with (design: BC-, configurable)
    products   the section "products", or None: products do not flow (catalogoracle.py)
    returns    the section "returns" with its defaults, or None: every unit given back is withheld
    """

    def __init__(self, data):
        self.feeds, self.of, self.pickup, self.methods, self.collects, self.names = {}, {}, {}, {}, {}, {}
        self.order_prefix = (data.get("sitoo") or {}).get("order_prefix", "BC-")
        self.returns = {**default_returns(), **data["returns"]} if "returns" in data else None
        self.products = data.get("products")
        for entry in data.get("locations", []):
            self.feeds[entry["bigcommerce_location_id"]] = list(entry["sitoo_warehouse_ids"])
        for entry in data.get("pickup", []):
            location, warehouse = entry["bigcommerce_location_id"], entry["sitoo_warehouse_id"]
            self.feeds[location] = [warehouse]
            self.pickup[location] = warehouse
            methods = entry.get("pickup_method_ids") or [location]
            self.methods[location] = methods[0]
            self.collects.update((method, location) for method in methods)
            self.names.update((name, warehouse) for name in entry.get("shipping_method_names", []))
        for location, warehouses in self.feeds.items():
            for warehouse in warehouses:
                self.of.setdefault(warehouse, []).append(location)
        shipping = data.get("shipping") or {}
        self.shipping_location = shipping.get("location_id", 1)
        sources = set(shipping.get("allocate_from", []))
        self.free_at = [location for location, warehouses in self.feeds.items()
                        if location == self.shipping_location or sources.intersection(warehouses)]

    @classmethod
    def load(cls, path):
        with open(path, encoding="utf-8") as file:
            return cls(json.load(file))
