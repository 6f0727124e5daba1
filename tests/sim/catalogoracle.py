# SPDX-License-Identifier: Apache-2.0
"""What Sitoo's products should be, given BigCommerce's catalog and the mapping's section "products". README.md, Products,
says what is not judged. Only meaningful when nothing is on its way."""
from decimal import ROUND_HALF_UP, Decimal

from tillcatalog import GROUPS, SKU_TEXT
from units import money2

TITLE_MAX, BARCODE_MAX = 250, 14


# What the section says if it does not (design, mapping file).
SECTION = {"vat_groups": {}, "default_vat_group": None, "price": "catalog", "price_list_id": None, "sale_price_list_id": None,
           "prices_include_vat": True, "barcode": ["gtin", "upc"], "manufacturers": {}, "categories": {}, "unit_label": None}


class CatalogOracle:
    """section: None = products do not flow."""

    def __init__(self, shop, section):
        self.section = None if section is None else {**SECTION, **section}
        self.world, self.catalog, self.web = shop.world, shop.catalog, shop.web
        self.bigcommerce, sitoo = shop.platforms["bigcommerce"], shop.platforms["sitoo"]
        self.till, self.prices = sitoo.till, sitoo.prices

    # ---------------------------------------------------------------- what is right

    def _vat(self, variant):
        """None: the tax class is mapped to no group, a person has to decide."""
        number = self.section["vat_groups"].get(str(variant.product.fields["tax_class_id"]), self.section["default_vat_group"])
        return number if number in GROUPS else None

    def _expected(self, variant):
        """Whether Sitoo should have it."""
        return bool(variant.sku) and SKU_TEXT.fullmatch(variant.sku) and variant.product.fields["type"] == "physical" \
            and self._vat(variant) is not None and self._options_agree(variant.product)

    @staticmethod
    def _options_agree(product):
        return product.single or len({tuple(o[1] for o in v.options) for v in product.variants}) <= 1

    @staticmethod
    def _active(variant):
        fields = variant.product.fields
        return fields["is_visible"] and fields["availability"] != "disabled" and not variant.purchasing_disabled

    @staticmethod
    def _title(variant):
        labels = [] if variant.product.single else [o[3] for o in variant.options]
        text = " ".join([variant.product.name, *labels])
        return " ".join("".join(c if c >= " " else " " for c in text).split())  # as one line

    def _source(self, variant):
        """(regular, sale or None) in the shop's units, or None: not judged."""
        section, regular, sale = self.section, variant.list_price, variant.on_sale_at
        if section["price"] == "price_list":
            one = self.bigcommerce.price_lists.lists.get(section["price_list_id"])
            if one is None or not one["active"]:
                return None
            record = one["records"].get((variant.id, self.bigcommerce.currency))
            if record is None and any(key[0] == variant.id for key in one["records"]):
                return None  # only in other currencies
            if record is not None:
                if "price" not in record:
                    return None
                regular, sale = record["price"], record.get("sale_price") or None
        return regular, sale if sale is not None and sale < regular else None

    def _till_price(self, value, vat):
        """Hundredths as Sitoo stores prices."""
        with_tax, wanted = self.bigcommerce.prices_with_tax, self.section["prices_include_vat"]
        factor = 1 + Decimal(GROUPS[vat][0]) / 100
        if with_tax and not wanted:
            value /= factor
        elif wanted and not with_tax:
            value *= factor
        return int((value * 100).to_integral_value(ROUND_HALF_UP))

    def _code(self, variant):
        one = variant.product.fields if variant.product.single else {
            "upc": variant.upc, "gtin": variant.gtin, "mpn": variant.mpn}
        return next((one[name] for name in self.section["barcode"] if one.get(name)), "")

    # ---------------------------------------------------------------- one SKU

    def _check(self, variant, sku, owner_of, say):
        section, vat = self.section, self._vat(variant)
        title = self._title(variant)
        limit = self.till.settings["title_max"] or TITLE_MAX
        if len(title) > limit:  # how it is cut is onepool's choice
            if sku.title[:limit // 2] != title[:limit // 2] or len(sku.title) > limit:
                say(sku.sku, "title", title[:limit], sku.title)
        elif sku.title != title:
            say(sku.sku, "title", title, sku.title)
        if sku.vatid != vat:
            say(sku.sku, "vatid", vat, sku.vatid)
        if sku.activepos != self._active(variant):
            say(sku.sku, "activepos", self._active(variant), sku.activepos)
        self._check_price(variant, sku, vat, say)
        self._check_code(variant, sku, owner_of, say)
        brand = section["manufacturers"].get(str(variant.product.fields["brand_id"]))
        if brand is not None and sku.more.get("manufacturerid") != brand:
            say(sku.sku, "manufacturerid", brand, sku.more.get("manufacturerid"))
        wanted = {section["categories"][str(c)] for c in variant.product.fields["categories"] if str(c) in section["categories"]}
        if not wanted <= set(sku.more.get("categories", [])):
            say(sku.sku, "categories", sorted(wanted), sku.more.get("categories", []))
        if section["unit_label"] is not None and sku.more.get("unitlabel", "kg" if sku.weight else "") != section["unit_label"]:
            say(sku.sku, "unitlabel", section["unit_label"], sku.more.get("unitlabel", ""))

    def _check_price(self, variant, sku, vat, say):
        source = self._source(variant)
        if source is None:
            return
        regular, sale, number = *source, self.section["sale_price_list_id"]
        right = self._till_price(regular if number is not None or sale is None else sale, vat)
        if sku.price != right:
            say(sku.sku, "moneyprice", money2(right), money2(sku.price))
        if number is None or number not in self.prices.lists or not self._active(variant):
            return
        held = self.prices.lists[number].items.get(sku.index)
        wanted = None if sale is None else self._till_price(sale, vat)
        if (held[0] if held else None) != wanted:
            say(sku.sku, f"price list {number}", None if wanted is None else money2(wanted), money2(held[0]) if held else None)

    def _check_code(self, variant, sku, owner_of, say):
        code = self._code(variant)
        if not self.section["barcode"] or len(code) > BARCODE_MAX or not code.isprintable():
            return
        right = code if not code or owner_of[code] is variant else ""
        if sku.barcode == right:
            return
        holders = {self.world.skus[i].sku for i in self.world.barcodes.get(right, ())} - {sku.sku} if right else set()
        if any(name not in self.catalog.by_sku for name in map(str.lower, holders)):
            return  # a product that BigCommerce does not have holds it: a person has to decide
        say(sku.sku, "barcode", right, sku.barcode)

    # ---------------------------------------------------------------- families

    def _check_family(self, product, say):
        world = self.world
        if product.single or self.till.settings["refuse_families"] or not self._options_agree(product):
            return
        pairs = [(v, world.skus[world.index_of[v.sku]]) for v in product.variants
                 if v.options and self._expected(v) and v.sku in world.index_of]
        labels = [tuple(o[3] for o in v.options) for v, _ in pairs]
        if len(pairs) < 2 or len(set(labels)) != len(labels) or not all(map(all, labels)):
            return
        parents = {sku.parent for _, sku in pairs} - {None}
        if len(parents) > 1 and self.till.settings["refuse_foreign_family"]:
            return  # cannot be joined without a delete
        family = world.families.get(next(iter(parents))) if parents else None
        mine = {sku.index for _, sku in pairs}
        others = [world.skus[i] for i in family.members if i not in mine] if family else []
        if any(tuple(other.attributes) in labels for other in others):
            return  # a row of somebody else has the same attributes: Sitoo refuses two
        if any(self._elsewhere(other.sku, product) for other in others):
            return  # it is another product's family
        names = [o[1] for o in pairs[0][0].options]
        if family is not None and [g["name"] for g in family.groups] != names:
            say(pairs[0][1].sku, "groups", names, [g["name"] for g in family.groups])
        for (_, sku), right in zip(pairs, labels):
            if sku.parent is None or len(parents) > 1:
                say(sku.sku, "family", product.name, sku.parent)
            elif tuple(sku.attributes) != right:
                say(sku.sku, "attributes", list(right), sku.attributes)

    def _elsewhere(self, name, product):
        variant = self.catalog.by_sku.get(name.lower())
        return variant is not None and variant.product is not product

    # ---------------------------------------------------------------- all of them

    def _touched(self):
        section = self.section
        mapped = {name for name, here in (("manufacturerid", section["manufacturers"]), ("categories", section["categories"]),
                                          ("defaultcategoryid", section["categories"]),
                                          ("unitlabel", section["unit_label"] is not None),
                                          ("description", section.get("description"))) if here}
        return [{"sku": name, "field": field} for name, field in self.till.touched if field not in mapped]

    def check(self):
        """GET /catalog-oracle."""
        if self.section is None:
            return {"enabled": False}
        world, catalog, wrong, missing, checked = self.world, self.catalog, [], [], 0

        def say(name, field, expected, found):
            wrong.append({"sku": name, "field": field, "expected": expected, "found": found})

        variants = catalog.listed()
        owner_of = {}  # barcode -> the variant of the lowest id that has it
        for variant in variants:
            if self._expected(variant):
                owner_of.setdefault(self._code(variant), variant)
        near = {name.lower() for name in world.index_of}
        for variant in variants:
            if not self._expected(variant):
                continue
            checked += 1
            index = world.index_of.get(variant.sku)
            if index is not None:
                self._check(variant, world.skus[index], owner_of, say)
            elif self._active(variant) and variant.sku.lower() not in near:
                missing.append(variant.sku)
        for product in catalog.products.values():
            self._check_family(product, say)
        here = {v.sku for v in variants}
        for name in sorted(self.web.left - here):
            index = world.index_of.get(name)
            if index is not None and world.skus[index].activepos:
                say(name, "activepos", False, True)
            elif index is None and name not in self.till.deleted:
                missing.append(name)
        touched = self._touched()
        return {"enabled": True, "ok": not (wrong or missing or touched or self.till.deleted), "checked": checked,
                "wrong_count": len(wrong), "wrong": wrong[:100], "missing": missing[:1000], "touched": touched[:1000],
                "only_in_sitoo": [s for s in world.index_of if s not in here and s not in self.web.left][:1000],
                "deleted": list(self.till.deleted)}
