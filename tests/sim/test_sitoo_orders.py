# SPDX-License-Identifier: Apache-2.0
"""Tests of orders that are written through the simulated Sitoo's API, of what shop staff do with them, and of the levels and
the report that follow from them."""
import http.client
import os
import pathlib
import random
import socket
import sys
import time

import pytest

import test_sim
from test_sim import Sim

receiver = test_sim.receiver  # a fixture


@pytest.fixture(scope="module")
def shared():
    """Tests keep to orders and references of their own."""
    one = Sim("--web-orders")
    yield one
    code, complaints = one.stop()
    assert (code, complaints) == (0, "")


@pytest.fixture
def sim():
    one = Sim("--web-orders")
    yield one
    code, complaints = one.stop()
    assert (code, complaints) == (0, "")


class Shop:
    """Calls that tests make all the time."""

    def __init__(self, one):
        self.sim = one
        self.control = one.control

    def write(self, path, body, method="POST", **more):
        return self.sim.sitoo("sites/1/orders" + path, method=method, body=body, **more)

    def ok(self, path, body, method="POST"):
        answer = self.write(path, body, method)
        assert answer.status == 200, answer.body
        return answer.json()

    def refused(self, path, body, expected, method="POST", status=400):
        answer = self.write(path, body, method)
        assert answer.status == status, answer.body
        assert answer.json()["statuscode"] == status and expected in answer.json()["errortext"], answer.body

    def get(self, number, more=""):
        return self.sim.sitoo(f"sites/1/orders/{number}{more}.json").json()

    def put(self, number, body):
        assert self.ok(f"/{number}.json", body, "PUT") is True

    def stock(self, sku, warehouse=1):
        """(on hand, reserved) in whole units."""
        row = self.control("GET", f"/world?sku={sku}")["stock"][str(warehouse)]
        return row["on_hand"] // 1000, row["reserved"] // 1000

    def line(self, sku, quantity=1, price="100.00", **more):
        return {"productname": "Thing", "sku": sku, "quantity": quantity, "moneyrowprice": price, "vatvalue": 25, **more}

    def make(self, sku, quantity=1, **more):
        return self.ok(".json", {"ordertypeid": 10, "paymentstateid": 20, "warehouseid": 1,
                                 "orderitems": [self.line(sku, quantity)], **more})

    def sku(self, least=5):
        """An ordinary SKU with stock in warehouses 1 and 3, and plenty on offer."""
        world = self.control("GET", "/world")
        for one in world["skus"][7:]:
            rows = [world["stock"][w].get(one["sku"]) for w in ("1", "3")]
            if one["kind"] == "simple" and all(r and r["on_hand"] >= 1000 * least and r["reserved"] == 0 for r in rows):
                for location in (1, 5):
                    self.control("PUT", "/level", {"sku": one["sku"], "location": location, "level": 1000})
                return one["sku"]
        raise AssertionError("no such SKU")

    def web(self, sku, quantity=1, **more):
        """A web order of one row, worth 100.00 for each."""
        made = self.control("POST", "/web-order", {"rows": [{"sku": sku, "quantity": quantity, "price": "100.00"}], **more})
        assert not made["refused"]
        return made["order_id"]

    def hand_over(self, web, sku, quantity=1, suffix="", **more):
        body = {"externalid": f"BC-{web}{suffix}", "orderitems": [self.line(sku, quantity, f"{100 * quantity}.00")], **more}
        return self.make(sku, **body)

    def parts(self, sku):
        return {row["location"]: row for row in self.control("GET", f"/oracle?explain={sku}")["locations"]}

    def pending(self, sku, location=1):
        parts = self.parts(sku)[location]["parts"]
        return parts["unallocated_pending"] + sum(row["pending"] for row in parts["warehouses"])

    def right(self, sku, location=1):
        return self.parts(sku)[location]["expected"]

    def report(self, web=None, **query):
        more = "&".join(f"{k}={v}" for k, v in {**query, **({"web_order": web} if web else {})}.items())
        return self.control("GET", "/web-orders-oracle?" + more)


@pytest.fixture
def shop(sim):
    return Shop(sim)


@pytest.fixture
def many(shared):
    return Shop(shared)


# -------------------------------------------------------------------- POST of an order

