# SPDX-License-Identifier: Apache-2.0
"""The first image of a SKU reaches the tills, once; staff's own images stay. The images: tests/sim/webimages.py, tillimages.py."""
import json
import urllib.parse

import pytest

from catalog_shop import all_right, due, edit, load, make, never, product, products_mapping, quiet, swept, till

MAPPING = products_mapping(images=True)


@pytest.fixture(scope="module")
def shop(module_stack):
    one = make(module_stack, mapping=MAPPING)
    yield one
    numbers = one.control("GET", "/stats")
    assert numbers["images_twice"] == numbers["images_foreign_removed"] == numbers["cdn_with_credentials"] == 0
    never(one)


def images(shop, sku):
    return shop.control("GET", "/sitoo-images?sku=" + urllib.parse.quote(sku, safe=""))["images"]


def ours(shop, sku):
    return [name for name in images(shop, sku) if name.startswith("onepool-")]


def still(shop):
    """No product and no image is due."""
    def nothing():
        return not shop.control("GET", "/hook-log")["waiting"] and not due(shop) and not shop.redis().exists(shop.key("due:image"))
    shop.wait_until(nothing, 60, "no image is due")


def brought(shop, sku, but=(), timeout=60):
    """Waits for the one image of ours, another than those of before; returns its name."""
    def there():
        found = ours(shop, sku)
        return len(found) == 1 and found[0] not in but and found[0]
    return shop.wait_until(there, timeout, f"{sku} has its image")


def posts(shop, since=0):
    return [json.loads(one["body"]) for one in shop.requests(since, "sitoo") if one["method"] == "POST" and "/images" in one["path"]]


def test_an_image_reaches_the_tills_and_is_sent_once(shop):
    since = shop.last_request()
    number = product(shop, "Jar", ["JAR-1"], image="jar-1")
    brought(shop, "JAR-1")
    still(shop)
    (post,) = posts(shop, since)
    assert post["resourceid"].startswith("onepool-") and post["filedata"].startswith("iVBORw0KGgo")
    since = shop.last_request()
    edit(shop, number, name="Another jar")
    shop.wait_until(lambda: till(shop, "JAR-1")["title"] == "Another jar", 20, "the title follows")
    still(shop)
    assert not [one for one in shop.requests(since, "sitoo") if "/images" in one["path"]], "an image that did not change costs no call"
    all_right(shop)


def test_a_family_is_sent_one_copy_of_its_image_and_a_variant_its_own(shop):
    since = shop.last_request()
    skus = ["FAM-1", "FAM-2", "FAM-3"]
    variants = [{"sku": sku, "options": [{"name": "Size", "label": sku}]} for sku in [*skus, "FAM-OWN"]]
    variants[3]["image"] = "fam-own"
    product(shop, "Family", skus, image="fam", variants=variants)
    names = {sku: brought(shop, sku) for sku in [*skus, "FAM-OWN"]}
    still(shop)
    assert len({names[sku] for sku in skus}) == 1 and names["FAM-OWN"] != names["FAM-1"]
    sent = posts(shop, since)
    assert len(sent) == 4
    assert sorted("filedata" in post for post in sent) == [False, False, True, True]


def test_six_times_as_many_variants_as_a_round_takes(shop):
    skus = [f"MANY-{n}" for n in range(120)]
    product(shop, "Many", skus, image="many")
    shop.wait_until(lambda: all(ours(shop, sku) for sku in skus), 120, "all have their image")
    still(shop)
    assert all(len(images(shop, sku)) == 1 for sku in skus)


@pytest.mark.parametrize("index_from", [0, 1])
def test_another_image_takes_the_place_of_ours_and_staffs_stay(shop, index_from):
    shop.control("PUT", "/settings", {"sitoo_products": {"image_index_from": index_from}})
    sku = f"CHANGE-{index_from}"
    number = product(shop, "Change", [sku], image="before")
    first = brought(shop, sku)
    still(shop)
    shop.control("POST", "/sitoo-images", {"sku": sku, "images": ["staff-1.png", first, "staff-2.png"]})
    edit(shop, number, image="after")
    second = brought(shop, sku, but=[first])
    still(shop)
    assert images(shop, sku) == ["staff-1.png", "staff-2.png", second]
    edit(shop, number, image="")
    shop.wait_until(lambda: not ours(shop, sku), 30, "ours goes with BigCommerce's")
    still(shop)
    assert images(shop, sku) == ["staff-1.png", "staff-2.png"]


