# SPDX-License-Identifier: Apache-2.0
"""Which status leaves on which route, with the whole stack up and with parts of it gone.

Sitoo may delete events for good on any answer but 200 and 503, so on its routes nothing else may ever leave.
"""
import http.client
import json
import uuid

import pytest

from stack import EVENTS_PASSWORD, EVENTS_USER, FUNCTIONS, HOOK_SECRET, request, shop_mapping

SITOO = ["/hooks/sitoo", "/hooks/sitoo/events", "/hooks/sitoo/sale", "/hooks/sitoo/return"]
STOCK_CHANGED = "/hooks/bigcommerce/stock-changed"
HOOK = {"scope": "store/channel/*/inventory/product/stock_changed", "producer": "stores/simstore", "hash": "0" * 40,
        "created_at": 1682624640, "store_id": "1234567890",
        "data": {"variant_id": 5009, "product_id": 205, "location_id": 1}}
OLD_PASSWORD = "flow-test-events-password-before"
OLD_SECRET = "flow-test-hook-secret-before-0123"


@pytest.fixture(scope="module")
def shop(module_stack):
    return module_stack(env={"SITOO_EVENTS_PASSWORD_PREVIOUS": OLD_PASSWORD,
                             "BIGCOMMERCE_HOOK_SECRET_PREVIOUS": OLD_SECRET})


def batch(count=1):
    """Events that nothing follows from."""
    return [{"event_id": uuid.uuid4().hex, "event_type": "z-report", "event_date": 1587110960, "account_id": 1500,
             "data": {"eshop_id": 1, "z_report_id": number}} for number in range(count)]


def stored(shop, events):
    return [len(shop.journal(event["event_id"])) for event in events]


# ---------------------------------------------------------------- Sitoo's routes

@pytest.mark.parametrize("path", SITOO)
def test_batch_is_200_and_stored_on_every_route(shop, path):
    events = batch(10)
    assert shop.post(path, events).status == 200
    assert stored(shop, events) == [1] * 10


@pytest.mark.parametrize("path", SITOO)
def test_typed_routes_sort_what_they_take(shop, path):
    """An order posted to any route, the wrong one too, becomes the right level."""
    sku = shop.fresh_sku({1: 2})
    before = shop.levels(sku)[1]
    shop.control("PUT", "/feed", {"paused": True})
    order = shop.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 1})["order_id"]
    events = batch()
    events[0].update(event_type="order", data={"eshop_id": 1, "order_id": order, "order_event_type": "add"})
    assert shop.post(path, events).status == 200
    shop.wait_until(lambda: shop.sales(order), 10, "the sale is recorded")
    shop.wait_levels(sku, {1: before - 1})
    shop.control("PUT", "/feed", {"paused": False})


@pytest.mark.parametrize("path", SITOO)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_503(shop, path, method):
    events = batch()
    body = b"" if method in ("GET", "HEAD") else json.dumps(events).encode()
    assert request(shop.url(path), method, body).status == 503
    assert stored(shop, events) == [0]


@pytest.mark.parametrize("path", SITOO)
def test_body_of_70_kb_is_503(shop, path):
    assert shop.post(path, b"[" + b" " * 70_000 + b"]").status == 503


@pytest.mark.parametrize("path", SITOO)
def test_body_just_below_the_limit_is_200(shop, path):
    events = batch()
    events[0]["data"]["filler"] = "x" * 64_000
    assert shop.post(path, events).status == 200
    assert json.loads(shop.journal(events[0]["event_id"])[0]) == events[0]


@pytest.mark.parametrize("path", SITOO)
def test_header_of_20_kb_is_503(shop, path):
    try:
        assert shop.post(path, b"[]", headers={"X-Long": "x" * 20_000}).status == 503
    except (http.client.RemoteDisconnected, ConnectionError):
        pytest.fail("no answer at all")


