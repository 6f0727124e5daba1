# SPDX-License-Identifier: Apache-2.0
"""Random edits on both sides, webhooks lost and doubled, faults and kills; then quiescence: what onepool owns is equal, everything else
is as it was, nothing was deleted.

    ONEPOOL_PRODUCT_SEEDS="7 8 9" python3 -m pytest tests/flow/test_products_property.py
"""
import hashlib
import os
import random
import time

import pytest

from catalog_shop import all_right, load, make, never, products_mapping, quiet, swept, till

STEPS = 60
SEEDS = [int(s) for s in os.environ.get("ONEPOOL_PRODUCT_SEEDS", "").split()] or [3, 11]
BRAKES_OFF = {"max_price_change_percent": 100000, "max_deactivated_skus": 1000000}
FAULTS = [{"kind": "status", "status": 503, "rate": 0.2, "path": "products"}, {"kind": "rate_limit", "headers": True, "rate": 0.2},
          {"kind": "latency", "ms": 40, "jitter_ms": 40}, {"kind": "html", "status": 502, "rate": 0.2, "method": "GET"}]


class Merchant:
    """Edits BigCommerce's catalog, and Sitoo's as staff does; knows what it made."""

    def __init__(self, shop, seed):
        self.shop, self.rng, self.n = shop, random.Random(seed), 0
        self.products = {}  # id -> {"skus": [...], "options": n} ; 0 options: a single product
        self.codes = [f"73{n:06d}" for n in range(12)]
        self.images = ["", "one", "two", "three"]
        self.staff = {}     # SKU -> {field: value} that staff wrote and nobody else may change
        self.staffs_images = {}  # SKU -> names

    def _name(self, what):
        self.n += 1
        return f"{what}-{self.n}"

    def _variant(self, options):
        sku = self._name("P")
        return {"sku": sku, "price": self.rng.choice([None, f"{self.rng.randrange(1, 900)}.50"]),
                "options": [{"name": f"Option {k}", "label": f"{sku} {k}"} for k in range(options)]}

    def make(self):
        options = self.rng.choice([0, 0, 1, 1, 2])
        body = {"name": self._name("Product"), "price": f"{self.rng.randrange(1, 900)}.00", "tax_class_id": self.rng.choice([0, 1]),
                "hooks": self.rng.random() < 0.8, "image": self.rng.choice(self.images)}
        if options:
            rows = [self._variant(options) for _ in range(self.rng.randrange(1, 5))]
            body["variants"] = [{k: v for k, v in row.items() if v is not None} for row in rows]
            skus = [row["sku"] for row in rows]
        else:
            skus = [self._name("P")]
            body.update(sku=skus[0], gtin=self.rng.choice(["", self.rng.choice(self.codes)]))
        number = self.shop.control("POST", "/bc-product", body)["product_id"]
        self.products[number] = {"skus": skus, "options": options}

    def _some(self, families=False):
        found = [n for n, p in self.products.items() if p["options"] or not families]
        return self.rng.choice(found) if found else None

    def edit(self):
        number = self._some()
        if number is None:
            return self.make()
        change = self.rng.choice([{"name": self._name("Renamed")}, {"price": f"{self.rng.randrange(1, 900)}.25"}, {"tax_class_id": self.rng.choice([0, 1])},
                                  {"is_visible": self.rng.random() < 0.6}, {"availability": self.rng.choice(["available", "disabled", "preorder"])},
                                  {"sale_price": self.rng.choice([0, "0.99"])}, {"gtin": self.rng.choice(["", *self.codes])},
                                  {"image": self.rng.choice(self.images)}])
        if ("gtin" in change or "image" in change and self.rng.random() < 0.5) and self.products[number]["options"]:
            change = {"variants": [{"sku": self.rng.choice(self.products[number]["skus"]), **change}]}
        return self.shop.control("PUT", "/bc-product", {"product_id": number, **change, "hooks": self.rng.random() < 0.8})

    def reshape(self):
        """Variants come, go, get another SKU or other labels."""
        number = self._some(families=True)
        if number is None:
            return self.make()
        product = self.products[number]
        what = self.rng.choice(["add", "remove", "rename", "relabel"])
        body = {"product_id": number, "hooks": self.rng.random() < 0.8}
        if what == "add":
            row = self._variant(product["options"])
            body["add_variants"] = [{k: v for k, v in row.items() if v is not None}]
            product["skus"].append(row["sku"])
        elif what == "remove" and len(product["skus"]) > 1:
            body["remove_variants"] = [product["skus"].pop(self.rng.randrange(len(product["skus"])))]
        elif what == "rename":
            at, new = self.rng.randrange(len(product["skus"])), self._name("P")
            body["variants"] = [{"sku": product["skus"][at], "new_sku": new}]
            product["skus"][at] = new
        else:
            body["variants"] = [{"sku": sku, "options": [{"name": f"Option {k}", "label": f"{sku} {self.n} {k}"} for k in range(product["options"])]}
                                for sku in product["skus"]]
        return self.shop.control("PUT", "/bc-product", body)

    def delete(self):
        number = self._some()
        if number is not None and len(self.products) > 4:
            del self.products[number]
            self.shop.control("DELETE", "/bc-product", {"product_id": number, "hooks": self.rng.random() < 0.8})

    def by_staff(self):
        """In Sitoo's Backoffice: fields that are ours, and fields that are not."""
        skus = [sku for p in self.products.values() for sku in p["skus"] if till(self.shop, sku)]
        if not skus:
            return
        sku, mark = self.rng.choice(skus), self._name("staff")
        if self.rng.random() < 0.3:
            self.shop.control("POST", "/sitoo-images", {"sku": sku, "add": f"{mark}.png"})
            self.staffs_images.setdefault(sku, []).insert(0, f"{mark}.png")
            return
        field, value = self.rng.choice([("title", mark), ("custom1", mark), ("description", mark), ("barcode", "")])
        self.shop.control("PUT", "/till-product", {"sku": sku, field: value, "custom2": mark})
        self.staff.setdefault(sku, {})["custom2"] = mark

    def trouble(self):
        shop, rng = self.shop, self.rng
        what = rng.choice(["faults", "calm", "kill", "hooks"])
        if what == "faults":
            shop.control("PUT", f"/faults/{rng.choice(['sitoo', 'bigcommerce'])}", {"seed": rng.randrange(1000), "rules": [rng.choice(FAULTS)]})
        elif what == "calm":
            shop.control("DELETE", "/faults")
        elif what == "kill":
            shop.kill_child("product-updated", pid=shop.children("product-updated")[-1])
        else:
            shop.control("PUT", "/settings", {"hook_drop": rng.choice([0, 0.3]), "hook_duplicate": rng.choice([0, 0.3]),
                                              "hook_reorder": rng.choice([0, 0.3])})

    def step(self):
        self.rng.choices([self.make, self.edit, self.reshape, self.delete, self.by_staff, self.trouble], [4, 10, 6, 1, 3, 2])[0]()


    def wanted_images(self):
        """{SKU: name in Sitoo, or None}, from BigCommerce as it is now."""
        found = {}
        for number in self.products:
            product = self.shop.bigcommerce(f"/v3/catalog/products/{number}?include=images")["data"]
            first = product["images"][0]["url_standard"] if product["images"] else ""
            for variant in self.shop.bigcommerce(f"/v3/catalog/products/{number}/variants?limit=250&page=1")["data"]:
                url = (variant["image_url"] or first).split("?")[0]
                found[variant["sku"] or product["sku"]] = url and f"onepool-{hashlib.sha256(url.encode()).hexdigest()[:16]}.png"
        return found


