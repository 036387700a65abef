"""From a plan to a handle: each item exactly once.

In: a checked plan, and packets or children. Out: a handle that names the batches to wait for, and a tally
of what became of each item. If an answer is lost, the server is checked before anything is sent again.
"""
