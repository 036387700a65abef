"""From a handle to a receipt.

In: handles, or anything else that names inputs: batches, ids, the children of a file. Out: what became of
each input, judged by what is stored and not by the server's status, and the receipt. The requests are steps,
so a worker, the triggerer and a notebook wait with the same code.
"""
