"""The world that contract tests run in, shared or of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.partner import World, decided_world, world_without_rules

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One world for the tests of a module that leave it as it is, but for more decisions."""
    with decided_world() as built:
        yield built


@pytest.fixture
def breakable_world() -> Iterator[World]:
    """A world of its own for a test that breaks it."""
    with decided_world() as built:
        yield built


@pytest.fixture
def ruleless_world() -> Iterator[World]:
    """A world in which no rule set was ever published."""
    with world_without_rules() as built:
        yield built
