# SPDX-License-Identifier: Apache-2.0
"""Products and prices reach the tills, once, and only what differs."""
import json

import pytest

from catalog_shop import (all_right, edit, load, make, never, product, products_mapping, quiet, sitoo_reads, sitoo_writes,
                          sweep, till)


@pytest.fixture(scope="module")
def shop(module_stack):
    return make(module_stack)


def wait_till(shop, sku, timeout=20, **fields):
    def there():
        found = till(shop, sku)
        return found and all(found[name] == value for name, value in fields.items()) and found
    try:
        return shop.wait_until(there, timeout, f"{sku} is {fields}")
    except TimeoutError:
        raise AssertionError(f"{sku} should be {fields}: {till(shop, sku)}; {shop.cases()}") from None


def test_a_product_made_in_bigcommerce_reaches_the_tills(shop):
    product(shop, "Bread knife", ["KNIFE-1"], price="79.50", gtin="7312345678905")
    wait_till(shop, "KNIFE-1", title="Bread knife", moneyprice="79.50", vatid=2, barcode="7312345678905", activepos=True)
    all_right(shop)


def test_title_and_price_are_changed_in_one_write(shop):
    number = product(shop, "Pan", ["PAN-1"], price="200.00")
    wait_till(shop, "PAN-1", moneyprice="200.00")
    quiet(shop)
    since = shop.last_request()
    edit(shop, number, name="Frying pan", price="210.00")
    wait_till(shop, "PAN-1", title="Frying pan", moneyprice="210.00")
    quiet(shop)
    (write,) = sitoo_writes(shop, since)
    assert json.loads(write["body"]) == [{"productid": till(shop, "PAN-1")["productid"], "title": "Frying pan", "moneyprice": "210.00"}]


def test_an_echo_costs_sitoo_no_call(shop):
    number = product(shop, "Echo", ["ECHO-1"])
    wait_till(shop, "ECHO-1", title="Echo")
    quiet(shop)
    since, before = shop.last_request(), shop.counter("products:echoes")
    for _ in range(3):
        shop.post("/hooks/bigcommerce/product-updated", {"scope": "store/product/updated", "store_id": "1", "hash": "e" * 40,
                                                         "created_at": 1700000000, "producer": "stores/simstore",
                                                         "data": {"type": "product", "id": number}})
        quiet(shop)
    shop.wait_until(lambda: shop.counter("products:echoes") > before, 10, "it was looked at")
    assert not sitoo_writes(shop, since) and not sitoo_reads(shop, since)


def test_variants_become_one_family(shop):
    number = product(shop, "T-shirt", variants=[
        {"sku": f"TS-{color[0]}-{size}", "options": [{"name": "Color", "label": color}, {"name": "Size", "label": size}]}
        for color in ("Red", "Blue") for size in ("S", "M")])
    all_right(shop)
    found = [till(shop, f"TS-{c}-{s}") for c in "RB" for s in "SM"]
    assert len({one["variantparentid"] for one in found}) == 1
    assert found[0]["title"] == "T-shirt Red S"
    assert found[0]["variant"] == [{"name": "Color", "value": "Red"}, {"name": "Size", "value": "S"}]
    edit(shop, number, add_variants=[{"sku": "TS-R-L", "options": [{"name": "Color", "label": "Red"}, {"name": "Size", "label": "L"}]}])
    wait_till(shop, "TS-R-L", variantparentid=found[0]["variantparentid"])
    all_right(shop)


def test_an_option_that_is_renamed_keeps_the_family(shop):
    number = product(shop, "Mug", variants=[{"sku": f"MUG-{c}", "options": [{"name": "Colour", "label": c}]} for c in ("A", "B")])
    all_right(shop)
    before = till(shop, "MUG-A")
    edit(shop, number, variants=[{"sku": f"MUG-{c}", "options": [{"name": "Shade", "label": f"{c} light"}]} for c in ("A", "B")])
    after = wait_till(shop, "MUG-A", variant=[{"name": "Shade", "value": "A light"}])
    assert (after["productid"], after["variantparentid"]) == (before["productid"], before["variantparentid"])
    all_right(shop)


def test_a_row_that_staff_made_in_the_family_stays(shop):
    number = product(shop, "Cap", ["CAP-1", "CAP-2"])
    all_right(shop)
    parent = till(shop, "CAP-1")["variantparentid"]
    shop.control("POST", "/till-product", {"sku": "CAP-STAFF", "title": "Cap by staff", "price": "10.00", "family": parent,
                                           "attributes": ["staff"]})
    edit(shop, number, add_variants=[{"sku": "CAP-3", "options": [{"name": "Size", "label": "CAP-3"}]}])
    wait_till(shop, "CAP-3", variantparentid=parent)
    staff = till(shop, "CAP-STAFF")
    assert staff["title"] == "Cap by staff" and staff["variantparentid"] == parent and staff["activepos"]
    all_right(shop)


