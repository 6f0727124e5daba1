# SPDX-License-Identifier: Apache-2.0
"""Tests of what the simulators know of returns and refunds: the money of web orders, quotes, refunds, returns at tills."""
import threading
import time

import pytest

import returnsday
import test_sim
from test_sim import Sim, wait_until

receiver = test_sim.receiver  # a fixture


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

    def skus(self, count=1):
        """Ordinary ones; the storefront has plenty of them."""
        found = [s["sku"] for s in self.sim.control("GET", "/world?stock=0")["skus"][7:] if s["kind"] == "simple"][:count]
        assert len(found) == count
        for sku in found:
            self.sim.control("PUT", "/level", {"sku": sku, "location": 1, "level": 1000})
        return found

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
    order = shop.order([{"sku": shop.skus()[0], "quantity": 3, "price": "10.00", "line_discount": "20.00"}])
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
    order = own.order([{"sku": own.skus()[0], "quantity": 2, "price": "10.00"}])
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
    sku = own.skus()[0]
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




# -------------------------------------------------------------------- Sitoo: handover, returns, exchanges

def sitoo_order(shop, number):
    return shop.sim.sitoo(f"sites/1/orders/{number}.json").json()


def handed(shop, rows, step=1, **more):
    """(web order, Sitoo order) of a handover."""
    order = shop.order(rows, **more)
    return order, shop.sim.control("POST", "/web-handover", {"order_id": order, "item_step": step})["order_id"]


def give_back(shop, sku, original=None, quantity=1, row=None, **more):
    body = {"rows": [{"sku": sku, "quantity": quantity, **(row or {})}], "reason": "101", **more}
    return shop.sim.control("POST", "/return", {**body, "original": original} if original else body)["order_id"]


def judged(shop, number):
    return shop.sim.control("GET", "/refunds")["returns"][str(number)]


def test_handover_makes_the_closed_order_that_returns_refer_to(shop):
    sku = shop.skus()[0]
    web, number = handed(shop, [{"sku": sku, "quantity": 2, "price": "10.00", "line_discount": "0.01"}])
    seen = sitoo_order(shop, number)
    assert (seen["externalid"], seen["orderstateid"], seen["paymentstateid"], seen["registerid"]) == (f"BC-{web}", 10, 20, None)
    assert seen["additionaldata"] == {"weborder": "true", "weborder-return-only": "true", "delivery-ignore-stock": "true",
                                      "bigcommerce-orderid": str(web)}
    (row,) = seen["orderitems"]
    assert row["additionaldata"] == {"web-itemid": str(shop.lines(web)[0]["id"])}
    assert float(row["moneyitemtotal_net"]) + float(row["moneyitemtotal_vat"]) == pytest.approx(19.99)
    assert [(p["name"], p["moneyamount"]) for p in seen["payments"]] == [("Web", "19.99")]
    assert shop.sim.sitoo(f"orders.json?externalid=BC-{web}&fields=orderid").json()["items"] == [{"orderid": number}]
    shop.sim.control("POST", "/web-handover", {"order_id": web}, status=400)


def test_a_validated_return_shows_references_money_and_payments(shop):
    sku = shop.skus()[0]
    _, number = handed(shop, [{"sku": sku, "quantity": 2, "price": "10.00", "line_discount": "0.01"}])
    seen = sitoo_order(shop, give_back(shop, sku, number, row={"reason": "RC123", "return_warehouse": 4}, receipt="R-77"))
    (row,) = seen["orderitems"]
    assert (seen["creditorderid"], seen["additionaldata"]["pos-originalsales-orderid"]) == (number, str(number))
    assert seen["additionaldata"]["pos-receiptid"] == "R-77"
    assert row["additionaldata"] == {"reasoncode-return": "RC123", "pos-originalsales-orderitemid": "0",
                                     "return-warehouseid": "4"}
    assert (row["quantity"], seen["moneytotal_gross_all"], seen["payments"][0]["moneyamount"]) == (-1, "-10.00", "-10.00")
    listed = shop.sim.sitoo(f"orders.json?creditorderid={number}&fields=orderid,creditorderid,moneytotal_net").json()["items"]
    assert [i["orderid"] for i in listed] == [seen["orderid"]] and listed[0]["moneytotal_net"] == seen["moneytotal_net"]
    second = sitoo_order(shop, give_back(shop, sku, number))
    assert second["moneytotal_gross_all"] == "-9.99"  # the last unit takes the rest


@pytest.mark.parametrize("more, credit, text", [({}, True, True), ({"credit": False}, False, True),
                                                ({"reference": "creditorderid"}, True, False),
                                                ({"reference": "none"}, False, False)])
