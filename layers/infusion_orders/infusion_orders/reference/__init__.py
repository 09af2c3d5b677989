"""Dated reference tables: codes and their units, therapies, crosswalk, DOFR grid, vendors, CCS presumptions, counties.

What each table must look like is declared in `schema`; `tables.ReferenceTables` answers the questions that the facts
ask of them.  Nothing here reads a file, a clock or the network: rows come in as text cells and go out as typed rows.
"""
