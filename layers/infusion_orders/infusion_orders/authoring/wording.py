"""Rules in words, line by line, for people who compare versions or look up a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

STEP = "  "
LISTS = {"all": "all of", "any": "any of"}


def condition_in_words(condition: Mapping[str, Any]) -> list[str]:
    """Return a condition (plain JSON) as lines: one for each part, nested parts indented below `all of` or `any of`."""
    return list(_condition(condition, ""))


def _condition(condition: Mapping[str, Any], indent: str) -> Iterator[str]:
    for word, heading in LISTS.items():
        if word in condition:
            yield f"{indent}{heading}"
            for part in condition[word]:
                yield from _condition(part, indent + STEP)
            return
    if "not" in condition:
        yield f"{indent}not"
        yield from _condition(condition["not"], indent + STEP)
        return
    fact, (operator, operand) = condition["fact"], next(item for item in condition.items() if item[0] != "fact")
    yield f"{indent}{fact} {_comparison(operator, operand)}"


def _comparison(operator: str, operand: Any) -> str:
    if operator == "known":
        return "known"
    if operator == "between":
        return f"between {value_in_words(operand[0])} and {value_in_words(operand[1])}"
    return f"{operator} {value_in_words(operand)}"


def value_in_words(value: Any) -> str:
    """Return a literal, a list, or the name of another fact as text."""
    if isinstance(value, dict) and set(value) == {"fact"}:
        return str(value["fact"])
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


def rule_in_words(rule: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the parts of a rule (plain JSON) by name, each as lines.  Absent parts are left out."""
    period, citation = rule.get("effective") or {}, rule.get("citation") or {}
    said = {name: rule.get(name) for name in ("title", "clause", "scope")}
    said |= {f"effective {bound}": period.get(bound) for bound in ("from", "to")}
    said["provider types"] = rule.get("provider_types")
    parts = _lines(said)
    parts |= {name: condition_in_words(rule[name]) for name in ("when", "require") if rule.get(name) is not None}
    parts |= _lines(_consequences(rule))
    parts |= _lines({f"citation, {name}": value for name, value in citation.items()})
    examples = enumerate(rule.get("examples") or (), start=1)
    return parts | {f"example {number}": [example_in_words(example)] for number, example in examples}


def _lines(said: Mapping[str, Any]) -> dict[str, list[str]]:
    return {name: [value_in_words(value)] for name, value in said.items() if value is not None}


def _consequences(rule: Mapping[str, Any]) -> dict[str, Any]:
    otherwise, assigned = rule.get("otherwise") or {}, rule.get("assign") or {}
    action = otherwise.get("action") or {}
    vendor = f", vendor {value_in_words(action['vendor'])}" if action.get("vendor") is not None else ""
    said = {name: otherwise.get(name) for name in ("effect", "coverage", "message", "remedy")}
    said["action"] = f"{action['action']}{vendor}" if action else None
    return said | {f"assign {target}": value for target, value in assigned.items()}


def example_in_words(example: Mapping[str, Any]) -> str:
    """Return `fact value, fact value: verdict`, and the facts that the example asks for."""
    given = ", ".join(f"{name} {value_in_words(value)}" for name, value in (example.get("given") or {}).items())
    asks = "" if example.get("asks") is None else f", asks for {', '.join(example['asks'])}"
    return f"{given or 'nothing given'}: {example['expect']}{asks}"
