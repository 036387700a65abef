"""One module for each format, named after what it reads. Each yields raw images; none knows another."""
