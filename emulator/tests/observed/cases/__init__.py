"""How the state of each recorded pair is made: one function per pair, or per group of pairs of one state.

A function gets the world and the pair, brings the world into the state the pair was recorded in, and returns
what stands for the recorded ids in the request.
"""

from __future__ import annotations

from . import compounds, instances, jobs, lists, requests, reviews, rows, storage, uploads, videos
from .common import CASES, Pair, Ready

__all__ = [
    "CASES",
    "Pair",
    "Ready",
    "compounds",
    "instances",
    "jobs",
    "lists",
    "requests",
    "reviews",
    "rows",
    "storage",
    "uploads",
    "videos",
]
