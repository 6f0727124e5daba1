# SPDX-License-Identifier: Apache-2.0
"""POST of warehouse transactions: stock that the integration itself moves (sitoo.md 7.4)."""
import json

from server import Reply
from units import decimal3, thousandths

MOST = 1000  # per request; whether of transactions or of rows is UNSURE (sitoo.md U17): both are refused beyond it
SIGNS = {10: 1, 20: -1}  # Move In is positive, Move Out negative; the other types cannot be written


class Wrong(Exception):
    """Answered 400 with this text (the texts are assumed)."""


def _text(transaction, name, most=255):
    value = transaction.get(name)
    if value is not None and (not isinstance(value, str) or len(value) > most):
        raise Wrong(f"Invalid value in {name}")
    return value


def _changes(world, warehouse, kind, items):
    if not isinstance(items, list) or not items:
        raise Wrong("Invalid value in items")
    changes = []
    for item in items:
        if not isinstance(item, dict) or item.get("sku") not in world.index_of:
            raise Wrong("Invalid value in items (sku)")
        try:
            amount = thousandths(item.get("decimalquantity"))
        except ValueError:
            raise Wrong("Invalid value in items (decimalquantity)") from None
        if amount * SIGNS[kind] <= 0:
            raise Wrong(f"Invalid value in items (decimalquantity {decimal3(amount)})")
        changes.append((world.index_of[item["sku"]], amount))
    return changes


def _one(world, transaction):
    """Checks and books one; returns its id."""
    if not isinstance(transaction, dict):
        raise Wrong("Invalid value")
    warehouse, kind = transaction.get("warehouseid"), transaction.get("transactiontype")
    if type(warehouse) is not int or warehouse not in world.pool.total:
        raise Wrong("Invalid value in warehouseid")
    if warehouse in world.virtual:
        raise Wrong("Invalid value in warehouseid (virtual)")
    if kind not in SIGNS:
        raise Wrong("Invalid value in transactiontype")
    changes = _changes(world, warehouse, kind, transaction.get("items"))
    texts = {"externalid": _text(transaction, "externalid"), "reason": _text(transaction, "reasoncode", 32),
             "description": _text(transaction, "description") or ""}
    return world.transact(warehouse, kind, changes, **texts)


def add(world, call, known_site):
    """One object answers its id, an array one entry for each, which succeed or fail one by one (sitoo.md 7.4)."""
    def wrong(text):
        return Reply(400, {"statuscode": 400, "errortext": text})
    try:
        body = json.loads(call.body)
    except ValueError:
        return wrong("Invalid JSON")
    if not known_site:
        return Reply(404, {"statuscode": 404, "errortext": "Not Found"})  # assumed
    if not isinstance(body, list):
        try:
            return Reply(200, _one(world, body))
        except Wrong as problem:
            return wrong(str(problem))
    rows = sum(len(t["items"]) for t in body if isinstance(t, dict) and isinstance(t.get("items"), list))
    if not body or len(body) > MOST or rows > MOST:
        return wrong(f"Between 1 and {MOST} items are allowed")
    answer = []
    for transaction in body:
        try:
            answer.append({"statuscode": 200, "return": _one(world, transaction)})
        except Wrong as problem:
            answer.append({"statuscode": 400, "errortext": str(problem)})
    return Reply(200, answer)
