"""25 rules of the default rule set on 1,000 orders: evaluated by us and by four other engines, side by side."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from benchmarks.measuring import LEAST_SECONDS, ROUNDS, side_by_side
from benchmarks.orders import PROJECT, orders
from benchmarks.peer_engines import PEERS, named
from benchmarks.peer_languages import name_of, plain
from benchmarks.reporting import Budget, Report, Table
from infusion_orders.authoring.rule_files import load_directory
from infusion_orders.decisions.findings import observed
from infusion_orders.facts.case import Case
from infusion_orders.facts.unknown import Unknown
from infusion_orders.orders.parsing import parse_order
from infusion_orders.rules.evaluation import compile_verdict, explain
from infusion_orders.rules.expression import comparisons
from infusion_orders.rules.rule import Verdict
from infusion_orders.rules.rule_set import RuleSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from benchmarks.measuring import Times
    from benchmarks.peer_engines import Evaluation, Peer
    from infusion_orders.facts.case import Facts
    from infusion_orders.orders.order import Order
    from infusion_orders.rules.compiled_rule import CompiledRule
    from infusion_orders.rules.evaluation import Judge
    from infusion_orders.rules.expression import Expression

RULES = (
    "access.inotropes-have-central-access",
    "carve-out.billed-to-medi-cal-rx",
    "carve-out.other-programmes-of-medi-cal",
    "carve-out.possible-ccs-condition-is-reviewed",
    "carve-out.referred-to-county-ccs",
    "code-pairs.disposable-pump-is-no-equipment",
    "code-pairs.one-pump-for-prostacyclins",
    "coding.line-has-at-most-9999-units",
    "coding.units-are-those-of-the-dose",
    "diagnoses.are-billable",
    "diagnosis-lists.home-ivig",
    "first-dose.anaphylaxis-order",
    "identifiers.are-well-formed",
    "modifiers.infusion-suite-is-not-the-home",
    "modifiers.intravenous-fits-the-code",
    "modifiers.one-route",
    "ndc.is-listed",
    "nutrition.dextrose-is-strong-enough",
    "nutrition.energy-is-in-the-usual-range",
    "per-diem.code-is-on-the-rung",
    "responsibility.is-determined",
    "setting.prescription-is-signed",
    "setting.someone-can-give-it",
    "therapy.not-intravenous-needs-admixture",
    "vendor.shared-risk-uses-contracted-vendor",
)
"""Of every file of the rule set, their `require` with every operator and size that it has there."""

ORDERS = 1000
EVERY = 31
"""Of the orders, for what takes long: it has no factor in common with the cycles in which they vary."""
EVALUATED, EXPLAINED, TREE = "ours: evaluated", "ours: evaluated and explained", "ours: the whole tree"
AT_MOST = {
    "datalogic-py": 1.0,
    "datalogic-py, dicts": 1.0,
    "zen-engine, expressions": 1 / 5,
    "zen-engine, a table each": 1 / 5,
    "zen-engine, one table": 1 / 5,
    "common-expression-language": 1 / 20,
    "common-expression-language, dicts": 1 / 20,
    "cel-python": 1 / 500,
    "cel-python, compiled": 1 / 500,
}
BY_RULE = (
    "datalogic-py",
    "zen-engine, expressions",
    "zen-engine, a table each",
    "common-expression-language",
    "cel-python",
)
KEPT_RATIOS = ("datalogic-py", "zen-engine, expressions", "common-expression-language", "cel-python")
WORDS = {True: "true", False: "false", None: "unknown"}
SATISFIED, NOT_APPLICABLE = Verdict.SATISFIED, Verdict.NOT_APPLICABLE
"""At hand, as decisions have them: nothing is reported of these verdicts."""
TRUTHS = {Verdict.NOT_MET: "true", Verdict.UNKNOWN: "unknown"}
"""Of whether a rule is broken; any other verdict says that it is not."""

ABOUT = f"""
{len(RULES)} rules, whose `require` has 1 to 83 comparisons, on the last line of {ORDERS:,} orders: the examples,
varied, some of which say less than they should. The question is whether a rule is broken: it applies, and is not met.
One translator for each language makes JSON Logic, ZEN and CEL of that condition; the answers are compared before
anything is timed.

