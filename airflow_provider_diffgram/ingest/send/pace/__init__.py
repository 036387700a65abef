"""Controls how many items are under way at once.

In: what a generator yields, and how long the server takes to answer. Out: as many requests at once as the
server handles without getting slower.
"""
