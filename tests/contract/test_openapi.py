# SPDX-License-Identifier: Apache-2.0
"""The check against OpenAPI files: with a file of its own that it can fail, and with the platforms' files that requests
and the simulators' answers keep to them. The latter are skipped, and counted as skipped, where there are none."""
import base64
import http.client
import json
import pathlib
import subprocess
import sys
import urllib.parse

import pytest

import exchange
import openapi
from test_contracts import RIGHT, adjustment, bigcommerce, sitoo

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Small, but with what the real ones have: references, nullable, overlapping alternatives, lists, several media types.
OWN = """
openapi: 3.0.3
info: {title: a test's own, version: '1'}
servers: [{url: 'https://api.example.com/stores/{store_hash}/v3'}]
paths:
  /things:
    get:
      parameters:
        - {$ref: '#/components/parameters/limit'}
        - {name: 'id:in', in: query, schema: {type: integer}}
        - {name: kind, in: query, required: true, schema: {type: string, enum: [a, b]}}
        - {name: Accept, in: header, required: true, schema: {type: string}}
      responses:
        '200':
          content: {application/json: {schema: {type: object, required: [data], properties: {data: {type: array, items: {$ref: '#/components/schemas/Thing'}}}}}}
  /things/{thing_id}:
    parameters: [{name: thing_id, in: path, required: true, schema: {type: integer}}]
    put:
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
      responses: {'200': {content: {application/json: {schema: {type: object}}}}}
  /things/count:
    get: {responses: {'200': {content: {application/json: {schema: {type: object, properties: {count: {type: integer}}}}}}}}
components:
  parameters:
    limit: {name: limit, in: query, schema: {type: integer, maximum: 250}}
  schemas:
    Thing:
      type: object
      required: [id]
      properties:
        id: {type: integer}
        note: {type: string, nullable: true}
        parent: {$ref: '#/components/schemas/Thing'}
        either: {oneOf: [{type: object, properties: {x: {type: integer}}}, {type: object, properties: {y: {type: integer}}}]}
"""


@pytest.fixture(name="own")
def own_folder(tmp_path):
    (tmp_path / "bigcommerce").mkdir()
    (tmp_path / "bigcommerce" / "own.yml").write_text(OWN, encoding="utf-8")
    return tmp_path


def put(body):
    return bigcommerce("/v3/things/5", method="PUT", body=body if isinstance(body, str) else json.dumps(body))


@pytest.mark.parametrize("request_", [
    bigcommerce("/v3/things", "kind=a"), bigcommerce("/v3/things", "kind=b&limit=250&id:in=1,2,3"),
    bigcommerce("/v3/things/count"), put({"id": 1, "note": None, "parent": {"id": 2}, "either": {"x": 1}})])
def test_what_the_file_allows_is_accepted(own, request_):
    assert openapi.check_request(own, request_) == []


@pytest.mark.parametrize("request_, expected", [
    (bigcommerce("/v3/other"), "no operation"),
    (bigcommerce("/v3/things", "kind=a", method="POST"), "no operation"),
    (bigcommerce("/v3/things", "kind=a&colour=red"), "query: colour is not listed"),
    (bigcommerce("/v3/things", "limit=1"), "query: kind is required"),
    (bigcommerce("/v3/things", "kind=c"), "query.kind: 'c' is not one of"),
    (bigcommerce("/v3/things", "kind=a&limit=many"), "query.limit: 'many' is not of type 'integer'"),
    (bigcommerce("/v3/things", "kind=a&limit=251"), "query.limit: 251"),
    (bigcommerce("/v3/things", "kind=a&id:in=1,x"), "query.id:in: 'x'"),
    (bigcommerce("/v3/things", "kind=a", body="{}"), "this operation has none"),
    (bigcommerce("/v3/things/five", method="PUT", body='{"id":1}'), "path.thing_id: 'five'"),
    (put(""), "body: missing"),
    (put("{"), "body: not JSON"),
    (put({"note": "x"}), "body: 'id' is a required property"),
    (put({"id": "1"}), "body.id: '1' is not of type 'integer'"),
    (put({"id": 1, "parent": {"id": 2, "note": 7}}), "body.parent.note: 7"),
])
def test_what_the_file_forbids_is_reported(own, request_, expected):
    mistakes = openapi.check_request(own, request_)
    assert any(expected in mistake for mistake in mistakes), mistakes


