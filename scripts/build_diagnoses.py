"""Writes the default rule set's table of diagnoses from the package simple-icd-10-cm (`make diagnoses`).

The package contains a release of ICD-10-CM, whose codes are in the public domain.  This script takes the codes but not
the titles.  A plan that wants another release imports its order file: `infusion-orders codes import icd-10-cm`.
"""

import csv
import sys
from datetime import date
from pathlib import Path

import simple_icd_10_cm as release

from infusion_orders.reference.schema import TABLES
from infusion_orders_cli.codes.icd_10_cm import diagnosis_rows

RELEASE_FROM = date(2026, 4, 1)
RELEASE_TO = date(2026, 9, 30)
"""The release of April 2026, which the pinned version of the package contains."""


def main(table: Path) -> None:
    """Write the whole table."""
    codes = [code for code in release.get_all_codes(with_dots=True) if not release.is_chapter_or_block(code)]
    rows = diagnosis_rows(filter(release.is_leaf, codes), valid_from=RELEASE_FROM, valid_to=RELEASE_TO)
    with table.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows([TABLES["diagnoses"].header(), *rows])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