@pytest.mark.parametrize("change", [{"is_visible": False}, {"availability": "disabled"}])
def test_a_hidden_product_is_inactive_in_the_tills_and_comes_back(shop, change):
    sku = f"HIDE-{len(str(change))}"
    number = product(shop, "Hidden", [sku])
    wait_till(shop, sku, activepos=True)
    edit(shop, number, **change)
    wait_till(shop, sku, activepos=False)
    edit(shop, number, is_visible=True, availability="available")
    wait_till(shop, sku, activepos=True)
    all_right(shop)


def test_a_deleted_product_is_hidden_never_deleted(shop):
    number = product(shop, "Gone", ["GONE-1", "GONE-2"])
    all_right(shop)
    shop.control("DELETE", "/bc-product", {"product_id": number})
    for sku in ("GONE-1", "GONE-2"):
        wait_till(shop, sku, activepos=False)
    all_right(shop)


def test_a_variant_that_is_removed_is_hidden_and_stays_in_its_family(shop):
    number = product(shop, "Sock", ["SOCK-1", "SOCK-2", "SOCK-3"])
    all_right(shop)
    parent = till(shop, "SOCK-1")["variantparentid"]
    edit(shop, number, remove_variants=["SOCK-2"])
    wait_till(shop, "SOCK-2", activepos=False, variantparentid=parent)
    all_right(shop)


def test_a_sku_that_is_changed_is_made_anew_and_the_old_one_hidden(shop):
    number = product(shop, "Renamed", ["OLD-1"])
    wait_till(shop, "OLD-1", activepos=True)
    shop.control("POST", "/move", {"sku": "OLD-1", "quantity": 4, "to": 1})
    edit(shop, number, variants=[{"sku": "OLD-1", "new_sku": "NEW-1"}])
    wait_till(shop, "NEW-1", activepos=True)
    wait_till(shop, "OLD-1", activepos=False)
    assert shop.stock("OLD-1")[1]["on_hand"] == 4000
    case = shop.wait_until(lambda: shop.cases().get("sku_changed:OLD-1"), 20, "the case")
    assert "NEW-1" in case["text"]
    all_right(shop)


def test_a_sku_that_is_changed_takes_its_barcode_along(shop):
    number = product(shop, "Coded", ["CODED-1"], gtin="731000000012")
    wait_till(shop, "CODED-1", barcode="731000000012")
    quiet(shop)
    edit(shop, number, variants=[{"sku": "CODED-1", "new_sku": "CODED-2"}])
    wait_till(shop, "CODED-2", barcode="731000000012", activepos=True)
    wait_till(shop, "CODED-1", activepos=False, barcode=None)
    assert "barcode_taken:CODED-2" not in shop.cases()
    all_right(shop)


def test_a_sku_that_is_changed_in_a_family_stays_in_it(shop):
    number = product(shop, "Hose", ["HOSE-1", "HOSE-2", "HOSE-3"])
    all_right(shop)
    family = till(shop, "HOSE-1")["variantparentid"]
    edit(shop, number, variants=[{"sku": "HOSE-2", "new_sku": "HOSE-2B"}])
    wait_till(shop, "HOSE-2B", variantparentid=family, activepos=True)
    wait_till(shop, "HOSE-2", variantparentid=family, activepos=False)
    edit(shop, number, add_variants=[{"sku": "HOSE-4", "options": [{"name": "Size", "label": "HOSE-4"}]}])
    wait_till(shop, "HOSE-4", variantparentid=family)
    assert f"family_refused:product {number}" not in shop.cases()
    all_right(shop)


def test_a_sku_that_is_changed_in_letter_case_only_stays_in_the_tills(shop):
    number = product(shop, "Case", ["case-1"])
    wait_till(shop, "case-1", activepos=True)
    quiet(shop)
    edit(shop, number, variants=[{"sku": "case-1", "new_sku": "CASE-1"}])
    shop.wait_until(lambda: "near_duplicate:CASE-1" in shop.cases(), 20, "the case")
    edit(shop, number, name="Suitcase")
    quiet(shop)
    sweep(shop)
    quiet(shop)
    assert till(shop, "case-1")["activepos"] and till(shop, "CASE-1") is None
    assert "sku_changed:case-1" not in shop.cases()
    shop.control("DELETE", "/bc-product", {"product_id": number})
    wait_till(shop, "case-1", activepos=False)
    quiet(shop)


