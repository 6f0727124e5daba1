# SPDX-License-Identifier: Apache-2.0
"""Tests of what the simulators know of returns and refunds: the money of web orders, quotes, refunds, returns at tills."""
import json
import threading
import time
import urllib.parse

import pytest

from test_sim import Sim, receiver, wait_until  # noqa: F401 (receiver is a fixture)


@pytest.fixture(scope="module")
def shared():
    """Tests keep to orders of their own."""
    one = Sim("--returns")
    yield one
    code, complaints = one.stop()
    assert (code, complaints) == (0, "")


@pytest.fixture
def sim():
    one = Sim("--returns")
    yield one
    code, complaints = one.stop()
    assert (code, complaints) == (0, "")


class Shop:
    """Calls that tests make all the time."""

    def __init__(self, one):
        self.sim = one

    def skus(self, count=1, least=2):
        world = self.sim.control("GET", "/world")
        found = [s["sku"] for s in world["skus"][7:] if s["kind"] == "simple"
                 and self.sim.level(s["sku"], 1) >= least]
        assert len(found) >= count
        return found[:count]

    def order(self, rows=None, **more):
        rows = rows or [{"sku": self.skus()[0], "quantity": 1}]
        made = self.sim.control("POST", "/web-order", {"rows": rows, **more})
        assert not made["refused"]
        return made["order_id"]

    def get(self, order):
        return self.sim.bc(f"v2/orders/{order}").json()

    def lines(self, order):
        return self.sim.bc(f"v2/orders/{order}/products?limit=250").json()

    def item(self, order, quantity=1, line=0, reason="r"):
        return {"item_type": "PRODUCT", "item_id": self.lines(order)[line]["id"], "quantity": quantity, "reason": reason}

    def quote(self, order, items, status=201):
        answer = self.sim.bc(f"v3/orders/{order}/payment_actions/refund_quotes", "POST", {"items": items})
        assert answer.status == status, answer.body
        return answer.json()["data"] if status == 201 else answer.json()

    @staticmethod
    def payments(method):
        return [{name: part[name] for name in ("provider_id", "amount", "offline")} for part in method]

    def post(self, order, items, payments, **more):
        return self.sim.bc(f"v3/orders/{order}/payment_actions/refunds", "POST", {"items": items, "payments": payments}, **more)

    def refund(self, order, items, provider="custom"):
        method = next(m for m in self.quote(order, items)["refund_methods"] if m[0]["provider_id"] == provider)
        answer = self.post(order, items, self.payments(method))
        assert answer.status == 201, answer.body
        return answer.json()["data"]

    def refunds(self, order):
        return self.sim.bc(f"v3/orders/{order}/payment_actions/refunds").json()["data"]


@pytest.fixture
def shop(shared):
    return Shop(shared)


@pytest.fixture
def own(sim):
    return Shop(sim)


# -------------------------------------------------------------------- money of web orders

def test_amounts_of_an_order_with_discounts_tax_and_split_tender(shop):
    order = shop.order([{"sku": shop.skus()[0], "quantity": 2, "price": "100.00", "line_discount": "10.00"}], vat=25,
                       order_discount="5.00", shipping="15.00", guest=False,
                       payments=[{"method": "giftcertificate", "amount": "50.00"}, {"method": "card"}])
    seen, line = shop.get(order), shop.lines(order)[0]
    assert (line["total_inc_tax"], line["discounted_total_inc_tax"]) == ("200.0000", "185.0000")
    assert [(d["amount"], d["target"]) for d in line["applied_discounts"]] == [("10.0000", "product"), ("5.0000", "order")]
    assert (seen["total_inc_tax"], seen["total_ex_tax"], seen["total_tax"]) == ("200.0000", "160.0000", "40.0000")
    assert (seen["gift_certificate_amount"], seen["payment_method"], seen["payment_status"]) == (
        "50.0000", "Credit Card", "captured")
    assert seen["customer_id"] > 0 and seen["refunded_amount"] == "0.0000"


@pytest.mark.parametrize("currency, price, shown, worth", [("JPY", "1001", "1001.0000", 500), ("KWD", "1.001", "1.0010", 0.5)])
def test_currencies_of_no_and_of_three_decimals(shop, currency, price, shown, worth):
    """1001 minor units less nothing: two lines of one; and half of two units, the last takes the rest."""
    order = shop.order([{"sku": shop.skus()[0], "quantity": 2, "price": price, "line_discount": price}], currency=currency)
    assert (shop.get(order)["total_inc_tax"], shop.get(order)["default_currency_code"]) == (shown, currency)
    first = shop.refund(order, [shop.item(order)])["total_amount"]
    second = shop.refund(order, [shop.item(order)])["total_amount"]
    assert {first, second} == {worth, 501 if currency == "JPY" else 0.501}


