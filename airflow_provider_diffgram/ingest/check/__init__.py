"""Finds every problem that can be found before anything is sent.

In: candidates, and the names of a dataset and a label schema. Out: a plan (the dataset's id, the server's ids
of labels and attributes, the name of each item), or one InvalidValueError with every problem. It only reads
from the server, except that it creates labels if the user asks for it.
"""
