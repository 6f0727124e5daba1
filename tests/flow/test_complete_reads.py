# SPDX-License-Identifier: Apache-2.0
"""Both platforms answer 200 to what they have not understood, and give less than there is without a word. A level must never
change because of an incomplete read.

Source of the traps: sitoo.md 1, 2, 6.1 and 7.2; bigcommerce.md 2 and 6. tests/flow/README.md says where each has its test.
"""
import collections
import json
from urllib.parse import parse_qsl

import pytest

from stack import shop_mapping

STOCK, LEDGER, ORDERS, PRODUCTS = "warehouseitems", "warehousetransactions", "orders.json", "products.json"
ITEMS = "inventory/items"


@pytest.fixture(scope="module")
def shop(module_stack):
    """More SKUs than the largest page of Sitoo has rows."""
    return module_stack(mapping=shop_mapping(bigcommerce={"confirm_delay_ms": 200, "confirm_timeout_ms": 2000}),
                        simulator_args=("--skus", "1300", "--quota", "5000", "--lag-ms", "50", "--latency-ms", "2"))


@pytest.fixture(autouse=True)
def begin_quiet(request):
    if "shop" not in request.fixturenames:
        yield
        return
    shop = request.getfixturevalue("shop")
    understood(shop)
    shop.wait_quiet(20)
    yield
    understood(shop)


def understood(shop):
    shop.control("DELETE", "/faults")
    shop.control("PUT", "/settings", {"sitoo_ignores": []})


def faults(shop, platform, **rule):
    shop.control("PUT", f"/faults/{platform}", {"rules": [rule]})


def hits(shop, platform):
    return sum(shop.control("GET", "/faults")[platform]["hits"].values())


def ignores(shop, *names):
    shop.control("PUT", "/settings", {"sitoo_ignores": names})


def sell(shop, *skus):
    return shop.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": 1} for sku in skus], "warehouse": 1})["order_id"]


def no_case(shop):
    assert not shop.cases(), shop.cases()


# ---------------------------------------------------------------- Sitoo: the site

def test_site_that_sitoo_does_not_have_changes_no_level(stack):
    """An unknown site answers as the GUID does: with nothing, and 200. The GUID itself is refused at start
    (test_processes.py, all_wrong_settings)."""
    one = stack(env={"SITOO_SITE_ID": "2"})
    skus = [one.fresh_sku({1: 2}) for _ in range(3)]
    before = {sku: one.levels(sku) for sku in skus}
    sell(one, *skus)
    one.control("POST", "/move", {"sku": skus[0], "quantity": 2, "from": 1})
    for sku in skus:
        one.mark(sku)
    for sku in skus:
        case = one.wait_until(lambda sku=sku: one.cases().get(f"not_in_sitoo:{sku}"), 10, "a case names the SKU")
        assert sku in case["text"]
    one.wait_until(one.idle, 10, "all work done")
    assert {sku: one.levels(sku) for sku in skus} == before
    assert one.control("GET", "/stats")["writes"] == 0
    status, out, _ = one.command("check")
    assert status != 0 and "SITOO_SITE_ID" in out


def test_first_start_with_a_wrong_site_does_not_make_history_count_once_the_site_is_right(stack):
    one = stack(functions=(), env={"SITOO_SITE_ID": "2"})
    sku = one.fresh_sku({1: 3})
    before = one.levels(sku)
    one.control("PUT", "/feed", {"url": ""})
    back = one.control("POST", "/return", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 1})
    one.control("POST", "/move", {"sku": sku, "quantity": 1, "from": 1})  # somebody took it out again: on hand is as before
    assert back["order_id"]
    one.start_function("stock-moved")
    one.wait_until(lambda: [r for r in one.requests(0, "sitoo") if LEDGER in r["path"]], 10, "the ledger is asked for")
    one.wait_until(lambda: one.redis().hget(one.key("job:ledger:main"), "lease") == "0", 10, "and read")
    assert one.processes["stock-moved"].stop()
    one.env_overrides["SITOO_SITE_ID"] = "1"
    since = one.last_request()
    one.start_function("stock-moved")
    one.wait_until(lambda: [r for r in one.requests(since, "sitoo") if LEDGER in r["path"]], 10, "the ledger is asked for")
    one.mark(sku)
    one.wait_until(one.idle, 10, "all work done")
    assert not one.redis().hgetall(one.key("withheld:l"))
    assert one.levels(sku) == before