def test_row_prices_are_gross_totals_as_the_documented_pair_of_request_and_answer_shows(many):
    """sitoo.md 4.2: 250.00 less 50.00 for two at 25 % became 80.00 each."""
    number = many.ok(".json", {"ordertypeid": 10, "currencycode": "USD", "email": "a@example.com", "orderitems": [
        many.line("SKU-00010", 1, "125.00"), many.line("SKU-00011", 2, "250.00", moneyrowdiscount="50.00"),
        {**many.line("nothing", 1, "106.00"), "vatvalue": 6}]})
    assert isinstance(number, int)
    order = many.get(number)
    assert (order["moneytotal_net"], order["moneytotal_vat"], order["moneytotal_gross_all"]) == ("360.00", "71.00", "431.00")
    first, second, third = order["orderitems"]
    assert [i["orderitemid"] for i in order["orderitems"]] == [0, 1, 2]
    assert first["moneynetpriceperunit"] == "100.00" and first["moneydiscountedprice"] == "0.00" and first["productid"]
    assert {n: second[n] for n in ("moneynetpriceperunit", "moneyitemtotal_net", "moneyitemtotal_vat", "moneyoriginalprice",
                                   "moneydiscountedprice", "moneydiscount", "decimalquantitytotal")} == {
        "moneynetpriceperunit": "80.00", "moneyitemtotal_net": "160.00", "moneyitemtotal_vat": "40.00",
        "moneyoriginalprice": "100.00", "moneydiscountedprice": "80.00", "moneydiscount": "20.00",
        "decimalquantitytotal": "2.000"}
    assert second["additionaldata"] == {"orderitem-moneyrowdiscount": "50.00"}
    assert third["moneyitemtotal_vat"] == "6.00" and third["productid"] is None
    assert (order["orderstateid"], order["paymentstateid"], order["warehouseid"], order["currencycode"]) == (0, 0, None, "USD")
    assert order["payments"] == [] and order["registerid"] is None and order["email"] == "a@example.com"
    assert [i["orderlogtypeid"] for i in order["orderlogitems"]] == [0]


@pytest.mark.parametrize("change, expected", [
    ({"ordertypeid": None}, "Missing required field 'ordertypeid'"),
    ({"ordertypeid": "10"}, "ordertypeid"), ({"ordertypeid": 11}, "ordertypeid"),
    ({"registerid": "{x}"}, "registerid"), ({"moneyfinal_net": "1.00"}, "moneyfinal_net"),
    ({"userid_staff": "{x}"}, "userid_staff"), ({"orderlogitems": []}, "orderlogitems"), ({"orderid": 3}, "orderid"),
    ({"nonsense": 1}, "nonsense"), ({"externalid": ""}, "externalid"), ({"externalid": "BC/1"}, "externalid"),
    ({"externalid": "x" * 41}, "externalid"), ({"externalid": 5}, "externalid"),
    ({"orderstateid": -1}, "orderstateid"), ({"paymentstateid": 21}, "paymentstateid"), ({"paymentstateid": True}, "paymentstateid"),
    ({"orderdate": "2026"}, "orderdate"), ({"orderdate": 1763800000000}, "orderdate"), ({"email": 5}, "email"),
    ({"currencycode": "sek"}, "currencycode"), ({"delivery_countryid": "SWE"}, "delivery_countryid"),
    ({"additionaldata": {"bigcommerce-orderid": 5}}, "additionaldata"), ({"additionaldata": []}, "additionaldata"),
    ({"warehouseid": 99}, "warehouseid"), ({"warehouseid": "1"}, "warehouseid"),
    ({"payments": [{"name": "Web"}]}, "payments[0].moneyamount"), ({"payments": [{"moneyamount": "1.00"}]}, "payments[0].name"),
    ({"payments": [{"name": "Web", "moneyamount": 1}]}, "payments[0].moneyamount"),
    ({"payments": [{"name": "Web", "moneyamount": "1.00", "x": 1}]}, "payments[0].x"), ({"payments": {}}, "payments"),
    ({"orderitems": [{"quantity": 1}]}, "Missing required field 'orderitems[0].productname'"),
    ({"orderitems": [{"productname": "A"}]}, "Missing required field 'orderitems[0].quantity'"),
    ({"orderitems": [{"productname": "A", "quantity": "1"}]}, "orderitems[0].quantity"),
    ({"orderitems": [{"productname": "A", "quantity": 1.5}]}, "orderitems[0].quantity"),
    ({"orderitems": [{"productname": "A", "quantity": 0}]}, "orderitems[0].quantity"),
    ({"orderitems": [{"productname": "A", "quantity": 1, "moneyrowprice": "230"}]}, "moneyrowprice"),
    ({"orderitems": [{"productname": "A", "quantity": 1, "moneyrowprice": 230}]}, "moneyrowprice"),
    ({"orderitems": [{"productname": "A", "quantity": 1, "moneyrowprice": "1.00", "moneyrowdiscount": "2.00"}]}, "moneyrowdiscount"),
    ({"orderitems": [{"productname": "A", "quantity": 1, "productid": 3}]}, "orderitems[0].productid"),
    ({"orderitems": [{"productname": "A", "quantity": 1, "moneynetpriceperunit": "1.00"}]}, "moneynetpriceperunit"),
    ({"orderitems": [{"productname": "A", "quantity": 1, "vatvalue": "25"}]}, "vatvalue"),
    ({"orderitems": [{"productname": "A", "quantity": 1, "additionaldata": {"web-itemid": 5}}]}, "additionaldata"),
])
def test_what_cannot_be_written_is_refused_and_makes_no_order(many, change, expected):
    before = many.control("GET", "/world?stock=0")["orders"]
    body = {name: value for name, value in {"ordertypeid": 10, **change}.items() if name != "ordertypeid" or value is not None}
    many.refused(".json", body, expected)
    assert many.control("GET", "/world?stock=0")["orders"] == before


