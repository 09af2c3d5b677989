"""The quarterly crosswalk of CMS from NDC to HCPCS: under which codes a drug's package is billed."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from infusion_orders.authoring.differences import table_changes
from infusion_orders.reference.schema import TABLES
from infusion_orders_cli.codes.changes import Imported, Notice, from_day_on
from infusion_orders_cli.codes.layout import CPT, LEVEL_II, Wanted, table_of
from infusion_orders_cli.codes.problems import Faults, refused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from infusion_orders_cli.codes.layout import Record
    from infusion_orders_cli.codes.sources import Sheet

    Row = tuple[str, ...]

SCHEMA = TABLES["ndc_crosswalk"]
COLUMNS = (
    Wanted("HCPCS code", re.compile(r"[0-9]{4}CODE\Z|HCPCS(?:LEVELII)?CODE")),
    Wanted("NDC2", re.compile(r"NDC2?\Z")),
)
CPT_ROWS = "CPT rows"
NO_NDC = "product numbers that are no NDC, of codes that the tables do not have"

_NDC = re.compile(r"([0-9]{5})-?([0-9]{4})-?([0-9]{2})\Z")
_EFFECTIVE = re.compile(r"effective +([a-z]+ +[0-9]{1,2}, *[0-9]{4})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NdcRelease:
    """Pairs of NDC (11 digits) and code; `effective` is the first day that the banner names, if it names one."""

    pairs: frozenset[tuple[str, str]]
    effective: date | None
    read: int
    dropped: Mapping[str, int]


def read_ndc(sheet: Sheet, curated: Collection[str]) -> NdcRelease:
    """Raises FileRefused with every fault, by row and column.

    `curated`: the codes of our table.  Some devices are listed with a product number that is no NDC: under a code that
    we do not have it is dropped, under one of ours it is a fault.
    """
    faults = Faults()
    table = table_of(sheet, COLUMNS, faults)
    pairs: set[tuple[str, str]] = set()
    dropped: Counter[str] = Counter()
    read = 0
    for record in table.records:
        read += 1
        found = _pair(record, table.names, curated, faults)
        if isinstance(found, str):
            dropped[found] += 1
        elif found is not None:
            pairs.add(found)
    faults.stop()
    if not pairs:
        raise refused("the file holds no NDC: is it complete?")
    return NdcRelease(frozenset(pairs), _first_day(table.banner), read, dropped)


def _pair(
    record: Record, names: Mapping[str, str], curated: Collection[str], faults: Faults
) -> tuple[str, str] | str | None:
    """The pair, the reason why the row is dropped, or None for a fault."""
    code = record.cells["HCPCS code"].upper()
    if CPT.match(code):
        return CPT_ROWS
    if not LEVEL_II.match(code):
        faults.add(record.row, names["HCPCS code"], "must be a HCPCS code: a letter A-V and 4 digits")
        return None
    ndc = _NDC.match(record.cells["NDC2"])
    if ndc:
        return "".join(ndc.groups()), code
    if code not in curated:
        return NO_NDC
    faults.add(record.row, names["NDC2"], "must be an NDC of 11 digits, 5-4-2, such as 12345-6789-01")
    return None


def _first_day(banner: Iterable[Row]) -> date | None:
    for row in banner:
        if found := _EFFECTIVE.search(" ".join(row)):
            try:
                return datetime.strptime(" ".join(found[1].replace(",", " ").split()), "%B %d %Y").date()
            except ValueError:
                continue
    return None


def ndc_after(before: Sequence[Row], release: NdcRelease, *, effective: date) -> Imported:
    """Pairs that are gone end on the day before, new ones begin; those that stay are left as they are."""
    day = effective.isoformat()
    wanted = ((ndc, code, day, "", "coding") for ndc, code in release.pairs)
    rows = from_day_on(SCHEMA, before, wanted, effective=effective)
    notices: tuple[Notice, ...] = ()
    if release.effective not in (None, effective):
        notices = (Notice("another day", "", f"the banner says that it holds from {release.effective} on"),)
    return Imported(SCHEMA.name, rows, table_changes(SCHEMA, before, rows), release.read, release.dropped, notices)
