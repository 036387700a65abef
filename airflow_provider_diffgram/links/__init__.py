"""Links from a task to what it changed in Diffgram."""