def test_bodies_that_are_no_orders_and_foreign_sites_are_refused(many):
    for body in ([], "x", 5, None):
        assert many.write(".json", body).status == 400
    assert many.sim.sitoo("sites/2/orders.json", method="POST", body={"ordertypeid": 10}).status == 404
    many.refused("/999999.json", {"comment": "x"}, "not found", "PUT", 404)
    assert many.sim.sitoo("sites/1/orders/999999/orderdeliveries.json").status == 404
    assert many.sim.sitoo("sites/1/orders/11501.json", method="POST", body={}).status == 404


def test_a_second_order_with_the_same_reference_is_refused_with_the_status_that_was_set(shop):
    sku = shop.sku()
    shop.make(sku, externalid="BC-900-1r2")
    before = shop.stock(sku)
    shop.refused(".json", {"ordertypeid": 10, "externalid": "BC-900-1r2"}, "externalid")
    shop.control("PUT", "/settings", {"sitoo_orders": {"duplicate_status": 409}})
    shop.refused(".json", {"ordertypeid": 10, "externalid": "BC-900-1r2"}, "externalid", status=409)
    assert shop.stock(sku) == before


def test_settings_of_sitoo_orders_are_checked(many):
    rules = many.control("PUT", "/settings", {"sitoo_orders": {}})["sitoo_orders"]
    assert rules == {"duplicate_status": 400, "reject_cancels": False, "cancel_releases": True, "ship_closes": False,
                     "unknown_warehouse": "refuse"}
    for wrong in ({"x": 1}, {"duplicate_status": 200}, {"reject_cancels": 1}, {"unknown_warehouse": "maybe"}):
        many.control("PUT", "/settings", {"sitoo_orders": wrong}, status=400)


# -------------------------------------------------------------------- reservation

def test_an_open_order_reserves_and_is_never_refused_for_short_stock(shop):
    sku = shop.sku()
    on_hand, reserved = shop.stock(sku)
    shop.make(sku, on_hand + 3)
    assert shop.stock(sku) == (on_hand, reserved + on_hand + 3)
    row = shop.sim.sitoo(f"sites/1/warehouses/1/warehouseitems.json?sku={sku}").json()["items"][0]
    assert row["decimalavailable"] == "-3.000"


def test_closed_or_ignoring_orders_and_such_without_a_warehouse_move_nothing(shop):
    sku = shop.sku()
    before, ledger = shop.stock(sku), shop.control("GET", "/world?stock=0")["ledger"]
    shop.make(sku, additionaldata={"delivery-ignore-stock": "true"})
    number = shop.make(sku, orderstateid=10, additionaldata={"delivery-ignore-stock": "true"})
    shop.make(sku, warehouseid=None)
    shop.make(sku, datereserved=int(time.time()) - 5)
    assert shop.get(number)["orderstateid"] == 10
    delivery = shop.ok(f"/{number}/orderdeliveries.json", {"warehouseid": 1, "orderdeliveryitems": [
        {"orderitemid": 0, "quantity": 1}]})
    assert shop.get(number, "/orderdeliveries")["items"][0]["orderdeliveryid"] == delivery
    assert shop.stock(sku) == before and shop.control("GET", "/world?stock=0")["ledger"] == ledger


def test_an_unknown_warehouse_can_be_accepted_without_reserving(shop):
    sku = shop.sku()
    before = shop.stock(sku)
    shop.control("PUT", "/settings", {"sitoo_orders": {"unknown_warehouse": "accept"}})
    number = shop.make(sku, warehouseid=77)
    assert shop.get(number)["warehouseid"] == 77 and shop.stock(sku) == before
    shop.put(number, {"orderstateid": 20})
    assert shop.stock(sku) == before


def test_cancelling_releases_unless_it_was_set_not_to(shop):
    sku = shop.sku()
    before = shop.stock(sku)
    number = shop.make(sku, 2)
    shop.put(number, {"orderstateid": 20, "comment": "no longer wanted"})
    assert shop.stock(sku) == before
    assert shop.get(number)["orderstateid"] == 20 and shop.get(number)["comment"] == "no longer wanted"
    assert shop.get(number)["orderlogitems"][-1] == {"datelog": shop.get(number)["orderlogitems"][-1]["datelog"],
                                                     "orderlogtypeid": 70, "strvalue": None, "fvalue": 20}
    shop.control("PUT", "/settings", {"sitoo_orders": {"cancel_releases": False}})
    number = shop.make(sku, 2)
    shop.put(number, {"orderstateid": 20})
    assert shop.stock(sku) == (before[0], before[1] + 2)
    shop.control("POST", "/expire-reservation", {"order_id": number})
    assert shop.stock(sku) == before


