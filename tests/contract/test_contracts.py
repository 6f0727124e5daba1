# SPDX-License-Identifier: Apache-2.0
"""The project's own schemas: that they accept what is right, and report each kind of mistake by its place."""
import json
import pathlib

import pytest

import contracts
import exchange
import verdict

SITOO = {"authorization": "Basic MTUwMC0xOnNlY3JldA==", "accept": "application/json", "user-agent": "onepool/0.1"}
BIGCOMMERCE = {"x-auth-token": "token", "accept": "application/json", "user-agent": "onepool/0.1"}
ACCOUNT = "/v2/accounts/1500"
STORE = "/stores/simstore"
ORDERS = "eshopid=1&num=2&fields=orderid,externalid,orderitems&orderid=11513,11514"
IMAGES = "/sites/1/products/1000/images"
LEVEL = {"location_id": 1, "variant_id": 74, "quantity": 3}


def sitoo(path, query="", method="GET", headers=None, body=""):
    return {"platform": "sitoo", "method": method, "path": ACCOUNT + path, "query": query, "headers": headers or SITOO,
            "body": body}


def bigcommerce(path, query="", method="GET", headers=None, body=""):
    return {"platform": "bigcommerce", "method": method, "path": STORE + path, "query": query,
            "headers": headers or BIGCOMMERCE, "body": body}


def adjustment(body, headers=None):
    return bigcommerce("/v3/inventory/adjustments/absolute", method="PUT", body=body if isinstance(body, str) else json.dumps(body),
                       headers=headers or {**BIGCOMMERCE, "content-type": "application/json"})


def image(body):
    return sitoo(IMAGES + ".json", method="POST", body=json.dumps(body), headers={**SITOO, "content-type": "application/json"})