@pytest.mark.parametrize("path", SITOO)
@pytest.mark.parametrize("user, password", [
    (EVENTS_USER, "wrong-password-here"), (EVENTS_USER, ""), ("other", EVENTS_PASSWORD), (None, None),
    (EVENTS_USER, EVENTS_PASSWORD + "x"), (EVENTS_USER, EVENTS_PASSWORD[:-1])])
def test_wrong_or_missing_credentials_are_503_and_alarm(shop, path, user, password):
    events = batch()
    log = {"/hooks/sitoo/sale": "sale", "/hooks/sitoo/return": "return"}.get(path, "sitoo-events")
    alarms = shop.logs(log).count("level=alarm")
    assert shop.post(path, events, user=user, password=password).status == 503
    assert stored(shop, events) == [0]
    shop.wait_until(lambda: shop.logs(log).count("level=alarm") > alarms, 5, "an alarm in the log")
    if password:
        assert password not in shop.logs(log)


@pytest.mark.parametrize("header", ["Basic", "Basic !!!!", "Bearer abc", "Basic " + "QUJD" * 400, "Basic b25lcG9vbA=="],
                         ids=["bare", "not base64", "other scheme", "too long", "no colon"])
def test_malformed_credentials_are_503(shop, header):
    assert shop.post(SITOO[0], batch(), headers={"Authorization": header}).status == 503


@pytest.mark.parametrize("path", SITOO)
def test_previous_password_is_200(shop, path):
    events = batch()
    assert shop.post(path, events, password=OLD_PASSWORD).status == 200
    assert stored(shop, events) == [1]


@pytest.mark.parametrize("path", SITOO)
@pytest.mark.parametrize("body", [b"not JSON at all \xff\x00", b"", b"{}", b'[{"event_id":"a"}', b"[" * 3000,
                                  b'{"event_id":"x"}', b"null"],
                         ids=["garbage", "empty", "object", "cut off", "deep", "element", "null"])
def test_body_that_is_no_list_is_stored_raw_with_an_alarm_and_200(shop, path, body):
    log = {"/hooks/sitoo/sale": "sale", "/hooks/sitoo/return": "return"}.get(path, "sitoo-events")
    alarms = shop.logs(log).count("level=alarm")
    assert shop.post(path, body).status == 200
    redis = shop.redis(decode=False)
    newest = redis.xrevrange(shop.key("journal"), count=1)[0][1]
    assert newest[b"bytes"] == body
    cases = [name for name in shop.cases() if name.startswith("bad_batch:")]
    assert body in [redis.hget(shop.key(f"case:{name}"), "bytes") or b"" for name in cases]
    shop.wait_until(lambda: shop.logs(log).count("level=alarm") > alarms, 5, "an alarm in the log")


def test_eleven_elements_are_taken(shop):
    events = batch(11)
    assert shop.post(SITOO[0], events).status == 200
    assert stored(shop, events) == [1] * 11


@pytest.mark.parametrize("body", [b"[]", b" [ ] \n"])
def test_empty_list_is_200_and_stores_nothing(shop, body):
    before = shop.redis().xlen(shop.key("journal"))
    assert shop.post(SITOO[0], body).status == 200
    assert shop.redis().xlen(shop.key("journal")) == before


def test_element_with_a_long_id_is_200(shop):
    events = batch(2)
    events[0]["event_id"] = "i" * 129
    assert shop.post(SITOO[0], events).status == 200
    assert stored(shop, events[1:]) == [1]


# ---------------------------------------------------------------- BigCommerce's route

@pytest.mark.parametrize("secret, status", [
    (HOOK_SECRET, 200), (OLD_SECRET, 200), ("wrong", 401), ("", 401), (None, 401), (HOOK_SECRET + "x", 401),
    (HOOK_SECRET[:-1], 401)])