def test_barcodes_that_change_places(shop):
    one, two = (product(shop, name, [name.upper()], gtin=code) for name, code in (("swap-1", "731000000001"), ("swap-2", "731000000002")))
    wait_till(shop, "SWAP-1", barcode="731000000001")
    wait_till(shop, "SWAP-2", barcode="731000000002")
    quiet(shop)
    edit(shop, one, gtin="731000000002", name="swap one", hooks=False)
    edit(shop, two, gtin="731000000001", name="swap two")
    edit(shop, one, name="swap 1 again")
    wait_till(shop, "SWAP-1", barcode="731000000002", timeout=30)
    wait_till(shop, "SWAP-2", barcode="731000000001", timeout=30)
    all_right(shop)


def test_what_staff_changed_in_sitoo_is_put_right_and_the_rest_left_alone(shop):
    product(shop, "Staff", ["STAFF-1"], price="50.00")
    wait_till(shop, "STAFF-1", title="Staff")
    quiet(shop)
    shop.control("PUT", "/till-product", {"sku": "STAFF-1", "title": "Changed by hand", "custom1": "mine", "moneyprice": "55.00"})
    sweep(shop)
    found = wait_till(shop, "STAFF-1", title="Staff", moneyprice="50.00")
    assert found["custom1"] == "mine"
    all_right(shop)


def test_a_variant_that_was_removed_without_a_webhook_is_hidden_by_the_comparison(shop):
    number = product(shop, "Glove", ["GLOVE-1", "GLOVE-2", "GLOVE-3"])
    all_right(shop)
    edit(shop, number, remove_variants=["GLOVE-2"], hooks=False)
    sweep(shop)
    wait_till(shop, "GLOVE-2", activepos=False)
    all_right(shop)


def test_a_code_that_staff_cleared_goes_to_the_product_that_has_it_now(shop):
    one, two = product(shop, "Old holder", ["HOLD-1"], gtin="731000000011"), product(shop, "New holder", ["HOLD-2"])
    wait_till(shop, "HOLD-1", barcode="731000000011")
    wait_till(shop, "HOLD-2", activepos=True)
    quiet(shop)
    shop.control("PUT", "/till-product", {"sku": "HOLD-1", "barcode": ""})
    edit(shop, one, gtin="", hooks=False)
    edit(shop, two, gtin="731000000011", hooks=False)
    sweep(shop)
    wait_till(shop, "HOLD-2", barcode="731000000011")
    all_right(shop)


def test_ten_webhooks_in_a_second_are_one_write(stack):
    shop = make(stack, mapping=products_mapping(debounce_s=2))
    number = product(shop, "Often", ["OFTEN-1"])
    wait_till(shop, "OFTEN-1", title="Often")
    quiet(shop)
    since = shop.last_request()
    for n in range(10):
        edit(shop, number, name=f"Often {n}")
    wait_till(shop, "OFTEN-1", title="Often 9")
    quiet(shop)
    assert len(sitoo_writes(shop, since)) == 1


def test_nothing_is_written_before_the_first_load(stack):
    shop = make(stack, loaded=False)
    product(shop, "Early", ["EARLY-1"])
    quiet(shop)
    assert not sitoo_writes(shop) and till(shop, "EARLY-1") is None
    plan = load(shop)
    assert plan["make"] >= 1 and any(row["sku"] == "EARLY-1" and row["what"] == "make" for row in plan["rows"]) or plan["differences"] > 40
    all_right(shop)


def test_shadow_mode_writes_nothing(stack):
    shop = make(stack, hooks=True, loaded=False, env={"ONEPOOL_MODE": "shadow"})
    status, out, _ = shop.command("load", "--json")
    assert status == 0
    status, out, _ = shop.command("load", "--json", "--apply", json.loads(out)["id"])
    assert status == 1 and json.loads(out)["error"]["cause"] == "shadow"
    shop.redis().hset(shop.key("catalog"), "loaded", "1")
    product(shop, "Shadow", ["SHADOW-1"])
    shop.wait_until(lambda: shop.redis().xlen(shop.key("shadow")), 20, "the write is recorded")
    quiet(shop)
    assert not sitoo_writes(shop) and till(shop, "SHADOW-1") is None
    never(shop)


