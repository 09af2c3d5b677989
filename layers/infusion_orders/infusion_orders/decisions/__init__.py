"""An order and a rule set in, a decision out: judged, with findings, questions and a receipt.  No clock, no I/O.

`decide` is what the functions, the batch, the command line, replay, shadow and the tests call.
"""

from infusion_orders.decisions.decide import Decided, decide

__all__ = ["Decided", "decide"]
