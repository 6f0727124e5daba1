# SPDX-License-Identifier: Apache-2.0
"""Sitoo's products as its REST API shows and takes them (sitoo.md 6.1, recorded/sitoo/product*.json)."""
import json
import random
import re

from server import Reply
from units import money2
from world import Sku

MONEY = re.compile(r"[-+]?\d+\.\d\d", re.ASCII)      # sitoo.md 2: a text with exactly two decimals
SKU_TEXT = re.compile(r"[A-Za-z0-9_+\-/]+")           # sitoo.md 6.1
LARGEST_BATCH = 1000                                  # assumed (sitoo.md U2 is about pages)
# Product groups, recorded/sitoo/productgroups-list.json: vatid -> (percent, type, name)
GROUPS = {2: (25, 10, "Common Goods"), 3: (6, 10, "Books"), 4: (0, 30, "Gift Cards")}

TEXTS = ("title skumanufacturer descriptionshort description descriptionhtml deliverystatus unitlabel deliveryinfo "
         "externalinputtitle offertitle manufacturerurl custom1 custom2 custom3 custom4 custom5 friendly seo_title seo_keywords "
         "seo_description").split()
FLAGS = "allowdecimals offerisenabled active activepos stockcountenable stockallowbackorder".split()
MONIES = "moneyprice moneypriceorg moneypricein moneyofferprice".split()
NUMBERS = "defaultcategoryid manufacturerid deliveryclassid offerdatestart offerdateend".split()
LISTS = "categories similar related accessories".split()
# What a product has unless somebody said otherwise (recorded/sitoo/product.json).
DEFAULTS = {**dict.fromkeys(TEXTS, ""), "moneypricein": "0.00", "offerisenabled": False, "moneyofferprice": "0.00",
            "offerdatestart": None, "offerdateend": None, "deliveryclassid": 1, "defaultcategoryid": None, "categories": [],
            "manufacturerid": None, "stockcountenable": True, "stockallowbackorder": True, "barcodealiases": [], "similar": [],
            "related": [], "accessories": []}
# What onepool never owns; "categories", "manufacturerid" and "unitlabel" depend on the mapping (catalogoracle.py).
WATCHED = ("description", "descriptionshort", "custom1", "custom2", "custom3", "custom4", "custom5", "barcodealiases",
           "moneypricein", "categories", "defaultcategoryid", "manufacturerid", "unitlabel", "stockcountenable")
COUNTERS = ("products_created", "products_updated", "families_written", "price_items_written", "price_items_removed",
            "products_deleted", "products_vanished", "family_rows_deleted", "created_twice", "product_elements_refused")
SETTINGS = {"vanish": 0, "refuse_families": False, "refuse_foreign_family": True, "barcode_unique": True, "title_max": 0,
            "list_currency": "SEK", "image_index_from": 0, "refuse_images": False}


class Bad(Exception):
    """An element of a batch that Sitoo refuses. args: text, status."""

    @property
    def status(self):
        return self.args[1] if len(self.args) > 1 else 400


def minor(text):
    """Hundredths of Sitoo's money."""
    return int(text.replace(".", ""))


