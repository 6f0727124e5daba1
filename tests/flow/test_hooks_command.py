# SPDX-License-Identifier: Apache-2.0
"""`onepool hooks` and the timer behind it: our webhooks at BigCommerce, made, kept right, and what was missed read again."""
import json
import re
import time

import pytest

from stack import HOOK_SECRET, ROOT, request, shop_mapping, verdict

STOCK = "store/channel/*/inventory/product/stock_changed"
UPDATED = "/hooks/bigcommerce/order-updated"
EXCEPTION = "store/hook/deliveryException"
EXCEPTION_ROUTE = "/hooks/bigcommerce/delivery-exception"
WANTED = {"store/order/created": "/hooks/bigcommerce/order-created", "store/order/updated": UPDATED,
          "store/order/statusUpdated": UPDATED, "store/order/archived": UPDATED, "store/order/refund/created": UPDATED,
          STOCK: "/hooks/bigcommerce/stock-changed", EXCEPTION: EXCEPTION_ROUTE}
PRODUCT_ROUTE = "/hooks/bigcommerce/product-updated"
PRODUCTS = [f"store/{kind}/{what}" for kind in ("product", "sku") for what in ("created", "updated", "deleted")]
PRICES = [f"store/priceList/{kind}/{what}" for kind in ("record", "records") for what in ("created", "updated", "deleted")]
REFUND = "store/order/refund/created"
FOREIGN = {"scope": "store/order/created", "destination": "https://erp.example.com/orders", "headers": {"X-Key": "their secret"}}
QUICK = ("--latency-ms", "1", "--quota", "100000", "--window-ms", "1000", "--skus", "120")
TIMER = "due:hooks"


def registered(shop):
    return shop.bigcommerce("/v3/hooks?limit=250")["data"]


def right(url):
    return [{"scope": scope, "destination": url + path, "headers": {"X-Onepool-Secret": HOOK_SECRET}, "is_active": True}
            for scope, path in WANTED.items()]


def changed(url, scope, **members):
    """All as it should be, but for one scope."""
    return [{**hook, **(members if hook["scope"] == scope else {})} for hook in right(url)]


def calls(shop, since):
    """Writes to /v3/hooks: [(method, path, body)]."""
    return [(one["method"], one["path"].rpartition("/v3")[2], json.loads(one["body"])) for one in
            shop.requests(since, "bigcommerce") if one["method"] != "GET" and "/hooks" in one["path"]]


def hooks(shop, *arguments):
    """(status, answer) of the command; no secret is ever printed, as text neither."""
    status, out, err = shop.command("hooks", "--json", *arguments)
    for secret in (HOOK_SECRET, "sim-bc-token", "their secret"):
        assert secret not in out + err
    answer = json.loads(out)
    assert (status == 0) == answer.get("ok", False)
    return status, answer


def problems(answer):
    return {one["scope"]: one["problems"] for one in answer["hooks"] if one["problems"]}


def done(answer):
    return {one["scope"]: one["done"] for one in answer["hooks"] if one["done"] != "nothing"}


# ---------------------------------------------------------------- the command

@pytest.fixture(scope="module")
def plain(module_stack):
    """Redis and BigCommerce; no function runs, so nobody but the command touches the webhooks."""
    one = module_stack(functions=(), nginx=False, mapping=shop_mapping(), env={"ONEPOOL_PUBLIC_URL": "https://hooks.example.com"},
                       simulator_args=QUICK)
    one.base = "https://hooks.example.com"
    return one


@pytest.fixture
def clean(plain):
    plain.redis().flushall()
    plain.control("DELETE", "/faults")
    plain.control("PUT", "/settings", {"hooks": []})
    return plain


