"""The vocabulary: every fact that rules may speak of.  `docs/facts.md` is generated from it."""

from __future__ import annotations

from infusion_orders.facts.asked import ASKED
from infusion_orders.facts.fact import Catalogue
from infusion_orders.facts.line import LINE_FACTS
from infusion_orders.facts.member import MEMBER_FACTS
from infusion_orders.facts.responsibility import RESPONSIBILITY_FACTS

CATALOGUE = Catalogue({fact.name: fact for fact in (*ASKED, *MEMBER_FACTS, *LINE_FACTS, *RESPONSIBILITY_FACTS)})
