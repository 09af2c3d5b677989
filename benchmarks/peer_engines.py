"""Other engines in one form: how each compiles a condition, and in which form it takes facts.

Each is given what is fastest for it.  They are imported where they are used: only the benchmarks' environment has them.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.peer_languages import CEL, ZEN, json_logic, name_of, zen_table
from infusion_orders.rules.expression import comparisons

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from infusion_orders.rules.expression import Expression

Evaluation = tuple["Callable[[Any], Any]", Any]
"""What is called, and with what: all that is timed."""


@dataclass(frozen=True)
class Peer:
    """An engine in one of its forms, with its programs: one for each condition, or one for all of them.

    `prepared` makes of an order's plain facts what a program takes.  Where `own_facts`, that is a mapping, and each
    program is given only the facts that its condition names: the engine converts them again for each evaluation.
    `outside` is what is made of all that beforehand where preparing is not timed.
    `truths` reads what a program gave back; a `slow` one is timed on fewer orders.
    """

    name: str
    programs: Sequence[Callable[[Any], Any]]
    prepared: Callable[[dict[str, Any]], Any]
    own_facts: Sequence[tuple[str, ...]] = ()
    outside: Callable[[Any], Any] | None = None
    truths: Callable[[Any], Sequence[object]] = lambda found: (found,)
    slow: bool = False

    def evaluations(self, facts: dict[str, Any]) -> list[Evaluation]:
        """Of an order's plain facts, its preparation included."""
        prepared = self.prepared(facts)
        if not self.own_facts:
            return [(program, prepared) for program in self.programs]
        return [
            (program, {name: prepared[name] for name in names if name in prepared})
            for program, names in zip(self.programs, self.own_facts, strict=True)
        ]

    def prepared_evaluations(self, facts: dict[str, Any]) -> list[Evaluation]:
        """The same where preparation is not timed."""
        found = self.evaluations(facts)
        return found if self.outside is None else [(program, self.outside(own)) for program, own in found]


def named(condition: Expression) -> tuple[str, ...]:
    """The facts that a condition names, under the names that the engines have for them."""
    facts = [fact for leaf in comparisons(condition) for fact in (leaf.fact, leaf.other) if fact is not None]
    return tuple(dict.fromkeys(name_of(fact) for fact in facts))


def datalogic(conditions: Mapping[str, Expression]) -> Peer:
    """Compiled rules on a document that is parsed once an order."""
    from datalogic_py import DataHandle

    return Peer("datalogic-py", [rule.evaluate_data for rule in _json_logic_rules(conditions)], DataHandle)


def datalogic_on_dicts(conditions: Mapping[str, Expression]) -> Peer:
    """The same rules on the dict of each one's facts."""
    rules = [rule.evaluate for rule in _json_logic_rules(conditions)]
    return Peer("datalogic-py, dicts", rules, dict, _facts_of(conditions))


def _json_logic_rules(conditions: Mapping[str, Expression]) -> list[Any]:
    from datalogic_py import Engine

    engine = Engine()
    return [engine.compile_checked(json_logic(condition)) for condition in conditions.values()]


def zen_expressions(conditions: Mapping[str, Expression]) -> Peer:
    """Compiled expressions.  There is no prepared context: JSON text is the fastest to take, a dict to make."""
    import zen

    programs = [zen.compile_expression(ZEN.said(condition)).evaluate for condition in conditions.values()]
    return Peer("zen-engine, expressions", programs, dict, _facts_of(conditions), outside=json.dumps)


def zen_tables(conditions: Mapping[str, Expression]) -> Peer:
    """A decision table for each condition."""
    import zen

    engine = zen.ZenEngine()
    programs = [engine.create_decision(zen_table({name: condition})).evaluate for name, condition in conditions.items()]
    return Peer(
        "zen-engine, a table each",
        programs,
        dict,
        _facts_of(conditions),
        outside=json.dumps,
        truths=lambda found: (bool(found["result"]),),
        slow=True,
    )


def zen_one_table(conditions: Mapping[str, Expression]) -> Peer:
    """One decision table for all conditions, one evaluation an order: it gives back the names of those that hold."""
    import zen

    program = zen.ZenEngine().create_decision(zen_table(conditions)).evaluate

    def truths(found: Any) -> list[bool]:
        holding = {row["holds"] for row in found["result"]}
        return [name in holding for name in conditions]

    return Peer("zen-engine, one table", [program], dict, outside=json.dumps, truths=truths, slow=True)


def rust_cel(conditions: Mapping[str, Expression]) -> Peer:
    """Compiled programs on a context that is made once an order."""
    from cel import Context

    return Peer("common-expression-language", _rust_programs(conditions), Context)


def rust_cel_on_dicts(conditions: Mapping[str, Expression]) -> Peer:
    """The same programs on the dict of each one's facts."""
    return Peer("common-expression-language, dicts", _rust_programs(conditions), dict, _facts_of(conditions))


def _rust_programs(conditions: Mapping[str, Expression]) -> list[Callable[[Any], Any]]:
    import cel

    return [cel.compile(CEL.said(condition)).execute for condition in conditions.values()]


def python_cel(conditions: Mapping[str, Expression]) -> Peer:
    """Programs that are interpreted, which is the library's default."""
    return _python_cel("cel-python", "InterpretedRunner", conditions)


def python_cel_compiled(conditions: Mapping[str, Expression]) -> Peer:
    """The same with its newer runner, which makes Python of the programs."""
    return _python_cel("cel-python, compiled", "CompiledRunner", conditions)


def _python_cel(name: str, runner: str, conditions: Mapping[str, Expression]) -> Peer:
    import celpy
    from celpy.celparser import CELParser

    logging.getLogger("celpy").setLevel(logging.CRITICAL)  # it logs each fact that is not there
    CELParser.CEL_PARSER = None  # the first environment's parser would serve both runners, and break one
    environment = celpy.Environment(runner_class=getattr(celpy, runner))
    programs = [
        environment.program(environment.compile(CEL.said(condition))).evaluate for condition in conditions.values()
    ]

    def prepared(facts: dict[str, Any]) -> dict[str, Any]:
        return {name: celpy.json_to_cel(value) for name, value in facts.items()}

    return Peer(name, programs, prepared, _facts_of(conditions), slow=True)


def _facts_of(conditions: Mapping[str, Expression]) -> list[tuple[str, ...]]:
    return [named(condition) for condition in conditions.values()]


PEERS: Sequence[Callable[[Mapping[str, Expression]], Peer]] = (
    datalogic,
    datalogic_on_dicts,
    zen_expressions,
    zen_tables,
    zen_one_table,
    rust_cel,
    rust_cel_on_dicts,
    python_cel,
    python_cel_compiled,
)
