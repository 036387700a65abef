"""Sends items through the server's queue of inputs, and finds what is already there.

In: an item to send. Out: the place where its input is listed. A single item introduces a new model run, a
video is sent alone, and an input of an earlier attempt is adopted instead of being sent again.
"""
