# SPDX-License-Identifier: Apache-2.0
"""Whatever happens to web orders, nothing of their customers stays in Redis, its files or the logs (debug logs too)."""
import json

import pytest

from web_shop import COLLECT, FUNCTIONS, QUICK, all_right, at, handed, in_sitoo, order, status_of, with_hooks

MESSAGE = "Ring twice \u0007 \U0001f6b2 at the back door"
ADDRESS = {"first_name": "Qvorrin", "last_name": "Zelbat", "street_1": "Fnordgatan 77", "city": "Xyzzyborg", "zip": "98 765",
           "phone": "+46 70 555 01 99", "email": "qvorrin@zelbat.example"}


@pytest.fixture(scope="module")
def shop(module_stack):
    one = module_stack(functions=FUNCTIONS, simulator_args=("--web-orders", "--skus", "200", *QUICK),
                       mapping={**MAPPING, "web_orders": {"customer_fields": ["name", "phone", "email"], "message": True}})
    with_hooks(one)
    one.wait_until(one.idle, 20, "the first round is over")
    return one


MAPPING = {
    "locations": [{"bigcommerce_location_id": 1, "sitoo_warehouse_ids": [1, 2, 3]},
                  {"bigcommerce_location_id": 7, "sitoo_warehouse_ids": [4]}],
    "pickup": [{"bigcommerce_location_id": 5, "sitoo_warehouse_id": 3, "pickup_method_ids": [2]}],
    "shipping": {"location_id": 1, "allocate_from": [1, 2]},
}


def everything(redis):
    """Names and values of all keys."""
    read = {b"string": redis.get, b"set": redis.smembers, b"list": lambda key: redis.lrange(key, 0, -1),
            b"zset": lambda key: redis.zrange(key, 0, -1), b"hash": lambda key: flat(redis.hgetall(key).items()),
            b"stream": lambda key: flat(pair for _, fields in redis.xrange(key) for pair in fields.items())}
    for key in redis.scan_iter(count=1000):
        kind = redis.type(key)
        found = read[kind](key) if kind != b"none" else []  # none: it has ended since the keys were listed
        yield b"\n".join([key, *(found if isinstance(found, (list, set)) else [found or b""])])


def flat(pairs):
    return [part for pair in pairs for part in pair]


def needles(shop):
    """Every form in which personal data may be found: as it is, and as JSON writes it."""
    texts = [shop.control("GET", "/personal-data")["mark"], MESSAGE, "Ring twice", "back door", *ADDRESS.values()]
    texts += ["Fnordgatan", "zelbat", "98 765", "back do"]
    return {form.encode().lower() for text in texts
            for form in (text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])}


def kept(shop):
    """[(where, what)] of personal data in Redis, Redis's files and the logs."""
    wanted, found = needles(shop), []
    for text in everything(shop.redis(decode=False)):
        found += [("Redis " + text[:80].decode(errors="replace"), one) for one in wanted if one in text.lower()]
    for folder in (shop.folder / "redis", shop.log_folder):
        for path in folder.rglob("*"):
            # The simulators play the platforms: those know the customer.
            if path.is_file() and not path.name.startswith("simulators"):
                text = path.read_bytes()
                found += [(str(path), one) for one in wanted if one in text.lower()]
    return found


def in_detail(shop, number):
    """The Sitoo order as a shop sees it."""
    return shop.sitoo(f"/sites/1/orders/{in_sitoo(shop, number)[-1]['id']}.json")


def place(shop, *rows, **more):
    return order(shop, *rows, **{"status": 11, "address": ADDRESS, "customer_message": MESSAGE, **more})


def test_the_search_finds_what_is_there(shop):
    """Or its silence would mean nothing."""
    number = place(shop, at(shop, 5), **COLLECT)
    handed(shop, number)
    known = f"BC-{number}".encode()
    assert any(str(number).encode() in text for text in everything(shop.redis(decode=False)))
    assert any(known in path.read_bytes() or str(number).encode() in path.read_bytes()
               for path in (shop.folder / "redis").rglob("*") if path.is_file())
    redis = shop.redis()
    redis.hset(shop.key("test"), "who", ADDRESS["street_1"])
    assert ADDRESS["street_1"].lower().encode() in [what for where, what in kept(shop) if "Redis" in where]
    redis.delete(shop.key("test"))
    redis.bgrewriteaof()
    shop.wait_until(lambda: not redis.info("persistence")["aof_rewrite_in_progress"], 20, "the file is rewritten")
    shop.wait_until(lambda: not kept(shop), 10, "the test's own text is gone from the file")


