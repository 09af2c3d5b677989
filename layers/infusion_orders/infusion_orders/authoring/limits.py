"""How large a rule set may be: a version beyond these does not load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Limits:
    """`depth` and `nodes` are of one condition, `list_length` of one list in a rule."""

    rules: int = 20_000
    depth: int = 12
    nodes: int = 400
    list_length: int = 5_000


LIMITS = Limits()


def limit_problems(plain: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(path, problem) of a rule in plain JSON, found without recursion: hostile nesting cannot exhaust the stack."""
    if _holds_float(plain):
        yield "", "has a number with a fraction: write it as text, so that it is exact"
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
            return f"is nested more than {LIMITS.depth} deep"
        if nodes > LIMITS.nodes:
            return f"has more than {LIMITS.nodes} conditions"
        if isinstance(node, list) and len(node) > LIMITS.list_length:
            return f"has a list of {len(node)}: at most {LIMITS.list_length}"
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
