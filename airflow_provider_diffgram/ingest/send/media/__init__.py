"""Uploads media with their predictions.

In: an item, and the bytes of its medium. Out: the file that the server made of it, proved by its counter at
the end. Media that are too large for one request are sent in chunks.
"""