def test_shop_gets_what_it_needs_and_nothing_is_kept(shop):
    pickup, sent = place(shop, at(shop, 5), **COLLECT), place(shop, {"sku": at(shop, 5, 1), "quantity": 2})
    handed(shop, pickup)
    handed(shop, sent)
    theirs = json.dumps(in_detail(shop, sent))
    assert "Fnordgatan 77" in theirs, "the platform is given the address, so that its absence elsewhere means something"
    assert not any(name.startswith("delivery_") for name in in_sitoo(shop, pickup)[-1]["personal"])
    shop.control("POST", "/web-order-edit", {"order_id": sent, "address": {"street_1": "Fnordgatan 77 B"}})
    shop.wait_until(lambda: "Fnordgatan 77 B" in json.dumps(in_detail(shop, sent)), 20, "the new address is in Sitoo")
    shop.control("POST", "/ready", {"web_order": pickup})
    shop.wait_until(lambda: status_of(shop, pickup) == 8, 20, "Awaiting Pickup")
    shop.control("POST", "/collect", {"web_order": pickup})
    shop.control("POST", "/ship", {"web_order": sent})
    shop.wait_until(lambda: (status_of(shop, pickup), status_of(shop, sent)) == (10, 2), 30, "Completed, Shipped")
    all_right(shop)
    assert kept(shop) == []


def test_nothing_is_kept_of_cases_either(shop):
    rejected, cancelled, in_till = (place(shop, at(shop, 5), **COLLECT) for _ in range(3))
    short = place(shop, {"sku": at(shop, 5, 1), "quantity": 5}, {"sku": at(shop, 5, 2), "quantity": 1})
    for number in (rejected, cancelled, in_till):
        handed(shop, number)
    shop.control("POST", "/reject", {"web_order": rejected})
    shop.control("POST", "/web-order-status", {"order_id": cancelled, "status": 5})
    shop.control("POST", "/cancel-order", {"web_order": in_till})
    names = (f"pickup_rejected:web order {rejected}", f"cancelled_in_till:web order {in_till}")
    shop.wait_until(lambda: set(names) <= set(shop.cases()), 30, "both are cases")
    assert kept(shop) == []
    for number in (rejected, in_till, short):
        shop.control("POST", "/web-order-status", {"order_id": number, "status": 5})
    shop.wait_until(lambda: not set(names) & set(shop.cases()), 30, "the cases end")
    all_right(shop)
    assert kept(shop) == []


FAULTS = {
    "no answer": ("sitoo", {"kind": "reset", "after_apply": True, "path": "orders.json", "method": "POST"}),
    "500": ("sitoo", {"kind": "status", "status": 500, "path": "orders.json", "method": "POST"}),
    "half a body": ("sitoo", {"kind": "half_body", "path": "orders.json", "method": "POST"}),
    "half an order": ("bigcommerce", {"kind": "half_body", "path": "/v2/orders/", "method": "GET"}),
}


@pytest.mark.parametrize("platform,rule", FAULTS.values(), ids=FAULTS)
def test_nothing_is_kept_when_calls_fail(shop, platform, rule):
    """Write-ahead intents, causes and logged answers: that is where a body could stay."""
    shop.control("PUT", f"/faults/{platform}", {"rules": [{**rule, "count": 1}]})
    number = place(shop, at(shop, 5), **COLLECT)
    handed(shop, number, timeout=60)
    shop.control("DELETE", "/faults")
    all_right(shop, timeout=60)
    assert kept(shop) == []


# A platform that repeats what it was sent, in other letters and cut off.
WORDS = "delivery_zip: 98 765 is no zip of Xyzzyborg; FNORDGATAN 77; qvorrin@zelbat.example, ring twice at the back do"
REFUSAL = {"status": 400, "path": "orders.json", "method": "POST", "body": {"statuscode": 400, "errortext": WORDS}}


@pytest.mark.parametrize("kind", ("status", "answer"), ids=("nothing done", "done all the same"))
def test_words_of_a_refusal_repeat_nothing_of_the_customer(shop, kind):
    shop.control("PUT", "/faults/sitoo", {"rules": [{"kind": kind, **REFUSAL}]})
    try:
        number = place(shop, at(shop, 5, 1))
        if kind == "status":
            name = f"handover_refused:web order {number}"
            case = shop.wait_until(lambda: shop.cases().get(name), 30, "it is a case")
            assert "Sitoo answered 400" in case["text"] and "delivery_zip" in case["text"], "it still says what is wrong"
            assert kept(shop) == []
            shop.control("DELETE", "/faults")
            assert shop.command("parked", "--retry", name)[0] == 0
        handed(shop, number, timeout=60)
    finally:
        shop.control("DELETE", "/faults")
    all_right(shop, timeout=60)
    assert kept(shop) == []
    assert any("delivery_zip" in path.read_text(encoding="utf-8", errors="replace") for path in shop.log_folder.glob("order*"))
