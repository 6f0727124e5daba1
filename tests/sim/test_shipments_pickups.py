# SPDX-License-Identifier: Apache-2.0
"""Tests of shipments, pickup records, statuses and of what must never happen to an order."""
import datetime

import pytest

import test_sim
from test_sim import Sim, call

receiver = test_sim.receiver  # a fixture


@pytest.fixture(scope="module")
def sim():
    """Tests keep to orders of their own."""
    one = Sim()
    yield one
    code, complaints = one.stop()
    assert (code, complaints) == (0, "")


class Shop:
    def __init__(self, sim):
        self.sim = sim
        names = [s["sku"] for s in sim.control("GET", "/world?stock=0")["skus"][7:] if s["kind"] == "simple"]
        self.skus = names[:2]
        for sku in self.skus:
            for location in (1, 5):
                sim.control("PUT", "/level", {"sku": sku, "location": location, "level": 1000})

    def order(self, *quantities, **more):
        rows = [{"sku": self.skus[i % 2], "quantity": n} for i, n in enumerate(quantities)]
        return self.sim.control("POST", "/web-order", {"rows": rows, **more})["order_id"]

    def get(self, order):
        return self.sim.bc(f"v2/orders/{order}").json()

    def lines(self, order):
        return self.sim.bc(f"v2/orders/{order}/products").json()

    def ship(self, order, *quantities, **more):
        lines = self.lines(order)
        body = {"order_address_id": lines[0]["order_address_id"], "tracking_number": "T1", "items": [
            {"order_product_id": line["id"], "quantity": n} for line, n in zip(lines, quantities) if n], **more}
        return self.sim.bc(f"v2/orders/{order}/shipments", "POST", body)

    def stat(self, name):
        return self.sim.control("GET", "/stats")[name]


@pytest.fixture
def shop(sim):
    return Shop(sim)


# ---------------------------------------------------------------- shipments


def test_a_shipment_in_two_parts(shop, sim):
    order = shop.order(2, 1)
    assert sim.bc(f"v2/orders/{order}/shipments").status == 204
    first = shop.ship(order, 1)
    assert first.status == 201 and first.json()["items"] == [
        {"order_product_id": shop.lines(order)[0]["id"], "product_id": shop.lines(order)[0]["product_id"], "quantity": 1}]
    assert shop.get(order)["status_id"] == 3 and [x["quantity_shipped"] for x in shop.lines(order)] == [1, 0]
    assert shop.get(order)["items_shipped"] == 1
    assert shop.ship(order, 1, 1, shipping_provider="ups").status == 201
    whole = shop.get(order)
    assert whole["status_id"] == 2 and whole["date_shipped"] and [x["quantity_shipped"] for x in shop.lines(order)] == [2, 1]
    found = sim.bc(f"v2/orders/{order}/shipments").json()
    assert [s["order_address_id"] for s in found] == [shop.lines(order)[0]["order_address_id"]] * 2
    assert found[1]["generated_tracking_link"] and sim.bc(f"v2/orders/{order}/shipments/count").json() == {"count": 2}


def test_more_than_was_ordered_is_refused_and_counted(shop, sim):
    order, before = shop.order(2), shop.stat("shipments_over_quantity")
    assert shop.ship(order, 3).status == 400 and shop.ship(order, 2).status == 201 and shop.ship(order, 1).status == 400
    assert shop.stat("shipments_over_quantity") == before + 2 and len(sim.bc(f"v2/orders/{order}/shipments").json()) == 1


def test_more_than_is_left_since_an_edit_is_refused_and_counted_apart(shop, sim):
    order, before = shop.order(2), (shop.stat("shipments_over_quantity"), shop.stat("shipments_after_edit"))
    sim.control("POST", "/web-order-edit", {"order_id": order, "rows": [{"row": 0, "quantity": 1}]})
    assert shop.ship(order, 2).status == 400 and shop.ship(order, 3).status == 400 and shop.ship(order, 1).status == 201
    assert (shop.stat("shipments_over_quantity"), shop.stat("shipments_after_edit")) == (before[0] + 1, before[1] + 1)


@pytest.mark.parametrize("change, text", [
    ({"order_address_id": 1}, "order_address_id"), ({"items": []}, "items"), ({"items": [{"quantity": 1}]}, "items"),
    ({"tracking_number": "x" * 51}, "tracking_number"), ({"shipping_provider": "pigeon"}, "shipping_provider"),
    ({"id": 7}, "id"), ({"customer_id": 7}, "customer_id")])
