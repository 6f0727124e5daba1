# SPDX-License-Identifier: Apache-2.0
"""Sale prices in a list of their own: what is in the list is compared, braked and shown in a look like any other price."""
import json

import pytest

from catalog_shop import all_right, edit, load, make, product, products_mapping, quiet, sitoo_reads, sitoo_writes, sweep, swept, till
from test_products import wait_till
from test_products_bad_days import retry, wait_case, wait_closed
from test_products_load import end, look, start

LIST = 2


def shop_with_list(stack, **more):
    shop = make(stack, loaded=False, mapping=products_mapping(sale_price_list_id=LIST), **more)
    shop.control("PUT", "/till-price-list", {"id": LIST, "name": "Sale", "active": True, "currency": "SEK", "tags": [], "items": {}})
    return shop


def in_list(shop, sku):
    return (till(shop, sku) or {"prices": {}})["prices"].get(str(LIST))


def wait_in_list(shop, sku, price):
    shop.wait_until(lambda: in_list(shop, sku) == price, 20, f"{sku} stands at {price} in the list, not at {in_list(shop, sku)}")


def put_in_list(shop, prices, remove=()):
    shop.control("PUT", "/till-price-list", {"id": LIST, "items": prices, "remove": list(remove)})


def test_what_staff_changed_in_the_list_is_found_and_put_right(stack):
    shop = shop_with_list(stack)
    load(shop)
    product(shop, "Cheap", ["CHEAP-1"], price="100.00", sale_price="80.00")
    product(shop, "Taken", ["TAKEN-1"], price="100.00", sale_price="70.00")
    plain = product(shop, "Plain", ["PLAIN-1"], price="100.00")
    wait_till(shop, "PLAIN-1", moneyprice="100.00")
    wait_in_list(shop, "CHEAP-1", "80.00")
    wait_in_list(shop, "TAKEN-1", "70.00")
    edit(shop, plain, name="Plainer")  # whoever wrote it has looked at the list, and keeps what it saw for ten minutes
    wait_till(shop, "PLAIN-1", title="Plainer")
    quiet(shop)
    put_in_list(shop, {"CHEAP-1": "60.00", "PLAIN-1": "90.00"}, remove=["TAKEN-1"])
    status, out, _ = shop.command("exceptions", "--json", "--kind", "price_differs", "--sweep")
    found = {one["sku"]: one for one in json.loads(out)["exceptions"]}
    assert status == 0 and set(found) == {"CHEAP-1", "TAKEN-1", "PLAIN-1"}, out
    assert (found["CHEAP-1"]["web_price"], found["CHEAP-1"]["till_price"]) == ("80.00", "60.00"), found["CHEAP-1"]
    assert (found["TAKEN-1"]["web_price"], found["TAKEN-1"]["till_price"]) == ("70.00", "100.00"), found["TAKEN-1"]
    assert (found["PLAIN-1"]["web_price"], found["PLAIN-1"]["till_price"]) == ("100.00", "90.00"), found["PLAIN-1"]
    for one in found.values():
        assert f"price list {LIST}" in one["text"], one
    sweep(shop)
    wait_in_list(shop, "CHEAP-1", "80.00")
    wait_in_list(shop, "TAKEN-1", "70.00")
    wait_in_list(shop, "PLAIN-1", None)
    sweep(shop)
    wait_closed(shop, "price_differs:CHEAP-1")
    all_right(shop)