def test_all_are_made_once_and_the_second_repair_changes_nothing(clean):
    status, answer = hooks(clean)
    assert status == 1 and problems(answer) == {scope: ["missing"] for scope in WANTED}
    since = clean.last_request()
    status, answer = hooks(clean, "--repair")
    assert status == 0 and done(answer) == {scope: "created" for scope in WANTED} and not problems(answer)
    assert answer["catch_up"] is False, "nothing was registered before, so nothing was silent"
    made = registered(clean)
    assert {h["scope"]: h["destination"] for h in made} == {s: clean.base + path for s, path in WANTED.items()}
    assert len(made) == len(WANTED)
    assert all(h["is_active"] and h["headers"] == {"X-Onepool-Secret": HOOK_SECRET} for h in made)
    assert [method for method, _, _ in calls(clean, since)] == ["POST"] * len(WANTED)
    since = clean.last_request()
    status, answer = hooks(clean, "--repair")
    assert status == 0 and not done(answer) and calls(clean, since) == [] and registered(clean) == made
    status, answer = hooks(clean)
    assert status == 0
    assert not clean.redis().exists(clean.key("intents"))
    assert clean.command("hooks")[1].endswith("All webhooks are right.\n")


@pytest.mark.parametrize("scope, members, problem, body", [
    (REFUND, {"destination": "https://old.example.com" + UPDATED}, "wrong destination",
     {"destination": "https://hooks.example.com" + UPDATED}),
    (REFUND, {"headers": None}, "wrong header", {"headers": {"X-Onepool-Secret": HOOK_SECRET}}),
    (STOCK, {"headers": {"x-onepool-secret": "another", "X-Via": "proxy"}}, "wrong header",
     {"headers": {"X-Onepool-Secret": HOOK_SECRET, "X-Via": "proxy"}}),
    (EXCEPTION, {"is_active": False}, "inactive", {"is_active": True}),
])
def test_what_differs_is_put_right_and_nothing_else_is_sent(clean, scope, members, problem, body):
    clean.control("PUT", "/settings", {"hooks": changed(clean.base, scope, **members)})
    status, answer = hooks(clean)
    assert status == 1 and problems(answer) == {scope: [problem]}
    since = clean.last_request()
    status, answer = hooks(clean, "--repair", "--dry-run")
    assert status == 1 and calls(clean, since) == []
    assert done(answer) == {scope: "would revive" if problem == "inactive" else "would change"}
    status, answer = hooks(clean, "--repair")
    number = next(h["id"] for h in registered(clean) if h["scope"] == scope)
    assert status == 0 and calls(clean, since) == [("PUT", f"/hooks/{number}", body)]


def test_the_previous_secret_is_replaced_and_never_shown(clean):
    clean.control("PUT", "/settings", {"hooks": right(clean.base)})
    clean.env_overrides.update(BIGCOMMERCE_HOOK_SECRET="the new secret of today", BIGCOMMERCE_HOOK_SECRET_PREVIOUS=HOOK_SECRET)
    try:
        status, answer = hooks(clean)
        assert status == 1 and set(map(tuple, problems(answer).values())) == {("previous secret",)}
        status, out, err = clean.command("hooks", "--repair")
        assert status == 0 and "the new secret" not in out + err and HOOK_SECRET not in out + err
        assert {h["headers"]["X-Onepool-Secret"] for h in registered(clean)} == {"the new secret of today"}
    finally:
        clean.env_overrides.pop("BIGCOMMERCE_HOOK_SECRET")
        clean.env_overrides.pop("BIGCOMMERCE_HOOK_SECRET_PREVIOUS")


def test_duplicates_are_switched_off_foreign_ones_listed_and_strays_told(clean):
    double = {**right(clean.base)[0], "destination": clean.base + UPDATED}
    stray = {"scope": "store/shipment/created", "destination": clean.base + "/hooks/bigcommerce/shipments", "headers": None,
             "is_active": True}
    clean.control("PUT", "/settings", {"hooks": [*right(clean.base), double, FOREIGN, stray]})
    status, answer = hooks(clean, "--repair")
    assert status == 1 and not problems(answer) and done(answer) == {"store/order/created": "changed"}
    others = {one["destination"]: (one["comes_to_us"], one["is_active"]) for one in answer["others"]}
    assert others == {FOREIGN["destination"]: (False, True), stray["destination"]: (True, True), double["destination"]: (False, False)}
    assert len(registered(clean)) == len(WANTED) + 3
    status, out, _ = clean.command("hooks")
    assert status == 1 and "/shipments" in out and "is not wanted" in out


