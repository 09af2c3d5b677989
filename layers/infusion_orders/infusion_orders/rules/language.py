"""Which language of rules this release speaks: its words (the facts) and its grammar (what a rule file may hold)."""

from __future__ import annotations

LANGUAGE = "b6450c900f7d77fe"
"""The first digits of a SHA-256 over both; a test holds it to them.

A version that a release with the same language has checked is trusted to compile, so its rules are compiled one by one
when they are first wanted.  Any other is compiled as a whole before it decides.
"""
