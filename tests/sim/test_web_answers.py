# SPDX-License-Identifier: Apache-2.0
"""Holds the simulated BigCommerce's answers about orders, shipments, pickups and hooks against the platform's OpenAPI files.

Only where ONEPOOL_CONTRACTS_DIR names them (tests/contract/README.md).
"""
import os
import pathlib
import sys

import pytest

import test_sim
from test_shipments_pickups import Shop, record
from test_sim import Sim

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "contract"))
HEADERS = {**test_sim.TOKEN, "Accept": "application/json"}
PARTS = ("", "?include=consignments.line_items&consignment_structure=object", "/products", "/consignments",
         "/consignments?include=consignments.line_items", "/shipping_addresses", "/taxes?details=true", "/shipments")


def rich_order(shop):
    first, second = shop.skus
    rows = [{"sku": first, "quantity": 2, "options": [{"name": "Size", "value": "S"}], "bundle": [{"sku": second}], "vat": 12},
            {"sku": "E-BOOK", "digital": True, "price": "9.00"}, {"gift_certificate": True, "price": "100.00"}]
    return shop.sim.control("POST", "/web-order", {"rows": rows})["order_id"]


def ask_everything(sim):
    shop = Shop(sim)
    rich, plain, pickup = rich_order(shop), shop.order(2, 1), shop.order(1, pickup_location=5)

    def ask(path, method="GET", body=None):
        return sim.bc(path, method, body, headers=HEADERS)
    shipment = shop.ship(plain, 1).json()["id"]
    shop.ship(plain, 1, 1, shipping_provider="ups")
    for order in (rich, plain, pickup):
        for part in PARTS:
            ask(f"v2/orders/{order}{part}")
    ask(f"v2/orders/{plain}/shipments/{shipment}")
    ask(f"v2/orders/{plain}/shipments/{shipment}", "PUT", {"tracking_number": "T3"})
    ask(f"v2/orders/{plain}", "PUT", {"status_id": 9})
    made = ask("v3/orders/pickups", "POST", [record(shop, pickup)]).json()["data"][0]
    ask("v3/orders/pickups", "PUT", [{"id": made["id"], "pickup_id": made["id"], "collected_at": "1660831392"}])
    for path in (f"v3/orders/pickups?order_id:in={pickup}", "v3/pickup/methods?id:in=2", "v3/hooks/admin"):
        ask(path)
    hook = ask("v3/hooks", "POST", {"scope": "store/order/updated", "destination": "https://a.example.com/x"}).json()["data"]
    for path in ("v3/hooks", f"v3/hooks/{hook['id']}", "v3/hooks/999", "v3/hooks/admin"):
        ask(path)
    ask(f"v3/hooks/{hook['id']}", "PUT", {"headers": {"a": "b"}})
    ask("v3/hooks/admin", "PUT", {"emails": ["ops@example.com"]})
    ask(f"v3/hooks/{hook['id']}", "DELETE")


@pytest.mark.skipif(not os.environ.get("ONEPOOL_CONTRACTS_DIR"), reason="ONEPOOL_CONTRACTS_DIR is not set")
def test_answers_are_what_the_openapi_files_say(tmp_path):
    import exchange
    import openapi
    path = tmp_path / "exchanges"
    sim = Sim("--exchanges", path)
    ask_everything(sim)
    assert sim.stop() == (0, "")
    requests, answers = exchange.read_file(path)
    assert len(answers) >= 40
    assert openapi.check_all(openapi.folder(), requests, answers) == {}
