"""Register the profiles of the property tests before Hypothesis loads one."""

from __future__ import annotations

import tests.support.examples  # noqa: F401