def due_now(shop):
    """What was put off is due now."""
    for queue in ("product", "image"):
        waiting = shop.redis().zrange(shop.key(f"due:{queue}"), 0, -1)
        if waiting:
            shop.redis().zadd(shop.key(f"due:{queue}"), {name: 0 for name in waiting})


def images_are_right(shop, merchant):
    numbers = shop.control("GET", "/stats")
    assert numbers["images_twice"] == numbers["images_foreign_removed"] == numbers["cdn_with_credentials"] == 0
    for sku, name in merchant.wanted_images().items():
        shown = shop.control("GET", f"/sitoo-images?sku={sku}")["images"]
        assert [one for one in shown if one.startswith("onepool-")] == ([name] if name else []), (sku, shown, shop.cases())
    for sku, names in merchant.staffs_images.items():
        assert [one for one in shop.control("GET", f"/sitoo-images?sku={sku}")["images"] if one.startswith("staff")] == names, sku


@pytest.mark.parametrize("seed", SEEDS)
def test_random_edits_then_quiescence(stack, seed):
    print(f"ONEPOOL_PRODUCT_SEEDS={seed}")
    shop = make(stack, loaded=False, mapping=products_mapping(brake=BRAKES_OFF, images=True))
    merchant = Merchant(shop, seed)
    for _ in range(5):
        merchant.make()
    load(shop)
    quiet(shop)
    for n in range(STEPS):
        merchant.step()
        if n % 7 == 0:
            time.sleep(0.3)  # so that work falls between the edits, not only after them
    shop.control("DELETE", "/faults")
    shop.control("PUT", "/settings", {"hook_drop": 0, "hook_duplicate": 0, "hook_reorder": 0})
    shop.wait_until(lambda: not shop.control("GET", "/hook-log")["waiting"], 60, "all webhooks are there")
    for _ in range(2):  # the second one for codes that a product of the first gave up
        due_now(shop)
        quiet(shop, 120)
        swept(shop)
    all_right(shop, 90)
    due_now(shop)
    shop.wait_until(lambda: not shop.redis().exists(shop.key("due:image")), 120, "no image is due")
    images_are_right(shop, merchant)
    for sku, fields in merchant.staff.items():
        found = till(shop, sku)
        assert {name: found[name] for name in fields} == fields, sku
    never(shop)
