# SPDX-License-Identifier: Apache-2.0
"""What staff do to a web order in the control panel: other quantities, more rows, fewer rows, another address or shop."""
import weborderrows
from units import Refused, now_ms
from weborderbody import checked_address
from webmoney import minor

PARTS = {"order_id", "rows", "add", "remove", "address", "pickup_location"}


def _position(order, row):
    """Of {"row": position} or {"sku": first row of that SKU}."""
    if "row" in row:
        if type(row["row"]) is not int or not 0 <= row["row"] < len(order.lines):
            raise Refused(f"order {order.id} has no row {row['row']}")
        return row["row"]
    for position, line in enumerate(order.lines):
        if line.variant.sku == row["sku"]:
            return position
    raise Refused(f"order {order.id} has no row of SKU {row['sku']}")


def _changes(order, rows):
    """{Line: new quantity}; not below what is shipped or refunded."""
    found = {}
    for row in rows:
        line, quantity = order.lines[_position(order, row)], row["quantity"]
        if type(quantity) is not int or quantity < max(1, line.shipped, line.refunded):
            raise Refused(f"quantity of row {order.lines.index(line)} must be a whole number from "
                          f"{max(1, line.shipped, line.refunded)}; remove takes a row away")
        found[line] = quantity
    return found


def _removed(order, positions):
    """The lines to take away, components with their bundle."""
    gone = [order.lines[_position(order, {"row": position})] for position in positions]
    gone += [line for line in order.lines if line.parent in gone and line not in gone]
    for line in gone:
        if line.shipped or line.refunded:
            raise Refused(f"row {order.lines.index(line)} has units that are shipped or refunded")
        if line.parent is not None and line.parent not in gone:
            raise Refused(f"row {order.lines.index(line)} is a component; remove its bundle")
    return gone


def _added(orders, order, rows):
    wanted = weborderrows.wanted(orders.catalog, rows) if rows else []
    if len(order.lines) + len(wanted) > weborderrows.MOST_ROWS:
        raise Refused(f"an order has at most {weborderrows.MOST_ROWS} rows")
    lines = orders.new_lines(wanted)
    currency = order.money.currency
    for line, one in zip(lines, wanted):
        if "price" in one.row:
            line.price = minor(one.row["price"], currency)
        line.discount = minor(one.row.get("line_discount", 0), currency)
        if line.price < 0 or not 0 <= line.discount <= line.quantity * line.price:
            raise Refused(f"price and line_discount of {line.variant.sku} leave less than nothing to pay")
    return lines


def _stock(location, lines, sign=1):
    return [(location, line.variant.unit, sign * line.quantity) for line in lines if line.physical]


def edit(orders, body):
    """POST /web-order-edit. BigCommerce's own stock follows (edit_order_stock_adjustment is on); changed rows lose their
    discounts, as they do when the API touches them (bigcommerce.md 9); payments stay what they were."""
    unknown = set(body) - PARTS
    if unknown:
        raise Refused(f"{sorted(unknown)} are no part of an edit")
    order = orders.known(body["order_id"])
    changes, gone = _changes(order, body.get("rows", [])), _removed(order, body.get("remove", []))
    if "pickup_location" in body:
        orders.check_pickup(body["pickup_location"])
        if order.shipments and body["pickup_location"] is not None:
            raise Refused(f"order {order.id} has shipments")
    address = checked_address(body.get("address", {}))
    added = _added(orders, order, body.get("add", []))
    if len(gone) == len(order.lines) and not added:
        raise Refused("an order keeps at least one row; cancel it instead")
    before = _stock(orders.stock_location(order), order.lines)
    orders.let_go(order, order.lines)
    for line, quantity in changes.items():
        line.quantity, line.discount, line.order_discount = quantity, 0, 0
        line.most = max(line.most, quantity)
    order.lines = [line for line in order.lines if line not in gone] + added
    if "pickup_location" in body and body["pickup_location"] != order.pickup:
        orders.collect_at(order, body["pickup_location"])
    order.address = {**order.address, **address}
    if order.deducted:
        orders.adjust(order, before, _stock(orders.stock_location(order), order.lines))
    orders.changed(order)
    return {"order_id": order.id, "status": order.status, "rows": [
        {"row": i, "order_product_id": line.id, "sku": line.variant.sku, "quantity": line.quantity}
        for i, line in enumerate(order.lines)], "at_ms": now_ms()}
