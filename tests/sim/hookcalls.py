# SPDX-License-Identifier: Apache-2.0
"""BigCommerce's calls about webhooks (bigcommerce.md 5.1), and the events that stock and orders raise."""
import ipaddress
import time
from urllib.parse import urlsplit

from hooks import EXCEPTION
from payments import Answered, json_object
from server import Reply
from units import Refused

STATUS_PAGE = "/api-docs/getting-started/api-status-codes"  # recorded/bigcommerce/api_hooks_error_422.json
MISSING = "error.path.missing."  # documented; the other texts are assumed
MOST_PER_SCOPE = 10
HEADERS_MAX, HEADER_NAME_MAX, HEADER_VALUE_MAX = 64, 64, 8192  # those of the answer (bigcommerce.md 5.2); assumed for these
_INVENTORY = "store/channel/*/inventory/product/"
# bigcommerce.md 5.5 and 5.1; scopes of one channel, store/channel/{id}/..., are checked by their form.
SCOPES = {
    *(f"store/order/{what}" for what in ("*", "created", "updated", "statusUpdated", "archived", "message/created",
                                         "refund/created", "transaction/created", "transaction/updated", "metafield/created",
                                         "metafield/updated", "metafield/deleted")),
    *(f"store/{kind}/{what}" for kind in ("product", "sku") for what in (
        "*", "created", "updated", "deleted", "inventory/updated", "inventory/order/updated")),
    *(f"store/shipment/{what}" for what in ("*", "created", "updated", "deleted")),
    *(_INVENTORY + what for what in ("stock_changed", "low_stock_reached", "out_of_stock_reached", "settings_changed")),
    *(f"store/inventory/location/{what}" for what in ("created", "updated", "metafield/created", "metafield/updated",
                                                      "metafield/deleted")),
    *(f"store/metafield/{what}" for what in ("*", "created", "updated", "deleted")),
    *(f"store/priceList/{what}" for what in ("created", "updated", "activated", "deactivated", "deleted", "record/created",
                                             "record/updated", "record/deleted", "records/created", "records/updated",
                                             "records/deleted", "assignment/updated", "assignment/deleted")),
    "store/channel/*", "store/channel/created", "store/channel/updated", "store/customer/*", "store/cart/*",
    "store/priceLists/deleted", "store/information/updated", "store/app/uninstalled", EXCEPTION,
}


def refuse(status, title):
    return Reply(status, {"status": status, "title": title, "type": STATUS_PAGE})


def invalid(**errors):
    """recorded/bigcommerce/api_hooks_error_422.json."""
    return Answered(Reply(422, {"status": 422, "title": "JSON data is missing or invalid", "type": STATUS_PAGE, "errors": errors}))


def known_scope(scope):
    parts = scope.split("/") if isinstance(scope, str) else []
    one_channel = len(parts) > 3 and parts[:2] == ["store", "channel"] and parts[2].isdigit()
    return scope in SCOPES or one_channel


def is_loopback(host):
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def wrong_destination(destination, allow_http):
    """What is wrong, or None: https on port 443 (bigcommerce.md 5.1). allow_http: plain http to loopback, any port."""
    try:
        parts = urlsplit(destination)
        host, port = parts.hostname, parts.port
    except (ValueError, AttributeError, TypeError):
        return "is no URL"
    if parts.scheme == "http" and allow_http and host and is_loopback(host):
        return None
    if parts.scheme != "https" or not host:
        return "must be an https URL"
    return None if port in (None, 443) else "must be served on port 443"


def wrong_headers(headers):
    if headers is None:
        return None
    if not isinstance(headers, dict) or len(headers) > HEADERS_MAX:
        return f"must be an object of at most {HEADERS_MAX} texts"
    for name, value in headers.items():
        if not isinstance(value, str) or not 1 <= len(name) <= HEADER_NAME_MAX or len(value) > HEADER_VALUE_MAX \
                or any(ord(c) < 32 or ord(c) > 126 for c in name + value):
            return f"{name[:HEADER_NAME_MAX]} is not valid"
    return None


