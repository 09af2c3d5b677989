"""The vocabulary that rules may speak: the catalogue of facts, and how each is read or derived from an order.

A fact is a value or an `Unknown` that names what is still needed.  `asked_of_order.py` and `asked_of_line.py` hold
what a partner sends, `member.py`, `line.py` and `responsibility.py` what is derived from it; `case.py` derives lazily
and once.
"""
