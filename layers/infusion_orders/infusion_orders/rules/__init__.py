"""The rule language: conditions over facts in three-valued logic, rules, and rule sets that are ready to decide.

A rule takes one form after the other: JSON (`document`), validated model (`condition`, `rule`), typed conditions
(`expression`, `resolution`, `assignments`), and a function of the facts (`evaluation`, `compiled_rule`).
"""
