"""What rule authors use: loading files, checks, examples, mutation, coverage, analysis, search and differences.

A function that only decides orders never imports it.
"""
