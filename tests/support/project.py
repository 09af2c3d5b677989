"""Where things are in this checkout."""

from __future__ import annotations

from pathlib import Path

PROJECT = Path(__file__).parents[2]
TEMPLATE = PROJECT / "template.yaml"
