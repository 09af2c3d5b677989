"""The DynamoDB tables: rule set versions and the pointer to the active one, partners, and recorded decisions.

All stores of a process share one low-level client.  Every failure is an exception that this package defines.
"""
