"""The search over rules.  Like the manual's own search, it takes 4 to 60 characters and a provider type (M-12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infusion_orders.rules.condition import leaves
from infusion_orders.rules.rule import Effect

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infusion_orders.orders.vocabularies import ProviderType
    from infusion_orders.rules.rule import Rule

SHORTEST, LONGEST = 4, 60
ASSIGN = "assign"
EFFECTS = (*(effect.value for effect in Effect), ASSIGN)
THERAPY_FACTS = ("line.therapy", "line.stated_therapy", "line.per_diem_therapy")


class SearchTextLength(ValueError):
    """The search text is too short or too long; the message names the limits."""


def find_rules(
    rules: Iterable[Rule],
    text: str | None = None,
    *,
    clause: str | None = None,
    provider_type: ProviderType | None = None,
    therapy: str | None = None,
    effect: str | None = None,
) -> list[Rule]:
    """Return the rules that contain every word of the text, best match first.

    `therapy` keeps the rules whose conditions name it.  `effect` is one of the effects, or `assign` for rules that
    assign.  Raises SearchTextLength.
    """
    words = [] if text is None else _words(text)
    ranked = []
    for rule in rules:
        rule_effect = ASSIGN if rule.otherwise is None else rule.otherwise.effect.value
        if (
            clause in (None, rule.clause)
            and (provider_type is None or provider_type in rule.provider_types)
            and effect in (None, rule_effect)
            and (therapy is None or therapy in _therapies(rule))
        ):
            scores = [_score(rule, word) for word in words]
            if all(scores):
                ranked.append((-sum(scores), rule.id, rule))
    return [rule for _, _, rule in sorted(ranked, key=lambda entry: entry[:2])]


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
    """Return a score that weighs matches in the clause and id most, then title, texts and conditions."""
    texts = (rule.otherwise.message, rule.otherwise.remedy or "") if rule.otherwise is not None else ()
    places = (
        (8, f"{rule.clause or ''} {rule.id}"),
        (4, rule.title),
        (2, " ".join(texts)),
        (1, rule.model_dump_json(include={"when", "require"}, by_alias=True, exclude_none=True)),
    )
    return sum(weight for weight, place in places if word in place.lower())
