"""Dated reference tables: codes and their units, therapies, the DOFR crosswalk and grid, vendors, diagnoses, counties.

`schema.py` declares the columns of each table, and `ReferenceTables` in `tables.py` answers what the facts need to know
on a date.  Rows come in as text cells and go out as typed rows.  Nothing here reads a file, a clock or the network.
"""
