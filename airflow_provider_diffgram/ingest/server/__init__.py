"""What is on the server, and what its answers mean.

In: ids, names, listings. Out: files, inputs judged by their state, and repairs that never touch an update.
The meaning of a status, a counter or a collision is decided here and nowhere else.
"""
