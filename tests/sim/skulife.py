# SPDX-License-Identifier: Apache-2.0
"""SKUs of Sitoo that come, go and change their name while the shop runs (sitoo.md 6)."""
import time


class SkuLife:
    """Part of World. Needs skus, index_of, pool, open_orders and order() of it."""

    def _start_skus(self):
        self.on_sku = None    # on_sku(index, old name or None, new name or None): the catalog and the oracle follow
        self.barcodes = {}    # barcode -> {sku index}
        self.families = {}    # product id of the main variant -> tillfamilies.Family
        self.gone_skus = set()  # sku indices of products that are not there any more

    def live_skus(self):
        """Indices of all products, ascending; so are their ids."""
        return [s.index for s in self.skus if s.index not in self.gone_skus] if self.gone_skus else range(len(self.skus))

    def sku_of(self, product_id):
        """The Sku of this product id, or None."""
        index = product_id - 1000
        return self.skus[index] if 0 <= index < len(self.skus) and index not in self.gone_skus else None

    def add_sku(self, sku):
        """A product more, without stock anywhere (a SKU without a row in a warehouse is normal, sitoo.md 7.2)."""
        self.skus.append(sku)
        self.index_of[sku.sku] = sku.index
        self.pool.grow()
        if sku.barcode:
            self.barcodes.setdefault(sku.barcode, set()).add(sku.index)
        self._sku_told(sku.index, None, sku.sku)

    def rename_sku(self, sku, name):
        """Rows of open orders follow their product (assumed)."""
        old = sku.sku
        if name == old:
            return
        for number in self.open_orders:
            for row in self.order(number).rows:
                if row.sku == old:
                    row.sku = name
        del self.index_of[old]
        self.index_of[name], sku.sku = sku.index, name
        self._sku_told(sku.index, old, name)

    def set_barcode(self, sku, barcode):
        """"" = none."""
        if sku.barcode:
            owners = self.barcodes[sku.barcode]
            owners.discard(sku.index)
            if not owners:
                del self.barcodes[sku.barcode]
        sku.barcode = barcode
        if barcode:
            self.barcodes.setdefault(barcode, set()).add(sku.index)

    def drop_sku(self, sku):
        """The product is gone: deleted, or vanished (sitoo.md 6.1). Its id is never used again."""
        if sku.index in self.gone_skus:
            return
        self.gone_skus.add(sku.index)
        self.set_barcode(sku, "")
        del self.index_of[sku.sku]
        family = self.families.get(sku.parent)
        if family is not None:
            family.leave(self, sku)
        self._sku_told(sku.index, sku.sku, None)

    def _sku_told(self, index, old, new):
        if self.on_sku is not None:
            self.on_sku(index, old, new)

    @staticmethod
    def seconds():
        return int(time.time())
