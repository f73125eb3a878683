from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.alike import alike


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Max Muster", "MAX  muster\n", True),
        ("Müller", "Mu\u0308ller", True),
        ("Straße", "STRASSE", True),
        ("Ｎｏｒｄ", "nord", True),
        ("Max Muster", "Max-Muster", False),
        ("Max Muster", "Max\u200b Muster", False),
        ("Max Muster", "Max M\u200duster", False),
        ("paypal", "pаypal", False),
        ("Max Muster", "Max Muster\U000e0061", False),
    ],
)
def test_only_case_space_and_compatibility_forms_make_no_difference(
    one: str, other: str, same: bool
) -> None:
    assert (alike(one) == alike(other)) is same


@given(st.text())
def test_a_form_is_its_own(text: str) -> None:
    assert alike(alike(text)) == alike(text)
