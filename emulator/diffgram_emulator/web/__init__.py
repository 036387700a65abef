"""The frontend: pages to look at what is stored, and to correct it by hand."""

from .app import application

__all__ = ["application"]
