# SPDX-License-Identifier: Apache-2.0
"""A function takes the calls of its own routes alone. With docker compose the address of a replica that ended goes to the next
container that starts, while nginx may believe for a second that it is still the first one's: a call must then not be answered, nor
stored, by a function that reads it as something else. It says 404, and nginx asks another replica (test_replicas.py)."""
import base64
import json

import pytest

from fastcgi import Call
from stack import EVENTS_PASSWORD, EVENTS_USER, FUNCTIONS, HOOK_SECRET

ROUTES = {"sitoo-events": ("/hooks/sitoo", "/hooks/sitoo/events"),
          "sale": ("/hooks/sitoo/sale",),
          "return": ("/hooks/sitoo/return",),
          "stock-moved": ("/hooks/bigcommerce/stock-changed",),
          "order-created": ("/hooks/bigcommerce/order-created",),
          "order-updated": ("/hooks/bigcommerce/order-updated", "/hooks/bigcommerce/delivery-exception"),
          "product-updated": ("/hooks/bigcommerce/product-updated",),
          "pickup-updated": (),
          "sweep": ()}
ALL = [path for paths in ROUTES.values() for path in paths]
HEADERS = {"Authorization": "Basic " + base64.b64encode(f"{EVENTS_USER}:{EVENTS_PASSWORD}".encode()).decode(), "X-Onepool-Secret": HOOK_SECRET}


@pytest.fixture(scope="module")
def shop(module_stack):
    return module_stack(functions=(*FUNCTIONS, "order-created", "pickup-updated", "sweep"))


def call(shop, name, path):
    body = b"[]" if path.startswith("/hooks/sitoo") else json.dumps(
        {"producer": "stores/simstore", "hash": "h" * 40, "created_at": 1463041120, "store_id": "1001", "scope": "store/order/nothing",
         "data": {"type": "order", "id": 1}}).encode()
    with Call(shop.sockets(name)[0]) as one:
        one.begin(path, len(body), HEADERS)
        one.body(body)
        one.end()
        return one.status()


@pytest.mark.parametrize("name", ROUTES)
def test_only_its_own_routes(shop, name):
    redis, journal = shop.redis(), shop.key("journal")
    before = redis.xlen(journal)
    assert {path: call(shop, name, path) for path in ALL if path not in ROUTES[name]} == dict.fromkeys(set(ALL) - set(ROUTES[name]), 404)
    assert redis.xlen(journal) == before, "nothing is stored"
    assert all(call(shop, name, path) == 200 for path in ROUTES[name])


@pytest.mark.parametrize("path", ALL)
def test_nginx_sends_each_route_to_its_function(shop, path):
    headers = {"X-Onepool-Secret": HOOK_SECRET}
    body = "[]" if path.startswith("/hooks/sitoo") else json.dumps({"hash": "n" * 40, "scope": "store/order/nothing", "data": {"type": "order", "id": 1}})
    assert shop.post(path, body, headers=headers).status == 200
