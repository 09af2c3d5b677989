"""Suggestions: the valid word that is most like a wrong one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_WORD = 64
"""A longer word is cut off: comparing takes time that grows with the square of its length."""
MOST_LISTED = 12


def nearest(word: str, words: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return the most similar of the words, whatever their case; None if none is similar."""
    from difflib import get_close_matches  # loaded only to explain a mistake

    by_folded = {candidate.casefold(): candidate for candidate in sorted(words, reverse=True)}
    found = get_close_matches(word[:LONGEST_WORD].casefold(), by_folded, n=1, cutoff=cutoff)
    return by_folded[found[0]] if found else None


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """Return `; did you mean ...?` with the most similar of the words; empty if none is similar."""
    found = nearest(word, words)
    return "" if found is None else f"; did you mean {found!r}?"


def valid_words(word: str, words: Iterable[str]) -> str:
    """Return `; did you mean ...?`, or a list of the first valid words; empty if there are none."""
    candidates = sorted(set(words))
    listed = ", ".join(candidates[:MOST_LISTED]) + (", ..." if len(candidates) > MOST_LISTED else "")
    return did_you_mean(word, candidates) or (f"; valid values: {listed}" if candidates else "")