def test_the_last_unit_takes_the_rounding_rest(shop):
    order = shop.order([{"sku": shop.skus(least=3)[0], "quantity": 3, "price": "10.00", "line_discount": "20.00"}])
    amounts = [shop.refund(order, [shop.item(order)])["total_amount"] for _ in range(3)]
    assert amounts == [3.33, 3.33, 3.34]
    assert shop.get(order)["status_id"] == 4


def test_amounts_finer_than_the_currency_are_refused(shared):
    rows = [{"sku": Shop(shared).skus()[0], "quantity": 1, "price": "1.5"}]
    assert "decimals" in shared.control("POST", "/web-order", {"rows": rows, "currency": "JPY"}, status=400)["error"]


# -------------------------------------------------------------------- quotes

def test_methods_of_a_quote_follow_how_the_order_was_paid(shop):
    rows = [{"sku": shop.skus()[0], "quantity": 1, "price": "100.00"}]
    guest = shop.order(rows)
    known = shop.order(rows, guest=False, payments=[{"method": "storecredit", "amount": "40.00"}, {"method": "offline"}])
    one = shop.quote(guest, [shop.item(guest)])
    assert [[p["provider_id"] for p in m] for m in one["refund_methods"]] == [["custom"], ["braintree"]]
    assert [m[0]["offline"] for m in one["refund_methods"]] == [True, False]
    assert (one["total_refund_amount"], one["total_refund_tax_amount"], one["adjustment"]) == (100, 20, 0)
    other = shop.quote(known, [shop.item(known)])["refund_methods"]
    assert [[(p["provider_id"], p["amount"]) for p in m] for m in other] == [
        [("storecredit", 100)], [("custom", 100)], [("storecredit", 40), ("bankdeposit", 60)]]
    assert other[2][1]["offline_provider"] is True


def test_asking_for_more_than_is_left_is_a_negative_adjustment(shop):
    order = shop.order([{"sku": shop.skus()[0], "quantity": 2, "price": "10.00"}])
    shop.refund(order, [shop.item(order)])
    quote = shop.quote(order, [shop.item(order, 2)])
    assert (quote["total_refund_amount"], quote["adjustment"]) == (10, -10)
    answer = shop.post(order, [shop.item(order, 2)], shop.payments(quote["refund_methods"][0]))
    assert answer.status == 422 and answer.json()["data"][0]["status"] == 422
    assert shop.lines(order)[0]["quantity_refunded"] == 1


def test_offline_method_may_be_absent_and_unsettled_orders_are_refused(own):
    own.sim.control("PUT", "/settings", {"refunds": {"offline_method": False}})
    order, unsettled = own.order(), own.order(settled=False)
    assert [m[0]["provider_id"] for m in own.quote(order, [own.item(order)])["refund_methods"]] == ["braintree"]
    assert own.quote(unsettled, [own.item(unsettled)], 422)["status"] == 422
    assert "refunds" in own.sim.control("PUT", "/settings", {"refunds": {"nonsense": 1}}, status=400)["error"]


@pytest.mark.parametrize("change", [{"item_id": 999999}, {"quantity": 0}, {"quantity": "1"}, {"item_type": "HANDLING"},
                                    {"reason": "x" * 1001}])
def test_items_that_make_no_sense_are_422(shop, change):
    order = shop.order()
    item = {**shop.item(order), **change}
    assert shop.quote(order, [item], 422)["status"] == 422
    assert shop.post(order, [item], [{"provider_id": "custom", "amount": 1, "offline": True}]).status == 422


# -------------------------------------------------------------------- refunds

def test_a_refund_changes_line_status_and_lists(shop):
    order = shop.order([{"sku": shop.skus()[0], "quantity": 2, "price": "10.00"}])
    made = shop.refund(order, [shop.item(order, reason="our mark 7")])
    assert (made["order_id"], made["total_amount"], made["items"][0]["reason"]) == (order, 10, "our mark 7")
    assert shop.get(order)["status_id"] == 14 and shop.get(order)["payment_status"] == "partially refunded"
    line = shop.lines(order)[0]
    assert (line["quantity_refunded"], line["is_refunded"], line["refund_amount"]) == (1, True, "0.0000")
    assert [r["id"] for r in shop.refunds(order)] == [made["id"]]
    listed = shop.sim.bc(f"v3/orders/payment_actions/refunds?order_id:in={order}&created:min=2020-01-01T00%3A00%3A00Z").json()
    assert [r["id"] for r in listed["data"]] == [made["id"]] and listed["meta"] == {}
    assert shop.sim.bc(f"v3/orders/payment_actions/refunds/{made['id']}").json()["data"] == made
    later = shop.sim.bc(f"v3/orders/payment_actions/refunds?order_id:in={order}&created:min=2090-01-01T00%3A00%3A00Z").json()
    assert later["data"] == [] and shop.sim.bc("v3/orders/payment_actions/refunds/999999").status == 404


