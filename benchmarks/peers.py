"""Compare 25 rules with other engines: the same parsed orders in, explained answers out."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from benchmarks.budgets import RULES_OVER_DATALOGIC, RULES_OVER_FASTEST_PEER
from benchmarks.measuring import side_by_side
from benchmarks.peer_engines import ENGINES, facts_in
from benchmarks.peer_languages import name_of, plain
from benchmarks.project import default_rules, example_orders, ready
from benchmarks.reporting import Report, Table, microseconds
from infusion_orders.decisions.findings import observed
from infusion_orders.facts.case import Case
from infusion_orders.facts.unknown import Unknown
from infusion_orders.orders.parsing import parse_order
from infusion_orders.rules.rule import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from benchmarks.measuring import Times
    from benchmarks.peer_engines import Peer
    from infusion_orders.facts.case import Facts
    from infusion_orders.orders.order import Order
    from infusion_orders.rules.compiled_rule import CompiledRule
    from infusion_orders.rules.rule_set import RuleSet

    Explained = dict[str, dict[str, Any]]
    """The observed facts of each rule that is broken or unknown."""

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
"""Rules of nearly every file of the rule set; together their `require` use every operator that it uses."""
ORDERS = 1000
EVERY = 31
"""Only every 31st order is timed: 31 shares no factor with the cycles in which the orders vary."""
OURS, DATALOGIC = "ours", "datalogic-py"
ABOUT = f"""
{len(RULES)} rules on the last line of {ORDERS:,} varied orders, some incomplete. Of each rule an engine says if it is
broken (it applies and is not met); one function collects the observed facts of rules that are broken or unknown, for
all. A difference of answers where all facts are known stops the run. Conditions are compiled beforehand. *From the
parsed order*: all derive the line's facts from our `Order`; peers also make the dict of facts that they need and
convert it. *Facts prepared*: only evaluating and explaining. Peers run in their fastest form and with dicts of the
facts that a condition names.
"""


@dataclass(frozen=True)
class Setting:
    """The rules, the parsed orders and the facts of their last lines, which all contenders share."""

    rule_set: RuleSet
    rules: Sequence[CompiledRule]
    orders: Sequence[Order]

    def case(self, order: Order) -> Case:
        """Return the facts of the order's lines; they are derived when they are first read."""
        return Case(self.rule_set.catalogue, self.rule_set.tables, order=order)

    def names(self) -> list[tuple[str, str]]:
        """Return the facts that the conditions name, each with its name in other engines."""
        named = dict.fromkeys(fact for rule in self.rules for fact in facts_in(rule.broken))
        return [(fact, name_of(fact)) for fact in named]


@dataclass(frozen=True)
class Contender:
    """Prepares a line's facts in its own form, then judges all rules and explains those broken or unknown."""

    name: str
    prepare: Callable[[Facts], Any]
    explained: Callable[[Facts, Any], Explained]


class WrongTranslation(AssertionError):
    """An engine disagrees although all facts are known, so its condition is not the same as ours."""


def setting() -> Setting:
    """Return the rules and the varied orders."""
    rule_set = ready(default_rules())
    by_id = {rule.id: rule for rule in rule_set.rules}
    orders = [parse_order(json.dumps(order)) for order in varied_orders()]
    return Setting(rule_set, [by_id[name] for name in RULES], orders)


def varied_orders() -> Iterator[dict[str, Any]]:
    """Yield the example orders, varied in what the rules look at; some lack information."""
    for number, order in enumerate(islice(example_orders(), ORDERS)):
        turn = number // 4
        line = order["lines"][-1]
        order["member"]["line_of_business"] = ("medicare_advantage", "medi_cal", "commercial_hmo")[turn % 3]
        order["access"]["device"] = ("peripheral", "picc", "port", "none")[turn % 4]
        order["clinical"]["weight_kg"] = 45 + number % 47
        line["units"] = 1 + turn % 3
        if turn % 4 == 1:
            order["member"]["birth_date"] = "2015-06-30"
        if turn % 5 == 0:
            order["diagnoses"] = [{"code": "D80.0", "primary": True}]
        if turn % 6:
            order["nutrition"] = {"energy_kcal_per_day": 1000 + 300 * (turn % 6), "dextrose_g_per_l": 50 * (turn % 4)}
        line |= {"billing_path": "pharmacy"} if turn % 9 == 1 else {}
        line |= {"modifiers": ["JA", "JB"]} if turn % 10 == 3 else {}
        if turn % 7 == 0:
            order.pop("caregiver", None)
        if turn % 11 == 0:
            del order["prescriber"]["signed_on"]
        yield order


