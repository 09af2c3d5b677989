"""Searching rules as the manual's own search does: 4 to 60 characters, and by provider type (M-12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infusion_orders.orders.order import ProviderType
    from infusion_orders.rules.rule import Rule

SHORTEST, LONGEST = 4, 60


class SearchTextLength(ValueError):
    """A search text that is too short or too long; the text says the limits."""


def search(
    rules: Iterable[Rule],
    text: str | None = None,
    *,
    clause: str | None = None,
    provider_type: ProviderType | None = None,
) -> list[Rule]:
    """The rules that hold every word of the text, best first.  Raises SearchTextLength."""
    words = [] if text is None else _words(text)
    ranked = []
    for rule in rules:
        if clause is not None and rule.clause != clause:
            continue
        if provider_type is not None and provider_type not in rule.provider_types:
            continue
        scores = [_score(rule, word) for word in words]
        if all(scores):
            ranked.append((-sum(scores), rule.id, rule))
    return [rule for _, _, rule in sorted(ranked, key=lambda entry: entry[:2])]


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