RIGHT = {
    "orders": sitoo("/orders.json", ORDERS),
    "sites": sitoo("/sites.json", "num=1000"),
    "warehouses": sitoo("/sites/1/warehouses.json", "num=1000"),
    "stock of SKUs that need encoding": sitoo("/sites/1/warehouses/3/warehouseitems.json",
                                              "num=1000&fields=sku,decimalavailable&sku=AB%2BC%2F1-2,A%2CB"),
    "ledger": sitoo("/sites/1/warehousetransactions.json",
                    "warehousetransactionidfrom=7&sort=warehousetransactionid&num=1000&fields=warehousetransactionid,items"),
    "newest row of the ledger": sitoo("/sites/1/warehousetransactions.json",
                                      "num=1&sort=-warehousetransactionid&fields=warehousetransactionid"),
    "products": sitoo("/sites/1/products.json", "includeinactive=true&num=1000&fields=sku,stockcountenable&sku=A"),
    "time": bigcommerce("/v2/time"),
    "web orders": bigcommerce("/v2/orders", "include=consignments.line_items&consignment_structure=object"
                              "&min_date_modified=2026-11-23T10%3A00%3A00Z&min_id=1&limit=250&sort=id:asc"),
    "lines": bigcommerce("/v2/orders/100/products", "limit=250&page=1"),
    "inventory items": bigcommerce("/v3/inventory/items", "limit=1000&variant_id:in=1,2&location_id:in=1,7"),
    "tracking": bigcommerce("/v3/catalog/products", "limit=250&include_fields=inventory_tracking,base_variant_id&id:in=1,2"),
    "products with their images": bigcommerce("/v3/catalog/products", "limit=250&include=images&include_fields=name,sku&id:in=1,2"),
    "variants with their images": bigcommerce("/v3/catalog/variants", "limit=250&include_fields=sku,image_url&product_id:in=1,2"),
    "images of a product": sitoo(IMAGES + ".json", "num=1000&fields=resourceid"),
    "image of a product": sitoo(IMAGES + "/0.json"),
    "image with its data": image({"resourceid": "onepool-1.png", "filedata": "iVBORw0KGgo="}),
    "image that Sitoo has": image({"resourceid": "onepool-1.png"}),
    "image removed": sitoo(IMAGES + "/1.json", method="DELETE"),
    "levels": adjustment({"reason": "stock", "items": [LEVEL, {"location_id": 1, "product_id": 5, "quantity": 0}]}),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_is_accepted(name):
    assert contracts.check(RIGHT[name]) == []


# What is wrong, and what the complaint must hold.
WRONG = {
    "a path that no endpoint has": (sitoo("/sites/1/stock.json"), "no endpoint"),
    "another method": (sitoo("/orders.json", ORDERS, method="DELETE"), "no endpoint"),
    "a relative adjustment": (bigcommerce("/v3/inventory/adjustments/relative", method="POST"), "no endpoint"),
    "the GUID of a site": (sitoo("/sites/%7B25D9C5B8%7D/warehouses.json", "num=9"), "path.siteid: '{25D9C5B8}'"),
    "account 0": ({**sitoo("/sites.json"), "path": "/v2/accounts/0/sites.json"}, "path.accountid: 0"),
    "a filter that does not exist": (sitoo("/orders.json", ORDERS + "&datemodifiedfrom=1"), "'datemodifiedfrom' was unexpected"),
    "sku:in on variants": (bigcommerce("/v3/catalog/variants", "limit=10&sku:in=A"), "'sku:in' was unexpected"),
    "a repeated filter": (sitoo("/orders.json", ORDERS + "&orderid=7"), "orderid stands there twice"),
    "an order by id and by credit": (sitoo("/orders.json", ORDERS + "&creditorderid=7"), "should not be valid"),
    "an id that is no number": (sitoo("/orders.json", ORDERS.replace("11513", "115x3")), "query.orderid[0]: '115x3'"),
    "an id below 1": (sitoo("/orders.json", ORDERS.replace("11513", "-1")), "query.orderid[0]: -1"),
    "a page too large": (sitoo("/orders.json", ORDERS.replace("num=2", "num=1001")), "query.num: 1001"),
    "no page size": (sitoo("/orders.json", ORDERS.replace("num=2&", "")), "'num' is a required property"),
    "no list of fields": (sitoo("/orders.json", "eshopid=1&num=2&orderid=1"), "'fields' is a required property"),
    "a customer's field": (sitoo("/orders.json", "eshopid=1&num=2&fields=orderid,email"), "query.fields[1]: 'email'"),
    "an empty element": (sitoo("/orders.json", ORDERS + ","), "query.orderid[2]: ''"),
    "inactive products left out": (sitoo("/sites/1/products.json", "num=9&fields=sku&sku=A"), "'includeinactive'"),
    "includeinactive=false": (sitoo("/sites/1/products.json", "includeinactive=false&num=9&fields=sku"), "query.includeinactive"),
    "a bare plus": (sitoo("/sites/1/warehouses/3/warehouseitems.json", "num=9&fields=sku&sku=AB+C"), "a bare +"),
    "a parameter without a value": (bigcommerce("/v3/inventory/locations", "limit=1&is_active"), "is not name=value"),
    "a query where none belongs": (bigcommerce("/v2/time", "a=1"), "query: {'a': '1'} has too many properties"),
    "a date without a time": (bigcommerce("/v2/orders", "limit=9&min_date_modified=2026-11-23"), "query.min_date_modified"),
    "several statuses": (bigcommerce("/v2/orders", "limit=9&status_id=1,2"), "query.status_id: '1,2'"),
    "consignments in the old shape": (bigcommerce("/v2/orders", "limit=9&include=consignments"), "'consignment_structure'"),
    "products with other things": (bigcommerce("/v3/catalog/products", "limit=9&include=images,options"), "query.include"),
    "images without a page size": (sitoo(IMAGES + ".json", "fields=resourceid"), "'num' is a required property"),
    "images without a list of fields": (sitoo(IMAGES + ".json", "num=9"), "'fields' is a required property"),
    "a field that images do not have": (sitoo(IMAGES + ".json", "num=9&fields=url"), "query.fields[0]: 'url'"),
    "an image by its name": (sitoo(IMAGES + "/a.png.json", method="DELETE"), "path.imageid: 'a.png'"),
    "an image below the first": (sitoo(IMAGES + "/-1.json"), "path.imageid: -1"),
    "an image without a name": (image({"filedata": "iVBORw0KGgo="}), "'resourceid' is a required property"),
    "an image with a path": (image({"resourceid": "a/b.png"}), "body.resourceid"),
    "an image that is not base64": (image({"resourceid": "b.png", "filedata": "data:image/png;base64,iVBORw0KGgo="}), "body.filedata"),
    "an image with more": (image({"resourceid": "b.png", "mimetype": "image/png"}), "'mimetype' was unexpected"),
    "images changed": (sitoo(IMAGES + ".json", method="PUT"), "no endpoint"),
    "more than 250": (bigcommerce("/v2/orders", "limit=251"), "query.limit: 251"),
    "no credentials": (sitoo("/sites.json", headers={k: v for k, v in SITOO.items() if k != "authorization"}), "'authorization'"),
    "a user that is no API id": (sitoo("/sites.json", headers={**SITOO, "authorization": "Basic b25lcG9vbDpzZWNyZXQ="}),
                                 "headers.basic-user: 'onepool'"),
    "no token": (bigcommerce("/v2/time", headers={k: v for k, v in BIGCOMMERCE.items() if k != "x-auth-token"}), "'x-auth-token'"),
    "BigCommerce's token at Sitoo": (sitoo("/sites.json", headers={**SITOO, "x-auth-token": "t"}), "'x-auth-token' was unexpected"),
    "Sitoo's password at BigCommerce": (bigcommerce("/v2/time", headers={**BIGCOMMERCE, **SITOO}), "'authorization'"),
    "no Accept": (bigcommerce("/v2/time", headers={k: v for k, v in BIGCOMMERCE.items() if k != "accept"}), "'accept'"),
    "a content type without a body": (bigcommerce("/v2/time", headers={**BIGCOMMERCE, "content-type": "application/json"}),
                                      "content-type goes with a body"),
    "a body without a content type": (adjustment({"items": [LEVEL]}, BIGCOMMERCE), "content-type goes with a body"),
    "a form": (adjustment({"items": [LEVEL]}, {**BIGCOMMERCE, "content-type": "application/x-www-form-urlencoded"}),
               "headers.content-type"),
    "a body with a GET": (sitoo("/sites.json", body="{}"), "body: this request has none"),
    "no body": (adjustment(""), "body: not JSON"),
    "half a body": (adjustment('{"items":[{"location_id":1,'), "body: not JSON"),
    "a key twice": (adjustment('{"items":[],"items":[]}'), "a key stands there twice"),
    "NaN": (adjustment('{"items":NaN}'), "NaN is no JSON"),
    "no items": (adjustment({"reason": "x"}), "'items' is a required property"),
    "an empty batch": (adjustment({"items": []}), "body.items: []"),
    "a batch too large": (adjustment({"items": [LEVEL] * 2001}), "is too long"),
    "no location": (adjustment({"items": [{"variant_id": 1, "quantity": 1}]}), "body.items[0]: 'location_id'"),
    "no identity": (adjustment({"items": [{"location_id": 1, "quantity": 1}]}), "body.items[0]:"),
    "two identities": (adjustment({"items": [LEVEL, {**LEVEL, "product_id": 2}]}), "body.items[1]:"),
    "a level as a text": (adjustment({"items": [{**LEVEL, "quantity": "3"}]}), "body.items[0].quantity: '3'"),
    "half a unit": (adjustment({"items": [{**LEVEL, "quantity": 1.5}]}), "body.items[0].quantity: 1.5"),
    "a level below 0": (adjustment({"items": [{**LEVEL, "quantity": -1}]}), "body.items[0].quantity: -1"),
    "a level that BigCommerce does not save": (adjustment({"items": [{**LEVEL, "quantity": 2**31}]}), "quantity: 2147483648"),
    "a field that does not exist": (adjustment({"items": [{**LEVEL, "level": 1}]}), "'level' was unexpected"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_reported_with_its_place(name):
    request, expected = WRONG[name]
    mistakes = contracts.check(request)
    assert any(expected in mistake for mistake in mistakes), mistakes


def test_schemas_are_schemas():
    for platform in contracts.PLATFORMS:
        document = json.loads((contracts.SCHEMAS / f"{platform}.json").read_text(encoding="utf-8"))
        for endpoint in contracts.endpoints(platform):
            for validator in (endpoint.query, endpoint.headers, endpoint.body):
                if validator is not None:
                    validator.check_schema(validator.schema)
        names = [entry["id"] for entry in document["endpoints"]]
        assert len(set(names)) == len(names)
        assert all(entry["source"].startswith(f"{platform}.md ") for entry in document["endpoints"])


def test_complaints_of_a_recorded_file_name_request_and_mistake(tmp_path, monkeypatch):
    monkeypatch.delenv("ONEPOOL_CONTRACTS_DIR", raising=False)
    path = tmp_path / "exchanges"
    assert verdict.complaints(path) == []
    path.write_text("".join(json.dumps(one) + "\n" for one in RIGHT.values()), encoding="utf-8")
    assert verdict.complaints(path) == []
    request, _ = WRONG["a filter that does not exist"]
    path.write_text(json.dumps(RIGHT["sites"]) + "\n" + json.dumps(request) + "\n" + '{"cut', encoding="utf-8")
    complaint, = verdict.complaints(path)
    assert "sitoo: GET /v2/accounts/1500/orders.json?eshopid=1" in complaint and "datemodifiedfrom" in complaint


def test_a_list_is_split_before_it_is_decoded():
    values, mistakes = exchange.split_query("sku=A%2CB,C&num=1")
    assert not mistakes
    schema = {"type": "array", "items": {"type": "string"}}
    assert exchange.typed(values["sku"], schema) == ["A,B", "C"]


def test_only_a_whole_number_becomes_one():
    assert exchange.typed("12", {"type": "integer"}) == 12
    for text in ("1.0", "012", "1e3", " 1", "", "--1", "%31x"):
        assert isinstance(exchange.typed(text, {"type": "integer"}), str)


def test_no_file_of_the_platforms_is_in_the_project():
    """Their licence does not allow it; README.md tells where they are looked for instead."""
    here = pathlib.Path(__file__).resolve().parents[2]
    for path in here.rglob("*.y*ml"):
        if not {".git", "build", "var", "node_modules"} & set(path.relative_to(here).parts):
            assert "openapi:" not in path.read_text(encoding="utf-8", errors="replace")[:2000], path
