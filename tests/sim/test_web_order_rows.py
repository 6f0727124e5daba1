# SPDX-License-Identifier: Apache-2.0
"""Tests of what web orders hold: options, downloads, gift certificates, bundles, addresses, messages; and of edits by staff."""
import json

import pytest

import test_sim
from test_sim import Sim, wait_until

receiver = test_sim.receiver  # a fixture
MAPPING = {"locations": [{"bigcommerce_location_id": 1, "sitoo_warehouse_ids": [1, 2, 3]}],
           "pickup": [{"bigcommerce_location_id": 5, "sitoo_warehouse_id": 3, "pickup_method_ids": [2, 9],
                       "shipping_method_names": ["Collect in Leeds"]}],
           "shipping": {"location_id": 1, "allocate_from": [1, 2], "allow_split": False, "return_only": False}}


@pytest.fixture(scope="module")
def sim(tmp_path_factory):
    """Tests keep to orders and SKUs of their own."""
    path = tmp_path_factory.mktemp("sim") / "mapping.json"
    path.write_text(json.dumps(MAPPING), encoding="utf-8")
    one = Sim("--mapping", path)
    yield one
    code, complaints = one.stop()
    assert (code, complaints) == (0, "")


USED = set()


@pytest.fixture
def skus(sim):
    """Three ordinary SKUs that no other test has, with plenty at the locations."""
    names = [s["sku"] for s in sim.control("GET", "/world?stock=0")["skus"][7:] if s["kind"] in ("simple", "variant")]
    found = [name for name in names if name not in USED][:3]
    assert len(found) == 3
    USED.update(found)
    for sku in found:
        for location in (1, 5):
            sim.control("PUT", "/level", {"sku": sku, "location": location, "level": 1000})
    return found


def place(sim, rows, **more):
    made = sim.control("POST", "/web-order", {"rows": rows, **more})
    assert not made["refused"]
    return made["order_id"]


def get(sim, order):
    return sim.bc(f"v2/orders/{order}").json()


def lines(sim, order):
    return sim.bc(f"v2/orders/{order}/products?limit=250").json()


def consignments(sim, order):
    return sim.bc(f"v2/orders/{order}/consignments").json()


def pending(sim, sku):
    """{"allocated": {warehouse: units}, "free": units}."""
    rows = sim.control("GET", "/oracle?explain=" + sku)["locations"]
    parts = next(row["parts"] for row in rows if row["location"] == 1)
    return {"allocated": {w["warehouse"]: w["pending"] for w in parts["warehouses"] if w["pending"]},
            "free": parts["unallocated_pending"]}


def test_options_and_names_are_as_recorded(sim, skus):
    order = place(sim, [{"sku": skus[0], "name": "Jacket", "options": [
        {"name": "Size", "value": "XL"}, {"name": "Letters", "value": "Åsa \U0001f9e5", "type": "Text field"}]}])
    line = lines(sim, order)[0]
    assert line["name"] == "Jacket" and line["option_set_id"] == 19
    size, letters = line["product_options"]
    assert (size["display_name"], size["display_value"], size["type"]) == ("Size", "XL", "Multiple choice")
    assert (letters["value"], letters["type"]) == ("Åsa \U0001f9e5", "Text field")
    assert size["order_product_id"] == line["id"] and size["id"] != letters["id"]


def test_downloads_and_gift_certificates_hold_nothing(sim, skus):
    order = place(sim, [{"sku": skus[0]}, {"sku": "E-BOOK", "digital": True, "price": "9.00"},
                        {"gift_certificate": True, "price": "100.00"}])
    goods, book, gift = lines(sim, order)
    assert [x["type"] for x in (goods, book, gift)] == ["physical", "digital", "giftcertificate"]
    assert (book["sku"], book["product_id"], gift["sku"], gift["order_address_id"]) == ("E-BOOK", 0, "", 0)
    assert gift["gift_certificate_id"] and goods["order_address_id"] not in (0, order)
    found = consignments(sim, order)
    mail = found["email"]["gift_certificates"]
    assert [len(x["line_items"]) for x in (found["shipping"][0], found["downloads"][0], mail[0])] == [1, 1, 1]
    assert pending(sim, skus[0])["free"] == 1
    only = place(sim, [{"sku": "E-BOOK", "digital": True, "price": "9.00"}])
    assert get(sim, only)["order_is_digital"] is True
    assert sim.bc(f"v2/orders/{only}/shipping_addresses").status == 204
    assert consignments(sim, only)["shipping"] == []


