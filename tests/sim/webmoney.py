# SPDX-License-Identifier: Apache-2.0
"""The money of a web order: what was paid for each line and how, what a refund of some units is worth, and by which methods.

All amounts are integers in the smallest unit of the order's currency ("minor"). Nothing here knows HTTP.
"""
from decimal import Decimal, InvalidOperation

from units import Refused

# ISO 4217; whatever is not named here has two decimals.
DECIMALS = {"JPY": 0, "KRW": 0, "ISK": 0, "KWD": 3, "BHD": 3, "TND": 3}
DEFAULT_CURRENCY = "SEK"
DEFAULT_VAT = 25
OFFLINE_REASON = "This is an offline payment provider."  # orders.v3.yml, refund_methods
NO_GATEWAY_REASON = "Multiple online refunds are not available"  # the same, PaymentOption

# kind -> (provider_id, provider_description, what v2 orders call payment_method, is it an offline provider)
METHODS = {
    "card": ("braintree", "Braintree", "Credit Card", False),
    "offline": ("bankdeposit", "Bank Deposit", "Bank Deposit", True),
    "cash": ("cod", "Cash on Delivery", "Cash on Delivery", True),
    "giftcertificate": ("giftcertificate", "Gift Certificate", "Gift Certificate", False),
    "storecredit": ("storecredit", "Store Credit", "Store Credit", False),
}


def decimals_of(currency):
    return DECIMALS.get(currency, 2)


def minor(value, currency):
    """Minor units of a JSON number or text such as "12.50". Refused if the currency has fewer decimals."""
    try:
        scaled = Decimal(str(value)).scaleb(decimals_of(currency))
        if scaled != scaled.to_integral_value():
            raise Refused(f"{value!r} has more decimals than {currency}")
        return int(scaled)
    except InvalidOperation:
        raise Refused(f"{value!r} is not an amount") from None


def text(amount, currency, places=None):
    """As a decimal text with the currency's decimals, or with so many places (v2 amounts: four, bigcommerce.md 9)."""
    digits = decimals_of(currency)
    value = Decimal(amount).scaleb(-digits)
    return f"{value:.{digits if places is None else places}f}"


def number(amount, currency):
    """As v3 writes it: a JSON number (bigcommerce.md 10)."""
    digits = decimals_of(currency)
    return amount // 10 ** digits if amount % 10 ** digits == 0 else float(Decimal(amount).scaleb(-digits))


