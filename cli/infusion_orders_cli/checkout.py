"""The checkout that the command runs in: the rules, the template and the functions are read from it."""

from __future__ import annotations

from pathlib import Path

MARK = "template.yaml"
DEFAULT_RULES = Path("rules", "home-infusion")


class OutsideCheckout(Exception):
    """Neither the package nor the working directory lies in a checkout; the text says what to do."""


def project_root(*starts: Path) -> Path:
    """The nearest folder above one of `starts` (the package, then the working directory) that holds template.yaml.

    Raises OutsideCheckout.
    """
    for start in starts or (Path(__file__).resolve(), Path.cwd()):
        for folder in (start, *start.parents):
            if (folder / MARK).is_file() and (folder / "functions").is_dir():
                return folder
    raise OutsideCheckout(
        f"This is not a checkout of infusion-orders: no folder above this one holds {MARK}. "
        "Go into the checkout and run the command there."
    )
