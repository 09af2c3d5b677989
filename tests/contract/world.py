"""Moved to tests.support.partner."""

from tests.support.partner import *  # noqa: F403