def test_webhooks_of_products_are_not_wanted_without_the_section_and_no_stray_either(clean):
    one = {"scope": "store/product/updated", "destination": clean.base + PRODUCT_ROUTE, "headers": None, "is_active": True}
    clean.control("PUT", "/settings", {"hooks": [*right(clean.base), one]})
    since = clean.last_request()
    status, answer = hooks(clean, "--repair")
    assert status == 0 and calls(clean, since) == [] and {h["scope"] for h in answer["hooks"]} == set(WANTED)
    [other] = answer["others"]
    assert (other["scope"], other["comes_to_us"], other["unused"]) == (one["scope"], False, True)
    assert "makes no use of it" in clean.command("hooks")[1]
    clean.control("PUT", "/settings", {"hooks": right(clean.base)})
    assert hooks(clean)[1]["others"] == []


def test_ours_are_found_behind_several_pages_of_others(clean):
    others = [{**FOREIGN, "scope": "store/product/updated", "destination": f"https://erp.example.com/{i}"} for i in range(300)]
    clean.control("PUT", "/settings", {"hooks": [*others, *right(clean.base)]})
    status, answer = hooks(clean)
    assert status == 0 and len(answer["others"]) == 300


def test_ten_of_a_scope_are_the_most(clean):
    ten = [{**FOREIGN, "destination": f"https://erp.example.com/{i}"} for i in range(10)]
    clean.control("PUT", "/settings", {"hooks": [*ten, *right(clean.base)[1:]]})
    since = clean.last_request()
    status, answer = hooks(clean, "--repair")
    [one] = [one for one in answer["hooks"] if one["problems"]]
    assert status == 1 and one["done"] == "failed" and "no further webhook" in one["problem"] and calls(clean, since) == []


@pytest.mark.parametrize("fault", [{"kind": "timeout_after_apply"}, {"kind": "reset", "after_apply": True}, {"kind": "half_body"},
                                   {"kind": "answer", "status": 422, "body": {"title": "a webhook exists"}}],
                         ids=lambda fault: fault["kind"])
def test_a_create_whose_answer_is_lost_is_looked_up_and_not_made_twice(clean, fault):
    clean.control("PUT", "/faults/bigcommerce", {"rules": [{**fault, "method": "POST", "path": "v3/hooks", "count": 1}]})
    since = clean.last_request()
    status, answer = hooks(clean, "--repair")
    assert fault["kind"] in json.dumps(clean.control("GET", "/faults")), "the fault was met"
    assert status == 0 and len(registered(clean)) == len(WANTED)
    assert len([1 for method, _, _ in calls(clean, since) if method == "POST"]) == len(WANTED)
    assert not clean.redis().exists(clean.key("intents"))


def test_a_refusal_is_told_without_the_secret_and_the_others_are_made(clean):
    """BigCommerce repeats what it was sent, and its list shows nothing of it."""
    echo = {"status": 422, "title": "refused", "errors": {"headers": {"X-Onepool-Secret": HOOK_SECRET}}}
    clean.control("PUT", "/faults/bigcommerce", {"rules": [
        {"kind": "answer", "method": "POST", "path": "v3/hooks", "status": 422, "count": 1, "body": echo},
        {"kind": "answer", "method": "GET", "path": "v3/hooks/admin", "body": {"data": {}, "meta": {}}},
        {"kind": "answer", "method": "GET", "path": "v3/hooks", "body": {"data": [], "meta": {}}}]})
    status, answer = hooks(clean, "--repair")
    failed = [one for one in answer["hooks"] if one["done"] == "failed"]
    assert status == 1 and len(failed) == 1 and "422" in failed[0]["problem"] and "left out" in failed[0]["problem"]
    assert len(done(answer)) == len(WANTED)
    assert not clean.redis().exists(clean.key("intents"))
    clean.control("DELETE", "/faults")
    assert len(registered(clean)) == len(WANTED)
    assert hooks(clean, "--repair")[0] == 0


