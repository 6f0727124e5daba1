# SPDX-License-Identifier: Apache-2.0
"""Tests of the product flow's part of the simulators: BigCommerce's catalog, Sitoo's products, and the oracle between them."""
import json
import urllib.parse

import pytest
from test_sim import KEY, Sim, call, wait_until


def take(*arguments):
    sim = Sim("--skus", 30, "--products", *arguments)
    return sim


@pytest.fixture(name="sim")
def fixture_sim():
    sim = take()
    yield sim
    assert sim.stop() == (0, "")


def add(sim, elements, method="POST", path="sites/1/products.json"):
    answer = sim.sitoo(path, method=method, body=elements)
    return answer.status, answer.json()


def product(sim, sku):
    return sim.control("GET", "/till-products?sku=" + urllib.parse.quote(sku, safe=""))["products"][0]


def row(record, **more):
    names = ("productid", "active", "activepos", "deliverystatus", "title", "sku", "moneyprice", "moneypriceorg", "moneypricein",
             "moneyofferprice", "friendly")
    return {**{name: record[name] for name in names}, "barcode": record["barcode"] or "", **more}


def bring(sim):
    """What onepool has to do, done badly but rightly: for the tests of the oracle."""
    variants, products, page = [], {}, 1
    while True:
        data = sim.bc(f"v3/catalog/variants?limit=250&page={page}").json()
        variants += data["data"]
        if "next" not in data["meta"]["pagination"]["links"]:
            break
        page += 1
    after = 0
    while True:
        data = sim.bc(f"v3/catalog/products?id:greater={after}&limit=250&sort=id").json()["data"]
        if not data:
            break
        products.update((p["id"], p) for p in data)
        after = data[-1]["id"]
    here = {p["sku"]: p for p in sim.control("GET", "/till-products")["products"]}
    families, new, old = {}, [], []
    for v in variants:
        p = products[v["product_id"]]
        price = p["price"] if v["price"] is None else v["price"]
        sale = v["sale_price"] or p["sale_price"] or price
        want = {"sku": v["sku"], "title": " ".join([p["name"], *(o["label"] for o in v["option_values"])]),
                "moneyprice": f"{min(price, sale):.2f}", "vatid": {0: 2, 1: 3}[p["tax_class_id"]],
                "barcode": v["gtin"] or v["upc"],
                "activepos": p["is_visible"] and p["availability"] != "disabled" and not v["purchasing_disabled"]}
        if v["option_values"]:
            families.setdefault(p["id"], []).append((v["sku"], v["option_values"]))
        if v["sku"] in here:
            old.append({**want, "productid": here[v["sku"]]["productid"]})
        else:
            new.append(want)
    for method, some in (("POST", new), ("PUT", old)):
        answers = add(sim, some, method)[1]
        assert all(a["statuscode"] == 200 for a in answers), [a for a in answers if a["statuscode"] != 200]
    for rows in families.values():
        family(sim, rows)


def family(sim, rows):
    records = [product(sim, sku) for sku, _ in rows]
    groups = [{"name": rows[0][1][i]["option_display_name"], "options": list(dict.fromkeys(v[i]["label"] for _, v in rows))}
              for i in range(len(rows[0][1]))]
    parent = records[0]["variantparentid"] or records[0]["productid"]
    status, answer = add(sim, {"groups": groups, "variants": [
        row(r, attributes=[o["label"] for o in values]) for r, (_, values) in zip(records, rows)]}, "PUT",
        f"sites/1/products/{parent}/productvariants.json")
    assert (status, answer) == (200, True)


def faults(sim):
    answer = sim.control("GET", "/catalog-oracle")
    return {(w["sku"], w["field"]) for w in answer["wrong"]} | {(s, "missing") for s in answer["missing"]} \
        | {(t["sku"], "touched " + t["field"]) for t in answer["touched"]} | {(s, "deleted") for s in answer["deleted"]}


def watch(sim, *scopes):
    """Hooks that are off: GET /hook-log shows what they would have been told."""
    sim.control("PUT", "/settings", {"send_hooks": True, "hooks": [
        {"scope": scope, "destination": f"http://127.0.0.1:9/{n}", "headers": None, "is_active": False}
        for n, scope in enumerate(scopes)]})


# ---------------------------------------------------------------- BigCommerce


