# SPDX-License-Identifier: Apache-2.0
"""Tests of the simulators themselves: that they are as unpleasant as the platforms' documentation says."""
import base64
import http.client
import http.server
import json
import pathlib
import queue
import signal
import subprocess
import sys
import threading
import time
import urllib.parse

import pytest

HERE = pathlib.Path(__file__).resolve().parent
KEY = {"Authorization": "Basic " + base64.b64encode(b"1500-1:sim-sitoo-password").decode()}
TOKEN = {"X-Auth-Token": "sim-bc-token", "Content-Type": "application/json"}
GUID = "%7B25D9C5B8-51FC-5751-7FBE-37368C7E4EF0%7D"


def wait_until(condition, timeout=10.0):
    """Returns the condition's true value, or fails."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


def call(url, method="GET", body=None, headers=None, timeout=10.0):
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    try:
        path = parts.path + ("?" + parts.query if parts.query else "")
        connection.request(method, path, None if body is None else json.dumps(body), headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


class Sim:
    """The simulators in a process of their own."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, "-B", str(HERE / "main.py"), "--latency-ms", "0", "--lag-ms", "60", *map(str, arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        self.ready = json.loads(line)

    def stop(self):
        """SIGTERM: ends quietly."""
        self.process.send_signal(signal.SIGTERM)
        _, complaints = self.process.communicate(timeout=10)
        return self.process.returncode, complaints

    def sitoo(self, path, headers=KEY, **more):
        return call(self.ready["sitoo"] + "/accounts/1500/" + path, headers=headers, **more)

    def bc(self, path, method="GET", body=None, headers=TOKEN, **more):
        return call(f"{self.ready['bigcommerce']}/stores/simstore/{path}", method, body, headers, **more)

    def control(self, method, path, body=None, status=200):
        answer = call(self.ready["control"] + path, method, body)
        assert answer.status == status, answer.body
        return answer.json()

    def items_of(self, sku):
        return self.bc("v3/inventory/items?sku:in=" + urllib.parse.quote(sku, safe="")).json()["data"]

    def level(self, sku, location):
        return self.control("GET", f"/level?sku={urllib.parse.quote(sku, safe='')}&location={location}")["level"]

    def put_level(self, items):
        return self.bc("v3/inventory/adjustments/absolute", "PUT", {"items": items})

    def variant_sku(self, least=3):
        """A variant-tracked SKU with stock to sell at location 1 and in warehouse 1."""
        world = self.control("GET", "/world")
        for sku in world["skus"][7:]:
            stock = world["stock"]["1"].get(sku["sku"])
            if sku["kind"] == "variant" and stock and stock["on_hand"] >= 1000 * least and stock["reserved"] == 0:
                return sku["sku"]
        raise AssertionError("no such SKU")

    def rights(self, sku):
        """{location: level by the formula}."""
        return {row["location"]: row["expected"]
                for row in self.control("GET", "/oracle?explain=" + urllib.parse.quote(sku, safe=""))["locations"]}

    def put_rights(self, sku):
        """Writes what the formula says, as onepool would."""
        identity = self.items_of(sku)[0]["identity"]
        answer = self.put_level([{"location_id": location, "variant_id": identity["variant_id"], "quantity": level}
                                 for location, level in self.rights(sku).items()])
        assert answer.status == 200, answer.body


@pytest.fixture
def sim():
    one = Sim()
    yield one
    code, complaints = one.stop()
    assert (code, complaints) == (0, "")


@pytest.fixture(scope="module")
def shared():
    """For tests that only read."""
    one = Sim()
    yield one
    code, complaints = one.stop()
    assert (code, complaints) == (0, "")


