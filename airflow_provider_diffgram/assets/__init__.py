"""Assets: datasets in Diffgram."""
