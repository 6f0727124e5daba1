# SPDX-License-Identifier: Apache-2.0
"""`onepool check`: each line, made to say what it must by a platform, a Redis or a setting that is wrong."""
import contextlib
import email.utils
import json
import re
import time

import pytest

from stack import EVENTS_PASSWORD, EVENTS_USER, HOOK_SECRET, shop_mapping

URL = "https://hooks.example.com"
SCOPE = "store/channel/*/inventory/product/stock_changed"
ROUTE = "/hooks/bigcommerce/stock-changed"
HOOK = {"scope": SCOPE, "destination": URL + ROUTE, "headers": {"X-Onepool-Secret": HOOK_SECRET}}
REFUND_SCOPE = "store/order/refund/created"
REFUND_ROUTE = "/hooks/bigcommerce/order-updated"
REFUND_HOOK = {**HOOK, "scope": REFUND_SCOPE, "destination": URL + REFUND_ROUTE}
WANTED = [("store/order/created", "/hooks/bigcommerce/order-created"), ("store/order/updated", REFUND_ROUTE),
          ("store/order/statusUpdated", REFUND_ROUTE), ("store/order/archived", REFUND_ROUTE), (REFUND_SCOPE, REFUND_ROUTE),
          (SCOPE, ROUTE), ("store/hook/deliveryException", "/hooks/bigcommerce/delivery-exception")]
OTHERS = [{**HOOK, "scope": scope, "destination": URL + route} for scope, route in WANTED if scope not in (SCOPE, REFUND_SCOPE)]
SETTINGS = {"update_stock_behavior": "order_placed", "refund_order_stock_adjustment": False}


@pytest.fixture(scope="module")
def shop(module_stack):
    """Redis and the platforms; no function runs. Everything is as it should be."""
    return module_stack(functions=(), nginx=False, mapping=shop_mapping(),
                        env={"ONEPOOL_PUBLIC_URL": URL, "SITOO_API_ID_2": "1500-2",
                             "SITOO_API_PASSWORD_2": "sim-sitoo-password"},
                        simulator_args=("--latency-ms", "1", "--quota", "1000", "--window-ms", "1000"))


@pytest.fixture(autouse=True)
def healthy(request):
    if "shop" in request.fixturenames:
        shop = request.getfixturevalue("shop")
        shop.redis().flushall()
        shop.control("DELETE", "/faults")
        shop.control("PUT", "/settings", {"hooks": [HOOK, REFUND_HOOK, *OTHERS]})


@contextlib.contextmanager
def settings(shop, **changes):
    """Other environment for the command; None takes one away."""
    before = dict(shop.env_overrides)
    for name, value in changes.items():
        shop.env_overrides.pop(name, None)
        if value is not None:
            shop.env_overrides[name] = value
    try:
        yield
    finally:
        shop.env_overrides = before


def check(shop):
    """(status, {check: [(result, text, todo)]}), from --json; the text form must say the same."""
    status, out, err = shop.command("check", "--json")
    assert not err, err
    answer = json.loads(out)
    assert answer["ok"] == (status == 0)
    lines = {}
    for line in answer["checks"]:
        lines.setdefault(line["check"], []).append((line["result"], line["text"], line["todo"]))
        assert line["result"] == "ok" or line["todo"] or line["text"].count("check its password"), line
    return status, lines


def wrong(lines):
    """What is not ok: [(check, result, text)]"""
    return [(name, result, text) for name, found in lines.items() for result, text, _ in found if result != "ok"]


def fault(shop, platform, **rule):
    shop.control("PUT", f"/faults/{platform}", {"rules": [rule]})


UNPROVED = ("scopes", "warn", "no read can prove")


def only(lines, check_name, result, text):
    """The only complaint, beside the one about what cannot be proved, is this one."""
    found = [w for w in wrong(lines) if not (w[0] == UNPROVED[0] and w[2].startswith(UNPROVED[2]))]
    assert [(name, kind) for name, kind, _ in found] == [(check_name, result)], found
    assert text in found[0][2], found


def test_everything_in_order_but_for_what_no_read_can_prove(shop):
    status, lines = check(shop)
    assert status == 0
    [(name, result, text)] = wrong(lines)
    assert (name, result) == UNPROVED[:2] and text.startswith(UNPROVED[2])
    assert set(lines) == {"settings", "mapping", "budgets", "redis", "redis durability", "redis functions", "clock",
                          "bigcommerce", "scopes", "shop settings", "sitoo key 1", "sitoo key 2", "site", "public url",
                          "webhooks"}
    assert len(lines["clock"]) == 3 and len(lines["shop settings"]) == 4
    assert "rung R1" in lines["redis durability"][0][1]
    assert 'location 1 "Location 1" <- warehouses 1 "' in lines["mapping"][1][1]
    assert 'location 5 "Location 5" (pickup) <- warehouse 3 "' in lines["mapping"][3][1]


