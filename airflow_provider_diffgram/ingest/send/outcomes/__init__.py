"""What became of each item: counted, logged, and written down.

In: each outcome as it is known. Out: counts, the report, the record, and the error of a push as a whole.
"""
