"""What all formats share: values of a prediction, what becomes of them, and how files are opened.

A format yields :class:`~.raw.RawImage`; :mod:`.convert` turns these into checked instances and packets, and
:class:`~.account.Account` counts what was changed and left out. Nothing here knows a format.
"""
