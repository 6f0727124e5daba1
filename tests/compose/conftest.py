# SPDX-License-Identifier: Apache-2.0
"""One stack for all tests; none of them runs where docker compose does not."""
import subprocess
import sys

import pytest

from business import SETTLE_LIMIT_S, plenty
from engine import PROJECT, ROOT, Stack, docker, missing, wait_until


def pytest_report_header(config):
    why = missing()
    return f"compose: ALL SKIPPED, there is no docker compose that works here ({why})" if why else None


@pytest.fixture(scope="session")
def built():
    """The images are there, of this checkout."""
    why = missing()
    if why:
        pytest.skip(f"no docker compose that works here: {why}")
    subprocess.run([ROOT / "deploy" / "secrets.sh", "simulated"], check=True, capture_output=True)
    one = Stack()
    one.build()
    return one


@pytest.fixture(scope="session")
def image(built):
    return "onepool:test"


@pytest.fixture(scope="session")
def stack(built):
    """Everything is up, with three replicas of those that take most calls."""
    built.down()
    try:
        built.up(sitoo_events=3, sale=3, order_created=3)
        built.control("PUT", "/settings", {"send_hooks": True, "hooks": hooks(built)})
        yield built
    except BaseException:
        print(built.logs()[-20000:], file=sys.stderr)
        raise
    finally:
        built.down()
        left = docker("ps", "-aq", "--filter", f"label=com.docker.compose.project={PROJECT}").stdout
        assert not left, f"containers are left: {left}"


def hooks(stack):
    """BigCommerce's webhooks, as a merchant registers them; the simulator sends them over the containers' network."""
    from engine import secret
    routes = {"store/order/created": "order-created", "store/order/updated": "order-updated",
              "store/order/statusUpdated": "order-updated", "store/channel/*/inventory/product/stock_changed": "stock-changed"}
    return [{"scope": scope, "destination": f"http://nginx:8080/hooks/bigcommerce/{route}",
             "headers": {"X-Onepool-Secret": secret("bigcommerce_hook_secret")}, "is_active": True}
            for scope, route in routes.items()]


@pytest.fixture
def orders(stack):
    """Orders that calls can be about: of Sitoo, and of the web shop."""
    skus = plenty(stack, 20)
    sold = [stack.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 1})["order_id"] for sku in skus[:5]]
    web = [stack.control("POST", "/web-order", {"rows": [{"sku": sku, "quantity": 1}]})["order_id"] for sku in skus[5:8]]
    wait_until(stack.settled, SETTLE_LIMIT_S, "what was sold before is settled")
    return skus, sold, [number for number in web if number is not None]
