# SPDX-License-Identifier: Apache-2.0
"""Pictures of BigCommerce's products: what its API says of them, and the pictures themselves, which a CDN serves without credentials.

The members of images, IncludeParamBase: products_catalog.v3.yml (productImage_Full); the four sizes and the shape of their
names (name.1280.1280.png?c=1): the examples of the same file. image_url of a variant: product-variants_catalog.v3.yml.
"""
import asyncio
import functools
import hashlib
import re
import struct
import zlib

from aiohttp import web

from units import Refused
from webprices import iso

NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")
PATH = re.compile(r"/cdn/([A-Za-z0-9_-]+)\.([0-9a-z.]+)\.png")
# Size in a picture's name -> pixels of its edges. A picture is square and 1280 wide; it is made to fit, as the platform does.
EDGES = {"1280.1280": 1280, "560.850": 560, "330.500": 330, "66.100": 66, "source": 1280}
URLS = {"url_zoom": "1280.1280", "url_standard": "560.850", "url_thumbnail": "330.500", "url_tiny": "66.100"}
COUNTERS = ("images_fetched", "cdn_with_credentials")
HUGE = 3 * 1024 * 1024
PAGE = b"<!DOCTYPE html><html><head><title>Moved</title></head><body><h1>This is no picture</h1></body></html>"


def picture_name(value):
    """The name of a picture as the control interface takes it; "" is none."""
    if not isinstance(value, str) or (value and not NAME.fullmatch(value)):
        raise Refused(f"{value!r} is no name of an image")
    return value


def url(call, name, size):
    """Of the same host and port as this call came to."""
    return f"http://{call.request.host}/cdn/{name}.{size}.png?c=1"


def variant_url(call, variant):
    return url(call, variant.image, "source") if variant.image else ""


def images(call, product):
    """The list of its images: one, or none."""
    if not product.image:
        return []
    return [{
        "id": product.image_id, "product_id": product.id, "is_thumbnail": True, "sort_order": 0, "description": "",
        "image_file": f"{product.image[0]}/{product.image_id}/{product.image}.png",
        **{name: url(call, product.image, size) for name, size in URLS.items()}, "date_modified": iso(product.image_modified)}]


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@functools.lru_cache(256)
def png(name, edge):
    """A small valid PNG: squares of two colours, which the name decides."""
    colours = hashlib.sha256(name.encode()).digest()[:6]
    width = (edge + 7) // 8
    row = (b"\xff" * 8 + b"\x00" * 8) * (width // 16 + 2)
    rows = [b"\x00" + row[:width], b"\x00" + row[8:8 + width]]
    body = zlib.compress(b"".join(rows[y // 64 % 2] for y in range(edge)), 9)
    return b"\x89PNG\r\n\x1a\n" + b"".join((
        _chunk(b"IHDR", struct.pack(">IIBBBBB", edge, edge, 1, 3, 0, 0, 0)), _chunk(b"PLTE", colours),
        _chunk(b"IDAT", body), _chunk(b"IEND", b"")))


async def _half(request, body):
    """Says how long it will be, and ends in the middle."""
    response = web.StreamResponse(headers={"Content-Type": "image/png"})
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[:len(body) // 2])
    await asyncio.sleep(0)
    if request.transport is not None:
        request.transport.close()
    return response


class Pictures:
    """The CDN, on BigCommerce's port. Its calls are none of the API: no quota, no latency, no faults but those of names."""

    def __init__(self, counters):
        self.counters = counters

    def before(self, handle):
        """A handler that takes the CDN's calls and leaves all others to this one."""
        async def either(request):
            return await (self.serve(request) if request.rel_url.raw_path.startswith("/cdn/") else handle(request))
        return either

    async def serve(self, request):
        """A name that begins with missing, text, huge or broken stands for that fault."""
        numbers = self.counters.numbers
        numbers["images_fetched"] += 1
        if "X-Auth-Token" in request.headers or "Authorization" in request.headers:
            numbers["cdn_with_credentials"] += 1
            return web.Response(status=400, text="Credentials do not belong here")
        if request.method != "GET":
            return web.Response(status=405)
        found = PATH.fullmatch(request.rel_url.raw_path)
        if found is None or found[2] not in EDGES or found[1].startswith("missing"):
            return web.Response(status=404, body=PAGE, content_type="text/html")
        name, body = found[1], png(found[1], EDGES[found[2]])
        if name.startswith("text"):
            return web.Response(body=PAGE, content_type="text/html")
        if name.startswith("broken"):
            return await _half(request, body)
        return web.Response(body=body + bytes(HUGE) if name.startswith("huge") else body, content_type="image/png")
