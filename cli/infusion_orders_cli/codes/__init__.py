"""Releases of code sets, read from the files that their publishers offer, and the table that each of them makes.

`sources` turns a file into rows, `layout` finds the columns; `hcpcs`, `ndc`, `dofr` and `icd_10_cm` know one kind of
file each and say what the table is afterwards; `changes` compares it with what it was, `draft` writes it.
"""
