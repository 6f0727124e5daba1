# SPDX-License-Identifier: Apache-2.0
"""What Sitoo should hold of BigCommerce's catalog, by the rules of the mapping's section "products". Only meaningful when nothing is
under way. What is not defined is not judged: families that would need a row moved, SKUs that Sitoo refuses."""
from tillcatalog import CHARACTERS, GROUPS

TITLE_MAX = 250
NOT_OURS = ("description", "descriptionshort", "custom1", "custom2", "custom3", "custom4", "custom5", "barcodealiases", "moneypricein",
            "skumanufacturer", "deliveryinfo")


def with_vat(price, percent, from_with, to_with):
    """Hundredths, half up."""
    if from_with == to_with:
        return price
    if to_with:
        return (price * (100 + percent) * 2 + 100) // 200
    return (price * 100 * 2 + (100 + percent)) // (2 * (100 + percent))


class CatalogOracle:
    def __init__(self, shop):
        self.shop = shop
        self.was_synced = set()  # SKUs that were right once: they may be hidden later, never be gone

    def wanted(self, section):
        """{sku: fields} of what BigCommerce sells; and the SKUs that nothing can be said of."""
        web, bigcommerce = self.shop.web_catalog, self.shop.platforms["bigcommerce"]
        found, unjudged, codes = {}, set(), {}
        for variant in sorted(self.shop.catalog.live(), key=lambda v: v.id):
            product = variant.product
            vat = section.get("vat_groups", {}).get(str(product.tax_class_id), section.get("default_vat_group"))
            if not variant.sku or not CHARACTERS.fullmatch(variant.sku) or product.type != "physical" or not vat:
                unjudged.add(variant.sku)
                continue
            price = variant.price
            sale = (product.sale_price if variant.sale_price is None else variant.sale_price) or 0
            if section.get("price") == "price_list":
                records = web.lists.get(section["price_list_id"], {"records": {}})["records"]
                record = records.get((variant.id, bigcommerce.currency))
                if record is None and any(k[0] == variant.id for k in records):
                    unjudged.add(variant.sku)
                    continue
                if record is not None and record["price"] is not None:
                    price, sale = record["price"], record["sale_price"] or 0
            percent = next(g["value"] for g in GROUPS if g["vatid"] == vat)
            to_with = section.get("prices_include_vat", True)
            price, sale = (with_vat(p, percent, bigcommerce.with_tax, to_with) for p in (price, sale))
            sale = sale if 0 < sale < price else 0
            own_list = section.get("sale_price_list_id")
            title = " ".join([product.name, *(label for _, label in variant.options)] if not product.single else [product.name])
            code = next((getattr(variant, n) or (getattr(product, n) if product.single else "") for n in section.get("barcode", ["gtin", "upc"])
                         if getattr(variant, n) or (product.single and getattr(product, n))), "")
            if code and (code in codes or len(code) > 14):
                code = ""
            codes.setdefault(code, variant.sku)
            found[variant.sku] = {
                "title": " ".join("".join(c if c >= " " else " " for c in title).split()), "price": sale if sale and not own_list else price, "sale": sale if own_list else 0,
                "vatid": vat, "barcode": code, "product": product, "variant": variant,
                "activepos": product.is_visible and product.availability != "disabled" and not variant.purchasing_disabled}
        return found, unjudged

    def _judge(self, want, sku, section, wrong):
        def expect(field, expected, is_so):
            if expected != is_so:
                wrong.append({"sku": sku.sku, "field": field, "expected": expected, "found": is_so})
        if len(want["title"]) <= TITLE_MAX:
            expect("title", want["title"], sku.title)
        else:
            expect("title", want["title"][:TITLE_MAX - 3], sku.title[:TITLE_MAX - 3])
        expect("price", want["price"], sku.price)
        expect("vatid", want["vatid"], sku.vatid)
        expect("activepos", want["activepos"], sku.activepos)
        if section.get("barcode", ["gtin", "upc"]):
            expect("barcode", want["barcode"], sku.barcode)
        number = section.get("sale_price_list_id")
        if number:
            expect("sale_price", want["sale"] or None, self.shop.platforms["sitoo"].lists.get(number, {"items": {}})["items"].get(sku.index))

    def _judge_families(self, found, wrong):
        world, families = self.shop.world, {}
        for name, want in found.items():
            if want["variant"].options and not want["product"].single and name in world.index_of:
                families.setdefault(want["product"].id, []).append((world.skus[world.index_of[name]], want))
        homes = {}  # Sitoo family -> products of BigCommerce in it
        for number, members in families.items():
            for sku, _ in members:
                if sku.parent:
                    homes.setdefault(sku.parent, set()).add(number)
        for number, members in families.items():
            parents = {sku.parent for sku, _ in members}
            mixed = len(parents - {None}) > 1 or any(len(homes[p]) > 1 for p in parents if p)
            if mixed:
                continue  # a row would have to be moved, which deletes it: a person's case
            for sku, want in members:
                groups = world.families.get(sku.parent, [])
                is_so = list(zip([g["name"] for g in groups], sku.attributes))
                others = [s for s in self.shop.platforms["sitoo"].members(sku.parent) if s not in [m for m, _ in members]] if sku.parent else []
                if is_so != want["variant"].options and not any(len(o.attributes) != len(want["variant"].options) for o in others):
                    wrong.append({"sku": sku.sku, "field": "family", "expected": want["variant"].options, "found": is_so})

    def check(self):
        """GET /catalog-oracle."""
        section = self.shop.mapping.products
        if section is None:
            return {"enabled": False}
        world, till = self.shop.world, self.shop.platforms["sitoo"]
        found, unjudged = self.wanted(section)
        wrong, missing = [], []
        for name, want in found.items():
            index = world.index_of.get(name)
            if index is None:
                missing.append(name)
                continue
            self._judge(want, world.skus[index], section, wrong)
        self._judge_families(found, wrong)
        self.was_synced |= set(found) - set(missing)
        left = [n for n in self.was_synced if n not in found and n not in unjudged]
        for name in left:
            if name in world.index_of and world.skus[world.index_of[name]].activepos:
                wrong.append({"sku": name, "field": "activepos", "expected": False, "found": True})
        deleted = sorted(n for n in self.was_synced if n not in world.index_of)
        only = sorted(s.sku for s in (world.skus[i] for i in world.live_skus())
                      if s.sku not in found and s.sku not in unjudged and s.sku not in self.was_synced)
        touched = [{"sku": s.sku, "field": field} for s in (world.skus[i] for i in world.live_skus())
                   for field in sorted(till.synced.get(s.productid, ())) if field in NOT_OURS and s.more.get(field)]
        return {"enabled": True, "ok": not wrong and not missing and not deleted and not touched, "checked": len(found), "wrong": wrong[:100],
                "missing": missing[:100], "only_in_sitoo": only, "touched": touched, "deleted": deleted}
