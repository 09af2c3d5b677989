"""DynamoDB: rule sets with their versions and pointer, partners, and recorded decisions.

Everything goes through one low-level client a process; every failure is an exception of this package with a name.
"""
