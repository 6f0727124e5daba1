# SPDX-License-Identifier: Apache-2.0
"""The part of the control interface that is about returns and refunds. README.md lists the calls."""
import asyncio

import aiohttp

from units import Refused, now_ms

PLAIN = ("rows", "warehouse", "return_warehouse", "reason", "original", "date_offset_s")
MORE = ("reference", "item_ref", "payments", "receipt", "comment", "currency", "roundoff", "unknown_original", "extra")


def arguments(body):
    """World.give_back()'s of a body. "credit": false is another word for reference "pos-originalsales-orderid"."""
    unknown = set(body) - {*PLAIN, *MORE, "credit"}
    if unknown:
        raise Refused(f"{sorted(unknown)} are no part of a return")
    found = {name: body[name] for name in PLAIN + MORE if name in body}
    if "rows" not in found:
        raise Refused("rows is missing")
    if not body.get("credit", True):
        found.setdefault("reference", "pos-originalsales-orderid")
    return found


def _web(order):
    return {"order_id": order.id, "status": order.status, "at_ms": now_ms()}


class Returns:
    """Routes over one shop."""

    def __init__(self, shop):
        self.shop = shop

    def _refund(self, number):
        refund = self.shop.platforms["bigcommerce"].refunds.get(number)
        if refund is None:
            raise Refused(f"there is no refund {number}")
        return refund

    def handover(self, body, query, request):
        """The Sitoo order that stands for a web order at returns."""
        number, at = self.shop.world.web_handover(self.shop.orders.known(body["order_id"]), body.get("externalid"),
                                                  body.get("item_step", 1), body.get("warehouse"))
        return {"order_id": number, "at_ms": at}

    def exchange(self, body, query, request):
        refund, sale, at = self.shop.world.exchange(arguments(body["return"]), body["sale"], body.get("first", "refund"),
                                                    body.get("delay_ms", 0))
        return {"refund_order_id": refund, "sale_order_id": sale, "at_ms": at}

    def release(self, body, query, request):
        left = self.shop.world.release(body["sku"], body["warehouse"], body.get("quantity", 1))
        return {"withheld_thousandths": left}

    def decline(self, body, query, request):
        """The payment of a refund made already, or of the order's next one so many ms after it, is declined."""
        message = body.get("message", "Declined by the payment provider")
        if "refund_id" in body:
            refund = self._refund(body["refund_id"])
            self.shop.platforms["bigcommerce"].refunds.decline(refund, message)
            return _web(refund.order)
        order = self.shop.orders.known(body["order_id"])
        order.money.decline = {"ms": float(body.get("ms", 0)), "message": message}
        return _web(order)

    async def send_hook(self, body, query, request):
        """store/order/refund/created of one refund, as BigCommerce would send it. url and headers default to those of the
        registered hook of that scope (PUT /settings hooks)."""
        bigcommerce = self.shop.platforms["bigcommerce"]
        payload = bigcommerce.refunds.hook_body(self._refund(body["refund_id"]))
        known = [h for h in bigcommerce.hooks if h["scope"] == payload["scope"] and h["is_active"]]
        if "url" not in body and not known:
            raise Refused("no active hook of this scope is registered; name url")
        url = body.get("url") or known[0]["destination"]
        headers = body.get("headers") or (known[0]["headers"] if known else None) or {}
        try:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
                async with session.post(url, json=payload, headers=headers, allow_redirects=False) as answer:
                    await answer.read()
                    return {"status": answer.status, "body": payload}
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as problem:
            raise Refused(f"{type(problem).__name__}: {problem}") from None

    def report(self, body, query, request):
        return self.shop.verdicts.report()


def routes(shop):
    """{(method, path): function} for control.Control."""
    one = Returns(shop)
    return {("POST", "/web-handover"): one.handover, ("POST", "/exchange"): one.exchange, ("POST", "/release"): one.release,
            ("POST", "/web-decline"): one.decline, ("POST", "/send-hook"): one.send_hook, ("GET", "/refunds"): one.report}
