"""Other rule engines behind one interface: each compiles the same conditions and takes facts in two forms.

They are imported where they are used, because only the benchmarks' own environment has them.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.peer_languages import CEL, ZEN, json_logic, name_of
from infusion_orders.rules.expression import comparisons

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from infusion_orders.rules.expression import Expression


@dataclass(frozen=True)
class Peer:
    """An engine in one form: a compiled program for each condition, and how it takes an order's facts.

    `prepare` makes the argument of all programs from the facts of one order.  Where it is None, each program gets its
    own argument: `convert` applied to a dict of the facts that its condition names.
    """

    name: str
    programs: Sequence[Callable[[Any], Any]]
    names: Sequence[tuple[str, ...]]
    prepare: Callable[[dict[str, Any]], Any] | None = None
    convert: Callable[[dict[str, Any]], Any] = dict

    def arguments(self, facts: dict[str, Any]) -> list[Any]:
        """Return the argument of each program."""
        if self.prepare is not None:
            return [self.prepare(facts)] * len(self.programs)
        return [self.convert({name: facts[name] for name in names if name in facts}) for names in self.names]


def facts_in(condition: Expression) -> tuple[str, ...]:
    """Return the facts that a condition names."""
    return tuple(fact for leaf in comparisons(condition) for fact in (leaf.fact, leaf.other) if fact is not None)


def names_of(conditions: Sequence[Expression]) -> list[tuple[str, ...]]:
    """Return the facts that each condition names, once each, as the engines call them."""
    return [tuple(dict.fromkeys(map(name_of, facts_in(condition)))) for condition in conditions]


def datalogic(conditions: Sequence[Expression]) -> list[Peer]:
    """JSON Logic in Rust.  Its fastest form is a document that is parsed once per order."""
    from datalogic_py import DataHandle, Engine

    engine, names = Engine(), names_of(conditions)
    rules = [engine.compile_checked(json_logic(condition)) for condition in conditions]
    return [
        Peer("datalogic-py", [rule.evaluate_data for rule in rules], names, prepare=DataHandle),
        Peer("datalogic-py, dicts", [rule.evaluate for rule in rules], names),
    ]


def zen(conditions: Sequence[Expression]) -> list[Peer]:
    """ZEN in Rust.  It has no prepared form; it reads JSON text faster than dicts."""
    import zen

    names = names_of(conditions)
    programs = [zen.compile_expression(ZEN.text(condition)).evaluate for condition in conditions]
    return [
        Peer("zen-engine, JSON text", programs, names, convert=json.dumps),
        Peer("zen-engine, dicts", programs, names),
    ]


def rust_cel(conditions: Sequence[Expression]) -> list[Peer]:
    """CEL in Rust.  Its fastest form is a context that is made once per order."""
    import cel

    names = names_of(conditions)
    programs = [cel.compile(CEL.text(condition)).execute for condition in conditions]
    return [
        Peer("common-expression-language", programs, names, prepare=cel.Context),
        Peer("common-expression-language, dicts", programs, names),
    ]


def python_cel(conditions: Sequence[Expression]) -> list[Peer]:
    """CEL in Python, with its compiled runner, which is faster than the default.  It takes a dict of its own types."""
    import celpy

    def own_types(facts: dict[str, Any]) -> dict[str, Any]:
        return {name: celpy.json_to_cel(value) for name, value in facts.items()}

    logging.getLogger("celpy").setLevel(logging.CRITICAL)  # it logs every missing fact
    environment = celpy.Environment(runner_class=celpy.CompiledRunner)
    names = names_of(conditions)
    programs = [environment.program(environment.compile(CEL.text(condition))).evaluate for condition in conditions]
    return [Peer("cel-python", programs, names, convert=own_types)]


ENGINES: Sequence[Callable[[Sequence[Expression]], list[Peer]]] = (datalogic, zen, rust_cel, python_cel)