def answer(status=200, body=None, media="application/json", fault=None, query="kind=a"):
    return {"platform": "bigcommerce", "method": "GET", "path": "/stores/simstore/v3/things", "query": query, "status": status,
            "fault": fault, "type": media, "answer": body if isinstance(body, str) else json.dumps(body)}


@pytest.mark.parametrize("one, expected", [
    (answer(body={"data": [{"id": 1, "note": None, "more": 1}]}), None),
    (answer(429, ""), None),
    (answer(body="half", fault="html"), None),
    (answer(body={"data": [{"note": "n"}]}, query="kind=a&include_fields=note"), None),
    (answer(body={"data": [{"note": "n"}]}), "answer.data[0]: 'id' is a required property"),
    (answer(body={"data": [{"id": "1"}]}), "answer.data[0].id: '1'"),
    (answer(body={}), "'data' is a required property"),
    (answer(body="{"), "answer: not JSON"),
    (answer(201, {}), "status 201 is not listed"),
    (answer(body={"data": []}, media="text/plain"), "media type text/plain"),
])
def test_answers_are_held_against_the_file(own, one, expected):
    mistakes = openapi.check_answer(own, one)
    assert any(expected in mistake for mistake in mistakes) if expected else mistakes == []


def test_a_folder_that_is_none_is_a_mistake_not_a_skip(tmp_path, monkeypatch):
    monkeypatch.setenv("ONEPOOL_CONTRACTS_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(NotADirectoryError):
        openapi.folder()
    with pytest.raises(FileNotFoundError):
        openapi.operations("sitoo", tmp_path)


# ---------------------------------------------------------------- the platforms' own files


@pytest.fixture(name="root", scope="module")
def platforms_folder():
    root = openapi.folder()
    if root is None:
        pytest.skip(openapi.HOW)
    return root


@pytest.mark.parametrize("name", RIGHT)
def test_requests_keep_to_the_platforms_files(root, name):
    assert openapi.check_request(root, RIGHT[name]) == []


@pytest.mark.parametrize("request_, expected", [
    (sitoo("/orders.json", "eshopid=1&datemodifiedfrom=1"), "datemodifiedfrom is not listed"),
    (sitoo("/orders.json", "orderid=1,x"), "query.orderid[1]: 'x'"),
    (sitoo("/sites/1/stock.json"), "no operation"),
    (sitoo("/sites/1/products/1000/images.json", method="DELETE"), "no operation"),
    (sitoo("/sites/1/products/1000/files.json"), "no operation"),
    (bigcommerce("/v3/catalog/products", "include=pictures"), "query.include"),
    (bigcommerce("/v3/catalog/variants", "sku:in=A"), "sku:in is not listed"),
    (bigcommerce("/v3/catalog/products", "limit=251"), "query.limit: 251"),
    (bigcommerce("/v2/orders", "sort=status_id:up"), "query.sort"),
    (bigcommerce("/v2/orders/x/products"), "path.order_id: 'x'"),
    (adjustment({"items": [{"location_id": 1, "variant_id": 1}]}), "body.items[0]: {'location_id': 1, 'variant_id': 1} is not valid"),
    (adjustment({"items": [{"location_id": 1, "variant_id": "1", "quantity": 2}]}), "body.items[0]"),
])
def test_wrong_requests_are_found_by_the_platforms_files(root, request_, expected):
    mistakes = openapi.check_request(root, request_)
    assert any(expected in mistake for mistake in mistakes), mistakes


# Every route of the simulators, each in the ways that change the shape of its answer.
VISITS = {
    "sitoo": ["orders.json", "orders.json?num=50&fields=orderid,orderitems,additionaldata", "orders.json?sort=upside",
              "sites/1/orders.json?num=3", "sites/1/orders/11501.json", "sites/1/orders/1.json", "sites.json", "reasoncodes.json",
              "sites/1/warehouses.json?num=100", "sites/1/warehouses/1/warehouseitems.json?num=100",
              "sites/1/warehouses/1/warehouseitems.json?fields=sku,decimalavailable", "sites/1/warehouses/99/warehouseitems.json",
              "sites/1/warehousetransactions.json?num=100", "sites/1/warehouses/1/warehousetransactions.json",
              "sites/1/products.json?num=100&includeinactive=true", "sites/1/products/1000.json", "sites/1/products/1.json",
              "sites/1/products/1000/productvariants.json", "sites/1/products/1001/productvariants.json",
              "sites/1/pricelists.json?num=100", "sites/1/pricelists/2/pricelistitems.json?num=100", "sites/1/productgroups.json?num=100",
              "sites/1/products/1000/images.json?num=100&fields=resourceid", "sites/1/products/1000/images/0.json",
              "orders.json?num=many"],
    "bigcommerce": ["v2/time", "v2/store", "v2/orders?limit=50", "v2/orders?min_id=999999", "v2/orders/count", "v2/orders/100",
                    "v2/orders?include=consignments.line_items&consignment_structure=object", "v2/orders/1",
                    "v2/orders/100/products", "v2/orders/100/consignments", "v3/settings/inventory", "v3/inventory/items?limit=100",
                    "v3/inventory/items?sku:in=nothing", "v3/inventory/locations", "v3/inventory/locations/1/items",
                    "v3/inventory/locations/99/items", "v3/pickup/methods", "v3/catalog/products?limit=100",
                    "v3/catalog/products?include=images&limit=100", "v3/catalog/variants?include_fields=sku,image_url&limit=100",
                    "v3/catalog/products?include=images&include_fields=name&limit=100", "v3/catalog/products/200?include=images",
                    "v3/catalog/products?include=variants", "v3/catalog/products?include_fields=name,inventory_tracking",
                    "v3/catalog/products/200", "v3/catalog/products/1", "v3/catalog/products/200/variants", "v3/catalog/variants",
                    "v2/tax_classes?limit=250", "v3/pricelists", "v3/pricelists/3", "v3/pricelists/3/records?limit=250&page=1",
                    "v3/inventory/items?limit=5000"],
}
KEY = "Basic " + base64.b64encode(b"1500-1:sim-sitoo-password").decode()


def ask(url, method="GET", body=None, headers=None):
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    try:
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""),
                           None if body is None else json.dumps(body), headers or {})
        return json.loads(connection.getresponse().read() or b"null")
    finally:
        connection.close()


