"""Moved to tests.support.orders."""

from tests.support.orders import *  # noqa: F403