def test_references_of_a_return(shop, more, credit, text):
    sku = shop.skus()[0]
    _, number = handed(shop, [{"sku": sku, "quantity": 1}])
    seen = sitoo_order(shop, give_back(shop, sku, number, **more))
    assert (seen["creditorderid"] == number, "pos-originalsales-orderid" in seen["additionaldata"]) == (credit, text)


@pytest.mark.parametrize("ref, said", [("id", "2"), ("index", "1"), ("none", None)])
def test_a_row_refers_to_the_originals_row_by_id_or_by_index(shop, ref, said):
    one, two = shop.skus(2)
    web, number = handed(shop, [{"sku": one, "quantity": 1}, {"sku": two, "quantity": 1}], step=2)
    back = give_back(shop, two, number, item_ref=ref)
    assert sitoo_order(shop, back)["orderitems"][0]["additionaldata"].get("pos-originalsales-orderitemid") == said
    money = judged(shop, back)["money"]
    assert (money["outcome"], money["web_order"]) == ("refund", web)
    assert money["lines"] == [{"id": shop.lines(web)[1]["id"], "quantity": 1}]


def test_an_exchange_is_two_orders_balanced_by_virtual_payments(receiver, sim):
    shop = Shop(sim)
    sku = shop.skus()[0]
    _, number = handed(shop, [{"sku": sku, "quantity": 1, "price": "10.00"}])
    heard = receiver()
    sim.control("PUT", "/feed", {"url": heard.url, "user": "u", "password": "p"})
    made = sim.control("POST", "/exchange", {
        "return": {"rows": [{"sku": sku, "quantity": 1}], "original": number, "reason": "101"},
        "sale": {"rows": [{"sku": sku, "quantity": 1}]}, "first": "sale", "delay_ms": 300})
    back, sold = sitoo_order(shop, made["refund_order_id"]), sitoo_order(shop, made["sale_order_id"])
    assert back["additionaldata"]["pos-refundsales-orderid"] == str(sold["orderid"])
    assert sold["additionaldata"]["pos-refund-orderid"] == str(back["orderid"])
    assert sold["additionaldata"]["pos-refund-receiptid"] == back["additionaldata"]["pos-receiptid"]
    virtual = {"virtual-payment": "true"}
    assert [p["additionaldata"] for p in back["payments"]] == [virtual] == [p["additionaldata"] for p in sold["payments"][:1]]
    for half in (back, sold):
        assert sum(float(p["moneyamount"]) for p in half["payments"]) == pytest.approx(float(half["moneytotal_gross_all"]))
    assert judged(shop, back["orderid"])["money"]["offline"] is True

    numbers = []
    while len(numbers) < 2:
        numbers += [e["data"]["order_id"] for e in heard.next()[3]
                    if e["data"].get("order_id") in made.values()]
    assert numbers == [sold["orderid"], back["orderid"]]


# -------------------------------------------------------------------- Sitoo: transactions and reasons

def transactions(shop, body):
    headers = {**test_sim.KEY, "Content-Type": "application/json"}
    return shop.sim.sitoo("sites/1/warehousetransactions.json", headers=headers, method="POST", body=body)


def test_warehouse_transactions_are_written(own):
    sku, before = own.skus()[0], own.sim.control("GET", "/world")["ledger"]
    out = {"warehouseid": 1, "transactiontype": 20, "externalid": "ref-1", "description": "to quarantine",
           "items": [{"sku": sku, "decimalquantity": "-1.000"}]}
    answer = transactions(own, out)
    assert (answer.status, answer.json()) == (200, before + 1)
    pair = transactions(own, [{**out, "externalid": "ref-2"},
                              {**out, "warehouseid": 2, "transactiontype": 10,
                               "items": [{"sku": sku, "decimalquantity": "1.000"}]},
                              {**out, "transactiontype": 30}])
    assert [e["statuscode"] for e in pair.json()] == [200, 200, 400]
    row = own.sim.sitoo(f"sites/1/warehousetransactions.json?warehousetransactionid={before + 2}").json()["items"][0]
    assert (row["externalid"], row["transactiontype"], row["items"][0]["decimalquantity"]) == ("ref-2", 20, "-1.000")
    virtual = own.sim.control("POST", "/virtual-warehouse", {"name": "V"})["warehouse"]
    for wrong in ({"transactiontype": 40}, {"warehouseid": 99}, {"warehouseid": virtual}, {"items": []},
                  {"items": [{"sku": sku, "decimalquantity": "1.000"}]}, {"items": [{"sku": "none", "decimalquantity": "-1"}]}):
        assert transactions(own, {**out, **wrong}).status == 400, wrong
    assert transactions(own, [out] * 1001).status == 400
    assert own.sim.control("GET", "/world")["ledger"] == before + 3