def test_a_sale_price_that_looks_like_a_slip_waits_for_a_person(stack):
    shop = shop_with_list(stack)
    load(shop)
    number = product(shop, "Slip", ["SLIP-1"], price="100.00", sale_price="80.00")
    wait_till(shop, "SLIP-1", moneyprice="100.00")
    wait_in_list(shop, "SLIP-1", "80.00")
    edit(shop, number, sale_price="8.00", price="90.00", name="Slipped")
    case = wait_case(shop, "price_held:SLIP-1")
    assert "with its sale" in case["text"] and "80.00" in case["text"] and "8.00" in case["text"], case
    wait_till(shop, "SLIP-1", title="Slipped", moneyprice="100.00")
    swept(shop)
    assert in_list(shop, "SLIP-1") == "80.00" and "price_held:SLIP-1" in shop.cases()
    retry(shop, "price_held:SLIP-1")
    wait_in_list(shop, "SLIP-1", "8.00")
    wait_till(shop, "SLIP-1", moneyprice="90.00")
    wait_closed(shop, "price_held:SLIP-1")
    edit(shop, number, sale_price="85.00")
    wait_in_list(shop, "SLIP-1", "85.00")
    edit(shop, number, sale_price="1.00")
    wait_case(shop, "price_held:SLIP-1")
    edit(shop, number, sale_price=0)
    wait_in_list(shop, "SLIP-1", None)
    wait_closed(shop, "price_held:SLIP-1")
    all_right(shop)


def test_a_sale_that_is_held_does_not_pass_with_the_price_that_falls_beside_it(stack):
    shop = shop_with_list(stack)
    load(shop)
    number = product(shop, "Half", ["HALF-1"], price="100.00")
    wait_till(shop, "HALF-1", moneyprice="100.00")
    edit(shop, number, price="60.00", sale_price="31.00", name="Halved")  # -40 %, and -69 % with the sale
    wait_case(shop, "price_held:HALF-1")
    wait_till(shop, "HALF-1", title="Halved", moneyprice="100.00")
    swept(shop)
    edit(shop, number, name="Halved again")
    wait_till(shop, "HALF-1", title="Halved again", moneyprice="100.00")
    assert in_list(shop, "HALF-1") is None and "price_held:HALF-1" in shop.cases()
    retry(shop, "price_held:HALF-1")
    wait_till(shop, "HALF-1", moneyprice="60.00")
    wait_in_list(shop, "HALF-1", "31.00")
    all_right(shop)


@pytest.mark.parametrize("path", ["products.json", "pricelistitems.json"])
def test_a_write_that_fails_half_way_is_not_taken_for_a_slip(stack, path):
    shop = shop_with_list(stack)
    load(shop)
    number = product(shop, "Way", ["WAY-1"], price="100.00")
    wait_till(shop, "WAY-1", moneyprice="100.00")
    quiet(shop)
    shop.control("PUT", "/faults/sitoo", {"seed": 1, "rules": [{"kind": "status", "status": 503, "method": "PUT", "path": path, "count": 1}]})
    edit(shop, number, price="140.00", sale_price="55.00")
    wait_in_list(shop, "WAY-1", "55.00")
    wait_till(shop, "WAY-1", moneyprice="140.00")
    assert shop.control("GET", "/faults")["sitoo"]["hits"], "no write failed"
    quiet(shop)
    assert "price_held:WAY-1" not in shop.cases()
    all_right(shop)


def test_a_sale_goes_on_until_the_price_beside_it_is_there(stack):
    shop = shop_with_list(stack)
    load(shop)
    number = product(shop, "Until", ["UNTIL-1"], price="100.00", sale_price="70.00")
    wait_in_list(shop, "UNTIL-1", "70.00")
    swept(shop)
    since = shop.last_request()
    shop.control("PUT", "/faults/sitoo", {"seed": 1, "rules": [{"kind": "answer", "method": "PUT", "path": "products.json", "count": 1,
                                                               "body": [{"statuscode": 409, "errortext": "Busy"}]}]})
    edit(shop, number, price="60.00", sale_price=0)
    wait_in_list(shop, "UNTIL-1", None)
    put, *_, end_of_sale = sitoo_writes(shop, since)
    assert (put["method"], end_of_sale["method"]) == ("PUT", "DELETE")
    between = [one for one in sitoo_reads(shop, put["n"]) if one["n"] < end_of_sale["n"]]
    assert between, "the sale ended before anybody saw the new price"
    wait_till(shop, "UNTIL-1", moneyprice="60.00")
    all_right(shop)