Ours are rules as decisions compile them: a verdict, which tells a rule that does not apply from one that is satisfied.
*Evaluated and explained* adds what a decision adds, the observed facts, where the verdict is reported: not met, or
unknown. *The whole tree* adds every comparison with its value and its truth, whatever the verdict, as `explain=all`
does. What several rules share is worked out again for each of them where the facts were prepared before, and once a
line from the order on: so it is in a decision.

The others have compiled the conditions, and take facts in the form that is fastest for them: datalogic-py a parsed
document, common-expression-language a context, cel-python its own types. Their *dicts* are of the facts that a
condition names, and are converted for each evaluation. zen-engine has no other way: it reads those facts from JSON
text, which is faster than a dict, and its *one table* reads all facts, once an order. Facts that are unknown are left
out. cel-python's compiled runner is not its default. What takes long is timed on every {EVERY}st order.

The budgets are datalogic-py's time, a fifth of zen-engine's, a twentieth of CEL's in Rust and a five-hundredth of CEL's
in Python. Where an engine is native and finds its facts prepared, that is less than a function of Python takes to look
up the five facts that such a rule rests on. From the order on, as a decision begins, the facts are most of it.
"""


@dataclass(frozen=True)
class Setting:
    """What all contenders share: the rules by id, and the orders with their facts, all that are used derived."""

    rule_set: RuleSet
    rules: Mapping[str, CompiledRule]
    orders: Sequence[Order]
    cases: Sequence[Case]

    @property
    def facts(self) -> Sequence[Facts]:
        """The facts of each order's last line."""
        return [case.lines[-1] for case in self.cases]

    @property
    def conditions(self) -> dict[str, Expression]:
        """By the rule's id, that it applies and is not met."""
        return {name: rule.broken for name, rule in self.rules.items()}

    def case(self, order: Order) -> Case:
        """A fresh case of the order: no fact is derived yet."""
        return Case(self.rule_set.catalogue, self.rule_set.tables, order=order)

    def names(self) -> tuple[str, ...]:
        """The facts that the conditions name."""
        leaves = [leaf for condition in self.conditions.values() for leaf in comparisons(condition)]
        return tuple(dict.fromkeys(fact for leaf in leaves for fact in (leaf.fact, leaf.other) if fact is not None))


def documents() -> Iterator[dict[str, Any]]:
    """The varied examples, varied in what the conditions look at; some say less than they should."""
    for number, order in enumerate(islice(orders(), ORDERS)):
        turn = number // 4
        order["member"]["line_of_business"] = ("medicare_advantage", "medi_cal", "commercial_hmo")[turn % 3]
        order["access"]["device"] = ("peripheral", "picc", "port", "none")[turn % 4]
        order["clinical"]["weight_kg"] = 45 + number % 47
        order["lines"][-1]["units"] = 1 + turn % 3
        _say_more(order, turn)
        if turn % 7 == 0:
            order.pop("caregiver", None)
        if turn % 11 == 0:
            del order["prescriber"]["signed_on"]
        yield order


def _say_more(order: dict[str, Any], turn: int) -> None:
    if turn % 4 == 1:
        order["member"]["birth_date"] = "2015-06-30"
    if turn % 5 == 0:
        order["diagnoses"] = [{"code": "D80.0", "primary": True}]
    if turn % 6:
        order["nutrition"] = {"energy_kcal_per_day": 1000 + 300 * (turn % 6), "dextrose_g_per_l": 50 * (turn % 4)}
    if turn % 9 == 1:
        order["lines"][-1]["billing_path"] = "pharmacy"
    if turn % 10 == 3:
        order["lines"][-1]["modifiers"] = ["JA", "JB"]