def test_a_put_changes_only_what_it_names_and_a_closed_order_stays_closed(many):
    sku = many.sku()
    before = many.stock(sku)
    number = many.make(sku, namefirst="Ann", phone="1", additionaldata={"weborder": "true"})
    many.put(number, {"namefirst": "Adam", "namelast": "Smith"})
    order = many.get(number)
    assert (order["namefirst"], order["namelast"], order["phone"]) == ("Adam", "Smith", "1")
    assert order["additionaldata"] == {"weborder": "true"}
    for wrong in ({"orderitems": []}, {"registerid": "x"}, {"orderstateid": "20"}, {"ordertypeid": 100}, {"x": 1}):
        many.refused(f"/{number}.json", wrong, "", "PUT")
    many.put(number, {"warehouseid": 3})
    assert many.stock(sku) == before and many.stock(sku, 3)[1] == 1
    many.put(number, {"orderstateid": 10})
    assert many.stock(sku, 3)[1] == 0 and many.get(number)["orderstateid"] == 10
    many.put(number, {"orderstateid": 10})
    for state in (0, 20):
        many.refused(f"/{number}.json", {"orderstateid": state}, "orderstateid", "PUT")


def test_a_reservation_ends_at_its_date_and_comes_back_with_a_later_one(shop):
    sku = shop.sku()
    before = shop.stock(sku)
    number = shop.make(sku, datereserved=int(time.time()) + 3600)
    assert shop.stock(sku) == (before[0], before[1] + 1)
    shop.control("POST", "/expire-reservation", {"order_id": number})
    assert shop.stock(sku) == before and shop.get(number)["orderstateid"] == 0
    shop.control("POST", "/expire-reservation", {"order_id": number}, status=400)
    shop.put(number, {"datereserved": int(time.time()) + 2})
    assert shop.stock(sku) == (before[0], before[1] + 1)
    test_sim.wait_until(lambda: shop.stock(sku) == before)


# -------------------------------------------------------------------- deliveries and the log

def test_deliveries_move_on_hand_and_reserved_up_to_what_was_ordered(shop):
    sku = shop.sku()
    on_hand, reserved = shop.stock(sku)
    number = shop.make(sku, 3)
    path = f"/{number}/orderdeliveries.json"

    def items(quantity, item=0):
        return {"warehouseid": 1, "orderdeliveryref": "D1", "orderdeliveryitems": [{"orderitemid": item, "quantity": quantity}]}
    delivery = shop.ok(path, items(2))
    assert shop.stock(sku) == (on_hand - 2, reserved + 1)
    row = shop.sim.sitoo("sites/1/warehousetransactions.json?num=1").json()["items"][0]
    assert (row["transactiontype"], row["orderdeliveryid"], row["items"][0]["decimalquantity"]) == (30, delivery, "-2.000")
    shop.refused(path, items(2), "exceeds")
    shop.refused(path, {**items(1), "orderdeliveryitems": [{"orderitemid": 0, "quantity": 1}] * 2}, "exceeds")
    shop.refused(path, items(1, 1), "orderitemid")
    shop.refused(path, items(0), "quantity")
    shop.refused(path, {**items(1), "warehouseid": 99}, "warehouseid")
    shop.refused(path, {**items(1), "datedelivery": 5}, "datedelivery")
    shop.refused(path, {"warehouseid": 1}, "orderdeliveryitems")
    assert shop.stock(sku) == (on_hand - 2, reserved + 1)
    shop.ok(path + "?ignorestock=true", items(1))
    assert shop.stock(sku) == (on_hand - 2, reserved)
    listed = shop.get(number, "/orderdeliveries")
    assert listed["totalcount"] == 2 and [d["orderdeliveryitems"][0]["quantity"] for d in listed["items"]] == [2, 1]
    assert {name: listed["items"][0][name] for name in ("orderdeliveryid", "orderid", "warehouseid", "orderdeliveryref",
                                                        "datecancelled", "pluginname")} == {
        "orderdeliveryid": delivery, "orderid": number, "warehouseid": 1, "orderdeliveryref": "D1", "datecancelled": None,
        "pluginname": ""}
    assert shop.get(number)["orderstateid"] == 0
    cancelled = shop.make(sku)
    shop.put(cancelled, {"orderstateid": 20})
    shop.refused(f"/{cancelled}/orderdeliveries.json", items(1), "cancelled")


def test_a_till_sale_has_a_delivery(many):
    number = many.control("POST", "/sale", {"rows": [{"sku": many.sku(), "quantity": 2}]})["order_id"]
    assert many.get(number, "/orderdeliveries")["items"][0]["orderdeliveryitems"][0]["quantity"] == 2


def test_only_ready_and_rejected_can_be_logged(many):
    number = many.make(many.sku())
    assert many.ok(f"/{number}/orderlogitems.json", {"orderlogtypeid": 900}) is True
    assert many.ok(f"/{number}/orderlogitems.json", {"orderlogtypeid": 910, "strvalue": "broken"}) is True
    for wrong in ({"orderlogtypeid": 70}, {"orderlogtypeid": "900"}, {}, {"orderlogtypeid": 900, "datelog": 5}):
        many.refused(f"/{number}/orderlogitems.json", wrong, "")
    listed = many.get(number, "/orderlogitems")
    assert [(i["orderlogtypeid"], i["orderid"], i["strvalue"]) for i in listed["items"]] == [
        (0, number, None), (900, number, None), (910, number, "broken")]
    assert many.get(number)["orderstateid"] == 0 and len(many.get(number)["orderlogitems"]) == 3


# -------------------------------------------------------------------- lists