def test_a_bundle_is_pending_by_its_components_only(sim, skus):
    order = place(sim, [{"sku": skus[2]}, {"sku": skus[0], "quantity": 2, "bundle": [{"sku": skus[1], "quantity": 3}]}])
    _, parent, component = lines(sim, order)
    assert parent["parent_order_product_id"] is None and not parent["is_bundled_product"]
    assert component["parent_order_product_id"] == parent["id"] and component["is_bundled_product"]
    assert (component["quantity"], component["total_inc_tax"]) == (6, "0.0000")
    assert pending(sim, skus[0])["free"] == 0 and pending(sim, skus[1])["free"] == 6
    named = place(sim, [{"sku": "GIFT-BOX", "price": "20.00", "bundle": [{"sku": skus[1]}]}])
    assert [x["sku"] for x in lines(sim, named)] == ["GIFT-BOX", skus[1]] and pending(sim, skus[1])["free"] == 7


def test_tax_differs_by_line(sim, skus):
    order = place(sim, [{"sku": skus[0], "price": "125.00"}, {"sku": skus[1], "price": "112.00", "vat": 12, "tax_class": 2}])
    full, reduced = lines(sim, order)
    assert (full["total_ex_tax"], full["total_tax"]) == ("100.0000", "25.0000")
    assert (reduced["total_ex_tax"], reduced["total_tax"]) == ("100.0000", "12.0000")
    whole = get(sim, order)
    assert (whole["total_ex_tax"], whole["total_tax"], whole["total_inc_tax"]) == ("200.0000", "37.0000", "237.0000")
    taxes = sim.bc(f"v2/orders/{order}/taxes?details=true").json()
    assert [(t["tax_class_id"], t["rate"], t["order_product_id"]) for t in taxes] == [
        (0, "25.0000", str(full["id"])), (2, "12.0000", str(reduced["id"]))]
    quote = sim.bc(f"v3/orders/{order}/payment_actions/refund_quotes", "POST", {"items": [
        {"item_type": "PRODUCT", "item_id": reduced["id"], "quantity": 1}]}).json()["data"]
    assert (quote["total_refund_amount"], quote["total_refund_tax_amount"]) == (112, 12)


def test_people_and_messages(sim, skus):
    mark = sim.control("GET", "/personal-data")["mark"]
    message = "Ring the \x07bell\x00\x1f \U0001f6b2" + "x" * 2000
    order = place(sim, [{"sku": skus[0]}], customer_message=message, staff_notes="fragile", address={"street_2": "2nd floor"})
    whole = get(sim, order)
    assert (whole["customer_message"], whole["staff_notes"]) == (message, "fragile")
    address = sim.bc(f"v2/orders/{order}/shipping_addresses").json()[0]
    assert address["street_2"] == "2nd floor" and address["id"] == lines(sim, order)[0]["order_address_id"]
    assert all(mark in address[name] for name in ("first_name", "last_name", "street_1", "email", "phone"))
    assert mark in whole["billing_address"]["phone"] and mark in get(sim, place(sim, [{"sku": skus[0]}]))["customer_message"]


def test_the_name_of_a_shipping_method_allocates(sim, skus):
    order = place(sim, [{"sku": skus[0], "quantity": 2}], shipping_method="Collect in Leeds")
    assert consignments(sim, order)["shipping"][0]["shipping_method"] == "Collect in Leeds"
    assert sim.bc(f"v2/orders/{order}/shipping_addresses").json()[0]["shipping_method"] == "Collect in Leeds"
    assert pending(sim, skus[0]) == {"allocated": {3: 2}, "free": 0}
    place(sim, [{"sku": skus[0]}], shipping_method="Drone")
    assert pending(sim, skus[0]) == {"allocated": {3: 2}, "free": 1}


def test_a_pickup_without_a_location_id(sim, skus):
    order = place(sim, [{"sku": skus[0]}], pickup_location=5, pickup_method=9, pickup_without_location_id=True)
    pickup = consignments(sim, order)["pickups"][0]
    assert "id" not in pickup["location"] and pickup["pickup_method_id"] == 9
    methods = sim.bc("v3/pickup/methods?id:in=9").json()["data"]
    assert [(m["id"], m["location_id"]) for m in methods] == [(9, 5)]
    page = sim.bc("v3/pickup/methods?limit=1&page=2").json()
    assert page["data"][0]["id"] == 9 and page["meta"]["pagination"]["total"] == 2
    assert pending(sim, skus[0])["allocated"] == {3: 1}


def test_five_hundred_rows(sim, skus):
    order = place(sim, [{"sku": skus[0]}] * 500)
    pages = [sim.bc(f"v2/orders/{order}/products?limit=250&page={page}") for page in (1, 2, 3)]
    assert [len(p.json()) if p.status == 200 else p.status for p in pages] == [250, 250, 204]
    whole = sim.bc(f"v2/orders/{order}?include=consignments.line_items&consignment_structure=object").json()
    assert "__warning__" in whole["consignments"]["shipping"][0]
    assert "at most 500" in sim.control("POST", "/web-order", {"rows": [{"sku": skus[0]}] * 501}, 400)["error"]