def test_a_line_is_result_what_and_what_to_do(shop):
    shop.control("PUT", "/settings", {"hooks": []})
    status, out, _ = shop.command("check")
    *lines, last = out.splitlines()
    assert status == 0 and last == "0 failed, 8 to look at."
    assert all(re.fullmatch(r"(ok  |warn|FAIL)  [a-z0-9 ]+: .+", line) for line in lines), lines
    assert [line for line in lines if line.startswith("warn  webhooks: ")][0].endswith(
        "  - register it: onepool hooks --repair")
    fault(shop, "bigcommerce", kind="answer", path="/v2/time", status=401)
    status, out, _ = shop.command("check")
    assert status == 1 and "\nFAIL  bigcommerce: " in out


def test_no_secret_is_printed(shop):
    for arguments in (("check",), ("check", "--json"), ("check", "--hooks"), ("check", "--hooks", "--json")):
        out = "".join(map(str, shop.command(*arguments)))
        for secret in (EVENTS_PASSWORD, HOOK_SECRET, "sim-sitoo-password", "sim-bc-token"):
            assert secret not in out


# ---------------------------------------------------------------- BigCommerce

def test_a_wrong_token(shop):
    with settings(shop, BIGCOMMERCE_ACCESS_TOKEN="not-the-token"):
        status, lines = check(shop)
    assert status == 1
    assert ("bigcommerce", "fail") in [w[:2] for w in wrong(lines)]
    assert "401" in lines["bigcommerce"][0][1]


def test_bigcommerce_cannot_be_reached(shop):
    with settings(shop, BIGCOMMERCE_API_URL="http://127.0.0.1:9"):
        status, lines = check(shop)
    assert status == 1
    assert lines["bigcommerce"][0][0] == "fail" and "network" in lines["bigcommerce"][0][2]
    assert lines["site"][0][0] == "ok", "Sitoo is looked at all the same"


@pytest.mark.parametrize("path, scope", [("/v3/inventory/items", "store_inventory"), ("/v2/orders", "store_v2_orders"),
                                         ("/v3/catalog/products", "store_v2_products")])
def test_a_missing_scope_is_named(shop, path, scope):
    fault(shop, "bigcommerce", kind="answer", path=path, status=403, body={"status": 403, "title": "Forbidden"})
    status, lines = check(shop)
    assert status == 1
    only(lines, "scopes", "fail", f"lacks {scope}")


def test_a_missing_scope_for_locations_fails_both_lines(shop):
    fault(shop, "bigcommerce", kind="answer", path="/v3/inventory/locations", status=403)
    status, lines = check(shop)
    assert status == 1
    assert "store_locations_read_only" in lines["scopes"][0][1] and lines["locations"][0][0] == "fail"


def test_a_shop_without_orders_is_no_missing_scope(shop):
    fault(shop, "bigcommerce", kind="answer", path="/v2/orders", status=204, body=None)
    status, lines = check(shop)
    assert status == 0
    assert lines["scopes"][0][0] == "ok"


def test_that_writing_worked_is_a_proof(shop):
    shop.redis().hset(shop.key("count"), "levels:confirmed", 7)
    status, lines = check(shop)
    assert status == 0 and not wrong(lines)
    assert "7 levels were written" in lines["scopes"][1][1]


@pytest.mark.parametrize("off_s, result", [(0, "ok"), (30, "warn"), (-30, "warn"), (3600, "fail"), (-3600, "fail")])
def test_clock_of_bigcommerce(shop, off_s, result):
    fault(shop, "bigcommerce", kind="answer", path="/v2/time", body={"time": int(time.time()) - off_s})
    status, lines = check(shop)
    assert status == (1 if result == "fail" else 0)
    [line] = [one for one in lines["clock"] if "BigCommerce" in one[1]]
    assert line[0] == result
    if off_s:
        assert ("ahead of" if off_s > 0 else "behind") in line[1] and "NTP" in line[2]


@pytest.mark.parametrize("off_s, result", [(0, "ok"), (60, "warn"), (3600, "fail")])
def test_clock_of_sitoo(shop, off_s, result):
    date = email.utils.formatdate(time.time() - off_s, usegmt=True)
    fault(shop, "sitoo", kind="answer", path="sites.json", headers={"Date": date})
    _, lines = check(shop)
    assert [one[0] for one in lines["clock"] if "Sitoo" in one[1]] == [result]


