"""The world that contract tests run in, shared or of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from moto import mock_aws

from tests.contract.partner_system import environment
from tests.contract.world import VARIABLES, World, build_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One world for the tests of a module that leave it as it is, but for more decisions."""
    with environment(VARIABLES), mock_aws():
        yield build_world()


@pytest.fixture
def empty_world() -> Iterator[Callable[..., World]]:
    """Builds a world of its own for a test that breaks it."""
    with environment(VARIABLES), mock_aws():
        yield build_world