def half_up(numerator, denominator):
    """The quotient of two integers, rounded half away from zero."""
    sign = -1 if numerator * denominator < 0 else 1
    numerator, denominator = abs(numerator), abs(denominator)
    return sign * ((2 * numerator + denominator) // (2 * denominator))


def spread(total, weights):
    """total split by weights without losing a unit: the largest weights take the rest."""
    whole = sum(weights)
    parts = [total * weight // whole if whole else 0 for weight in weights]
    for position in sorted(range(len(weights)), key=lambda i: -weights[i])[:total - sum(parts)]:
        parts[position] += 1
    return parts


def share(paid, bought, before, units):
    """What units more of a line are worth when before are gone already: paid per unit, the last unit takes the rest."""
    def up_to(count):
        return paid if count >= bought else min(paid, count * half_up(paid, bought))
    return up_to(before + units) - up_to(before)


class Payment:
    """One way in which the order was paid. left: what can still be refunded by it."""

    __slots__ = ("kind", "provider", "description", "method", "offline", "online_refunds", "amount", "left")

    def __init__(self, kind, amount, online_refunds=True):
        if kind not in METHODS:
            raise Refused(f"payment method must be one of {sorted(METHODS)}, not {kind!r}")
        self.kind, self.amount, self.left, self.online_refunds = kind, amount, amount, online_refunds
        self.provider, self.description, self.method, self.offline = METHODS[kind]

    def option(self, amount):
        """(provider id, description, amount, offline, offline provider, reason), a PaymentOption of orders.v3.yml."""
        by_hand = self.offline or not self.online_refunds
        reason = OFFLINE_REASON if self.offline else "" if self.online_refunds else NO_GATEWAY_REASON
        return (self.provider, self.description, amount, by_hand, self.offline, reason)


class Money:
    """Of one order. Lines keep their own amounts (weborders.Line)."""

    def __init__(self, currency=DEFAULT_CURRENCY, vat=DEFAULT_VAT, guest=True, shipping=0, settled=True):
        self.currency, self.vat, self.guest, self.settled = currency, vat, guest, settled
        self.shipping, self.shipping_refunded, self.order_refunded = shipping, 0, 0
        self.payments = []
        self.refunds = []       # refunds.Refund, in order of id
        self.gone = set()       # methods that are not offered any more: frozensets of provider ids
        self.decline = None     # the next refund's payment will be declined: {"ms", "message"}
        self.staff_notes, self.external_order_id = "", ""
        self.metafields = []

    def text(self, amount, places=4):
        return text(amount, self.currency, places)

    def without_tax(self, gross, vat=None):
        """vat: percent, if it is not the order's own."""
        return gross * 10000 // (10000 + round(100 * (self.vat if vat is None else vat)))

    def tax_of(self, gross, vat=None):
        """The tax inside an amount."""
        return gross - self.without_tax(gross, vat)

    @property
    def paid(self):
        return sum(payment.amount for payment in self.payments)

    @property
    def refunded(self):
        """Of refunds that were not declined."""
        return sum(refund.total for refund in self.refunds if not refund.declined)

    @property
    def held(self):
        """What cannot be refunded again. A declined refund keeps its amount unless the shop gave it back (README)."""
        return sum(refund.total for refund in self.refunds if not refund.reopened)

    @property
    def payment_method(self):
        """v2 names one: the first that is no store credit and no gift certificate."""
        names = [p.method for p in self.payments if p.kind not in ("giftcertificate", "storecredit")]
        return (names or [p.method for p in self.payments] or [""])[0]

    @property
    def payment_status(self):
        """bigcommerce.md 9."""
        if not self.settled:
            return "authorized"
        if self.refunded and self.refunded >= self.paid:
            return "refunded"
        return "partially refunded" if self.refunded else "captured"

    def paid_by(self, kind):
        return sum(p.amount for p in self.payments if p.kind == kind)

    # ---------------------------------------------------------------- methods of a refund

    def _as_paid(self, total):
        """The payments of the order, used up in the order in which they were made (split tender: the division is assumed)."""
        parts, rest = [], total
        for payment in self.payments:
            amount = min(rest, payment.left)
            if amount > 0:
                parts.append(payment.option(amount))
                rest -= amount
        return parts if rest == 0 else []

    def methods(self, total, rules):
        """Alternatives for a refund of total, each a list of options; orders.v3.yml shows this order of them."""
        if total <= 0:
            return []
        found = []
        if rules["storecredit_method"] and not self.guest:
            found.append([("storecredit", "Store Credit", total, False, False, "")])
        if rules["offline_method"]:
            found.append([("custom", "Custom", total, True, True, OFFLINE_REASON)])
        as_paid = self._as_paid(total)
        if as_paid and [option[:4] for option in as_paid] not in [[o[:4] for o in method] for method in found]:
            found.append(as_paid)
        return [method for method in found if frozenset(option[0] for option in method) not in self.gone]

    def use(self, parts, sign=-1):
        """Takes the parts [(provider, amount)] of a refund out of what each payment has left, or puts them back."""
        for provider, amount in parts:
            own = [p for p in self.payments if p.provider == provider] or self.payments
            for payment in own if sign < 0 else reversed(own):
                part = min(amount, payment.left if sign < 0 else payment.amount - payment.left)
                payment.left += sign * part
                amount -= part
