"""What is on the server, and what its words mean.

In: ids, names, listings.
Out: files, rows of inputs judged by their state, and repairs that never touch an update.
What a status, a counter or a collision says is decided here and nowhere else.
"""
