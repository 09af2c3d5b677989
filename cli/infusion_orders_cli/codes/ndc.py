"""The quarterly crosswalk of CMS from NDC to HCPCS: under which codes a drug's package is billed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from infusion_orders.authoring.differences import table_changes
from infusion_orders.reference.schema import TABLES
from infusion_orders_cli.codes.changes import Imported, Notice, from_day_on
from infusion_orders_cli.codes.columns import CPT, CPT_ROWS, LEVEL_II, NOT_HCPCS, Reading, Wanted, read_table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from infusion_orders_cli.codes.files import Row, Sheet

SCHEMA = TABLES["ndc_crosswalk"]
COLUMNS = (
    Wanted("HCPCS code", re.compile(r"[0-9]{4}CODE\Z|HCPCS(?:LEVELII)?CODE")),
    Wanted("NDC2", re.compile(r"NDC2?\Z")),
)
NO_NDC = "product numbers that are not NDCs, of codes that the tables do not have"

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
    """Read the crosswalk.  Raises FileRefused with every fault.

    `curated`: the codes of our table.  Some devices are listed with a product number that is not an NDC: with a code of
    our table that is a fault, otherwise the row is dropped.
    """
    reading = Reading()
    table = read_table(sheet, COLUMNS, reading)
    pairs: set[tuple[str, str]] = set()
    for record in table.records:
        code = record.cells["HCPCS code"].upper()
        ndc = _NDC.match(record.cells["NDC2"])
        if CPT.match(code):
            reading.dropped[CPT_ROWS] += 1
        elif not LEVEL_II.match(code):
            reading.fault(record.row, table.names["HCPCS code"], NOT_HCPCS)
        elif ndc:
            pairs.add(("".join(ndc.groups()), code))
        elif code not in curated:
            reading.dropped[NO_NDC] += 1
        else:
            problem = "must be an NDC of 11 digits, 5-4-2, such as 12345-6789-01"
            reading.fault(record.row, table.names["NDC2"], problem)
    reading.finish(pairs, "NDC")
    return NdcRelease(frozenset(pairs), _first_day(table.banner), reading.rows, reading.dropped)


def _first_day(banner: Iterable[Row]) -> date | None:
    for row in banner:
        if found := _EFFECTIVE.search(" ".join(row)):
            try:
                return datetime.strptime(" ".join(found[1].replace(",", " ").split()), "%B %d %Y").date()
            except ValueError:
                continue
    return None


def ndc_after(before: Sequence[Row], release: NdcRelease, *, effective: date) -> Imported:
    """End the pairs that are gone on the day before, begin the new ones, and keep the others."""
    day = effective.isoformat()
    wanted = ((ndc, code, day, "", "coding") for ndc, code in release.pairs)
    rows = from_day_on(SCHEMA, before, wanted, effective=effective)
    notices: tuple[Notice, ...] = ()
    if release.effective not in (None, effective):
        notices = (Notice("another day", "", f"the banner says that the file holds from {release.effective} on"),)
    return Imported(SCHEMA.name, rows, table_changes(SCHEMA, before, rows), release.read, release.dropped, notices)
