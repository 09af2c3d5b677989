"""A small vocabulary for properties of the rule language: meaningless facts of every kind."""

from __future__ import annotations

from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.facts.fact import Catalogue, Fact, Kind, Scope
from infusion_orders.facts.unknown import Need, Reason, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

COLOURS = frozenset({"red", "green", "blue"})


def _fact(name: str, kind: Kind, **more: Any) -> Fact:
    return Fact(
        name=name,
        kind=kind,
        scope=Scope.LINE,
        description=name,
        question=f"{name}?",
        pointer=f"/lines/{{line}}/{name}",
        read=lambda _sent: None,
        **more,
    )


FACTS = {
    fact.name: fact
    for fact in (
        _fact("first.flag", Kind.BOOLEAN),
        _fact("second.flag", Kind.BOOLEAN),
        _fact("third.flag", Kind.BOOLEAN),
        _fact("the.colour", Kind.CODE, domain=COLOURS),
        _fact("other.colour", Kind.CODE, domain=COLOURS),
        _fact("the.size", Kind.NUMBER, unit="cm"),
        _fact("the.marks", Kind.CODES),
    )
}
SMALL = Catalogue({**CATALOGUE.declared, **FACTS})
"""The small vocabulary and the real one, because a decision shows some real facts."""

VALUES: Mapping[str, tuple[Any, ...]] = {
    "first.flag": (True, False),
    "second.flag": (True, False),
    "third.flag": (True, False),
    "the.colour": tuple(sorted(COLOURS)),
    "other.colour": tuple(sorted(COLOURS)),
    "the.size": tuple(Decimal(half) / 2 for half in range(-2, 11)),
    "the.marks": (frozenset(), frozenset({"a"}), frozenset({"b"}), frozenset({"a", "b"}), frozenset({"c"})),
}
"""Every value that the conditions drawn here can distinguish, and a few more."""


def unknown(name: str) -> Unknown:
    """The value of a fact that was not sent."""
    return Unknown((Need(name, 0, Reason.MISSING),))


def _leaf(fact: str, operator: str, value: Any) -> dict[str, Any]:
    return {"fact": fact, operator: value}


def leaves() -> st.SearchStrategy[dict[str, Any]]:
    """Comparisons as authors write them, each operator with a fact that allows it."""
    flags = st.sampled_from(["first.flag", "second.flag", "third.flag"])
    colours = st.sampled_from(["the.colour", "other.colour"])
    colour = st.sampled_from(sorted(COLOURS))
    size = st.integers(0, 4)
    st.sampled_from(["is", "is_not"])
    marks = st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=2, unique=True)
    return st.one_of(
        st.builds(
            lambda fact, op, value: {"fact": fact, op: value}, flags, st.sampled_from(["is", "is_not"]), st.booleans()
        ),
        st.builds(
            lambda fact, op, value: {"fact": fact, op: value}, colours, st.sampled_from(["is", "is_not"]), colour
        ),
        st.builds(
            _leaf,
            colours,
            st.sampled_from(["in", "not_in"]),
            st.lists(colour, min_size=1, max_size=2, unique=True),
        ),
        st.builds(
            lambda op, value: {"fact": "the.size", op: value},
            st.sampled_from(["is", "is_not", "below", "at_most", "above", "at_least"]),
            size,
        ),
        st.builds(lambda low, high: {"fact": "the.size", "between": sorted([low, high])}, size, size),
        st.builds(
            lambda op, value: {"fact": "the.marks", op: value},
            st.sampled_from(["contains_any", "contains_none", "starts_with_any"]),
            marks,
        ),
        st.builds(lambda fact: {"fact": fact, "known": True}, st.sampled_from(sorted(FACTS))),
        st.just({"fact": "the.colour", "is": {"fact": "other.colour"}}),
    )


def conditions(max_leaves: int = 6) -> st.SearchStrategy[dict[str, Any]]:
    """Conditions as authors write them."""
    return st.recursive(
        leaves(),
        lambda part: st.one_of(
            st.builds(lambda parts: {"all": parts}, st.lists(part, min_size=1, max_size=3)),
            st.builds(lambda parts: {"any": parts}, st.lists(part, min_size=1, max_size=3)),
            st.builds(lambda inner: {"not": inner}, part),
        ),
        max_leaves=max_leaves,
    )


def partly_known() -> st.SearchStrategy[dict[str, Any]]:
    """Facts of which some are known."""
    return st.fixed_dictionaries(
        {name: st.one_of(st.just(unknown(name)), st.sampled_from(values)) for name, values in VALUES.items()}
    )


def completions(facts: Mapping[str, Any], names: list[str]) -> Iterator[dict[str, Any]]:
    """The facts with every combination of answers to the named ones."""
    for answers in product(*(VALUES[name] for name in names)):
        yield {**facts, **dict(zip(names, answers, strict=True))}
