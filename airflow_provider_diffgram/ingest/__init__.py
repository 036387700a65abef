"""Sends packets to Diffgram exactly once, and finds out when they have arrived. Imports no Airflow.

In the order of work: :mod:`.read` what a task was given, :mod:`.check` it, find out what is on the
:mod:`.server`, :mod:`.send` each item once, and :mod:`.watch` until all have arrived. :mod:`.validation` only
checks. Your own programs can import what they need from here; each name is imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .read.children import children_of
    from .read.pages import pages_of
    from .read.records import read_record
    from .read.scenes import children_calls, scenes
    from .send.compound import create_compound_file, upload_children
    from .send.outcomes.errors import PushError
    from .send.push import Prepared, prepare, push
    from .validation import validate_packets
    from .watch.ending import Report
    from .watch.errors import WaitError
    from .watch.rules import Rules
    from .watch.wait import wait
    from .watch.watch import Watch

_LAZY = {
    "children_of": "read.children",
    "pages_of": "read.pages",
    "read_record": "read.records",
    "children_calls": "read.scenes",
    "scenes": "read.scenes",
    "create_compound_file": "send.compound",
    "upload_children": "send.compound",
    "PushError": "send.outcomes.errors",
    "Prepared": "send.push",
    "prepare": "send.push",
    "push": "send.push",
    "validate_packets": "validation",
    "Report": "watch.ending",
    "WaitError": "watch.errors",
    "Rules": "watch.rules",
    "wait": "watch.wait",
    "Watch": "watch.watch",
}
"""Names that are imported on first use, and their modules."""

__all__ = [
    "Prepared",
    "PushError",
    "Report",
    "Rules",
    "WaitError",
    "Watch",
    "children_calls",
    "children_of",
    "create_compound_file",
    "pages_of",
    "prepare",
    "push",
    "read_record",
    "scenes",
    "upload_children",
    "validate_packets",
    "wait",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
