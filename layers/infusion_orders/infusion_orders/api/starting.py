"""A faster start: every function imports this before anything else of ours, and calls `started` when it is ready.

What a start makes stays for the process's life, so looking for garbage among it finds nothing, again and again: none
is collected from the import of this module on.
"""

from __future__ import annotations

import gc

gc.disable()


def started() -> None:
    """Garbage is collected from now on, but never looked for among what is there already."""
    if not gc.isenabled():  # a second function of the same process has begun with it enabled
        gc.freeze()
        gc.enable()
