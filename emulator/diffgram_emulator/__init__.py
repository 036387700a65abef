"""A local Diffgram that behaves as the real open source server does.

For demos, for tests of the Airflow provider, and for tests of your own DAGs and clients::

    python -m diffgram_emulator --port 0 --data DIR

or, from pytest, the fixtures of :mod:`.pytest_plugin`, which pytest finds without configuration.

Every rule it follows was observed on the real server and is cited in docstrings as "server.md N" (a section)
or "quirk N". It shares no code with the provider's client, so it does not repeat a mistake made there.

It does not decode videos. It reads the number of frames from the tables of an MP4 or MOV file; if a file does
not have them, no frame key is ever "beyond the end". The picture of a frame is grey, and videos are never
split into clips. Exports are of kind ``Annotations`` only.
"""

from __future__ import annotations

__version__ = "0.1.0"