def slug(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "product"


def friendly_of(sku):
    return sku.friendly if sku.friendly is not None else f"{slug(sku.title)}-{sku.productid}"


def product_json(world, sku):
    """All that GET of a product answers."""
    percent, kind, _ = GROUPS[sku.vatid]
    family = world.families.get(sku.parent)
    early = world.started_ms // 1000
    return {
        **DEFAULTS, "unitlabel": "kg" if sku.weight else "", "allowdecimals": sku.weight, **sku.more,
        "productid": sku.productid, "sku": sku.sku, "title": sku.title, "moneyprice": money2(sku.price),
        "moneypriceorg": money2(sku.price_org), "active": sku.active, "activepos": sku.activepos, "vatid": sku.vatid,
        "variantparentid": sku.parent, "barcode": sku.barcode or None, "offerisactive": False,
        "moneyfinalprice": money2(sku.price), "vatvalue": percent, "productgrouptype": kind, "pricelisthasvolume": False,
        "variant": [] if family is None else [
            {"name": group["name"], "value": value} for group, value in zip(family.groups, sku.attributes)],
        "friendly": friendly_of(sku), "datecreated": early - 864000 if sku.created is None else sku.created,
        "datemodified": early - 86400 if sku.modified is None else sku.modified}


def _whole(value):
    return type(value) is int


class TillCatalog:
    """Who writes products: the API, which is watched and counted, and the shop's staff. settings: PUT /settings
    sitoo_products."""

    def __init__(self, world, counters, seed):
        self.world, self.counters, self.rng = world, counters, random.Random(seed + 7)
        self.settings = dict(SETTINGS)
        self.touched = []  # (SKU, field) that the API changed although it is not onepool's
        self.deleted = []  # SKUs that the API deleted
        self.names = {}    # friendly -> product id, of those that have been named

    def change(self, values):
        for name, value in values.items():
            if name not in SETTINGS or type(value) is not type(SETTINGS[name]) or (name == "image_index_from" and value not in (0, 1)):
                raise ValueError(f"sitoo_products: {name} cannot be {value!r}")
        self.settings.update(values)

    # ---------------------------------------------------------------- checking

    def check_sku(self, text, own=None):
        if not isinstance(text, str) or not SKU_TEXT.fullmatch(text):
            raise Bad("Invalid value in sku")
        other = self.world.index_of.get(text)
        if other is not None and (own is None or other != own.index):
            if own is None:
                self.counters.numbers["created_twice"] += 1
            raise Bad(f"sku {text} already exists")

    def _check_barcode(self, text, own):
        if not isinstance(text, str):
            raise Bad("Invalid value in barcode (Not string)")  # null is refused, "" clears (sitoo.md 2)
        others = self.world.barcodes.get(text, set()) - ({own.index} if own else set())
        if text and others and self.settings["barcode_unique"]:
            raise Bad(f"barcode {text} is already in use")  # text assumed

    def _check_value(self, name, value):
        if name in TEXTS:
            fine = isinstance(value, str)
        elif name in FLAGS:
            fine = type(value) is bool
        elif name in MONIES:
            fine = isinstance(value, str) and MONEY.fullmatch(value) is not None
        elif name in NUMBERS:
            fine = value is None or _whole(value)
        elif name in LISTS:
            fine = isinstance(value, list) and all(map(_whole, value))
        elif name == "barcodealiases":
            fine = isinstance(value, list) and all(isinstance(v, str) for v in value)
        elif name == "vatid":
            fine = _whole(value) and value in GROUPS
        else:  # an unknown or read-only name: assumed to be refused
            raise Bad(f"Unknown field {name}")
        if not fine:
            raise Bad(f"Invalid value in {name}" + (" (Not string)" if name == "barcodealiases" else ""))

    def check(self, fields, own=None):
        """Bad if these fields cannot be those of this product; own None = a new one."""
        if not isinstance(fields, dict):
            raise Bad("Element is no object")
        for name, value in fields.items():
            if name == "sku":
                self.check_sku(value, own)
            elif name == "barcode":
                self._check_barcode(value, own)
            elif name != "productid":
                self._check_value(name, value)
        if self.settings["title_max"] and len(fields.get("title", "")) > self.settings["title_max"]:
            raise Bad("Invalid value in title (too long)")
        owner = self.names.get(fields.get("friendly") or None)
        if owner is not None and (own is None or owner != own.productid) and self.world.sku_of(owner):
            raise Bad(f"friendly {fields['friendly']} is already in use")

    # ---------------------------------------------------------------- doing

    def put(self, sku, fields, by_api=True):
        """Checked fields of a product; by_api: what is not onepool's is noted."""
        before = product_json(self.world, sku) if by_api else None
        for name, value in fields.items():
            if name == "sku":
                self.world.rename_sku(sku, value)
            elif name == "barcode":
                self.world.set_barcode(sku, value)
            elif name == "moneyprice":
                sku.price = minor(value)
            elif name == "moneypriceorg":
                sku.price_org = minor(value)
            elif name == "allowdecimals":
                sku.weight = value
            elif name == "friendly":
                self._befriend(sku, value)
            elif name in ("title", "active", "activepos", "vatid"):
                setattr(sku, name, value)
            elif name != "productid":
                sku.more[name] = value
        sku.modified = self.world.seconds()
        if by_api:
            after = product_json(self.world, sku)
            self.touched += [(sku.sku, name) for name in WATCHED if before[name] != after[name]]

    def _befriend(self, sku, value):
        if sku.friendly:
            self.names.pop(sku.friendly, None)
        sku.friendly = value or None
        if value:
            self.names[value] = sku.productid

    def create(self, fields, by_api=True):
        """A new product; only sku is required (sitoo.md 6.1)."""
        if not isinstance(fields, dict) or "sku" not in fields:
            raise Bad("Missing sku")
        self.check(fields)
        if "productid" in fields:
            raise Bad("Unknown field productid")
        world = self.world
        sku = Sku(len(world.skus), fields["sku"], "new", 0)
        sku.title, sku.created = "", world.seconds()
        sku.barcode = fields.get("barcode", "")
        world.add_sku(sku)
        self.put(sku, {name: value for name, value in fields.items() if name not in ("sku", "barcode")}, False)
        if by_api:
            self.counters.numbers["products_created"] += 1
        return sku.productid

    def update(self, fields, number=None):
        """A patch: what is not sent keeps its value (sitoo.md 6.1)."""
        if not isinstance(fields, dict):
            raise Bad("Element is no object")
        if number is None:
            number = fields.get("productid")
        sku = self.world.sku_of(number) if _whole(number) else None
        if sku is None:
            raise Bad("Product not found", 404)
        self.check(fields, sku)
        self.put(sku, fields)
        self.counters.numbers["products_updated"] += 1
        return True

    def delete(self, fields):
        """A child cannot go alone; the main variant's end dissolves the family (sitoo.md 6.1). onepool never does this."""
        self.counters.numbers["products_deleted"] += 1
        number = fields.get("productid") if isinstance(fields, dict) else None
        sku = self.world.sku_of(number) if _whole(number) else None
        if sku is None:
            raise Bad("Product not found", 404)
        if sku.parent not in (None, sku.productid):
            raise Bad("A variant cannot be deleted alone")
        self.deleted.append(sku.sku)
        self.world.drop_sku(sku)
        return True

    def vanish(self, spared):
        """13 products vanished from a live account while a push ran (sitoo.md 6.1)."""
        if self.settings["vanish"] <= 0:
            return
        self.settings["vanish"] -= 1
        ids = [i for i in self.world.live_skus() if self.world.skus[i].sku not in spared and self.world.skus[i].parent is None]
        if ids:
            self.counters.numbers["products_vanished"] += 1
            self.world.drop_sku(self.world.skus[self.rng.choice(ids)])


def error(status, text):
    return Reply(status, {"statuscode": status, "errortext": text})


def batch(elements, do, counters, most=LARGEST_BATCH):
    """HTTP 200 with one element per element sent, in order, each done before the next (sitoo.md 2)."""
    if not isinstance(elements, list):
        return error(400, "Body is no array")
    if len(elements) > most:
        return error(400, f"More than {most} elements")
    answers = []
    for element in elements:
        try:
            answers.append({"statuscode": 200, "return": do(element)})
        except Bad as bad:
            counters.numbers["product_elements_refused"] += 1
            answers.append({"statuscode": bad.status, "errortext": bad.args[0]})
    return Reply(200, answers)


def body_of(call):
    """The JSON of a write, or Bad."""
    try:
        return json.loads(call.body)
    except ValueError:
        raise Bad("Body is no JSON") from None


def write(till, call, number=None):
    """POST, PUT and DELETE of products, many or one."""
    body = body_of(call)
    if number is not None:
        if call.method == "PUT":
            return Reply(200, till.update(body, number))
        if call.method == "DELETE":
            return Reply(200, till.delete({"productid": number}))
        return error(404, "Not Found")
    if call.method == "POST" and isinstance(body, dict):
        return Reply(200, till.create(body))
    reply = batch(body, {"POST": till.create, "PUT": till.update, "DELETE": till.delete}[call.method], till.counters)
    if reply.status == 200 and call.method != "DELETE":
        ids = {e.get("productid") for e in body if isinstance(e, dict)}
        till.vanish({e.get("sku") for e in body if isinstance(e, dict)} |
                    {s.sku for s in map(till.world.sku_of, filter(_whole, ids)) if s})
    return reply
