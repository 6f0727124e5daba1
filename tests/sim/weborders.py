# SPDX-License-Identifier: Apache-2.0
"""BigCommerce's orders: placed by shoppers, changed by merchants, read by onepool."""
import random
import time
from bisect import bisect_left

from server import as_json
from units import now_ms, parse_date, rfc2822
from webmoney import DEFAULT_CURRENCY, DEFAULT_VAT, Money, Payment, decimals_of, minor, spread
from world import PERSONAL, Refused

# bigcommerce.md 9, Statuses
STATUS = {0: "Incomplete", 1: "Pending", 2: "Shipped", 3: "Partially Shipped", 4: "Refunded", 5: "Cancelled",
          6: "Declined", 7: "Awaiting Payment", 8: "Awaiting Pickup", 9: "Awaiting Shipment", 10: "Completed",
          11: "Awaiting Fulfillment", 12: "Manual Verification Required", 13: "Disputed", 14: "Partially Refunded"}
HOLDING = {1, 3, 7, 8, 9, 11, 12, 13, 14}  # design: statuses that hold stock
DELIVERED = {2, 10}  # hold stock until Sitoo shows the delivery; here: of orders placed since the start
CONSIGNMENT_LINES = 50  # bigcommerce.md 7.3


class Line:
    """One order row. held: units that count as pending now. Money in minor units: price of one, discounts of the line and
    its share of the order's, all with tax."""

    __slots__ = ("id", "variant", "quantity", "refunded", "held", "shipped", "price", "discount", "order_discount")

    @property
    def paid(self):
        """What the shopper paid for the line, with tax."""
        return self.quantity * self.price - self.discount - self.order_discount


class WebOrder:
    """An order. pickup: BigCommerce location id or None; deducted: whether BigCommerce has lowered its stock for it;
    restocked: units that it has put back by itself."""

    __slots__ = ("id", "status", "created", "modified", "lines", "pickup", "consignment", "person", "deducted", "archived",
                 "old", "cache", "handed", "money", "restocked")


def url(path):
    return {"url": f"https://api.bigcommerce.com/stores/simstore/v2{path}", "resource": path}


