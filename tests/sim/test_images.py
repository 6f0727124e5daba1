# SPDX-License-Identifier: Apache-2.0
"""Tests of product images: what BigCommerce says of them, the CDN that serves them, and Sitoo's lists of them."""
import base64
import http.client
import json
import struct
import urllib.parse
import zlib

import pytest
from test_catalog import watch
from test_sim import KEY, TOKEN, Sim, call

GIF = base64.b64decode("R0lGODlhHwAJAPABAAAAAP///yH5BAAAAAAsAAAAAB8ACQAAAi2Mj6mLcA5iDK4lOdPTtm9TVZoIXmZJYWlGch8nQueLwluPz+GtYlCvYgiHiAIAOw==")
PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBBI", 13, b"IHDR", 7, 9, 1, 0, 0, 0, 0, 0)
JPEG = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x0b\x08\x00\x05\x00\x06\x01\x01\x11\x00"
WEBP = b"RIFF\x20\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x02\x00\x00"
LOSSLESS = b"RIFF\x20\x00\x00\x00WEBPVP8L\x08\x00\x00\x00\x2f" + (3 | 2 << 14).to_bytes(4, "little")
LOSSY = b"RIFF\x20\x00\x00\x00WEBPVP8 \x0a\x00\x00\x00\x00\x00\x00\x9d\x01\x2a\x04\x00\x03\x00"


@pytest.fixture(name="sim")
def fixture_sim():
    sim = Sim("--skus", 30)
    yield sim
    assert sim.stop() == (0, "")


def stat(sim, *names):
    stats = sim.control("GET", "/stats")
    return tuple(stats[name] for name in names)


def web_product(sim, sku, more=""):
    """As GET products with include=images shows it."""
    number = sim.control("PUT", "/bc-product", {"sku": sku})["product_id"]
    return sim.bc(f"v3/catalog/products?id:in={number}&include=images{more}").json()["data"][0]


def picture(sim, name, headers=None, method="GET"):
    """(status, media type, bytes) of the CDN."""
    answer = call(f"{sim.ready['bigcommerce']}/cdn/{name}?c=1", method, headers=headers)
    return answer.status, answer.headers["Content-Type"].partition(";")[0], answer.body


def chunks(data):
    """{kind: content} of a PNG, whose checksums are right."""
    found, at = {}, 8
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        content = data[at + 8:at + 8 + size]
        assert struct.unpack_from(">I", data, at + 8 + size)[0] == zlib.crc32(kind + content)
        found[kind] = content
        at += 12 + size
    return found


# ---------------------------------------------------------------- BigCommerce


def test_the_images_are_there_when_asked_for(sim):
    sim.control("PUT", "/bc-product", {"sku": "SKU-00010", "image": "jar-1"})
    image = web_product(sim, "SKU-00010")["images"][0]
    host = sim.ready["bigcommerce"]
    assert {name: image[name] for name in image if name.startswith("url")} == {
        "url_zoom": f"{host}/cdn/jar-1.1280.1280.png?c=1", "url_standard": f"{host}/cdn/jar-1.560.850.png?c=1",
        "url_thumbnail": f"{host}/cdn/jar-1.330.500.png?c=1", "url_tiny": f"{host}/cdn/jar-1.66.100.png?c=1"}
    assert (image["is_thumbnail"], image["sort_order"], image["description"]) == (True, 0, "")
    assert set(image) - {n for n in image if n.startswith("url")} == {
        "id", "product_id", "is_thumbnail", "sort_order", "description", "image_file", "date_modified"}
    few = web_product(sim, "SKU-00010", "&include_fields=name")
    assert set(few) == {"id", "name", "images"} and few["id"] == image["product_id"]
    one = sim.bc(f"v3/catalog/products/{few['id']}?include=images").json()["data"]
    assert one["images"] == [image]
    for path in (f"v3/catalog/products?id:in={few['id']}", f"v3/catalog/products?id:in={few['id']}&include=variants"):
        assert not {"images", "image"} & set(sim.bc(path).json()["data"][0])
    assert web_product(sim, "SKU-00011")["images"] == []
    sim.control("PUT", "/bc-product", {"sku": "SKU-00010", "image": ""})
    assert web_product(sim, "SKU-00010")["images"] == []
    assert len(sim.bc("v3/catalog/products?include=images&limit=250").json()["data"]) > 10  # pages are not cut


def test_addresses_have_the_host_that_was_called(sim):
    sim.control("PUT", "/bc-product", {"sku": "SKU-00010", "image": "jar-1"})
    answer = sim.bc("v3/catalog/products?include=images&limit=250", headers={**TOKEN, "Host": "web.example:81"}).json()["data"]
    found = [p["images"][0]["url_tiny"] for p in answer if p["images"]]
    assert found == ["http://web.example:81/cdn/jar-1.66.100.png?c=1"]