def test_a_product_made_by_staff_is_read_with_its_variants(sim):
    made = sim.control("POST", "/bc-product", {"name": "T-shirt", "price": "79.50", "sale_price": 60, "tax_class_id": 1,
                                               "brand_id": 36, "categories": [23], "description": "soft", "variants": [
        {"sku": "TEE-R-M", "price": "99.90", "gtin": "4006381333931",
         "options": [{"name": "Color", "label": "Red"}, {"name": "Size", "label": "M"}]},
        {"sku": "TEE-B-M", "options": [{"name": "Color", "label": "Blue"}, {"name": "Size", "label": "M"}]}]})
    one = sim.bc(f"v3/catalog/products/{made['product_id']}").json()["data"]
    assert (one["price"], one["sale_price"], one["tax_class_id"], one["base_variant_id"]) == (79.5, 60.0, 1, None)
    red, blue = sim.bc(f"v3/catalog/variants?product_id:in={made['product_id']}").json()["data"]
    assert (red["price"], blue["price"], red["gtin"]) == (99.9, None, "4006381333931")
    assert [o["label"] for o in red["option_values"]] == ["Red", "M"]
    assert red["option_values"][1] == blue["option_values"][1]
    few = sim.bc(f"v3/catalog/products?id:in={made['product_id']}&include_fields=price,is_visible").json()["data"][0]
    assert set(few) == {"id", "price", "is_visible"}
    sim.control("POST", "/bc-product", {"name": "again", "sku": "tee-r-m"}, 400)  # letter case does not count
    assert sim.items_of("TEE-B-M")[0]["locations"][0]["total_inventory_onhand"] == 0


def test_edits_move_date_modified_and_can_be_asked_for(sim):
    sim.control("PUT", "/bc-product", {"sku": "SKU-00010", "is_visible": False})
    found = sim.bc("v3/catalog/products?date_modified:min=2026-01-01T00:00:00Z").json()["data"]
    assert [p["sku"] for p in found] == ["SKU-00010"]
    assert [p["sku"] for p in sim.bc("v3/catalog/products?is_visible=false").json()["data"]] == ["SKU-00010"]


def test_pages_with_variants_are_cut_to_ten(sim):
    found = sim.bc("v3/catalog/products?include=variants&limit=250").json()
    assert len(found["data"]) == 10 and found["meta"]["pagination"]["per_page"] == 10
    assert found["data"][0]["variants"]


def test_tax_classes_have_text_ids_and_price_lists_their_records(sim):
    classes = sim.bc("v2/tax_classes").json()
    assert [(c["id"], c["name"]) for c in classes][:2] == [("0", "Default Tax Class"), ("1", "Books")]
    assert sim.bc("v2/tax_classes?page=2").status == 204
    assert sim.bc("v3/pricelists/3/records").status == 404
    sim.control("PUT", "/bc-price-list", {"id": 3, "name": "Tills", "records": [
        {"sku": "SKU-00010", "price": "50.00", "sale_price": "45.5"}, {"sku": "SKU-00011", "currency": "EUR", "price": 9}]})
    variant = sim.bc("v3/catalog/variants?sku=SKU-00010").json()["data"][0]
    found = sim.bc(f"v3/pricelists/3/records?product_id:in={variant['product_id']}").json()["data"]
    assert [(r["variant_id"], r["price"], r["calculated_price"], r["currency"]) for r in found] == [
        (variant["id"], 50.0, 45.5, "sek")]
    assert "retail_price" not in found[0]
    assert len(sim.bc("v3/pricelists/3/records?currency=EUR").json()["data"]) == 1
    assert sim.bc("v3/pricelists/3").json()["data"]["name"] == "Tills"
    sim.bc("v3/pricelists/3/records", "PUT", [])
    assert sim.control("GET", "/stats")["catalog_writes"] == 1


