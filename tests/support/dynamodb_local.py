"""DynamoDB Local for tests: where moto is not DynamoDB, this is."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from scripts.dynamodb_engine import EngineMissing, dynamodb_local

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def dynamodb_local_or_skip() -> Iterator[str]:
    """The address of an empty engine; where it cannot run the tests are skipped, and say why."""
    with ExitStack() as engine:
        try:
            address = engine.enter_context(dynamodb_local())
        except EngineMissing as missing:
            pytest.skip(str(missing))
        yield address
