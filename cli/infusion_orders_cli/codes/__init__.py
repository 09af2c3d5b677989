"""Releases of code sets, read from the files that their publishers offer, and the tables that they change.

`files` turns a file into rows and `columns` finds its columns. `hcpcs`, `ndc`, `dofr` and `icd_10_cm` each know one
kind of file. `changes` compares the new table with the old one, and `draft` writes it.
"""