@pytest.mark.parametrize("payment", [{"amount": 9.99}, {"offline": False}, {"provider_id": "paypal"}])
def test_payments_must_equal_a_method_of_the_quote(shop, payment):
    order = shop.order([{"sku": shop.skus()[0], "quantity": 1, "price": "10.00"}])
    good = {"provider_id": "custom", "amount": 10, "offline": True}
    answer = shop.post(order, [shop.item(order)], [{**good, **payment}])
    assert answer.status == 422 and isinstance(answer.json()["data"], list)
    assert shop.refunds(order) == []


def test_store_credit_for_a_guest_is_refused_in_the_documented_words(shop):
    order = shop.order([{"sku": shop.skus()[0], "quantity": 1, "price": "10.00"}])
    answer = shop.post(order, [shop.item(order)], [{"provider_id": "storecredit", "amount": 10, "offline": False}])
    assert answer.json()["data"][0]["title"] == "Unable to provide store credit for a guest customer."


def test_two_refunds_of_one_order_at_once(own):
    own.sim.control("PUT", "/settings", {"latency_ms": 400})
    order = own.order([{"sku": own.skus(least=3)[0], "quantity": 2, "price": "10.00"}])
    item, seen = own.item(order), []
    payment = [{"provider_id": "custom", "amount": 10, "offline": True}]
    pair = [threading.Thread(target=lambda: seen.append(own.post(order, [item], payment).status)) for _ in range(2)]
    for one in pair:
        one.start()
    for one in pair:
        one.join()
    assert sorted(seen) == [201, 422] and own.sim.control("GET", "/stats")["concurrent_refunds"] == 1
    assert len(own.refunds(order)) == 1


def test_a_payment_is_declined_later(own):
    order = own.order([{"sku": own.skus()[0], "quantity": 1, "price": "10.00"}])
    own.sim.control("POST", "/web-decline", {"order_id": order, "ms": 150, "message": "card closed"})
    made = own.refund(order, [own.item(order)], "braintree")
    assert made["payments"][0]["is_declined"] is False
    wait_until(lambda: own.refunds(order)[0]["payments"][0]["is_declined"])
    assert own.refunds(order)[0]["payments"][0]["declined_message"] == "card closed"
    mine = own.sim.control("GET", "/refunds")["orders"][str(order)]
    assert (mine["refunded"], mine["declined"]) == ("0.00", "10.00")


def test_a_declined_refund_may_open_the_order_again(own):
    own.sim.control("PUT", "/settings", {"refunds": {"declined_reopens": True}})
    order = own.order()
    made = own.refund(order, [own.item(order)])
    own.sim.control("POST", "/web-decline", {"refund_id": made["id"]})
    assert own.lines(order)[0]["quantity_refunded"] == 0
    own.refund(order, [own.item(order)])
    assert len(own.refunds(order)) == 2


def test_restocking_by_status_only_if_the_shop_is_set_so(own):
    sku = own.skus(least=3)[0]
    for restock, difference in ((False, 1), (True, 0)):
        own.sim.control("PUT", "/settings", {"refund_restock": restock})
        assert own.sim.bc("v3/settings/inventory").json()["data"]["refund_order_stock_adjustment"] is restock
        before = own.sim.level(sku, 1)
        order = own.order([{"sku": sku, "quantity": 1}])
        wait_until(lambda: own.sim.level(sku, 1) == before - 1)
        own.refund(order, [own.item(order)])
        time.sleep(0.4)
        assert own.sim.level(sku, 1) == before - difference


def test_refund_by_hand_carries_no_mark(shop):
    order = shop.order([{"sku": shop.skus()[0], "quantity": 2, "price": "10.00"}])
    made = shop.sim.control("POST", "/web-refund", {"order_id": order, "row": 0, "quantity": 1})
    assert (made["status"], made["amount"]) == (14, "10.00")
    (refund,) = shop.refunds(order)
    assert refund["id"] == made["refund_id"] and refund["items"][0]["reason"] == "" and refund["user_id"] != 0
    assert refund["payments"][0]["provider_id"] == "braintree"


