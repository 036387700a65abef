"""The hook, which connects to Diffgram."""
