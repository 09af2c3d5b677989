"""The functions and tables that hostile requests are sent to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.partner import decided_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.partner import World


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Share one world among the tests of a module."""
    with decided_world() as built:
        yield built
