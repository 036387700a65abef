"""Hook: the connection to Diffgram."""
