"""From a plan to a handle: each item once.

In: a checked plan, and packets or children.
Out: a handle that names the batches to wait for, and a tally that says what became of each item.
An answer that was lost is looked for before anything is sent again.
"""
