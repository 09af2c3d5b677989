"""Moved to tests.support.rules."""

from tests.support.rules import *  # noqa: F403