@pytest.mark.parametrize("edit, scopes", [
    ({"sku": "SKU-00010", "price": "5.00"}, ["store/product/updated"]),
    ({"sku": "SKU-00010", "gtin": "12345678"}, []),
    ({"sku": "SKU-00010", "name": "N", "hooks": False}, []),
    ({"sku": "SKU-00011", "variants": [{"sku": "SKU-00011", "price": "5.00"}]}, ["store/sku/updated"]),
    ({"sku": "SKU-00011", "variants": [{"sku": "SKU-00011", "gtin": "12345678"}]}, []),
    ({"sku": "SKU-00011", "add_variants": [{"sku": "NEW-1", "options": [{"name": "Kind", "label": "x"}]}]},
     ["store/sku/created"]),
    ({"sku": "SKU-00012", "remove_variants": ["SKU-00012"]}, ["store/sku/deleted"]),
], ids=["price", "gtin", "silent", "variant", "variant's gtin", "added", "removed"])
def test_which_edits_raise_which_events(sim, edit, scopes):
    watch(sim, "store/product/*", "store/sku/*")
    sim.control("PUT", "/bc-product", edit)
    assert [e["scope"] for e in sim.control("GET", "/hook-log")["entries"]] == scopes


def test_a_price_list_raises_its_own_events_only(sim):
    scopes = ["store/product/*", "store/sku/*", "store/priceList/record/created", "store/priceList/records/updated"]
    watch(sim, *scopes)
    sim.control("PUT", "/bc-price-list", {"id": 2, "records": [{"sku": "SKU-00010", "price": 5}]})
    sim.control("PUT", "/bc-price-list", {"id": 2, "records": [{"sku": "SKU-00011", "price": 5}], "hooks": False})
    sim.control("PUT", "/bc-price-list", {"id": 2, "records": [{"sku": "SKU-00010", "price": 6}, {"sku": "SKU-00011", "price": 6}]})
    log = sim.control("GET", "/hook-log")["entries"]
    assert [e["scope"] for e in log] == scopes[2:]
    assert isinstance(log[0]["data"], dict) and len(log[1]["data"]) == 2 and log[1]["data"][0]["price_list_id"] == 2


# ---------------------------------------------------------------- Sitoo


def test_a_batch_is_200_although_elements_fail(sim):
    status, answers = add(sim, [
        {"sku": "NEW-1", "title": "One", "moneyprice": "10.00", "barcode": "111"}, {"title": "no sku"}, {"sku": "a b"},
        {"sku": "SKU-00010"}, {"sku": "NEW-2", "barcode": None}, {"sku": "NEW-3", "barcode": "111"},
        {"sku": "NEW-4", "moneyprice": "10"}, {"sku": "NEW-5", "moneyprice": 10}, {"sku": "NEW-6", "vatid": 99},
        {"sku": "NEW-7", "barcodealiases": [1]}, {"sku": "NEW-8", "vatvalue": 25}, {"sku": "NEW-1"}, {"sku": "new-1"}])
    assert status == 200
    assert [a["statuscode"] for a in answers] == [200] + 11 * [400] + [200]
    assert "already in use" in answers[5]["errortext"]
    assert answers[9]["errortext"] == "Invalid value in barcodealiases (Not string)"  # recorded
    stats = sim.control("GET", "/stats")
    assert (stats["products_created"], stats["created_twice"], stats["product_elements_refused"]) == (2, 2, 11)
    assert add(sim, [{"sku": f"X{i}"} for i in range(1001)])[0] == 400
    assert isinstance(add(sim, {"sku": "ALONE-1"})[1], int)
    assert add(sim, {"sku": "ALONE-1"})[0] == 400


def test_an_update_patches_in_order(sim):
    one, two = (a["return"] for a in add(sim, [{"sku": "A-1", "title": "A", "barcode": "1", "custom1": "x"},
                                               {"sku": "A-2", "barcode": "2"}])[1])
    _, answers = add(sim, [{"productid": one, "barcode": ""}, {"productid": two, "barcode": "1", "moneyprice": "5.50"},
                           {"productid": 99999, "title": "?"}, {"productid": one, "sku": ""}], "PUT")
    assert [a["statuscode"] for a in answers] == [200, 200, 404, 400]
    assert answers[0]["return"] is True
    first, second = product(sim, "A-1"), product(sim, "A-2")
    assert (first["barcode"], first["title"], first["custom1"]) == (None, "A", "x")
    assert (second["barcode"], second["moneyprice"]) == ("1", "5.50")
    assert add(sim, {"activepos": False}, "PUT", f"sites/1/products/{one}.json") == (200, True)
    assert sim.sitoo("sites/1/products.json?sku=A-1").json()["totalcount"] == 0
    assert sim.sitoo("sites/1/products.json?sku=A-1&includeinactive=true&fields=sku,activepos").json()["items"] == [
        {"sku": "A-1", "activepos": False}]


