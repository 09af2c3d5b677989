"""What is wrong with a rule set that is well-formed: dead rules, contradictions, gaps and overlaps, each with an order.

Conditions are looked at over the finite cells of their facts first (`cells.py`): what holds in no cell holds for no
order, and that is a proof.  What holds in some cell is looked for among orders (`orders.py`), and told only with an
order that shows it.
"""