class Receiver:
    """Where the feed delivers to. answers: statuses to give, then 200 for ever; "hang" is silence."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.batches = queue.Queue()
        self.at_once = self.most = 0
        self.lock = threading.Lock()
        self.release = threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                with receiver.lock:
                    receiver.at_once += 1
                    receiver.most = max(receiver.most, receiver.at_once)
                    answer = receiver.answers.pop(0) if receiver.answers else 200
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.batches.put((answer, self.path, self.headers["Authorization"], body))
                with receiver.lock:
                    receiver.at_once -= 1
                if answer == "hang":
                    receiver.release.wait(5)
                    answer = 503
                self.send_response(answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hooks/sitoo"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def next(self):
        return self.batches.get(timeout=10)

    def close(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver():
    made = []

    def make(*answers):
        made.append(Receiver(*answers))
        return made[-1]

    yield make
    for one in made:
        one.close()


# ---------------------------------------------------------------- Sitoo


def test_default_page_is_ten_newest_first(shared):
    page = shared.sitoo("orders.json").json()
    ids = [order["orderid"] for order in page["items"]]
    assert len(ids) == 10 and page["totalcount"] > 10
    assert ids == sorted(ids, reverse=True)
    ledger = shared.sitoo("sites/1/warehousetransactions.json").json()
    assert len(ledger["items"]) == 10 < ledger["totalcount"]


def test_default_fields_of_a_list_lack_what_one_needs(shared):
    item = shared.sitoo("orders.json?num=1").json()["items"][0]
    assert "externalid" not in item and "creditorderid" not in item and "moneytotal_net" not in item
    full = shared.sitoo(f"sites/1/orders/{item['orderid']}.json").json()
    assert "externalid" in full and "moneytotal_net" in full
    mark = shared.control("GET", "/personal-data")["mark"]
    assert mark in json.dumps(full)
    few = shared.sitoo("orders.json?num=1&fields=orderid,orderstateid,nonsense").json()["items"][0]
    assert set(few) == {"orderid", "orderstateid"}


def test_repeated_filter_keeps_the_last_and_unknown_ones_are_ignored(shared):
    ids = [order["orderid"] for order in shared.sitoo("orders.json?num=3&fields=orderid").json()["items"]]
    repeated = shared.sitoo(f"orders.json?orderid={ids[0]}&orderid={ids[1]}&fields=orderid").json()
    assert [order["orderid"] for order in repeated["items"]] == [ids[1]]
    listed = shared.sitoo(f"orders.json?orderid={ids[0]},{ids[1]}&fields=orderid").json()
    assert listed["totalcount"] == 2
    assert shared.sitoo("orders.json?modifiedsince=5").json()["totalcount"] > 10


def test_ids_from_inclusive_to_exclusive(shared):
    got = shared.sitoo("sites/1/warehousetransactions.json?warehousetransactionidfrom=3&warehousetransactionidto=6"
                       "&sort=warehousetransactionid").json()
    assert [t["warehousetransactionid"] for t in got["items"]] == [3, 4, 5]


def test_a_guid_or_an_unknown_site_is_an_empty_200(shared):
    for site in (GUID, "2"):
        for path in ("orders.json", "warehouses.json", "warehouses/1/warehouseitems.json", "products.json",
                     "warehousetransactions.json"):
            answer = shared.sitoo(f"sites/{site}/{path}")
            assert (answer.status, answer.json()) == (200, {"totalcount": 0, "items": []}), path


def test_plus_in_a_sku_must_be_encoded(shared):
    path = "sites/1/warehouses/1/warehouseitems.json?sku="
    assert shared.sitoo(path + "AB%2BC%2F1-2").json()["totalcount"] == 1
    assert shared.sitoo(path + "AB+C/1-2").json()["totalcount"] == 0
    assert len(shared.items_of("AB+C/1-2")) == 1
    assert shared.bc("v3/inventory/items?sku:in=AB+C/1-2").json()["data"] == []


def test_inactive_products_hide(shared):
    path = "sites/1/products.json?sku=INACTIVE-1"
    assert shared.sitoo(path).json()["totalcount"] == 0
    assert shared.sitoo(path + "&includeinactive=true").json()["totalcount"] == 1


def test_sitoo_errors_have_its_shape(shared):
    wrong = shared.sitoo("orders.json", headers={"Authorization": "Basic " + base64.b64encode(b"1500-1:x").decode()})
    assert (wrong.status, wrong.json()) == (401, {"statuscode": 401, "errortext": "Unauthorized"})
    assert shared.sitoo("sites/1/orders/1.json").json()["statuscode"] == 404
    assert shared.sitoo("orders.json?orderidfrom=abc").status == 400


def test_two_requests_on_one_key_are_429_and_another_key_is_free(sim):
    sim.control("PUT", "/faults/sitoo", {"rules": [{"kind": "latency", "ms": 600, "count": 1}]})
    slow = []
    thread = threading.Thread(target=lambda: slow.append(sim.sitoo("sites.json").status))
    thread.start()
    wait_until(lambda: sim.control("GET", "/stats")["in_flight"]["sitoo"] == 1)
    refused = sim.sitoo("sites.json")
    other = {"Authorization": "Basic " + base64.b64encode(b"1500-2:sim-sitoo-password").decode()}
    assert sim.sitoo("sites.json", headers=other).status == 200
    thread.join()
    assert (refused.status, refused.json()) == (429, {"statuscode": 429, "errortext": "Too many connections"})
    assert slow == [200]
    assert sim.control("GET", "/stats")["caused_429"] == 1


def test_a_sale_makes_an_order_a_ledger_row_and_a_level(sim):
    sku = sim.variant_sku()
    before = sim.sitoo(f"sites/1/warehouses/1/warehouseitems.json?sku={sku}").json()["items"][0]
    made = sim.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 2, "discount": 100}], "warehouse": 1,
                                         "date_offset_s": -3600})
    order = sim.sitoo(f"sites/1/orders/{made['order_id']}.json").json()
    assert (order["ordertypeid"], order["orderstateid"], order["paymentstateid"]) == (10, 10, 20)
    assert order["registerid"].startswith("{") and order["orderdate"] <= made["at_ms"] // 1000 - 3600
    assert [row["sku"] for row in order["orderitems"]] == [sku, None]
    assert order["orderitems"][0]["orderitemid"] == 0 and order["orderitems"][0]["decimalquantitytotal"] == "2.000"
    row = sim.sitoo("sites/1/warehousetransactions.json?num=1").json()["items"][0]
    after = float(before["decimaltotal"]) - 2
    assert row["transactiontype"] == 30 and row["items"][0]["decimalquantity"] == "-2.000"
    assert row["items"][0]["decimaltotal"] == f"{after:.3f}"


def test_goods_by_weight_and_returns(sim):
    made = sim.control("POST", "/sale", {"rows": [{"sku": "KILO-1", "quantity": "0.350"}]})
    row = sim.sitoo(f"sites/1/orders/{made['order_id']}.json").json()["orderitems"][0]
    assert (row["quantity"], row["decimalunitquantity"], row["decimalquantitytotal"]) == (1, "0.350", "0.350")
    sku = sim.variant_sku()
    rights = sim.rights(sku)
    made = sim.control("POST", "/return", {"rows": [{"sku": sku, "quantity": 1, "reason": "101"}], "warehouse": 1})
    order = sim.sitoo(f"sites/1/orders/{made['order_id']}.json").json()
    assert order["orderitems"][0]["quantity"] == -1 and order["moneytotal_gross_all"].startswith("-")
    assert order["orderitems"][0]["additionaldata"] == {"reasoncode-return": "101"}
    assert sim.sitoo("sites/1/warehousetransactions.json?num=1").json()["items"][0]["transactiontype"] == 40
    assert sim.rights(sku) == rights  # withheld: on hand rose, what may be sold did not


def test_a_booking_reserves_without_a_ledger_row(sim):
    sku = sim.variant_sku()
    ledger = sim.sitoo("sites/1/warehousetransactions.json?num=1").json()["totalcount"]
    path = f"sites/1/warehouses/1/warehouseitems.json?sku={sku}"
    before = sim.sitoo(path).json()["items"][0]
    made = sim.control("POST", "/booking", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 1})
    after = sim.sitoo(path).json()["items"][0]
    assert after["decimaltotal"] == before["decimaltotal"] and after["decimalreserved"] == "1.000"
    assert after["datelastmodified"] == before["datelastmodified"]
    assert sim.sitoo("sites/1/warehousetransactions.json?num=1").json()["totalcount"] == ledger
    sim.control("POST", "/cancel-order", {"order_id": made["order_id"]})
    assert sim.sitoo(path).json()["items"][0]["decimalreserved"] == "0.000"
    assert sim.sitoo(f"sites/1/orders/{made['order_id']}.json").json()["orderstateid"] == 20


# ---------------------------------------------------------------- BigCommerce


def test_empty_v2_list_is_204_and_errors_differ_by_family(shared):
    answer = shared.bc("v2/orders?min_id=999999")
    assert (answer.status, answer.body) == (204, b"")
    missing = shared.bc("v2/orders/999999")
    assert missing.status == 404 and missing.json()[0]["status"] == 404
    missing = shared.bc("v3/catalog/products/1")
    assert missing.status == 404 and missing.json()["title"]
    denied = shared.bc("v2/time", headers={})
    assert denied.status == 401
    assert shared.bc("v3/inventory/locations/99/items").headers["Content-Type"].startswith("application/problem+json")


def test_quota_headers_and_429(sim):
    sim.control("PUT", "/settings", {"quota": 5, "window_ms": 400})
    statuses, left = [], []
    for _ in range(8):
        answer = sim.bc("v2/time")
        statuses.append(answer.status)
        left.append(int(answer.headers["X-Rate-Limit-Requests-Left"]))
        assert int(answer.headers["X-Rate-Limit-Time-Window-Ms"]) == 400
        assert 0 < int(answer.headers["X-Rate-Limit-Time-Reset-Ms"]) <= 400
    assert 429 in statuses and 0 in left
    assert sim.control("GET", "/stats")["quota_violations"] >= 1
    wait_until(lambda: sim.bc("v2/time").status == 200)


def test_429_without_headers_html_half_bodies_and_resets(sim):
    sim.control("PUT", "/faults/bigcommerce", {"rules": [{"kind": "rate_limit", "headers": False, "count": 1}]})
    answer = sim.bc("v2/time")
    assert answer.status == 429 and not [h for h in answer.headers if h.lower().startswith("x-rate")]
    sim.control("PUT", "/faults/bigcommerce", {"rules": [{"kind": "html", "count": 1}]})
    assert sim.bc("v2/time").body.startswith(b"<html>")
    sim.control("PUT", "/faults/bigcommerce", {"rules": [{"kind": "half_body", "count": 1}]})
    with pytest.raises(http.client.IncompleteRead):
        sim.bc("v2/store")
    for rule in ({"kind": "reset"}, {"kind": "outage", "seconds": 60, "mode": "reset"}):
        sim.control("PUT", "/faults/bigcommerce", {"rules": [{**rule, "count": 1}]})
        with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
            sim.bc("v2/time")
    sim.control("PUT", "/faults/bigcommerce", {"rules": [{"kind": "outage", "seconds": 60}]})
    assert sim.bc("v2/time").status == 503
    sim.control("DELETE", "/faults")
    assert sim.bc("v2/time").status == 200


def test_a_level_is_written_later_than_it_is_answered(sim):
    sim.control("PUT", "/settings", {"lag_ms": 400})
    sku = sim.variant_sku()
    item = sim.items_of(sku)[0]
    old = sim.level(sku, 1)
    answer = sim.put_level([{"location_id": 1, "variant_id": item["identity"]["variant_id"], "quantity": old + 7}])
    assert answer.status == 200 and set(answer.json()) == {"transaction_id"}
    assert sim.level(sku, 1) == old
    wait_until(lambda: sim.level(sku, 1) == old + 7)


def test_timeout_after_apply_has_been_applied(sim):
    sku = sim.variant_sku()
    old = sim.level(sku, 1)
    sim.control("PUT", "/faults/bigcommerce", {"rules": [{"kind": "timeout_after_apply", "method": "PUT", "count": 1}]})
    with pytest.raises(TimeoutError):
        sim.bc("v3/inventory/adjustments/absolute", "PUT",
               {"items": [{"location_id": 1, "sku": sku, "quantity": old + 1}]}, timeout=0.2)
    wait_until(lambda: sim.level(sku, 1) == old + 1)


def test_one_bad_item_refuses_all(sim):
    sku = sim.variant_sku()
    old = sim.level(sku, 1)
    good = {"location_id": 1, "sku": sku, "quantity": old + 5}
    simple = sim.items_of("KILO-1")[0]["identity"]
    wrong = sim.items_of("WRONG-1-RED")[0]["identity"]["variant_id"]
    assert simple["variant_id"]  # tracked by product, and carries one all the same
    for bad, text in (
            ({"location_id": 99, "sku": sku, "quantity": 1}, "Location not found, identities: [99]"),
            ({"location_id": 1, "sku": "NOBODY", "quantity": 1}, "NOBODY"),
            ({"location_id": 1, "sku": "UNTRACKED-1", "quantity": 1}, "not tracked"),
            ({"location_id": 1, "variant_id": wrong, "quantity": 1},
             f"[Item with variant_id {wrong} is tracked by product, please update stock by product id]"),
            ({"location_id": 1, "sku": "KILO-1", "quantity": 1}, "update stock by product id")):
        answer = sim.put_level([good, bad])
        assert answer.status == 422 and text in answer.json()["title"], answer.body
        assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert sim.put_level([good] * 2001).status == 413
    assert sim.control("GET", "/stats")["levels_written"] == 0
    assert sim.put_level([{"location_id": 1, "product_id": simple["product_id"], "quantity": 3}]).status == 200
    wait_until(lambda: sim.level("KILO-1", 1) == 3)
    assert sim.level(sku, 1) == old


def test_overlapping_writes_are_counted(sim):
    sku = sim.variant_sku()
    item = [{"location_id": 1, "sku": sku, "quantity": 4}]
    sim.control("PUT", "/faults/bigcommerce", {"rules": [{"kind": "latency", "ms": 400, "method": "PUT", "count": 1}]})
    thread = threading.Thread(target=sim.put_level, args=(item,))
    thread.start()
    wait_until(lambda: sim.control("GET", "/stats")["in_flight"]["bigcommerce"] == 1)
    sim.put_level(item)
    thread.join()
    stats = sim.control("GET", "/stats")
    assert stats["overlapping_writes"] == 1 and stats["relative_writes"] == 0 and stats["writes"] == 2
    sim.bc("v3/inventory/adjustments/relative", "POST", {"items": item})
    assert sim.control("GET", "/stats")["relative_writes"] == 1


def test_a_web_order_lowers_its_own_location_later_and_shows_its_rows(sim):
    sku = sim.variant_sku()
    before = sim.level(sku, 1)
    made = sim.control("POST", "/web-order", {"rows": [{"sku": sku, "quantity": 2}]})
    order = sim.bc("v2/orders?include=consignments.line_items&consignment_structure=object").json()[0]
    assert order["id"] == made["order_id"] and order["consignments"]["shipping"][0]["line_items"][0]["sku"] == sku
    assert order["products"]["resource"] == f"/orders/{order['id']}/products"
    assert order["date_modified"].endswith("+0000")
    wait_until(lambda: sim.level(sku, 1) == before - 2)
    assert sim.rights(sku)[1] == before - 2
    sim.control("POST", "/web-order-status", {"order_id": made["order_id"], "status": 5})
    assert sim.rights(sku)[1] == before and sim.level(sku, 1) == before - 2  # never put back by itself
    assert sim.control("POST", "/web-order", {"rows": [{"sku": sku, "quantity": 9999}]})["refused"] is True


def test_pickup_orders_count_at_their_warehouse_and_refunds_release(sim):
    world = sim.control("GET", "/world")
    sku = next(s["sku"] for s in world["skus"][7:] if s["kind"] == "variant"
               and world["stock"]["3"].get(s["sku"], {}).get("on_hand", 0) >= 2000 and sim.level(s["sku"], 5) >= 2)
    before = sim.rights(sku)
    made = sim.control("POST", "/web-order", {"rows": [{"sku": sku, "quantity": 2}], "pickup_location": 5})
    assert not made["refused"]
    after = sim.rights(sku)
    assert (after[5], after[1], after[7]) == (before[5] - 2, before[1] - 2, before[7])
    order = sim.bc(f"v2/orders/{made['order_id']}?include=consignments.line_items&consignment_structure=object").json()
    pickup = order["consignments"]["pickups"][0]
    assert pickup["location"]["id"] == 5 and pickup["pickup_method_id"] == 2
    assert pickup["line_items"][0]["order_pickup_method_id"] == pickup["id"] != 2
    sim.control("POST", "/web-refund", {"order_id": made["order_id"], "row": 0, "quantity": 1})
    assert sim.rights(sku)[5] == before[5] - 1
    assert sim.bc(f"v2/orders/{made['order_id']}").json()["status_id"] == 14


def test_fifty_lines_per_consignment_and_per_page(sim):
    sku = sim.variant_sku()
    sim.control("PUT", "/level", {"sku": sku, "location": 1, "level": 500})
    made = sim.control("POST", "/web-order", {"rows": [{"sku": sku, "quantity": 1}] * 60})
    order = sim.bc(f"v2/orders/{made['order_id']}?include=consignments.line_items&consignment_structure=object").json()
    shipping = order["consignments"]["shipping"][0]
    assert len(shipping["line_items"]) == 50 and "__warning__" in shipping
    path = f"v2/orders/{made['order_id']}/products"
    assert len(sim.bc(path).json()) == 50 and len(sim.bc(path + "?page=2").json()) == 10
    assert sim.bc(path + "?page=3").status == 204
    assert len(sim.bc(path + "?limit=250").json()) == 60


def test_orders_by_modification_date(sim):
    sku = sim.variant_sku()
    old = sim.control("POST", "/web-order", {"rows": [{"sku": sku}], "status": 10, "date_offset_s": -86400})
    new = sim.control("POST", "/web-order", {"rows": [{"sku": sku}]})
    wait_until(lambda: sim.control("GET", "/oracle")["landing"] == 0)  # both have had their stock taken by now
    date = time.strftime("%Y-%m-%dT%H:%M:%S%%2B00:00", time.gmtime(time.time() - 600))
    ids = [o["id"] for o in sim.bc(f"v2/orders?min_date_modified={date}&sort=date_modified:asc").json()]
    assert sorted(ids) == sorted([old["order_id"], new["order_id"]])
    later = time.strftime("%Y-%m-%dT%H:%M:%S%%2B00:00", time.gmtime(time.time() + 600))
    assert sim.bc(f"v2/orders?min_date_modified={later}").status == 204
    assert sim.bc("v2/orders?min_date_modified=yesterday").status == 400
    sim.control("POST", "/web-order-archive", {"order_id": new["order_id"]})
    assert [o["id"] for o in sim.bc("v2/orders").json()] == [old["order_id"]]


# ---------------------------------------------------------------- feed


def test_feed_batches_in_order_and_blocks_at_the_head(receiver, sim):
    there = receiver(503, 429, 504)
    sim.control("PUT", "/feed", {"paused": True, "url": there.url, "user": "u", "password": "p", "retry_scale": 0.001})
    sku = sim.variant_sku()
    for _ in range(7):
        sim.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}]})
    sim.control("PUT", "/feed", {"paused": False})
    wait_until(lambda: sim.control("GET", "/stats")["events_queued"] == 0)
    got = [there.next() for _ in range(5)]
    assert [status for status, *_ in got] == [503, 429, 504, 200, 200]
    assert [len(batch) for *_, batch in got] == [10, 10, 10, 10, 4]
    assert got[0][3] == got[1][3] == got[2][3] == got[3][3]
    assert got[0][1] == "/hooks/sitoo" and got[0][2] == "Basic " + base64.b64encode(b"u:p").decode()
    kinds = [event["event_type"] for event in got[0][3]]
    assert kinds[:2] == ["order", "warehouse-transaction"]
    assert got[0][3][0]["data"]["order_event_type"] == "add"
    assert there.most == 1
    stats = sim.control("GET", "/stats")
    assert (stats["events_made"], stats["events_delivered"], stats["events_lost"]) == (14, 14, 0)


def test_feed_drops_on_any_other_status_and_retries_silence(receiver, sim):
    there = receiver(500, "hang")
    sim.control("PUT", "/feed", {"url": there.url, "user": "u", "password": "p", "retry_scale": 0, "timeout_s": 0.2,
                                 "append_events": True})
    sku = sim.variant_sku()
    sim.control("POST", "/booking", {"rows": [{"sku": sku, "quantity": 1}]})
    assert there.next()[0] == 500
    wait_until(lambda: sim.control("GET", "/stats")["events_lost"] == 1)
    sim.control("POST", "/parked-basket", {"rows": [{"sku": sku, "quantity": 1}]})
    assert there.next()[0] == "hang"
    status, path, _, batch = there.next()
    assert (status, path, batch[0]["event_type"]) == (200, "/hooks/sitoo/events", "order")
    there.release.set()


def test_feed_duplicates_on_demand(receiver, sim):
    there = receiver()
    sim.control("PUT", "/feed", {"url": there.url, "user": "u", "password": "p", "duplicate": 1.0})
    sim.control("POST", "/send-event", {"event_id": "x", "event_type": "unheard-of", "event_date": 1, "account_id": 1500,
                                        "data": {}})
    assert there.next()[3][0]["event_id"] == "x" and there.next()[3][0]["event_id"] == "x"
    assert sim.control("GET", "/stats")["duplicates_sent"] == 1


# ---------------------------------------------------------------- oracle and report


def test_oracle_starts_right_sees_a_sale_and_agrees_when_the_level_is_put(sim):
    start = sim.control("GET", "/oracle?full=1")
    assert start["ok"] and start["checked"] > 100
    sku = sim.variant_sku()
    sim.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 1})
    wrong = sim.control("GET", "/oracle")
    assert not wrong["ok"]
    assert [(m["sku"], m["location"], m["expected"] - m["actual"]) for m in wrong["mismatches"]] == [(sku, 1, -1)]
    sim.put_rights(sku)
    assert sim.control("GET", "/oracle?full=1")["ok"]
    identity = sim.items_of(sku)[0]["identity"]
    sim.put_level([{"location_id": 1, "variant_id": identity["variant_id"], "quantity": 4711}])
    assert not sim.control("GET", "/oracle")["ok"]


def test_lag_from_till_to_accepted_and_confirmed(sim):
    sku = sim.variant_sku()
    sim.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 1})
    assert sim.control("GET", "/report")["not_accepted_yet"] == 1
    sim.put_rights(sku)
    report = sim.control("GET", "/report")
    assert report["till_to_accepted"]["count"] == 1 and report["not_confirmed_yet"] == 1
    wait_until(lambda: sim.items_of(sku) and sim.control("GET", "/report")["till_to_confirmed"]["count"] == 1)
    report = sim.control("GET", "/report")
    assert report["till_to_confirmed"]["worst_ms"] >= report["till_to_accepted"]["worst_ms"]
    sim.control("POST", "/sale", {"rows": [{"sku": "SITOO-ONLY-1", "quantity": 1}]})
    assert sim.control("GET", "/report")["not_applicable"] == 1


def test_units_sold_twice_inside_and_outside_the_window(sim):
    sku = sim.variant_sku()
    offered = sim.rights(sku)[1]
    # All of it is sold at tills and BigCommerce has not heard of it.
    sim.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": offered}], "warehouse": 1})
    assert not sim.control("POST", "/web-order", {"rows": [{"sku": sku, "quantity": 1}]})["refused"]
    assert sim.control("GET", "/report")["units_sold_twice"] == {"inside": 1, "inside_web": 0, "outside": 0}
    # Somebody raises a level by hand: no movement at a till explains what is then sold twice.
    world = sim.control("GET", "/world")
    other = [s["sku"] for s in world["skus"][7:] if s["kind"] == "variant" and s["sku"] != sku][0]
    right = sim.rights(other)[1]
    sim.control("PUT", "/level", {"sku": other, "location": 1, "level": right + 3})
    sim.control("POST", "/web-order", {"rows": [{"sku": other, "quantity": right + 2}]})
    assert sim.control("GET", "/report")["units_sold_twice"]["outside"] == 2


def test_a_short_day_plays_to_its_end(receiver, sim):
    there = receiver()
    sim.control("PUT", "/feed", {"url": there.url, "user": "u", "password": "p"})
    sim.control("POST", "/day", {"phases": [
        {"name": "rush", "seconds": 0.8, "sales": 60, "web_orders": 10, "returns": 10, "outage": [0.1, 0.3],
         "extras": ["booking", "parked_basket"]}]})
    wait_until(lambda: sim.control("GET", "/day")["outage"])
    wait_until(lambda: sim.control("GET", "/day")["finished"])
    day = sim.control("GET", "/day")
    assert day["error"] is None and day["progress"] == 1.0
    assert day["counts"]["sales"] > 10 and day["counts"]["bookings"] == 1 and day["counts"]["parked_baskets"] == 1
    assert sim.control("GET", "/oracle?full=1")["sums_wrong"] == []
    wait_until(lambda: sim.control("GET", "/stats")["events_queued"] == 0)
    assert sim.control("GET", "/stats")["events_lost"] == 0


def test_late_ledger_rows_leave_a_hole_for_a_while(sim):
    sim.control("PUT", "/settings", {"late_rows": {"rate": 1.0, "ms": 300}})
    sku = sim.variant_sku()
    newest = "sites/1/warehousetransactions.json?num=1"
    before = sim.sitoo(newest).json()["items"][0]["warehousetransactionid"]
    sim.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}]})
    assert sim.sitoo(newest).json()["items"][0]["warehousetransactionid"] == before
    wait_until(lambda: sim.sitoo(newest).json()["items"][0]["warehousetransactionid"] == before + 1)


def test_mapping_and_report_files(tmp_path):
    mapping, report = tmp_path / "mapping.json", tmp_path / "report.json"
    one = Sim("--write-mapping", mapping, "--mapping", mapping, "--report", report, "--warehouses", 6)
    data = json.loads(mapping.read_text())
    assert [e["bigcommerce_location_id"] for e in data["locations"]] == [1, 7]
    assert data["pickup"][0] == {"bigcommerce_location_id": 5, "sitoo_warehouse_id": 3, "pickup_method_ids": [2],
                                 "shipping_method_names": ["Collect in Leeds"]}
    assert one.stop() == (0, "")
    assert json.loads(report.read_text())["oracle"]["ok"]


def test_a_write_computed_before_a_sale_reopens_the_window(sim):
    sku = sim.variant_sku()
    right = sim.rights(sku)[1]
    sim.control("PUT", "/level", {"sku": sku, "location": 1, "level": 0})  # BigCommerce offers less than it may
    sim.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 1})  # so this changes nothing there
    sim.put_level([{"location_id": 1, "sku": sku, "quantity": right}])
    wait_until(lambda: sim.level(sku, 1) == right)
    sim.control("POST", "/web-order", {"rows": [{"sku": sku, "quantity": right}]})
    assert sim.control("GET", "/report")["units_sold_twice"] == {"inside": 1, "inside_web": 0, "outside": 0}


# ---------------------------------------------------------------- silences, short pages, late landings


def test_silence_does_nothing_and_never_answers(sim):
    sku = sim.variant_sku()
    old = sim.level(sku, 1)
    sim.control("PUT", "/faults/bigcommerce", {"rules": [{"kind": "silence", "method": "PUT", "count": 1}]})
    with pytest.raises(TimeoutError):
        sim.bc("v3/inventory/adjustments/absolute", "PUT",
               {"items": [{"location_id": 1, "sku": sku, "quantity": old + 1}]}, timeout=0.2)
    assert sim.control("GET", "/stats")["levels_written"] == 0
    assert not sim.control("GET", "/oracle")["landing"]


def test_short_page_keeps_its_total(sim):
    for platform in ("sitoo", "bigcommerce"):
        sim.control("PUT", f"/faults/{platform}", {"rules": [{"kind": "short_page", "missing": 2, "count": 1}]})
    page = sim.sitoo("sites/1/warehouses/1/warehouseitems.json?num=20").json()
    assert len(page["items"]) == 18 and page["totalcount"] > 20
    page = sim.bc("v3/inventory/items?limit=20").json()
    pagination = page["meta"]["pagination"]
    assert len(page["data"]) == pagination["count"] == 18 and pagination["total"] > 20


def test_write_that_lands_late_lands_after_a_newer_one(sim):
    sku = sim.variant_sku()
    old = sim.level(sku, 1)
    sim.control("PUT", "/faults/bigcommerce", {"rules": [
        {"kind": "lands_late", "seconds": 0.5, "answer": False, "method": "PUT", "count": 1}]})
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        sim.put_level([{"location_id": 1, "sku": sku, "quantity": old + 5}])
    assert sim.put_level([{"location_id": 1, "sku": sku, "quantity": old + 9}]).status == 200
    wait_until(lambda: sim.level(sku, 1) == old + 9)
    wait_until(lambda: sim.level(sku, 1) == old + 5)
    assert not sim.control("GET", "/oracle")["landing"]


def test_refused_items_are_named_in_the_documented_words(sim):
    sku = sim.variant_sku()
    sim.control("PUT", "/faults/bigcommerce", {"rules": [{"kind": "refuse_items", "skus": [sku]}]})
    number = sim.items_of(sku)[0]["identity"]["variant_id"]
    answer = sim.put_level([{"location_id": 1, "variant_id": number, "quantity": 1}])
    assert (answer.status, answer.json()["title"], answer.json()["errors"]) == (
        422, f"[Item with variant_id {number} is tracked by product, please update stock by product id]", {})


def test_reads_lag_as_long_as_they_are_told_to(sim):
    sim.control("PUT", "/settings", {"read_lag_ms": 500})
    sku = sim.variant_sku()
    old = sim.level(sku, 1)

    def shown():
        return sim.items_of(sku)[0]["locations"][0]["total_inventory_onhand"]

    for new in (old + 1, old + 2):
        sim.control("PUT", "/level", {"sku": sku, "location": 1, "level": new})
        assert (sim.level(sku, 1), shown()) == (new, old)
    wait_until(lambda: shown() == old + 2, 2)


def test_parameters_that_sitoo_is_told_not_to_know_are_ignored(sim):
    sim.control("PUT", "/settings", {"sitoo_ignores": ["num", "sort"]})
    ids = [row["warehousetransactionid"] for row in
           sim.sitoo("sites/1/warehousetransactions.json?num=1000&sort=warehousetransactionid").json()["items"]]
    assert len(ids) == 10 and ids == sorted(ids, reverse=True)


def test_hidden_order_is_not_listed(sim):
    order = sim.control("POST", "/sale", {"rows": [], "no_rows": True})["order_id"]
    assert sim.sitoo(f"orders.json?orderid={order}").json()["items"][0]["orderitems"] == []
    sim.control("PUT", "/settings", {"hidden_orders": [order]})
    assert sim.sitoo(f"orders.json?orderid={order}").json() == {"totalcount": 0, "items": []}
    assert sim.sitoo(f"sites/1/orders/{order}.json").status == 404


def test_extra_skus_may_have_any_characters():
    odd = ["A,B", 'quote"d', "two words", "r\u00e4ksm\u00f6rg\u00e5s", "x" * 255]
    one = Sim(*[part for name in odd for part in ("--extra-sku", name)])
    try:
        assert [sku["sku"] for sku in one.control("GET", "/world")["skus"][-5:]] == odd
        assert one.items_of(odd[3])[0]["identity"]["sku"] == odd[3]
        assert one.items_of(odd[0]) == []  # the list filter takes a comma for its own, encoded or not
    finally:
        assert one.stop() == (0, "")
