"""What a fact is: a named, typed value that rules may use in conditions and messages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from infusion_orders.facts.unknown import unknown_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from infusion_orders.facts.case import Facts


class Kind(StrEnum):
    """The type of a fact's value.  A TEXT is only for messages: no condition may use it."""

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
    """One word of the vocabulary.  It is asked, derived or assigned, and each of the three has attributes of its own.

    * An asked fact is sent by the partner.  `pointer` says where in the payload (`{line}` stands for the line's index)
      and `question` is what we ask when it is missing.  `read` turns what was sent into the fact's value; it returns
      None for what says nothing, and raises InvalidIdentifier or UnclearFrequency for what is malformed.
    * A derived fact is computed by `derive` from the facts in `uses` and from the tables.
    * An assigned fact gets its value from rules, or `default` where no rule assigns one.  With `must_be_assigned`,
      `rules check` reports lines that would fall back to the default.

    `structure` is the class of a STRUCTURE's values.  A `private` fact identifies a person: it is never recorded and
    never shown.  An `internal` fact is an intermediate result that several derivations share: rules cannot name it, and
    it is neither recorded nor documented.
    """

    name: str
    kind: Kind
    scope: Scope
    description: str
    question: str = ""
    pointer: str = ""
    unit: str | None = None
    domain: frozenset[str] | None = None
    uses: tuple[str, ...] = ()
    private: bool = False
    internal: bool = False
    read: Callable[[Any], Any] | None = None
    derive: Callable[[Facts], Any] | None = None
    default: str | None = None
    must_be_assigned: bool = False
    structure: type | None = None


def line_fact(
    name: str,
    kind: Kind,
    *,
    needs: tuple[str, ...] = (),
    uses: tuple[str, ...] = (),
    unit: str | None = None,
    domain: Iterable[str] | None = None,
    scope: Scope = Scope.LINE,
    internal: bool = False,
) -> Callable[[Callable[..., Any]], Fact]:
    """Declare a derived fact of each line: a decorator of the function that derives it.

    The first paragraph of the function's docstring is the fact's description.  State the inputs in one of two ways:

    * `needs=("line.hcpcs", ...)`: the function is called with the tables and the values of these facts.  While one of
      them is unknown, so is the fact, with the needs of all of them.
    * `uses=("line.hcpcs", ...)`: the function is called with the line's facts and handles unknown values itself.  A
      test checks that it reads no fact, of this line or of another, that it does not declare.

    `domain` has the values of a code.  `order_fact` and `internal_fact` declare the other two sorts of derived facts.
    """

    def declare(function: Callable[..., Any]) -> Fact:
        return Fact(
            name=name,
            kind=kind,
            scope=scope,
            description=" ".join((function.__doc__ or "").split("\n\n")[0].split()),
            unit=unit,
            domain=None if domain is None else frozenset(map(str, domain)),
            uses=needs or uses,
            derive=_once_all_are_known(needs, function) if needs else function,
            internal=internal,
        )

    return declare


def order_fact(name: str, kind: Kind, **declared: Any) -> Callable[[Callable[..., Any]], Fact]:
    """Declare a derived fact of the whole order; see `line_fact`."""
    return line_fact(name, kind, scope=Scope.ORDER, **declared)


def internal_fact(name: str, *, uses: tuple[str, ...]) -> Callable[[Callable[[Facts], Any]], Fact]:
    """Declare an intermediate result of each line that is computed once: a decorator of the function that derives it.

    The value must not hold the facts of a line (hold the line's index instead): that would be a reference cycle.
    """
    return line_fact(name, Kind.STRUCTURE, uses=uses, internal=True)


def _once_all_are_known(needs: tuple[str, ...], function: Callable[..., Any]) -> Callable[[Facts], Any]:
    def derive(facts: Facts) -> Any:
        values = [facts[name] for name in needs]
        return unknown_of(*values) or function(facts.tables, *values)

    return derive


ON_A_LINE = "/lines/{line}"


@dataclass(frozen=True, slots=True)
class AskedPart:
    """The asked facts that one object of the payload holds, such as `/member/medical_group`.

    `path` leads from the order, or from the line, to that object.  Of each fact: its name, its field, and `read`.
    """

    path: tuple[str, ...]
    facts: tuple[tuple[str, str, Callable[[Any], Any]], ...]


class Catalogue:
    """All facts by name, in the order of the documentation.

    `facts` is the vocabulary of rules, `declared` has the internal facts too.
    """

    def __init__(self, declared: Mapping[str, Fact]) -> None:
        self.declared = dict(declared)
        self.facts = {name: fact for name, fact in declared.items() if not fact.internal}
        self.positions = {name: position for position, name in enumerate(self.facts)}
        self.assigned = {fact.name: fact.default for fact in self.facts.values() if fact.default is not None}
        asked = {scope: [fact for fact in self._of(scope) if fact.read is not None] for scope in Scope}
        self.asked = {scope: tuple(fact.name for fact in facts) for scope, facts in asked.items()}
        self.asked_parts = {scope: tuple(_asked_parts(facts)) for scope, facts in asked.items()}
        self.recorded = {
            scope: tuple(sorted(fact.name for fact in self._of(scope) if self._is_recorded(fact))) for scope in Scope
        }
        self.recorded_names = {scope: frozenset(names) for scope, names in self.recorded.items()}

    def sources(self, name: str) -> tuple[Fact, ...]:
        """Return the asked facts that a fact depends on, directly or through other facts; an asked fact is its own."""
        found: dict[str, Fact] = {}
        self._visit(name, found)
        return tuple(fact for fact in found.values() if fact.read is not None)

    def pointers(self, name: str) -> tuple[str, ...]:
        """Return the pointers into the payload that a fact depends on; `{line}` stands for the line's index."""
        return tuple(dict.fromkeys(fact.pointer for fact in self.sources(name)))

    def shown_sources(self, name: str) -> tuple[str, ...]:
        """Return the asked facts that a finding shows next to a derived fact: those that its derivation uses itself.

        What other facts are derived from is left out, and so are structures and what identifies a person: a finding
        stays short, and lines with the same fault share one.
        """
        used = (self.declared[used] for used in self._used(name))
        shown = (fact for fact in used if fact.read is not None and fact.kind is not Kind.STRUCTURE)
        return tuple(dict.fromkeys(fact.name for fact in shown if not fact.private))

    def _used(self, name: str) -> Iterator[str]:
        """Find the facts that a derivation uses, itself or through internal facts."""
        for used in self.declared[name].uses:
            if self.declared[used].internal:
                yield from self._used(used)
            else:
                yield used

    def _of(self, scope: Scope) -> Iterator[Fact]:
        return (fact for fact in self.facts.values() if fact.scope is scope)

    def _is_recorded(self, fact: Fact) -> bool:
        """Asked facts are recorded; private ones are not, so what is derived from them is recorded in their place."""
        return not fact.private and (fact.read is not None or any(used.private for used in self.sources(fact.name)))

    def _visit(self, name: str, found: dict[str, Fact]) -> None:
        if name in found:
            return
        fact = found[name] = self.declared[name]
        for used in fact.uses:
            self._visit(used, found)


def _asked_parts(asked: Iterable[Fact]) -> Iterator[AskedPart]:
    parts: dict[tuple[str, ...], list[tuple[str, str, Callable[[Any], Any]]]] = {}
    for fact in asked:
        *path, field_name = fact.pointer.removeprefix(ON_A_LINE).strip("/").split("/")
        if fact.read is not None:
            parts.setdefault(tuple(path), []).append((fact.name, field_name, fact.read))
    return (AskedPart(path, tuple(facts)) for path, facts in parts.items())