@pytest.mark.parametrize("change, text", [
    ({"refund_order_stock_adjustment": True}, "refund_order_stock_adjustment is on"),
    ({"refund_order_stock_adjustment": None}, "refund_order_stock_adjustment is not told"),
    ({"update_stock_behavior": "order_completed_or_shipped"}, "update_stock_behavior is order_completed_or_shipped"),
    ({"update_stock_behavior": 7}, "update_stock_behavior is not told")], ids=str)
def test_a_wrong_setting_of_the_store(shop, change, text):
    fault(shop, "bigcommerce", kind="answer", path="/v3/settings/inventory", count=1,
          body={"data": {**SETTINGS, **change}, "meta": {}})
    status, lines = check(shop)
    assert status == 1
    only(lines, "shop settings", "fail", text)


def test_a_wrong_setting_of_the_default_channel_only(shop):
    shop.control("PUT", "/faults/bigcommerce", {"rules": [
        {"kind": "answer", "path": "/v3/settings/inventory", "count": 1, "body": {"data": SETTINGS}},
        {"kind": "answer", "path": "/v3/settings/inventory",
         "body": {"data": {"refund_order_stock_adjustment": True, "update_stock_behavior": None}}}]})
    status, lines = check(shop)
    assert status == 1
    only(lines, "shop settings", "fail", "refund_order_stock_adjustment channel 1 is on")
    assert lines["shop settings"][3][1].startswith("update_stock_behavior channel 1 is inherited")


def test_html_for_json(shop):
    fault(shop, "bigcommerce", kind="html", path="/v2/time", status=200)
    status, lines = check(shop)
    assert status == 1 and lines["bigcommerce"][0][0] == "fail"


# ---------------------------------------------------------------- Sitoo

def test_one_of_two_keys_is_refused(shop):
    with settings(shop, SITOO_API_PASSWORD="wrong-password"):
        status, lines = check(shop)
    assert status == 1
    assert lines["sitoo key 1"][0][0] == "fail" and "401" in lines["sitoo key 1"][0][1]
    assert lines["sitoo key 2"][0][0] == "ok" and lines["site"][0][0] == "ok"


def test_all_keys_are_refused(shop):
    fault(shop, "sitoo", kind="answer", status=401)
    status, lines = check(shop)
    assert status == 1
    assert [lines[f"sitoo key {n}"][0][0] for n in (1, 2)] == ["fail", "fail"]
    assert "site" not in lines


def test_a_site_that_the_account_does_not_have(shop):
    with settings(shop, SITOO_SITE_ID="2"):
        status, lines = check(shop)
    assert status == 1
    only(lines, "site", "fail", "no site of this account has eshopid 2; there are: 1 (store.example.com)")


def test_the_guid_as_site_id_is_refused_with_an_explanation(shop):
    with settings(shop, SITOO_SITE_ID="{25D9C5B8-51FC-5751-7FBE-37368C7E4EF0}"):
        status, _, err = shop.command("check")
    assert status == 100 and "SITOO_SITE_ID: must be the eshopid" in err


def warehouses(shop, **changes):
    """Sitoo's list with the first mapped warehouse changed; None takes it away."""
    items = shop.sitoo("/sites/1/warehouses.json?num=1000")["items"]
    items = [{**item, **changes} if item["warehouseid"] == 1 else item for item in items
             if changes.get("name", "") is not None or item["warehouseid"] != 1]
    fault(shop, "sitoo", kind="answer", path="warehouses.json", body={"totalcount": len(items), "items": items})


def test_a_virtual_warehouse_warns(shop):
    warehouses(shop, warehousetype=20, name="Far away")
    status, lines = check(shop)
    assert status == 0
    only(lines, "mapping", "warn", 'warehouse 1 "Far away" is Virtual')


def test_a_warehouse_that_is_not_sellable_warns(shop):
    warehouses(shop, sellable=False)
    status, lines = check(shop)
    assert status == 0
    only(lines, "mapping", "warn", "is not sellable")


def test_a_warehouse_that_is_missing(shop):
    warehouses(shop, name=None)
    status, lines = check(shop)
    assert status == 1
    only(lines, "mapping", "fail", "Sitoo has no warehouse 1")


def test_a_name_cannot_move_the_terminal(shop):
    warehouses(shop, name="\x1b[31mRed\r\n")
    status, out, _ = shop.command("check")
    assert status == 0 and "\x1b" not in out and "?[31mRed??" in out


# ---------------------------------------------------------------- mapping

