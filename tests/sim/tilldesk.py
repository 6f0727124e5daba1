# SPDX-License-Identifier: Apache-2.0
"""The control interface's calls about Sitoo's products: what staff do in Backoffice, and looking."""
import tillfamilies
from tillcatalog import Bad, product_json
from tillprices import hundredths
from units import Refused, money2


def _fields(body):
    """Control fields as Sitoo's: price is moneyprice, money may be a number."""
    fields = {name: value for name, value in body.items() if name not in ("sku", "new_sku", "stock", "price", "warehouse",
                                                                   "family", "attributes")}
    if "price" in body:
        fields["moneyprice"] = money2(hundredths(body["price"]))
    return fields


def _create(shop, till, body):
    try:
        number = till.create({"sku": body["sku"], "title": f"Product {body['sku']}", **_fields(body)}, False)
    except Bad as bad:
        raise Refused(bad.args[0]) from None
    if body.get("family"):
        tillfamilies.join(till, till.world.sku_of(number), body["family"], body["attributes"])
    if body.get("stock"):
        shop.world.move([{"sku": body["sku"], "quantity": body["stock"]}], None, body.get("warehouse", 1))
    return {"productid": number}


def _change(till, body):
    sku = till.world.skus[till.world.index_of[body["sku"]]]
    fields = _fields(body)
    if "new_sku" in body:
        fields["sku"] = body["new_sku"]
    try:
        till.check(fields, sku)
    except Bad as bad:
        raise Refused(bad.args[0]) from None
    till.put(sku, fields, False)
    return {"productid": sku.productid}


def _look(platform, query):
    world = platform.world
    names = query["sku"].split(",") if query.get("sku") else [world.skus[i].sku for i in world.live_skus()]
    found = []
    for name in names:
        if name not in world.index_of:
            continue
        sku = world.skus[world.index_of[name]]
        parent = world.sku_of(sku.parent) if sku.parent is not None else None
        found.append({**product_json(world, sku), "family": parent.sku if parent else None,
                      "prices": platform.prices.prices_of(sku.index)})
    return {"products": found}


def routes(shop):
    """{(method, path): function} for control.Control."""
    platform = shop.platforms["sitoo"]
    till = platform.till

    def drop(body, query, request):
        till.world.drop_sku(till.world.skus[till.world.index_of[body["sku"]]])
        return {}

    return {
        ("POST", "/till-product"): lambda body, query, request: _create(shop, till, body),
        ("PUT", "/till-product"): lambda body, query, request: _change(till, body),
        ("DELETE", "/till-product"): drop,
        ("PUT", "/till-family"): lambda body, query, request: tillfamilies.by_staff(till, body),
        ("PUT", "/till-price-list"): lambda body, query, request: platform.prices.by_staff(body),
        ("GET", "/sitoo-images"): lambda body, query, request: platform.images.shown(query),
        ("POST", "/sitoo-images"): lambda body, query, request: platform.images.by_staff(body),
        ("GET", "/till-products"): lambda body, query, request: _look(platform, query)}