def test_another_image_is_another_id_and_moves_date_modified(sim):
    sim.control("PUT", "/bc-product", {"sku": "SKU-00010", "image": "jar-1"})
    first = web_product(sim, "SKU-00010")
    sim.control("PUT", "/bc-product", {"sku": "SKU-00010", "image": "jar-2"})
    second = web_product(sim, "SKU-00010")
    assert first["images"][0]["id"] < second["images"][0]["id"] and "/jar-2." in second["images"][0]["url_zoom"]
    found = sim.bc("v3/catalog/products?date_modified:min=2026-01-01T00:00:00Z").json()["data"]
    assert [p["id"] for p in found] == [second["id"]]


def test_variants_have_an_image_url(sim):
    made = sim.control("POST", "/bc-product", {"name": "T-shirt", "image": "tee", "variants": [
        {"sku": "TEE-R", "image": "tee-red", "options": [{"name": "Color", "label": "Red"}]},
        {"sku": "TEE-B", "options": [{"name": "Color", "label": "Blue"}]}]})
    path = f"v3/catalog/variants?product_id:in={made['product_id']}"
    red, blue = sim.bc(path + "&include_fields=sku,image_url").json()["data"]
    assert (set(red), blue["image_url"]) == ({"id", "sku", "image_url"}, "")
    assert red["image_url"] == f"{sim.ready['bigcommerce']}/cdn/tee-red.source.png?c=1"
    assert "image_url" not in sim.bc(path + "&include_fields=sku").json()["data"][0]
    shown = sim.bc(f"v3/catalog/products?id:in={made['product_id']}&include=variants,images").json()["data"][0]
    assert [v["image_url"] for v in shown["variants"]] == [red["image_url"], ""] and "/tee." in shown["images"][0]["url_tiny"]


def test_webhooks_of_images(sim):
    made = sim.control("POST", "/bc-product", {"name": "T-shirt", "variants": [
        {"sku": "TEE-R", "options": [{"name": "Color", "label": "Red"}]}]})
    watch(sim, "store/product/updated", "store/sku/updated")

    def told(body):
        before = sim.control("GET", "/hook-log")["last"]
        sim.control("PUT", "/bc-product", body)
        return [e["scope"] for e in sim.control("GET", f"/hook-log?since={before}")["entries"]]
    assert told({"product_id": made["product_id"], "image": "tee"}) == ["store/product/updated"]
    assert told({"product_id": made["product_id"], "image": "tee"}) == []
    assert told({"product_id": made["product_id"], "variants": [{"sku": "TEE-R", "image": "red"}]}) == ["store/sku/updated"]
    assert told({"sku": "SKU-00010", "variants": [{"sku": "SKU-00010", "image": "jar"}]}) == []  # of a base variant
    assert told({"product_id": made["product_id"], "image": ""}) == ["store/product/updated"]


@pytest.mark.parametrize("name", ["a/b", "a.b", "a b", 7, None], ids=repr)
def test_a_name_that_no_image_has_is_refused(sim, name):
    sim.control("PUT", "/bc-product", {"sku": "SKU-00010", "image": name}, 400)
    sim.control("PUT", "/bc-product", {"sku": "SKU-00010", "variants": [{"sku": "SKU-00010", "image": name}]}, 400)


# ---------------------------------------------------------------- the CDN


