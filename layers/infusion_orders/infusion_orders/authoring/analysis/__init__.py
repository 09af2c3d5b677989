"""Finds faults in a rule set that loads: dead rules, contradictions, gaps and overlaps, each shown by an order.

`satisfiability.py` first tries every combination of values that a condition can tell apart.  If the condition is false
for all of them, it is false for every order: that is a proof.  Otherwise `order_search.py` looks for an order for which
it is true, and a fault is reported only together with such an order.
"""
