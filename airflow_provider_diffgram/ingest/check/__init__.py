"""What can be known to be wrong, known before anything is sent.

In: candidates, and the names of a dataset and a label schema.
Out: a plan (the dataset's id, what labels and attributes mean to the server, what each item is called), or
one InvalidValueError with every problem. It only reads the server, but creates labels where the user asks.
"""
