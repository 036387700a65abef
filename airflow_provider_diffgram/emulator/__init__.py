"""A local Diffgram that behaves as the real open source server does.

For demos, for this package's tests, and for tests of your own DAGs::

    python -m airflow_provider_diffgram.emulator --port 0 --data DIR

or, from pytest, ``pytest_plugins = ["airflow_provider_diffgram.emulator.fixtures"]``.

Every rule it follows was observed on the real server and is cited in docstrings as "server.md N"
(a section) or "quirk N". It shares no code with the client side of this package, so that a mistake there is
not mirrored here, and it needs only the extra ``emulator``.

What it does not do: decode video. How many frames a video has is read in the tables of its MP4 or MOV file;
for a file that does not tell, no frame key is ever "beyond the end". The picture of a frame is a grey one,
and no clip is ever split. Exports are of kind ``Annotations`` only. Nobody logs in: what people do to tasks
and instances is asked for by :mod:`.control_data`.
"""
