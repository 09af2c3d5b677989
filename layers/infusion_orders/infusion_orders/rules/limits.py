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
        nodes, waiting = 0, [(plain.get(name), 0)]
        while waiting:
            node, depth = waiting.pop()
            if depth > 2 * LIMITS.depth:
                yield name, f"is nested more than {LIMITS.depth} deep"
                break
            if isinstance(node, dict):
                nodes += 1
                waiting += [(child, depth + 1) for child in node.values()]
            elif isinstance(node, list):
                if len(node) > LIMITS.list_length:
                    yield name, f"has a list of {len(node)}: at most {LIMITS.list_length}"
                    break
                waiting += [(child, depth + 1) for child in node if isinstance(child, dict | list)]
        if nodes > LIMITS.nodes:
            yield name, f"has {nodes} conditions: at most {LIMITS.nodes}"


def _holds_float(plain: Any) -> bool:
    waiting = [plain]
    while waiting:
        node = waiting.pop()
        if isinstance(node, float):
            return True
        if isinstance(node, dict | list):
            waiting += node.values() if isinstance(node, dict) else node
    return False
