"""The rule language: conditions over facts in three-valued logic, rules, rule sets, and the checks they must pass."""
