"""Reads what a task was given.

In: JSON Lines, folders of children, camera scenes, documents, paths of media, local or in object storage.
Out: candidates, which are packets not yet checked, and media opened for an upload. A path that cannot be
read, or leads out of the folder to which it is confined, is refused by name.
"""