def switch_off(shop, number):
    """Somebody else with our token does."""
    settings = shop.settings()
    answer = request(f"{settings['BIGCOMMERCE_API_URL']}/stores/simstore/v3/hooks/{number}", "PUT", b'{"is_active": false}',
                     {"X-Auth-Token": settings["BIGCOMMERCE_ACCESS_TOKEN"], "Content-Type": "application/json", **verdict.NOT_OURS})
    assert answer.status == 200


def test_the_catch_up_goes_back_before_the_silence_and_never_forward(clean):
    """A webhook that is off: its events were tried for 173,040 s before it was given up."""
    redis, day_ms = clean.redis(), 86400 * 1000
    now = int(time.time() * 1000)

    def repaired(orders, scope=REFUND):
        redis.hset(clean.key("cursor"), "orders", orders)
        redis.delete(clean.key("due:refunds"), clean.key("job:refunds:main"))
        number = off(clean, scope)["id"]
        switch_off(clean, number)
        status, answer = hooks(clean, "--repair")
        assert status == 0 and done(answer) == {scope: "revived"} and off(clean, scope)["id"] == number
        return answer["catch_up"], int(redis.hget(clean.key("cursor"), "orders"))

    hooks(clean, "--repair")  # seen right: this is when it was good last
    began, at = repaired(now)
    assert began and now - 3 * day_ms < at <= now - 173040 * 1000 + 120 * 1000
    assert redis.zscore(clean.key("due:refunds"), "main") is not None
    assert not redis.hexists(clean.key("hooks"), "silent")
    began, at = repaired(now - 10 * day_ms)
    assert began and at == now - 10 * day_ms
    # A reading that began before the cursor was set back does not move it on.
    assert clean.fcall("orders_read", str(now), str(now + 1)) == 0
    assert clean.fcall("orders_read", str(at), str(now)) == 1
    assert int(redis.hget(clean.key("cursor"), "orders")) == now


@pytest.mark.parametrize("products, wanted", [
    ({"vat_groups": {"0": 1}}, PRODUCTS),
    ({"vat_groups": {"0": 1}, "price": "price_list", "price_list_id": 1}, PRODUCTS + PRICES)], ids=["catalog", "price list"])
def test_webhooks_of_products_are_made_if_the_mapping_uses_them_and_a_silence_compares_the_catalogs(clean, products, wanted):
    before = clean.mapping_file.read_text(encoding="utf-8")
    clean.mapping_file.write_text(json.dumps(shop_mapping(products=products)), encoding="utf-8")
    try:
        clean.control("PUT", "/settings", {"hooks": right(clean.base)})
        status, answer = hooks(clean)
        assert status == 1 and problems(answer) == {scope: ["missing"] for scope in wanted}
        status, answer = hooks(clean, "--repair")
        assert status == 0 and done(answer) == {scope: "created" for scope in wanted} and not answer["catch_up"]
        assert {h["destination"] for h in registered(clean) if h["scope"] in wanted} == {clean.base + PRODUCT_ROUTE}
        entered = json.loads(clean.command("check", "--hooks", "--json")[1])["bigcommerce"]
        assert {one["scope"] for one in entered} == {*WANTED, *wanted}
        switch_off(clean, off(clean, wanted[-1])["id"])
        status, answer = hooks(clean, "--repair")
        assert status == 0 and done(answer) == {wanted[-1]: "revived"} and answer["catch_up"]
        assert clean.redis().zrange(clean.key("due:catalog"), 0, -1) == ["sweep"]
        assert not clean.redis().exists(clean.key("due:refunds")), "no order was missed"
    finally:
        clean.mapping_file.write_text(before, encoding="utf-8")


