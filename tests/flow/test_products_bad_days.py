# SPDX-License-Identifier: Apache-2.0
"""Bad days of the product flow: each leaves the products right, or a case that says what to do."""
import json
import time

import pytest

from catalog_shop import all_right, due, edit, load, make, never, opinion, product, products_mapping, quiet, sitoo_reads, sitoo_writes, sweep, swept, till
from test_products import wait_till


@pytest.fixture(scope="module")
def shop(module_stack):
    return make(module_stack)


def wait_case(shop, name, timeout=20):
    return shop.wait_until(lambda: shop.cases().get(name), timeout, f"the case {name}; there are {list(shop.cases())}")


def wait_closed(shop, name, timeout=20):
    shop.wait_until(lambda: name not in shop.cases(), timeout, f"the case {name} is closed")


def retry(shop, name):
    status, out, err = shop.command("parked", "--retry", name)
    assert status == 0, (out, err)


def fault(shop, platform, **rule):
    shop.control("PUT", f"/faults/{platform}", {"seed": 1, "rules": [rule]})


# ---------------------------------------------------------------- what Sitoo refuses

def test_elements_of_a_batch_that_fail_do_not_hold_the_others(shop):
    shop.control("PUT", "/settings", {"sitoo_products": {"title_max": 60}})
    product(shop, "Many", variants=[{"sku": f"PART-{n}", "options": [{"name": "Size", "label": "x" * (80 if n == 1 else 3 + n)}]} for n in range(4)])
    name = "product_refused:PART-1"
    assert "too long" in wait_case(shop, name)["text"]
    for n in (0, 2, 3):
        wait_till(shop, f"PART-{n}", activepos=True)
    assert till(shop, "PART-1") is None
    shop.control("PUT", "/settings", {"sitoo_products": {"title_max": 0}})
    retry(shop, name)
    wait_till(shop, "PART-1", activepos=True)
    all_right(shop)


@pytest.mark.parametrize("status", [409, 429, 503])
def test_an_element_that_cannot_be_taken_now_is_sent_again(shop, status):
    sku = f"NOW-{status}"
    number = product(shop, "Before", [sku])
    wait_till(shop, sku, title="Before")
    quiet(shop)
    since = shop.last_request()
    fault(shop, "sitoo", kind="answer", method="PUT", path="products.json", count=1, body=[{"statuscode": status, "errortext": "Busy"}])
    edit(shop, number, name="After")
    wait_till(shop, sku, title="After")
    shop.wait_until(lambda: len(sitoo_reads(shop, since)) >= 2, 20, "it is looked at again")
    quiet(shop)
    shop.control("DELETE", "/faults")
    assert f"product_refused:{sku}" not in shop.cases()
    all_right(shop)


def test_a_sale_price_that_is_refused_does_not_hold_the_others(stack):
    shop = make(stack, loaded=False, mapping=products_mapping(sale_price_list_id=2))
    shop.control("PUT", "/till-price-list", {"id": 2, "name": "Sale", "active": True, "currency": "SEK", "tags": [], "items": {}})
    load(shop)
    numbers = [product(shop, f"Before {n}", [f"SALES-{n}"]) for n in range(5)]
    all_right(shop)
    fault(shop, "sitoo", kind="status", status=400, method="PUT", path="pricelistitems")
    for n, number in enumerate(numbers):
        edit(shop, number, name=f"After {n}", **({"sale_price": "80.00"} if n == 2 else {}))
    case = wait_case(shop, "sale_price_refused:SALES-2")
    for n in range(5):
        wait_till(shop, f"SALES-{n}", title=f"After {n}")
    quiet(shop)
    assert "Sitoo refuses the sale price of SALES-2 in price list 2" in case["text"]
    assert [name for name in shop.cases() if name.startswith(("sale_price_refused:", "product_refused:"))] == ["sale_price_refused:SALES-2"]
    assert not [name for name in shop.cases() if any(name.endswith(f":{number}") for number in numbers)]
    shop.control("DELETE", "/faults")
    retry(shop, "sale_price_refused:SALES-2")
    shop.wait_until(lambda: till(shop, "SALES-2")["prices"].get("2") == "80.00", 20, "the sale price is in list 2")
    wait_closed(shop, "sale_price_refused:SALES-2")
    all_right(shop)


