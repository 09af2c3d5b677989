"""The reference tables of a rule set: their columns, the words that a cell may hold, and what makes a row unique.

Every table has a header row and text cells, like a CSV file.  Dates are ISO 8601.  A period includes its first and its
last day, and an empty `valid_to` leaves it open.  Lists are separated by `|`; `*` means "any" where a column allows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

ANY = "*"
ANY_THERAPY = "any"
"""The therapy of a code that goes with every therapy: nursing, supplies, pumps."""
LIST_SEPARATOR = "|"
END_OF_TIME = "9999-12-31"
"""The last day of an open period, for comparisons."""

BASES = ("manual", "regulation", "coding", "medicare", "plan_default", "unverified")
LINES_OF_BUSINESS = ("medicare_advantage", "medi_cal", "commercial_hmo", "commercial_ppo", "commercial_epo")
RISK_ARRANGEMENTS = ("shared_risk", "dual_risk", "full_risk", "fee_for_service")
CONTRACT_PARTIES = ("health_plan", "medical_group", "capitated_vendor", "capitated_hospital", "undetermined")
DOFR_CATEGORIES = (
    "home_health_infusion",
    "therapeutic_injection",
    "self_injectable",
    "chemotherapy",
    "chemotherapy_adjunct",
    "hemophilia_blood_products",
    "hiv_aids",
    "growth_hormones",
    "infertility",
    "insulin",
    "immunizations",
    "transplant_immunosuppressants",
    "allergy_serum",
    "durable_medical_equipment",
)
CODE_GROUPS = (
    "drug",
    "drug_noc",
    "per_diem",
    "nutrition",
    "nursing",
    "supply",
    "pump",
    "catheter",
    "device_service",
    "hit_professional",
    "pharmacy_hourly",
)
UNITS = ("mg", "g", "mcg", "unit", "ml", "meq", "minute", "hour", "day", "week", "visit")
UNIT_KINDS = ("exact", "up_to", "combo_total", "combo_first_component")
ROUTES = ("IV", "SC", "IM", "INH", "EPIDURAL", "INTRATHECAL", "INTRA_ARTERIAL", "PERINEURAL", "PO", "OTHER")
PRESUMPTIONS = ("eligible", "conditional", "not_eligible")
WHOLE_CHILD_MODEL = ("yes", "no", "unverified")
ANY_MEASURE = "none"
MEASURES = ("interval_hours", "daily_volume_ml", "infusion", ANY_MEASURE)
INFUSIONS = CONTINUOUS, INTERMITTENT = ("continuous", "intermittent")
RELATIONS = ("needs", "expects", "excludes")

CellKind = Literal["text", "code", "icd10", "suffixes", "ndc", "name", "date", "decimal", "choice", "list"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    `kind`: `code` is a HCPCS or CPT code, `icd10` a three-character ICD-10-CM category, `suffixes` what follows a
    category in its codes, `ndc` an NDC in 11 digits, `name` a lower-case word of ours.  `choices`: the closed set of
    words of a `choice` column, or of a `list` column's items.  `or_any`: `*` is allowed too.  `refers_to`: (table,
    column) in which the cell, or each item of a list, must occur.
    """

    name: str
    kind: CellKind = "text"
    required: bool = True
    choices: tuple[str, ...] = ()
    or_any: bool = False
    refers_to: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class TableSchema:
    """One table.  No two rows with the same `key` may be valid on the same day; without a period, keys are unique."""

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    period: tuple[str, str] | None = ("valid_from", "valid_to")

    def header(self) -> tuple[str, ...]:
        """Return the first row of the table: the names of its columns."""
        return tuple(column.name for column in self.columns)


_PERIOD = (Column("valid_from", "date"), Column("valid_to", "date", required=False))
_BASIS = Column("basis", "choice", choices=BASES)
_COMMENT = Column("comment", required=False)
_YES_NO = ("yes", "no")