def test_lists_find_orders_by_reference_and_leave_it_out_unless_asked(shop):
    sku = shop.sku()
    made = [shop.make(sku, externalid=f"BC-{n}") for n in (701, 702, 703)]
    shop.put(made[2], {"orderstateid": 20})

    def orders(query):
        return shop.sim.sitoo("orders.json?eshopid=1&" + query).json()
    found = orders("externalid=BC-701,BC-703,BC-999&sort=orderid&num=100")
    assert [o["orderid"] for o in found["items"]] == [made[0], made[2]] and found["totalcount"] == 2
    assert "externalid" not in found["items"][0] and "creditorderid" not in found["items"][0]
    assert orders("externalid=BC-701&fields=orderid,externalid")["items"] == [{"orderid": made[0], "externalid": "BC-701"}]
    assert [o["orderid"] for o in orders("externalid=BC-701,BC-703&orderstate=0")["items"]] == [made[0]]
    page = orders("externalid=BC-701,BC-702,BC-703&sort=orderid&num=1&start=1&fields=orderid")
    assert page == {"totalcount": 3, "items": [{"orderid": made[1]}]}
    assert made[1] in [o["orderid"] for o in orders("orderstate=0&num=1000")["items"]]
    shop.put(made[1], {"externalid": "BC-702-1r1"})
    assert orders("externalid=BC-702")["totalcount"] == 0 and orders("externalid=BC-702-1r1")["totalcount"] == 1


# -------------------------------------------------------------------- events

def test_every_change_of_an_order_is_an_event(sim, receiver):
    shop, there = Shop(sim), receiver()
    sku = shop.sku()

    def events(count):
        got = []
        while len(got) < count:
            got += there.next()[3]
        return [(e["event_type"], {k: v for k, v in e["data"].items() if k != "eshop_id"}) for e in got]
    sim.control("PUT", "/feed", {"url": there.url, "user": "u", "password": "p"})
    number = shop.make(sku, 3)
    base = {"order_id": number, "warehouse_id": 1}
    assert events(1) == [("order", {**base, "order_event_type": "add", "order_state_changed": "open"})]
    shop.put(number, {"comment": "x"})
    assert events(1) == [("order", {**base, "order_event_type": "update"})]
    sim.control("POST", "/ready", {"order_id": number})
    assert events(1) == [("order", {**base, "order_event_type": "ready-for-pickup"})]
    sim.control("POST", "/reject", {"order_id": number})
    assert events(1) == [("order", {**base, "order_event_type": "pickup-rejected"})]
    delivery = shop.ok(f"/{number}/orderdeliveries.json", {"warehouseid": 3, "orderdeliveryitems": [
        {"orderitemid": 0, "quantity": 1}]})
    first, second = events(2)
    assert first == ("order-delivery", {"order_id": number, "order_delivery_id": delivery, "warehouse_id": 3,
                                        "order_delivery_state_changed": "delivered", "order_delivery_event_type": "add"})
    assert second[0] == "warehouse-transaction"
    sim.control("POST", "/collect", {"order_id": number, "rows": [{"sku": sku, "quantity": 1}]})
    assert [(kind, d.get("order_state_changed")) for kind, d in events(3)] == [
        ("order-delivery", None), ("warehouse-transaction", None), ("order", None)]
    sim.control("POST", "/collect", {"order_id": number})
    assert events(3)[2] == ("order", {**base, "order_event_type": "update", "order_state_changed": "closed"})
    number = shop.make(sku)
    sim.control("POST", "/cancel-order", {"order_id": number})
    assert events(2)[1] == ("order", {"order_id": number, "warehouse_id": 1, "order_event_type": "update",
                                      "order_state_changed": "cancelled"})


# -------------------------------------------------------------------- shop staff

def test_staff_find_an_order_by_any_of_its_names(many):
    sku = many.sku()
    web = many.web(sku)
    number = many.hand_over(web, sku)
    assert many.control("POST", "/ready", {"web_order": web})["order_id"] == number
    assert many.control("POST", "/ready", {"externalid": f"BC-{web}"})["order_id"] == number
    for wrong in ({}, {"web_order": web, "order_id": number}, {"externalid": "x"}, {"web_order": 99999}, {"order_id": 5}):
        many.control("POST", "/ready", wrong, status=400)
    second = many.hand_over(web, sku, suffix="-1r1")
    many.control("POST", "/ready", {"web_order": web}, status=400)
    many.control("POST", "/cancel-order", {"order_id": number})
    assert many.control("POST", "/cancel-order", {"web_order": web})["order_id"] == second


def test_collecting_in_parts_closes_the_order_with_the_last_one(many):
    sku = many.sku()
    on_hand, reserved = many.stock(sku)
    number = many.make(sku, 3)
    first = many.control("POST", "/collect", {"order_id": number, "rows": [{"sku": sku, "quantity": 2}]})
    assert first["open"] and many.stock(sku) == (on_hand - 2, reserved + 1)
    many.control("POST", "/collect", {"order_id": number, "rows": [{"sku": sku, "quantity": 2}]}, status=400)
    many.control("POST", "/collect", {"order_id": number, "rows": [{"sku": "SKU-00012"}]}, status=400)
    last = many.control("POST", "/collect", {"order_id": number})
    assert not last["open"] and many.stock(sku) == (on_hand - 3, reserved)
    assert many.get(number)["orderstateid"] == 10
    many.control("POST", "/collect", {"order_id": number}, status=400)


