# SPDX-License-Identifier: Apache-2.0
"""What BigCommerce's v2 API shows of an order: the order, its lines, consignments, addresses and taxes."""
from units import Refused, rfc2822
from webmoney import number
from weborderrows import DIGITAL, GIFT_CERTIFICATE

# bigcommerce.md 9, Statuses
STATUS = {0: "Incomplete", 1: "Pending", 2: "Shipped", 3: "Partially Shipped", 4: "Refunded", 5: "Cancelled",
          6: "Declined", 7: "Awaiting Payment", 8: "Awaiting Pickup", 9: "Awaiting Shipment", 10: "Completed",
          11: "Awaiting Fulfillment", 12: "Manual Verification Required", 13: "Disputed", 14: "Partially Refunded"}
CONSIGNMENT_LINES = 50  # bigcommerce.md 7.3
ADDRESS = ("first_name", "last_name", "company", "street_1", "street_2", "city", "state", "zip", "country", "country_iso2",
           "phone", "email")
WARNING = ("Not all line items of this consignment are returned with this response, only 50 are included. Please "
           "use the `/v2/orders/{order_id}/products` endpoint to fetch all line items.")


def url(path):
    return {"url": f"https://api.bigcommerce.com/stores/simstore/v2{path}", "resource": path}


# ---------------------------------------------------------------- people


def checked_address(address):
    """What POST /web-order and /web-order-edit may say of the recipient."""
    if not isinstance(address, dict):
        raise Refused("address must be an object")
    unknown = set(address) - set(ADDRESS)
    if unknown:
        raise Refused(f"{sorted(unknown)} are no part of an address; there are {list(ADDRESS)}")
    for name, value in address.items():
        if not isinstance(value, str) or len(value) > 255:
            raise Refused(f"address.{name} must be a text of at most 255 characters")
    return address


def billing_address(order):
    """Every text that is personal holds the mark of world.PERSONAL."""
    mark = order.person
    return {"first_name": f"{mark}-first", "last_name": f"{mark}-last", "company": "", "street_1": f"{mark}-street",
            "street_2": "", "city": f"{mark}-city", "state": "", "zip": f"{mark}-zip", "country": "Sweden",
            "country_iso2": "SE", "phone": f"{mark}-phone", "email": f"{mark}@example.invalid", "form_fields": []}


def recipient(order):
    """Where the parcel goes: the billing address, with whatever the shopper or the staff wrote instead."""
    return {**billing_address(order), **order.address}


# ---------------------------------------------------------------- lines


def _discounts(money, line):
    """applied_discounts; target is product or order (orders.v2, orderProductAppliedDiscounts)."""
    return [{"id": name, "amount": money.text(amount), "name": label, "code": None, "target": target}
            for name, label, amount, target in (("product-discount", "Product Discount", line.discount, "product"),
                                                ("manual-discount", "Manual Discount", line.order_discount, "order"))
            if amount]


def _option(line, position, option):
    """recorded/bigcommerce/api_v2_order_products.json, product_options."""
    name, value = str(option["name"]), str(option["value"])
    return {"id": 100 * line.id + position, "option_id": 10 + position, "order_product_id": line.id,
            "product_option_id": 110 + position, "display_name": name, "display_name_customer": name,
            "display_name_merchant": name, "display_value": value, "display_value_customer": value,
            "display_value_merchant": value, "value": value, "type": "Multiple choice", "name": name,
            "display_style": "Rectangle", **{k: str(v) for k, v in option.items() if k not in ("name", "value")}}


