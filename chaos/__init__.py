"""Pushes and waits that are killed, cut off, cleared and raced in a real Airflow; see docs/chaos.md."""