class WebOrders:
    """Orders by id and by modification time; keeps the pool's pending and the tracker informed."""

    def __init__(self, world, catalog, inventory, tracker, mapping, seed, delay_ms=150):
        self.world, self.catalog, self.inventory, self.tracker = world, catalog, inventory, tracker
        self.mapping = mapping
        self.rng = random.Random(seed + 3)
        self.delay = delay_ms / 1000
        self.first = 101
        self.orders = []
        self.changes = []  # (modified second, id), in order of time
        self.next_line, self.next_consignment = 1, 11
        self.placed = self.refused = 0
        self.restock = False  # refund_order_stock_adjustment
        self.not_deducted = {}  # (location, unit) -> units of orders whose stock BigCommerce has not taken yet

    # ---------------------------------------------------------------- shoppers and merchants

    def _stock_location(self, order):
        """Where BigCommerce takes stock from is not documented (bigcommerce.md 15.1); assumed: 1, or the pickup location."""
        return 1 if order.pickup is None else order.pickup

    def _offered(self, location, variant):
        """What the storefront sells: available, less orders just placed. None = anything (not tracked)."""
        if variant.product.tracking == "none":
            return None
        return self.inventory.available(location, variant.unit) - self.not_deducted.get((location, variant.unit), 0)

    def offered(self, location, sku):
        """_offered() by name."""
        return self._offered(location, self.catalog.by_sku[sku.lower()])

    def place(self, rows, status=11, pickup=None, date_offset_s=0, **money):
        """Returns the order, or None if the storefront refuses because it offers too little. money: see _price()."""
        if status not in STATUS:
            raise Refused(f"there is no status {status}")
        if pickup is not None and pickup not in self.mapping.pickup:
            raise Refused(f"location {pickup} is no pickup location; there are {sorted(self.mapping.pickup)}")
        lines, wanted = [], {}
        location = 1 if pickup is None else pickup
        for row in rows:
            variant = self.catalog.by_sku.get(str(row["sku"]).lower())
            quantity = row.get("quantity", 1)
            if variant is None:
                raise Refused(f"BigCommerce has no SKU {row['sku']}")
            if not isinstance(quantity, int) or quantity < 1:
                raise Refused("quantity must be a whole number above 0")
            lines.append((variant, quantity))
            wanted[variant.unit] = wanted.get(variant.unit, 0) + quantity
        if not lines:
            raise Refused("rows must not be empty")
        for variant, _ in lines:
            offered = self._offered(location, variant)
            if offered is not None and offered < wanted[variant.unit]:
                self.refused += 1
                return None
        order = self._new(lines, status, pickup, date_offset_s)
        self._price(order, rows, **money)
        self._sold(order, location)
        self._moved(order)
        return order

    def _new(self, lines, status, pickup, date_offset_s):
        order = WebOrder()
        order.id = self.first + len(self.orders)
        now = int(time.time())
        order.created = now + int(date_offset_s)
        order.old = now_ms() + int(date_offset_s) * 1000 < self.world.started_ms
        order.modified, order.status, order.pickup = order.created, status, pickup
        order.deducted, order.archived, order.cache, order.handed = False, False, None, False
        order.restocked = 0
        order.person = f"{PERSONAL}web{order.id:06d}"
        order.consignment = self.next_consignment
        self.next_consignment += 1
        order.lines = []
        for variant, quantity in lines:
            line = Line()
            line.id, line.variant, line.quantity, line.refunded, line.held = self.next_line, variant, quantity, 0, 0
            line.price, line.discount, line.order_discount, line.shipped = variant.price, 0, 0, 0
            self.next_line += 1
            order.lines.append(line)
        self._price(order, [{} for _ in lines])
        self._ship(order)
        self.orders.append(order)
        self.placed += 1
        self._touch(order, order.created if date_offset_s else None)
        return order

    def _price(self, order, rows, currency=DEFAULT_CURRENCY, vat=DEFAULT_VAT, order_discount=0, shipping=0, payments="card",
               guest=True, settled=True):
        """What was paid, how and in which currency; amounts as numbers or texts in the currency's own unit.

        payments: a method, or [{"method", "amount", "online_refunds"}] of which the last may lack its amount.
        """
        digits = decimals_of(currency)
        for line, row in zip(order.lines, rows):
            # The catalog's price is in hundredths.
            usual = line.variant.price * 10 ** digits // 100
            line.price = minor(row["price"], currency) if "price" in row else usual
            line.discount = minor(row.get("line_discount", 0), currency)
            if line.price < 0 or not 0 <= line.discount <= line.quantity * line.price:
                raise Refused(f"price and line_discount of {line.variant.sku} leave less than nothing to pay")
        order_discount = minor(order_discount, currency)
        values = [line.quantity * line.price - line.discount for line in order.lines]
        if not 0 <= order_discount <= sum(values):
            raise Refused("order_discount must be from 0 to the sum of the lines")
        for line, part in zip(order.lines, spread(order_discount, values)):
            line.order_discount = part
        money = Money(currency, vat, guest, minor(shipping, currency), settled)
        total = sum(line.paid for line in order.lines) + money.shipping
        if isinstance(payments, str):
            payments = [{"method": payments}]
        for part in payments:
            amount = minor(part["amount"], currency) if "amount" in part else total - money.paid
            money.payments.append(Payment(part["method"], amount, part.get("online_refunds", True)))
        if money.paid != total:
            raise Refused(f"the payments are {money.text(money.paid)}, the order is {money.text(total)}")
        order.money = money
        order.cache = None

    def _ship(self, order):
        if order.status in DELIVERED:
            for line in order.lines:
                line.shipped = line.quantity

    def _sold(self, order, location):
        """Tells the tracker, before the order itself lowers the pool, how many units there truly were."""
        if order.status not in HOLDING | DELIVERED or location not in self.world.pool.sums:
            return
        for line in order.lines:
            index = line.variant.world_index
            if index is None or self.catalog.usable(index) is None:
                continue
            truth = self.world.pool.sums[location][index] // 1000
            self.tracker.web_row(now_ms(), self.world.skus[index].sku, index, location, line.quantity, truth, order.id)

    def _moved(self, order):
        """After any change: pending rows of the pool, and BigCommerce's own stock once (order_placed)."""
        holding = HOLDING if order.old else HOLDING | DELIVERED
        pool, at = self.world.pool, now_ms()
        warehouse = None if order.pickup is None else self.mapping.pickup[order.pickup]
        for line in order.lines:
            # An older connector has brought it into Sitoo: its reservation counts there.
            held = line.quantity - line.refunded if order.status in holding and not order.handed else 0
            index = line.variant.world_index
            if held == line.held or index is None:
                continue
            locations = pool.mapping.free_at if warehouse is None else pool.mapping.of.get(warehouse, ())
            before = pool.levels(index, locations)
            pool.add_pending(index, warehouse, 1000 * (held - line.held))
            line.held = held
            self.tracker.lowered(at, index, before, pool.levels(index, locations), "web")
        if not order.deducted and order.status in HOLDING | DELIVERED:
            order.deducted = True
            self._deduct(order)

    def _deduct(self, order):
        """BigCommerce lowers its own stock a moment later. It never puts it back: refund_order_stock_adjustment is off."""
        location = self._stock_location(order)
        items = []
        for line in order.lines:
            if line.variant.product.tracking != "none":
                items.append((location, line.variant.unit, -line.quantity))
        if not items:
            return
        for _, unit, change in items:
            key = (location, unit)
            self.not_deducted[key] = self.not_deducted.get(key, 0) - change
        self.inventory.add_later(items, self.delay * (0.5 + self.rng.random()), lambda: self._deducted(order, items))

    def _deducted(self, order, items):
        for location, unit, change in items:
            self.not_deducted[location, unit] += change
        self._touch(order)

    def _touch(self, order, at=None):
        """date_modified has a resolution of one second."""
        order.modified = int(time.time()) if at is None else at
        order.cache = None
        if self.changes and order.modified < self.changes[-1][0]:
            self.changes.insert(bisect_left(self.changes, (order.modified, order.id)), (order.modified, order.id))
        else:
            self.changes.append((order.modified, order.id))

    def get(self, number):
        """The order of this id or None."""
        return self.orders[number - self.first] if 0 <= number - self.first < len(self.orders) else None

    def known(self, number):
        order = self.get(number)
        if order is None:
            raise Refused(f"there is no web order {number}")
        return order

    def set_status(self, number, status):
        """Any status can follow any other (bigcommerce.md 9)."""
        order = self.known(number)
        if status not in STATUS:
            raise Refused(f"there is no status {status}")
        self.change_status(order, status)
        return order

    def change_status(self, order, status):
        """A status of a known order, with what follows from it."""
        order.status = status
        self._ship(order)
        self.changed(order)
        if status in (4, 5) and self.restock and order.deducted:
            # refund_order_stock_adjustment is on (bigcommerce.md 10, Restocking: when and where to are UNSURE; assumed).
            order.deducted = False
            self._restock(order)

    def changed(self, order):
        """Something of the order is different now."""
        self._touch(order)
        self._moved(order)

    def _restock(self, order):
        location = self._stock_location(order)
        items = [(location, line.variant.unit, line.quantity) for line in order.lines
                 if line.variant.product.tracking != "none"]
        if items:
            self.inventory.add_later(items, self.delay * (0.5 + self.rng.random()), lambda: self._restocked(order, items))

    @staticmethod
    def _restocked(order, items):
        order.restocked += sum(units for _, _, units in items)

    def clear_discounts(self, order, numbers):
        """A PUT that touches products clears the discounts of the changed lines (bigcommerce.md 9, Writing)."""
        for line in order.lines:
            if not numbers or line.id in numbers:
                line.discount = line.order_discount = 0

    def archive(self, number):
        """Archived orders leave the plain list and still hold their stock (design: pending rows)."""
        order = self.known(number)
        order.archived = True
        self._touch(order)
        return order

    # ---------------------------------------------------------------- reading

    def select(self, query):
        """Orders that match, sorted; None if a parameter cannot be understood (bigcommerce.md 9, Reading)."""
        try:
            low, high = int(query.get("min_id") or 0), int(query.get("max_id") or 10**12)
            status = int(query["status_id"]) if query.get("status_id") else None
        except ValueError:
            return None
        bounds = {}
        for name in ("min_date_modified", "max_date_modified", "min_date_created", "max_date_created"):
            if query.get(name):
                bounds[name] = parse_date(query[name])
                if bounds[name] is None:
                    return None
        if "min_date_modified" in bounds:
            start = bisect_left(self.changes, (bounds["min_date_modified"],))
            numbers = sorted({number for _, number in self.changes[start:]})
            found = [o for o in (self.get(n) for n in numbers) if o.modified >= bounds["min_date_modified"]]
        else:
            found = self.orders[max(0, low - self.first):]
        archived = query.get("is_deleted", "false") == "true"
        found = [o for o in found if low <= o.id <= high and o.archived == archived
                 and (status is None or o.status == status)
                 and o.modified <= bounds.get("max_date_modified", 10**12)
                 and bounds.get("min_date_created", 0) <= o.created <= bounds.get("max_date_created", 10**12)]
        return self._sorted(found, query.get("sort", "id"))

    @staticmethod
    def _sorted(found, sort):
        field, _, direction = sort.partition(":")
        keys = {"id": lambda o: o.id, "date_modified": lambda o: (o.modified, o.id),
                "date_created": lambda o: (o.created, o.id)}
        if field not in keys or direction not in ("", "asc", "desc"):
            return None
        if field != "id" or direction == "desc":
            found = sorted(found, key=keys[field], reverse=direction == "desc")
        return found

    # ---------------------------------------------------------------- bodies

    def line_json(self, order, line):
        """bigcommerce.md 9, Line. order_pickup_method_id is the consignment's id (trap 8)."""
        money, total = order.money, line.quantity * line.price
        price = money.text(line.price)
        return {
            "id": line.id, "order_id": order.id, "product_id": line.variant.product.id,
            "order_address_id": 0 if order.pickup is not None else order.id, "name": line.variant.product.name,
            "name_customer": line.variant.product.name, "name_merchant": line.variant.product.name,
            "sku": line.variant.sku, "upc": "", "type": "physical", "base_price": price,
            "price_ex_tax": money.text(money.without_tax(line.price)), "price_inc_tax": price,
            "price_tax": money.text(money.tax_of(line.price)), "base_total": money.text(total),
            "total_ex_tax": money.text(money.without_tax(total)), "total_inc_tax": money.text(total),
            "total_tax": money.text(money.tax_of(total)), "quantity": line.quantity, "is_refunded": line.refunded > 0,
            "quantity_refunded": line.refunded, "refund_amount": "0.0000",  # always 0 (bigcommerce.md 9)
            "return_id": 0, "wrapping_message": f"{order.person}-message", "quantity_shipped": line.shipped,
            "option_set_id": None, "parent_order_product_id": None, "is_bundled_product": False, "external_id": None,
            "applied_discounts": self._discounts(money, line), "product_options": [], "configurable_fields": [],
            "gift_certificate_id": None, "discounted_total_inc_tax": money.text(line.paid), "variant_id": line.variant.id,
            "order_pickup_method_id": order.consignment if order.pickup is not None else 0}

    @staticmethod
    def _discounts(money, line):
        """applied_discounts; target is product or order (orders.v2, orderProductAppliedDiscounts)."""
        return [{"id": name, "amount": money.text(amount), "name": label, "code": None, "target": target}
                for name, label, amount, target in (("product-discount", "Product Discount", line.discount, "product"),
                                                    ("manual-discount", "Manual Discount", line.order_discount, "order"))
                if amount]

    def _address(self, order):
        mark = order.person
        return {"first_name": f"{mark}-first", "last_name": f"{mark}-last", "company": "", "street_1": f"{mark}-street",
                "street_2": "", "city": f"{mark}-city", "state": "", "zip": f"{mark}-zip", "country": "Sweden",
                "country_iso2": "SE", "phone": f"{mark}-phone", "email": f"{mark}@example.invalid", "form_fields": []}

    def order_json(self, order):
        """bigcommerce.md 9."""
        money = order.money
        goods = sum(line.quantity * line.price for line in order.lines)
        total = sum(line.paid for line in order.lines) + money.shipping
        return {
            "id": order.id, "customer_id": 0 if money.guest else 5000 + order.id, "date_created": rfc2822(order.created),
            "date_modified": rfc2822(order.modified), "date_shipped": "", "status_id": order.status,
            "status": STATUS[order.status], "subtotal_ex_tax": money.text(money.without_tax(goods)),
            "subtotal_inc_tax": money.text(goods), "subtotal_tax": money.text(money.tax_of(goods)),
            "shipping_cost_ex_tax": money.text(money.without_tax(money.shipping)),
            "shipping_cost_inc_tax": money.text(money.shipping), "shipping_cost_tax": money.text(money.tax_of(money.shipping)),
            "total_ex_tax": money.text(money.without_tax(total)), "total_inc_tax": money.text(total),
            "total_tax": money.text(money.tax_of(total)), "is_tax_inclusive_pricing": True,
            "items_total": sum(line.quantity for line in order.lines),
            "items_shipped": sum(line.shipped for line in order.lines), "payment_method": money.payment_method,
            "payment_provider_id": "", "payment_status": money.payment_status,
            "refunded_amount": "0.0000", "order_is_digital": False,  # always 0 (bigcommerce.md 9)
            "store_credit_amount": money.text(money.paid_by("storecredit")),
            "gift_certificate_amount": money.text(money.paid_by("giftcertificate")), "ip_address": "192.0.2.1",
            "ip_address_v6": "", "geoip_country": "", "geoip_country_iso2": "", "currency_id": 1,
            "currency_code": money.currency, "currency_exchange_rate": "1.0000000000", "default_currency_id": 1,
            "default_currency_code": money.currency, "staff_notes": money.staff_notes,
            "customer_message": f"{order.person}-message",
            "discount_amount": money.text(sum(line.order_discount for line in order.lines)),
            "coupon_discount": "0.0000", "shipping_address_count": 0 if order.pickup is not None else 1,
            "is_deleted": order.archived, "billing_address": self._address(order), "is_email_opt_in": False,
            "credit_card_type": None, "order_source": "www", "channel_id": 1, "external_source": None,
            "products": url(f"/orders/{order.id}/products"),
            "shipping_addresses": url(f"/orders/{order.id}/shippingaddresses"),
            "coupons": url(f"/orders/{order.id}/coupons"), "consignments": url(f"/orders/{order.id}/consignments"),
            "external_id": None, "external_merchant_id": None, "custom_status": STATUS[order.status],
            "customer_locale": "en", "external_order_id": money.external_order_id}

    def consignments_json(self, order, with_lines):
        """bigcommerce.md 7.3: at most 50 lines per consignment, and a __warning__ for the rest."""
        lines = [self.line_json(order, line) if with_lines else url(f"/orders/{order.id}/products/{line.id}")
                 for line in order.lines[:CONSIGNMENT_LINES if with_lines else None]]
        one = {"id": order.consignment, "line_items": lines}
        if order.pickup is not None:
            location = order.pickup
            one.update({
                "pickup_method_id": self.mapping.methods[location], "pickup_method_display_name": "Collect in the shop",
                "collection_instructions": "", "collection_time_description": "",
                "location": {"id": location, "name": f"Location {location}", "code": f"LOCATION-{location}",
                             "address_line_1": "", "address_line_2": "", "city": "", "state": "", "postal_code": "",
                             "country_alpha2": "SE", "email": "", "phone": ""}})
        else:
            one.update({**self._address(order), "shipping_method": "Parcel", "base_cost": "0.0000"})
        if with_lines and len(order.lines) > CONSIGNMENT_LINES:
            one["__warning__"] = {"message": (
                "Not all line items of this consignment are returned with this response, only 50 are included. Please "
                "use the `/v2/orders/{order_id}/products` endpoint to fetch all line items.")}
        return {"pickups": [one] if order.pickup is not None else [], "shipping": [] if order.pickup is not None else [one],
                "downloads": [], "email": {"gift_certificates": []}}

    def body(self, order, include, structured):
        """The order as bytes, kept until it changes. Without consignment_structure=object the includes have no effect."""
        kind = None
        if structured:
            kind = ("lines" if "consignments.line_items" in include else "links" if "consignments" in include else None)
        if order.cache is None:
            order.cache = {}
        if kind not in order.cache:
            value = self.order_json(order)
            if kind:
                value["consignments"] = self.consignments_json(order, kind == "lines")
            order.cache[kind] = as_json(value)
        return order.cache[kind]