def test_shipping_leaves_the_order_open_unless_it_was_set_to_close(shop):
    sku = shop.sku()
    number = shop.make(sku, 2)
    before = shop.stock(sku, 3)
    assert shop.control("POST", "/ship", {"order_id": number, "warehouse": 3})["open"]
    assert shop.stock(sku, 3) == (before[0] - 2, before[1])
    shop.control("POST", "/ship", {"order_id": number}, status=400)
    shop.control("PUT", "/settings", {"sitoo_orders": {"ship_closes": True}})
    assert not shop.control("POST", "/ship", {"order_id": shop.make(sku)})["open"]


def test_a_rejected_order_stays_open_unless_it_was_set_to_be_cancelled(shop):
    sku = shop.sku()
    before = shop.stock(sku)
    number = shop.make(sku)
    shop.control("POST", "/reject", {"order_id": number})
    assert shop.get(number)["orderstateid"] == 0 and shop.stock(sku) == (before[0], before[1] + 1)
    shop.control("PUT", "/settings", {"sitoo_orders": {"reject_cancels": True}})
    other = shop.make(sku)
    shop.control("POST", "/reject", {"order_id": other})
    assert shop.get(other)["orderstateid"] == 20 and shop.stock(sku) == (before[0], before[1] + 1)
    shop.control("POST", "/reject", {"order_id": other}, status=400)


# -------------------------------------------------------------------- lost answers

@pytest.mark.parametrize("kind", ["timeout_after_apply", "reset"])
def test_writes_whose_answer_is_lost_were_done_once(shop, kind):
    """Sitoo times out after creating: the order is there, found by its reference."""
    sku = shop.sku()
    on_hand, reserved = shop.stock(sku)

    def lost(path, body, method):
        rule = {"kind": kind, "seconds": 30, "after_apply": True, "method": method, "path": "orders", "count": 1}
        shop.control("PUT", "/faults/sitoo", {"rules": [rule]})
        with pytest.raises((socket.timeout, ConnectionError, http.client.HTTPException)):
            shop.write(path, body, method, timeout=0.5)
    lost(".json", {"ordertypeid": 10, "externalid": "BC-800", "warehouseid": 1, "orderitems": [shop.line(sku, 2)]}, "POST")
    found = shop.sim.sitoo("orders.json?eshopid=1&externalid=BC-800&fields=orderid").json()
    assert found["totalcount"] == 1 and shop.stock(sku) == (on_hand, reserved + 2)
    number = found["items"][0]["orderid"]
    shop.refused(".json", {"ordertypeid": 10, "externalid": "BC-800"}, "externalid")
    lost(f"/{number}/orderdeliveries.json", {"warehouseid": 1, "orderdeliveryitems": [{"orderitemid": 0, "quantity": 1}]}, "POST")
    assert shop.get(number, "/orderdeliveries")["totalcount"] == 1 and shop.stock(sku) == (on_hand - 1, reserved + 1)
    lost(f"/{number}.json", {"orderstateid": 20}, "PUT")
    assert shop.get(number)["orderstateid"] == 20 and shop.stock(sku) == (on_hand - 1, reserved)


# -------------------------------------------------------------------- the levels

def test_a_unit_counts_once_from_the_web_order_to_its_delivery(shop):
    sku = shop.sku()
    start = shop.right(sku)
    web = shop.web(sku, 2)
    assert (shop.pending(sku), shop.right(sku)) == (2, start - 2)
    number = shop.hand_over(web, sku, 2)
    assert (shop.pending(sku), shop.right(sku)) == (0, start - 2)
    shop.control("POST", "/ship", {"web_order": web, "rows": [{"sku": sku, "quantity": 1}]})
    assert (shop.pending(sku), shop.right(sku)) == (0, start - 2)
    shop.put(number, {"orderstateid": 20})  # one is delivered, the other waits again
    assert (shop.pending(sku), shop.right(sku)) == (1, start - 2)
    shop.hand_over(web, sku, 1, "-1r1")
    shop.control("POST", "/collect", {"web_order": web})
    shop.control("POST", "/web-order-status", {"order_id": web, "status": 10})
    assert (shop.pending(sku), shop.right(sku)) == (0, start - 2)
    assert shop.control("GET", "/oracle?full=1")["covered_wrong"] == []


def test_a_cancelled_web_order_lowers_the_level_until_its_sitoo_order_is_cancelled(shop):
    sku = shop.sku()
    start = shop.right(sku)
    web = shop.web(sku, 2)
    shop.hand_over(web, sku, 2)
    shop.control("POST", "/web-order-status", {"order_id": web, "status": 5})
    assert (shop.pending(sku), shop.right(sku)) == (0, start - 2)
    report = shop.report(web)
    assert not report["ok"] and report["left_open"][0]["status"] == 5
    shop.control("POST", "/cancel-order", {"web_order": web})
    assert shop.right(sku) == start and shop.report(web)["ok"]