@pytest.mark.parametrize("name, says", [("missing-1", "answers 404"), ("text-1", "no JPEG, PNG, GIF or WebP"), ("huge-1", "larger than")])
def test_an_image_that_cannot_be_read_is_a_case_and_the_product_is_brought(shop, name, says):
    sku = f"BAD-{name.split('-')[0].upper()}"
    number = product(shop, "Bad image", [sku], image=name, price="12.00")

    def told():
        return shop.cases().get(f"image_unreadable:{sku}")
    shop.wait_until(told, 30, "there is a case")
    still(shop)
    assert says in told()["text"] and told()["owner"]
    assert till(shop, sku)["moneyprice"] == "12.00" and not images(shop, sku)

    def fetched():
        return shop.control("GET", "/stats")["images_fetched"]
    before = fetched()
    edit(shop, number, name="Bad image still")
    shop.wait_until(lambda: till(shop, sku)["title"] == "Bad image still", 20, "the title follows")
    still(shop)
    assert fetched() == before, "an image that is a case is not tried with each change"
    swept(shop)
    still(shop)
    assert fetched() == before + 1, "but daily"
    edit(shop, number, image="good")
    brought(shop, sku)
    still(shop)
    assert not told(), "the case is closed"


def test_a_refused_image_is_tried_again_when_a_person_says_so(shop):
    shop.control("PUT", "/settings", {"sitoo_products": {"refuse_images": True}})
    product(shop, "Refused", ["REF-1", "REF-2"], image="refused")
    shop.wait_until(lambda: {"image_refused:REF-1", "image_refused:REF-2"} <= set(shop.cases()), 30, "there are cases")
    still(shop)
    assert "Invalid value in filedata" in shop.cases()["image_refused:REF-1"]["text"]
    shop.control("PUT", "/settings", {"sitoo_products": {"refuse_images": False}})
    status, out, err = shop.command("parked", "--retry", "image_refused:REF-1")
    assert status == 0, (out, err)
    brought(shop, "REF-1")
    brought(shop, "REF-2")
    still(shop)
    assert not {name for name in shop.cases() if name.startswith("image_")}


def test_a_case_ends_with_its_product(shop):
    number = product(shop, "Gone", ["GONE-1"], image="missing-gone")
    shop.wait_until(lambda: shop.cases().get("image_unreadable:GONE-1"), 30, "there is a case")
    shop.control("DELETE", "/bc-product", {"product_id": number})
    quiet(shop)
    swept(shop)
    assert not shop.cases().get("image_unreadable:GONE-1")


def tries_of(shop, number):
    return int(shop.redis().hget(shop.key(f"job:image:{number}"), "tries") or 0)


def test_a_server_of_images_that_breaks_off_holds_up_only_its_image(shop):
    variants = [{"sku": "BROKEN-1", "image": "broken", "options": [{"name": "Size", "label": "1"}]},
                {"sku": "BROKEN-2", "image": "whole", "options": [{"name": "Size", "label": "2"}]}]

    def fetched():
        return shop.control("GET", "/stats")["images_fetched"]
    before = fetched()
    number = product(shop, "Broken", ["BROKEN-1", "BROKEN-2"], variants=variants)
    brought(shop, "BROKEN-2")
    job = shop.key(f"job:image:{number}")
    shop.wait_until(lambda: (shop.redis().hget(job, "cause") or "").startswith("image_server: "), 20, "it is put off")
    assert tries_of(shop, number) == 1
    shop.redis().zadd(shop.key("due:image"), {str(number): 0})
    shop.wait_until(lambda: fetched() > before + 2 and shop.redis().hget(job, "lease") == "0", 20, "it is put off again")
    assert tries_of(shop, number) == 2, "a try is counted"
    assert fetched() == before + 3, "nobody asks again at once"
    shop.redis().hset(job, "tries", 9)
    shop.redis().zadd(shop.key("due:image"), {str(number): 0})
    shop.wait_until(lambda: shop.cases().get("image_unreadable:BROKEN-1"), 20, "the tenth try is the last")
    still(shop)
    edit(shop, number, variants=[{"sku": "BROKEN-1", "image": "whole"}])
    brought(shop, "BROKEN-1")


