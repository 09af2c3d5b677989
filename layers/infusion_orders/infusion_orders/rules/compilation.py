"""Conditions as functions of the facts, written as Python: a leaf is one look-up and one comparison, without a call.

What is written depends on a condition's shape alone: its operators and how they are nested.  Names of facts and
constants are values that the text refers to by number, so nothing of what an author writes becomes code, and conditions
of one shape share it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from infusion_orders.facts.unknown import Fault, FaultyFact, Unknown
from infusion_orders.rules.expression import TESTS, Comparison, Every, Negation, Some
from infusion_orders.rules.rule import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import CodeType

    from infusion_orders.rules.expression import Expression, Truth

    Test = Callable[[Mapping[str, Any]], Truth]
    Judge = Callable[[Mapping[str, Any]], Verdict]

DEEPEST = 6
"""Compositions that stand deeper are functions of their own: Python nests no more than 20 loops."""
SHAPES_KEPT = 2_048
IN_LINE = {
    "is": "value == {}",
    "is_not": "value != {}",
    "in": "value in {}",
    "not_in": "value not in {}",
    "below": "value < {}",
    "at_most": "value <= {}",
    "above": "value > {}",
    "at_least": "value >= {}",
    "contains_any": "not {}.isdisjoint(value)",
    "contains_none": "{}.isdisjoint(value)",
    "known": "True",
}
"""By operator, what TESTS says of a known value and what it is compared with; any other's test is called."""
_COMMON = {
    "Unknown": Unknown,
    "Fault": Fault,
    "FaultyFact": FaultyFact,
    "NOT_YET": object(),
    **{verdict.name: verdict for verdict in Verdict},
}


def compile_expression(expression: Expression, shared: Mapping[Expression, SharedTest] | None = None) -> Test:
    """A function of the facts; it raises FaultyFact.

    `shared` holds the expressions that stand in several rules: where one is met, its truth is worked out once a line.
    """
    writer = _Writer(shared or {})
    writer.truth_of(expression, "truth")
    writer.write("return truth")
    return cast("Test", writer.function())


def compile_verdict(
    when: Expression, require: Expression, shared: Mapping[Expression, SharedTest] | None = None, *, assigns: bool
) -> Judge:
    """A rule's verdict as a function of the facts, from whether it applies and whether its requirement holds.

    Strong Kleene: an unknown `when` with a `require` that holds is no question, unless the rule assigns.
    What it gives raises FaultyFact.
    """
    writer = _Writer(shared or {})
    writer.all_of(when, "applies", otherwise="return NOT_APPLICABLE")
    writer.all_of(require, "holds", otherwise="return NOT_MET if applies else UNKNOWN")
    writer.write(f"return SATISFIED if holds{' and applies' if assigns else ''} else UNKNOWN")
    return cast("Judge", writer.function())


class SharedTest:
    """A test that several rules rest on: its truth is kept among a line's facts, under a name of its own."""

    __slots__ = ("name", "test")

    def __init__(self, name: str, test: Test) -> None:
        """`name` is no fact's."""
        self.name = name
        self.test = test

    def work_out(self, facts: Mapping[str, Any]) -> Truth:
        """Where it is not known yet.  Facts that cannot be added to are asked each time."""
        truth = self.test(facts)
        if isinstance(facts, dict):
            facts[self.name] = truth
        return truth


