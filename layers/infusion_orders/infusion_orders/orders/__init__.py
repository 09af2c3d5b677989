"""What a partner sends: the order model, the parsing of its JSON, identifiers, doses and frequencies.

A malformed identifier does not make an order invalid: the facts ask for the right one instead.
"""
