"""A local Diffgram that behaves as the real open source server does.

For demos, for this package's tests, and for tests of your own DAGs::

    python -m airflow_provider_diffgram.emulator --port 0 --data DIR

or, from pytest, ``pytest_plugins = ["airflow_provider_diffgram.emulator.fixtures"]``.

Every rule it follows was observed on the real server and is cited in docstrings as "wire contract, N"
(a section) or "quirk N". It shares no code with the client side of this package, so that a mistake there is
not mirrored here, and it needs only the extra ``emulator``.

What it does not do: decode video. A video's bytes and the instances of its ``frame_packet_map`` are kept and
given back by the instance buffer (wire contract, 5.6), but frames have no pictures, and the length of the
video is unknown, so that no clip is ever split and no frame key is ever "beyond the end". Export, jobs and
tasks answer 501.
"""