def test_a_barcode_that_somebody_else_has(shop):
    shop.control("POST", "/till-product", {"sku": "OWNER", "title": "Owner of a code", "price": "1.00", "barcode": "7399"})
    product(shop, "Taken", ["TAKEN-1"], gtin="7399")
    case = wait_case(shop, "barcode_taken:TAKEN-1")
    assert "7399" in case["text"]
    wait_till(shop, "TAKEN-1", barcode=None, title="Taken")
    shop.control("PUT", "/till-product", {"sku": "OWNER", "barcode": "", "activepos": False})
    retry(shop, "barcode_taken:TAKEN-1")
    wait_till(shop, "TAKEN-1", barcode="7399")
    all_right(shop)


def test_two_products_with_one_barcode(shop):
    product(shop, "First", ["CODE-1"], gtin="7398")
    wait_till(shop, "CODE-1", barcode="7398")
    second = product(shop, "Second", ["CODE-2"], gtin="7398")
    wait_till(shop, "CODE-2", barcode=None)
    assert "CODE-1" in wait_case(shop, "barcode_duplicate:CODE-2")["text"]
    edit(shop, second, gtin="7397", name="Second one")
    wait_till(shop, "CODE-2", barcode="7397")
    wait_closed(shop, "barcode_duplicate:CODE-2")


def test_productvariants_refused(shop):
    shop.control("PUT", "/settings", {"sitoo_products": {"refuse_families": True}})
    number = product(shop, "Family", ["FAM-1", "FAM-2"])
    name = f"family_refused:product {number}"
    assert "Invalid value" in wait_case(shop, name)["text"]
    wait_till(shop, "FAM-2", variantparentid=None, activepos=True)
    shop.control("PUT", "/settings", {"sitoo_products": {"refuse_families": False}})
    retry(shop, name)
    wait_closed(shop, name)
    all_right(shop)


@pytest.mark.parametrize("status", [409, 423])
def test_locked_is_tried_again(shop, status):
    sku = f"LOCK-{status}"
    number = product(shop, "Lock", [sku])
    wait_till(shop, sku, title="Lock")
    fault(shop, "sitoo", kind="status", status=status, method="PUT", path="products.json", count=1)
    edit(shop, number, name="Locked")
    wait_till(shop, sku, title="Locked", timeout=40)
    shop.control("DELETE", "/faults")
    assert not [name for name in shop.cases() if sku in name]
    all_right(shop)


@pytest.mark.parametrize("kind", [{"kind": "status", "status": 500}, {"kind": "rate_limit", "headers": True}, {"kind": "html", "status": 502}])
def test_an_outage_loses_nothing(shop, kind):
    sku = "OUT-" + kind["kind"].replace("_", "-")
    number = product(shop, "Before", [sku])
    wait_till(shop, sku, title="Before")
    fault(shop, "sitoo", **kind, path="products", count=2)
    edit(shop, number, name="After")
    wait_till(shop, sku, title="After", timeout=60)
    shop.control("DELETE", "/faults")


# ---------------------------------------------------------------- what BigCommerce says

def test_a_product_deleted_between_webhook_and_read(shop):
    number = product(shop, "Short", ["SHORT-1"], hooks=False)
    shop.control("DELETE", "/bc-product", {"product_id": number, "hooks": False})
    shop.post("/hooks/bigcommerce/product-updated", {"scope": "store/product/created", "hash": "a" * 40, "created_at": 1, "store_id": "1",
                                                     "producer": "stores/simstore", "data": {"type": "product", "id": number}})
    quiet(shop)
    assert till(shop, "SHORT-1") is None and not [c for c in shop.cases() if str(number) in c]


def test_a_tax_class_without_mapping_is_parked_and_named(shop):
    number = product(shop, "Freight", ["TAX-1"], tax_class_id=2)
    case = wait_case(shop, f"tax_class_unmapped:product {number}")
    assert "Shipping" in case["text"] and "2" in case["text"] and case["owner"] == "merchandising"
    assert till(shop, "TAX-1") is None
    edit(shop, number, tax_class_id=1)
    wait_till(shop, "TAX-1", vatid=3)
    wait_closed(shop, f"tax_class_unmapped:product {number}")


def test_a_product_that_becomes_a_download_is_hidden(shop):
    number = product(shop, "Map", ["MAP-1"])
    wait_till(shop, "MAP-1", activepos=True)
    quiet(shop)
    edit(shop, number, type="digital", name="Map to print")
    wait_till(shop, "MAP-1", activepos=False)
    edit(shop, number, type="physical", name="Map")
    wait_till(shop, "MAP-1", activepos=True)
    all_right(shop)