def test_reason_codes(shared):
    listed = shared.sitoo("reasoncodes.json?type=10").json()
    assert listed["totalcount"] == 2 and {r["reasoncode"] for r in listed["items"]} == {"101", "102"}


# -------------------------------------------------------------------- the oracle: stock

def withheld(sim, sku, warehouse):
    return sim.control("GET", "/world?sku=" + sku)["stock"].get(str(warehouse), {}).get("withheld", 0)


@pytest.mark.parametrize("reason, warehouse, held", [("101", 1, 0), ("RC123", 1, 1000), ("102", 1, 1000), (None, 1, 1000),
                                                     ("101", 4, 1000)])
def test_only_sellable_units_are_offered(shop, reason, warehouse, held):
    sku = shop.skus()[0]
    before = withheld(shop.sim, sku, warehouse)
    body = {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 1, "return_warehouse": warehouse}
    shop.sim.control("POST", "/return", {**body, **({"reason": reason} if reason else {})})
    assert withheld(shop.sim, sku, warehouse) - before == held
    assert shop.sim.control("GET", "/oracle?full=1")["sums_wrong"] == []


def test_withheld_units_leave_by_moves_or_a_person_never_by_sales(own):
    sim, sku = own.sim, own.skus()[0]
    give_back(own, sku, quantity=3, reason="RC123", warehouse=2)
    sim.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 2})
    assert withheld(sim, sku, 2) == 3000
    sim.control("POST", "/stocktake", {"sku": sku, "counted": 50, "warehouse": 2})
    assert withheld(sim, sku, 2) == 3000
    sim.control("POST", "/move", {"sku": sku, "quantity": 1, "from": 2, "to": 9})
    assert withheld(sim, sku, 2) == 2000
    before = sim.rights(sku)[1]
    assert sim.control("POST", "/release", {"sku": sku, "warehouse": 2, "quantity": 1}) == {"withheld_thousandths": 1000}
    assert sim.rights(sku)[1] == before + 1
    sim.control("POST", "/release", {"sku": sku, "warehouse": 2, "quantity": 5}, status=400)


def test_without_the_section_everything_is_withheld():
    sim = Sim()
    try:
        sku = Shop(sim).skus()[0]
        sim.control("POST", "/return", {"rows": [{"sku": sku, "quantity": 1}], "reason": "101"})
        sim.control("POST", "/move", {"sku": sku, "quantity": 1, "from": 1, "to": 9})
        assert withheld(sim, sku, 1) == 1000
    finally:
        assert sim.stop() == (0, "")


# -------------------------------------------------------------------- the oracle: money

CASES = [
    ({}, {}, "refund", None), ({}, {"payments": [{"name": "Cash"}]}, "refund", None),
    ({}, {"payments": [{"name": "Web"}]}, "refund", None),
    ({}, {"row": {"amount": "9.98"}}, "refund", None), ({}, {"row": {"amount": "9.97"}}, "parked", "amounts differ"),
    ({}, {"payments": [{"name": "Klarna"}]}, "parked", "unknown payment"),
    ({}, {"payments": [{"name": "Card", "amount": "5.00"}, {"name": "Web"}]}, "parked", "several payers"),
    ({}, {"payments": []}, "parked", "no payment"), ({}, {"reference": "none"}, "parked", "manual return"),
    ({}, {"original": 99999, "unknown_original": True}, "parked", "unknown original"),
    ({}, {"quantity": 3}, "parked", "more than is left"), ({}, {"row": {"item_ref_value": "7"}}, "parked", "no product"),
    ({"status": 5}, {}, "parked", "cancelled"), ({"settled": False}, {}, "parked", "not settled"),
    ({"currency": "JPY", "price": "1000"}, {}, "refund", None), ({"currency": "KWD", "price": "1.250"}, {}, "refund", None),
    ({"currency": "KWD", "price": "1.254"}, {}, "parked", "amounts differ"),
]


@pytest.mark.parametrize("web, back, outcome, why", CASES)
def test_outcomes_of_the_money(shop, web, back, outcome, why):
    sku, web = shop.skus()[0], dict(web)
    status, price = web.pop("status", None), web.pop("price", "10.00")
    order, number = handed(shop, [{"sku": sku, "quantity": 2, "price": price}], **web)
    if status:
        shop.sim.control("POST", "/web-order-status", {"order_id": order, "status": status})
    money = judged(shop, give_back(shop, sku, **{"original": number, **back}))["money"]
    assert money["outcome"] == outcome and (why is None or why in money["why"]), money


