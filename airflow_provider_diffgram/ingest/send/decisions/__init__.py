"""Decides what to do with one item, by pure functions.

In: an item, and what was found out about it. Out: an action, or the next question; for a refresh, the rows
to delete and to add. No request is sent here.
"""
