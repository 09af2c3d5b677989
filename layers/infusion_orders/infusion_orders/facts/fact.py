"""What a fact is: a named, typed value that rules may speak of."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from infusion_orders.facts.case import Facts


class Kind(StrEnum):
    """The type of a fact's value."""

    BOOLEAN = "boolean"
    CODE = "code"
    CODES = "set of codes"
    NUMBER = "number"
    DATE = "date"
    STRUCTURE = "structure"
    TEXT = "text"


class Scope(StrEnum):
    """Whether the order has one value or each line its own."""

    ORDER = "order"
    LINE = "line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One word of the vocabulary.

    An asked fact has one pointer into the partner's payload (`{line}` stands for the line's index), a question, and
    `read`, which makes its value of what was sent there, or None of what says nothing; it raises InvalidIdentifier.
    A derived fact has `derive`; an assigned fact has neither: rules give it its value, and `default` is what
    it is when none of them applies, and `must_be_assigned` says that this is to be no line's lot.
    `structure` is the class of a structure's values.
    A text is for messages alone: no condition may use it.
    `private` facts identify a person: never recorded, never shown.
    """

    name: str
    kind: Kind
    scope: Scope
    description: str
    question: str = ""
    pointer: str = ""
    unit: str | None = None
    domain: frozenset[str] | None = None
    derived_from: tuple[str, ...] = ()
    private: bool = False
    read: Callable[[Any], Any] | None = None
    derive: Callable[[Facts], Any] | None = None
    default: str | None = None
    must_be_assigned: bool = False
    structure: type | None = None


ON_A_LINE = "/lines/{line}"


def as_sent(value: Any) -> Any:
    """Reads what needs no reading."""
    return value


@dataclass(frozen=True, slots=True)
class AskedPart:
    """The asked facts that stand in one object of the payload.

    `way` are the fields from the order, or from its line, to that object; of each fact: its name, its field, and what
    reads it, None for what is taken as it was sent.
    """

    way: tuple[str, ...]
    facts: tuple[tuple[str, str, Callable[[Any], Any] | None], ...]


def asked_parts(asked: Iterable[Fact]) -> tuple[AskedPart, ...]:
    """The facts by the objects that they stand in."""
    parts: dict[tuple[str, ...], list[tuple[str, str, Callable[[Any], Any] | None]]] = {}
    for fact in asked:
        *way, field_name = fact.pointer.removeprefix(ON_A_LINE).strip("/").split("/")
        read = None if fact.read is as_sent else fact.read
        parts.setdefault(tuple(way), []).append((fact.name, field_name, read))
    return tuple(AskedPart(way, tuple(facts)) for way, facts in parts.items())


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All facts by name, in the order of the documentation."""

    facts: Mapping[str, Fact]
    positions: Mapping[str, int] = field(init=False)
    assigned: Mapping[str, str] = field(init=False)
    recorded: Mapping[Scope, tuple[str, ...]] = field(init=False)
    recorded_names: Mapping[Scope, frozenset[str]] = field(init=False)
    asked: Mapping[Scope, tuple[str, ...]] = field(init=False)
    asked_parts: Mapping[Scope, tuple[AskedPart, ...]] = field(init=False)

    def __post_init__(self) -> None:
        """The asked facts, the assigned ones with their defaults, and what is recorded, sorted: what identifies nobody.

        In place of those that do, the facts derived from them stand.
        """
        object.__setattr__(self, "positions", {name: position for position, name in enumerate(self.facts)})
        defaults = {fact.name: fact.default for fact in self.facts.values() if fact.default is not None}
        object.__setattr__(self, "assigned", defaults)
        kept = [
            fact
            for fact in self.facts.values()
            if not fact.private
            and (fact.read is not None or any(self.facts[source].private for source in fact.derived_from))
        ]
        by_scope = {scope: tuple(sorted(fact.name for fact in kept if fact.scope is scope)) for scope in Scope}
        object.__setattr__(self, "recorded", by_scope)
        object.__setattr__(self, "recorded_names", {scope: frozenset(names) for scope, names in by_scope.items()})
        asked = {
            scope: [fact for fact in self.facts.values() if fact.read is not None and fact.scope is scope]
            for scope in Scope
        }
        names = {scope: tuple(fact.name for fact in facts) for scope, facts in asked.items()}
        object.__setattr__(self, "asked", names)
        object.__setattr__(self, "asked_parts", {scope: asked_parts(facts) for scope, facts in asked.items()})

    def pointers(self, name: str) -> tuple[str, ...]:
        """The pointers into the payload that a fact rests on, `{line}` standing for the line's index."""
        fact = self.facts[name]
        if fact.pointer:
            return (fact.pointer,)
        return tuple(dict.fromkeys(pointer for source in fact.derived_from for pointer in self.pointers(source)))
