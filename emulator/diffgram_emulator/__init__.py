"""A local Diffgram that behaves as the real open source server does.

For demos, for tests of the Airflow provider, and for tests of your own DAGs and clients::

    python -m diffgram_emulator --port 0 --data DIR

or, from pytest, the fixtures of :mod:`.pytest_plugin`, which is found by itself.

Every rule it follows was observed on the real server and is cited in docstrings as "server.md N" (a
section) or "quirk N". It shares no code with the provider's client, so that a mistake there is not
mirrored here.

What it does not do: decode video. How many frames a video has is read in the tables of its MP4 or MOV file;
for a file that does not tell, no frame key is ever "beyond the end". The picture of a frame is a grey one,
and no clip is ever split. Exports are of kind ``Annotations`` only. Nobody logs in: what people do to tasks
and instances is asked for by :mod:`.control_data`.
"""

from __future__ import annotations

__version__ = "0.1.0"
