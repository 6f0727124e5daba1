# SPDX-License-Identifier: Apache-2.0
"""Numbers and times as the platforms write them. Inside, quantities are integer thousandths and money integer hundredths."""
import datetime
import email.utils
import time
from decimal import Decimal, InvalidOperation


class Refused(Exception):
    """The control interface asked for something impossible; the text says what."""


def now_ms():
    """Wall clock in milliseconds."""
    return int(time.time() * 1000)


def thousandths(value):
    """Integer thousandths of a JSON number or of a string like "0.350". ValueError if it has more decimals."""
    try:
        scaled = Decimal(str(value)) * 1000
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{value!r} has more than three decimals")
        return int(scaled)
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a quantity") from None


def decimal3(value):
    """Sitoo's decimal: a string with exactly three decimals (sitoo.md 2)."""
    return f"{'-' if value < 0 else ''}{abs(value) // 1000}.{abs(value) % 1000:03d}"


def money2(minor):
    """Sitoo's money: a string with exactly two decimals (sitoo.md 2)."""
    return f"{'-' if minor < 0 else ''}{abs(minor) // 100}.{abs(minor) % 100:02d}"


def money4(minor):
    """BigCommerce's v2 amounts: a string with four decimals (bigcommerce.md 9)."""
    return money2(minor) + "00"


def plain(value):
    """Thousandths as a JSON number for the control interface: an int if whole, else a float."""
    return value // 1000 if value % 1000 == 0 else value / 1000


def rfc2822(seconds):
    """v2 dates are RFC-2822 in UTC with second resolution (bigcommerce.md 9)."""
    return email.utils.formatdate(seconds, usegmt=False).replace("-0000", "+0000")


def parse_date(text):
    """Unix seconds (may have a fraction) of an RFC-2822 or ISO-8601 date (bigcommerce.md 9), or None."""
    try:
        parsed = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        try:
            parsed = email.utils.parsedate_to_datetime(text)
        except (TypeError, ValueError, IndexError):
            return None
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=datetime.timezone.utc)
    return parsed.timestamp()