def test_a_wrong_shipment_is_an_array_of_errors(shop, change, text):
    order = shop.order(1)
    answer = shop.ship(order, 1, **change)
    assert answer.status == 400 and f"'{text}'" in answer.json()[0]["message"]
    assert shop.get(order)["status_id"] == 11


def test_the_address_may_be_a_text_but_not_the_orders_id(shop):
    order = shop.order(2)
    assert shop.ship(order, 1, order_address_id=order).status == 400
    assert shop.ship(order, 1, order_address_id=str(shop.lines(order)[0]["order_address_id"])).status == 201


def test_pickup_orders_have_nothing_to_ship(shop, sim):
    order = shop.order(1, pickup_location=5)
    assert sim.bc(f"v2/orders/{order}/shipping_addresses").status == 204 and shop.ship(order, 1).status == 400


def test_changing_and_deleting_a_shipment(shop, sim):
    order = shop.order(1)
    number = shop.ship(order, 1).json()["id"]
    path = f"v2/orders/{order}/shipments/{number}"
    assert sim.bc(path, "PUT", {"tracking_number": "T2"}).json()["tracking_number"] == "T2"
    assert sim.bc(path, "PUT", {"items": []}).status == 400 and sim.bc(path).json()["tracking_number"] == "T2"
    assert sim.bc(path, "DELETE").status == 204 and sim.bc(path).status == 404
    assert shop.get(order)["status_id"] == 2 and shop.lines(order)[0]["quantity_shipped"] == 0


def test_staff_ship_in_the_control_panel(shop, sim):
    order = shop.order(3)
    made = sim.control("POST", "/web-shipment", {"order_id": order, "rows": [{"row": 0, "quantity": 1}]})
    assert made["status"] == 3
    assert sim.control("POST", "/web-shipment", {"order_id": order})["status"] == 2
    assert "nothing left" in sim.control("POST", "/web-shipment", {"order_id": order}, 400)["error"]
    assert shop.ship(order, 1).status == 400 and len(sim.bc(f"v2/orders/{order}/shipments").json()) == 2


# ---------------------------------------------------------------- pickup records


def record(shop, order, **more):
    line = shop.lines(order)[0]
    return {"pickup_method_id": 2, "order_id": order, "ready_at": "2022-06-11T00:00:20Z",
            "pickup_items": [{"order_product_id": line["id"], "quantity": line["quantity"]}], **more}


def test_ready_then_collected(shop, sim):
    order = shop.order(2, pickup_location=5)
    path = f"v3/orders/pickups?order_id:in={order}"
    assert sim.bc(path).json() == {"data": []}
    made = sim.bc("v3/orders/pickups", "POST", [record(shop, order)])
    assert made.status == 200
    pickup = sim.bc(path).json()["data"][0]
    assert pickup == made.json()["data"][0] and pickup["ready_at"] == "2022-06-11T00:00:20Z"
    assert pickup["pickup_items"][0]["status"] == "AWAITING_COLLECTION" and pickup["pickup_items"][0]["collected_at"] is None
    both = {"id": pickup["id"], "pickup_id": pickup["id"], "collected_at": "1660831392"}
    item = sim.bc("v3/orders/pickups", "PUT", [both]).json()["data"][0]["pickup_items"][0]
    at = datetime.datetime.fromisoformat(item["collected_at"].replace("Z", "+00:00")).timestamp()
    assert item["status"] == "COLLECTED" and at == 1660831392
    assert sim.bc("v3/orders/pickups", "PUT", [{"pickup_id": pickup["id"]}]).status == 422
    assert shop.get(order)["status_id"] == 11  # nothing is documented to happen by itself
    assert sim.bc(f"v3/orders/pickups?id:in={pickup['id']}", "DELETE").status == 204 and sim.bc(path).json() == {"data": []}


def test_a_second_record_is_made_and_counted(shop, sim):
    order, before = shop.order(1, pickup_location=5), shop.stat("pickup_records_twice")
    for _ in range(2):
        assert sim.bc("v3/orders/pickups", "POST", [record(shop, order)]).status == 200
    assert shop.stat("pickup_records_twice") == before + 1
    assert len(sim.bc(f"v3/orders/pickups?order_id:in={order}").json()["data"]) == 2


@pytest.mark.parametrize("change, field", [
    ({"pickup_method_id": 77}, "0.pickup_method_id"), ({"ready_at": None}, "0.ready_at"), ({"ready_at": "soon"}, "0.ready_at"),
    ({"order_id": 7}, "0.order_id"), ({"pickup_items": []}, "0.pickup_items"),
    ({"pickup_items": [{"order_product_id": 1, "quantity": 1}]}, "0.pickup_items")])