def test_an_order_cancelled_in_the_till_waits_again(shop):
    sku = shop.sku()
    start = shop.right(sku)
    web = shop.web(sku)
    shop.hand_over(web, sku)
    shop.control("POST", "/cancel-order", {"web_order": web})
    assert (shop.pending(sku), shop.right(sku)) == (1, start - 1)
    assert shop.report(web)["missing"] and not shop.report(web, min_age_ms=600000)["missing"]


def test_stock_that_is_ignored_covers_nothing(shop):
    sku = shop.sku()
    start = shop.right(sku)
    web = shop.web(sku)
    shop.control("POST", "/web-handover", {"order_id": web})
    assert (shop.pending(sku), shop.right(sku)) == (1, start - 1)
    other = shop.web(sku)
    number = shop.hand_over(other, sku)
    assert shop.pending(sku) == 1
    shop.ok(f"/{number}/orderdeliveries.json?ignorestock=true", {"warehouseid": 1, "orderdeliveryitems": [
        {"orderitemid": 0, "quantity": 1}]})
    assert (shop.pending(sku), shop.right(sku)) == (2, start - 2)


def test_a_reservation_that_was_seen_nowhere_near_the_pickup_still_counts_once(shop):
    """Pending is the pickup's, the reservation another warehouse's: each location shows where the unit is held now."""
    sku = shop.sku()
    pool, shelf = shop.right(sku), shop.right(sku, 5)
    web = shop.web(sku, pickup_location=5)
    assert shop.right(sku, 5) == shelf - 1
    shop.hand_over(web, sku, warehouseid=1)
    assert (shop.right(sku, 5), shop.right(sku)) == (shelf, pool - 1)
    assert shop.report(web)["wrong_warehouse"] == [
        {"web_order": web, "order_id": shop.report(web)["orders"][0]["sitoo"][0]["id"], "warehouse": 1, "expected": 3}]


def test_expired_reservations_and_refunds_keep_the_level_true(shop):
    sku = shop.sku()
    start = shop.right(sku)
    web = shop.web(sku, 3)
    shop.hand_over(web, sku, 3)
    shop.control("POST", "/expire-reservation", {"web_order": web})
    assert (shop.pending(sku), shop.right(sku)) == (3, start - 3)
    shop.control("POST", "/web-refund", {"order_id": web, "quantity": 1})
    assert (shop.pending(sku), shop.right(sku)) == (2, start - 2)


def test_without_the_flag_a_web_order_stays_pending_beside_its_sitoo_order():
    one = Sim()
    try:
        shop = Shop(one)
        sku = shop.sku()
        start = shop.right(sku)
        web = shop.web(sku)
        shop.hand_over(web, sku)
        assert (shop.pending(sku), shop.right(sku)) == (1, start - 2)
        assert shop.report(web)["ok"]
    finally:
        assert one.stop() == (0, "")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_interleavings_count_every_unit_once(shop, seed):
    """The level is worked out here from what was done, never from the simulator's own sums."""
    rng, sku = random.Random(seed), shop.sku(5)
    shop.control("POST", "/move", {"rows": [{"sku": sku, "quantity": 200}], "to": 1})
    level, orders = shop.right(sku), {}
    for step in range(40):
        action = rng.choice(("web", "web", "sale", "hand", "hand", "ship", "till", "cancel", "expire"))
        web = rng.choice(sorted(orders)) if orders else None
        if action == "web":
            count = rng.randint(1, 3)
            orders[shop.web(sku, count)] = {"wanted": count, "sitoo": None, "delivered": 0, "revision": 0}
            level -= count
        elif action == "sale":
            shop.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}]})
            level -= 1
        elif web is not None:
            one = orders[web]
            left = one["wanted"] - one["delivered"]
            if action == "hand" and one["sitoo"] is None and left:
                one["revision"] += 1
                one["sitoo"] = shop.hand_over(web, sku, left, f"-1r{one['revision']}")
            elif action == "ship" and one["sitoo"] and left:
                shop.control("POST", "/ship", {"order_id": one["sitoo"], "rows": [{"sku": sku, "quantity": 1}]})
                one["delivered"] += 1
            elif action == "till" and one["sitoo"]:
                shop.control("POST", "/cancel-order", {"order_id": one["sitoo"]})
                one["sitoo"] = None
            elif action == "expire" and one["sitoo"] and left:
                shop.control("POST", "/expire-reservation", {"order_id": one["sitoo"]})
                shop.put(one["sitoo"], {"datereserved": None})
            elif action == "cancel" and one["delivered"] == 0:
                shop.control("POST", "/web-order-status", {"order_id": web, "status": 5})
                if one["sitoo"]:
                    assert shop.right(sku) == level, (step, action)
                    shop.control("POST", "/cancel-order", {"order_id": one["sitoo"]})
                level += one["wanted"]
                del orders[web]
        assert shop.right(sku) == level, (step, action)
    full = shop.control("GET", "/oracle?full=1")
    assert (full["sums_wrong"], full["covered_wrong"]) == ([], [])