def test_a_return_that_came_while_the_order_was_cancelled_is_a_persons(shop):
    sku = shop.skus()[0]
    order, number = handed(shop, [{"sku": sku, "quantity": 3, "price": "10.00"}])
    shop.sim.control("POST", "/web-order-status", {"order_id": order, "status": 5})
    early = give_back(shop, sku, number)
    shop.sim.control("POST", "/web-refund", {"order_id": order, "row": 0, "quantity": 1})  # by hand; the order is no longer cancelled
    late = give_back(shop, sku, number)
    assert [judged(shop, one)["money"]["outcome"] for one in (early, late)] == ["parked", "refund"]


def test_a_till_purchase_concerns_stock_only(shop):
    sku = shop.skus()[0]
    sale = shop.sim.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}]})["order_id"]
    assert judged(shop, give_back(shop, sku, sale))["money"]["outcome"] == "stock_only"


def test_two_lines_of_one_sku_are_told_apart_only_by_the_reference(shop):
    sku = shop.skus()[0]
    for ref, outcome in (("id", "refund"), ("none", "parked")):
        _, number = handed(shop, [{"sku": sku, "quantity": 1}, {"sku": sku, "quantity": 1}])
        assert judged(shop, give_back(shop, sku, number, item_ref=ref))["money"]["outcome"] == outcome


def test_totals_say_what_is_missing_what_is_twice_and_what_nobody_asked_for(own):
    sku = own.skus()[0]
    order, number = handed(own, [{"sku": sku, "quantity": 4, "price": "10.00"}])
    first = give_back(own, sku, number)
    report = own.sim.control("GET", "/refunds")
    assert (report["missing"], report["expected_total"], report["refunded_total"]) == ([first], {"SEK": "10.00"}, {})
    own.refund(order, [own.item(order, reason=f"onepool S{first} 101")])
    report = own.sim.control("GET", "/refunds")
    assert report["ok"] and report["refunded_total"] == report["expected_total"] == {"SEK": "10.00"}
    assert report["orders"][str(order)]["by_onepool"] == "10.00"
    own.sim.control("POST", "/web-refund", {"order_id": order, "row": 0, "quantity": 1})
    report = own.sim.control("GET", "/refunds")
    assert report["ok"] and report["orders"][str(order)]["by_hand"] == "10.00"
    own.refund(order, [own.item(order, reason=f"onepool S{first} 101")])
    report = own.sim.control("GET", "/refunds")
    assert not report["ok"] and report["refunded_twice"] == [first]
    own.refund(order, [own.item(order, reason="nothing")], "braintree")
    assert own.sim.control("GET", "/refunds")["unexplained"] == [4]


def test_paying_online_what_the_till_has_paid_is_an_error(own):
    sku = own.skus()[0]
    order, number = handed(own, [{"sku": sku, "quantity": 1}])
    back = give_back(own, sku, number)
    own.refund(order, [own.item(order, reason=str(back))], "braintree")
    assert own.sim.control("GET", "/refunds")["paid_online"] == [back]


def test_a_refund_hook_is_sent_as_documented(receiver, sim):
    shop = Shop(sim)
    order, heard = shop.order(), receiver()
    made = sim.control("POST", "/web-refund", {"order_id": order})
    sim.control("PUT", "/settings", {"hooks": [{"scope": "store/order/refund/created", "destination": heard.url,
                                                "headers": {"X-Onepool-Secret": "s"}}]})
    sent = sim.control("POST", "/send-hook", {"refund_id": made["refund_id"]})
    assert sent["status"] == 200 and heard.next()[3] == sent["body"]
    assert sent["body"]["data"] == {"type": "order", "id": order, "refund": {"refund_id": made["refund_id"]}}
    sim.control("POST", "/send-hook", {"refund_id": 999}, status=400)


def test_a_day_with_returns_of_every_kind(own):
    own.sim.control("POST", "/day", {"returns": True, "seed": 7, "phases": [{"name": "evening", "seconds": 2}]})
    day = wait_until(lambda: (lambda d: d["finished"] and d)(own.sim.control("GET", "/day")), 15)
    assert day["error"] is None and day["counts"]["returns_left_out"] == 0
    assert set(day["counts"]["returns_of_every_kind"]) == set(returnsday.KINDS)
    report = own.sim.control("GET", "/refunds")
    whys = {one["money"].get("why", one["money"]["outcome"]).split(":")[0] for one in report["returns"].values()}
    assert whys == {"refund", "stock_only", "manual return", "unknown original", "unknown payment", "several payers",
                    "amounts differ", "more than is left to refund", "web order is cancelled", "goods by weight"}
    assert {row["stock"] for one in report["returns"].values() for row in one["rows"]} == {"sellable", "unsellable", "unknown"}
    assert len(report["expected_total"]) == 3 and report["over_refunded"] == []
    assert own.sim.control("GET", "/oracle?full=1")["sums_wrong"] == []
