# SPDX-License-Identifier: Apache-2.0
"""Tests of BigCommerce's webhooks: registering, what is sent, signatures, retries, the blocklist."""
import base64
import hashlib
import hmac
import http.server
import json
import queue
import threading
import time

import pytest

import hooks
from test_sim import Sim, wait_until

SECRET = {"X-Onepool-Secret": "s3cret"}
UPDATED, STATUS, CREATED = "store/order/updated", "store/order/statusUpdated", "store/order/created"
EXCEPTION = "store/hook/deliveryException"


class Call:
    def __init__(self, path, headers, raw):
        self.path, self.headers, self.raw, self.body = path, headers, raw, json.loads(raw)


class Endpoint:
    """Where hooks arrive. status: what is answered, "hang" = silence for a while."""

    def __init__(self):
        self.status = 200
        self.calls = queue.Queue()
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                endpoint.calls.put(Call(self.path, self.headers, raw))
                if endpoint.status == "hang":
                    time.sleep(0.5)
                self.send_response(503 if endpoint.status == "hang" else endpoint.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hooks/bigcommerce/"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def next(self):
        return self.calls.get(timeout=10)

    def take(self, count):
        return [self.next() for _ in range(count)]

    def quiet(self, seconds=0.15):
        time.sleep(seconds)
        return self.calls.empty()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def endpoint():
    made = []

    def make():
        made.append(Endpoint())
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def sim():
    one = Sim()
    one.control("PUT", "/settings", {"send_hooks": True, "hook_retry_scale": 0.0005})
    yield one
    code, complaints = one.stop()
    assert (code, complaints) == (0, "")


@pytest.fixture(scope="module")
def shared():
    """For tests of registering; destinations of their own."""
    one = Sim()
    yield one
    code, complaints = one.stop()
    assert (code, complaints) == (0, "")


def register(sim, scope, destination, status=200, **more):
    answer = sim.bc("v3/hooks", "POST", {"scope": scope, "destination": destination, **more})
    assert answer.status == status, answer.body
    return answer.json()["data"] if status == 200 else answer.json()


def order(sim, **more):
    names = [s["sku"] for s in sim.control("GET", "/world?stock=0")["skus"][7:] if s["kind"] == "simple"]
    sim.control("PUT", "/level", {"sku": names[0], "location": 1, "level": 1000})
    sim.control("PUT", "/level", {"sku": names[0], "location": 5, "level": 1000})
    return sim.control("POST", "/web-order", {"rows": [{"sku": names[0], "quantity": 2}], **more})["order_id"]


def status(sim, number, value):
    sim.control("POST", "/web-order-status", {"order_id": number, "status": value})


def log(sim, **wanted):
    return [e for e in sim.control("GET", "/hook-log")["entries"] if all(e.get(k) == v for k, v in wanted.items())]


def stats(sim, *names):
    found = sim.control("GET", "/stats")
    return [found[name] for name in names]


# ---------------------------------------------------------------- registering


def test_a_hook_is_made_read_changed_and_deleted(shared):
    made = register(shared, UPDATED, "https://a.example.com/hooks", headers=SECRET)
    assert set(made) == {"id", "client_id", "store_hash", "created_at", "updated_at", "scope", "destination", "is_active",
                         "headers"}
    assert shared.bc(f"v3/hooks/{made['id']}").json()["data"] == made
    assert made in shared.bc("v3/hooks?scope=" + UPDATED).json()["data"]
    changed = shared.bc(f"v3/hooks/{made['id']}", "PUT", {"is_active": False, "headers": {"X-Onepool-Secret": "new"}})
    assert changed.json()["data"]["headers"] == {"X-Onepool-Secret": "new"} and changed.json()["data"]["is_active"] is False
    admin = shared.bc("v3/hooks/admin").json()["data"]
    assert next(h for h in admin["hooks_list"] if h["id"] == made["id"])["status"] == "inactive"
    assert shared.bc(f"v3/hooks/{made['id']}", "DELETE").json()["data"]["id"] == made["id"]
    gone = shared.bc(f"v3/hooks/{made['id']}")
    assert (gone.status, gone.json()["title"]) == (404, f"Webhook with id [{made['id']}] not found")


@pytest.mark.parametrize("body, field, text", [
    ({"scope": UPDATED}, "destination", "error.path.missing."),
    ({"destination": "https://x.example.com"}, "scope", "error.path.missing."),
    ({"scope": "store/order/eaten", "destination": "https://x.example.com"}, "scope", "known"),
    ({"scope": UPDATED, "destination": "http://x.example.com"}, "destination", "https"),
    ({"scope": UPDATED, "destination": "https://x.example.com:8443/a"}, "destination", "443"),
    ({"scope": UPDATED, "destination": "https://x.example.com", "headers": {"a": 1}}, "headers", "valid"),
    ({"scope": UPDATED, "destination": "https://x.example.com", "is_active": "yes"}, "is_active", "true")])
def test_wrong_hooks_are_422_by_field(shared, body, field, text):
    answer = shared.bc("v3/hooks", "POST", body)
    assert answer.status == 422 and text in answer.json()["errors"][field]
    assert answer.json()["title"] == "JSON data is missing or invalid"


def test_limits_of_hooks(shared):
    scope = "store/shipment/created"
    for i in range(10):
        register(shared, scope, f"https://limit.example.com/{i}")
    register(shared, scope, "https://limit.example.com/0", 422)
    register(shared, scope, "https://limit.example.com/10", 422)
    register(shared, EXCEPTION, "https://limit.example.com/0", 422)
    register(shared, EXCEPTION, "https://limit.example.com/exceptions")
    register(shared, EXCEPTION, "https://limit.example.com/exceptions2", 422)
    register(shared, "store/shipment/deleted", "https://limit.example.com/exceptions", 422)


def test_plain_http_to_loopback_by_setting(shared):
    hook = register(shared, CREATED, "http://127.0.0.1:1/a")
    shared.control("PUT", "/settings", {"hooks_allow_http": False})
    register(shared, CREATED, "http://127.0.0.1:1/b", 422)
    shared.control("PUT", "/settings", {"hooks_allow_http": True})
    assert shared.bc(f"v3/hooks/{hook['id']}", "PUT", {}).status == 422


def test_emails(shared):
    assert shared.bc("v3/hooks/admin", "PUT", {"emails": ["ops@example.com"]}).status == 204
    assert shared.bc("v3/hooks/admin").json()["data"]["emails"] == ["ops@example.com"]
    assert shared.bc("v3/hooks/admin", "PUT", {"emails": ["nobody"]}).status == 422


def test_settings_are_checked(shared):
    for name, value in (("hook_drop", 2), ("send_hooks", 1), ("hook_retry_scale", -1), ("hook_signature_secret", 5)):
        assert name in shared.control("PUT", "/settings", {name: value}, 400)["error"]


# ---------------------------------------------------------------- what is sent


def test_nothing_is_sent_unless_asked_for(sim, endpoint):
    here = endpoint()
    sim.control("PUT", "/settings", {"send_hooks": False})
    register(sim, "store/order/*", here.url)
    order(sim)
    assert here.quiet() and log(sim) == []


def test_an_order_from_unpaid_to_archived(sim, endpoint):
    here = endpoint()
    register(sim, "store/order/*", here.url + "order", headers=SECRET)
    number = order(sim, status=0)
    made = here.next()
    assert (made.path, made.headers["X-Onepool-Secret"], made.headers["Content-Type"]) == (
        "/hooks/bigcommerce/order", "s3cret", "application/json")
    assert made.body["scope"] == CREATED and made.body["data"] == {"type": "order", "id": number}
    assert made.body["store_id"] == "4884" and made.body["producer"] == "stores/simstore"
    assert len(made.body["hash"]) == 40 and abs(made.body["created_at"] - time.time()) < 5
    assert set(made.body) == {"scope", "store_id", "data", "hash", "created_at", "producer"}
    assert "webhook-signature" not in made.headers
    status(sim, number, 11)
    found = {c.body["scope"]: c.body["data"] for c in here.take(2)}
    assert found == {STATUS: {"type": "order", "id": number, "status": {"previous_status_id": 0, "new_status_id": 11}},
                     UPDATED: {"type": "order", "id": number}}
    sim.control("POST", "/web-order-edit", {"order_id": number, "rows": [{"row": 0, "quantity": 3}]})
    assert here.next().body["scope"] == UPDATED
    refund = sim.control("POST", "/web-refund", {"order_id": number})["refund_id"]
    found = {c.body["scope"]: c.body["data"] for c in here.take(3)}
    assert found["store/order/refund/created"] == {"type": "order", "id": number, "refund": {"refund_id": refund}}
    assert found[STATUS]["status"]["new_status_id"] == 14
    sim.control("POST", "/web-order-archive", {"order_id": number})
    assert here.next().body["scope"] == "store/order/archived" and here.quiet()
    assert stats(sim, "hooks_delivered", "hook_failures", "hooks_waiting") == [8, 0, 0]


def test_our_own_writes_come_back(sim, endpoint):
    here, there = endpoint(), endpoint()
    register(sim, "store/order/*", here.url)
    register(sim, "store/shipment/*", there.url)
    number = order(sim)
    assert here.next().body["scope"] == CREATED
    line = sim.bc(f"v2/orders/{number}/products").json()[0]
    sim.bc(f"v2/orders/{number}", "PUT", {"status_id": 9})
    assert {c.body["scope"] for c in here.take(2)} == {STATUS, UPDATED}
    made = sim.bc(f"v2/orders/{number}/shipments", "POST", {"order_address_id": line["order_address_id"], "items": [
        {"order_product_id": line["id"], "quantity": 1}]}).json()
    call = there.next()
    assert (call.body["scope"], call.body["data"]) == ("store/shipment/created", {
        "type": "shipment", "id": made["id"], "orderId": number})
    assert {c.body["scope"] for c in here.take(2)} == {STATUS, UPDATED}


def test_stock_echoes_of_writes_and_of_orders(sim, endpoint):
    stock, product, sku_events = endpoint(), endpoint(), endpoint()
    sku = sim.variant_sku()
    identity = sim.items_of(sku)[0]["identity"]
    register(sim, "store/channel/*/inventory/product/stock_changed", stock.url)
    register(sim, "store/product/updated", product.url)
    register(sim, "store/sku/*", sku_events.url)
    where = {"variant_id": identity["variant_id"], "product_id": identity["product_id"], "location_id": 1}
    assert sim.put_level([{"location_id": 1, "variant_id": identity["variant_id"], "quantity": 77}]).status == 200
    assert stock.next().body["data"] == where
    assert product.next().body["data"] == {"type": "product", "id": identity["product_id"]}
    echo = sku_events.next().body
    assert echo["scope"] == "store/sku/inventory/updated" and echo["data"]["id"] == identity["sku_id"] != identity["variant_id"]
    assert echo["data"]["inventory"] == {"product_id": identity["product_id"], "method": "absolute", "value": 77,
                                         "variant_id": identity["variant_id"]}
    sim.control("POST", "/web-order", {"rows": [{"sku": sku, "quantity": 2}]})
    echo = sku_events.next().body
    assert echo["scope"] == "store/sku/inventory/order/updated"
    assert (echo["data"]["inventory"]["method"], echo["data"]["inventory"]["value"]) == ("relative", -2)
    assert stock.next().body["data"] == where and product.next().body["data"]["id"] == identity["product_id"]
    sim.control("PUT", "/settings", {"hook_stock_changed_by_orders": False})
    sim.control("POST", "/web-order", {"rows": [{"sku": sku, "quantity": 2}]})
    assert product.next() and stock.quiet()


def test_the_same_level_again_is_no_change(sim, endpoint):
    here = endpoint()
    sku = sim.variant_sku()
    register(sim, "store/product/updated", here.url)
    sim.put_level([{"location_id": 1, "sku": sku, "quantity": sim.level(sku, 1)}])
    assert here.quiet(0.3)


# ---------------------------------------------------------------- signatures


def expected(secret, call):
    signed = f"{call.headers['webhook-id']}.{call.headers['webhook-timestamp']}.".encode() + call.raw
    return "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()


def test_signatures_are_those_of_standard_webhooks(sim, endpoint):
    """The key is the raw client secret, which a Standard Webhooks library is given as base64."""
    here = endpoint()
    register(sim, STATUS, here.url)
    sim.control("PUT", "/settings", {"hook_signature_secret": "the client secret"})
    number = order(sim)
    status(sim, number, 9)
    first = here.next()
    assert first.headers["webhook-signature"] == expected(b"the client secret", first)
    assert abs(int(first.headers["webhook-timestamp"]) - time.time()) < 5
    sim.control("PUT", "/settings", {"hook_signature_secret": ["new", "old"]})
    status(sim, number, 8)
    second = here.next()
    assert second.headers["webhook-signature"].split(" ") == [expected(b"new", second), expected(b"old", second)]
    assert first.headers["webhook-id"] != second.headers["webhook-id"]


@pytest.mark.parametrize("renew", [True, False])
def test_the_time_of_a_retry_may_be_renewed(sim, endpoint, renew):
    here = endpoint()
    here.status = 500
    register(sim, STATUS, here.url)
    sim.control("PUT", "/settings", {"hook_signature_secret": "x", "hook_signature_renew": renew, "hook_retry_scale": 0.02})
    status(sim, order(sim), 9)
    first = here.next()
    here.status = 200
    again = here.next()
    assert again.raw == first.raw and again.headers["webhook-id"] == first.headers["webhook-id"]
    late = int(again.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"])
    assert late >= 1 if renew else late == 0
    assert again.headers["webhook-signature"] == expected(b"x", again)


# ---------------------------------------------------------------- at least once, in any order, or lost


def test_duplicates_losses_and_reordering(sim, endpoint):
    here = endpoint()
    register(sim, STATUS, here.url)
    number = order(sim)
    sim.control("PUT", "/settings", {"hook_duplicate": 1})
    status(sim, number, 9)
    one, two = here.take(2)
    assert one.raw == two.raw
    sim.control("PUT", "/settings", {"hook_duplicate": 0, "hook_drop": 1})
    status(sim, number, 8)
    assert here.quiet() and len(log(sim, outcome="lost")) == 1
    sim.control("PUT", "/settings", {"hook_drop": 0, "hook_reorder": 0.5})
    for i in range(20):
        status(sim, number, 9 if i % 2 == 0 else 11)
    came = [c.body["data"]["status"]["new_status_id"] for c in here.take(20)]
    assert sorted(came) == [9] * 10 + [11] * 10 and came != [9, 11] * 10
    assert stats(sim, "hook_duplicates", "hooks_lost") == [1, 1]


def test_retries_until_the_hook_is_switched_off(sim, endpoint):
    here, exceptions = endpoint(), endpoint()
    here.status = 503
    hook = register(sim, STATUS, here.url + "order")
    register(sim, EXCEPTION, exceptions.url + "exception")
    sim.bc("v3/hooks/admin", "PUT", {"emails": ["ops@example.com"]})
    sim.control("PUT", "/settings", {"hook_retry_scale": 0.00001})
    number = order(sim)
    status(sim, number, 9)
    assert len({c.raw for c in here.take(12)}) == 1  # one attempt and eleven retries
    wait_until(lambda: not sim.bc(f"v3/hooks/{hook['id']}").json()["data"]["is_active"])
    assert sim.bc("v3/hooks/admin?is_active=false").json()["data"]["hooks_list"][0]["status"] == "deactivated"
    codes = {e["data"]["error_code"]: e["data"] for e in wait_until(
        lambda: len(log(sim, scope=EXCEPTION, outcome="delivered")) >= 2 and log(sim, scope=EXCEPTION))}
    assert set(codes) == {90001, 90002} and codes[90002]["id"] == hook["id"]
    assert codes[90001]["message"] == f"Non-200 response received when delivering to {here.url}order, will retry"
    assert exceptions.next().body["scope"] == EXCEPTION
    assert log(sim, outcome="e-mail")[0]["to"] == ["ops@example.com"]
    here.status = 200
    status(sim, number, 8)  # lost
    assert here.quiet() and stats(sim, "hooks_given_up", "hooks_deactivated", "hooks_while_inactive") == [1, 1, 1]
    sim.bc(f"v3/hooks/{hook['id']}", "PUT", {"is_active": True})
    status(sim, number, 9)
    assert here.next().body["data"]["status"]["new_status_id"] == 9


def test_a_slow_answer_is_a_failure(sim, endpoint):
    here = endpoint()
    here.status = "hang"
    register(sim, STATUS, here.url)
    sim.control("PUT", "/settings", {"hook_timeout_s": 0.1})
    status(sim, order(sim), 9)
    here.next()
    here.status = 200
    here.next()
    assert wait_until(lambda: log(sim, outcome="delivered"))[0]["attempt"] == 2
    assert log(sim, outcome="failed")[0]["failure"] == "Timeout"


def test_a_bad_domain_falls_silent_and_recovers(sim, endpoint):
    here, exceptions = endpoint(), endpoint()
    hook = register(sim, UPDATED, here.url + "order")
    register(sim, STATUS, here.url + "order")
    register(sim, EXCEPTION, exceptions.url)
    sim.control("PUT", "/settings", {"hook_block_scale": 0.03, "hook_retry_scale": 1, "quota": 100000})
    number = order(sim)
    for i in range(90):
        status(sim, number, 9 if i % 2 == 0 else 8)
    wait_until(lambda: stats(sim, "hooks_delivered")[0] >= 180)
    assert sim.bc("v3/hooks/admin").json()["data"]["blocked_domains"] == []
    here.status = 500
    for i in range(60):
        status(sim, number, 9 if i % 2 == 0 else 8)
    wait_until(lambda: stats(sim, "domains_blocked")[0] == 1)
    blocked = sim.bc("v3/hooks/admin").json()["data"]["blocked_domains"][0]
    assert blocked["destination"] == here.url.partition("/hooks")[0] and 0 < blocked["time_left"] <= 6
    assert blocked["reasons"][0]["failure_description"] == "Status 500" and blocked["reasons"][0]["count"] > 0
    wait_until(lambda: stats(sim, "hooks_waiting")[0] == 120 or stats(sim, "hooks_while_blocked")[0])
    wait_until(lambda: any(e["data"]["error_code"] == 90003 for e in log(sim, scope=EXCEPTION)))
    here.status = 200
    calls = stats(sim, "hook_calls")[0]
    status(sim, number, 11)  # the domain is silent: this is for the retry queue
    assert stats(sim, "hooks_while_blocked")[0] >= 2
    wait_until(lambda: sim.bc("v3/hooks/admin").json()["data"]["blocked_domains"] == [])
    assert stats(sim, "hook_calls")[0] <= calls + 8 + 1  # those in flight, and the exception
    status(sim, number, 9)
    wait_until(lambda: [e for e in log(sim, outcome="delivered", hook_id=hook["id"]) if e["at_ms"] > 1000 * time.time() - 3000])


def test_events_of_a_blocked_domain_may_be_lost(sim, endpoint):
    here = endpoint()
    here.status = 500
    register(sim, STATUS, here.url)
    sim.control("PUT", "/settings", {"hook_block_scale": 0.5, "hook_retry_scale": 1, "hook_blocked_loses": 1})
    number = order(sim)
    for i in range(100):
        status(sim, number, 9 if i % 2 == 0 else 8)
    wait_until(lambda: stats(sim, "domains_blocked")[0] == 1)
    status(sim, number, 11)
    wait_until(lambda: stats(sim, "hooks_while_blocked", "hooks_lost") == [1, 1])
    assert log(sim)[-1]["outcome"] == "lost" and log(sim)[-1]["data"]["status"]["new_status_id"] == 11


def test_a_hook_needs_a_while_and_one_that_is_deleted_hears_nothing(sim, endpoint):
    here = endpoint()
    sim.control("PUT", "/settings", {"hook_warmup_ms": 60000})
    hook = register(sim, STATUS, here.url)
    number = order(sim)
    status(sim, number, 9)
    assert here.quiet() and log(sim)[-1]["outcome"] == "inactive"
    here.status = 500
    sim.control("PUT", "/settings", {"hook_warmup_ms": 0, "hook_retry_scale": 0.005})
    status(sim, number, 8)
    here.next()
    sim.bc(f"v3/hooks/{hook['id']}", "DELETE")
    wait_until(lambda: log(sim, outcome="lost"))
    assert here.quiet()


def test_a_marker_of_ours_comes_back(sim, endpoint):
    here = endpoint()
    register(sim, "store/order/*", here.url)
    number = order(sim)
    assert here.next().body["scope"] == CREATED
    made = sim.bc(f"v3/orders/{number}/metafields", "POST", {"permission_set": "app_only", "namespace": "n", "key": "k",
                                                             "value": "v"}).json()["data"]
    body = here.next().body
    assert (body["scope"], body["data"]) == ("store/order/metafield/created", {
        "metafield_id": made["id"], "resource_id": str(number)})


def test_scopes_cover_what_they_should():
    assert hooks.covers("store/order/*", "store/order/refund/created") and hooks.covers(UPDATED, UPDATED)
    assert not hooks.covers("store/order/*", "store/orderly/updated") and not hooks.covers(UPDATED, "store/order/updatedly")
    star = "store/channel/*/inventory/product/stock_changed"
    assert hooks.covers(star, star) and not hooks.covers(star, "store/channel/1/inventory/product/stock_changed")


def test_hooks_that_were_set_by_settings_are_called_too(sim, endpoint):
    here = endpoint()
    sim.control("PUT", "/settings", {"hooks": [{"scope": UPDATED, "destination": here.url, "headers": SECRET}]})
    number = order(sim)
    status(sim, number, 9)
    assert here.next().body["data"]["id"] == number
    assert register(sim, STATUS, here.url)["id"] == 2


# recorded/bigcommerce/webhook_*.json, what is inside data.
ORDER = {"type": "str", "id": "int"}
INVENTORY = {"type": "str", "id": "int", "inventory": {"product_id": "int", "method": "str", "value": "int"}}
SHAPES = {
    CREATED: ORDER, UPDATED: ORDER, "store/order/archived": ORDER, "store/product/updated": ORDER,
    STATUS: {**ORDER, "status": {"previous_status_id": "int", "new_status_id": "int"}},
    "store/order/refund/created": {**ORDER, "refund": {"refund_id": "int"}},
    "store/shipment/created": {**ORDER, "orderId": "int"}, "store/product/inventory/order/updated": INVENTORY,
    "store/channel/*/inventory/product/stock_changed": {"variant_id": "int", "product_id": "int", "location_id": "int"}}


def shape(value):
    return {k: shape(v) for k, v in value.items()} if isinstance(value, dict) else type(value).__name__


def test_bodies_have_the_recorded_shape(sim, endpoint):
    here = endpoint()
    for scope in ("store/order/*", "store/product/*", "store/channel/*/inventory/product/stock_changed", "store/shipment/*"):
        register(sim, scope, here.url)
    number = order(sim)
    sim.control("POST", "/web-shipment", {"order_id": number})
    sim.control("POST", "/web-refund", {"order_id": number})
    sim.control("POST", "/web-order-archive", {"order_id": number})
    wait_until(lambda: log(sim, scope="store/order/archived", outcome="delivered")
               and log(sim, scope="store/product/inventory/order/updated", outcome="delivered"))
    seen = {}
    while not here.calls.empty():
        body = here.next().body
        seen[body["scope"]] = shape(body["data"])
    assert {scope: seen.get(scope) for scope in SHAPES} == SHAPES
