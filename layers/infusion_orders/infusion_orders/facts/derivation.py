"""How derived facts combine known and unknown inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infusion_orders.facts.unknown import Unknown, unknown_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from infusion_orders.facts.case import Facts


def from_all(*names: str) -> Callable[[Callable[..., Any]], Callable[[Facts], Any]]:
    """A derivation that needs every one of its inputs: unknown as soon as one of them is, with the needs of all.

    The function gets the facts (for their tables) and the inputs' values.
    """

    def decorate(function: Callable[..., Any]) -> Callable[[Facts], Any]:
        def derive(facts: Facts) -> Any:
            values = [facts[name] for name in names]
            for value in values:
                if isinstance(value, Unknown):
                    return unknown_of(*values)
            return function(facts, *values)

        derive.__doc__ = function.__doc__
        return derive

    return decorate