def test_a_created_product_can_be_sold_and_has_a_level(sim):
    sim.control("POST", "/bc-product", {"name": "Jar", "sku": "JAR-1", "price": 10})
    order = sim.control("POST", "/web-order", {"rows": [{"sku": "JAR-1"}]})
    assert order["refused"]
    add(sim, [{"sku": "JAR-1", "title": "Jar", "moneyprice": "10.00"}])
    sim.control("POST", "/move", {"sku": "JAR-1", "quantity": 7, "to": 1})
    sim.control("POST", "/sale", {"rows": [{"sku": "JAR-1", "quantity": 2}]})
    assert sim.rights("JAR-1")[1] == 5
    assert sim.control("GET", "/oracle?full=1")["ok"] is False
    sim.bc("v3/inventory/adjustments/absolute", "PUT", {"items": [
        {"location_id": 1, "product_id": sim.items_of("JAR-1")[0]["identity"]["product_id"], "quantity": 5}]})
    wait_until(lambda: sim.level("JAR-1", 1) == 5)
    assert sim.control("GET", "/oracle?full=1")["ok"]
    assert not sim.control("POST", "/web-order", {"rows": [{"sku": "JAR-1"}]})["refused"]
    assert sim.rights("JAR-1")[1] == 4


def test_what_was_ordered_before_sitoo_had_it_is_pending(sim):
    sim.control("POST", "/bc-product", {"name": "Jar", "sku": "JAR-1", "price": 10})
    sim.control("PUT", "/level", {"sku": "JAR-1", "location": 1, "level": 5})
    sim.control("POST", "/web-order", {"rows": [{"sku": "JAR-1", "quantity": 2}]})
    add(sim, [{"sku": "JAR-1", "moneyprice": "10.00"}])
    sim.control("POST", "/move", {"sku": "JAR-1", "quantity": 7, "to": 1})
    assert sim.rights("JAR-1")[1] == 5
    sim.control("PUT", "/bc-product", {"sku": "JAR-1", "new_sku": "JAR-2"})
    assert sim.control("GET", "/oracle?full=1")["sums_wrong"] == []


def test_a_family_put_deletes_the_row_that_is_left_out(sim):
    ids = [a["return"] for a in add(sim, [{"sku": f"F-{i}", "title": f"F {i}", "moneyprice": "1.00"} for i in range(3)])[1]]
    path = f"sites/1/products/{ids[0]}/productvariants.json"
    assert sim.sitoo(path).json() == {"groups": [], "variants": []}
    groups = [{"name": "Size", "options": ["S", "M", "L", "XL"]}]
    rows = [row(product(sim, f"F-{i}"), attributes=[size]) for i, size in enumerate("SML")]
    assert add(sim, {"groups": groups, "variants": rows}, "PUT", path) == (200, True)
    shown = sim.sitoo(path).json()
    assert [v["attributes"] for v in shown["variants"]] == [["S"], ["M"], ["L"]] and shown["variants"][0]["barcode"] is None
    assert (product(sim, "F-1")["variantparentid"], product(sim, "F-1")["variant"]) == (ids[0], [{"name": "Size", "value": "M"}])
    assert add(sim, {"groups": groups, "variants": shown["variants"]}, "PUT", path)[0] == 400  # pricelisthasvolume, null barcode
    child = {**rows[1], "productid": 0, "sku": "F-9", "attributes": ["XL"], "friendly": "f-9"}
    assert add(sim, {"groups": groups, "variants": [*rows[:2], child]}, "PUT", path) == (200, True)
    stats = sim.control("GET", "/stats")
    assert (stats["family_rows_deleted"], stats["families_written"]) == (1, 2)
    assert sim.control("GET", "/till-products?sku=F-2")["products"] == []
    assert product(sim, "F-9")["family"] == "F-0"


@pytest.mark.parametrize("change", [
    {"barcode": None}, {"attributes": ["XS"]}, {"attributes": []}, {"deliverystatus": None}, {"moneyprice": "1"},
    {"pricelisthasvolume": False}, {"attributes": ["S"]}, {"productid": 77777}, {"sku": "F-0"}], ids=str)
