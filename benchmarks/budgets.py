"""The budgets of the project: what each measurement may be at most, or must be at least."""

from __future__ import annotations

from dataclasses import dataclass

NOT_RUN = "not run"


@dataclass(frozen=True)
class Budget:
    """A limit and its unit; the unit `x` is a ratio of two times of one run."""

    what: str
    limit: float
    unit: str = "x"
    at_least: bool = False

    def holds(self, found: float) -> bool:
        """Return whether the measured value keeps the budget."""
        return found >= self.limit if self.at_least else found <= self.limit

    def row(self, found: float | None) -> tuple[str, str, str, str]:
        """Return the row of the budgets table; `found` is None if the measurement did not run."""
        limit = f"{'at least' if self.at_least else 'at most'} {self.limit:,g} {self.unit}".rstrip()
        if found is None:
            return self.what, "-", limit, NOT_RUN
        shown = f"{found:,.0f}" if found >= 100 else f"{found:.3g}"
        return self.what, f"{shown} {self.unit}".rstrip(), limit, "kept" if self.holds(found) else "MISSED"


RULES_OVER_DATALOGIC = Budget("25 rules, from the parsed order to explained answers / datalogic-py", 0.75)
RULES_OVER_FASTEST_PEER = Budget("the same / the fastest form of any peer", 1.0)
ONE_ORDER = Budget("an order of 3 lines: parsed, decided, rendered, p50", 0.75, "ms")
HANDLER_OVER_ORDER = Budget("the whole handler without DynamoDB / the same", 1.35)
READS_PER_ORDER = Budget("DynamoDB reads per warm order", 0, "")
WRITES_PER_ORDER = Budget("DynamoDB writes per warm order", 1, "")
TEN_THOUSAND_RULES = Budget("an order under 10,000 rules / under 100 rules", 1.5)
LOAD_1_000_RULES = Budget("load 1,000 rules from DynamoDB Local and decide", 150, "ms")
LOAD_10_000_RULES = Budget("load 10,000 rules from DynamoDB Local and decide", 1200, "ms")
COLD_START = Budget("cold start of validate / stock handler", 0.6)
ORDERS_PER_CORE = Budget("`infusion-orders validate`, per core", 1200, "orders/s", at_least=True)
MEMORY = Budget("its memory with ten times the orders / before", 1.1)

BUDGETS = (
    RULES_OVER_DATALOGIC,
    RULES_OVER_FASTEST_PEER,
    ONE_ORDER,
    HANDLER_OVER_ORDER,
    TEN_THOUSAND_RULES,
    LOAD_1_000_RULES,
    LOAD_10_000_RULES,
    COLD_START,
    ORDERS_PER_CORE,
    MEMORY,
    READS_PER_ORDER,
    WRITES_PER_ORDER,
)