# ---------------------------------------------------------------- Sitoo: filters that it does not know

@pytest.mark.parametrize("name", ["sku", "num", "fields", "sort", "orderid", "eshopid", "includeinactive"])
def test_filter_that_sitoo_ignores_changes_no_level_wrongly(shop, name):
    """sku and num: the stock of other SKUs, or ten rows. sort: newest first. orderid: other orders. It is silent each time; a
    level may be late, but never wrong, and is right when the filter is understood."""
    skus = [shop.fresh_sku({1: 2}) for _ in range(12)]
    missing = shop.fresh_sku({1: 2, 4: None})  # without a row: needs the product's proof
    before = {sku: shop.levels(sku) for sku in [*skus, missing]}
    ignores(shop, name)
    since = shop.last_request()
    order = sell(shop, *skus, missing)
    shop.wait_until(lambda: [r for r in shop.requests(since, "sitoo") if name in dict(parse_qsl(r["query"]))], 10,
                    "the filter was ignored")
    shop.wait_until(lambda: len([r for r in shop.requests(since, "sitoo") if STOCK in r["path"]]) >= 4, 10, "stock was read")
    for sku, levels in before.items():  # the old level or the right one, at every location
        now = shop.levels(sku)
        assert all(now[at] in (old, shop.explain(sku)[at]["expected"]) for at, old in levels.items()), (sku, levels, now)
    understood(shop)
    shop.control("POST", "/update-order", {"order_id": order})
    for sku in before:
        shop.mark(sku)
    for sku, levels in before.items():
        shop.wait_levels(sku, {1: levels[1] - 1}, timeout=15)
    shop.wait_until(lambda: shop.sales(order), 10, "the sale is recorded")
    shop.wait_quiet()
    assert sorted(shop.sales(order)) == sorted((sku, "1.000", 1) for sku in before)


def test_stock_read_that_is_cut_says_how_much_is_missing(shop):
    """All stock instead of one SKU's, and of that one page."""
    sku = shop.fresh_sku({1: 2})
    before, since = shop.levels(sku), len(shop.logs("stock-moved"))
    ignores(shop, "sku")
    sell(shop, sku)

    def said():
        """Another SKU of before may be looked at first."""
        return [line for line in shop.logs("stock-moved")[since:].splitlines() if "cause=incomplete_read" in line and f"first={sku} " in line]
    (line, *_) = shop.wait_until(said, 10, "the log says so")
    assert "Sitoo gave 1000 of 1" in line and "warehouse" in line
    assert shop.levels(sku) == before
    job = shop.redis().hgetall(shop.key(f"job:sku:{sku}"))
    assert job["tries"] in ("0", "1"), "no attempt is burnt"
    understood(shop)
    shop.mark(sku)
    shop.wait_levels(sku, {1: before[1] - 1})


def test_ledger_filter_that_sitoo_ignores_does_not_bring_history_back(stack):
    one = stack(functions=())
    sku = one.fresh_sku({1: 3})
    one.control("PUT", "/feed", {"url": ""})
    one.control("POST", "/return", {"rows": [{"sku": sku, "quantity": 1}], "warehouse": 1})
    one.control("PUT", "/settings", {"sitoo_ignores": ["warehousetransactionidfrom"]})
    one.start_function("stock-moved")
    one.wait_until(lambda: len([r for r in one.requests(0, "sitoo") if "idfrom" in r["query"]]) >= 2, 20, "the ledger is read twice")
    one.wait_until(one.idle, 10, "all work done")
    assert not one.redis().hgetall(one.key("withheld:l"))
    assert not one.records("movement")


