"""The rule author's tools: loading rule files, checks, examples, mutation, coverage, analysis, search and differences.

The functions that decide orders never import this package.
"""
