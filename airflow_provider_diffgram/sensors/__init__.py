"""Sensor: what waits."""
