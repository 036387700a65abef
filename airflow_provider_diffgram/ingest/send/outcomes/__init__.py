"""Counts, logs and writes down what became of each item.

In: each outcome once it is known. Out: counts, the report, the record, and the error of a push as a whole.
"""
