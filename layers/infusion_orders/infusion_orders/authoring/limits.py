"""The limits on the size of a rule set.  A rule set beyond them fails its check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Limits:
    """`depth` and `nodes` limit one condition, and `list_length` limits one list in a condition."""

    rules: int = 20_000
    depth: int = 12
    nodes: int = 400
    list_length: int = 5_000


LIMITS = Limits()


def limit_problems(plain: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (path, problem) for a rule in plain JSON, without recursion, so that nesting cannot exhaust the stack."""
    if _holds_float(plain):
        yield "", 'the rule has a number with a fraction; write it as text ("2.5"), so that it stays exact'
    for name in ("when", "require"):
        problem = _condition_problem(plain.get(name))
        if problem is not None:
            yield name, problem


def _condition_problem(condition: Any) -> str | None:
    nodes, waiting = 0, [(condition, 0)]
    while waiting:
        node, depth = waiting.pop()
        nodes += isinstance(node, dict)
        if depth > 2 * LIMITS.depth:
            return f"the condition is nested more than {LIMITS.depth} levels deep"
        if nodes > LIMITS.nodes:
            return f"the condition has more than {LIMITS.nodes} parts"
        if isinstance(node, list) and len(node) > LIMITS.list_length:
            return f"a list has {len(node)} items; at most {LIMITS.list_length} are allowed"
        children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        waiting += [(child, depth + 1) for child in children if isinstance(child, dict | list)]
    return None


def _holds_float(plain: Any) -> bool:
    waiting = [plain]
    while waiting:
        node = waiting.pop()
        if isinstance(node, float):
            return True
        if isinstance(node, dict | list):
            waiting += node.values() if isinstance(node, dict) else node
    return False
