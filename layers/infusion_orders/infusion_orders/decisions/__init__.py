"""Rule set and order in, decision out: judged, asked about, explained and receipted.  Pure: no clock, no I/O.

`decide` is what the function, the batch, the command line, the replay and the tests all call.
"""

from infusion_orders.decisions.decide import Decided, decide

__all__ = ["Decided", "decide"]
