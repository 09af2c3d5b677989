"""Fixtures for the world that contract tests run in: shared by a module, or built for one test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.partner import World, decided_world, world_without_rules

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """A world that the tests of a module share; they may add decisions to it."""
    with decided_world() as built:
        yield built


@pytest.fixture
def breakable_world() -> Iterator[World]:
    """A world for one test, which may break it."""
    with decided_world() as built:
        yield built


@pytest.fixture
def ruleless_world() -> Iterator[World]:
    """A world without any published rule set."""
    with world_without_rules() as built:
        yield built