def test_pictures_are_small_valid_and_differ_by_name(sim):
    sizes = {"1280.1280": 1280, "560.850": 560, "330.500": 330, "66.100": 66, "source": 1280}
    for size, edge in sizes.items():
        status, media, data = picture(sim, f"jar-1.{size}.png")
        assert (status, media) == (200, "image/png") and len(data) < 1000
        parts = chunks(data)
        assert struct.unpack_from(">II", parts[b"IHDR"]) == (edge, edge)
        assert len(zlib.decompress(parts[b"IDAT"])) == edge * (1 + (edge + 7) // 8)
        assert picture(sim, f"jar-1.{size}.png")[2] == data != picture(sim, f"jar-2.{size}.png")[2]
    assert stat(sim, "images_fetched", "cdn_with_credentials", "writes") == (15, 0, 0)
    stats = sim.control("GET", "/stats")
    assert stats["calls"]["bigcommerce"] == 0 and sim.control("GET", "/requests")["requests"] == []


@pytest.mark.parametrize("headers", [{"X-Auth-Token": "sim-bc-token"}, KEY])
def test_credentials_do_not_belong_there(sim, headers):
    assert picture(sim, "jar-1.source.png", headers)[0] == 400
    assert stat(sim, "images_fetched", "cdn_with_credentials") == (1, 1)


def test_names_stand_for_faults(sim):
    assert picture(sim, "missing-1.source.png")[0] == 404
    for name in ("jar-1.png", "jar-1.1.1.png", "jar-1.source.gif", "../jar-1.source.png", ""):
        assert picture(sim, name)[0] == 404, name
    assert picture(sim, "jar-1.source.png", method="POST")[0] == 405
    status, media, data = picture(sim, "text-1.560.850.png")
    assert (status, media, data[:9]) == (200, "text/html", b"<!DOCTYPE")
    status, media, data = picture(sim, "huge-1.560.850.png")
    assert (status, media, data[:8]) == (200, "image/png", PNG[:8]) and 0 < len(data) - 3 * 1024 * 1024 < 1000
    with pytest.raises(http.client.IncompleteRead) as caught:
        picture(sim, "broken-1.560.850.png")
    assert caught.value.partial.startswith(PNG[:8]) and caught.value.expected > 0


def test_the_quota_and_the_exchanges_do_not_know_the_cdn(tmp_path):
    path = tmp_path / "exchanges"
    sim = Sim("--skus", 30, "--quota", 1, "--exchanges", path)
    sim.control("PUT", "/faults/bigcommerce", {"rules": [{"kind": "status", "path": "cdn", "status": 500}]})
    assert [picture(sim, "jar-1.source.png")[0] for _ in range(3)] == [200] * 3
    assert sim.bc("v2/time").status == 200
    assert sim.bc("v2/time").status == 429
    assert sim.stop() == (0, "")
    assert {json.loads(line)["path"] for line in path.read_text().splitlines()} == {"/stores/simstore/v2/time"}


# ---------------------------------------------------------------- Sitoo


def number_of(sim, sku="SKU-00010"):
    return sim.control("GET", "/till-products?sku=" + sku)["products"][0]["productid"]


def images(sim, rest=".json", body=None, method=None, product=None):
    """(status, JSON) of a call about a product's images."""
    answer = sim.sitoo(f"sites/1/products/{product or number_of(sim)}/images{rest}", method=method or ("GET" if body is None else "POST"),
                       body=body)
    return answer.status, answer.json()


def data_of(content):
    return base64.b64encode(content).decode()


def names(sim, sku="SKU-00010"):
    return sim.control("GET", "/sitoo-images?sku=" + urllib.parse.quote(sku, safe=""))["images"]


def test_images_are_added_listed_and_removed(sim):
    assert images(sim) == (200, {"totalcount": 0, "items": []})
    assert images(sim, body={"resourceid": "onepool-1.gif", "filedata": data_of(GIF)}) == (200, True)
    assert images(sim, body={"resourceid": "onepool-2.png", "filedata": data_of(PNG)}) == (200, True)
    status, found = images(sim, ".json?num=1&start=1")
    (item,) = found["items"]
    assert (status, found["totalcount"], item["datecreated"] > 1_700_000_000) == (200, 2, True)
    assert {**item, "datecreated": 0} == {"resourceid": "onepool-2.png", "mimetype": "image/png", "width": 7, "height": 9,
                                          "filesize": len(PNG), "datecreated": 0}
    assert images(sim, ".json?fields=resourceid,width&num=10")[1]["items"] == [
        {"resourceid": "onepool-1.gif", "width": 31}, {"resourceid": "onepool-2.png", "width": 7}]
    assert images(sim, "/1.json") == (200, item)
    assert (images(sim, "/2.json")[0], images(sim, "/2.json", method="DELETE")[0], images(sim, "/x.json")[0]) == (404, 404, 404)
    assert images(sim, "/0.json", method="DELETE") == (200, True)
    assert names(sim) == ["onepool-2.png"] and images(sim, "/0.json") == (200, item)
    # Only the link went: the resource can be used without its data, by another product as well.
    assert images(sim, body={"resourceid": "onepool-1.gif"}) == (200, True)
    assert images(sim, body={"resourceid": "onepool-1.gif"}, product=number_of(sim, "SKU-00011")) == (200, True)
    assert names(sim) == ["onepool-2.png", "onepool-1.gif"] and names(sim, "SKU-00011") == ["onepool-1.gif"]
    assert stat(sim, "images_added", "images_removed", "images_twice", "images_foreign_removed") == (4, 1, 0, 0)


def test_an_image_twice_and_one_that_is_not_ours_are_counted(sim):
    assert sim.control("POST", "/sitoo-images", {"sku": "SKU-00010", "images": ["staff.jpg", "onepool-a.png"]}) == {
        "images": ["staff.jpg", "onepool-a.png"]}
    assert images(sim)[1]["items"][0]["resourceid"] == "staff.jpg"
    assert images(sim, body={"resourceid": "onepool-a.png", "filedata": data_of(PNG)}) == (200, True)
    assert names(sim) == ["staff.jpg", "onepool-a.png", "onepool-a.png"]
    assert {i["filesize"] for i in images(sim)[1]["items"][1:]} == {len(PNG)}  # stored again
    assert images(sim, "/0.json", method="DELETE") == (200, True)
    assert images(sim, "/1.json", method="DELETE") == (200, True)
    assert names(sim) == ["onepool-a.png"]
    assert stat(sim, "images_added", "images_removed", "images_twice", "images_foreign_removed") == (1, 2, 1, 1)


@pytest.mark.parametrize("content, kind, size", [
    (GIF, "gif", (31, 9)), (PNG, "png", (7, 9)), (JPEG, "jpeg", (6, 5)), (WEBP, "webp", (4, 3)), (LOSSLESS, "webp", (4, 3)),
    (LOSSY, "webp", (4, 3))], ids=["gif", "png", "jpeg", "webp", "webp lossless", "webp lossy"])
def test_the_kinds_of_images(sim, content, kind, size):
    assert images(sim, body={"resourceid": "a", "filedata": data_of(content)}) == (200, True)
    one = images(sim, "/0.json")[1]
    assert (one["mimetype"], one["width"], one["height"]) == (f"image/{kind}", *size)


WRONG = [{}, [], "a.png", {"filedata": data_of(PNG)}, {"resourceid": "a b.png", "filedata": data_of(PNG)}, {"resourceid": "unknown.png"},
         {"resourceid": "a/b.png", "filedata": data_of(PNG)}, {"resourceid": "", "filedata": data_of(PNG)},
         {"resourceid": 7, "filedata": data_of(PNG)}, {"resourceid": "a.png", "filedata": data_of(PNG), "mimetype": "image/png"},
         *({"resourceid": "a.png", "filedata": data} for data in (
             None, "", 7, "no base64", data_of(PNG)[:-1] + "\n", data_of(b"<html></html>"), data_of(PNG[:8]), data_of(JPEG[:6]),
             data_of(b"\x89PNG\r\n\x1a\n" + bytes(30)), data_of(b"BM" + bytes(60))))]


def test_what_is_no_image_is_refused(sim):
    product = number_of(sim)
    for body in WRONG:
        assert images(sim, body=body, product=product)[0] == 400, body
    for method, rest in (("PUT", ".json"), ("DELETE", ".json"), ("POST", "/0.json"), ("PUT", "/0.json")):
        assert images(sim, rest, {"resourceid": "a.png", "filedata": data_of(PNG)}, method, product)[0] == 404
    assert names(sim) == [] and stat(sim, "images_added", "images_removed") == (0, 0)


def test_a_product_that_is_not_there(sim):
    body = {"resourceid": "a.png", "filedata": data_of(PNG)}
    for rest, more in ((".json", {}), ("/0.json", {}), (".json", {"body": body}), ("/0.json", {"method": "DELETE"})):
        assert images(sim, rest, product=77777, **more)[0] == 404
        assert sim.sitoo(f"sites/7/products/{number_of(sim)}/images{rest}", **{"method": "POST" if more.get("body") else "GET", **more}).status == 404
    images(sim, body=body)
    number = number_of(sim)
    sim.control("DELETE", "/till-product", {"sku": "SKU-00010"})
    assert images(sim, product=number)[0] == 404
    assert call(sim.ready["sitoo"] + "/accounts/1500/sites/1/products/1000/images.json", headers={}).status == 401
    assert sim.control("GET", "/sitoo-images?sku=nothing") == {"images": []}
    sim.control("POST", "/sitoo-images", {"sku": "SKU-00011", "images": ["a/b"]}, 400)


def test_settings_of_images(sim):
    sim.control("POST", "/sitoo-images", {"sku": "SKU-00010", "images": ["a.png", "b.png"]})
    sim.control("PUT", "/settings", {"sitoo_products": {"image_index_from": 1, "refuse_images": True}})
    assert images(sim, "/0.json")[0] == 404
    assert [images(sim, f"/{n}.json")[1]["resourceid"] for n in (1, 2)] == ["a.png", "b.png"]
    assert images(sim, "/2.json", method="DELETE") == (200, True)
    assert names(sim) == ["a.png"]
    assert images(sim, body={"resourceid": "b.png"})[0] == 400
    sim.control("PUT", "/settings", {"sitoo_products": {"refuse_images": False}})
    assert images(sim, body={"resourceid": "b.png"}) == (200, True)
    for wrong in ({"image_index_from": 2}, {"image_index_from": True}, {"refuse_images": 1}):
        sim.control("PUT", "/settings", {"sitoo_products": wrong}, 400)
