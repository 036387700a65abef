"""One module for each format, named for what it reads. Each gives raw images; none knows another."""