def test_a_webhook_of_a_product_makes_it_due_once_after_the_debounce(stack):
    one = stack(functions=("product-updated",), simulators=False, mapping=shop_mapping(products={"debounce_s": 600}))
    body = {"scope": "store/sku/updated", "hash": "h1", "data": {"type": "sku", "id": 461, "sku": {"product_id": 206, "variant_id": 509}}}
    before = time.time() * 1000
    assert one.post(PRODUCT_ROUTE, body).status == 200
    [(entity, at)] = one.redis().zrange(one.key("due:product"), 0, -1, withscores=True)
    assert entity == "206" and before + 600_000 - 1 <= at <= time.time() * 1000 + 600_000
    assert one.post(PRODUCT_ROUTE, {**body, "hash": "h2"}).status == 200
    assert one.redis().zrange(one.key("due:product"), 0, -1, withscores=True) == [("206", at)]
    assert len(one.redis().xrange(one.key("journal"))) == 2


@pytest.mark.parametrize("what, field, due", [("orders", "silent", "refunds"), ("products", "silent:products", "catalog")])
def test_a_catch_up_reads_what_was_silent_and_nothing_else(clean, what, field, due):
    redis = clean.redis()
    for at in (2000, 1000, 3000):
        clean.fcall("hooks_silent", at, what)
    assert redis.hgetall(clean.key("hooks")) == {field: "1000"}, "the earliest is kept"
    assert clean.fcall("hooks_catch_up", 0) == 1
    assert {name: redis.exists(clean.key(f"due:{name}")) for name in ("refunds", "ledger", "catalog")} == \
        {"refunds": due == "refunds", "ledger": due == "refunds", "catalog": due == "catalog"}
    assert due != "catalog" or redis.zrange(clean.key("due:catalog"), 0, -1) == ["sweep"]
    assert clean.fcall("hooks_catch_up", 0) == 0 and not redis.exists(clean.key("hooks"))


def test_shadow_mode_records_and_sends_nothing(clean):
    since = clean.last_request()
    clean.env_overrides["ONEPOOL_MODE"] = "shadow"
    try:
        status, answer = hooks(clean, "--repair")
        _, out, _ = clean.command("hooks", "--repair")
    finally:
        clean.env_overrides.pop("ONEPOOL_MODE")
    assert status == 1 and done(answer) == {scope: "shadowed" for scope in WANTED} and "Shadow mode" in out
    assert calls(clean, since) == []
    recorded = [fields for _, fields in clean.redis().xrange(clean.key("shadow"))]
    assert {fields["path"] for fields in recorded} == {"/v3/hooks"} and HOOK_SECRET not in json.dumps(recorded)


@pytest.mark.parametrize("url, text", [(None, "ONEPOOL_PUBLIC_URL is not set"), ("https://hooks.example.com:8443", "port 443"),])
def test_an_address_that_bigcommerce_cannot_call_is_a_clear_mistake(clean, url, text):
    before = clean.env_overrides.pop("ONEPOOL_PUBLIC_URL")
    if url:
        clean.env_overrides["ONEPOOL_PUBLIC_URL"] = url
    try:
        since = clean.last_request()
        status, answer = hooks(clean, "--repair")
        assert status == 1 and text in answer["error"]["text"] and calls(clean, since) == []
        status, out, _ = clean.command("hooks")
        assert status == 1 and text in out
    finally:
        clean.env_overrides["ONEPOOL_PUBLIC_URL"] = before


def test_plain_http_to_another_machine_is_refused_at_start(clean):
    clean.env_overrides["ONEPOOL_PUBLIC_URL"] = "http://hooks.example.com"
    try:
        status, _, err = clean.command("hooks")
        assert status == 100 and "ONEPOOL_PUBLIC_URL: must begin with https://" in err
    finally:
        clean.env_overrides["ONEPOOL_PUBLIC_URL"] = clean.base


def test_wrong_words_are_wrong_usage(clean):
    assert clean.command("hooks", "--delete")[0] == 2


