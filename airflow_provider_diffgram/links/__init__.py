"""Links from a task to what it did in Diffgram."""