def test_a_variant_that_could_not_be_wanted_is_hidden_when_it_is_removed(shop):
    number = product(shop, "Cup", ["CUP-1", "CUP-2", "CUP-3"])
    wait_till(shop, "CUP-3", activepos=True)
    quiet(shop)
    edit(shop, number, tax_class_id=2)
    wait_case(shop, f"tax_class_unmapped:product {number}")
    quiet(shop)
    assert all(till(shop, f"CUP-{n}")["activepos"] for n in (1, 2, 3))
    edit(shop, number, remove_variants=["CUP-2"])
    wait_till(shop, "CUP-2", activepos=False)
    assert till(shop, "CUP-1")["activepos"] and till(shop, "CUP-3")["activepos"]
    edit(shop, number, tax_class_id=0)
    wait_closed(shop, f"tax_class_unmapped:product {number}")
    all_right(shop)


def test_a_sku_with_characters_that_sitoo_refuses(shop):
    number = product(shop, "Odd", variants=[{"sku": sku, "options": [{"name": "Size", "label": sku}]} for sku in ("ODD 1", "ODD-2")])
    assert "ODD 1" in wait_case(shop, "sku_not_allowed:ODD 1")["text"]
    wait_till(shop, "ODD-2", activepos=True)
    edit(shop, number, variants=[{"sku": "ODD 1", "new_sku": "ODD-1"}])
    wait_till(shop, "ODD-1", activepos=True)
    all_right(shop)


def test_a_variant_without_sku(shop):
    number = product(shop, "Nameless", variants=[{"sku": "", "options": [{"name": "Size", "label": "S"}]},
                                                 {"sku": "NAMED-1", "options": [{"name": "Size", "label": "M"}]}])
    wait_till(shop, "NAMED-1", activepos=True)
    shop.wait_until(lambda: [c for c in shop.cases() if c.startswith(f"variant_without_sku:product {number} variant ")], 20, "a case")


def test_long_titles_html_and_emoji(shop):
    product(shop, "L" * 240, variants=[{"sku": "LONG-1", "options": [{"name": "Text", "label": "y" * 240}]}])
    found = wait_till(shop, "LONG-1", activepos=True)
    assert len(found["title"]) == 250 and found["title"].endswith("...")
    product(shop, "N" * 250, variants=[{"sku": f"LONG-N-{size}", "options": [{"name": "Size", "label": size}]} for size in "SM"])
    for size in "SM":
        found = wait_till(shop, f"LONG-N-{size}", activepos=True)
        assert len(found["title"]) == 250 and found["title"].endswith(f"N... {size}")
    product(shop, "Tea \U0001f375 & <b>cake</b>\t\u0007 ", ["EMOJI-1"], description="<p>Hot<script>alert(1)</script></p>")
    found = wait_till(shop, "EMOJI-1", activepos=True)
    assert "\U0001f375" in found["title"] and "\u0007" not in found["title"] and found["description"] == ""


def test_descriptions_are_plain_text_if_they_are_wanted(stack):
    shop = make(stack, mapping=products_mapping(description=True))
    product(shop, "Tea", ["TEA-1"], description="<p>Green &amp; <b>hot</b></p><script>alert(1)</script>")
    found = wait_till(shop, "TEA-1", activepos=True)
    assert "Green & hot" in found["description"] and "<" not in found["description"] and "alert" not in found["description"]


def test_a_price_list_in_another_currency(stack):
    shop = make(stack, loaded=False, mapping=products_mapping(price="price_list", price_list_id=3))
    shop.control("PUT", "/bc-price-list", {"id": 3, "records": []})
    load(shop)
    product(shop, "Euro", ["EUR-1"], price="100.00")
    wait_till(shop, "EUR-1", moneyprice="100.00")
    shop.control("PUT", "/bc-price-list", {"id": 3, "records": [{"sku": "EUR-1", "currency": "EUR", "price": "9.00"}]})
    assert "EUR" in wait_case(shop, "price_list_currency:EUR-1")["text"]
    assert till(shop, "EUR-1")["moneyprice"] == "100.00" and till(shop, "EUR-1")["activepos"]
    shop.control("PUT", "/bc-price-list", {"id": 3, "records": [{"sku": "EUR-1", "currency": "SEK", "price": "90.00"}]})
    wait_till(shop, "EUR-1", moneyprice="90.00")
    wait_closed(shop, "price_list_currency:EUR-1")