def test_platform_away_is_an_error_and_no_verdict(clean):
    clean.control("PUT", "/faults/bigcommerce", {"rules": [{"kind": "status", "status": 503, "path": "v3/hooks"}]})
    status, answer = hooks(clean)
    assert status == 1 and answer["error"]["cause"] == "platform_down"


def test_every_destination_is_a_route_of_a_function_that_exists():
    conf = (ROOT / "nginx" / "onepool.conf.in").read_text(encoding="utf-8")
    source = (ROOT / "shared" / "hooks_plan.c").read_text(encoding="utf-8")
    paths = set(re.findall(r'"(/hooks/bigcommerce/[a-z-]+)"', source))
    assert paths == {*WANTED.values(), PRODUCT_ROUTE}
    for path in paths:
        name = path.rpartition("/")[2]
        if (ROOT / "functions" / name).exists() or name in ("stock-changed", "delivery-exception"):
            assert f"location = {path} {{" in conf


# ---------------------------------------------------------------- the timer

@pytest.fixture(scope="module")
def shop(module_stack):
    """Everything runs, and BigCommerce calls us."""
    one = module_stack(mapping=shop_mapping(returns={"goods_back_days": 14}), simulator_args=QUICK)
    one.wait_quiet()
    # The address is known only once nginx has its port.
    one.base = one.url("")
    one.env_overrides["ONEPOOL_PUBLIC_URL"] = one.base
    one.processes["order-updated"].stop()
    one.start_function("order-updated")
    return one


@pytest.fixture
def called(shop):
    """With all webhooks right, and seen so."""
    shop.control("DELETE", "/faults")
    shop.control("PUT", "/settings", {"hooks": right(shop.base), "send_hooks": False})
    look(shop)
    yield shop
    shop.control("PUT", "/settings", {"send_hooks": False, "hook_retry_scale": 0.01, "hook_block_scale": 0.01})


def look(shop):
    """The timer looks now."""
    shop.fcall("apply", "mark", "hooks", "main", "0", "", "")
    shop.wait_until(lambda: looked(shop), 20, "the timer has looked")


def looked(shop):
    score = shop.redis().zscore(shop.key(TIMER), "main")
    job = shop.redis().hgetall(shop.key("job:hooks:main"))
    return score is not None and job.get("lease") == "0" and score > time.time() * 1000


def cases(shop, cause):
    return {name.partition(":")[2]: case for name, case in shop.cases().items() if name.startswith(cause + ":")}


def off(shop, scope):
    """BigCommerce gives up calling it."""
    return next(h for h in registered(shop) if h["scope"] == scope)


def deactivate(shop, scope, path):
    """By calls that fail for two (scaled) days: nobody answers at its route."""
    shop.control("PUT", "/settings", {"send_hooks": True, "hook_retry_scale": 0.000001})
    shop.processes["order-updated"].stop()
    sku = shop.fresh_sku({1: 3})
    order = shop.control("POST", "/web-order", {"rows": [{"sku": sku, "quantity": 1}]})["order_id"]
    shop.control("POST", "/web-order-status", {"order_id": order, "status": 2})
    shop.wait_until(lambda: not off(shop, scope)["is_active"], 30, "the webhook is given up")
    return order


def polled(shop):
    """The writer has read web orders by date once more, and noted where it is."""
    before = shop.redis().hget(shop.key("cursor"), "orders")
    shop.wait_until(lambda: shop.redis().hget(shop.key("cursor"), "orders") != before, 15, "web orders are read")