def test_the_first_sale_price_of_what_was_just_made_is_no_slip(stack):
    shop = shop_with_list(stack)
    load(shop)
    swept(shop)
    shop.control("PUT", "/faults/sitoo", {"seed": 1, "rules": [{"kind": "status", "status": 503, "method": "PUT", "path": "pricelistitems.json",
                                                               "count": 1}]})
    number = product(shop, "Made", ["MADE-1"], price="100.00", sale_price="31.00")
    wait_till(shop, "MADE-1", moneyprice="100.00")
    wait_in_list(shop, "MADE-1", "31.00")
    assert shop.control("GET", "/faults")["sitoo"]["hits"], "no write failed"
    quiet(shop)
    assert "price_held:MADE-1" not in shop.cases()
    edit(shop, number, sale_price="3.00")  # once it is there, a slip is a slip
    wait_case(shop, "price_held:MADE-1")
    assert in_list(shop, "MADE-1") == "31.00"


def test_another_list_is_cheaper_once_the_sale_is_over(stack):
    shop = shop_with_list(stack)
    shop.control("PUT", "/till-price-list", {"id": 5, "name": "Staff", "active": True, "currency": "SEK", "tags": [], "items": {}})
    load(shop)
    number = product(shop, "Under", ["UNDER-1"], price="100.00", sale_price="60.00")
    wait_in_list(shop, "UNDER-1", "60.00")
    shop.control("PUT", "/till-price-list", {"id": 5, "items": {"UNDER-1": "70.00"}})
    swept(shop)
    assert "price_undercut:UNDER-1" not in shop.cases()
    shop.kill_child("product-updated", pid=shop.children("product-updated")[-1])  # prices of lists are kept for ten minutes
    edit(shop, number, sale_price=0)
    assert "70.00" in wait_case(shop, "price_undercut:UNDER-1", 60)["text"]


def test_what_stays_in_the_tills_under_its_old_spelling_stays_on_sale(stack):
    shop = shop_with_list(stack)
    load(shop)
    number = product(shop, "Spelled", ["SPELLED-1"], price="100.00", sale_price="60.00")
    wait_in_list(shop, "SPELLED-1", "60.00")
    swept(shop)
    edit(shop, number, variants=[{"sku": "SPELLED-1", "new_sku": "spelled-1"}])
    wait_case(shop, "near_duplicate:spelled-1")
    quiet(shop)
    assert in_list(shop, "SPELLED-1") == "60.00" and till(shop, "SPELLED-1")["activepos"]


def test_a_look_shows_what_becomes_of_the_list(stack):
    shop = shop_with_list(stack, hooks=False, args=("--skus", "20", "--web-products", "20"))
    shop.processes["product-updated"].stop()
    for sku in ("OLD-1", "OLD-2", "OLD-3"):
        shop.control("POST", "/till-product", {"sku": sku, "title": sku, "price": "100.00", "activepos": True})
    put_in_list(shop, {"OLD-2": "70.00", "OLD-3": "60.00"})
    for sku, sale in (("OLD-1", "20.00"), ("OLD-2", "75.00"), ("OLD-3", 0), ("NEW-1", "50.00")):
        product(shop, sku, [sku], price="100.00", sale_price=sale)
    plan = look(shop, "--rows", "1000")
    rows = {row["sku"]: (row["what"], row["in_sitoo"], row["in_bigcommerce"]) for row in plan["rows"] if row["field"] == "sale_price"}
    assert rows == {"OLD-1": ("change", "", "20.00"), "OLD-2": ("change", "70.00", "75.00"), "OLD-3": ("change", "60.00", ""),
                    "NEW-1": ("make", "", "50.00")}
    assert plan["large_price_changes"] == 1
    status, said = end(start(shop, plan))
    assert (status, said["refused"]) == (0, 0), said
    assert [in_list(shop, sku) for sku in ("OLD-1", "OLD-2", "OLD-3", "NEW-1")] == ["20.00", "75.00", None, "50.00"]
    assert look(shop)["differences"] == 0
