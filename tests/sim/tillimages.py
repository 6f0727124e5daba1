# SPDX-License-Identifier: Apache-2.0
"""Images of Sitoo's products (sitoo.md 6.5).

The calls, "The only field that can be set is the resourceid. Optionally you can add an image using the field filedata", the index as
imageid, and that DELETE removes only the link: the generated public client spysystem/sitoo-client, docs/Api/ProductImagesAndFilesApi.md;
members: its docs/Model/ResourceRead.md, ResourceWrite.md and GetProductImagesResponse.md. Everything else is assumed (README.md).
"""
import base64
import re
import struct

from server import Reply
from tillcatalog import Bad, body_of, error

RESOURCE = re.compile(r"[A-Za-z0-9._-]+")
OURS = "onepool-"  # how the names of onepool's resources begin
COUNTERS = ("images_added", "images_removed", "images_twice", "images_foreign_removed")
ROUTES = ("products/*/images", "products/*/images/*")
BY_STAFF = {"mimetype": "image/png", "width": 800, "height": 600, "filesize": 20000}


def _jpeg(data):
    """(width, height) of the frame's header; the segments before it are stepped over."""
    at = 2
    while data[at] == 0xff:
        kind, length = data[at + 1], struct.unpack_from(">H", data, at + 2)[0]
        if 0xc0 <= kind <= 0xcf and kind not in (0xc4, 0xc8, 0xcc):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + length
    return 0, 0


def _webp(data):
    if data[12:16] == b"VP8X":
        return tuple(int.from_bytes(data[i:i + 3], "little") + 1 for i in (24, 27))
    if data[12:16] == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1
    return tuple(n & 0x3fff for n in struct.unpack_from("<HH", data, 26))


def look_at(data):
    """(media type, width, height) of a picture, or Bad."""
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR":
            kind, size = "image/png", struct.unpack_from(">II", data, 16)
        elif data.startswith(b"\xff\xd8\xff"):
            kind, size = "image/jpeg", _jpeg(data)
        elif data[:6] in (b"GIF87a", b"GIF89a"):
            kind, size = "image/gif", struct.unpack_from("<HH", data, 6)
        elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            kind, size = "image/webp", _webp(data)
        else:
            raise Bad("Invalid value in filedata (no image)")
    except (struct.error, IndexError):
        raise Bad("Invalid value in filedata (broken image)") from None
    if not all(size):
        raise Bad("Invalid value in filedata (broken image)")
    return kind, *size


class Images:
    """resources of the site: name -> what GET says of it; lists: SKU index -> names, in order."""

    def __init__(self, till):
        self.till, self.world, self.counters = till, till.world, till.counters
        self.resources, self.lists = {}, {}

    def _list(self, number):
        sku = self.world.sku_of(number)
        if sku is None:
            raise Bad("Product not found", 404)
        return self.lists.setdefault(sku.index, [])

    def _position(self, names, imageid):
        """The imageid is the index of the image in the product's list; from 0 or from 1 is not documented."""
        position = imageid - self.till.settings["image_index_from"]
        if not 0 <= position < len(names):
            raise Bad("Image not found", 404)
        return position

    def _row(self, name):
        return {"resourceid": name, **self.resources[name]}

    # ---------------------------------------------------------------- by the API

    def all(self, number):
        """The items of GET images."""
        return [self._row(name) for name in self._list(number)]

    def one(self, number, imageid):
        names = self._list(number)
        return self._row(names[self._position(names, imageid)])

    def _store(self, name, text):
        try:
            data = base64.b64decode(text, validate=True)
        except (TypeError, ValueError):
            raise Bad("Invalid value in filedata") from None
        kind, width, height = look_at(data)
        self.resources[name] = {"mimetype": kind, "width": width, "height": height, "filesize": len(data),
                                "datecreated": self.world.seconds()}

    def _add(self, number, body):
        names = self._list(number)
        if self.till.settings["refuse_images"]:
            raise Bad("Invalid value in filedata")
        if not isinstance(body, dict) or "resourceid" not in body:
            raise Bad("Missing resourceid")
        if set(body) - {"resourceid", "filedata"}:
            raise Bad("Unknown field")
        name = body["resourceid"]
        if not isinstance(name, str) or not RESOURCE.fullmatch(name):
            raise Bad("Invalid value in resourceid")
        if "filedata" in body:
            self._store(name, body["filedata"])
        elif name not in self.resources:
            raise Bad(f"Resource {name} not found")
        self.counters.numbers["images_added"] += 1
        self.counters.numbers["images_twice"] += name in names
        names.append(name)

    def _remove(self, number, imageid):
        names = self._list(number)
        name = names.pop(self._position(names, imageid))
        self.counters.numbers["images_removed"] += 1
        self.counters.numbers["images_foreign_removed"] += not name.startswith(OURS)

    def write(self, call, number, imageid=None):
        """POST of the list, DELETE of one of it; both answer true."""
        if (call.method, imageid) == ("POST", None):
            self._add(number, body_of(call))
        elif call.method == "DELETE" and imageid is not None:
            self._remove(number, imageid)
        else:
            return error(404, "Not Found")
        return Reply(200, True)

    # ---------------------------------------------------------------- by staff

    def by_staff(self, body):
        """POST /sitoo-images: the whole list, or "add": one more before the others; what is no resource of the site yet becomes one."""
        index = self.world.index_of[body["sku"]]
        names = [body["add"], *self.lists.get(index, [])] if "add" in body else body["images"]
        if not isinstance(names, list) or not all(isinstance(n, str) and RESOURCE.fullmatch(n) for n in names):
            raise ValueError("images must be a list of names")
        for name in names:
            self.resources.setdefault(name, {**BY_STAFF, "datecreated": self.world.seconds()})
        self.lists[index] = list(names)
        return {"images": names}

    def shown(self, query):
        """GET /sitoo-images; a SKU that Sitoo does not have has none."""
        return {"images": self.lists.get(self.world.index_of.get(query["sku"]), [])}