def test_ledger_page_of_the_default_length_loses_no_row(shop):
    """num ignored: ten rows in a page, of 25 that came since."""
    skus = [shop.fresh_sku({1: 1}) for _ in range(25)]
    before = {sku: shop.levels(sku)[1] for sku in skus}
    shop.control("PUT", "/feed", {"paused": True})
    ignores(shop, "num")
    for sku in skus:
        shop.control("POST", "/move", {"sku": sku, "quantity": 2, "to": 1})
    shop.wait_until(lambda: shop.levels(skus[0])[1] == before[skus[0]] + 2, 15, "the first page is worked on")
    understood(shop)
    shop.control("PUT", "/feed", {"paused": False})
    for sku in skus:
        shop.wait_levels(sku, {1: before[sku] + 2}, timeout=15)
    no_case(shop)


def test_order_read_of_the_default_length_loses_no_order(shop):
    """num ignored: ten orders, of 25 that were announced."""
    skus = [shop.fresh_sku({1: 1}) for _ in range(25)]
    shop.control("PUT", "/feed", {"paused": True})
    ignores(shop, "num")
    orders = [sell(shop, sku) for sku in skus]
    shop.control("PUT", "/feed", {"paused": False})
    shop.wait_until(lambda: all(shop.sales(order) for order in orders), 20, "every sale is recorded")
    understood(shop)
    shop.wait_quiet()
    assert [shop.sales(order) for order in orders] == [[(sku, "1.000", 1)] for sku in skus]
    no_case(shop)


# ---------------------------------------------------------------- Sitoo: a page that shrinks

@pytest.mark.parametrize("path", [STOCK, LEDGER, ORDERS, PRODUCTS])
def test_sitoo_page_that_shrinks_while_it_is_read_changes_no_level_wrongly(shop, path):
    """Rows went away between the counting and the reading."""
    skus = [shop.fresh_sku({1: 2, 4: None}) for _ in range(4)]
    before = {sku: shop.levels(sku) for sku in skus}
    for sku in skus:
        shop.redis().delete(shop.key(f"exists:{sku}"))
    faults(shop, "sitoo", kind="short_page", missing=2, path=path)
    orders = [sell(shop, sku) for sku in skus]
    shop.wait_until(lambda: hits(shop, "sitoo") >= 1, 15, "a page was cut")
    shop.wait_until(lambda: path in (LEDGER, ORDERS) or shop.cases() or "incomplete_read" in shop.logs("stock-moved"), 10, "it was noticed")
    if path == PRODUCTS:
        shop.wait_until(shop.idle, 10, "each SKU is settled or named")
    for sku in skus:
        now = shop.levels(sku)
        assert all(now[at] in (old, shop.explain(sku)[at]["expected"]) for at, old in before[sku].items())
    understood(shop)
    for order, sku in zip(orders, skus):
        shop.control("POST", "/update-order", {"order_id": order})
        case = f"not_in_sitoo:{sku}"
        if case in shop.cases():  # a product that is missing of a page looks as if there were none: it was named, not guessed
            shop.command("parked", "--retry", case)  # unless the case has ended by itself
        shop.mark(sku)
    for sku in skus:
        shop.wait_levels(sku, {1: before[sku][1] - 1}, timeout=15)
    shop.wait_quiet()
    assert [shop.sales(order) for order in orders] == [[(sku, "1.000", 1)] for sku in skus]
    no_case(shop)


def test_case_of_a_product_that_was_missing_ends_by_itself_when_sitoo_shows_it(shop):
    """Nobody has to close it, and nothing reads more for its sake."""
    sku = shop.fresh_sku({1: 2, 2: None})
    before = shop.levels(sku)[1]
    shop.wait_quiet()
    shop.redis().delete(shop.key(f"exists:{sku}"), shop.key("stock:2"))
    shop.control("PUT", "/faults/sitoo", {"seed": 1, "rules": [
        {"kind": "answer", "path": "/products.json", "body": {"totalcount": 0, "items": []}}]})
    sell(shop, sku)
    shop.wait_until(lambda: f"not_in_sitoo:{sku}" in shop.cases(), 10, "it is named")
    shop.wait_until(shop.idle, 10, "all work done")
    assert shop.levels(sku)[1] == before
    shop.control("DELETE", "/faults")
    shop.mark(sku)
    shop.wait_levels(sku, {1: before - 1})
    shop.wait_until(lambda: f"not_in_sitoo:{sku}" not in shop.cases(), 10, "the case ends by itself")