def test_a_family_row_that_is_wrong_changes_nothing(sim, change):
    ids = [a["return"] for a in add(sim, [{"sku": "F-0"}, {"sku": "F-1"}])[1]]
    rows = [row(product(sim, f"F-{i}"), attributes=[size]) for i, size in enumerate("SM")]
    rows[1].update(change)
    assert add(sim, {"groups": [{"name": "Size", "options": ["S", "M"]}], "variants": rows}, "PUT",
               f"sites/1/products/{ids[0]}/productvariants.json")[0] == 400
    assert product(sim, "F-0")["variantparentid"] is None


def test_a_member_of_another_family_is_refused_unless_allowed(sim):
    ids = [a["return"] for a in add(sim, [{"sku": f"F-{i}"} for i in range(4)])[1]]
    groups = [{"name": "Size", "options": ["S", "M"]}]

    def put(first, second):
        rows = [row(product(sim, f"F-{i}"), attributes=[size]) for i, size in ((first, "S"), (second, "M"))]
        return add(sim, {"groups": groups, "variants": rows}, "PUT", f"sites/1/products/{ids[first]}/productvariants.json")[0]
    assert put(0, 1) == 200
    assert put(2, 1) == 400
    sim.control("PUT", "/settings", {"sitoo_products": {"refuse_foreign_family": False}})
    assert put(2, 1) == 200
    assert product(sim, "F-1")["family"] == "F-2" and product(sim, "F-0")["family"] == "F-0"


def test_price_lists(sim):
    sim.control("PUT", "/till-price-list", {"id": 2, "name": "Sale", "tags": ["x"], "items": {"SKU-00010": "9.50"}})
    lists = sim.sitoo("sites/1/pricelists.json").json()["items"]
    assert [(p["pricelistid"], p["currencycode"], p["tags"]) for p in lists] == [(1, "SEK", []), (2, "SEK", ["x"])]
    path = "sites/1/pricelists/2/pricelistitems.json"
    _, answers = add(sim, [{"sku": "SKU-00011", "moneyprice": "5.00"}, {"sku": "?", "moneyprice": "5.00"},
                           {"sku": "SKU-00012", "moneyprice": "5"}], "PUT", path)
    assert [a["statuscode"] for a in answers] == [200, 404, 400]
    assert [(i["sku"], i["moneyprice"]) for i in sim.sitoo(path).json()["items"]] == [("SKU-00010", "9.50"), ("SKU-00011", "5.00")]
    assert add(sim, [{"sku": "SKU-00010"}], "DELETE", path) == (200, [{"statuscode": 200, "return": True}])
    assert sim.sitoo(path).json()["totalcount"] == 1
    add(sim, [{"sku": "SKU-00010", "moneyprice": "7.77"}], "PUT", "sites/1/pricelists/1/pricelistitems.json")
    assert product(sim, "SKU-00010")["moneyprice"] == "7.77"
    assert product(sim, "SKU-00011")["prices"]["2"] == "5.00"
    assert sim.sitoo("sites/1/pricelists/9/pricelistitems.json").status == 404
    assert [(g["vatid"], g["value"], g["productgrouptype"]) for g in sim.sitoo("sites/1/productgroups.json").json()["items"]] == [
        (2, 25, 10), (3, 6, 10), (4, 0, 30)]


def test_a_product_vanishes_during_a_batch(sim):
    sim.control("PUT", "/settings", {"sitoo_products": {"vanish": 1}})
    before = sim.sitoo("sites/1/products.json?includeinactive=true&num=1").json()["totalcount"]
    add(sim, [{"sku": "NEW-1"}, {"sku": "NEW-2"}])
    add(sim, [{"sku": "NEW-3"}])
    assert sim.sitoo("sites/1/products.json?includeinactive=true&num=1").json()["totalcount"] == before + 2
    assert sim.control("GET", "/stats")["products_vanished"] == 1


def test_staff_edit_in_backoffice(sim):
    sim.control("POST", "/till-product", {"sku": "HAND-1", "title": "By hand", "price": "12.50", "barcode": "77", "stock": 3})
    sim.control("PUT", "/till-product", {"sku": "HAND-1", "new_sku": "HAND-2", "price": 13, "custom1": "x"})
    one = product(sim, "HAND-2")
    assert (one["moneyprice"], one["custom1"], one["barcode"]) == ("13.00", "x", "77")
    assert sim.control("GET", "/world?sku=HAND-2")["stock"]["1"]["on_hand"] == 3000
    sim.control("POST", "/till-product", {"sku": "HAND-3", "barcode": "77"}, 400)
    assert sim.control("GET", "/stats")["products_created"] == 0
    assert sim.control("GET", "/catalog-oracle")["touched"] == []