def test_the_two_shops_have_different_currencies(stack):
    shop = make(stack, loaded=False)
    shop.control("PUT", "/settings", {"sitoo_products": {"list_currency": "NOK"}})
    status, out, _ = shop.command("load", "--json")
    error = json.loads(out)["error"]
    assert status == 1 and error["cause"] == "price_currency" and "NOK" in error["text"] and "SEK" in error["text"]
    shop.redis().hset(shop.key("catalog"), "loaded", "1")
    product(shop, "Money", ["MONEY-1"])
    wait_case(shop, "price_currency:catalog")
    assert not sitoo_writes(shop)


# ---------------------------------------------------------------- families

def test_two_families_that_exchange_a_sku(shop):
    one, two = product(shop, "Left", ["LEFT-1", "LEFT-2"]), product(shop, "Right", ["RIGHT-1", "RIGHT-2"])
    all_right(shop)
    left, right = till(shop, "LEFT-1")["variantparentid"], till(shop, "RIGHT-1")["variantparentid"]
    edit(shop, one, remove_variants=["LEFT-2"], hooks=False)
    edit(shop, two, remove_variants=["RIGHT-2"], hooks=False)
    edit(shop, one, add_variants=[{"sku": "RIGHT-2", "options": [{"name": "Size", "label": "RIGHT-2"}]}])
    edit(shop, two, add_variants=[{"sku": "LEFT-2", "options": [{"name": "Size", "label": "LEFT-2"}]}])
    wait_case(shop, f"family_conflict:product {one}")
    wait_case(shop, f"family_conflict:product {two}")
    quiet(shop)
    found = {sku: till(shop, sku) for sku in ("LEFT-1", "LEFT-2", "RIGHT-1", "RIGHT-2")}
    assert all(one["activepos"] for one in found.values())
    assert found["LEFT-2"]["title"] == "Right LEFT-2" and found["RIGHT-2"]["title"] == "Left RIGHT-2"
    assert (found["LEFT-2"]["variantparentid"], found["RIGHT-2"]["variantparentid"]) == (left, right)
    never(shop)


def test_staff_rows_that_do_not_fit_new_options_are_never_left_out(shop):
    number = product(shop, "Boot", ["BOOT-1", "BOOT-2"])
    all_right(shop)
    parent = till(shop, "BOOT-1")["variantparentid"]
    shop.control("POST", "/till-product", {"sku": "BOOT-STAFF", "title": "Boot", "price": "1.00", "family": parent, "attributes": ["x"]})
    edit(shop, number, variants=[{"sku": f"BOOT-{n}", "options": [{"name": "Size", "label": f"S{n}"}, {"name": "Color", "label": "red"}]} for n in (1, 2)])
    assert "BOOT-STAFF" in wait_case(shop, f"family_conflict:product {number}")["text"]
    assert till(shop, "BOOT-STAFF")["variantparentid"] == parent
    never(shop)


# ---------------------------------------------------------------- brakes

def test_a_large_change_of_price_waits_for_a_person(shop):
    number = product(shop, "Dear", ["DEAR-1"], price="100.00")
    wait_till(shop, "DEAR-1", moneyprice="100.00")
    edit(shop, number, price="10.00", name="Dear thing")
    case = wait_case(shop, "price_held:DEAR-1")
    assert "100.00" in case["text"] and "10.00" in case["text"]
    wait_till(shop, "DEAR-1", title="Dear thing", moneyprice="100.00")
    retry(shop, "price_held:DEAR-1")
    wait_till(shop, "DEAR-1", moneyprice="10.00")
    edit(shop, number, price="100000.00")
    wait_case(shop, "price_held:DEAR-1")
    edit(shop, number, price="12.00")
    wait_till(shop, "DEAR-1", moneyprice="12.00")
    wait_closed(shop, "price_held:DEAR-1")


def test_hiding_many_at_once_is_held(stack):
    shop = make(stack, mapping=products_mapping(brake={"max_deactivated_skus": 3}))
    numbers = [product(shop, f"Off {n}", [f"OFF-{n}"]) for n in range(5)]
    all_right(shop)
    for number in numbers:
        edit(shop, number, is_visible=False)
    wait_case(shop, "products_brake:catalog")
    shop.wait_until(lambda: sum(not till(shop, f"OFF-{n}")["activepos"] for n in range(5)) == 3, 20, "three are hidden")
    retry(shop, "products_brake:catalog")
    shop.wait_until(lambda: shop.redis().hget(shop.key("catalog"), "released"), 20, "released")
    for number in numbers:
        shop.fcall("apply", "mark", "product", str(number), "0", "", "")
    for n in range(5):
        wait_till(shop, f"OFF-{n}", activepos=False, timeout=90)
    all_right(shop, 90)


