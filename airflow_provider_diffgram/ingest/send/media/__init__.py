"""Uploads media with their predictions.

In: an item, and the bytes of its medium. Out: the file that the server made of it, proved by its counter at
the end. What is too large for one request goes in chunks.
"""
