"""Searching rules as the manual's own search does: 4 to 60 characters, and by provider type (M-12)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infusion_orders.rules.condition import leaves
from infusion_orders.rules.rule import Effect

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infusion_orders.orders.order import ProviderType
    from infusion_orders.rules.rule import Rule

SHORTEST, LONGEST = 4, 60
ASSIGN = "assign"
EFFECTS = (*(effect.value for effect in Effect), ASSIGN)
THERAPY_FACTS = ("line.therapy", "line.stated_therapy", "line.per_diem_therapy")


class SearchTextLength(ValueError):
    """A search text that is too short or too long; the text says the limits."""


def search(
    rules: Iterable[Rule],
    text: str | None = None,
    *,
    clause: str | None = None,
    provider_type: ProviderType | None = None,
    therapy: str | None = None,
    effect: str | None = None,
) -> list[Rule]:
    """The rules that hold every word of the text, best first.

    `therapy`: those whose conditions name it; `effect`: one of the effects, or `assign` for rules that assign.
    Raises SearchTextLength.
    """
    wanted = Filter(clause, provider_type, therapy, effect)
    words = [] if text is None else _words(text)
    ranked = []
    for rule in rules:
        if not wanted.lets_through(rule):
            continue
        scores = [_score(rule, word) for word in words]
        if all(scores):
            ranked.append((-sum(scores), rule.id, rule))
    return [rule for _, _, rule in sorted(ranked, key=lambda entry: entry[:2])]


@dataclass(frozen=True, slots=True)
class Filter:
    """What a rule must be, whatever its texts say; None asks for nothing."""

    clause: str | None
    provider_type: ProviderType | None
    therapy: str | None
    effect: str | None

    def lets_through(self, rule: Rule) -> bool:
        """Whether the rule is all of it."""
        effect = ASSIGN if rule.otherwise is None else rule.otherwise.effect.value
        return (
            self.clause in (None, rule.clause)
            and (self.provider_type is None or self.provider_type in rule.provider_types)
            and self.effect in (None, effect)
            and (self.therapy is None or self.therapy in _therapies(rule))
        )


def _therapies(rule: Rule) -> set[str]:
    named = [leaf for part in (rule.when, rule.require) if part is not None for leaf in leaves(part)]
    operands = [leaf.operand for leaf in named if leaf.fact in THERAPY_FACTS]
    return {word for operand in operands for word in (operand if isinstance(operand, tuple) else (operand,))}


def _words(text: str) -> list[str]:
    trimmed = text.strip()
    if not SHORTEST <= len(trimmed) <= LONGEST:
        message = f"search with {SHORTEST} to {LONGEST} characters"
        raise SearchTextLength(message)
    return trimmed.lower().split()


def _score(rule: Rule, word: str) -> int:
    """Higher the nearer the hit is to the rule's name: clause and id, title, texts, codes in its conditions."""
    texts = (rule.otherwise.message, rule.otherwise.remedy or "") if rule.otherwise is not None else ()
    places = (
        (8, f"{rule.clause or ''} {rule.id}"),
        (4, rule.title),
        (2, " ".join(texts)),
        (1, rule.model_dump_json(include={"when", "require"}, by_alias=True, exclude_none=True)),
    )
    return sum(weight for weight, place in places if word in place.lower())