def test_orders_of_the_past_under_our_reference_are_covered_by_it(shop):
    past = shop.control("POST", "/past", {"count": 12, "handed_over": 5})
    assert shop.control("GET", "/oracle?full=1")["ok"]
    by_web = {row["web_order"]: row for row in shop.report()["orders"]}
    assert all(by_web[n]["wanted"] > 0 and by_web[n]["pending"] == 0 for n in past["handed_over"])
    assert all(by_web[n]["pending"] > 0 for n in past["orders"][5:])


# -------------------------------------------------------------------- the report

def test_a_web_order_that_was_handed_over_rightly_has_nothing_to_report(many):
    sku = many.sku()
    web = many.web(sku, 2, pickup_location=5)
    number = many.hand_over(web, sku, 2, warehouseid=3, namefirst="Ann", phone="1")
    report = many.report(web)
    assert report["ok"], report
    assert report["personal_data"] == [{"order_id": number, "externalid": f"BC-{web}", "fields": ["namefirst", "phone"]}]
    order = report["orders"][0]["sitoo"][0]
    assert (order["state"], order["warehouse"], order["rows"][0]["reserved"], order["rows"][0]["delivered"]) == ("open", 3, 2, 0)
    many.control("POST", "/collect", {"web_order": web})
    assert many.report(web)["ok"] and many.report(web)["orders"][0]["sitoo"][0]["state"] == "closed"


@pytest.mark.parametrize("name, second, more", [
    ("twice", {}, {}), ("wrong_rows", None, {"orderitems": "fewer"}), ("wrong_rows", None, {"orderitems": "price"}),
    ("wrong_rows", None, {"orderitems": "other"}), ("address_on_pickup", None, {"delivery_city": "Leeds"}),
    ("wrong_warehouse", None, {"warehouseid": 2})])
def test_what_is_wrong_is_listed(many, name, second, more):
    sku = many.sku()
    web = many.web(sku, 2, pickup_location=5)
    rows = {"fewer": [many.line(sku, 1, "100.00")], "price": [many.line(sku, 2, "200.01")],
            "other": [many.line(sku, 2, "200.00"), many.line("KILO-1", 1, "1.00")]}
    more = {"warehouseid": 3, **more}
    if "orderitems" in more:
        more["orderitems"] = rows[more["orderitems"]]
    many.hand_over(web, sku, 2, **more)
    if second is not None:
        many.hand_over(web, sku, 1, "-2r1", warehouseid=3)
    report = many.report(web)
    assert not report["ok"] and report[name] and report[name][0]["web_order"] == web
    allowed = {name} | ({"wrong_rows"} if name == "twice" else set())
    assert {n for n in ("twice", "missing", "left_open", "wrong_warehouse", "wrong_rows", "address_on_pickup")
            if report[n]} == allowed


def test_split_orders_and_discounts_add_up(many):
    sku = many.sku()
    made = many.control("POST", "/web-order", {"rows": [{"sku": sku, "quantity": 3, "price": "10.00", "line_discount": "0.01"}],
                                               "order_discount": "1.00"})["order_id"]
    many.hand_over(made, sku, suffix="-1r0", orderitems=[many.line(sku, 2, "20.00", moneyrowdiscount="0.67")])
    many.hand_over(made, sku, suffix="-2r0", orderitems=[many.line(sku, 1, "10.00", moneyrowdiscount="0.34")], warehouseid=2)
    assert many.report(made)["ok"], many.report(made)


def test_an_order_of_nobody_is_told(many):
    number = many.make(many.sku(), externalid="BC-77777")
    assert many.report(77777)["unknown_web_order"] == [{"web_order": 77777, "order_id": number}]


def test_the_answers_keep_to_the_platforms_file(tmp_path):
    """As tests/contract does it for the flow tests; needs the platforms' OpenAPI files."""
    if not os.environ.get("ONEPOOL_CONTRACTS_DIR"):
        pytest.skip("ONEPOOL_CONTRACTS_DIR names no folder with the platforms' OpenAPI files")
    sys.path.insert(0, str(pathlib.Path(test_sim.HERE).parent / "contract"))
    import exchange
    import openapi
    kept = tmp_path / "exchanges"
    one = Sim("--exchanges", kept)
    shop = Shop(one)
    sku = shop.sku()
    number = shop.make(sku, 2, externalid="BC-1", email="a@example.com", payments=[{"name": "Web", "moneyamount": "100.00"}])
    shop.put(number, {"comment": "x"})
    shop.ok(f"/{number}/orderlogitems.json", {"orderlogtypeid": 900})
    for path in ("", "?ignorestock=true", "?ignorestock=true"):  # the last one is a 400
        shop.write(f"/{number}/orderdeliveries.json{path}", {"warehouseid": 1, "orderdeliveryitems": [
            {"orderitemid": 0, "quantity": 1}]})
    for more in ("", "/orderlogitems", "/orderdeliveries"):
        shop.get(number, more)
    one.sitoo("orders.json?eshopid=1&externalid=BC-1&num=10")
    assert one.stop() == (0, "")
    requests, answers = exchange.read_file(kept)
    assert len(answers) >= 10
    assert openapi.check_all(openapi.folder(), requests, answers) == {}
