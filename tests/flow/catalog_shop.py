# SPDX-License-Identifier: Apache-2.0
"""A shop whose products flow from BigCommerce to Sitoo: what tests of products share."""
import json
import urllib.parse

from stack import HOOK_SECRET, shop_mapping

FUNCTIONS = ("sitoo-events", "sale", "return", "stock-moved", "order-updated", "product-updated")
SCOPES = ([f"store/product/{what}" for what in ("created", "updated", "deleted")]
          + [f"store/sku/{what}" for what in ("created", "updated", "deleted")]
          + [f"store/priceList/{kind}/{what}" for kind in ("record", "records") for what in ("created", "updated", "deleted")])
QUICK = ("--latency-ms", "2", "--lag-ms", "50", "--retry-scale", "0.001", "--skus", "40")
PRODUCTS = {"vat_groups": {"0": 2, "1": 3}, "default_vat_group": None, "price": "catalog", "prices_include_vat": True,
            "barcode": ["gtin", "upc"], "debounce_s": 0}
NEVER = ("catalog_writes", "products_deleted", "family_rows_deleted", "created_twice")


def products_mapping(brake=None, **products):
    """The shop's mapping with its section "products", changed as named."""
    sections = {"products": {**PRODUCTS, **products}}
    if brake:
        sections["brake"] = brake
    return shop_mapping(**sections)


def with_hooks(shop):
    hooks = [{"scope": scope, "destination": f"http://127.0.0.1:{shop.http_port}/hooks/bigcommerce/product-updated",
              "headers": {"X-Onepool-Secret": HOOK_SECRET}, "is_active": True} for scope in SCOPES]
    shop.control("PUT", "/settings", {"hooks": hooks, "send_hooks": True, "hook_retry_scale": 0.001})


def load(shop, *more):
    """The first load: looked at, then applied. Returns what the look said."""
    status, out, err = shop.command("load", "--json")
    assert status == 0, (out, err)
    plan = json.loads(out)
    status, out, err = shop.command("load", "--json", "--apply", plan["id"], *more)
    assert status == 0, (out, err)
    return plan


def make(stack, hooks=True, loaded=True, mapping=None, args=(), **more):
    """A started shop, with its products in Sitoo."""
    shop = stack(functions=FUNCTIONS, mapping=mapping or products_mapping(), simulator_args=(*QUICK, *args), **more)
    if hooks:
        with_hooks(shop)
    if loaded:
        load(shop)
        quiet(shop)
    return shop


def till(shop, sku):
    """Sitoo's product of a SKU, or None."""
    found = shop.control("GET", "/till-products?sku=" + urllib.parse.quote(sku, safe=""))["products"]
    return found[0] if found else None


def product(shop, name="T-shirt", skus=("TS-1",), **more):
    """A product made in BigCommerce: its id. Several SKUs: variants with the option Size."""
    body = {"name": name, "price": "100.00", "tax_class_id": 0, **more}
    if len(skus) == 1 and "variants" not in more:
        body["sku"] = skus[0]
    elif "variants" not in more:
        body["variants"] = [{"sku": sku, "options": [{"name": "Size", "label": sku}]} for sku in skus]
    return shop.control("POST", "/bc-product", body)["product_id"]


def edit(shop, number, **fields):
    return shop.control("PUT", "/bc-product", {"product_id": number, **fields})


def due(shop, soon_ms=30000):
    """Products that are due now or soon; far timers do not count."""
    redis = shop.redis()
    now = redis.time()
    ms = now[0] * 1000 + now[1] // 1000
    return redis.zcount(shop.key("due:product"), "-inf", ms + soon_ms) + redis.zcount(shop.key("due:catalog"), "-inf", ms)


def quiet(shop, timeout=60):
    """Waits until no webhook is on its way and no product is due."""
    def still():
        return not shop.control("GET", "/hook-log")["waiting"] and not due(shop)
    shop.wait_until(still, timeout, "no product is due")


def opinion(shop):
    return shop.control("GET", "/catalog-oracle")


def all_right(shop, timeout=60):
    """Waits until Sitoo holds what it should; nothing was deleted, and nothing that is not ours was touched."""
    def right():
        if shop.control("GET", "/hook-log")["waiting"] or due(shop):
            return None
        seen = opinion(shop)
        return seen["ok"] and seen
    try:
        seen = shop.wait_until(right, timeout, "Sitoo's products are right")
    except TimeoutError:
        seen = opinion(shop)
        raise AssertionError(json.dumps({k: v for k, v in seen.items() if v}, indent=1)[:4000]) from None
    never(shop)
    return seen


def never(shop):
    numbers = shop.control("GET", "/stats")
    assert {name: numbers.get(name, 0) for name in NEVER} == dict.fromkeys(NEVER, 0)


def sitoo_writes(shop, since=0):
    """Writes of products, families and prices that Sitoo got after that request."""
    return [one for one in shop.requests(since, "sitoo")
            if one["method"] != "GET" and ("products" in one["path"] or "pricelists" in one["path"])]


def sitoo_reads(shop, since=0):
    return [one for one in shop.requests(since, "sitoo") if one["method"] == "GET" and "products" in one["path"]]


def sweep(shop):
    """Both catalogs are compared now."""
    shop.fcall("apply", "mark", "catalog", "sweep", "0", "", "")


def swept(shop):
    """Both catalogs have been compared, and what became due by it is done."""
    def times():
        return shop.logs("product-updated").count('msg="catalogs compared"')
    shop.wait_until(lambda: shop.redis().hget(shop.key("job:catalog:sweep"), "lease") != "1", 30, "no comparison is under way")
    before = times()
    sweep(shop)
    shop.wait_until(lambda: times() > before, 30, "both catalogs have been compared")
    quiet(shop)
