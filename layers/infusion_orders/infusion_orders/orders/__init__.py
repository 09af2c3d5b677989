"""What a partner sends: the order's model and how its JSON is read, identifiers, frequencies and doses.

Pure: no clock, no network.  A malformed identifier never refuses an order; the facts ask for the right one instead.
"""