def test_bad_rows_are_named(sim, skus):
    for rows, more, word in (([{"sku": skus[0], "colour": "red"}], {}, "colour"), ([{"sku": "NOBODY"}], {}, "NOBODY"),
                             ([{"sku": skus[0], "options": [{"name": "Size"}]}], {}, "value"),
                             ([{"sku": skus[0], "digital": True, "gift_certificate": True}], {}, "one of"),
                             ([{"sku": skus[0]}], {"address": {"planet": "Mars"}}, "planet"),
                             ([{"sku": skus[0]}], {"pickup_method": 2}, "pickup_method"),
                             ([{"sku": skus[0]}], {"customer_message": "\ud800"}, "customer_message")):
        before = sim.control("GET", "/stats")["web_orders_placed"]
        assert word in sim.control("POST", "/web-order", {"rows": rows, **more}, 400)["error"]
        assert sim.control("GET", "/stats")["web_orders_placed"] == before


# ---------------------------------------------------------------- staff and late payments


def test_an_edit_moves_pending_and_bigcommerces_stock(sim, skus):
    first, second, third = skus
    order = place(sim, [{"sku": first, "quantity": 2}, {"sku": second, "line_discount": "1.00"}, {"sku": third}])
    wait_until(lambda: sim.level(first, 1) == 998 and sim.level(third, 1) == 999)
    before = get(sim, order)
    made = sim.control("POST", "/web-order-edit", {"order_id": order, "rows": [{"sku": first, "quantity": 5}], "remove": [2],
                                                   "add": [{"sku": second, "quantity": 4}], "address": {"street_1": "New"}})
    assert [(row["sku"], row["quantity"]) for row in made["rows"]] == [(first, 5), (second, 1), (second, 4)]
    assert [pending(sim, sku)["free"] for sku in skus] == [5, 5, 0]
    wait_until(lambda: [sim.level(sku, 1) for sku in skus] == [995, 995, 1000])
    after = get(sim, order)
    assert after["total_inc_tax"] != before["total_inc_tax"]
    assert sim.bc(f"v2/orders/{order}/shipping_addresses").json()[0]["street_1"] == "New"
    assert lines(sim, order)[1]["discounted_total_inc_tax"] != lines(sim, order)[1]["total_inc_tax"]  # untouched row


def test_another_shop_is_another_consignment(sim, skus):
    order = place(sim, [{"sku": skus[0], "quantity": 2}])
    wait_until(lambda: sim.level(skus[0], 1) == 998)
    old = consignments(sim, order)["shipping"][0]["id"]
    sim.control("POST", "/web-order-edit", {"order_id": order, "pickup_location": 5})
    found = consignments(sim, order)
    assert found["shipping"] == [] and found["pickups"][0]["id"] != old
    assert lines(sim, order)[0]["order_pickup_method_id"] == found["pickups"][0]["id"]
    assert pending(sim, skus[0]) == {"allocated": {3: 2}, "free": 0}
    wait_until(lambda: (sim.level(skus[0], 1), sim.level(skus[0], 5)) == (1000, 998))


def test_an_edit_that_is_impossible_changes_nothing(sim, skus):
    order = place(sim, [{"sku": skus[0], "quantity": 2}, {"sku": skus[1]}])
    for wrong in ({"rows": [{"row": 7, "quantity": 1}]}, {"rows": [{"row": 0, "quantity": 0}]}, {"remove": [0, 1]},
                  {"pickup_location": 1}, {"add": [{"sku": "NOBODY"}]}, {"colour": "red"}):
        sim.control("POST", "/web-order-edit", {"order_id": order, "rows": [{"row": 0, "quantity": 3}], **wrong}, 400)
        assert [x["quantity"] for x in lines(sim, order)] == [2, 1] and pending(sim, skus[0])["free"] == 2


def test_an_order_is_paid_minutes_later(sim, skus):
    order = place(sim, [{"sku": skus[0], "quantity": 2}], status=0)
    assert get(sim, order)["status_id"] == 0 and pending(sim, skus[0])["free"] == 0 and sim.level(skus[0], 1) == 1000
    rows = sim.control("GET", "/report")["web_rows"]
    sim.control("POST", "/web-order-status", {"order_id": order, "status": 11})
    assert pending(sim, skus[0])["free"] == 2 and sim.control("GET", "/report")["web_rows"] == rows + 1
    wait_until(lambda: sim.level(skus[0], 1) == 998)


def test_the_running_sums_are_right(sim):
    """Last: after all that happened above."""
    assert sim.control("GET", "/oracle?full=1")["sums_wrong"] == []