def test_a_webhook_that_was_given_up_is_revived_and_what_was_missed_is_found(called):
    shop = called
    deactivate(shop, "store/order/statusUpdated", UPDATED)
    shop.control("PUT", "/settings", {"send_hooks": False})
    # A refund of the dead time, of which no call tells, and an order that the reading by date passes over.
    sku = shop.fresh_sku({1: 4})
    [order] = shop.control("POST", "/past", {"count": 1, "age_days": [1, 1], "statuses": [11]})["orders"]
    other = shop.control("POST", "/web-order", {"rows": [{"sku": sku, "quantity": 2}]})["order_id"]
    refund = shop.control("POST", "/web-refund", {"order_id": other, "quantity": 1})["refund_id"]
    shop.wait_until(lambda: shop.redis().hexists(shop.key("pending:orders"), other), 20, "the later order is read")
    shop.redis().zadd(shop.key("due:refunds"), {"main": int(time.time() * 1000) + 3600 * 1000})
    for _ in range(2):
        polled(shop)
    assert not shop.redis().hexists(shop.key("pending:orders"), order), "no reading by date finds it"
    assert not [r for r in shop.records("refund_made_in_bigcommerce") if r["refund"] == refund]
    shop.start_function("order-updated")
    look(shop)
    assert all(hook["is_active"] for hook in registered(shop) if hook["scope"] != "store/order/created")
    case = cases(shop, "webhook_repaired")["store/order/statusUpdated"]
    assert "deactivated" in case["text"] and "read again" in case["text"] and case["owner"] == "operations"
    shop.wait_until(lambda: shop.redis().zscore(shop.key("due:handover"), order) is not None, 20, "the order is due for hand-over")
    shop.wait_until(lambda: [r for r in shop.records("refund_made_in_bigcommerce") if r["refund"] == refund], 20,
                    "the refund is found")
    look(shop)
    assert cases(shop, "webhook_repaired") == {} and cases(shop, "webhook_wrong") == {}, "they close by themselves"
    for name in ("order-updated", "stock-moved"):
        assert HOOK_SECRET not in shop.logs(name)


def test_one_that_was_removed_is_made_again_and_only_told_if_it_never_was_there(called):
    shop = called
    shop.control("PUT", "/settings", {"hooks": [h for h in right(shop.base) if h["scope"] != REFUND]})
    cursor = int(shop.redis().hget(shop.key("cursor"), "orders"))
    since = shop.last_request()
    look(shop)
    assert [(method, path) for method, path, _ in calls(shop, since)] == [("POST", "/hooks")]
    assert off(shop, REFUND)["is_active"] and "missing" in cases(shop, "webhook_repaired")[REFUND]["text"]
    early = [r for r in shop.requests(since, "bigcommerce") if "min_date_modified" in str(r)]
    assert early or int(shop.redis().hget(shop.key("cursor"), "orders")) <= cursor + 60000
    shop.redis().hdel(shop.key("hooks"), "good:" + REFUND)
    shop.control("PUT", "/settings", {"hooks": [h for h in right(shop.base) if h["scope"] != REFUND]})
    since = shop.last_request()
    look(shop)
    assert calls(shop, since) == []
    case = cases(shop, "webhook_wrong")[REFUND]
    assert "missing" in case["text"] and "onepool hooks --repair" in case["step"]
    assert shop.command("hooks", "--repair")[0] == 0
    look(shop)
    assert cases(shop, "webhook_wrong") == {}


@pytest.mark.parametrize("members, word", [({"is_active": False}, "inactive"), ({"headers": {"X-Onepool-Secret": "x"}}, "header")])
def test_what_somebody_may_have_done_on_purpose_is_only_told(called, members, word):
    shop = called
    shop.control("PUT", "/settings", {"hooks": changed(shop.base, STOCK, **members)})
    since = shop.last_request()
    look(shop)
    assert calls(shop, since) == [] and word in cases(shop, "webhook_wrong")[STOCK]["text"]
    assert shop.command("hooks", "--repair")[0] == 0
    look(shop)
    assert cases(shop, "webhook_wrong") == {}