def test_a_wrong_record_is_a_problem(shop, sim, change, field):
    answer = sim.bc("v3/orders/pickups", "POST", [record(shop, shop.order(1, pickup_location=5), **change)])
    assert answer.status == 422 and field in answer.json()["errors"]
    assert answer.headers["Content-Type"].startswith("application/problem+json")


def test_a_record_may_set_the_status(shop, sim):
    sim.control("PUT", "/settings", {"order_status_on_pickup_record": 8})
    order = shop.order(1, pickup_location=5)
    sim.bc("v3/orders/pickups", "POST", [record(shop, order)])
    assert shop.get(order)["status_id"] == 8
    assert sim.control("PUT", "/settings", {"order_status_on_pickup_record": None})["order_status_on_pickup_record"] is None
    assert "no status 99" in sim.control("PUT", "/settings", {"order_status_on_pickup_record": 99}, 400)["error"]


# ---------------------------------------------------------------- what must never happen


def test_a_status_that_a_person_set_and_nobody_read(shop, sim):
    order, before = shop.order(1, pickup_location=5), shop.stat("status_overwrote_human")
    shop.get(order)
    sim.control("POST", "/web-order-status", {"order_id": order, "status": 10})
    assert sim.bc(f"v2/orders/{order}", "PUT", {"status_id": 8}).status == 200
    assert shop.stat("status_overwrote_human") == before + 1
    sim.control("POST", "/web-order-status", {"order_id": order, "status": 10})
    sim.bc(f"v2/orders/{order}", headers={**test_sim.TOKEN, "X-Test-Look": "1"})  # a test's look is nobody's reading
    sim.bc(f"v2/orders/{order}", "PUT", {"status_id": 9})
    assert shop.stat("status_overwrote_human") == before + 2
    sim.control("POST", "/web-order-status", {"order_id": order, "status": 10})
    sim.bc(f"v2/orders?min_id={order}&max_id={order}")  # a list shows the status as well
    sim.bc(f"v2/orders/{order}", "PUT", {"status_id": 8})
    assert shop.stat("status_overwrote_human") == before + 2


def test_an_answer_that_is_lost_was_not_read(shop, sim):
    order, before = shop.order(1), shop.stat("status_overwrote_human")
    sim.control("POST", "/web-order-status", {"order_id": order, "status": 9})
    sim.control("PUT", "/faults/bigcommerce", {"rules": [{"kind": "reset", "after_apply": True, "path": f"orders/{order}",
                                                          "count": 1}]})
    with pytest.raises(OSError):
        shop.get(order)
    sim.control("DELETE", "/faults")
    sim.bc(f"v2/orders/{order}", "PUT", {"status_id": 11})
    assert shop.stat("status_overwrote_human") == before + 1


def test_putting_more_than_a_status_is_counted_or_refused(shop, sim):
    order, before = shop.order(1), shop.stat("order_other_fields_put")
    assert sim.bc(f"v2/orders/{order}", "PUT", {"status_id": 9, "staff_notes": "x", "external_order_id": "y"}).status == 200
    assert shop.stat("order_other_fields_put") == before
    assert sim.bc(f"v2/orders/{order}", "PUT", {"status_id": 9, "customer_message": "x"}).status == 200
    answer = sim.bc(f"v2/orders/{order}", "PUT", {"status_id": 8, "date_modified": "x"})
    assert answer.status == 400 and "'date_modified' cannot be written" in answer.json()[0]["message"]
    assert shop.get(order)["status_id"] == 9 and shop.stat("order_other_fields_put") == before + 1


def test_catalog_writes_and_archiving_are_counted():
    one = Sim()
    shop = Shop(one)
    order = shop.order(1)
    assert one.bc("v3/catalog/products/200", "PUT", {"name": "x"}).status == 405
    assert one.bc(f"v2/orders/{order}", "DELETE").status == 204 and shop.get(order)["is_deleted"] is True
    shop.order(1)
    assert call(f"{one.ready['bigcommerce']}/stores/simstore/v2/orders/", "DELETE", None, test_sim.TOKEN).status == 204
    assert one.bc("v2/orders").status == 204
    stats = one.control("GET", "/stats")
    assert [stats[n] for n in ("catalog_writes", "orders_archived", "all_orders_archived")] == [1, 1, 1]
    assert one.stop() == (0, "")