class HookCalls:
    """Part of BigCommerce. Needs webhooks (hooks.Hooks), counters, _page() and _v3_list() of it."""

    @property
    def hooks(self):
        return self.webhooks.list

    @hooks.setter
    def hooks(self, value):
        self.webhooks.replace(value)

    # ---------------------------------------------------------------- reading

    def hook_list(self, call):
        """Only the caller's own; the custom headers come back too."""
        number, limit = self._page(call, 50, 250)  # the default and the largest are not documented
        query = call.query
        found = [h for h in self.hooks if all(name not in query or str(h[name]).lower() == query[name].lower()
                                              for name in ("scope", "destination", "is_active"))]
        return self._v3_list(found, number, limit, lambda h: h)

    def _hook(self, number):
        hook = self.webhooks.find(number)
        if hook is None:
            raise Answered(refuse(404, f"Webhook with id [{number}] not found"))
        return hook

    def hook_get(self, call, number):
        return Reply(200, {"data": self._hook(number), "meta": {}})

    def hook_admin(self, call):
        hooks = self.webhooks
        found = [h for h in hooks.list if call.query.get("is_active", str(h["is_active"])).lower() == str(h["is_active"]).lower()]
        return Reply(200, {"data": {"emails": hooks.emails, "hooks_list": [{**h, "status": hooks.status(h)} for h in found],
                                    "blocked_domains": hooks.blocked()}, "meta": {}})

    # ---------------------------------------------------------------- writing

    def _check_hook(self, hook, own_id=None):
        """Answered if this cannot be a hook of this store and client."""
        if not known_scope(hook["scope"]):
            raise invalid(scope="is not a known scope")
        problem = wrong_destination(hook["destination"], self.webhooks.settings["hooks_allow_http"])
        if problem:
            raise invalid(destination=problem)
        problem = wrong_headers(hook["headers"])
        if problem:
            raise invalid(headers=problem)
        if type(hook["is_active"]) is not bool:
            raise invalid(is_active="must be true or false")
        others = [h for h in self.hooks if h["id"] != own_id]
        same = [h for h in others if h["scope"] == hook["scope"]]
        # The status code for these is not documented; 422 is assumed.
        if any(h["destination"] == hook["destination"] for h in same):
            raise invalid(destination="a webhook of this scope and destination exists")
        if len(same) >= (1 if hook["scope"] == EXCEPTION else MOST_PER_SCOPE):
            raise invalid(scope="no more webhooks of this scope are possible")
        if any(h["destination"] == hook["destination"] and EXCEPTION in (h["scope"], hook["scope"]) for h in others):
            raise invalid(destination="must differ from that of every other webhook")

    def _hook_wanted(self, call, old, own_id=None):
        """The hook as the body wants it. Names that are not known are ignored (events_history_enabled was one)."""
        body = json_object(call, refuse)
        given = {name: body[name] for name in ("scope", "destination", "headers", "is_active") if name in body}
        if own_id is not None and not given:
            raise invalid(body="at least one field is required")
        hook = {**old, **given}
        for name in ("scope", "destination"):
            if name not in hook:
                raise invalid(**{name: MISSING})
        try:
            self._check_hook(hook, own_id)
        except Answered:
            self.counters.numbers["hooks_refused"] += 1
            raise
        return hook

    def hook_create(self, call):
        hook = self._hook_wanted(call, {"headers": None, "is_active": True})
        made = self.webhooks.add(hook["scope"], hook["destination"], hook["headers"], hook["is_active"])
        return Reply(200, {"data": made, "meta": {}})

    def hook_change(self, call, number):
        """A PUT of is_active true revives a hook (bigcommerce.md 5.2)."""
        old = self._hook(number)
        old.update(self._hook_wanted(call, old, number), updated_at=int(time.time()))
        if old["is_active"]:
            self.webhooks.deactivated.discard(number)
        return Reply(200, {"data": old, "meta": {}})

    def hook_delete(self, call, number):
        hook = self._hook(number)
        self.webhooks.list.remove(hook)
        return Reply(200, {"data": hook, "meta": {}})

    def hook_emails(self, call):
        emails = json_object(call, refuse).get("emails")
        if not isinstance(emails, list) or not all(isinstance(e, str) and "@" in e and len(e) <= 255 for e in emails):
            raise invalid(emails=MISSING if emails is None else "must be a list of e-mail addresses")
        self.webhooks.emails = emails
        return Reply(204)

    # ---------------------------------------------------------------- events of stock

    def levels_landed(self, cause, changes):
        """Echoes of a change of levels (bigcommerce.md 5.5, 13). cause: "absolute" = API or control panel, "relative" = an
        order; changes: [(location, unit, before, after)]."""
        tell, products = self.webhooks.raise_event, {}
        for location, unit, before, after in changes:
            if before == after:
                continue
            variant = self.catalog.variants[unit]
            products.setdefault(variant.product.id, []).append((variant, after if cause == "absolute" else after - before))
            where = {"variant_id": variant.id, "product_id": variant.product.id, "location_id": location}
            if cause == "absolute" or self.webhooks.settings["hook_stock_changed_by_orders"]:
                tell(_INVENTORY + "stock_changed", where)
            if cause == "relative" and before > 0 >= after:
                tell(_INVENTORY + "out_of_stock_reached", where)
        order = "order/" if cause == "relative" else ""
        for number, moved in products.items():
            for variant, value in moved:
                inventory = {"product_id": number, "method": cause, "value": value}
                if variant.product.tracking == "variant":  # data.id is the v2 SKU id (trap 2)
                    tell(f"store/sku/inventory/{order}updated", {"type": "sku", "id": variant.sku_id, "inventory": {
                        **inventory, "variant_id": variant.id}})
                else:
                    tell(f"store/product/inventory/{order}updated", {"type": "product", "id": number, "inventory": inventory})
            tell("store/product/updated", {"type": "product", "id": number})


ROUTES = {
    ("GET", ("v3", "hooks")): HookCalls.hook_list,
    ("POST", ("v3", "hooks")): HookCalls.hook_create,
    ("GET", ("v3", "hooks", "*")): HookCalls.hook_get,
    ("PUT", ("v3", "hooks", "*")): HookCalls.hook_change,
    ("DELETE", ("v3", "hooks", "*")): HookCalls.hook_delete,
    ("GET", ("v3", "hooks", "admin")): HookCalls.hook_admin,
    ("PUT", ("v3", "hooks", "admin")): HookCalls.hook_emails,
}


def control_routes(shop):
    """{(method, path): function} for control.Control."""
    def log(body, query, request):
        try:
            since = int(query.get("since") or 0)
        except ValueError:
            raise Refused("since must be a number") from None
        hooks = shop.platforms["bigcommerce"].webhooks
        return {"entries": hooks.since(since, query.get("scope", "")), "last": hooks.logged, "waiting": hooks.waiting}
    return {("GET", "/hook-log"): log}
