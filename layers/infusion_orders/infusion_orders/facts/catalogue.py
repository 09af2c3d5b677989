"""The vocabulary: every fact that rules may speak of.  `docs/facts.md` is generated from it."""

from __future__ import annotations

from infusion_orders.facts.asked_of_line import ASKED_OF_LINE
from infusion_orders.facts.asked_of_order import ASKED_OF_ORDER
from infusion_orders.facts.code_changes import CODE_CHANGE_FACTS
from infusion_orders.facts.code_pairs import CODE_PAIR_FACTS
from infusion_orders.facts.diagnosis import DIAGNOSIS_FACTS
from infusion_orders.facts.fact import Catalogue
from infusion_orders.facts.line import LINE_FACTS
from infusion_orders.facts.member import MEMBER_FACTS
from infusion_orders.facts.ndc import NDC_FACTS
from infusion_orders.facts.nutrition import NUTRITION_FACTS
from infusion_orders.facts.per_diem_ladders import PER_DIEM_LADDER_FACTS
from infusion_orders.facts.per_diems import PER_DIEM_FACTS
from infusion_orders.facts.responsibility import RESPONSIBILITY_FACTS
from infusion_orders.facts.units import UNIT_FACTS
from infusion_orders.facts.waste import WASTE_FACTS

CATALOGUE = Catalogue(
    {
        fact.name: fact
        for facts in (
            ASKED_OF_ORDER,
            ASKED_OF_LINE,
            MEMBER_FACTS,
            LINE_FACTS,
            UNIT_FACTS,
            CODE_CHANGE_FACTS,
            CODE_PAIR_FACTS,
            PER_DIEM_FACTS,
            PER_DIEM_LADDER_FACTS,
            WASTE_FACTS,
            NDC_FACTS,
            NUTRITION_FACTS,
            DIAGNOSIS_FACTS,
            RESPONSIBILITY_FACTS,
        )
        for fact in facts
    }
)