class _Writer:
    """One function, line by line; `constants` are what its text refers to."""

    def __init__(self, shared: Mapping[Expression, SharedTest]) -> None:
        self._shared = shared
        self._lines: list[str] = []
        self._constants: dict[str, Any] = {}
        self._depth = 1

    def function(self) -> Callable[[Mapping[str, Any]], Any]:
        """What was written."""
        namespace = {**_COMMON, **self._constants}
        exec(code_of("def function(facts):\n" + "\n".join(self._lines)), namespace)  # noqa: S102 - of a shape alone
        return cast("Callable[[Mapping[str, Any]], Any]", namespace["function"])

    def write(self, line: str) -> None:
        """At the depth that is written at."""
        self._lines.append("\t" * self._depth + line)

    def truth_of(self, expression: Expression, name: str) -> None:
        """Lines that give the variable the expression's truth."""
        if isinstance(expression, bool):
            self.write(f"{name} = {expression}")
        elif self._shared and expression in self._shared:
            shared = self._shared[expression]
            self.write(f"{name} = facts.get({self._constant(shared.name)}, NOT_YET)")
            self.write(f"if {name} is NOT_YET: {name} = {self._constant(shared.work_out)}(facts)")
        elif isinstance(expression, Comparison):
            self._if_not_known(expression, f"{name} = None")
            self.write(f"else: {name} = {self._test(expression)}")
        elif isinstance(expression, Negation):
            self.truth_of(expression.part, name)
            self.write(f"if {name} is not None: {name} = not {name}")
        elif self._depth > DEEPEST:
            self.write(f"{name} = {self._constant(compile_expression(expression, self._shared))}(facts)")
        else:
            settled = isinstance(expression, Some)
            self.write("while True:")
            self._depth += 1
            self._parts(expression, name, settled=settled, leave=f"{name} = {settled}; break")
            self.write("break")
            self._depth -= 1

    def all_of(self, expression: Expression, name: str, *, otherwise: str) -> None:
        """Lines that leave the function by `otherwise` where the expression is false, or else give its truth."""
        whole = isinstance(expression, Every) and expression not in self._shared
        parts = cast("Every", expression) if whole else Every((expression,))
        self._parts(parts, name, settled=False, leave=otherwise)

    def _parts(self, expression: Every | Some, name: str, *, settled: bool, leave: str) -> None:
        """Kleene `or`, settled by a true part, and `and`, settled by a false one: `leave` is what is done then."""
        part_name = f"part_{self._depth}"
        self.write(f"{name} = {not settled}")
        for part in self._flat(expression, type(expression)):
            if isinstance(part, Comparison) and part not in self._shared:
                self._if_not_known(part, f"{name} = None")
                self.write(f"elif {'' if settled else 'not '}({self._test(part)}): {leave}")
            else:
                self.truth_of(part, part_name)
                self.write(f"if {part_name} is {settled}: {leave}")
                self.write(f"if {part_name} is None: {name} = None")

    def _flat(self, expression: Every | Some, kind: type[Every | Some]) -> Iterator[Expression]:
        """The parts; in place of one of that kind its own, and of one that has a single part, whatever it is, that."""
        for part in expression.parts:
            alone = self._alone(part)
            if isinstance(alone, kind) and alone not in self._shared:
                yield from self._flat(alone, kind)
            else:
                yield alone

    def _alone(self, expression: Expression) -> Expression:
        while isinstance(expression, Every | Some) and len(expression.parts) == 1 and expression not in self._shared:
            expression = expression.parts[0]
        return expression

    def _if_not_known(self, comparison: Comparison, then: str) -> None:
        """Look the facts up; what is unknown is told by `then`, an `else` or `elif` is to follow."""
        fact = self._constant(comparison.fact)
        self.write(f"value = facts[{fact}]")
        self.write("kind = value.__class__")
        if comparison.other is None:
            faulty, unknown = "kind is Fault", "kind is Unknown"
        else:
            self.write(f"other = facts[{self._constant(comparison.other)}]")
            self.write("other_kind = other.__class__")
            faulty, unknown = "kind is Fault or other_kind is Fault", "kind is Unknown or other_kind is Unknown"
        self.write(f"if {faulty}: raise FaultyFact({fact})")
        self.write(f"elif {unknown}: {then}")

    def _test(self, comparison: Comparison) -> str:
        """Of `value`, where it is known."""
        operator = comparison.operator
        if operator in IN_LINE:
            with_what = self._constant(comparison.constant) if comparison.other is None else "other"
            return IN_LINE[operator].format(with_what)
        test = TESTS[operator]
        if comparison.other is None:
            return f"{self._constant(test(comparison.constant))}(value)"
        return f"{self._constant(test)}(other)(value)"

    def _constant(self, value: object) -> str:
        name = f"constant_{len(self._constants)}"
        self._constants[name] = value
        return name


@lru_cache(maxsize=SHAPES_KEPT)
def code_of(text: str) -> CodeType:
    """Conditions of one shape have one text, which is compiled once."""
    return compile(text, "<a condition>", "exec")