def line_json(order, line):
    """bigcommerce.md 9, Line. order_pickup_method_id is the consignment's id (trap 8)."""
    money, total = order.money, line.quantity * line.price
    price, vat = money.text(line.price), line.vat
    pickup = order.pickup is not None and line.physical
    return {
        "id": line.id, "order_id": order.id, "product_id": line.variant.product.id,
        "order_address_id": order.address_id if line.physical and not pickup else 0, "name": line.name,
        "name_customer": line.name, "name_merchant": line.name,
        "sku": line.variant.sku, "upc": "", "type": line.kind, "base_price": price,
        "price_ex_tax": money.text(money.without_tax(line.price, vat)), "price_inc_tax": price,
        "price_tax": money.text(money.tax_of(line.price, vat)), "base_total": money.text(total),
        "total_ex_tax": money.text(money.without_tax(total, vat)), "total_inc_tax": money.text(total),
        "total_tax": money.text(money.tax_of(total, vat)), "quantity": line.quantity, "is_refunded": line.refunded > 0,
        "quantity_refunded": line.refunded, "refund_amount": "0.0000",  # always 0 (bigcommerce.md 9)
        "return_id": 0, "wrapping_message": f"{order.person}-message", "quantity_shipped": line.shipped,
        "option_set_id": 19 if line.options else None, "parent_order_product_id": line.parent.id if line.parent else None,
        "is_bundled_product": line.parent is not None, "external_id": None, "applied_discounts": _discounts(money, line),
        "product_options": [_option(line, i, option) for i, option in enumerate(line.options)], "configurable_fields": [],
        "gift_certificate_id": 50 + line.id if line.kind == GIFT_CERTIFICATE else None,
        "discounted_total_inc_tax": money.text(line.paid), "variant_id": line.variant.id,
        "order_pickup_method_id": order.consignment if pickup else 0}


def taxes_json(order, details):
    """GET /v2/orders/{id}/taxes (orders.v2, orderTaxes_Base); order_product_id and line_item_type only with details."""
    found = []
    for line in order.lines:
        vat = order.money.vat if line.vat is None else line.vat
        tax = order.money.text(order.money.tax_of(line.paid, line.vat))
        found.append({"id": line.id, "order_id": order.id, "order_address_id": order.address_id, "tax_rate_id": line.tax_class + 1,
                      "tax_class_id": line.tax_class, "name": "VAT", "class": f"Tax class {line.tax_class}", "rate": f"{vat:.4f}",
                      "priority": 0, "priority_amount": tax, "line_amount": tax,
                      **({"order_product_id": str(line.id), "line_item_type": "item"} if details else {})})
    return found


# ---------------------------------------------------------------- the order


def order_json(order):
    """bigcommerce.md 9."""
    money, lines = order.money, order.lines
    goods = sum(line.quantity * line.price for line in lines)
    goods_ex = sum(money.without_tax(line.quantity * line.price, line.vat) for line in lines)
    total = sum(line.paid for line in lines) + money.shipping
    total_ex = sum(money.without_tax(line.paid, line.vat) for line in lines) + money.without_tax(money.shipping)
    if all(line.vat is None for line in lines):  # rounded once
        goods_ex, total_ex = money.without_tax(goods), money.without_tax(total)
    return {
        "id": order.id, "customer_id": 0 if money.guest else 5000 + order.id, "date_created": rfc2822(order.created),
        "date_modified": rfc2822(order.modified), "date_shipped": order.shipments and rfc2822(order.shipments[-1].created) or "",
        "status_id": order.status, "status": STATUS[order.status], "subtotal_ex_tax": money.text(goods_ex),
        "subtotal_inc_tax": money.text(goods), "subtotal_tax": money.text(goods - goods_ex),
        "shipping_cost_ex_tax": money.text(money.without_tax(money.shipping)),
        "shipping_cost_inc_tax": money.text(money.shipping), "shipping_cost_tax": money.text(money.tax_of(money.shipping)),
        "total_ex_tax": money.text(total_ex), "total_inc_tax": money.text(total),
        "total_tax": money.text(total - total_ex), "is_tax_inclusive_pricing": True,
        "items_total": sum(line.quantity for line in lines), "items_shipped": sum(line.shipped for line in lines),
        "payment_method": money.payment_method, "payment_provider_id": "", "payment_status": money.payment_status,
        "refunded_amount": "0.0000",  # always 0 (bigcommerce.md 9)
        "order_is_digital": all(line.kind == DIGITAL for line in lines),
        "store_credit_amount": money.text(money.paid_by("storecredit")),
        "gift_certificate_amount": money.text(money.paid_by("giftcertificate")), "ip_address": "192.0.2.1",
        "ip_address_v6": "", "geoip_country": "", "geoip_country_iso2": "", "currency_id": 1,
        "currency_code": money.currency, "currency_exchange_rate": "1.0000000000", "default_currency_id": 1,
        "default_currency_code": money.currency, "staff_notes": money.staff_notes,
        "customer_message": order.message,
        "discount_amount": money.text(sum(line.order_discount for line in lines)),
        "coupon_discount": "0.0000", "shipping_address_count": 1 if order.ships else 0,
        "is_deleted": order.archived, "billing_address": billing_address(order), "is_email_opt_in": False,
        "credit_card_type": None, "order_source": "www", "channel_id": 1, "external_source": None,
        "products": url(f"/orders/{order.id}/products"),
        "shipping_addresses": url(f"/orders/{order.id}/shippingaddresses"),
        "coupons": url(f"/orders/{order.id}/coupons"), "consignments": url(f"/orders/{order.id}/consignments"),
        "external_id": None, "external_merchant_id": None, "custom_status": STATUS[order.status],
        "customer_locale": "en", "external_order_id": money.external_order_id}