def test_staff_add_a_row_to_a_family(sim):
    one, two = (a["return"] for a in add(sim, [{"sku": "F-0"}, {"sku": "F-1"}])[1])
    rows = [row(product(sim, f"F-{i}"), attributes=[size]) for i, size in enumerate("SM")]
    add(sim, {"groups": [{"name": "Size", "options": ["S", "M"]}], "variants": rows}, "PUT", f"sites/1/products/{one}/productvariants.json")
    sim.control("POST", "/till-product", {"sku": "F-STAFF", "price": 5, "family": one, "attributes": ["XXL"]})
    shown = sim.sitoo(f"sites/1/products/{one}/productvariants.json").json()
    assert shown["groups"][0]["options"] == ["S", "M", "XXL"] and len(shown["variants"]) == 3
    add(sim, [{"productid": two}], "DELETE")  # not alone
    assert sim.control("GET", "/stats")["products_deleted"] == 1 and product(sim, "F-1")["family"] == "F-0"


# ---------------------------------------------------------------- the oracle


@pytest.fixture(scope="module", name="done")
def fixture_done():
    """A shop whose products have been brought to Sitoo. Each test leaves it right."""
    sim = take("--web-products", 12, "--family-size", 4)
    assert {f for _, f in faults(sim)} >= {"missing", "title"}
    bring(sim)
    assert faults(sim) == set()
    yield sim
    assert faults(sim) == set()
    assert sim.stop() == (0, "")


def test_the_oracle_is_off_without_its_section():
    sim = Sim("--skus", 20)
    assert sim.control("GET", "/catalog-oracle") == {"enabled": False}
    assert sim.stop() == (0, "")


def test_bringing_them_makes_the_oracle_content(done):
    answer = done.control("GET", "/catalog-oracle")
    assert answer["ok"] and answer["checked"] > 30 and "SITOO-ONLY-1" in answer["only_in_sitoo"]
    assert product(done, "WEB-000002")["family"] == "WEB-000001"


@pytest.mark.parametrize("sku, edit, back, fault", [
    ("WEB-000001", {"sale_price": "1.00"}, {"sale_price": 0}, "moneyprice"),
    ("WEB-000001", {"name": "Other"}, {"name": "Web family 4"}, "title"),
    ("WEB-000001", {"tax_class_id": 1}, {"tax_class_id": 0}, "vatid"),
    ("WEB-000001", {"is_visible": False}, {"is_visible": True}, "activepos"),
    ("WEB-000001", {"availability": "disabled"}, {"availability": "available"}, "activepos"),
    ("SKU-00010", {"gtin": "12345678"}, {"gtin": ""}, "barcode"),
    ("WEB-000001", {"type": "digital"}, {"type": "physical"}, None),
    ("WEB-000001", {"tax_class_id": 7}, {"tax_class_id": 0}, None),
], ids=lambda v: str(v)[:30])
def test_the_oracle_sees_an_edit_that_did_not_arrive(done, sku, edit, back, fault):
    done.control("PUT", "/bc-product", {"sku": sku, **edit})
    found = faults(done)
    assert (found == set()) if fault is None else ((sku, fault) in found and {f for _, f in found} == {fault})
    done.control("PUT", "/bc-product", {"sku": sku, **back})


def test_the_oracle_sees_what_the_api_touched_but_not_what_staff_did():
    sim = take()
    bring(sim)
    sim.control("PUT", "/till-product", {"sku": "SKU-00011", "custom1": "mine"})
    assert faults(sim) == set()
    add(sim, [{"productid": product(sim, "SKU-00010")["productid"], "custom2": "x"}], "PUT")
    assert faults(sim) == {("SKU-00010", "touched custom2")}
    add(sim, [{"productid": product(sim, "SKU-00010")["productid"]}], "DELETE")
    assert ("SKU-00010", "deleted") in faults(sim) and ("SKU-00010", "missing") in faults(sim)
    assert sim.stop() == (0, "")


