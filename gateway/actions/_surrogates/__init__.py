"""Surrogates: made-up values that look like what they stand for and can be nobody's.

What kind of value none can be made for has a placeholder instead; each maker says when it gives
up. A maker sees one original and draws from the tenant's key alone, so that turns and replicas
agree without storing anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gateway.actions._surrogates.accounts import iban
from gateway.actions._surrogates.dates import date
from gateway.actions._surrogates.drawing import Pick
from gateway.actions._surrogates.machines import ip_address, mac_address
from gateway.actions._surrogates.mail import mail_address
from gateway.actions._surrogates.names import name
from gateway.actions._surrogates.phones import phone_number

# (original, how words are picked) -> the surrogate, or None if there can be none.
Maker = Callable[[str, Pick], str | None]

MAKERS: Mapping[str, Maker] = {
    "PERSON": name,
    "EMAIL_ADDRESS": mail_address,
    "PHONE_NUMBER": phone_number,
    "IBAN_CODE": iban,
    "DATE_TIME": date,
    "IP_ADDRESS": ip_address,
    "MAC_ADDRESS": mac_address,
}