_SCHEMAS = (
    TableSchema(
        "codes",
        "HCPCS and CPT codes with their therapy and billing unit; one row for each period in which they were the same",
        (
            Column("code", "code"),
            Column("name"),
            Column("group", "choice", choices=CODE_GROUPS),
            Column("therapy", "name", refers_to=("therapies", "therapy")),
            Column("unit_quantity", "decimal", required=False),
            Column("unit", "choice", required=False, choices=UNITS),
            Column("unit_kind", "choice", required=False, choices=UNIT_KINDS),
            Column("routes", "list", required=False, choices=ROUTES),
            *_PERIOD,
            Column("not_with", "list", required=False, choices=CODE_GROUPS, refers_to=("codes", "code")),
            _BASIS,
        ),
        key=("code",),
    ),
    TableSchema(
        "code_successors",
        "Codes that ended, and the code that took their place; neither need be in the table of codes",
        (
            Column("code", "code"),
            Column("valid_to", "date"),
            Column("successor", "code"),
            Column("successor_from", "date"),
            _BASIS,
        ),
        key=("code",),
        period=None,
    ),
    TableSchema(
        "therapies",
        "Every therapy that a code or a vendor may name, and whether the manual lists it as approved (M-7)",
        (
            Column("therapy", "name"),
            Column("title"),
            Column("listed", "choice", choices=_YES_NO),
            Column("acute", "choice", choices=_YES_NO),
            *_PERIOD,
            _BASIS,
            _COMMENT,
        ),
        key=("therapy",),
    ),
    TableSchema(
        "crosswalk",
        "The DOFR category of a code (M-10); a row with a condition is valid only where the plan says so",
        (
            Column("code", "code"),
            Column("condition", required=False),
            Column("category", "choice", choices=DOFR_CATEGORIES),
            *_PERIOD,
            _BASIS,
        ),
        key=("code", "condition"),
    ),
    TableSchema(
        "dofr_grid",
        "Division of financial responsibility: who pays, by contract; the most specific row wins",
        (
            Column("medical_group"),
            Column("line_of_business", "choice", choices=LINES_OF_BUSINESS, or_any=True),
            Column("risk_arrangement", "choice", choices=RISK_ARRANGEMENTS),
            Column("category", "choice", choices=DOFR_CATEGORIES, or_any=True),
            Column("party", "choice", choices=CONTRACT_PARTIES),
            *_PERIOD,
            _BASIS,
            _COMMENT,
        ),
        key=("medical_group", "line_of_business", "risk_arrangement", "category"),
    ),
    TableSchema(
        "vendors",
        "Contracted vendors, and from when to when they accept a therapy for shared-risk members (M-8)",
        (
            Column("vendor", "name"),
            Column("name"),
            Column("therapy", "name", refers_to=("therapies", "therapy")),
            Column("line_of_business", "choice", choices=LINES_OF_BUSINESS, or_any=True),
            *_PERIOD,
            _BASIS,
            _COMMENT,
        ),
        key=("vendor", "therapy", "line_of_business"),
    ),
    TableSchema(
        "ccs_presumptions",
        "What a diagnosis lets one presume about California Children's Services, by ranges of categories (M-11)",
        (
            Column("icd10_from", "icd10"),
            Column("icd10_to", "icd10"),
            Column("presumption", "choice", choices=PRESUMPTIONS),
            Column("section"),
            Column("what_must_be_known", required=False),
            _BASIS,
        ),
        key=("icd10_from",),
        period=None,
    ),
    TableSchema(
        "per_diem_ladders",
        "Which per-diem code a therapy has for how often, how much or how long it is given; `none`: whatever is given",
        (
            Column("code", "code", refers_to=("codes", "code")),
            Column("therapy", "name", refers_to=("therapies", "therapy")),
            Column("measure", "choice", choices=MEASURES),
            Column("equals", required=False),
            Column("above", "decimal", required=False),
            Column("at_most", "decimal", required=False),
            *_PERIOD,
            _BASIS,
        ),
        key=("code",),
    ),
    TableSchema(
        "code_pairs",
        "Codes that go together in an order: one row is enough for `needs` and `expects`; each `excludes` row counts",
        (
            Column("code", "code"),
            Column("relation", "choice", choices=RELATIONS),
            Column("other", "code"),
            Column("line_of_business", "choice", choices=LINES_OF_BUSINESS, or_any=True),
            *_PERIOD,
            _BASIS,
            _COMMENT,
        ),
        key=("code", "relation", "other", "line_of_business"),
    ),
    TableSchema(
        "ndc_crosswalk",
        "The HCPCS codes under which a drug's package is billed; an NDC may be listed under several",
        (Column("ndc", "ndc"), Column("code", "code"), *_PERIOD, _BASIS),
        key=("ndc", "code"),
    ),
    TableSchema(
        "diagnoses",
        "The billable ICD-10-CM codes of a release, by category: what follows its three characters, `-` for nothing",
        (Column("category", "icd10"), Column("billable", "suffixes"), *_PERIOD, _BASIS),
        key=("category",),
    ),
    TableSchema(
        "counties",
        "California's counties, and whether the plan pays CCS services there (Whole Child Model)",
        (
            Column("county"),
            Column("whole_child_model", "choice", choices=WHOLE_CHILD_MODEL),
            *_PERIOD,
            _BASIS,
        ),
        key=("county",),
    ),
)

TABLES: Mapping[str, TableSchema] = MappingProxyType({schema.name: schema for schema in _SCHEMAS})


def split_list(cell: str) -> tuple[str, ...]:
    """Return the items of a list cell; an empty cell has none."""
    return tuple(cell.split(LIST_SEPARATOR)) if cell else ()


def as_date(cell: str) -> date | None:
    """Return the date of a cell, None for an empty one.  Raises ValueError for what is not a calendar date."""
    return date.fromisoformat(cell) if cell else None


def as_decimal(cell: str) -> Decimal | None:
    """Return the number of a cell, None for an empty one."""
    return Decimal(cell) if cell else None