# -------------------------------------------------------------------- faults

def test_timeout_after_apply_has_refunded_and_reset_before_has_not(own):
    order = own.order([{"sku": own.skus()[0], "quantity": 2, "price": "10.00"}])
    item, payment = own.item(order), [{"provider_id": "custom", "amount": 10, "offline": True}]
    for fault, count in (({"kind": "reset"}, 0), ({"kind": "status", "status": 503}, 0), ({"kind": "html"}, 0),
                         ({"kind": "timeout_after_apply", "seconds": 5}, 1)):
        rule = {**fault, "method": "POST", "path": "payment_actions/refunds", "count": 1}
        own.sim.control("PUT", "/faults/bigcommerce", {"rules": [rule]})
        try:
            assert own.post(order, [item], payment, timeout=0.5).status in (502, 503)
        except (OSError, EOFError):
            assert fault["kind"] in ("reset", "timeout_after_apply")
        assert len(own.refunds(order)) == count, fault


def test_faults_of_quotes_and_refunds(own):
    order = own.order([{"sku": own.skus()[0], "quantity": 1, "price": "10.00"}])
    item = own.item(order)
    for kind, status in (("tax_away", 503), ("quote_refused", 422)):
        own.sim.control("PUT", "/faults/bigcommerce", {"rules": [{"kind": kind, "count": 1}]})
        own.quote(order, [item], status)
    own.sim.control("PUT", "/faults/bigcommerce", {"rules": [{"kind": "methods_change", "count": 1}]})
    method = own.quote(order, [item])["refund_methods"][0]
    assert own.post(order, [item], own.payments(method)).status == 422
    assert [m[0]["provider_id"] for m in own.quote(order, [item])["refund_methods"]] == ["braintree"]
    own.sim.control("PUT", "/faults/bigcommerce", {"rules": [{"kind": "tax_away", "count": 1}]})
    answer = own.post(order, [item], [{"provider_id": "braintree", "amount": 10, "offline": False}])
    assert answer.json() == {"data": [{"order_id": order, "status": 503, "error": "Tax service gone away"}], "meta": {}}
    assert own.refunds(order) == []


# -------------------------------------------------------------------- marks and PUT

def test_metafields_are_created_once(shop):
    order = shop.order()
    body = {"permission_set": "app_only", "namespace": "n", "key": "k", "value": "v" * 65535}
    path = f"v3/orders/{order}/metafields"
    made = shop.sim.bc(path, "POST", body)
    assert made.status == 200 and made.json()["data"]["resource_id"] == order
    assert shop.sim.bc(path, "POST", body).status == 409
    assert shop.sim.bc(path, "POST", {**body, "key": "k2"}).status == 200
    for wrong in ({"value": "v" * 65536}, {"namespace": ""}, {"key": "k" * 65}, {"permission_set": "all"}):
        assert shop.sim.bc(path, "POST", {**body, "key": "k3", **wrong}).status == 422
    assert [f["key"] for f in shop.sim.bc(path + "?namespace=n&key=k2").json()["data"]] == ["k2"]
    number = made.json()["data"]["id"]
    assert shop.sim.bc(f"{path}/{number}").json()["data"]["key"] == "k" and shop.sim.bc(f"{path}/999999").status == 404


def test_put_of_an_order_merges_and_products_lose_their_discounts(own):
    order = own.order([{"sku": own.skus()[0], "quantity": 1, "price": "10.00", "line_discount": "1.00"}])
    assert own.sim.bc(f"v2/orders/{order}", "PUT", {"staff_notes": "a"}).json()["staff_notes"] == "a"
    assert own.sim.bc(f"v2/orders/{order}", "PUT", {"status_id": 10}).json()["staff_notes"] == "a"
    seen = own.get(order)
    assert (seen["status_id"], seen["items_shipped"], own.lines(order)[0]["quantity_shipped"]) == (10, 1, 1)
    assert own.sim.bc(f"v2/orders/{order}", "PUT", {"staff_notes": "x" * 65536}).status == 400
    assert own.sim.bc(f"v2/orders/{order}", "PUT", {"status_id": 99}).json()[0]["status"] == 400
    assert own.sim.control("GET", "/stats")["order_products_touched"] == 0
    own.sim.bc(f"v2/orders/{order}", "PUT", {"products": [{"id": own.lines(order)[0]["id"], "quantity": 1}]})
    assert own.lines(order)[0]["discounted_total_inc_tax"] == "10.0000"
    assert own.sim.control("GET", "/stats")["order_products_touched"] == 1


