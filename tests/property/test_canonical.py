"""Canonical JSON is the RFC's."""

from __future__ import annotations

from typing import Any

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from infusion_orders.rules.digests import canonical_json, canonical_json_of_sorted

KEYS = st.text(st.characters(min_codepoint=0, max_codepoint=127))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)


@given(PLAIN)
def test_canonical_json_equals_the_reference_implementation(plain: Any) -> None:
    assert canonical_json(plain) == rfc8785.dumps(plain)


@given(PLAIN)
def test_canonical_json_of_sorted_objects_equals_the_reference_implementation(plain: Any) -> None:
    assert canonical_json_of_sorted(in_order(plain)) == rfc8785.dumps(plain)


def in_order(plain: Any) -> Any:
    if isinstance(plain, dict):
        return {key: in_order(plain[key]) for key in sorted(plain)}
    return [in_order(part) for part in plain] if isinstance(plain, list) else plain
