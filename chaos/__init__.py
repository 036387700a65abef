"""Pushes, compound files and waits that are struck, cleared and raced in a real Airflow: docs/chaos.md."""