def test_sitoo_that_fails_with_each_image_holds_up_no_price(shop):
    shop.control("PUT", "/faults/sitoo", {"seed": 1, "rules": [{"kind": "status", "status": 500, "method": "POST", "path": "images.json"}]})
    number = product(shop, "Fails", ["FAILS-1"], image="fails", price="10.00")
    shop.wait_until(lambda: tries_of(shop, number) == 1 and shop.redis().hget(shop.key(f"job:image:{number}"), "lease") != "1", 30,
                    "it was tried once")
    edit(shop, number, price="11.00")
    shop.wait_until(lambda: till(shop, "FAILS-1")["moneyprice"] == "11.00", 20, "the price is not held up")
    assert not images(shop, "FAILS-1")
    shop.control("PUT", "/faults/sitoo", {"seed": 1, "rules": []})
    brought(shop, "FAILS-1")


def test_sitoo_that_is_down_is_asked_once_for_all_that_is_due(shop):
    numbers = [product(shop, f"Down {n}", [f"DOWN-{n}"], image="down") for n in range(6)]
    for n in range(6):
        brought(shop, f"DOWN-{n}")
    still(shop)
    redis, jobs = shop.redis(), [shop.key(f"job:image:{number}") for number in numbers]
    redis.delete(shop.key("product:images"))
    shop.control("PUT", "/faults/sitoo", {"seed": 1, "rules": [{"kind": "status", "status": 503, "method": "GET", "path": "images.json"}]})
    shop.fcall("apply", *[word for number in numbers for word in ("mark", "image", str(number), "0", "", "")])
    shop.wait_until(lambda: all(redis.hget(job, "cause") for job in jobs), 20, "all are put off")
    assert shop.control("GET", "/faults")["sitoo"]["hits"]["status"] <= 3, "one call for six products, and perhaps the next round's"
    shop.control("PUT", "/faults/sitoo", {"seed": 1, "rules": []})
    still(shop)
    assert [len(images(shop, f"DOWN-{n}")) for n in range(6)] == [1] * 6


def test_a_product_that_is_made_anew_gets_its_image_again(shop):
    product(shop, "Anew", ["ANEW-1"], image="anew")
    first = brought(shop, "ANEW-1")
    still(shop)
    number = till(shop, "ANEW-1")["productid"]
    shop.control("DELETE", "/till-product", {"sku": "ANEW-1"})
    swept(shop)
    shop.wait_until(lambda: (till(shop, "ANEW-1") or {}).get("productid", number) != number, 30, "it is made again")
    assert brought(shop, "ANEW-1") == first


def test_an_answer_that_is_lost_after_the_image_was_taken(shop):
    shop.control("PUT", "/faults/sitoo", {"seed": 1, "rules": [{"kind": "reset", "after_apply": True, "method": "POST", "path": "images.json", "count": 1}]})
    product(shop, "Lost", ["LOST-1"], image="lost")
    brought(shop, "LOST-1")
    still(shop)
    assert images(shop, "LOST-1") == ours(shop, "LOST-1") and len(images(shop, "LOST-1")) == 1


def test_a_worker_that_is_killed_sends_no_image_twice(stack, tmp_path):
    mark = tmp_path / "kill"
    shop = make(stack, mapping=MAPPING, env={"ONEPOOL_DEV": "1", "ONEPOOL_FAULT_POINT": f"products.image:{mark}"})
    mark.touch()
    product(shop, "Killed", ["KILL-1", "KILL-2"], image="killed")
    shop.wait_until(lambda: not mark.exists(), 30, "the worker was killed")
    brought(shop, "KILL-1", timeout=150)
    brought(shop, "KILL-2")
    assert shop.control("GET", "/stats")["images_twice"] == 0


def test_images_that_are_switched_on_later_come_with_the_comparison(stack):
    shop = make(stack)
    number = product(shop, "Later", ["LATER-1"], image="later")
    quiet(shop)
    assert shop.control("GET", "/stats")["images_fetched"] == 0 and not images(shop, "LATER-1")
    assert not [one for one in shop.requests(0, "sitoo") if "/images" in one["path"]]
    shop.mapping_file.write_text(json.dumps(MAPPING), encoding="utf-8")
    shop.replace_function("product-updated")
    swept(shop)
    brought(shop, "LATER-1")
    still(shop)
    edit(shop, number, name="Later, again")
    still(shop)
    assert shop.control("GET", "/stats")["images_added"] == 1


def test_a_first_load_brings_images_too(stack):
    shop = make(stack, mapping=MAPPING, hooks=False, loaded=False)
    product(shop, "First", ["FIRST-1"], image="first")
    load(shop)
    brought(shop, "FIRST-1")
    assert till(shop, "FIRST-1")["title"] == "First"