def setting() -> Setting:
    """Of the default rule set."""
    document = load_directory(PROJECT / "rules" / "home-infusion")
    rule_set = RuleSet.from_document(document, version=1, digest=document.digest)
    by_id = {rule.id: rule for rule in rule_set.rules}
    rules = {name: by_id[name] for name in RULES}
    read = [parse_order(json.dumps(order)) for order in documents()]
    cases = [Case(rule_set.catalogue, rule_set.tables, order=order) for order in read]
    made = Setting(rule_set, rules, read, cases)
    for facts in made.facts:
        for name in (*made.names(), *(name for rule in rules.values() for name in rule.observable)):
            facts[name]
    return made


def plain_facts(facts: Facts, names: Iterable[str]) -> dict[str, Any]:
    """The known ones as other engines take them."""
    known = {name: facts[name] for name in names}
    return {name_of(name): plain(value) for name, value in known.items() if not isinstance(value, Unknown)}


def alone(rule: CompiledRule) -> Judge:
    """The rule by itself: its own verdict remembers on a line what it shares with other rules."""
    return compile_verdict(rule.when, rule.require, assigns=rule.assigns)


def in_a_decision(rule: CompiledRule) -> Judge:
    """The rule as decisions judge it."""
    return rule.judge


def ours(shared: Setting, judge_of: Callable[[CompiledRule], Judge]) -> dict[str, list[Callable[[Facts], object]]]:
    """Our contenders: for each rule a function of a line's facts."""
    catalogue = shared.rule_set.catalogue

    def explained(rule: CompiledRule) -> Callable[[Facts], object]:
        judge, observable = judge_of(rule), rule.observable

        def judge_and_explain(facts: Facts) -> tuple[Verdict, dict[str, Any] | None]:
            verdict = judge(facts)
            quiet = verdict is SATISFIED or verdict is NOT_APPLICABLE
            return verdict, None if quiet else observed(observable, facts)

        return judge_and_explain

    def tree(rule: CompiledRule) -> Callable[[Facts], object]:
        judge, when, require = judge_of(rule), rule.when, rule.require
        return lambda facts: (judge(facts), explain(when, facts, catalogue), explain(require, facts, catalogue))

    rules = shared.rules.values()
    return {
        EVALUATED: [judge_of(rule) for rule in rules],
        EXPLAINED: [explained(rule) for rule in rules],
        TREE: [tree(rule) for rule in rules],
    }


def run(evaluations: Iterable[Evaluation]) -> None:
    """One after the other, ours and theirs alike; an error is an answer, too."""
    for program, argument in evaluations:
        try:
            program(argument)
        except Exception:  # noqa: S112 - which it is was looked at before
            continue


