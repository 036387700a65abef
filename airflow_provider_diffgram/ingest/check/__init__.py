"""Finds everything that can be known to be wrong before anything is sent.

In: candidates, and the names of a dataset and a label schema. Out: a plan (the dataset's id, the server's ids
of labels and attributes, the name of each item), or one InvalidValueError with every problem. It only reads
from the server, but creates labels if the user asks for it.
"""
