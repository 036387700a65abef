"""What all formats share: values of a prediction, what becomes of them, and how files are opened.

A format gives :class:`~.raw.RawImage`; :mod:`.convert` makes checked instances and packets of these, and
:class:`~.account.Account` tells what was changed and left out. No format is known here.
"""