def test_without_the_section_nothing_flows(stack):
    mapping = products_mapping()
    del mapping["products"]
    shop = make(stack, loaded=False, mapping=mapping)
    product(shop, "Off", ["OFF-1"])
    quiet(shop)
    status, out, _ = shop.command("load", "--json")
    assert status == 1 and json.loads(out)["error"]["cause"] == "products_off"
    assert not sitoo_writes(shop)


def test_sale_prices_have_a_list_of_their_own(stack):
    shop = make(stack, loaded=False, mapping=products_mapping(sale_price_list_id=2))
    shop.control("PUT", "/till-price-list", {"id": 2, "name": "Sale", "active": True, "currency": "SEK", "tags": [], "items": {}})
    load(shop)
    number = product(shop, "Sale", ["SALE-1"], price="100.00", sale_price="80.00")
    found = wait_till(shop, "SALE-1", moneyprice="100.00")
    shop.wait_until(lambda: till(shop, "SALE-1")["prices"].get("2") == "80.00", 20, "the sale price is in list 2")
    edit(shop, number, sale_price=0)
    shop.wait_until(lambda: "2" not in till(shop, "SALE-1")["prices"], 20, "the sale is over")
    assert till(shop, "SALE-1")["productid"] == found["productid"]
    all_right(shop)


def test_sale_prices_in_the_default_list(shop):
    number = product(shop, "Cheap", ["CHEAP-1"], price="100.00", sale_price="80.00")
    wait_till(shop, "CHEAP-1", moneyprice="80.00")
    edit(shop, number, sale_price=0)
    wait_till(shop, "CHEAP-1", moneyprice="100.00")


def test_prices_of_a_price_list(stack):
    shop = make(stack, loaded=False, mapping=products_mapping(price="price_list", price_list_id=3))
    shop.control("PUT", "/bc-price-list", {"id": 3, "name": "Shops", "active": True, "records": []})
    load(shop)
    product(shop, "Listed", ["LISTED-1"], price="100.00")
    wait_till(shop, "LISTED-1", moneyprice="100.00")
    shop.control("PUT", "/bc-price-list", {"id": 3, "records": [{"sku": "LISTED-1", "currency": "SEK", "price": "90.00"}]})
    wait_till(shop, "LISTED-1", moneyprice="90.00")
    shop.control("PUT", "/bc-price-list", {"id": 3, "records": [{"sku": "LISTED-1", "currency": "SEK", "price": "90.00", "sale_price": "70.00"}]})
    wait_till(shop, "LISTED-1", moneyprice="70.00")
    all_right(shop)


def test_prices_without_tax_are_stored_with_it(stack):
    shop = make(stack, loaded=False)
    shop.control("PUT", "/settings", {"bc_prices_with_tax": False})
    load(shop)
    product(shop, "Net", ["NET-1"], price="79.99")
    wait_till(shop, "NET-1", moneyprice="99.99")
    product(shop, "Book", ["BOOK-1"], price="100.00", tax_class_id=1)
    wait_till(shop, "BOOK-1", moneyprice="106.00", vatid=3)
    all_right(shop)


def test_a_family_of_600_variants(stack):
    shop = make(stack)
    number = product(shop, "Many", variants=[
        {"sku": f"MANY-{n:03d}", "options": [{"name": "Color", "label": f"C{n // 30}"}, {"name": "Size", "label": f"S{n % 30}"}]} for n in range(600)])
    all_right(shop, 120)
    since = shop.last_request()
    edit(shop, number, name="Very many")
    wait_till(shop, "MANY-599", title="Very many C19 S29", timeout=60)
    quiet(shop)
    assert len(sitoo_writes(shop, since)) == 3  # 200 products each
    all_right(shop)


def test_a_single_product_becomes_a_family_and_a_family_single(stack):
    shop = make(stack)
    number = product(shop, "Single", ["SINGLE-1"])
    wait_till(shop, "SINGLE-1", variantparentid=None)
    shop.control("DELETE", "/bc-product", {"product_id": number})
    quiet(shop)
    number = product(shop, "Single", variants=[{"sku": sku, "options": [{"name": "Size", "label": sku}]} for sku in ("SINGLE-1", "SINGLE-2")])
    wait_till(shop, "SINGLE-2", activepos=True)
    shop.wait_until(lambda: till(shop, "SINGLE-1")["variantparentid"] == till(shop, "SINGLE-2")["variantparentid"], 20, "one family")
    shop.control("DELETE", "/bc-product", {"product_id": number})
    quiet(shop)
    product(shop, "Single again", ["SINGLE-1"])
    wait_till(shop, "SINGLE-1", title="Single again", activepos=True)
    wait_till(shop, "SINGLE-2", activepos=False)
    never(shop)
