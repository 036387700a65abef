"""What a task was given, read.

In: JSON Lines, folders of children, camera scenes, documents, paths of media, local or in object storage.
Out: candidates, which are packets not yet checked, and media opened for an upload.
A path that cannot be read, or leaves the folder it must stay in, is refused by name.
"""
