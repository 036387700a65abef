"""Pulled sets: what they consist of, how it is read, and the folder with its versions."""