def products(ready, skus):
    """A family, a price list of each side, and a batch of which a part fails."""
    sitoo, more = f"{ready['sitoo']}/accounts/1500/sites/1", {"Authorization": KEY, "Content-Type": "application/json"}
    ask(f"{sitoo}/products.json", "POST", [{"sku": "OPENAPI-1", "title": "One", "moneyprice": "1.00"}, {"sku": "not allowed"}], more)
    ask(f"{sitoo}/products.json", "PUT", [{"productid": 1000, "moneyprice": "1.50"}, {"productid": 1}], more)
    rows = ask(ready["control"] + "/till-products?sku=OPENAPI-1")["products"]
    names = ("active", "activepos", "deliverystatus", "moneyprice", "moneypriceorg", "moneypricein", "moneyofferprice", "friendly")
    family = [{**{name: rows[0][name] for name in names}, "barcode": "", "title": sku, "sku": sku, "productid": number,
               "attributes": [sku], "friendly": sku} for sku, number in (("OPENAPI-1", rows[0]["productid"]), ("OPENAPI-2", 0))]
    path = f"{sitoo}/products/{rows[0]['productid']}/productvariants.json"
    assert ask(path, "PUT", {"groups": [{"name": "Kind", "options": ["OPENAPI-1", "OPENAPI-2"]}], "variants": family}, more) is True
    ask(path, headers=more)
    ask(ready["control"] + "/till-price-list", "PUT", {"id": 2, "items": {"OPENAPI-1": "0.50"}})
    ask(f"{sitoo}/pricelists/2/pricelistitems.json", "PUT", [{"sku": "OPENAPI-2", "moneyprice": "0.50"}], more)
    ask(f"{sitoo}/pricelists/2/pricelistitems.json", "DELETE", [{"sku": "OPENAPI-2"}, {"sku": "nothing"}], more)
    ask(ready["control"] + "/bc-product", "PUT", {"product_id": 200, "image": "jar-1"})
    ask(ready["control"] + "/bc-product", "PUT", {"sku": skus[0], "variants": [{"sku": skus[0], "image": "jar-2"}]})
    ask(ready["control"] + "/bc-price-list", "PUT", {"id": 3, "records": [{"sku": skus[0], "price": "5.00", "sale_price": "4.50"}]})