def test_a_blocked_domain_is_told_with_its_reasons_until_it_is_free(called):
    shop = called
    shop.control("PUT", "/settings", {"send_hooks": True, "hook_retry_scale": 0.01, "hook_block_scale": 0.05,
                                      "hooks": [{**h, "headers": {"X-Onepool-Secret": "wrong"}} for h in right(shop.base)]})
    sku = shop.fresh_sku({1: 1})
    for i in range(60):
        shop.control("PUT", "/level", {"sku": sku, "location": 8, "level": 100 + i})
    order = shop.control("POST", "/web-order", {"rows": [{"sku": sku, "quantity": 1}]})["order_id"]
    for i in range(50):
        shop.control("POST", "/web-order-status", {"order_id": order, "status": 9 if i % 2 else 11})
    shop.wait_until(lambda: shop.bigcommerce("/v3/hooks/admin")["data"]["blocked_domains"], 30, "the domain is blocked")
    status, answer = hooks(shop)
    look(shop)
    assert status == 1 and answer["blocked_domains"][0]["time_left_s"] > 0
    assert {r["text"] for r in answer["blocked_domains"][0]["reasons"]} >= {"Status 401"}
    assert "401" in cases(shop, "webhook_domain_blocked")["BigCommerce"]["text"]
    assert shop.redis().zscore(shop.key(TIMER), "main") < 1000 * (time.time() + 60), "the next look is when it should be free"
    shop.control("PUT", "/settings", {"send_hooks": False, "hooks": right(shop.base)})
    shop.wait_until(lambda: not shop.bigcommerce("/v3/hooks/admin")["data"]["blocked_domains"], 30, "it is free again")
    look(shop)
    assert cases(shop, "webhook_domain_blocked") == {} and cases(shop, "webhook_wrong") == {}


# ---------------------------------------------------------------- delivery exceptions

def tell(shop, code, hook=1, **members):
    return shop.post(EXCEPTION_ROUTE, {"scope": EXCEPTION, "hash": f"exception-{code}-{hook}", "data": {
        "type": "webhook", "id": hook, "error_code": code, "message": "Delivery attempts failed", **members}})


def test_a_delivery_exception_is_a_case_that_names_code_and_step(called):
    shop = called
    number = off(shop, REFUND)["id"]
    assert tell(shop, 90001, number).status == 200 and tell(shop, 90003, number).status == 200
    assert shop.journal(f"exception-90001-{number}")
    found = cases(shop, "delivery_exception")
    one = found[f"webhook {number} code 90001"]
    assert "90001" in one["text"] and "tried again" in one["text"] and "Delivery attempts failed" in one["text"]
    assert "onepool check" in one["step"] and one["effect"] and one["owner"] == "operations"
    shop.wait_until(lambda: f"webhook {number} code 90003" not in cases(shop, "delivery_exception"), 15,
                    "the domain is free, so the case closes at the look")
    assert f"webhook {number} code 90001" in cases(shop, "delivery_exception")
    assert shop.command("parked", "--close", f"delivery_exception:webhook {number} code 90001")[0] == 0


def test_a_webhook_that_was_switched_off_is_looked_at_at_once(called):
    shop = called
    look(shop)
    since = shop.last_request()
    assert tell(shop, 90002, off(shop, STOCK)["id"]).status == 200
    shop.wait_until(lambda: [r for r in shop.requests(since, "bigcommerce") if r["path"].endswith("/v3/hooks/admin")], 5,
                    "the webhooks are read")
    shop.wait_until(lambda: cases(shop, "delivery_exception") == {}, 10, "it is active, so the case closes")


def test_a_delivery_exception_that_is_not_authentic_or_not_whole(called):
    shop = called
    body = {"scope": EXCEPTION, "hash": "forged", "data": {"type": "webhook", "id": 1, "error_code": 90002}}
    assert shop.post(EXCEPTION_ROUTE, body, headers={"X-Onepool-Secret": "another secret, as long"}).status == 401
    assert shop.journal("forged") == []
    before = set(shop.cases())
    assert shop.post(EXCEPTION_ROUTE, {"scope": EXCEPTION, "data": {"type": "webhook"}}).status == 200
    [new] = set(shop.cases()) - before
    assert new.startswith("bad_hook:")
    assert request(shop.url(EXCEPTION_ROUTE)).status == 503, "only POST"
