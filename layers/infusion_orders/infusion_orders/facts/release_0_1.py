"""The vocabulary as release 0.1 described it: decisions under versions of that time keep their receipts.

The facts and their derivations are today's.  Release 0.1 listed by hand what a fact is derived from.  Findings show
pointers and observed facts by these lists, and receipts cover findings, so a decision under a version of that release
is reproduced with the lists as they were.  Here are those that lead to other pointers or observed facts than today's
derivations.  Do not change them; a test fails when a derivation changes and its old list must be added.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from infusion_orders.facts.catalogue import CATALOGUE
from infusion_orders.facts.fact import Catalogue, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infusion_orders.facts.fact import Fact

LANGUAGES = (None, "b6450c900f7d77fe")
"""The languages of versions that release 0.1 published; its first versions did not name theirs."""

DERIVED_FROM: Mapping[str, str] = {
    "member.ccs_case_covers_order": "member.ccs_open_case member.ccs_conditions order.primary_diagnosis",
    "member.ccs_case_names_a_diagnosis": "member.ccs_open_case member.ccs_conditions order.diagnoses",
    "line.kind": "line.hcpcs line.stated_kind",
    "line.therapy_agrees_with_code": "line.therapy line.stated_therapy",
    "line.dose_fits_code": "line.hcpcs line.date_of_service line.dose line.modifiers",
    "line.units_check": (
        "line.dose clinical.weight line.hcpcs line.date_of_service line.frequency line.last_date_of_service "
        "line.units line.modifiers"
    ),
    "line.units_expected": (
        "line.dose clinical.weight line.hcpcs line.date_of_service line.frequency line.last_date_of_service"
    ),
    "line.code_instead": "line.hcpcs line.date_of_service line.last_date_of_service",
    "line.split": "line.hcpcs line.date_of_service line.last_date_of_service",
    "line.needed_code": "line.hcpcs line.date_of_service line.last_date_of_service member.line_of_business",
    "line.expected_code": "line.hcpcs line.date_of_service line.last_date_of_service member.line_of_business",
    "line.per_diem_therapy": "line.hcpcs line.stated_therapy",
    "line.per_diem_overlap": "line.hcpcs line.date_of_service line.last_date_of_service line.modifiers",
    "line.per_diem_infusion_days": (
        "line.hcpcs line.frequency line.date_of_service line.last_date_of_service line.units"
    ),
    "line.concurrency_is_marked": "line.hcpcs line.date_of_service line.last_date_of_service line.modifiers",
    "line.per_diem_ladder": "line.hcpcs line.frequency line.infusion_time line.daily_volume",
    "line.generic_per_diem_fits": "line.hcpcs line.frequency line.infusion_time line.daily_volume",
    "line.per_diem_expected": "line.hcpcs line.frequency line.infusion_time line.daily_volume",
    "line.waste_check": "line.hcpcs line.dose line.vial_size line.single_dose_container line.units line.modifiers",
    "line.waste_is_reported": (
        "line.hcpcs line.dose line.vial_size line.single_dose_container line.units line.modifiers"
    ),
    "line.waste_expected": "line.hcpcs line.dose line.vial_size line.single_dose_container line.units line.modifiers",
    "line.ndc_codes": "line.hcpcs line.date_of_service line.ndc",
    "line.dofr_party": (
        "medical_group.id member.line_of_business member.risk_arrangement line.dofr_category line.date_of_service"
    ),
}


class Release01Catalogue(Catalogue):
    """Today's facts with the lists of release 0.1."""

    def sources(self, name: str) -> tuple[Fact, ...]:
        """Return the asked facts that a fact depends on by those lists."""
        if name not in DERIVED_FROM:
            return super().sources(name)
        inner = [source for used in DERIVED_FROM[name].split() for source in self.sources(used)]
        return tuple({fact.name: fact for fact in inner}.values())

    def shown_sources(self, name: str) -> tuple[str, ...]:
        """Return the asked facts that a finding shows next to a derived fact: those of its own list."""
        if name not in DERIVED_FROM:
            return super().shown_sources(name)
        facts = (self.facts[used] for used in DERIVED_FROM[name].split())
        shown = (fact for fact in facts if fact.read is not None and fact.kind is not Kind.STRUCTURE)
        return tuple(fact.name for fact in shown if not fact.private)


def catalogue_of(language: str | None) -> Catalogue:
    """Return the vocabulary for rules of a version that was published in this language."""
    return RELEASE_0_1 if language in LANGUAGES else CATALOGUE


RELEASE_0_1 = Release01Catalogue(CATALOGUE.declared)