def visit(ready):
    """Goes everywhere, and writes a level rightly and wrongly."""
    skus = [one["sku"] for kind in ("variant", "simple") for one in ask(ready["control"] + "/world")["skus"] if one["kind"] == kind]
    for rows in ([{"sku": sku, "quantity": 1}] for sku in (skus[0], skus[-1])):
        ask(ready["control"] + "/sale", "POST", {"rows": rows})
        ask(ready["control"] + "/web-order", "POST", {"rows": rows})
        ask(ready["control"] + "/web-order", "POST", {"rows": rows, "pickup_location": 5})
        ask(ready["control"] + "/return", "POST", {"rows": rows})
        ask(ready["control"] + "/booking", "POST", {"rows": rows})
    products(ready, skus)
    for path in VISITS["sitoo"]:
        ask(f"{ready['sitoo']}/accounts/1500/{path}", headers={"Authorization": KEY})
    ask(f"{ready['sitoo']}/accounts/1500/sites.json", headers={"Authorization": "Basic x"})
    store, token = f"{ready['bigcommerce']}/stores/simstore", {"X-Auth-Token": "sim-bc-token"}
    for path in VISITS["bigcommerce"]:
        ask(f"{store}/{path}", headers=token)
    orders = ask(f"{store}/v2/orders?limit=50", headers=token) or []
    for order in orders[:5]:
        for more in ("", "/products", "/consignments", "/consignments?include=consignments.line_items"):
            ask(f"{store}/v2/orders/{order['id']}{more}", headers=token)
    item = ask(f"{store}/v3/inventory/items?sku:in={urllib.parse.quote(skus[0], safe='')}", headers=token)["data"][0]["identity"]
    for identity in ({"variant_id": item["variant_id"]}, {"product_id": item["product_id"]}, {"sku": "nothing"}):
        ask(f"{store}/v3/inventory/adjustments/absolute", "PUT", {"items": [{"location_id": 1, "quantity": 5, **identity}]},
            {**token, "Content-Type": "application/json"})
    return orders


def test_the_simulators_answer_as_the_platforms_files_say(root, tmp_path):
    path = tmp_path / "exchanges"
    with subprocess.Popen([sys.executable, "-B", str(ROOT / "tests" / "sim" / "main.py"), "--latency-ms", "0", "--exchanges",
                           str(path), "--quota", "1000"], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert visit(json.loads(process.stdout.readline()))
        finally:
            process.terminate()
            process.wait(20)
    requests, answers = exchange.read_file(path)
    assert len(answers) > sum(map(len, VISITS.values())) and {one["status"] for one in answers} >= {200, 204, 401, 404, 422}
    assert {one["platform"] for one in requests} == {"sitoo", "bigcommerce"}
    assert openapi.check_all(root, [], answers) == {}
    told = "".join(one["answer"] for one in answers)
    assert "/cdn/jar-1.560.850.png?c=1" in told and "/cdn/jar-2.source.png?c=1" in told
