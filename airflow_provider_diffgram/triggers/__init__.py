"""Trigger: what waits without a worker."""