def test_hook_is_200_with_the_right_or_the_previous_secret_and_401_otherwise(shop, secret, status):
    before = shop.redis().xlen(shop.key("journal"))
    assert shop.post(STOCK_CHANGED, HOOK, headers={"X-Onepool-Secret": secret}).status == status
    assert shop.redis().xlen(shop.key("journal")) <= before + (status == 200)
    if secret:
        assert secret not in shop.logs("stock-moved")


@pytest.mark.parametrize("body", [b"not JSON", b"{}", b"[]", b'{"data":{"product_id":0}}'])
def test_hook_that_cannot_be_read_is_stored_as_a_case_and_200(shop, body):
    assert shop.post(STOCK_CHANGED, body).status == 200
    redis = shop.redis(decode=False)
    cases = [name for name in shop.cases() if name.startswith("bad_hook:")]
    assert body in [redis.hget(shop.key(f"case:{name}"), "bytes") for name in cases]


def test_hook_by_another_method_is_503(shop):
    assert request(shop.url(STOCK_CHANGED), "PUT", b"{}", {"X-Onepool-Secret": HOOK_SECRET}).status == 503


# ---------------------------------------------------------------- parts gone

def test_health_and_ready_are_200(shop):
    assert shop.get("/health").status == 200
    assert shop.get("/ready").status == 200


def test_without_redis_everything_is_503_and_200_again_when_it_is_back(shop):
    shop.wait_until(lambda: shop.post(SITOO[0], batch()).status == 200, 10, "the stack serves")
    shop.stop_redis()
    for path in SITOO:
        assert shop.post(path, batch()).status == 503
    assert shop.post(STOCK_CHANGED, HOOK).status == 503
    assert shop.get("/health").status == 200
    shop.start_redis()
    for path in SITOO:
        events = batch()
        shop.wait_until(lambda path=path, events=events: shop.post(path, events).status == 200, 10,
                        f"{path} answers 200 again")
        assert stored(shop, events) == [1]
    shop.wait_until(lambda: shop.post(STOCK_CHANGED, HOOK).status == 200, 10, "the hook's route answers 200 again")


def test_ready_is_503_without_redis_and_200_again_when_it_is_back(shop):
    shop.stop_redis()
    shop.wait_until(lambda: shop.get("/ready").status == 503, 10, "GET /ready = 503")
    shop.start_redis()
    shop.wait_until(lambda: shop.get("/ready").status == 200, 10, "GET /ready = 200")


def test_without_redis_workers_come_back_by_themselves(shop):
    shop.restart_redis()
    sku = shop.fresh_sku({1: 2})
    before = shop.levels(sku)[1]
    shop.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 1})
    shop.wait_levels(sku, {1: before - 1}, timeout=15)


def test_every_function_killed_is_503_and_200_after_a_start(shop):
    for name in FUNCTIONS:
        shop.kill_parent(name)
    for name in FUNCTIONS:
        shop.processes[name].popen.wait(10)
    # The children go with their parent.
    sockets = [path for name in FUNCTIONS for path in shop.sockets(name)]
    shop.wait_until(lambda: not any(map(shop.accepts, sockets)), 10, "nobody listens")
    for path in SITOO:
        assert shop.post(path, batch()).status == 503
        assert request(shop.url(path), "GET").status == 503
    assert shop.post(STOCK_CHANGED, HOOK).status == 503
    assert shop.get("/health").status == 503
    for name in FUNCTIONS:
        shop.start_function(name)
    for path in SITOO:
        assert shop.post(path, batch()).status == 200


def test_bad_credentials_are_401_only_if_the_operator_chose_so(stack):
    """sitoo.bad_auth_status of the mapping file; what Sitoo documents for it loses events."""
    one = stack(functions=("sitoo-events",), simulators=False,
                mapping=shop_mapping(sitoo={"events": {"bad_auth_status": 401}}))
    assert one.post(SITOO[0], batch(), password="wrong-password-here").status == 401
    assert one.post(SITOO[0], batch()).status == 200