def test_inactive_product_that_sitoo_hides_keeps_its_level(shop):
    """includeinactive ignored: the product of a SKU without a stock row looks missing. That proves nothing."""
    stock = shop.stock("INACTIVE-1")
    before = shop.levels("INACTIVE-1")
    without = [w for w in (1, 2, 3, 4) if w not in stock]
    shop.redis().delete(shop.key("exists:INACTIVE-1"))
    ignores(shop, "includeinactive")
    shop.control("POST", "/booking", {"rows": [{"sku": "INACTIVE-1", "quantity": 1}], "warehouse": 1})
    if without:
        shop.wait_until(lambda: shop.cases().get("not_in_sitoo:INACTIVE-1"), 10, "it is named")
        assert shop.levels("INACTIVE-1") == before
        understood(shop)
        shop.mark("INACTIVE-1")
    shop.wait_levels("INACTIVE-1", {1: max(0, before[1] - 1)})
    shop.wait_until(lambda: "not_in_sitoo:INACTIVE-1" not in shop.cases(), 10, "the case ends by itself")


# ---------------------------------------------------------------- BigCommerce

def test_level_that_is_missing_of_a_bigcommerce_page_is_not_taken_for_0(shop):
    """Sold out, and the read of what BigCommerce shows is cut: "no row" would mean 0, nothing would be written, and the web shop
    would go on selling what is gone."""
    sku = shop.fresh_sku({4: 1})
    units = shop.levels(sku)[7]
    shop.redis().hdel(shop.key("level:live"), *(f"{at}|{sku}" for at in (1, 5, 7)))
    shop.mark(sku)
    shop.wait_quiet()
    shop.redis().hdel(shop.key("level:live"), *(f"{at}|{sku}" for at in (1, 5, 7)))  # what it shows is not known
    faults(shop, "bigcommerce", kind="short_page", path=ITEMS)
    shop.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": units}], "warehouse": 4})
    shop.wait_until(lambda: hits(shop, "bigcommerce") >= 2, 10, "the page was cut twice")
    understood(shop)
    shop.mark(sku)
    shop.wait_levels(sku, {7: 0}, timeout=15)


def test_level_that_is_missing_of_a_bigcommerce_page_is_not_confirmed(shop):
    sku = shop.fresh_sku({4: 1})
    units = shop.levels(sku)[7]
    shop.mark(sku)
    shop.wait_quiet()
    faults(shop, "bigcommerce", kind="short_page", path=ITEMS)
    shop.control("POST", "/sale", {"rows": [{"sku": sku, "quantity": units}], "warehouse": 4})
    shop.wait_until(lambda: hits(shop, "bigcommerce") >= 2, 10, "the page was cut twice")
    assert shop.redis().hget(shop.key("level:live"), f"7|{sku}").split()[:2] == ["0", "w"], "a 0 that nobody saw is not confirmed"
    understood(shop)
    shop.wait_levels(sku, {7: 0})


# ---------------------------------------------------------------- what we ask

def repeated(query):
    """Names of parameters that stand twice."""
    return [name for name, n in collections.Counter(name for name, _ in parse_qsl(query, keep_blank_values=True)).items() if n > 1]


def test_no_request_repeats_a_filter(shop):
    """sku=a&sku=b is 200 with only b applied. Looks at all that the tests before this have made onepool ask."""
    assert repeated("sku=a&num=1&sku=b") == ["sku"]
    requests = shop.requests()
    assert {"sitoo", "bigcommerce"} == {one["platform"] for one in requests} and len(requests) > 200
    assert [one for one in requests if repeated(one["query"])] == []
    assert [one for one in requests if one["method"] != "GET" and not json.loads(one["body"])] == []


def test_every_list_of_sitoo_is_asked_with_num(shop):
    """The default is 10, and nothing says so in the answer."""
    lists = [one for one in shop.requests(0, "sitoo") if one["path"].endswith((".json", "products"))]
    assert len(lists) > 50
    assert [one["path"] for one in lists if "num" not in dict(parse_qsl(one["query"]))] == []