def test_a_location_that_is_missing_or_disabled(shop):
    def location(number, enabled=True):
        return {"id": number, "label": f"Shop {number}", "enabled": enabled}
    fault(shop, "bigcommerce", kind="answer", path="/v3/inventory/locations",
          body={"data": [location(1), location(5, False)], "meta": {}})
    status, lines = check(shop)
    assert status == 1
    texts = [text for _, result, text in wrong(lines) if result == "fail"]
    assert any(text.startswith("BigCommerce has no location 7") for text in texts), texts
    assert any(text.startswith('location 5 "Shop 5" is disabled') for text in texts), texts
    assert len(texts) == 2


def test_neither_platform_tells_its_places(shop):
    shop.control("PUT", "/faults/bigcommerce", {"rules": [{"kind": "status", "status": 500}]})
    shop.control("PUT", "/faults/sitoo", {"rules": [{"kind": "status", "status": 500}]})
    status, lines = check(shop)
    assert status == 1 and lines["mapping"][-1][0] == "fail"


# ---------------------------------------------------------------- webhooks

@pytest.mark.parametrize("hooks, result, text", [
    ([], "warn", "is not registered"),
    ([{**HOOK, "is_active": False}], "fail", "not active"),
    ([{**HOOK, "destination": "https://other.example.com" + ROUTE}], "warn", "goes to https://other.example.com"),
    ([{**HOOK, "headers": None}], "fail", "does not send X-Onepool-Secret"),
    ([{**HOOK, "headers": {"X-Onepool-Secret": "another"}}], "fail", "or sends another one"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_a_webhook_that_is_missing_or_wrong(shop, hooks, result, text):
    shop.control("PUT", "/settings", {"hooks": [*hooks, REFUND_HOOK, *OTHERS]})
    status, lines = check(shop)
    assert status == (result == "fail")
    only(lines, "webhooks", result, text)


def test_refunds_need_a_webhook_of_their_own(shop):
    shop.control("PUT", "/settings", {"hooks": [HOOK, *OTHERS]})
    _, lines = check(shop)
    only(lines, "webhooks", "warn", REFUND_SCOPE + " is not registered by this API account: a refund that is made in "
                                    "BigCommerce is found up to a day later")


def test_a_webhook_with_the_previous_secret_and_one_elsewhere_beside_ours(shop):
    with settings(shop, BIGCOMMERCE_HOOK_SECRET="the-new-secret-of-today", BIGCOMMERCE_HOOK_SECRET_PREVIOUS=HOOK_SECRET):
        shop.control("PUT", "/settings", {
            "hooks": [HOOK, *[{**hook, "headers": {"X-Onepool-Secret": "the-new-secret-of-today"}}
                              for hook in (REFUND_HOOK, *OTHERS)]]})
        _, lines = check(shop)
    only(lines, "webhooks", "warn", "still sends the previous secret")
    shop.control("PUT", "/settings", {
        "hooks": [{**HOOK, "destination": "https://other.example.com" + ROUTE}, HOOK, REFUND_HOOK, *OTHERS]})
    _, lines = check(shop)
    assert all(line[0] == "ok" for line in lines["webhooks"])


def test_without_a_public_url_the_path_is_compared(shop):
    with settings(shop, ONEPOOL_PUBLIC_URL=None):
        status, lines = check(shop)
        assert status == 0
        only(lines, "public url", "warn", "not set")
        status, out, _ = shop.command("check", "--hooks")
        assert status == 1 and "ONEPOOL_PUBLIC_URL is not set" in out


def test_a_port_that_bigcommerce_does_not_call(shop):
    with settings(shop, ONEPOOL_PUBLIC_URL=URL + ":8443"):
        status, lines = check(shop)
    assert status == 1 and lines["public url"][0][0] == "fail"


def test_what_to_enter(shop):
    status, out, _ = shop.command("check", "--hooks", "--json")
    assert status == 0
    assert json.loads(out) == {
        "sitoo": {"base_url": URL + "/hooks/sitoo", "user": EVENTS_USER, "password_setting": "SITOO_EVENTS_PASSWORD",
                  "event_types": ["order", "booking", "order-delivery", "warehouse-transaction", "shipment", "shipment-v3"]},
        "bigcommerce": [{"scope": scope, "destination": URL + route, "header": "X-Onepool-Secret",
                         "header_setting": "BIGCOMMERCE_HOOK_SECRET"}
                        for scope, route in WANTED],
        "public_url_known": True}
    since = shop.last_request()
    status, out, _ = shop.command("check", "--hooks")
    assert status == 0 and URL + "/hooks/sitoo" in out and SCOPE in out
    assert shop.requests(since) == [], "nobody is asked"


@pytest.mark.parametrize("url", ["http://hooks.example.com", "hooks.example.com", "https://hooks.example.com/", "https://",
                                 "https://user:pw@hooks.example.com", "https://hooks.example.com/?a=1",
                                 "https://hooks.example.com/" + 200 * "a", "https://hooks .example.com"])
def test_a_public_url_that_cannot_be_called_is_a_mistake(shop, url):
    with settings(shop, ONEPOOL_PUBLIC_URL=url):
        status, _, err = shop.command("check")
    assert status == 100 and "ONEPOOL_PUBLIC_URL: " in err


# ---------------------------------------------------------------- Redis

@pytest.mark.parametrize("name, value, rung", [("appendfsync", "everysec", "rung R0"), ("appendonly", "no", "rung none"),
                                               ("maxmemory-policy", "allkeys-lru", "noeviction")])
def test_the_rung_of_a_weaker_redis_is_named(shop, name, value, rung):
    redis = shop.redis()
    before = redis.config_get(name)[name]
    redis.config_set(name, value)
    try:
        status, lines = check(shop)
        assert status == 1 and lines["redis durability"][0][0] == "fail" and rung in lines["redis durability"][0][1]
        with settings(shop, ONEPOOL_DEV="1"):
            _, lines = check(shop)
            assert lines["redis durability"][0][0] == "warn"
    finally:
        redis.config_set(name, before)
        shop.wait_until(lambda: redis.info("persistence")["aof_rewrite_in_progress"] == 0, 10, "the file is rewritten")


def test_without_redis_no_platform_is_asked(shop):
    since = shop.last_request()
    with settings(shop, REDIS_URL="redis://127.0.0.1:9/0"):
        status, lines = check(shop)
    assert status == 1
    assert lines["redis"][0][0] == "fail" and lines["platforms"][0][0] == "fail"
    assert shop.requests(since) == []


# ---------------------------------------------------------------- the running service

def test_the_writer_looks_at_the_shop_settings_and_the_case_stays_until_they_are_right(stack):
    one = stack(functions=("stock-moved",), nginx=False, mapping=shop_mapping(), simulator_args=("--latency-ms", "1"))
    one.wait_until(lambda: one.redis().exists(one.key("shop:checked")), 10, "the settings were looked at")
    assert one.cases() == {} and 86000 < one.redis().ttl(one.key("shop:checked")) <= 86400
    fault(one, "bigcommerce", kind="answer", path="/v3/settings/inventory",
          body={"data": {"refund_order_stock_adjustment": True, "update_stock_behavior": "order_completed_or_shipped"}})
    one.redis().delete(one.key("shop:checked"))  # a day later
    cases = one.wait_until(lambda: len(one.cases()) == 4 and one.cases(), 10, "four cases")
    assert set(cases) == {f"shop_settings:{name}{where}" for name in ("refund_order_stock_adjustment",
                                                                      "update_stock_behavior")
                          for where in ("", " channel 1")}
    for case in cases.values():
        assert case["owner"] == "operations" and case["step"] and case["effect"]
    one.redis().delete(one.key("shop:checked"))
    one.wait_until(lambda: {case["count"] for case in one.cases().values()} == {"2"}, 10, "they stay, and are counted")
    one.control("DELETE", "/faults")
    since = one.last_request()
    one.kill_parent("stock-moved").popen.wait(10)
    one.wait_until(lambda: not one.redis().exists(one.key("lease:writer")), 35, "the lease ends")
    one.start_function("stock-moved")
    one.wait_until(lambda: not one.cases(), 40, "a start looks again, and they close by themselves")
    asked = [r for r in one.requests(since, "bigcommerce") if "settings/inventory" in r["path"]]
    assert len(asked) == 2, "once, not again and again"


def test_settings_that_cannot_be_read_stop_nothing_and_are_read_a_minute_later(stack):
    one = stack(functions=("stock-moved",), nginx=False, redis=True, mapping=shop_mapping(), simulator_args=("--latency-ms", "1"))
    one.wait_until(lambda: one.redis().exists(one.key("shop:checked")), 10, "the settings were looked at")
    fault(one, "bigcommerce", kind="answer", path="/v3/settings/inventory", status=403)
    one.redis().delete(one.key("shop:checked"))
    one.wait_until(lambda: 0 < one.redis().ttl(one.key("shop:checked")) <= 60, 10, "it is tried again in a minute")
    sku = one.fresh_sku({1: 2})
    before = one.levels(sku)[1]
    one.control("PUT", "/level", {"sku": sku, "location": 1, "level": before + 3})
    one.mark(sku)
    one.wait_levels(sku, {1: before})
    assert not one.cases()