# ---------------------------------------------------------------- consignments and addresses


def _costs(order, write):
    """What shipping costs, as texts in addresses and as numbers in consignments."""
    money = order.money
    base, without, tax = money.shipping, money.without_tax(money.shipping), money.tax_of(money.shipping)
    return {"base_cost": write(base), "cost_ex_tax": write(without), "cost_inc_tax": write(base), "cost_tax": write(tax),
            "cost_tax_class_id": 0, "base_handling_cost": write(0), "handling_cost_ex_tax": write(0),
            "handling_cost_inc_tax": write(0), "handling_cost_tax": write(0), "handling_cost_tax_class_id": 0,
            "shipping_zone_id": 1, "shipping_zone_name": "Sweden"}


def shipping_addresses_json(order):
    """recorded/bigcommerce/api_v2_order_shipping_addresses.json; none for pickup, downloads and certificates."""
    if not order.ships:
        return []
    lines = [line for line in order.lines if line.physical]
    quotes = f"/orders/{order.id}/shippingaddresses/{order.address_id}/shippingquotes"
    return [{"id": order.address_id, "order_id": order.id, **recipient(order),
             "items_total": sum(line.quantity for line in lines), "items_shipped": sum(line.shipped for line in lines),
             "shipping_method": order.shipping_method, **_costs(order, order.money.text), "shipping_quotes": url(quotes)}]


def _pickup(order):
    """The location is a copy in the order; orders made by POST name none by id (bigcommerce.md 7.3)."""
    location = {"id": order.pickup, "name": f"Location {order.pickup}", "code": f"LOCATION-{order.pickup}",
                "address_line_1": "", "address_line_2": "", "city": "", "state": "", "postal_code": "",
                "country_alpha2": "SE", "email": "", "phone": ""}
    if order.nameless:
        del location["id"]
    return {"pickup_method_id": order.pickup_method, "pickup_method_display_name": "Collect in the shop",
            "collection_instructions": "", "collection_time_description": "", "location": location}


def _shipping(order):
    money = order.money
    quotes = f"/orders/{order.id}/consignments/shipping/{order.consignment}/shipping_quotes"
    lines = [line for line in order.lines if line.physical]
    return {**recipient(order), "shipping_method": order.shipping_method,
            "items_total": sum(line.quantity for line in lines), "items_shipped": sum(line.shipped for line in lines),
            **_costs(order, lambda amount: number(amount, money.currency)), "shipping_quotes": url(quotes)}


def consignments_json(order, with_lines):
    """bigcommerce.md 7.3: at most 50 lines per consignment, and a __warning__ for the rest."""
    def group(kind):
        lines = [line for line in order.lines if line.kind == kind]
        shown = [line_json(order, line) if with_lines else url(f"/orders/{order.id}/products/{line.id}")
                 for line in lines[:CONSIGNMENT_LINES if with_lines else None]]
        cut = {"__warning__": {"message": WARNING}} if with_lines and len(lines) > CONSIGNMENT_LINES else {}
        return {"line_items": shown, **cut} if lines else None
    physical = group("physical")
    goods = [{"id": order.consignment, **physical,
              **(_pickup(order) if order.pickup is not None else _shipping(order))}] if physical else []
    mail = {"recipient_email": billing_address(order)["email"]}
    downloads, certificates = group(DIGITAL), group(GIFT_CERTIFICATE)
    return {"pickups": goods if order.pickup is not None else [], "shipping": goods if order.pickup is None else [],
            "downloads": [{**mail, **downloads}] if downloads else [],
            "email": {"gift_certificates": [{**mail, **certificates}] if certificates else []}}
