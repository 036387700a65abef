"""Changes the predictions of files that exist, straight in the file.

In: an item and its file. Out: how the file ended, proved by the server's answer. What people did there
stays: each write is planned on what was read just before, and what it undid is given back.
"""
