"""The world of the contract tests, for hostile requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.partner import decided_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.partner import World


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One for all tests of a module."""
    with decided_world() as built:
        yield built