def answers(peer: Peer, facts: dict[str, Any]) -> list[str]:
    """Whether the engine says that each rule is broken."""
    found: list[str] = []
    for program, argument in peer.prepared_evaluations(facts):
        try:
            truths = peer.truths(program(argument))
        except Exception:  # whatever an engine raises: it gives no answer
            found += ["error"] * (len(RULES) // len(peer.programs))
        else:
            found += ["null" if truth is None else WORDS[bool(truth)] for truth in truths]
    return found


class WrongTranslation(AssertionError):
    """An engine that answers otherwise where every fact is known: its condition is another one."""


def agreement(shared: Setting, peer: Peer) -> Counter[tuple[str, str]]:
    """How often we gave the one answer and the engine the other.  Raises WrongTranslation."""
    judges = {name: alone(rule) for name, rule in shared.rules.items()}
    names = {name: named(condition) for name, condition in shared.conditions.items()}
    counts: Counter[tuple[str, str]] = Counter()
    for facts in shared.facts:
        known = plain_facts(facts, shared.names())
        for (name, judge), theirs in zip(judges.items(), answers(peer, known), strict=True):
            mine = TRUTHS.get(judge(facts), "false")
            if mine != theirs and all(fact in known for fact in names[name]):
                raise WrongTranslation(f"{name}: we say {mine}, {peer.name} says {theirs}")
            counts[mine, theirs] += 1
    return counts


@dataclass(frozen=True)
class Contender:
    """Its evaluations, all that they take prepared: for each order those of all rules, or one for all of them.

    A `slow` one has fewer orders.
    """

    name: str
    by_order: Sequence[Sequence[Evaluation]]
    slow: bool = False

    @property
    def one_by_one(self) -> bool:
        """Whether it evaluates each rule by itself."""
        return len(self.by_order[0]) == len(RULES)


def contenders(shared: Setting, peers: Sequence[Peer]) -> list[Contender]:
    """Ours, then theirs."""
    made = [
        Contender(name, [[(program, facts) for program in programs] for facts in shared.facts])
        for name, programs in ours(shared, alone).items()
    ]
    known = [plain_facts(facts, shared.names()) for facts in shared.facts]
    for peer in peers:
        chosen = known[::EVERY] if peer.slow else known
        made.append(Contender(peer.name, [peer.prepared_evaluations(facts) for facts in chosen], peer.slow))
    return made


def timed(rows: Mapping[str, Sequence[Evaluation]], least_seconds: float = LEAST_SECONDS) -> dict[str, Times]:
    """Seconds of one evaluation, by contender."""
    calls = {name: _runner(evaluations) for name, evaluations in rows.items()}
    times = side_by_side(calls, least_seconds=least_seconds)
    return {name: times[name].each(len(evaluations)) for name, evaluations in rows.items()}


def _runner(evaluations: Sequence[Evaluation]) -> Callable[[], None]:
    return lambda: run(evaluations)


def evaluated(made: Sequence[Contender]) -> dict[str, Times]:
    """Seconds of one rule, on all orders."""
    times = timed({one.name: [each for of_order in one.by_order for each in of_order] for one in made})
    return {one.name: times[one.name] if one.one_by_one else times[one.name].each(len(RULES)) for one in made}


def evaluated_where_known(shared: Setting, made: Sequence[Contender]) -> dict[str, Times]:
    """The same without the rules that name a fact that is not known: nobody's errors are timed."""
    names = [set(named(condition)) for condition in shared.conditions.values()]
    known = [plain_facts(facts, shared.names()).keys() for facts in shared.facts]
    rows = {
        one.name: [
            evaluation
            for of_order, there in zip(one.by_order, known[::EVERY] if one.slow else known, strict=True)
            for evaluation, wanted in zip(of_order, names, strict=True)
            if there >= wanted
        ]
        for one in made
        if one.one_by_one
    }
    return timed(rows)


def evaluated_one_by_one(made: Sequence[Contender]) -> dict[str, dict[str, Times]]:
    """By rule, on fewer orders."""
    chosen = {
        one.name: one.by_order if one.slow else one.by_order[::EVERY]
        for one in made
        if one.name in (EVALUATED, EXPLAINED, *BY_RULE)
    }
    return {
        condition: timed({name: [of_order[at] for of_order in by_order] for name, by_order in chosen.items()}, 0.005)
        for at, condition in enumerate(RULES)
    }


FACTS_ALONE = "the facts alone"


def with_preparation(shared: Setting, peers: Sequence[Peer]) -> dict[str, Times]:
    """Seconds an order, from the order as it was read to the last rule's answer."""
    chosen, names = shared.orders[::EVERY], shared.names()

    def over_orders(of_line: Callable[[Facts], object]) -> Callable[[], None]:
        def call() -> None:
            for order in chosen:
                case = shared.case(order)
                of_line(case.lines[-1])

        return call

    def of_ours(programs: Sequence[Callable[[Facts], object]]) -> Callable[[], None]:
        return over_orders(lambda facts: run([(program, facts) for program in programs]))

    def of_peer(peer: Peer) -> Callable[[], None]:
        return over_orders(lambda facts: run(peer.evaluations(plain_facts(facts, names))))

    calls = {FACTS_ALONE: over_orders(lambda facts: [facts[name] for name in names])}
    calls |= {name: of_ours(programs) for name, programs in ours(shared, in_a_decision).items()}
    calls |= {peer.name: of_peer(peer) for peer in peers}
    return {name: times.each(len(chosen)) for name, times in side_by_side(calls).items()}


def figure(seconds: float) -> str:
    """In microseconds, to three places."""
    microseconds = seconds * 1e6
    return f"{microseconds:,.0f}" if microseconds >= 100 else f"{microseconds:.3g}"


def table_of(title: str, times: Mapping[str, Times], unit: str, note: str = "") -> Table:
    """A row for each contender, with what ours come to of its time."""
    rows = [
        (
            one.name,
            figure(one.median),
            "-".join(figure(bound) for bound in one.spread),
            f"{times[EVALUATED].ratio_to(one):.3g}",
            f"{times[EXPLAINED].ratio_to(one):.3g}",
        )
        for one in times.values()
    ]
    columns = ("", f"us {unit}", "fastest-slowest", "ours evaluated / this", "ours explained / this")
    return Table(title, columns, rows, note)


def table_by_rule(shared: Setting, found: Mapping[str, Mapping[str, Times]]) -> Table:
    """A row for each rule."""
    rows = [
        (
            condition,
            str(sum(1 for _ in comparisons(shared.conditions[condition]))),
            figure(times[EVALUATED].median),
            figure(times[EXPLAINED].median),
            *(f"{times[EVALUATED].ratio_to(times[peer]):.2g}" for peer in BY_RULE),
        )
        for condition, times in found.items()
    ]
    columns = ("rule", "comparisons", "evaluated, us", "explained, us", *BY_RULE)
    return Table("By rule: our microseconds, and ours evaluated / each engine", columns, rows)


def table_of_agreement(counts: Mapping[str, Counter[tuple[str, str]]]) -> Table:
    """A row for each engine: what it says by what we say."""
    rows = []
    for name, found in counts.items():
        same = sum(count for (mine, theirs), count in found.items() if mine == theirs)
        otherwise = sum(count for (mine, theirs), count in found.items() if mine not in (theirs, "unknown"))
        open_to_us = [found["unknown", theirs] for theirs in ("error", "null", "true", "false")]
        rows.append((name, *(f"{count:,}" for count in (same, otherwise, *open_to_us))))
    columns = ("", "same", "other than ours", "unknown: error", "unknown: null", "unknown: true", "unknown: false")
    note = (
        "Where every fact is known the answers are the same, or this would have stopped. Where one is missing and it "
        "matters, we say unknown, and CEL raises an error. JSON Logic goes on with null; so does ZEN, which raises an "
        "error where null has no order and is no list, and where a cell of its tables would, the row does not match."
    )
    return Table(f"Answers to {len(RULES) * ORDERS:,} questions, against ours", columns, rows, note)


def report() -> Report:
    """All of it: about a minute and a half."""
    shared = setting()
    peers = [make(shared.conditions) for make in PEERS]
    counts = {peer.name: agreement(shared, peer) for peer in peers}
    made = contenders(shared, peers)
    everywhere, where_known = evaluated(made), evaluated_where_known(shared, made)
    by_rule, prepared = evaluated_one_by_one(made), with_preparation(shared, peers)
    of_order = "A rule costs an order's share: what all rules take together, by their number."
    return Report(
        name="peers",
        title="Rules, against other engines",
        about=ABOUT,
        tables=(
            table_of(f"One rule, facts prepared before ({ROUNDS} rounds)", everywhere, "a rule", of_order),
            table_of("The same where every fact is known: no errors are timed", where_known, "a rule"),
            table_of(f"All {len(RULES)} rules, from the order as read", prepared, "an order"),
            table_by_rule(shared, by_rule),
            table_of_agreement(counts),
        ),
        budgets=[
            Budget(f"a rule, evaluated and explained / {name}", everywhere[EXPLAINED].ratio_to(everywhere[name]), most)
            for name, most in AT_MOST.items()
        ],
        ratios={
            **{f"explained / {name}": everywhere[EXPLAINED].ratio_to(everywhere[name]) for name in KEPT_RATIOS},
            "from the order / datalogic-py": prepared[EXPLAINED].ratio_to(prepared["datalogic-py"]),
        },
    )