def test_a_try_that_fails_does_not_count_as_hidden(stack):
    shop = make(stack, mapping=products_mapping(brake={"max_deactivated_skus": 3}))
    number = product(shop, "Off", ["OFF-1", "OFF-2"])
    all_right(shop)
    fault(shop, "sitoo", kind="status", status=503, method="PUT", path="products", count=2)
    edit(shop, number, is_visible=False)

    def hidden():
        shop.fcall("apply", "mark", "product", str(number), "0", "", "")
        begun = json.loads(shop.redis().hget(shop.key("products"), str(number))).get("w", [])
        assert len(begun) == len(set(begun)), begun
        return not any(till(shop, sku)["activepos"] for sku in ("OFF-1", "OFF-2"))
    shop.wait_until(hidden, 90, "they are hidden")
    assert len([one for one in sitoo_writes(shop) if one["method"] == "PUT"]) >= 3
    assert "products_brake:catalog" not in shop.cases()


def test_products_that_vanish_stop_every_write(stack):
    shop = make(stack)
    shop.control("PUT", "/settings", {"sitoo_products": {"vanish": 1}})
    product(shop, "Victim", [f"VICTIM-{n}" for n in range(12)])
    case = wait_case(shop, "products_vanished:catalog", 40)
    assert "nothing more is written" in case["text"]
    since = shop.last_request()
    product(shop, "Later", ["LATER-1"])
    shop.wait_until(lambda: due(shop, 10 ** 9) > 0 and not shop.control("GET", "/hook-log")["waiting"], 20, "it is held")
    assert not sitoo_writes(shop, since)
    shop.fcall("apply", "mark", "catalog", "release", "0", "", "")  # as a retry of the brake's case does
    shop.wait_until(lambda: shop.redis().hget(shop.key("catalog"), "released"), 20, "the brake is released")
    assert shop.redis().hexists(shop.key("catalog"), "halt")
    retry(shop, "products_vanished:catalog")
    shop.wait_until(lambda: not shop.redis().hexists(shop.key("catalog"), "halt"), 20, "released")
    shop.redis().zadd(shop.key("due:product"), {name: 0 for name in shop.redis().zrange(shop.key("due:product"), 0, -1)})
    wait_till(shop, "LATER-1", activepos=True, timeout=60)


# ---------------------------------------------------------------- exceptions

def test_what_was_made_in_the_till_is_an_exception(shop):
    shop.control("POST", "/till-product", {"sku": "TILL-ONLY", "title": "Made in the till", "price": "25.00"})
    shop.control("POST", "/move", {"sku": "TILL-ONLY", "quantity": 5, "to": 1})
    status, out, err = shop.command("exceptions", "--json", "--sweep")
    assert status == 0, err
    found = [one for one in json.loads(out)["exceptions"] if one["sku"] == "TILL-ONLY"]
    assert [one["kind"] for one in found] == ["only_in_sitoo"] and found[0]["step"] and found[0]["owner"]
    assert "only_in_sitoo:TILL-ONLY" in shop.cases()
    product(shop, "Adopted", ["TILL-ONLY"])
    wait_till(shop, "TILL-ONLY", title="Adopted")
    shop.command("exceptions", "--json", "--sweep")
    assert "only_in_sitoo:TILL-ONLY" not in shop.cases()


def test_a_near_duplicate_is_not_made(shop):
    shop.control("POST", "/till-product", {"sku": "near-1", "title": "Near", "price": "5.00"})
    shop.command("exceptions", "--sweep")
    sweep(shop)
    quiet(shop)
    number = product(shop, "Near", ["NEAR-1"])
    shop.wait_until(lambda: [c for c in shop.cases() if c.startswith("near_duplicate:")], 20, "a case")
    assert till(shop, "NEAR-1") is None
    assert shop.control("DELETE", "/till-product", {"sku": "near-1"}) is not None
    sweep(shop)
    wait_till(shop, "NEAR-1", activepos=True)
    wait_closed(shop, "near_duplicate:NEAR-1")
    shop.control("DELETE", "/bc-product", {"product_id": number})


