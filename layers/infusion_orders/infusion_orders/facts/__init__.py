"""The vocabulary of the rules: what each fact is, and how it is read or derived from an order.

A fact is a value, or an `Unknown` that names what is still needed.  `asked.py` is the table of what partners send.  The
modules that `catalogue.py` lists declare the derived facts, each next to the function that derives it.  `case.py` holds
the facts of one order and derives them when they are first needed.

To add an asked fact, add a field to the order model and a row to the table in `asked.py`.  To add a derived fact, write
its function in the module of its subject and put `line_fact` or `order_fact` on it (`fact.py` explains both).
"""