def dict_of_facts(facts: Facts, names: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return the known facts as other engines take them."""
    known = {}
    for fact, name in names:
        value = facts[fact]
        if not isinstance(value, Unknown):
            known[name] = plain(value)
    return known


def ours(shared: Setting) -> Contender:
    """Return our rules, which take the facts as they are."""

    def explained(facts: Facts, _argument: Any) -> Explained:
        found = {}
        for rule in shared.rules:
            verdict = rule.judge(facts)
            if verdict is Verdict.NOT_MET or verdict is Verdict.UNKNOWN:
                found[rule.id] = observed(rule.observable, facts)
        return found

    return Contender(OURS, lambda _facts: None, explained)


def theirs(shared: Setting, peer: Peer) -> Contender:
    """Return a peer that explains as we do.  An error or null means unknown."""
    names = shared.names()

    def explained(facts: Facts, arguments: Sequence[Any]) -> Explained:
        found = {}
        for rule, program, argument in zip(shared.rules, peer.programs, arguments, strict=True):
            try:
                broken = program(argument)
            except Exception:  # an engine that misses a fact raises what it likes
                broken = None
            if broken or broken is None:
                found[rule.id] = observed(rule.observable, facts)
        return found

    return Contender(peer.name, lambda facts: peer.arguments(dict_of_facts(facts, names)), explained)


def answers_where_unknown(shared: Setting, peer: Peer) -> Counter[bool | None]:
    """Count a peer's answers where we say unknown.  Raises WrongTranslation."""
    truths = {Verdict.NOT_MET: True, Verdict.UNKNOWN: None}
    counts: Counter[bool | None] = Counter()
    for order in shared.orders:
        case = shared.case(order)
        facts = case.lines[-1]
        known = dict_of_facts(facts, shared.names())
        for rule, program, argument in zip(shared.rules, peer.programs, peer.arguments(known), strict=True):
            mine = truths.get(rule.judge(facts), False)
            try:
                answer = program(argument)
            except Exception:  # an engine that misses a fact raises what it likes
                answer = None
            its = None if answer is None else bool(answer)
            if mine != its and all(name_of(fact) in known for fact in facts_in(rule.broken)):
                raise WrongTranslation(f"{rule.id}: we say {mine}, {peer.name} says {its}")
            if mine is None:
                counts[its] += 1
    return counts


def from_parsed_order(shared: Setting, one: Contender, orders: Sequence[Order]) -> None:
    """Derive each order's facts, convert them, judge all rules, explain."""
    for order in orders:
        case = shared.case(order)
        facts = case.lines[-1]
        one.explained(facts, one.prepare(facts))


def facts_prepared(one: Contender, prepared: Sequence[tuple[Facts, Any]]) -> None:
    """Judge all rules and explain."""
    for facts, argument in prepared:
        one.explained(facts, argument)


def report() -> Report:
    """Compare the answers, then time both ways."""
    shared = setting()
    peers = [peer for engine in ENGINES for peer in engine([rule.broken for rule in shared.rules])]
    unknown = {peer.name: answers_where_unknown(shared, peer) for peer in peers}
    contenders = [ours(shared), *(theirs(shared, peer) for peer in peers)]
    orders = shared.orders[::EVERY]
    cases = [shared.case(order) for order in orders]
    arguments = {one.name: [(case.lines[-1], one.prepare(case.lines[-1])) for case in cases] for one in contenders}
    whole = side_by_side({one.name: partial(from_parsed_order, shared, one, orders) for one in contenders})
    prepared = side_by_side({one.name: partial(facts_prepared, one, arguments[one.name]) for one in contenders})
    ratios = {peer.name: whole[OURS].ratio_to(whole[peer.name]) for peer in peers}
    return Report(
        "Next to other rule engines",
        ABOUT,
        tables=[table_of(whole, prepared, len(orders), unknown)],
        budgets={RULES_OVER_DATALOGIC: ratios[DATALOGIC], RULES_OVER_FASTEST_PEER: max(ratios.values())},
        ratios={f"from the parsed order / {name}": ratio for name, ratio in ratios.items() if "dicts" not in name},
    )


def table_of(
    whole: Mapping[str, Times],
    prepared: Mapping[str, Times],
    orders: int,
    unknown: Mapping[str, Counter[bool | None]],
) -> Table:
    """Return a row for each contender; a call goes through so many orders."""
    rows = [
        (
            name,
            microseconds(times.median / orders),
            f"{whole[OURS].ratio_to(times):.2g}",
            microseconds(prepared[name].median / orders),
            f"{prepared[OURS].ratio_to(prepared[name]):.2g}",
            f"{1 - unknown[name][None] / unknown[name].total():.0%}" if name in unknown else "0%",
        )
        for name, times in whole.items()
    ]
    columns = ("", "us, from the parsed order", "ours / this", "us, facts prepared", "ours / this", "guessed")
    note = (
        "*Guessed*: how many of the answers that we leave open, for want of a fact, an engine gives as true or false.\n"
        "CEL raises an error instead. Times are processor time."
    )
    return Table(f"{len(RULES)} rules, one order", columns, rows, note)