def test_quarantine_hides_what_was_made_in_the_till(stack):
    shop = make(stack, mapping=products_mapping(quarantine=True))
    shop.control("POST", "/till-product", {"sku": "STRAY-1", "title": "Stray", "price": "5.00", "activepos": True})
    sweep(shop)
    wait_till(shop, "STRAY-1", activepos=False)
    assert opinion(shop)["deleted"] == []
    never(shop)


def test_what_quarantine_may_not_hide_is_looked_at_again_when_a_person_lets_it(stack):
    shop = make(stack, mapping=products_mapping(quarantine=True, brake={"max_deactivated_skus": 2}))
    swept(shop)
    strays = [f"STRAY-{n}" for n in range(3)]
    for sku in strays:
        shop.control("POST", "/till-product", {"sku": sku, "title": sku, "price": "5.00", "activepos": True})
    sweep(shop)
    wait_case(shop, "products_brake:catalog")
    shop.wait_until(lambda: shop.redis().zscore(shop.key("due:catalog"), "sweep") > (time.time() + 3600) * 1000, 20,
                    "the next comparison is a day away, not five minutes")
    assert all(till(shop, sku)["activepos"] for sku in strays)
    retry(shop, "products_brake:catalog")
    for sku in strays:
        wait_till(shop, sku, activepos=False)
    never(shop)


def test_what_quarantine_may_not_hide_during_a_halt_is_looked_at_again_after_it(stack):
    shop = make(stack, mapping=products_mapping(quarantine=True))
    swept(shop)
    shop.control("PUT", "/settings", {"sitoo_products": {"vanish": 1}})
    product(shop, "Victim", [f"VICTIM-{n}" for n in range(12)])
    wait_case(shop, "products_vanished:catalog", 40)
    shop.control("POST", "/till-product", {"sku": "STRAY-1", "title": "Stray", "price": "5.00", "activepos": True})
    sweep(shop)
    wait_case(shop, "only_in_sitoo:STRAY-1")
    shop.wait_until(lambda: shop.redis().zscore(shop.key("due:catalog"), "sweep") > (time.time() + 3600) * 1000, 20,
                    "the next comparison is a day away, not five minutes")
    assert till(shop, "STRAY-1")["activepos"]
    retry(shop, "products_vanished:catalog")
    wait_till(shop, "STRAY-1", activepos=False, timeout=60)


def test_quarantine_hides_nothing_that_bigcommerce_has(stack):
    shop = make(stack, mapping=products_mapping(quarantine=True), loaded=False)
    for sku in ("STRAY-1", "FREIGHT-1", "CARD-1"):
        shop.control("POST", "/till-product", {"sku": sku, "title": sku, "price": "5.00", "activepos": True})
    product(shop, "Freight", ["FREIGHT-1"], tax_class_id=2)
    product(shop, "Gift card", ["CARD-1"], type="digital")
    load(shop)
    sweep(shop)
    wait_till(shop, "STRAY-1", activepos=False)
    quiet(shop)
    assert till(shop, "FREIGHT-1")["activepos"] and till(shop, "CARD-1")["activepos"]
    assert not [name for name in shop.cases() if name in ("only_in_sitoo:FREIGHT-1", "only_in_sitoo:CARD-1")]


def test_another_list_of_the_tills_that_is_cheaper(stack):
    shop = make(stack, loaded=False)
    shop.control("PUT", "/till-price-list", {"id": 5, "name": "Staff", "active": True, "currency": "SEK", "tags": [], "items": {}})
    load(shop)
    number = product(shop, "Under", ["UNDER-1"], price="100.00")
    wait_till(shop, "UNDER-1", moneyprice="100.00")
    shop.control("PUT", "/till-price-list", {"id": 5, "items": {"UNDER-1": "100.00"}})
    shop.control("PUT", "/till-price-list", {"id": 6, "name": "Abroad", "active": True, "currency": "EUR", "tags": [], "items": {"UNDER-1": "9.00"}})
    shop.kill_child("product-updated", pid=shop.children("product-updated")[-1])  # prices of lists are kept for ten minutes
    edit(shop, number, price="120.00")
    wait_till(shop, "UNDER-1", moneyprice="120.00", timeout=60)
    assert "5" in wait_case(shop, "price_undercut:UNDER-1")["text"]
    assert "Abroad" not in shop.cases()["price_undercut:UNDER-1"]["text"]
    shop.control("PUT", "/till-price-list", {"id": 5, "remove": ["UNDER-1"]})
    sweep(shop)
    wait_closed(shop, "price_undercut:UNDER-1")
