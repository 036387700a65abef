"""Changes the predictions of existing files directly, without the queue.

In: an item and its file. Out: the resulting file, proved by the server's answer. What people did there
stays: each write is planned on what was read just before, and what it undid is restored.
"""