def test_what_left_bigcommerce_stays_in_sitoo_but_hidden():
    sim = take("--web-products", 4, "--family-size", 4)
    bring(sim)
    sim.control("PUT", "/bc-product", {"sku": "WEB-000001", "variants": [{"sku": "WEB-000001", "new_sku": "WEB-NEW"}],
                                       "remove_variants": ["WEB-000003"]})
    sim.control("DELETE", "/bc-product", {"sku": "SKU-00010"})
    assert faults(sim) == {("WEB-000001", "activepos"), ("WEB-000003", "activepos"), ("SKU-00010", "activepos"),
                           ("WEB-NEW", "missing")}
    add(sim, [{"productid": product(sim, sku)["productid"], "activepos": False}
              for sku in ("WEB-000001", "WEB-000003", "SKU-00010")], "PUT")
    assert faults(sim) == {("WEB-NEW", "missing")}
    assert sim.control("GET", "/oracle?full=1")["ok"]
    assert sim.stop() == (0, "")


def test_a_barcode_belongs_to_the_lowest_variant(done):
    done.control("PUT", "/bc-product", {"sku": "SKU-00010", "gtin": "55"})
    done.control("PUT", "/bc-product", {"sku": "SKU-00015", "gtin": "55"})
    assert faults(done) == {("SKU-00010", "barcode")}
    done.control("PUT", "/till-product", {"sku": "SKU-00010", "barcode": "55"})
    assert faults(done) == set()
    for sku in ("SKU-00010", "SKU-00015"):
        done.control("PUT", "/bc-product", {"sku": sku, "gtin": ""})
    done.control("PUT", "/till-product", {"sku": "SKU-00010", "barcode": ""})


def with_section(tmp_path, **more):
    path = tmp_path / "mapping.json"
    take("--write-mapping", path).stop()
    mapping = json.loads(path.read_text())
    mapping["products"].update(more)
    path.write_text(json.dumps(mapping))
    sim = take("--mapping", path)
    bring(sim)
    return sim


def test_prices_without_tax_are_converted_and_sales_live_in_their_list(tmp_path):
    sim = with_section(tmp_path, sale_price_list_id=2)
    sim.control("PUT", "/till-price-list", {"id": 2, "name": "Sale"})
    assert faults(sim) == set()
    sim.control("PUT", "/bc-product", {"sku": "SKU-00010", "price": "99.99", "sale_price": "80"})
    assert faults(sim) == {("SKU-00010", "moneyprice"), ("SKU-00010", "price list 2")}
    sim.control("PUT", "/till-product", {"sku": "SKU-00010", "price": "99.99"})
    sim.control("PUT", "/till-price-list", {"id": 2, "items": {"SKU-00010": 80}})
    assert faults(sim) == set()
    sim.control("PUT", "/settings", {"bc_prices_with_tax": False})
    found = {(w["sku"], w["field"]): w["expected"] for w in sim.control("GET", "/catalog-oracle")["wrong"]}
    assert found["SKU-00010", "moneyprice"] == "124.99" and found["SKU-00010", "price list 2"] == "100.00"
    assert sim.stop() == (0, "")


def test_prices_of_a_price_list_count_in_the_stores_currency(tmp_path):
    sim = with_section(tmp_path, price="price_list", price_list_id=4)
    sim.control("PUT", "/bc-price-list", {"id": 4, "name": "Tills"})
    assert faults(sim) == set()
    sim.control("PUT", "/bc-price-list", {"id": 4, "records": [
        {"sku": "SKU-00010", "price": "5.00", "sale_price": "4.00"}, {"sku": "SKU-00011", "currency": "EUR", "price": 1}]})
    wrong = sim.control("GET", "/catalog-oracle")["wrong"]
    assert [(w["sku"], w["expected"]) for w in wrong] == [("SKU-00010", "4.00")]
    assert sim.stop() == (0, "")


def test_a_whole_catalog_changes_its_prices():
    sim = take("--web-products", 300)
    bring(sim)
    assert sim.control("PUT", "/bc-prices", {"factor_percent": 110, "count": 10000})["products"] > 300
    assert sim.control("GET", "/catalog-oracle")["wrong_count"] > 300
    bring(sim)
    assert faults(sim) == set()
    assert sim.stop() == (0, "")


def test_one_key_is_one_call_at_a_time_for_products_too(sim):
    assert call(sim.ready["sitoo"] + "/accounts/1500/sites/1/products.json", "POST", [{"sku": "A"}], {}).status == 401
    assert call(sim.ready["sitoo"] + "/accounts/1500/sites/7/products.json", "POST", [{"sku": "A"}], KEY).status == 404
