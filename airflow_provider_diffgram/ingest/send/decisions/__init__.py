"""What becomes of one item, as functions from values to values.

In: an item, and what was found out about it. Out: an action, or the next question; for a refresh, the rows
to delete and to add. No request is sent here.
"""
