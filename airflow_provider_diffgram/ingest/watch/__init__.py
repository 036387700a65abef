"""From a handle to a receipt.

In: handles, or anything else that names inputs: batches, ids, the children of a file. Out: the receipt, and
what became of each input, judged by what is stored and not by the server's status. The requests are steps,
so a worker, the triggerer and a notebook wait with the same code.
"""
