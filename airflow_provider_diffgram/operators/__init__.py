"""Operators: what sends."""
