"""Options and arguments that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

RULE_SET = "home-infusion"
DEFAULT_FOLDER = "rules/home-infusion"

Folder = Annotated[
    Path | None,
    typer.Argument(metavar="[DIR]", help="Rule-set folder.", show_default=DEFAULT_FOLDER, exists=True, file_okay=False),
]
Rules = Annotated[
    Path | None, typer.Option(help="Rule-set folder.", show_default=DEFAULT_FOLDER, exists=True, file_okay=False)
]
Version = Annotated[int, typer.Argument(min=1, help="The version's number.")]
Name = Annotated[str, typer.Option(help="The rule set's name.")]
Table = Annotated[str, typer.Option(help="The stack's rules table (its output RulesTableName).")]
Endpoint = Annotated[
    str | None, typer.Option(help="URL of the table's server, if it is not AWS: http://127.0.0.1:8000.")
]
Person = Annotated[str | None, typer.Option(help="Who does this.", show_default="your login name")]
Why = Annotated[str, typer.Option(help="The reason, for the record.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Workers = Annotated[
    int | None, typer.Option(min=1, max=64, help="Number of processes.", show_default="one per processor")
]
DAY = ["%Y-%m-%d"]
"""The format of every option that takes a day."""


def login_or(by: str | None) -> str:
    """Return the named person, or the login name of who runs the command."""
    import getpass

    return by or getpass.getuser()
