# SPDX-License-Identifier: Apache-2.0
"""Families of variants in Sitoo: GET and PUT of productvariants (sitoo.md 6.2, recorded/sitoo/productvariants*.json)."""
from server import Reply
from tillcatalog import Bad, body_of, friendly_of, product_json

REQUIRED = ("productid", "active", "activepos", "deliverystatus", "title", "sku", "moneyprice", "moneypriceorg",
            "moneyofferprice", "moneypricein", "barcode", "attributes")
ROW_FIELDS = {*REQUIRED, "friendly", "barcodealiases"}


class Family:
    """groups: [{"name","options"}]; members: SKU indices in the order of the rows, the main variant among them."""

    def __init__(self, parent, groups):
        self.parent, self.groups, self.members = parent, groups, []

    def leave(self, world, sku):
        """The main variant's end dissolves the family (sitoo.md 6.1)."""
        self.members.remove(sku.index)
        gone = [sku.index]
        if sku.productid == self.parent or not self.members:
            gone += self.members
            self.members = []
            del world.families[self.parent]
        for index in gone:
            world.skus[index].parent, world.skus[index].attributes = None, []


def show(world, number):
    """Of a product without a family, or one that is no main variant: assumed empty."""
    family = world.families.get(number)
    if family is None:
        return {"groups": [], "variants": []}
    rows = []
    for sku in (world.skus[i] for i in family.members):
        full = product_json(world, sku)
        rows.append({**{name: full[name] for name in ("productid", "active", "activepos", "title", "sku", "deliverystatus",
                                                      "moneyprice", "moneypriceorg", "moneypricein", "moneyofferprice",
                                                      "barcode", "barcodealiases")},
                     "friendly": friendly_of(sku), "attributes": sku.attributes, "pricelisthasvolume": False})
    return {"groups": family.groups, "variants": rows}


def _checked_groups(body):
    groups, rows = body.get("groups"), body.get("variants")
    if not isinstance(groups, list) or not isinstance(rows, list) or not rows or not groups:
        raise Bad("Missing groups or variants")
    for group in groups:
        if not isinstance(group, dict) or not isinstance(group.get("name"), str) or not group["name"] \
                or not isinstance(group.get("options"), list) or not all(isinstance(o, str) and o for o in group["options"]) \
                or len(set(group["options"])) != len(group["options"]):
            raise Bad("Invalid value in groups")
    if len({group["name"] for group in groups}) != len(groups):
        raise Bad("Invalid value in groups (names)")
    return groups, rows


def _check_row(row, groups):
    if not isinstance(row, dict):
        raise Bad("Invalid value in variants")
    for name in REQUIRED:
        if name not in row:
            raise Bad(f"Missing {name} in variants")
    unknown = set(row) - ROW_FIELDS  # pricelisthasvolume is refused (sitoo.md 6.2)
    if unknown:
        raise Bad(f"Unknown field {sorted(unknown)[0]} in variants")
    values = row["attributes"]
    if not isinstance(values, list) or len(values) != len(groups) \
            or any(value not in group["options"] for value, group in zip(values, groups)):
        raise Bad("Invalid value in attributes")


def _check_unique(rows):
    for name in ("sku", "friendly", "barcode"):
        given = [row[name] for row in rows if row.get(name)]
        if len(set(given)) != len(given):
            raise Bad(f"{name} twice in variants")
    if len({tuple(row["attributes"]) for row in rows}) != len(rows):
        raise Bad("attributes twice in variants")


def _known(till, number, row):
    """The product that a row names; None = a new one."""
    if row["productid"] == 0:
        return None
    sku = till.world.sku_of(row["productid"]) if type(row["productid"]) is int else None
    if sku is None:
        raise Bad("Product not found in variants")
    if sku.parent not in (None, number) and till.settings["refuse_foreign_family"]:
        raise Bad(f"Product {sku.productid} belongs to another family")
    return sku


def put(till, call, number):
    """Replaces the family: a row left out is deleted (sitoo.md 6.2). All or nothing (assumed)."""
    world, body = till.world, body_of(call)
    if world.sku_of(number) is None:
        raise Bad("Product not found", 404)
    if till.settings["refuse_families"]:
        raise Bad("Invalid value in variants")
    if not isinstance(body, dict):
        raise Bad("Body is no object")
    groups, rows = _checked_groups(body)
    found = []
    for row in rows:
        _check_row(row, groups)
        found.append(_known(till, number, row))
        till.check({name: value for name, value in row.items() if name not in ("productid", "attributes")}, found[-1])
    _check_unique(rows)
    ids = [sku.productid for sku in found if sku]
    if len(set(ids)) != len(ids):
        raise Bad("productid twice in variants")
    if number not in ids:  # what would become of the family is not documented: refused
        raise Bad("The main variant is missing in variants")
    if world.sku_of(number).parent not in (None, number):
        raise Bad(f"Product {number} belongs to another family")
    _replace(till, number, groups, rows, found)
    till.counters.numbers["families_written"] += 1
    return Reply(200, True)


def _replace(till, number, groups, rows, found):
    world = till.world
    old = world.families.get(number)
    kept = {sku.index for sku in found if sku}
    for index in list(old.members) if old else ():
        if index not in kept:
            till.counters.numbers["family_rows_deleted"] += 1
            till.deleted.append(world.skus[index].sku)
            world.drop_sku(world.skus[index])
    family = Family(number, groups)
    for row, sku in zip(rows, found):
        fields = {name: value for name, value in row.items() if name not in ("productid", "attributes")}
        if sku is None:
            sku = world.sku_of(till.create(fields))
        else:
            if sku.parent not in (None, number):
                world.families[sku.parent].leave(world, sku)
            till.put(sku, fields)
        sku.parent, sku.attributes = number, list(row["attributes"])
        family.members.append(sku.index)
    world.families[number] = family


def join(till, sku, parent, attributes):
    """Staff put a product into the family of this main variant; options that are new are added."""
    family = till.world.families[parent]
    for group, value in zip(family.groups, attributes):
        if value not in group["options"]:
            group["options"].append(value)
    sku.parent, sku.attributes = parent, list(attributes)
    family.members.append(sku.index)


def by_staff(till, body):
    """PUT /till-family: {"parent": SKU, "groups": [{"name","options"}], "variants": [{"sku","attributes"}]}; nothing is
    deleted, members left out become single products."""
    world = till.world
    parent = world.skus[world.index_of[body["parent"]]]
    old = world.families.pop(parent.productid, None)
    for index in old.members if old else ():
        world.skus[index].parent, world.skus[index].attributes = None, []
    if not body.get("variants"):
        return {"parent": parent.productid, "variants": 0}
    family = world.families[parent.productid] = Family(parent.productid, body["groups"])
    for row in body["variants"]:
        sku = world.skus[world.index_of[row["sku"]]]
        if sku.parent in world.families and sku.parent != parent.productid:
            world.families[sku.parent].leave(world, sku)
        sku.parent, sku.attributes = parent.productid, list(row["attributes"])
        family.members.append(sku.index)
    return {"parent": parent.productid, "variants": len(family.members)}
